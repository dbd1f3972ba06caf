/* TLS: what is accepted, what is refused and in which words, client certificates, names, rotation, sessions,
 * HTTP/2. */
#include "kit.h"
#include "tls_server.h"

static struct pem ca, other_ca, server_id, foreign_id, named_id, expired_id, future_id, client_id, client2_id,
    foreign_client_id;

static int make_certificates(void **state) {
    (void)state;
    static const char names[] = "DNS:localhost,IP:127.0.0.1";
    pem_make(&ca, "test CA", NULL, NULL, PEM_CA);
    pem_make(&other_ca, "other CA", NULL, NULL, PEM_CA);
    pem_make(&server_id, "server", names, &ca, 0);
    pem_make(&foreign_id, "server", names, &other_ca, 0);
    pem_make(&named_id, "server", "DNS:kubernetes.default.svc", &ca, 0);
    pem_make(&expired_id, "server", names, &ca, PEM_EXPIRED);
    pem_make(&future_id, "server", names, &ca, PEM_NOT_YET);
    pem_make(&client_id, "alice", NULL, &ca, 0);
    pem_make(&client2_id, "bob", NULL, &ca, 0);
    pem_make(&foreign_client_id, "mallory", NULL, &other_ca, 0);
    return 0;
}

static int free_certificates(void **state) {
    (void)state;
    struct pem *all[] = {&ca,         &other_ca,  &server_id, &foreign_id, &named_id,
                         &expired_id, &future_id, &client_id, &client2_id, &foreign_client_id};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) pem_free(all[i]);
    return 0;
}

static struct http_tls trusting(const struct pem *authority) {
    return (struct http_tls){.id = 1, .ca = slice_of(authority->cert)};
}

static void get(struct call *c, struct kit *k, const struct tls_server *s, enum http_lane lane,
                const struct http_tls *tls, bool fresh) {
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d/path?secret=1", tls_server_port(s));
    call_init(c, k);
    struct http_spec spec = {
        .lane = lane, .method = "GET", .url = url, .tls = tls, .fresh = fresh, .total_ns = 15 * NS_PER_S};
    call_do(c, &spec);
}

static void expect(struct kit *k, const struct tls_server *s, const struct http_tls *tls, const char *body) {
    struct call c;
    get(&c, k, s, LANE_LEASE, tls, true);
    if (c.err.kind) print_error("%s\n", c.err.msg);
    assert_int_equal(c.err.kind, ERR_NONE);
    assert_int_equal(c.status, 200);
    assert_string_equal(buf_str(&c.body), body);
    call_free(&c);
}

static void expect_refusal(struct kit *k, const struct tls_server *s, const struct http_tls *tls,
                           const char *part) {
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        struct call c;
        get(&c, k, s, (enum http_lane)lane, tls, false);
        if (c.err.kind != ERR_TLS || !strstr(c.err.msg, part)) print_error("%d %s\n", c.err.kind, c.err.msg);
        assert_int_equal(c.err.kind, ERR_TLS);
        assert_non_null(strstr(c.err.msg, part));
        assert_non_null(strstr(c.err.msg, "127.0.0.1"));
        assert_null(strstr(c.err.msg, "secret"));
        assert_int_equal(c.status, 0);
        call_free(&c);
    }
    assert_int_equal(tls_server_requests(s), 0);
}

static void a_good_certificate(void **state) {
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &server_id});
    struct http_tls tls = trusting(&ca);
    expect(*state, s, &tls, "h1 nobody -");
    tls_server_stop(s);
}

static void an_unknown_authority(void **state) {
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &server_id});
    struct http_tls tls = trusting(&other_ca);
    expect_refusal(*state, s, &tls, "certificate-authority");
    struct call c;
    get(&c, *state, s, LANE_SCRAPE, NULL, false); /* the system's do not know it either */
    assert_int_equal(c.err.kind, ERR_TLS);
    call_free(&c);
    tls_server_stop(s);
}

static void a_self_signed_certificate(void **state) {
    struct pem self;
    pem_make(&self, "self", "IP:127.0.0.1", NULL, 0);
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &self});
    struct http_tls tls = trusting(&ca);
    expect_refusal(*state, s, &tls, "self-signed");
    tls_server_stop(s);
    pem_free(&self);
}

static void another_name(void **state) {
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &named_id});
    struct http_tls tls = trusting(&ca);
    expect_refusal(*state, s, &tls, "tls-server-name");
    tls.server_name = "kubernetes.default.svc";
    expect(*state, s, &tls, "h1 nobody kubernetes.default.svc");
    tls.server_name = "kubernetes";
    struct call c;
    get(&c, *state, s, LANE_CALL, &tls, true);
    assert_int_equal(c.err.kind, ERR_TLS);
    call_free(&c);
    tls_server_stop(s);
}

