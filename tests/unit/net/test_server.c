/* The HTTP server against clients that speak byte by byte: order, limits, framing, leaving, closing. */
#include "kit.h"

struct app {
    struct kit *k;
    int requests, gone;
    struct http_exchange *open[8]; /* those of /later */
    int nopen;
    const struct http_headers *extra;
    char seen[64];
};

static void on_gone(void *ctx) {
    struct app *a = ctx;
    a->gone++;
    loop_stop(a->k->l);
}

static void app(void *ctx, struct http_exchange *x) {
    struct app *a = ctx;
    a->requests++;
    struct slice t = http_x_target(x);
    snprintf(a->seen, sizeof a->seen, "%.*s", SLF(t));
    if (slice_eqs(t, "/later")) {
        a->open[a->nopen++] = x;
        http_on_gone(x, on_gone, a);
        loop_stop(a->k->l);
    } else if (slice_eqs(t, "/unwatched")) {
        a->open[a->nopen++] = x;
        loop_stop(a->k->l);
    } else if (slice_eqs(t, "/stream")) {
        http_reply_begin(x, 200, "text/plain", a->extra);
        http_reply_send(x, SL("ab"));
        http_reply_send(x, SL("c"));
        http_reply_end(x);
    } else if (slice_eqs(t, "/abort")) {
        http_reply_begin(x, 200, "text/plain", NULL);
        http_reply_send(x, SL("partial"));
        http_reply_abort(x);
    } else if (slice_eqs(t, "/204")) {
        http_reply(x, 204, NULL, SL("never shown"));
    } else if (slice_eqs(t, "/close")) {
        struct http_listener *l = a->k->server;
        a->k->server = NULL;
        http_listener_close(l);
        http_reply(x, 200, NULL, SL("late"));
    } else {
        http_reply(x, 200, "text/plain", http_x_body(x));
    }
}

#define GET(path)   "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK(n, body) "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " n "\r\n\r\n" body

static struct raw *dial(struct raw *r, struct app *a, struct kit *k, const struct http_limits *limits) {
    *a = (struct app){.k = k};
    kit_serve(k, app, a, limits);
    raw_connect(r, k, k->port);
    return r;
}

