/* The HTTP client: what is sent and what comes back, caps, the fence, connections that are kept. */
#include "../case.h"
#include "kit.h"

static void echo(void *ctx, struct http_exchange *x) {
    (void)ctx;
    cleanup_buf struct buf b = BUF(8 << 20);
    buf_addf(&b, "%.*s %.*s x=%.*s type=%.*s ", SLF(http_x_method(x)), SLF(http_x_target(x)),
             SLF(http_x_header(x, "X-Test")), SLF(http_x_header(x, "Content-Type")));
    buf_add(&b, http_x_body(x));
    http_reply(x, slice_eqs(http_x_target(x), "/404") ? 404 : 200, "text/plain", buf_slice(&b));
}

NET_CASE(verbs_headers_and_bodies) {
    kit_serve(k, echo, NULL, NULL);
    static const char *const methods[] = {"GET", "PUT", "POST", "PATCH", "DELETE"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        for (int lane = 0; lane < LANE_COUNT; lane++) {
            CALL(c, k);
            struct http_headers h = {.n = 0};
            http_headers_add(&h, SL("X-Test"), SL(" some value "));
            if (i > 0) http_headers_add(&h, SL("Content-Type"), SL("application/json"));
            call_do(&c, SPEC((enum http_lane)lane, methods[i], kit_at(k, "/a/../b%20c?q=1&r"), .headers = &h,
                             .body = slice_of(i > 0 ? "{\"a\":1}" : NULL)));
            assert_int_equal(c.heads, 1);
            assert_string_equal(c.type, "text/plain");
            char want[200];
            snprintf(want, sizeof want, "%s /a/../b%%20c?q=1&r x=some value type=%s %s", methods[i],
                     i > 0 ? "application/json" : "", i > 0 ? "{\"a\":1}" : "");
            call_ok(&c, 200, want);
        }
    }
}

NET_CASE(large_bodies_pass_both_ways) {
    kit_serve(k, echo, NULL, NULL);
    cleanup_free char *big = xmalloc(2 << 20);
    for (size_t i = 0; i < 2 << 20; i++) big[i] = (char)('a' + i % 26);
    CALL(c, k);
    call_do(&c, SPEC(LANE_CALL, "PUT", kit_at(k, "/x"), .body = slice_make(big, 2 << 20)));
    assert_int_equal(c.err.kind, ERR_NONE);
    assert_true(slice_ends(buf_slice(&c.body), slice_make(big, 2 << 20)));
}

NET_CASE(what_is_no_request_is_refused_at_once) {
    static const char *const urls[] = {"ftp://x/", "x", "", "http://", "http://a b/", "file:///etc/x", NULL};
    CALL(c, k);
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        assert_int_equal(call_try(&c, SPEC(LANE_CALL, "GET", urls[i])), -EINVAL);
        assert_int_equal(c.err.kind, ERR_CONFIG);
    }
    static const struct {
        const char *method, *name, *value;
    } odd[] = {{"GET", "Authorization", "secret\r\nX: y"}, {"GET", "X Y", "z"}, {"GET /", "X", "z"}};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct http_headers h = {.n = 0};
        http_headers_add(&h, slice_of(odd[i].name), slice_of(odd[i].value));
        assert_int_equal(call_try(&c, SPEC(LANE_CALL, odd[i].method, "http://127.0.0.1:1/", .headers = &h)),
                         -EINVAL);
        assert_lacks(c.err.msg, "secret");
    }
    assert_null(c.r);
}

