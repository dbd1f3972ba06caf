/* The HTTP server with TLS: who may speak to it, in any pieces, and how a connection ends. */
#include "../case.h"
#include "server_kit.h"
#include "tls_server.h"
#include <openssl/err.h>

static struct pem id;
static struct http_server_tls ours;
static struct http_limits sealed = {.tls = &ours};

static int make_certificates(__attribute__((unused)) void **state) {
    pem_make(&id, "server", "DNS:localhost,IP:127.0.0.1", NULL, PEM_CA);
    ours = (struct http_server_tls){slice_of(id.cert), slice_of(id.key)};
    return 0;
}

static int free_certificates(__attribute__((unused)) void **state) {
    pem_free(&id);
    return 0;
}

/* ---- a client whose records the test sees ---- */
struct peer {
    struct raw r;
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out;
    struct buf text;
    size_t piece;       /* bytes of one write to the socket; 0: as they come */
    bool ended, failed; /* by close_notify; by an alert */
};

static void peer_dial(struct peer *p, struct kit *k) {
    *p = (struct peer){.text = BUF(512u << 20), .ctx = SSL_CTX_new(TLS_client_method())};
    p->in = BIO_new(BIO_s_mem());
    p->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(p->in, -1);
    SSL_CTX_set_security_level(p->ctx, 0);
    p->ssl = SSL_new(p->ctx);
    SSL_set_bio(p->ssl, p->in, p->out);
    SSL_set_connect_state(p->ssl);
    SSL_set_min_proto_version(p->ssl, TLS1_VERSION);
    raw_connect(&p->r, k, k->port);
}

static void peer_close(struct peer *p) {
    SSL_free(p->ssl);
    SSL_CTX_free(p->ctx);
    ERR_clear_error();
    buf_free(&p->text);
    raw_close(&p->r);
}
#define PEER(name, k)                                                                                        \
    __attribute__((cleanup(peer_close))) struct peer name;                                                   \
    peer_dial(&name, k)

static void peer_flush(struct peer *p) {
    char *data;
    long n = BIO_get_mem_data(p->out, &data);
    for (long at = 0; at < n;) {
        long part = p->piece && (long)p->piece < n - at ? (long)p->piece : n - at;
        raw_send(&p->r, slice_make(data + at, (size_t)part));
        if (part < n - at) kit_turns(p->r.k, 1);
        at += part;
    }
    (void)BIO_reset(p->out);
}

/* What has come, and the answer of TLS to it. */
static void peer_read(struct peer *p) {
    char part[16384];
    int n;
    if (p->r.in.n > 0) BIO_write(p->in, p->r.in.p, (int)p->r.in.n);
    buf_clear(&p->r.in);
    ERR_clear_error();
    while ((n = SSL_read(p->ssl, part, sizeof part)) > 0) buf_add(&p->text, slice_make(part, (size_t)n));
    int why = SSL_get_error(p->ssl, n);
    if (why == SSL_ERROR_ZERO_RETURN) p->ended = true;
    if (why == SSL_ERROR_SSL) p->failed = true;
    peer_flush(p);
}

static bool peer_over(const struct peer *p) {
    return p->ended || p->failed || p->r.eof;
}

static void peer_write(struct peer *p, struct slice text) {
    for (peer_read(p); !SSL_is_init_finished(p->ssl) && !peer_over(p); peer_read(p)) kit_run(p->r.k);
    if (peer_over(p)) return;
    assert_int_equal(SSL_write(p->ssl, text.p, (int)text.n), text.n);
    peer_flush(p);
}

static bool peer_until(struct peer *p, const char *text) {
    for (;;) {
        peer_read(p);
        struct slice all = buf_slice(&p->text), end = slice_of(text);
        if (slice_ends(all, end)) return true;
        if (peer_over(p)) return false;
        kit_run(p->r.k);
    }
}

static void peer_until_over(struct peer *p) {
    for (peer_read(p); !peer_over(p); peer_read(p)) kit_run(p->r.k);
}

static void serve(struct app *a, struct kit *k, struct http_limits *limits) {
    *a = (struct app){.k = k};
    kit_serve(k, app, a, limits);
    snprintf(k->url, sizeof k->url, "https://127.0.0.1:%d", k->port);
}

/* ---- cases ---- */

NET_CASE(our_own_client_is_served) {
    struct app a;
    struct http_tls trust = {.id = 1, .ca = slice_of(id.cert)};
    serve(&a, k, &sealed);
    enum { BIG = 2 << 20 };
    cleanup_free char *big = xmalloc(BIG);
    memset(big, 'b', BIG);
    for (enum http_lane lane = 0; lane < LANE_COUNT; lane++) {
        CALL(c, k);
        call_do(&c, SPEC(lane, "PUT", kit_at(k, "/x"), .tls = &trust, .body = slice_make(big, BIG)));
        call_failed(&c, ERR_NONE, 0);
        assert_true(slice_eq(buf_slice(&c.body), slice_make(big, BIG)));
        CALL(d, k);
        call_do(&d, SPEC(lane, "GET", kit_at(k, "/stream"), .tls = &trust));
        call_ok(&d, 200, "abc");
    }
    CALL(c, k);
    call_do(&c, SPEC(LANE_CALL, "GET", kit_at(k, "/x")));
    call_failed(&c, ERR_TLS, -EPROTO); /* nobody has to trust it */
}