static void answers_and_keeps_alive(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    dial(&r, &a, k, NULL);
    raw_sends(&r, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
    assert_true(raw_until(&r, "hi"));
    assert_string_equal(buf_str(&r.in), OK("2", "hi"));
    buf_clear(&r.in);
    raw_sends(&r, "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    raw_until_eof(&r);
    assert_string_equal(
        buf_str(&r.in),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    raw_close(&r);
}

static void a_request_in_single_bytes(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    dial(&r, &a, k, NULL);
    static const char text[] =
        "PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        raw_send(&r, slice_make(text + i, 1));
        kit_turns(k, 2);
    }
    assert_true(raw_until(&r, "abc"));
    assert_string_equal(buf_str(&r.in), OK("3", "abc"));
    raw_close(&r);
}

static void pipelined_requests_are_answered_in_order(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    dial(&r, &a, k, NULL);
    raw_sends(&r, "PUT /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1" GET(
                      "/later") "PUT /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n3" GET("/stream"));
    assert_true(raw_until(&r, OK("1", "1")));
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
    raw_close(&r);
}

/* Far more than is read ahead: reading stops meanwhile and goes on afterwards, nothing is lost. */
static void a_flood_of_pipelined_requests(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    dial(&r, &a, k, NULL);
    enum { N = 20000 };
    struct buf b = BUF(64 << 20);
    buf_adds(&b, GET("/later"));
    for (int i = 0; i < N; i++) buf_adds(&b, GET("/x"));
    raw_send(&r, buf_slice(&b));
    raw_shutdown(&r);
    while (!a.nopen) kit_run(k);
    kit_turns(k, 20);
    http_reply(a.open[0], 200, NULL, SL(""));
    raw_until_eof(&r);
    assert_int_equal(a.requests, N + 1);
    assert_int_equal(r.in.n,
                     strlen("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") + N * strlen(OK("0", "")));
    buf_free(&b);
    raw_close(&r);
}

static void half_closing_clients_get_what_is_answered_at_once(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    dial(&r, &a, k, NULL);
    raw_sends(&r, GET("/1") GET("/2"));
    raw_shutdown(&r);
    raw_until_eof(&r);
    assert_string_equal(buf_str(&r.in), OK("0", "") OK("0", ""));
    raw_close(&r);
}

static void head_and_bodyless_statuses(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    dial(&r, &a, k, NULL);
    raw_sends(&r, "HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n" GET(
                      "/204") "HEAD /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" GET("/end"));
    assert_true(raw_until(&r, OK("0", "")));
    assert_string_equal(buf_str(&r.in),
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "HTTP/1.1 204 No Content\r\n\r\n" OK("3", "") OK("0", ""));
    raw_close(&r);
}

static void http_1_0(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    dial(&r, &a, k, NULL);
    raw_sends(&r, "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_true(raw_until(&r, "\r\n\r\n"));
    assert_non_null(strstr(buf_str(&r.in), "Connection: keep-alive\r\n"));
    buf_clear(&r.in);
    raw_sends(&r, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"); /* no chunks: until the end */
    raw_until_eof(&r);
    assert_string_equal(buf_str(&r.in),
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nabc");
    raw_close(&r);
}

static void extra_headers_cannot_be_injected(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    dial(&r, &a, k, NULL);
    struct http_headers h = {.n = 0};
    http_headers_add(&h, SL("Retry-After"), SL("1"));
    http_headers_add(&h, SL("X-Bad"), SL("a\r\nSet-Cookie: b"));
    http_headers_add(&h, SL("X Bad"), SL("a"));
    a.extra = &h;
    raw_sends(&r, GET("/stream"));
    assert_true(raw_until(&r, "0\r\n\r\n"));
    assert_non_null(strstr(buf_str(&r.in), "\r\nRetry-After: 1\r\n"));
    assert_null(strstr(buf_str(&r.in), "Cookie"));
    assert_null(strstr(buf_str(&r.in), "X Bad"));
    raw_close(&r);
}

static void continue_is_sent_when_asked_for(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    dial(&r, &a, k, NULL);
    raw_sends(&r, "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_true(raw_until(&r, "100 Continue\r\n\r\n"));
    raw_sends(&r, "hi");
    assert_true(raw_until(&r, "hi"));
    assert_string_equal(buf_str(&r.in), "HTTP/1.1 100 Continue\r\n\r\n" OK("2", "hi"));
    buf_clear(&r.in);
    raw_sends(&r, "PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    raw_until_eof(&r);
    assert_true(slice_starts(buf_slice(&r.in), SL("HTTP/1.1 413 ")));
    raw_close(&r);
}

/* The refusal reaches a client that is still sending, instead of a reset. */
static void too_large_bodies(void **state) {
    struct kit *k = *state;
    struct app a;
    struct http_limits limits = {.body_cap = 1000};
    for (int chunked = 0; chunked < 2; chunked++) {
        struct raw r;
        if (chunked) {
            raw_connect(&r, k, k->port);
            raw_sends(&r, "PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
        } else {
            dial(&r, &a, k, &limits);
            raw_sends(&r, "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1000001\r\n\r\n");
        }
        char *junk = xmalloc(1 << 20);
        memset(junk, 'x', 1 << 20);
        if (chunked) raw_sends(&r, "100000\r\n");
        raw_send(&r, slice_make(junk, 1 << 20));
        free(junk);
        raw_until_eof(&r);
        assert_false(r.reset);
        assert_true(slice_starts(buf_slice(&r.in), SL("HTTP/1.1 413 Payload Too Large\r\n")));
        assert_non_null(strstr(buf_str(&r.in), "Connection: close\r\n"));
        raw_close(&r);
    }
    assert_int_equal(a.requests, 0);
}

static void smuggling_is_refused(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    dial(&r, &a, k, NULL);
    raw_sends(&r, GET("/fine") "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
                               "chunked\r\n\r\n0\r\n\r\n" GET("/smuggled"));
    raw_until_eof(&r);
    assert_true(slice_starts(buf_slice(&r.in), SL(OK("0", "") "HTTP/1.1 400 Bad Request\r\n")));
    assert_int_equal(a.requests, 1);
    assert_string_equal(a.seen, "/fine");
    raw_close(&r);
}

static void late_requests(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r, silent;
    struct http_limits limits = {.header_ns = 50 * NS_PER_MS};
    dial(&r, &a, k, &limits);
    raw_connect(&silent, k, k->port);
    raw_sends(&r, "GET /x HTTP/1.1\r\nHost:");
    raw_until_eof(&r);
    assert_true(slice_starts(buf_slice(&r.in), SL("HTTP/1.1 408 Request Timeout\r\n")));
    raw_until_eof(&silent);
    assert_int_equal(silent.in.n, 0); /* who asks for nothing gets nothing */
    raw_close(&r);
    raw_close(&silent);
}

static void connections_are_limited(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r[3];
    struct http_limits limits = {.connections = 2};
    dial(&r[0], &a, k, &limits);
    raw_connect(&r[1], k, k->port);
    raw_connect(&r[2], k, k->port);
    raw_until_eof(&r[2]);
    assert_int_equal(r[2].in.n, 0);
    raw_close(&r[2]);
    raw_sends(&r[0], GET("/x"));
    assert_true(raw_until(&r[0], OK("0", "")));
    raw_close(&r[0]);
    kit_turns(k, 5);
    raw_connect(&r[2], k, k->port);
    raw_sends(&r[2], GET("/x"));
    assert_true(raw_until(&r[2], OK("0", "")));
    raw_close(&r[1]);
    raw_close(&r[2]);
}

static void clients_that_leave_are_noticed(void **state) {
    struct kit *k = *state;
    struct app a;
    for (int how = 0; how < 4; how++) {
        struct raw r;
        if (how == 0) {
            dial(&r, &a, k, NULL);
        } else {
            raw_connect(&r, k, k->port);
        }
        raw_sends(&r, GET("/later"));
        while (a.nopen <= how) kit_run(k);
        if (how & 1) {
            http_reply_begin(a.open[how], 200, NULL, NULL);
            http_reply_send(a.open[how], SL("data"));
            assert_true(raw_until(&r, "data"));
        }
        if (how & 2) {
            raw_reset(&r);
        } else {
            raw_close(&r);
        }
        while (a.gone <= how) kit_run(k);
    }
}

static void an_unwatched_exchange_may_be_answered_into_the_void(void **state) {
    struct kit *k = *state;
    struct app a;
    for (int how = 0; how < 3; how++) {
        struct raw r;
        if (how == 0) {
            dial(&r, &a, k, NULL);
        } else {
            raw_connect(&r, k, k->port);
        }
        raw_sends(&r, GET("/unwatched"));
        while (a.nopen <= how) kit_run(k);
        raw_close(&r);
        kit_turns(k, 5);
        struct http_exchange *x = a.open[how];
        assert_true(slice_eqs(http_x_target(x), "/unwatched"));
        if (how == 0) {
            http_reply(x, 200, NULL, SL("x"));
        } else {
            http_reply_begin(x, 200, NULL, NULL);
            http_reply_send(x, SL("x"));
            if (how == 1) {
                http_reply_end(x);
            } else {
                http_reply_abort(x);
            }
        }
    }
}

static void a_slow_reader_is_dropped(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    struct http_limits limits = {.send_cap = 100000};
    dial(&r, &a, k, &limits);
    raw_sends(&r, GET("/later"));
    while (!a.nopen) kit_run(k);
    raw_stop(&r);
    http_reply_begin(a.open[0], 200, NULL, NULL);
    static char junk[50000];
    memset(junk, 'x', sizeof junk);
    for (int i = 0; i < 1000 && !a.gone; i++) {
        http_reply_send(a.open[0], slice_make(junk, sizeof junk));
        assert_int_equal(a.gone, 0); /* never inside the call */
        kit_turns(k, 2);
    }
    assert_int_equal(a.gone, 1);
    raw_close(&r);
}

static void an_aborted_answer_shows(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    dial(&r, &a, k, NULL);
    raw_sends(&r, GET("/abort"));
    raw_until_eof(&r);
    assert_true(slice_ends(buf_slice(&r.in), SL("7\r\npartial\r\n"))); /* no last chunk */
    raw_close(&r);
    raw_connect(&r, k, k->port);
    raw_sends(&r, "GET /abort HTTP/1.0\r\n\r\n");
    raw_until_eof(&r);
    assert_true(r.reset); /* without chunks only a reset tells */
    raw_close(&r);
}

static void large_answers(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    struct http_limits limits = {.send_cap = 100 << 20};
    dial(&r, &a, k, &limits);
    raw_sends(&r, GET("/later") GET("/x"));
    while (!a.nopen) kit_run(k);
    enum { BIG = 30 << 20 };
    char *big = xmalloc(BIG);
    memset(big, 'b', BIG);
    http_reply_begin(a.open[0], 200, NULL, NULL);
    for (int i = 0; i < BIG; i += 1 << 20) http_reply_send(a.open[0], slice_make(big + i, 1 << 20));
    http_reply_end(a.open[0]);
    assert_true(
        raw_until(&r, "0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"));
    assert_true(r.in.n > BIG);
    free(big);
    raw_close(&r);
}

static void closing_the_listener_tells_the_open_ones(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r[2];
    dial(&r[0], &a, k, NULL);
    raw_connect(&r[1], k, k->port);
    raw_sends(&r[0], GET("/later"));
    while (a.nopen < 1) kit_run(k);
    raw_sends(&r[1], GET("/x"));
    assert_true(raw_until(&r[1], OK("0", "")));
    http_listener_close(k->server);
    k->server = NULL;
    assert_int_equal(a.gone, 1); /* before it returned */
    raw_until_eof(&r[0]);
    raw_until_eof(&r[1]);
    raw_close(&r[0]);
    raw_close(&r[1]);
}

static void closing_the_listener_inside_a_handler(void **state) {
    struct kit *k = *state;
    struct app a;
    struct raw r;
    dial(&r, &a, k, NULL);
    raw_sends(&r, GET("/close") GET("/x"));
    raw_until_eof(&r);
    assert_int_equal(r.in.n, 0);
    assert_int_equal(a.requests, 1);
    raw_close(&r);
}

static void listening_addresses(void **state) {
    struct kit *k = *state;
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
        struct raw raw;
        if (good[i][0] != '[') {
            raw_connect(&raw, k, port);
            raw_sends(&raw, GET("/x"));
            assert_true(raw_until(&raw, OK("0", "")));
            raw_close(&raw);
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
    assert_non_null(strstr(err.msg, taken));
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(answers_and_keeps_alive),
        T(a_request_in_single_bytes),
        T(pipelined_requests_are_answered_in_order),
        T(a_flood_of_pipelined_requests),
        T(half_closing_clients_get_what_is_answered_at_once),
        T(head_and_bodyless_statuses),
        T(http_1_0),
        T(extra_headers_cannot_be_injected),
        T(continue_is_sent_when_asked_for),
        T(too_large_bodies),
        T(smuggling_is_refused),
        T(late_requests),
        T(connections_are_limited),
        T(clients_that_leave_are_noticed),
        T(an_unwatched_exchange_may_be_answered_into_the_void),
        T(a_slow_reader_is_dropped),
        T(an_aborted_answer_shows),
        T(large_answers),
        T(closing_the_listener_tells_the_open_ones),
        T(closing_the_listener_inside_a_handler),
        T(listening_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
