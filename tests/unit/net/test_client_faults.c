/* The HTTP client and servers that are missing, silent, cut off or odd. */
#include "kit.h"

static void refused_connections_say_so(void **state) {
    struct kit *k = *state;
    struct raw_server s;
    raw_serve(&s, k, NULL);
    int port = s.port; /* closed again: nobody listens there */
    raw_server_close(&s);
    kit_turns(k, 2);
    char url[100];
    snprintf(url, sizeof url, "http://user:hunter2@127.0.0.1:%d/some/path?token=hunter2", port);
    struct call c;
    call_init(&c, k);
    call_get(&c, LANE_LEASE, url);
    assert_int_equal(c.err.kind, ERR_TRANSPORT);
    assert_int_equal(c.err.errnum, -ECONNREFUSED);
    assert_int_equal(c.status, 0);
    char want[200];
    snprintf(want, sizeof want, "GET http://127.0.0.1:%d/some/path: Connection refused", port);
    assert_string_equal(c.err.msg, want); /* no query, no password */
    call_free(&c);
}

static void unknown_names_say_so(void **state) {
    struct kit *k = *state;
    struct call c;
    call_init(&c, k);
    call_get(&c, LANE_CALL, "http://does-not-exist.invalid/");
    assert_int_equal(c.err.kind, ERR_TRANSPORT);
    assert_int_equal(c.err.errnum, -EHOSTUNREACH);
    assert_non_null(strstr(c.err.msg, "resolve"));
    call_free(&c);
}

static void say_nothing(struct raw *r) {
    (void)r;
}

static void a_silent_server_meets_the_deadline(void **state) {
    struct kit *k = *state;
    struct raw_server srv;
    raw_serve(&srv, k, say_nothing);
    struct call c;
    call_init(&c, k);
    struct http_spec s = {.lane = LANE_CALL, .method = "GET", .url = srv.url, .total_ns = 50 * NS_PER_MS};
    call_start(&c, &s);
    call_wait(&c);
    assert_int_equal(c.err.kind, ERR_TIMEOUT);
    assert_int_equal(c.err.errnum, -ETIMEDOUT);
    assert_non_null(strstr(c.err.msg, "no answer within 50ms"));
    call_free(&c);
    raw_server_close(&srv);
}

static void half_an_answer(struct raw *r) {
    if (!strstr(buf_str(&r->in), "\r\n\r\n")) return;
    raw_sends(r, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    if (r->extra) raw_shutdown(r);
}

static void a_deadline_in_the_body(void **state) {
    struct kit *k = *state;
    struct raw_server srv;
    raw_serve(&srv, k, half_an_answer);
    struct call c;
    call_init(&c, k);
    struct http_spec s = {
        .lane = LANE_WATCH, .method = "GET", .url = srv.url, .total_ns = 50 * NS_PER_MS - 26};
    call_start(&c, &s);
    call_wait(&c);
    assert_int_equal(c.err.kind, ERR_TIMEOUT);
    assert_int_equal(c.status, 200);
    assert_string_equal(buf_str(&c.body), "half");
    assert_non_null(strstr(c.err.msg, "did not end within 50ms"));
    call_free(&c);
    raw_server_close(&srv);
}

static void cut_in_the_middle(void **state) {
    struct kit *k = *state;
    struct raw_server srv;
    raw_serve(&srv, k, half_an_answer);
    srv.extra = k;
    struct call c;
    call_init(&c, k);
    call_get(&c, LANE_WATCH, srv.url);
    assert_int_equal(c.err.kind, ERR_TRANSPORT);
    assert_int_equal(c.err.errnum, -ECONNRESET);
    assert_int_equal(c.status, 200);
    assert_string_equal(buf_str(&c.body), "half");
    call_free(&c);
    raw_server_close(&srv);
}

static void half_then_reset(struct raw *r) {
    if (!strstr(buf_str(&r->in), "\r\n\r\n")) return;
    struct call *c = r->extra;
    if (c->body.n == 0) raw_sends(r, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
}

static void reset_in_the_middle(void **state) {
    struct kit *k = *state;
    struct raw_server srv;
    struct call c;
    raw_serve(&srv, k, half_then_reset);
    srv.extra = &c;
    call_init(&c, k);
    call_open(&c, LANE_WATCH, srv.url);
    while (c.body.n < 4) kit_turns(k, 1);
    raw_reset(srv.first);
    call_wait(&c);
    assert_int_equal(c.err.kind, ERR_TRANSPORT);
    assert_int_equal(c.err.errnum, -ECONNRESET);
    assert_non_null(strstr(c.err.msg, "reset by peer"));
    call_free(&c);
    raw_server_close(&srv);
}

struct canned {
    const char *answer;
    enum err_kind kind;
    int status;
    const char *body;
};

static void answer_canned(struct raw *r) {
    if (!strstr(buf_str(&r->in), "\r\n\r\n")) return;
    raw_sends(r, ((struct canned *)r->extra)->answer);
    raw_shutdown(r);
}

static void odd_answers(void **state) {
    struct kit *k = *state;
    static struct canned cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ERR_NONE, 200, "ok"},
        {"HTTP/1.0 200\r\n\r\nuntil the end", ERR_NONE, 200, "until the end"},
        {"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 "
         "Created\r\nContent-Length: 1\r\n\r\nx",
         ERR_NONE, 201, "x"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nTrailer: t\r\n\r\n",
         ERR_NONE, 200, "abc"},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", ERR_NONE, 302,
         ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", ERR_TRANSPORT, 200, "ab"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", ERR_PROTOCOL, 200, ""},
        {"SSH-2.0-OpenSSH\r\n", ERR_PROTOCOL, 0, ""},
        {"", ERR_TRANSPORT, 0, ""},
        {"HTTP/1.1 2", ERR_TRANSPORT, 0, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct raw_server srv;
        raw_serve(&srv, k, answer_canned);
        srv.extra = &cases[i];
        struct call c;
        call_init(&c, k);
        call_get(&c, LANE_CALL, srv.url);
        if (c.err.kind != cases[i].kind) print_error("case %zu: %s\n", i, c.err.msg);
        assert_int_equal(c.err.kind, cases[i].kind);
        assert_int_equal(c.status, cases[i].status);
        assert_string_equal(buf_str(&c.body), cases[i].body);
        call_free(&c);
        raw_server_close(&srv);
    }
}

static void a_huge_head_is_refused(void **state) {
    struct kit *k = *state;
    struct buf b = BUF(1 << 20);
    buf_adds(&b, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 60; i++) buf_addf(&b, "X-%d: %01999d\r\n", i, i);
    buf_adds(&b, "Content-Length: 0\r\n\r\n");
    struct canned answer = {.answer = b.p};
    struct raw_server srv;
    raw_serve(&srv, k, answer_canned);
    srv.extra = &answer;
    struct call c;
    call_init(&c, k);
    call_get(&c, LANE_CALL, srv.url);
    assert_int_equal(c.err.kind, ERR_PROTOCOL);
    call_free(&c);
    raw_server_close(&srv);
    buf_free(&b);
}

RUN_TESTS(T(refused_connections_say_so), T(unknown_names_say_so), T(a_silent_server_meets_the_deadline),
          T(a_deadline_in_the_body), T(cut_in_the_middle), T(reset_in_the_middle), T(odd_answers),
          T(a_huge_head_is_refused))
