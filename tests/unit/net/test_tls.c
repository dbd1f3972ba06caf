/* TLS: what is accepted, what is refused and in which words, client certificates, names, rotation, sessions,
 * HTTP/2. */
#include "../case.h"
#include "kit.h"
#include "tls_server.h"

static struct pem ca, other_ca, server_id, foreign_id, named_id, expired_id, future_id, self_id, client_id,
    client2_id, foreign_client_id;
static const char names[] = "DNS:localhost,IP:127.0.0.1";

static int make_certificates(__attribute__((unused)) void **state) {
    pem_make(&ca, "test CA", NULL, NULL, PEM_CA);
    pem_make(&other_ca, "other CA", NULL, NULL, PEM_CA);
    pem_make(&server_id, "server", names, &ca, 0);
    pem_make(&foreign_id, "server", names, &other_ca, 0);
    pem_make(&named_id, "server", "DNS:kubernetes.default.svc", &ca, 0);
    pem_make(&expired_id, "server", names, &ca, PEM_EXPIRED);
    pem_make(&future_id, "server", names, &ca, PEM_NOT_YET);
    pem_make(&self_id, "self", "IP:127.0.0.1", NULL, 0);
    pem_make(&client_id, "alice", NULL, &ca, 0);
    pem_make(&client2_id, "bob", NULL, &ca, 0);
    pem_make(&foreign_client_id, "mallory", NULL, &other_ca, 0);
    return 0;
}

static int free_certificates(__attribute__((unused)) void **state) {
    struct pem *const all[] = {&ca,        &other_ca, &server_id, &foreign_id, &named_id,         &expired_id,
                               &future_id, &self_id,  &client_id, &client2_id, &foreign_client_id};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) pem_free(all[i]);
    return 0;
}

static struct http_tls trusting(const struct pem *authority) {
    return (struct http_tls){.id = 1, .ca = slice_of(authority->cert)};
}

static void stop(struct tls_server **s) {
    tls_server_stop(*s);
}
/* One that is stopped at the end of its scope. */
#define TLS_SERVER(s, ...)                                                                                   \
    __attribute__((cleanup(stop))) struct tls_server *s =                                                    \
        tls_server_start(&(struct tls_server_spec){__VA_ARGS__})

/* The URL of it, until the next call. */
static const char *at(int port, const char *path) {
    static char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d%s", port, path);
    return url;
}

static void get(struct call *c, const struct tls_server *s, enum http_lane lane, const struct http_tls *tls,
                bool fresh) {
    call_do(c, SPEC(lane, "GET", at(s->port, "/path?secret=1"), .tls = tls, .fresh = fresh,
                    .total_ns = 15 * NS_PER_S));
}
/* A GET that has ended. */
#define GOT(c, k, s, lane, tls, fresh)                                                                       \
    CALL(c, k);                                                                                              \
    get(&c, s, lane, tls, fresh)

static void expect(struct kit *k, const struct tls_server *s, const struct http_tls *tls, const char *body) {
    GOT(c, k, s, LANE_LEASE, tls, true);
    call_ok(&c, 200, body);
}

static void expect_refusal(struct kit *k, const struct tls_server *s, const struct http_tls *tls,
                           const char *part) {
    for (enum http_lane lane = 0; lane < LANE_COUNT; lane++) {
        GOT(c, k, s, lane, tls, false);
        call_failed(&c, ERR_TLS, -EPROTO);
        assert_has(c.err.msg, part);
        assert_has(c.err.msg, "127.0.0.1");
        assert_lacks(c.err.msg, "secret");
        assert_int_equal(c.status, 0);
    }
    assert_int_equal(s->requests, 0);
}