NET_CASE(handshakes) {
    static const struct {
        int version;      /* the newest of the client */
        const char *alpn; /* in wire format; "" for none */
        bool served;
        const char *chosen;
    } cases[] = {
        {TLS1_3_VERSION, "", true, ""},
        {TLS1_2_VERSION, "", true, ""},
        {TLS1_1_VERSION, "", false, ""},
        {TLS1_3_VERSION, "\x02h2\x08http/1.1", true, "http/1.1"},
        {TLS1_2_VERSION, "\x08http/1.1\x02h2", true, "http/1.1"},
        {TLS1_3_VERSION, "\x02h2", false, ""},
    };
    struct app a;
    serve(&a, k, &sealed);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        PEER(p, k);
        const unsigned char *alpn;
        unsigned nalpn;
        SSL_set_max_proto_version(p.ssl, cases[i].version);
        if (cases[i].alpn[0])
            SSL_set_alpn_protos(p.ssl, (const unsigned char *)cases[i].alpn, (unsigned)strlen(cases[i].alpn));
        peer_write(&p, SL(GET("/x")));
        assert_int_equal(peer_until(&p, OK("0", "")), cases[i].served);
        assert_int_equal(p.failed, !cases[i].served); /* an alert has come, no mere end */
        SSL_get0_alpn_selected(p.ssl, &alpn, &nalpn);
        assert_slice(slice_make((const char *)alpn, nalpn), cases[i].chosen);
    }
}

NET_CASE(any_pieces) {
    struct app a;
    serve(&a, k, &sealed);
    for (size_t piece = 1; piece < 100; piece = piece * 3 + 1) {
        PEER(p, k);
        p.piece = piece;
        peer_write(&p, SL("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n"));
        peer_write(&p, SL("hi"));
        peer_write(&p, SL(GET("/x") "GET /x HTTP/1.1\r\nHo"));
        peer_write(&p, SL("st: h\r\n\r\n"));
        assert_true(peer_until(&p, OK("2", "hi") OK("0", "") OK("0", "")));
    }
}

NET_CASE(a_flood_of_pipelined_requests) {
    struct app a;
    serve(&a, k, &sealed);
    PEER(p, k);
    enum { N = 20000 };
    cleanup_buf struct buf b = BUF(64 << 20);
    buf_adds(&b, GET("/later"));
    for (int i = 0; i < N; i++) buf_adds(&b, GET("/x"));
    peer_write(&p, buf_slice(&b));
    while (!a.nopen) kit_run(k);
    kit_turns(k, 20);
    http_reply(a.open[0], 200, NULL, SL(""));
    while (a.requests < N + 1) kit_run(k);
    size_t all = strlen("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") + N * strlen(OK("0", ""));
    for (peer_read(&p); p.text.n < all && !peer_over(&p); peer_read(&p)) kit_run(k);
    assert_int_equal(p.text.n, all);
}

/* An end that both sides mean is said by TLS, and an answer that was cut is not taken for a whole one. */
NET_CASE(ends) {
    static const struct {
        const char *request, *answer; /* the end of it */
        bool half_closes, ended;
    } cases[] = {
        {"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "close\r\n\r\n", false, true},
        {"GET /x HTTP/1.1\r\nHo", "", true, true},
        {GET("/x"), OK("0", ""), true, true},
        {"GET /stream HTTP/1.0\r\n\r\n", "abc", false, true},
        {"nonsense\r\n\r\n", "\n", false, true},
        {GET("/abort"), "partial\r\n", false, false},
        {"GET /abort HTTP/1.0\r\n\r\n", "", false, false},
    };
    struct app a;
    serve(&a, k, &sealed);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        PEER(p, k);
        peer_write(&p, slice_of(cases[i].request));
        if (cases[i].half_closes) SSL_shutdown(p.ssl);
        peer_until_over(&p);
        assert_true(slice_ends(buf_slice(&p.text), slice_of(cases[i].answer)));
        assert_int_equal(p.ended, cases[i].ended);
        raw_until_eof(&p.r);
    }
    PEER(p, k);
    peer_write(&p, SL(GET("/later")));
    while (!a.nopen) kit_run(k);
    SSL_shutdown(p.ssl);
    peer_flush(&p);
    while (!a.gone) kit_run(k);
}

