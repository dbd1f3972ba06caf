/* The HTTP client and servers that are missing, silent, cut off or odd. */
#include "../case.h"
#include "kit.h"

NET_CASE(refused_connections_say_so) {
    struct raw_server s;
    raw_serve(&s, k, NULL, NULL);
    int port = s.port; /* closed again: nobody listens there */
    raw_server_close(&s);
    kit_turns(k, 2);
    char url[100];
    snprintf(url, sizeof url, "http://user:hunter2@127.0.0.1:%d/some/path?token=hunter2", port);
    CALL(c, k);
    call_get(&c, LANE_LEASE, url);
    call_failed(&c, ERR_TRANSPORT, -ECONNREFUSED);
    assert_int_equal(c.status, 0);
    char want[200];
    snprintf(want, sizeof want, "GET http://127.0.0.1:%d/some/path: Connection refused", port);
    assert_string_equal(c.err.msg, want); /* no query, no password */
}

NET_CASE(unknown_names_say_so) {
    CALL(c, k);
    call_get(&c, LANE_CALL, "http://does-not-exist.invalid/");
    call_failed(&c, ERR_TRANSPORT, -EHOSTUNREACH);
    assert_has(c.err.msg, "resolve");
}

static void half_then_reset(struct raw *r) {
    if (!strstr(buf_str(&r->in), "\r\n\r\n")) return;
    struct call *c = r->extra;
    if (c->body.n == 0) raw_sends(r, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
}

NET_CASE(reset_in_the_middle) {
    CALL(c, k);
    RAW_SERVER(srv, k, half_then_reset, &c);
    call_open(&c, LANE_WATCH, srv.url);
    while (c.body.n < 4) kit_turns(k, 1);
    raw_reset(srv.first);
    call_wait(&c);
    call_failed(&c, ERR_TRANSPORT, -ECONNRESET);
    assert_has(c.err.msg, "reset by peer");
}

struct canned {
    const char *answer;
    enum err_kind kind;
    int errnum, status;
    const char *body, *message;
    int64_t total_ns; /* 0: the connection ends after the answer, else it stays and this is the deadline */
};

static void answer_canned(struct raw *r) {
    const struct canned *c = r->extra;
    if (!strstr(buf_str(&r->in), "\r\n\r\n")) return;
    raw_sends(r, c->answer);
    if (!c->total_ns) raw_shutdown(r);
}

NET_CASE(odd_answers) {
#define HEAD    "HTTP/1.1 200 OK\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"
#define HALF    HEAD "Content-Length: 100\r\n\r\nhalf"
    static struct canned cases[] = {
        {HEAD "Content-Length: 2\r\n\r\nok", ERR_NONE, 0, 200, "ok", "", 0},
        {"HTTP/1.0 200\r\n\r\nuntil the end", ERR_NONE, 0, 200, "until the end", "", 0},
        {"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 "
         "Created\r\nContent-Length: 1\r\n\r\nx",
         ERR_NONE, 0, 201, "x", "", 0},
        {CHUNKED "2\r\nab\r\n1\r\nc\r\n0\r\nTrailer: t\r\n\r\n", ERR_NONE, 0, 200, "abc", "", 0},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", ERR_NONE, 0, 302,
         "", "", 0},
        {CHUNKED "2\r\nab\r\n", ERR_TRANSPORT, -ECONNRESET, 200, "ab", "", 0},
        {CHUNKED "zz\r\nab\r\n", ERR_PROTOCOL, -EPROTO, 200, "", "", 0},
        {"SSH-2.0-OpenSSH\r\n", ERR_PROTOCOL, -EPROTO, 0, "", "", 0},
        {"", ERR_TRANSPORT, -ECONNRESET, 0, "", "", 0},
        {"HTTP/1.1 2", ERR_TRANSPORT, -ECONNRESET, 0, "", "", 0},
        {HALF, ERR_TRANSPORT, -ECONNRESET, 200, "half", "", 0},
        {HALF, ERR_TIMEOUT, -ETIMEDOUT, 200, "half", "did not end within", 50 * NS_PER_MS},
        {"", ERR_TIMEOUT, -ETIMEDOUT, 0, "", "no answer within 50ms", 50 * NS_PER_MS},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        RAW_SERVER(srv, k, answer_canned, &cases[i]);
        CALL(c, k);
        call_do(&c, SPEC(LANE_WATCH, "GET", srv.url, .total_ns = cases[i].total_ns));
        print_message("%s\n", cases[i].answer);
        call_failed(&c, cases[i].kind, cases[i].errnum);
        assert_int_equal(c.status, cases[i].status);
        assert_string_equal(buf_str(&c.body), cases[i].body);
        assert_has(c.err.msg, cases[i].message);
    }
}

CASES("net/client_faults")