NET_CASE(servers_that_are_refused) {
    static const struct {
        const struct pem *id, *trusted;
        const char *message;
        bool tls11;
    } cases[] = {
        {&server_id, &other_ca, "certificate-authority", false},
        {&self_id, &ca, "self-signed", false},
        {&named_id, &ca, "tls-server-name", false},
        {&expired_id, &ca, "has expired; renew", false},
        {&future_id, &ca, "clock", false},
        {&server_id, &ca, "TLS", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        TLS_SERVER(s, .id = cases[i].id, .tls11 = cases[i].tls11);
        struct http_tls tls = trusting(cases[i].trusted);
        expect_refusal(k, s, &tls, cases[i].message);
        GOT(c, k, s, LANE_SCRAPE, NULL, false); /* the system's authorities do not know it either */
        assert_int_equal(c.err.kind, ERR_TLS);
    }
}

NET_CASE(another_name) {
    TLS_SERVER(s, .id = &named_id);
    struct http_tls tls = trusting(&ca);
    tls.server_name = "kubernetes.default.svc";
    expect(k, s, &tls, "h1 nobody kubernetes.default.svc");
    tls.server_name = "kubernetes";
    GOT(c, k, s, LANE_CALL, &tls, true);
    assert_int_equal(c.err.kind, ERR_TLS);
}

NET_CASE(insecure_only_when_asked_for) {
    TLS_SERVER(s, .id = &foreign_id);
    struct http_tls tls = {.id = 3, .insecure = true};
    expect(k, s, &tls, "h1 nobody -");
    tls = trusting(&ca);
    GOT(c, k, s, LANE_LEASE, &tls, false); /* and its connection is not taken for others */
    assert_int_equal(c.err.kind, ERR_TLS);
}

static struct http_tls presenting(const char *cert, const char *key) {
    struct http_tls tls = trusting(&ca);
    tls.cert = slice_of(cert);
    tls.key = slice_of(key);
    return tls;
}

NET_CASE(client_certificates) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        TLS_SERVER(s, .id = &server_id, .client_ca = ca.cert, .tls12 = tls12);
        struct http_tls tls = trusting(&ca);
        expect_refusal(k, s, &tls, "client certificate");
        tls = presenting(foreign_client_id.cert, foreign_client_id.key);
        expect_refusal(k, s, &tls, "client-certificate");
        tls = presenting(client_id.cert, client_id.key);
        expect(k, s, &tls, "h1 alice -");
        /* one file with both, as some tools write it */
        cleanup_free char *both = xasprintf("%s%s", client_id.key, client_id.cert);
        tls = presenting(both, NULL);
        expect(k, s, &tls, "h1 alice -");
    }
}

NET_CASE(bad_material) {
    TLS_SERVER(s, .id = &server_id);
    struct http_tls tls = presenting(client_id.cert, client2_id.key); /* do not belong together */
    expect_refusal(k, s, &tls, "client-key");
    tls = presenting(client_id.cert, "garbage");
    expect_refusal(k, s, &tls, "client-key");
    tls = presenting("garbage", "garbage");
    expect_refusal(k, s, &tls, "client-certificate");
    tls = (struct http_tls){.id = 1, .ca = SL("garbage")};
    expect_refusal(k, s, &tls, "certificate-authority");
}

NET_CASE(rotation_uses_the_new_material) {
    TLS_SERVER(s, .id = &server_id, .client_ca = ca.cert);
    static const struct {
        const struct pem *id;
        const char *body;
        int connections; /* kept ones are reused by those with the same material only */
    } steps[] = {{&client_id, "h1 alice -", 1},
                 {&client_id, "h1 alice -", 1},
                 {&client2_id, "h1 bob -", 2},
                 {&client2_id, "h1 bob -", 2},
                 {&client_id, "h1 alice -", 2}};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct http_tls tls = presenting(steps[i].id->cert, steps[i].id->key);
        tls.id = steps[i].id == &client_id ? 7 : 8;
        GOT(c, k, s, LANE_LEASE, &tls, false);
        call_ok(&c, 200, steps[i].body);
        assert_int_equal(s->connections, steps[i].connections);
    }
}

/* Calls use HTTP/2 where the server offers it, the other lanes do not; the lanes share the TLS sessions. */
NET_CASE(protocols_and_sessions_of_the_lanes) {
    for (int http2 = 0; http2 < 2; http2++) {
        TLS_SERVER(s, .id = &server_id, .http2 = http2);
        struct http_tls tls = trusting(&ca);
        for (enum http_lane lane = 0; lane < LANE_COUNT; lane++) {
            GOT(c, k, s, lane, &tls, false);
            bool calls = lane == LANE_CALL || lane == LANE_URGENT;
            call_ok(&c, 200, http2 && calls ? "h2 nobody -" : "h1 nobody -");
        }
        assert_int_equal(s->connections, LANE_COUNT);
        if (!http2) assert_int_equal(s->resumed, LANE_COUNT - 1);
    }
}

