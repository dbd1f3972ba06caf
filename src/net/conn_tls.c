/* TLS of the server, by OpenSSL: records in, plain bytes out, and back. Nothing is kept of a client: no sessions, no
 * tickets, no renegotiation. */
#include "server.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

enum {
    HANDSHAKE_CAP = 64 * 1024, /* bytes of a client before its handshake is done */
    CHATTER_CAP = 64 * 1024    /* bytes of ours that answer no request: handshake, alerts, key updates */
};

struct server_tls {
    SSL_CTX *ctx;
};
struct conn_tls {
    SSL *ssl;
    BIO_METHOD *method;
    struct slice in;  /* what came and is not read yet */
    struct buf wire;  /* what is to be written */
    size_t shaken;    /* bytes of the handshake */
    size_t chatter;   /* bytes that were written while reading */
    bool done, ended; /* done: nothing can be sealed any more; ended: and we have said so */
};

/* ---- who we are ---- */

static int no_password(char *buf, int n, int writing, void *ctx) {
    (void)buf;
    (void)n;
    (void)writing;
    (void)ctx;
    return -1; /* nobody is asked on a terminal */
}

static BIO *reader(struct slice pem) {
    return BIO_new_mem_buf(pem.p ? pem.p : "", pem.n < INT32_MAX ? (int)pem.n : INT32_MAX);
}

static bool add_chain(SSL_CTX *ctx, struct slice pem) {
    BIO *b = reader(pem);
    bool ok = false;
    for (int i = 0; i < 10; i++) {
        X509 *x = PEM_read_bio_X509(b, NULL, no_password, NULL);
        if (!x) break;
        ok = (i == 0 ? SSL_CTX_use_certificate(ctx, x) : SSL_CTX_add1_chain_cert(ctx, x)) == 1;
        X509_free(x);
        if (!ok) break;
    }
    BIO_free(b);
    return ok;
}

static bool add_key(SSL_CTX *ctx, struct slice pem) {
    BIO *b = reader(pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, no_password, NULL);
    bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    EVP_PKEY_free(key);
    BIO_free(b);
    return ok;
}

/* A client that offers protocols, and HTTP/1.1 is none of them, is refused by an alert (RFC 7301, 3.2). */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *nout, const unsigned char *in,
                           unsigned nin, void *ctx) {
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;
    (void)ssl;
    (void)ctx;
    if (SSL_select_next_proto(&chosen, nout, ours, sizeof ours - 1, in, nin) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

int server_tls_new(const struct http_server_tls *id, struct server_tls **ret, struct err *err) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) abort();
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    ERR_clear_error();
    const char *what = !add_chain(ctx, id->cert) ? "certificate" : !add_key(ctx, id->key) ? "key" : NULL;
    if (what) {
        const char *why = ERR_reason_error_string(ERR_peek_error());
        err_set(err, ERR_CONFIG, -EINVAL, "the server's TLS %s cannot be used: %s", what,
                why ? why : "unknown");
        ERR_clear_error();
        SSL_CTX_free(ctx);
        return -EINVAL;
    }
    *ret = xmalloc(sizeof **ret);
    (*ret)->ctx = ctx;
    return 0;
}

void server_tls_free(struct server_tls *s) {
    if (!s) return;
    SSL_CTX_free(s->ctx);
    free(s);
}

/* ---- a connection ---- */

static int bio_read(BIO *b, char *to, size_t n, size_t *ret) {
    struct conn_tls *t = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    *ret = n < t->in.n ? n : t->in.n;
    if (*ret == 0) {
        BIO_set_retry_read(b);
        return 0;
    }
    memcpy(to, t->in.p, *ret);
    t->in = slice_make(t->in.p + *ret, t->in.n - *ret);
    return 1;
}

static int bio_write(BIO *b, const char *from, size_t n, size_t *ret) {
    struct conn_tls *t = BIO_get_data(b);
    buf_add(&t->wire, slice_make(from, n));
    *ret = n;
    return 1;
}

static long bio_ctrl(BIO *b, int cmd, long n, void *p) {
    (void)b;
    (void)n;
    (void)p;
    return cmd == BIO_CTRL_FLUSH;
}

struct conn_tls *conn_tls_new(struct server_tls *s) {
    struct conn_tls *t = xcalloc(1, sizeof *t);
    buf_init(&t->wire, SIZE_MAX); /* as conn.out */
    t->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "connection");
    if (!t->method) abort();
    BIO_meth_set_read_ex(t->method, bio_read);
    BIO_meth_set_write_ex(t->method, bio_write);
    BIO_meth_set_ctrl(t->method, bio_ctrl);
    BIO *b = BIO_new(t->method);
    t->ssl = SSL_new(s->ctx);
    if (!b || !t->ssl) abort();
    BIO_set_data(b, t);
    BIO_set_init(b, 1);
    SSL_set_bio(t->ssl, b, b);
    SSL_set_accept_state(t->ssl);
    return t;
}

void conn_tls_free(struct conn_tls *t) {
    if (!t) return;
    SSL_free(t->ssl);
    BIO_meth_free(t->method);
    buf_free(&t->wire);
    free(t);
}

struct buf *conn_tls_wire(struct conn_tls *t) {
    return &t->wire;
}

/* Why is there no more to read? */
static enum tls_end end_of(struct conn_tls *t, int result) {
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ: return TLS_MORE;
    case SSL_ERROR_ZERO_RETURN: return TLS_EOF;
    default: t->done = true; return TLS_BROKEN;
    }
}

static enum tls_end read_all(struct conn_tls *t, bool (*take)(struct conn *, struct slice), struct conn *c) {
    for (;;) {
        size_t n = 0, written = t->wire.n, before = t->in.n;
        bool shaking = !SSL_is_init_finished(t->ssl);
        ERR_clear_error();
        int r = SSL_read_ex(t->ssl, c->net->plain, sizeof c->net->plain, &n);
        if (shaking) t->shaken += before - t->in.n;
        t->chatter += t->wire.n - written;
        if (t->shaken > HANDSHAKE_CAP || t->chatter > CHATTER_CAP) t->done = true;
        if (t->done) return TLS_BROKEN;
        if (r != 1) return end_of(t, r);
        if (!take(c, slice_make(c->net->plain, n))) return TLS_MORE;
    }
}

enum tls_end conn_tls_open(struct conn_tls *t, struct slice raw,
                           bool (*take)(struct conn *c, struct slice plain), struct conn *c) {
    if (t->done) return TLS_BROKEN;
    if (t->shaken == 0 && raw.n > 0 && raw.p[0] >= 'A' && raw.p[0] <= 'Z') return TLS_PLAIN; /* a method */
    t->in = raw;
    enum tls_end r = read_all(t, take, c);
    t->in = (struct slice){0};
    ERR_clear_error(); /* libcurl asks the same queue */
    return r;
}

void conn_tls_seal(struct conn_tls *t, const struct buf *plain, bool last) {
    size_t n = 0;
    ERR_clear_error();
    if (plain->n > 0 && !t->done) t->done = SSL_write_ex(t->ssl, plain->p, plain->n, &n) != 1;
    if (last && !t->done && !t->ended) (void)SSL_shutdown(t->ssl);
    if (last) t->ended = true;
    ERR_clear_error();
}
