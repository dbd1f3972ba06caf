/* The HTTP server: requests in any pieces, answers in order, listening and its end. */
#include "../case.h"
#include "server_kit.h"

#define HEAD_OF "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

/* What is sent on one connection, and all that comes back. */
NET_CASE(exchanges) {
    static const struct {
        const char *sent, *last; /* the end of the answer; NULL: the connection ends */
        const char *answer;
        bool half_closes;
    } cases[] = {
        {"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi" GET("/x"), OK("0", ""),
         OK("2", "hi") OK("0", ""), false},
        {"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", NULL,
         HEAD_OF "Content-Length: 0\r\nConnection: close\r\n\r\n", false},
        /* a client that half-closes gets what is answered at once */
        {GET("/1") GET("/2"), NULL, OK("0", "") OK("0", ""), true},
        {"HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n" GET(
             "/204") "HEAD /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" GET("/end"),
         OK("0", ""),
         HEAD_OF "Transfer-Encoding: chunked\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n" OK("3", "") OK("0", ""),
         false},
        {"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "\r\n\r\n",
         HEAD_OF "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n", false},
        /* HTTP/1.0 knows no chunks: until the end */
        {"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", NULL,
         HEAD_OF "Connection: close\r\n\r\nabc", false},
    };
    struct app a = {.k = k};
    kit_serve(k, app, &a, NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        RAW(r, k, k->port);
        raw_sends(&r, cases[i].sent);
        if (cases[i].half_closes) raw_shutdown(&r);
        if (cases[i].last) assert_true(raw_until(&r, cases[i].last));
        if (!cases[i].last) raw_until_eof(&r);
        assert_string_equal(buf_str(&r.in), cases[i].answer);
    }
}

NET_CASE(pipelined_requests_are_answered_in_order) {
    DIAL(r, a, k, NULL);
    raw_says(&r,
             "PUT /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1" GET(
                 "/later") "PUT /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n3" GET("/stream"),
             OK("1", "1"));
    while (!a.nopen) kit_run(k);
    kit_turns(k, 20);
    assert_int_equal(a.requests, 2); /* the third waits for the second */
    http_reply(a.open[0], 404, NULL, SL("2"));
    assert_int_equal(a.requests, 2); /* no handler inside a call on an exchange */
    assert_true(raw_until(&r, "0\r\n\r\n"));
    assert_string_equal(buf_str(&r.in),
                        OK("1", "1") "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n2" OK(
                            "1", "3") "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: "
                                      "chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
    assert_int_equal(a.gone, 0);
}

NET_CASE(extra_headers_cannot_be_injected) {
    DIAL(r, a, k, NULL);
    struct http_headers h = {.n = 0};
    http_headers_add(&h, SL("Retry-After"), SL("1"));
    http_headers_add(&h, SL("X-Bad"), SL("a\r\nSet-Cookie: b"));
    http_headers_add(&h, SL("X Bad"), SL("a"));
    a.extra = &h;
    raw_says(&r, GET("/stream"), "0\r\n\r\n");
    assert_has(buf_str(&r.in), "\r\nRetry-After: 1\r\n");
    assert_lacks(buf_str(&r.in), "Cookie");
    assert_lacks(buf_str(&r.in), "X Bad");
}

NET_CASE(continue_is_sent_when_asked_for) {
    DIAL(r, a, k, NULL);
    raw_says(&r, "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
             "100 Continue\r\n\r\n");
    raw_says(&r, "hi", "hi");
    assert_string_equal(buf_str(&r.in), "HTTP/1.1 100 Continue\r\n\r\n" OK("2", "hi"));
    buf_clear(&r.in);
    raw_says(&r, "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n",
             NULL);
    assert_true(slice_starts(buf_slice(&r.in), SL("HTTP/1.1 413 ")));
}

NET_CASE(an_aborted_answer_shows) {
    DIAL(r, a, k, NULL);
    raw_says(&r, GET("/abort"), NULL);
    assert_true(slice_ends(buf_slice(&r.in), SL("7\r\npartial\r\n"))); /* no last chunk */
    RAW(old, k, k->port);
    raw_says(&old, "GET /abort HTTP/1.0\r\n\r\n", NULL);
    assert_true(old.reset); /* without chunks only a reset tells */
}

NET_CASE(large_answers) {
    DIAL(r, a, k, &(struct http_limits){.send_cap = 100 << 20});
    raw_sends(&r, GET("/later") GET("/x"));
    while (!a.nopen) kit_run(k);
    enum { BIG = 30 << 20 };
    cleanup_free char *big = xmalloc(BIG);
    memset(big, 'b', BIG);
    http_reply_begin(a.open[0], 200, NULL, NULL);
    for (int i = 0; i < BIG; i += 1 << 20) http_reply_send(a.open[0], slice_make(big + i, 1 << 20));
    http_reply_end(a.open[0]);
    assert_true(
        raw_until(&r, "0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"));
    assert_true(r.in.n > BIG);
}

NET_CASE(closing_the_listener_tells_the_open_ones) {
    DIAL(busy, a, k, NULL);
    RAW(idle, k, k->port);
    later(&a, &busy);
    raw_says(&idle, GET("/x"), OK("0", ""));
    http_listener_close(k->server);
    k->server = NULL;
    assert_int_equal(a.gone, 1); /* before it returned */
    raw_until_eof(&busy);
    raw_until_eof(&idle);
}

NET_CASE(closing_the_listener_inside_a_handler) {
    DIAL(r, a, k, NULL);
    raw_says(&r, GET("/close") GET("/x"), NULL);
    assert_int_equal(r.in.n, 0);
    assert_int_equal(a.requests, 1);
}

NET_CASE(listening_addresses) {
    static const char *const good[] = {"127.0.0.1:0", "[::1]:0", ":0", "localhost:0", "0.0.0.0:0", "[::]:0"};
    static const char *const bad[] = {
        "",        "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "example.com:80",
        "[::1:80", NULL};
    struct app a = {.k = k};
    struct err err = {0};
    struct http_listener *l = NULL;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int r = http_listen(k->w, good[i], NULL, app, &a, &l, &err);
        if (good[i][0] == '[' && r < 0) continue; /* no IPv6 here */
        assert_int_equal(r, 0);
        int port = http_listener_port(l);
        assert_true(port > 0);
        if (good[i][0] != '[') {
            RAW(raw, k, port);
            raw_says(&raw, GET("/x"), OK("0", ""));
        }
        http_listener_close(l);
    }
    l = NULL;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(http_listen(k->w, bad[i], NULL, app, &a, &l, &err), -EINVAL);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_null(l);
    }
    kit_serve(k, app, &a, NULL);
    char taken[40];
    snprintf(taken, sizeof taken, "127.0.0.1:%d", k->port);
    assert_int_equal(http_listen(k->w, taken, NULL, app, &a, &l, &err), -EADDRINUSE);
    assert_has(err.msg, taken);
}

CASES("net/server")