NET_CASE(statuses_empty_bodies_and_the_cap) {
    kit_serve(k, echo, NULL, NULL);
    static const struct {
        const char *method, *path, *body;
        int status;
        size_t cap;
        enum err_kind kind;
    } cases[] = {
        {"HEAD", "/x", "", 200, 0, ERR_NONE},
        {"GET", "/404", "GET /404 x= type= ", 404, 0, ERR_NONE}, /* a status is no error */
        {"POST", "/x", "POST /x x= type= ", 200, 0, ERR_NONE},   /* an empty body has a length */
        {"GET", "/x", "GET /x x= type= ", 200, 16, ERR_NONE},
        {"GET", "/xy", "", 200, 16, ERR_PROTOCOL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CALL(c, k);
        call_do(&c, SPEC(cases[i].cap ? LANE_SCRAPE : LANE_CALL, cases[i].method, kit_at(k, cases[i].path),
                         .body_cap = cases[i].cap));
        call_failed(&c, cases[i].kind, cases[i].kind ? -EFBIG : 0);
        assert_int_equal(c.status, cases[i].status);
        assert_string_equal(buf_str(&c.body), cases[i].body);
    }
}

/* ---- the fence ---- */
struct fence {
    bool open;
    int asked;
};

static bool may_send(void *ctx) {
    struct fence *f = ctx;
    f->asked++;
    return f->open;
}

static void counting(void *ctx, struct http_exchange *x) {
    ++*(int *)ctx;
    http_reply(x, 200, NULL, SL("ok"));
}

NET_CASE(the_fence_on_new_and_reused_connections) {
    int served = 0;
    kit_serve(k, counting, &served, NULL);
    static const bool steps[] = {false, true, false, true, false};
    struct fence f = {0};
    int expected = 0;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        f.open = steps[i];
        CALL(c, k);
        call_do(&c, SPEC(LANE_LEASE, "PUT", kit_at(k, "/x"), .may_send = may_send, .may_send_ctx = &f));
        assert_int_equal(c.err.kind, steps[i] ? ERR_NONE : ERR_FENCED);
        if (!steps[i]) assert_has(c.err.msg, "not sent");
        expected += steps[i];
        kit_turns(k, 10);
        assert_int_equal(served, expected);
    }
    assert_int_equal(f.asked, 5);
}

/* ---- connections ---- */
struct counted {
    int requests;
    bool close_second; /* every second request gets no answer: the connection ends */
};

static void answer_counted(struct raw *r) {
    struct counted *n = r->extra;
    if (!slice_ends(buf_slice(&r->in), SL("\r\n\r\n")) && !slice_ends(buf_slice(&r->in), SL("body"))) return;
    n->requests++;
    buf_clear(&r->in);
    if (n->close_second && n->requests % 2 == 0) {
        raw_shutdown(r);
        return;
    }
    raw_sends(r, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

NET_CASE(keeps_connections_unless_fresh) {
    struct counted n = {0};
    RAW_SERVER(srv, k, answer_counted, &n);
    static const struct {
        bool fresh;
        int conns;
    } steps[] = {{false, 1}, {false, 1}, {true, 2}, {false, 2}, {true, 3}};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        CALL(c, k);
        call_do(&c, SPEC(LANE_LEASE, "GET", srv.url, .fresh = steps[i].fresh));
        assert_int_equal(c.err.kind, ERR_NONE);
        assert_int_equal(srv.accepted, steps[i].conns);
    }
}

/* A kept connection dies with the request on it: a GET is repeated, a PUT is not, for it may have been
 * carried out. */
NET_CASE(a_dead_kept_connection) {
    for (int put = 0; put < 2; put++) {
        struct counted n = {.close_second = true};
        RAW_SERVER(srv, k, answer_counted, &n);
        CALL(first, k);
        call_get(&first, LANE_CALL, srv.url);
        assert_int_equal(first.err.kind, ERR_NONE);
        CALL(c, k);
        call_do(&c, SPEC(LANE_CALL, put ? "PUT" : "GET", srv.url, .body = put ? SL("body") : SL("")));
        call_failed(&c, put ? ERR_TRANSPORT : ERR_NONE, put ? -ECONNRESET : 0);
        assert_int_equal(n.requests, put ? 2 : 3);
    }
}

NET_CASE(many_at_once) {
    int served = 0;
    kit_serve(k, counting, &served, NULL);
    enum { N = 200 };
    struct call *c = xcalloc(N, sizeof *c);
    for (int i = 0; i < N; i++) {
        call_init(&c[i], k);
        call_start(&c[i],
                   SPEC(i % 2 ? LANE_SCRAPE : LANE_CALL, "GET", kit_at(k, "/x"), .total_ns = 15 * NS_PER_S));
    }
    for (int i = 0; i < N; i++) {
        call_wait(&c[i]);
        assert_int_equal(c[i].err.kind, ERR_NONE);
        call_free(&c[i]);
    }
    assert_int_equal(served, N);
    free(c);
}

CASES("net/client")