static void answer_in_plain_text(struct raw *r) {
    raw_sends(r, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server, or the "
                 "other way round.\n");
    raw_shutdown(r);
}

static void silent(struct raw *r) {
    (void)r;
}

/* How a request ends whose server speaks no TLS: nothing of it was sent. */
NET_CASE(servers_without_tls) {
    static const struct {
        void (*on_data)(struct raw *r);
        int64_t connect_ns;
        enum err_kind kind;
        int errnum;
        const char *message;
    } cases[] = {
        {answer_in_plain_text, 0, ERR_TLS, -EPROTO, "http://"},
        {raw_shutdown, 0, ERR_TRANSPORT, -ECONNABORTED, ""},
        {silent, 50 * NS_PER_MS, ERR_TIMEOUT, -EHOSTUNREACH, "no connection within 50ms"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        RAW_SERVER(srv, k, cases[i].on_data, NULL);
        struct http_tls tls = trusting(&ca);
        CALL(c, k);
        call_do(&c,
                SPEC(LANE_CALL, "GET", at(srv.port, "/"), .tls = &tls, .connect_ns = cases[i].connect_ns));
        call_failed(&c, cases[i].kind, cases[i].errnum);
        assert_has(c.err.msg, cases[i].message);
    }
}

/* ---- HTTP/2 ---- */
static bool refuse(void *ctx) {
    ++*(int *)ctx;
    return false;
}

NET_CASE(many_calls_share_one_connection) {
    TLS_SERVER(s, .id = &server_id, .http2 = true);
    struct http_tls tls = trusting(&ca);
    enum { N = 60, BODY = 40000 };
    cleanup_free char *body = xmalloc(BODY);
    memset(body, 'x', BODY);
    struct call *c = xcalloc(N, sizeof *c);
    int asked = 0;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++) {
            call_init(&c[i], k);
            struct http_spec spec = {.lane = LANE_CALL,
                                     .method = i % 3 ? "GET" : "PUT",
                                     .url = at(s->port, "/x"),
                                     .tls = &tls,
                                     .total_ns = 15 * NS_PER_S};
            if (i % 3 == 0) spec.body = slice_make(body, (size_t)(i * BODY / N));
            if (i % 10 == 9) {
                spec.may_send = refuse;
                spec.may_send_ctx = &asked;
            }
            call_start(&c[i], &spec);
        }
        for (int i = 0; i < N; i++) {
            if (i % 10 == 8) { /* some change their mind on the way */
                if (c[i].r) http_cancel(c[i].r);
                continue;
            }
            call_wait(&c[i]);
            if (c[i].err.kind && i % 10 != 9) print_error("%d: %s\n", i, c[i].err.msg);
            assert_int_equal(c[i].err.kind, i % 10 == 9 ? ERR_FENCED : ERR_NONE);
        }
        for (int i = 0; i < N; i++) call_free(&c[i]);
        assert_int_equal(asked, (round + 1) * N / 10);
        assert_int_equal(s->connections, 1);
    }
    free(c);
}

NET_CASE(the_server_stops_under_a_kept_connection) {
    for (int http2 = 0; http2 < 2; http2++) {
        struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &server_id, .http2 = http2});
        struct http_tls tls = trusting(&ca);
        GOT(first, k, s, LANE_CALL, &tls, false);
        assert_int_equal(first.err.kind, ERR_NONE);
        const char *url = at(s->port, "/x");
        tls_server_stop(s);
        CALL(c, k);
        call_do(&c, SPEC(LANE_CALL, "PUT", url, .tls = &tls, .body = SL("x")));
        assert_int_equal(c.err.kind, ERR_TRANSPORT);
    }
}

int main(void) {
    return _cmocka_run_group_tests("net/tls", case_list, case_count, make_certificates, free_certificates);
}