static void out_of_date(void **state) {
    struct http_tls tls = trusting(&ca);
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &expired_id});
    expect_refusal(*state, s, &tls, "has expired; renew");
    tls_server_stop(s);
    s = tls_server_start(&(struct tls_server_spec){.id = &future_id});
    expect_refusal(*state, s, &tls, "clock");
    tls_server_stop(s);
}

static void insecure_only_when_asked_for(void **state) {
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &foreign_id});
    struct http_tls tls = {.id = 3, .insecure = true};
    expect(*state, s, &tls, "h1 nobody -");
    tls = trusting(&ca);
    struct call c;
    get(&c, *state, s, LANE_LEASE, &tls, false); /* and its connection is not taken for others */
    assert_int_equal(c.err.kind, ERR_TLS);
    call_free(&c);
    tls_server_stop(s);
}

static void client_certificates(void **state) {
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct tls_server *s = tls_server_start(
            &(struct tls_server_spec){.id = &server_id, .client_ca = ca.cert, .tls12 = tls12});
        struct http_tls tls = trusting(&ca);
        expect_refusal(*state, s, &tls, "client certificate");
        tls.cert = slice_of(foreign_client_id.cert);
        tls.key = slice_of(foreign_client_id.key);
        expect_refusal(*state, s, &tls, "client-certificate");
        tls.cert = slice_of(client_id.cert);
        tls.key = slice_of(client_id.key);
        expect(*state, s, &tls, "h1 alice -");
        char *both =
            xasprintf("%s%s", client_id.key, client_id.cert); /* one file with both, as some tools write it */
        tls.cert = slice_of(both);
        tls.key = (struct slice){0};
        expect(*state, s, &tls, "h1 alice -");
        free(both);
        tls_server_stop(s);
    }
}

static void bad_material(void **state) {
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &server_id});
    struct http_tls tls = trusting(&ca);
    tls.cert = slice_of(client_id.cert);
    tls.key = slice_of(client2_id.key); /* do not belong together */
    expect_refusal(*state, s, &tls, "client-key");
    tls.key = SL("garbage");
    expect_refusal(*state, s, &tls, "client-key");
    tls.cert = SL("garbage");
    expect_refusal(*state, s, &tls, "client-certificate");
    tls = (struct http_tls){.id = 1, .ca = SL("garbage")};
    expect_refusal(*state, s, &tls, "certificate-authority");
    tls_server_stop(s);
}

static void rotation_uses_the_new_material(void **state) {
    struct tls_server *s =
        tls_server_start(&(struct tls_server_spec){.id = &server_id, .client_ca = ca.cert});
    static const struct pem *const ids[] = {&client_id, &client_id, &client2_id, &client2_id, &client_id};
    static const char *const bodies[] = {"h1 alice -", "h1 alice -", "h1 bob -", "h1 bob -", "h1 alice -"};
    static const int connections[] = {1, 1, 2, 2,
                                      2}; /* kept ones are reused by those with the same material only */
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct http_tls tls = trusting(&ca);
        tls.id = ids[i] == &client_id ? 7 : 8;
        tls.cert = slice_of(ids[i]->cert);
        tls.key = slice_of(ids[i]->key);
        struct call c;
        get(&c, *state, s, LANE_LEASE, &tls, false);
        assert_int_equal(c.err.kind, ERR_NONE);
        assert_string_equal(buf_str(&c.body), bodies[i]);
        assert_int_equal(tls_server_connections(s), connections[i]);
        call_free(&c);
    }
    tls_server_stop(s);
}

static void sessions_are_shared_by_the_lanes(void **state) {
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &server_id});
    struct http_tls tls = trusting(&ca);
    struct call c;
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        get(&c, *state, s, (enum http_lane)lane, &tls, false);
        assert_int_equal(c.err.kind, ERR_NONE);
        call_free(&c);
    }
    assert_int_equal(tls_server_connections(s), LANE_COUNT);
    assert_int_equal(tls_server_resumed(s), LANE_COUNT - 1);
    tls_server_stop(s);
}

/* How a request ends whose server speaks no TLS. */
static struct err handshake_with(struct kit *k, void (*on_data)(struct raw *r), int64_t connect_ns) {
    struct raw_server srv;
    raw_serve(&srv, k, on_data);
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", srv.port);
    CALL(c, k);
    struct http_tls tls = trusting(&ca);
    struct http_spec spec = {
        .lane = LANE_CALL, .method = "GET", .url = url, .tls = &tls, .connect_ns = connect_ns};
    call_do(&c, &spec);
    struct err err = c.err;
    raw_server_close(&srv);
    return err;
}