NET_CASE(without_tls) {
    struct app a;
    serve(&a, k, &sealed);
    static const char *const requests[] = {GET("/x"), "DELETE /x HTTP/1.1\r\n", "C"};
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        RAW(r, k, k->port);
        raw_says(&r, requests[i], NULL);
        assert_false(r.reset);
        assert_true(slice_starts(buf_slice(&r.in), SL("HTTP/1.1 400 Bad Request\r\n")));
    }
    RAW(junk, k, k->port);
    raw_says(&junk, "\x16\x03\x01junkjunkjunkjunkjunk", NULL);
    RAW(other, k, k->port);
    raw_says(&other, "{\"a\":1}", NULL);
    assert_int_equal(a.requests, 0);
}

/* A handshake is bounded in its bytes and in its time. */
NET_CASE(handshakes_without_end) {
    struct app a;
    serve(&a, k, &sealed);
    RAW(much, k, k->port);
    raw_send(&much, slice_make("\x16\x03\x01\x40\x00\x01\x01\xf0\x00", 9)); /* a hello of 126,976 bytes */
    static char part[16384];
    raw_send(&much, slice_make(part, sizeof part - 4));
    for (int i = 0; i < 5; i++) {
        raw_send(&much, slice_make("\x16\x03\x01\x40\x00", 5));
        raw_send(&much, slice_make(part, sizeof part));
    }
    raw_until_eof(&much);
    http_listener_close(k->server);
    serve(&a, k, &(struct http_limits){.tls = &ours, .header_ns = 50 * NS_PER_MS});
    RAW(slow, k, k->port);
    raw_says(&slow, "\x16\x03", NULL);
    PEER(silent, k);
    peer_until_over(&silent);
    assert_true(SSL_is_init_finished(silent.ssl));
    assert_int_equal(a.requests, 0);
}

/* What a client may ask of TLS itself costs it its connection when it asks for much. */
NET_CASE(nothing_is_negotiated_again) {
    struct app a;
    serve(&a, k, &sealed);
    PEER(again, k);
    SSL_set_max_proto_version(again.ssl, TLS1_2_VERSION);
    peer_write(&again, SL(GET("/x")));
    assert_true(peer_until(&again, OK("0", "")));
    SSL_renegotiate(again.ssl);
    SSL_do_handshake(again.ssl);
    peer_flush(&again);
    peer_until_over(&again);
    assert_true(again.failed); /* no_renegotiation */
    PEER(keys, k);
    peer_write(&keys, SL(GET("/x")));
    assert_true(peer_until(&keys, OK("0", "")));
    assert_false(SSL_session_reused(keys.ssl));
    for (int i = 0; i < 10000 && !keys.r.eof; i++) {
        SSL_key_update(keys.ssl, SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(keys.ssl);
        peer_flush(&keys);
        if (i % 50 == 0) kit_turns(k, 1);
    }
    raw_until_eof(&keys.r);
}

/* A slow reader holds what its answer is made of, not the server's memory. */
NET_CASE(a_slow_reader) {
    enum { MUCH = 30 << 20, BELOW = 1 << 20 };
    struct app a;
    serve(&a, k, &(struct http_limits){.tls = &ours, .send_cap = 2 * MUCH});
    PEER(p, k);
    struct http_headers none = {0};
    peer_write(&p, SL(GET("/later")));
    while (!a.nopen) kit_run(k);
    http_reply_begin(a.open[0], 200, NULL, &none);
    raw_stop(&p.r);
    static char junk[BELOW];
    for (int i = 0; i < MUCH; i += BELOW) http_reply_send(a.open[0], slice_make(junk, sizeof junk));
    kit_turns(k, 20);
    size_t unsent = http_reply_unsent(a.open[0]);
    assert_in_range(unsent, BELOW, MUCH + MUCH / 100);
    http_reply_end(a.open[0]);
    raw_go_on(&p.r);
    assert_true(peer_until(&p, "0\r\n\r\n"));
    assert_true(p.text.n > MUCH);
}

NET_CASE(what_cannot_be_shown) {
    struct pem other;
    pem_make(&other, "other", NULL, NULL, 0);
    const char *const locked = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                               "DEK-Info: AES-256-CBC,0102030405060708090A0B0C0D0E0F10\n\nAAAA\n"
                               "-----END RSA PRIVATE KEY-----\n";
    const struct {
        const char *cert, *key, *says;
    } cases[] = {{"", id.key, "certificate"},     {"junk", id.key, "certificate"},
                 {id.key, id.key, "certificate"}, {id.cert, "", "key"},
                 {id.cert, id.cert, "key"},       {id.cert, other.key, "key"},
                 {id.cert, locked, "key"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_server_tls tls = {slice_of(cases[i].cert), slice_of(cases[i].key)};
        struct http_listener *l = NULL;
        struct err err = {0};
        struct app a = {.k = k};
        assert_int_equal(
            http_listen(k->w, "127.0.0.1:0", &(struct http_limits){.tls = &tls}, app, &a, &l, &err), -EINVAL);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_has(err.msg, cases[i].says);
    }
    pem_free(&other);
}

int main(void) {
    return _cmocka_run_group_tests("net/server_tls", case_list, case_count, make_certificates,
                                   free_certificates);
}