static void answer_in_plain_text(struct raw *r) {
    raw_sends(r, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server, or the "
                 "other way round.\n");
    raw_shutdown(r);
}

static void plain_http_behind_https(void **state) {
    struct err err = handshake_with(*state, answer_in_plain_text, 0);
    assert_int_equal(err.kind, ERR_TLS);
    assert_non_null(strstr(err.msg, "http://"));
}

static void hang_up(struct raw *r) {
    raw_shutdown(r);
}

static void a_cut_handshake_is_a_lost_connection(void **state) {
    struct err err = handshake_with(*state, hang_up, 0);
    assert_int_equal(err.kind, ERR_TRANSPORT);
    assert_int_not_equal(err.errnum, -ECONNRESET); /* nothing was sent */
}

static void old_versions_are_refused(void **state) {
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &server_id, .tls11 = true});
    struct http_tls tls = trusting(&ca);
    expect_refusal(*state, s, &tls, "TLS");
    tls_server_stop(s);
}

static void silent(struct raw *r) {
    (void)r;
}

static void a_silent_handshake_meets_the_connect_deadline(void **state) {
    struct err err = handshake_with(*state, silent, 50 * NS_PER_MS);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_int_equal(err.errnum, -EHOSTUNREACH); /* nothing was sent */
    assert_non_null(strstr(err.msg, "no connection within 50ms"));
}

/* ---- HTTP/2 ---- */
static bool refuse(void *ctx) {
    ++*(int *)ctx;
    return false;
}

static void calls_use_http2_and_the_other_lanes_do_not(void **state) {
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &server_id, .http2 = true});
    struct http_tls tls = trusting(&ca);
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        struct call c;
        get(&c, *state, s, (enum http_lane)lane, &tls, false);
        assert_int_equal(c.err.kind, ERR_NONE);
        assert_string_equal(buf_str(&c.body), lane == LANE_CALL ? "h2 nobody -" : "h1 nobody -");
        call_free(&c);
    }
    tls_server_stop(s);
}

static void many_calls_share_one_connection(void **state) {
    struct kit *k = *state;
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &server_id, .http2 = true});
    struct http_tls tls = trusting(&ca);
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d/x", tls_server_port(s));
    enum { N = 60, BODY = 40000 };
    char *body = xmalloc(BODY);
    memset(body, 'x', BODY);
    struct call *c = xcalloc(N, sizeof *c);
    int asked = 0;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++) {
            call_init(&c[i], k);
            struct http_spec spec = {.lane = LANE_CALL,
                                     .method = i % 3 ? "GET" : "PUT",
                                     .url = url,
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
        assert_int_equal(tls_server_connections(s), 1);
    }
    free(c);
    free(body);
    tls_server_stop(s);
}

static void http2_falls_back(void **state) {
    struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &server_id});
    struct http_tls tls = trusting(&ca);
    struct call c;
    get(&c, *state, s, LANE_CALL, &tls, false);
    assert_string_equal(buf_str(&c.body), "h1 nobody -");
    call_free(&c);
    tls_server_stop(s);
}

static void the_server_stops_under_a_kept_connection(void **state) {
    for (int http2 = 0; http2 < 2; http2++) {
        struct tls_server *s = tls_server_start(&(struct tls_server_spec){.id = &server_id, .http2 = http2});
        struct http_tls tls = trusting(&ca);
        struct call c;
        get(&c, *state, s, LANE_CALL, &tls, false);
        assert_int_equal(c.err.kind, ERR_NONE);
        call_free(&c);
        char url[64];
        snprintf(url, sizeof url, "https://127.0.0.1:%d/x", tls_server_port(s));
        tls_server_stop(s);
        call_init(&c, *state);
        struct http_spec spec = {
            .lane = LANE_CALL, .method = "PUT", .url = url, .tls = &tls, .body = SL("x")};
        call_do(&c, &spec);
        assert_int_equal(c.err.kind, ERR_TRANSPORT);
        call_free(&c);
    }
}

RUN_TESTS_IN(make_certificates, free_certificates, T(a_good_certificate), T(an_unknown_authority),
             T(a_self_signed_certificate), T(another_name), T(out_of_date), T(insecure_only_when_asked_for),
             T(client_certificates), T(bad_material), T(rotation_uses_the_new_material),
             T(sessions_are_shared_by_the_lanes), T(plain_http_behind_https),
             T(a_cut_handshake_is_a_lost_connection), T(old_versions_are_refused),
             T(a_silent_handshake_meets_the_connect_deadline), T(calls_use_http2_and_the_other_lanes_do_not),
             T(many_calls_share_one_connection), T(http2_falls_back),
             T(the_server_stops_under_a_kept_connection))
