/* See tls_server.h. Every answer's body is "PROTOCOL CLIENT-NAME SNI". */
#include "tls_server.h"
#include "base/buf.h"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- certificates ---- */
static char *take_bio(BIO *b) {
    char *p;
    long n = BIO_get_mem_data(b, &p);
    char *text = slice_dup(slice_make(p, (size_t)n));
    BIO_free(b);
    return text;
}

static X509 *read_cert(const char *pem) {
    BIO *b = BIO_new_mem_buf(pem, -1);
    X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
    BIO_free(b);
    return x;
}

static EVP_PKEY *read_key(const char *pem) {
    BIO *b = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
    BIO_free(b);
    return k;
}

static void add_ext(X509 *x, X509 *issuer, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (!e) abort();
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

void pem_make(struct pem *ret, const char *cn, const char *san, const struct pem *issuer, int flags) {
    static atomic_long serial = 1;
    EVP_PKEY *key = EVP_EC_gen("P-256"), *signer = issuer ? read_key(issuer->key) : NULL;
    X509 *x = X509_new(), *above = issuer ? read_cert(issuer->cert) : NULL;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), atomic_fetch_add(&serial, 1) + getpid() * 1000L);
    X509_gmtime_adj(X509_getm_notBefore(x), flags & PEM_NOT_YET ? 3600 : -7200);
    X509_gmtime_adj(X509_getm_notAfter(x), flags & PEM_EXPIRED ? -3600 : 7200);
    X509_NAME *name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(x, above ? X509_get_subject_name(above) : name);
    X509_set_pubkey(x, key);
    add_ext(x, above ? above : x, NID_subject_key_identifier, "hash");
    if (above) add_ext(x, above, NID_authority_key_identifier, "keyid");
    add_ext(x, above ? above : x, NID_basic_constraints,
            flags & PEM_CA ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (san) add_ext(x, above ? above : x, NID_subject_alt_name, san);
    X509_sign(x, signer ? signer : key, EVP_sha256());
    BIO *b = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(b, x);
    ret->cert = take_bio(b);
    b = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
    ret->key = take_bio(b);
    X509_free(x);
    X509_free(above);
    EVP_PKEY_free(key);
    EVP_PKEY_free(signer);
}

void pem_free(struct pem *p) {
    free(p->cert);
    free(p->key);
    *p = (struct pem){0};
}

/* ---- the server ---- */
struct peer {
    struct tls_server *s;
    SSL *ssl;
    int fd;
    char body[256];
};

static bool read_all(struct peer *p, unsigned char *to, int n) {
    for (int have = 0; have < n;) {
        int r = SSL_read(p->ssl, to + have, n - have);
        if (r <= 0) return false;
        have += r;
    }
    return true;
}

static void serve_http1(struct peer *p) {
    cleanup_buf struct buf in = BUF(1 << 20);
    for (char part[4096];;) {
        size_t head = 0, body = 0;
        while (!head || in.n < head + body) {
            const char *text = buf_str(&in), *end = strstr(text, "\r\n\r\n"),
                       *length = strcasestr(text, "content-length:");
            head = end ? (size_t)(end - text) + 4 : 0;
            body = end && length && length < end ? strtoul(length + 15, NULL, 10) : 0;
            if (head && in.n >= head + body) break;
            int n = SSL_read(p->ssl, part, sizeof part);
            if (n <= 0) return;
            buf_add(&in, slice_make(part, (size_t)n));
        }
        buf_consume(&in, head + body);
        atomic_fetch_add(&p->s->requests, 1);
        char answer[512];
        int n = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                         strlen(p->body), p->body);
        if (SSL_write(p->ssl, answer, n) != n) return;
    }
}

static bool frame(struct peer *p, int type, int flags, uint32_t stream, const void *data, size_t n) {
    unsigned char f[9 + 512] = {0, (unsigned char)(n >> 8), (unsigned char)n, (unsigned char)type,
                                (unsigned char)flags};
    uint32_t id = htonl(stream);
    memcpy(f + 5, &id, 4);
    memcpy(f + 9, data, n);
    return SSL_write(p->ssl, f, (int)(9 + n)) == (int)(9 + n);
}

/* Just enough of RFC 9113: what a request says is not looked at, every one is answered with 200. */
static void serve_http2(struct peer *p) {
    enum { DATA, HEADERS, SETTINGS = 4, PING = 6, WINDOW_UPDATE = 8 /* frames */ };
    enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 /* flags */ };
    unsigned char preface[24], h[9], *payload = xmalloc(1 << 20);
    static const unsigned char status_200[] = {0x88};
    bool ok = read_all(p, preface, sizeof preface) && frame(p, SETTINGS, 0, 0, "", 0);
    while (ok && read_all(p, h, 9)) {
        size_t n = (size_t)h[0] << 16 | (size_t)h[1] << 8 | h[2];
        uint32_t id;
        memcpy(&id, h + 5, 4);
        id = ntohl(id);
        if (n >= 1 << 20 || !read_all(p, payload, (int)n)) break;
        if (h[3] == SETTINGS && !(h[4] & ACK)) ok = frame(p, SETTINGS, ACK, 0, "", 0);
        if (h[3] == PING && !(h[4] & ACK)) ok = frame(p, PING, ACK, 0, payload, 8);
        if (h[3] == DATA && n > 0) {
            uint32_t more = htonl((uint32_t)n);
            ok = frame(p, WINDOW_UPDATE, 0, 0, &more, 4) && frame(p, WINDOW_UPDATE, 0, id, &more, 4);
        }
        if ((h[3] == HEADERS || h[3] == DATA) && (h[4] & END_STREAM)) {
            atomic_fetch_add(&p->s->requests, 1);
            ok = frame(p, HEADERS, END_HEADERS, id, status_200, 1) &&
                 frame(p, DATA, END_STREAM, id, p->body, strlen(p->body));
        }
    }
    free(payload);
}

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *nout, const unsigned char *in,
                       unsigned nin, void *ctx) {
    static const unsigned char both[] = "\x02h2\x08http/1.1", one[] = "\x08http/1.1";
    const struct tls_server *s = ctx;
    unsigned char *chosen;
    (void)ssl;
    int r = s->spec.http2 ? SSL_select_next_proto(&chosen, nout, both, sizeof both - 1, in, nin)
                          : SSL_select_next_proto(&chosen, nout, one, sizeof one - 1, in, nin);
    *out = chosen;
    return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static void serve_tls(struct peer *p) {
    p->ssl = SSL_new(p->s->ctx);
    SSL_set_fd(p->ssl, p->fd);
    if (SSL_accept(p->ssl) == 1) {
        atomic_fetch_add(&p->s->connections, 1);
        if (SSL_session_reused(p->ssl)) atomic_fetch_add(&p->s->resumed, 1);
        char cn[64] = "nobody";
        X509 *client = SSL_get1_peer_certificate(p->ssl);
        if (client) X509_NAME_get_text_by_NID(X509_get_subject_name(client), NID_commonName, cn, sizeof cn);
        X509_free(client);
        const unsigned char *alpn;
        unsigned nalpn;
        SSL_get0_alpn_selected(p->ssl, &alpn, &nalpn);
        bool h2 = nalpn == 2 && memcmp(alpn, "h2", 2) == 0;
        const char *sni = SSL_get_servername(p->ssl, TLSEXT_NAMETYPE_host_name);
        snprintf(p->body, sizeof p->body, "%s %s %s", h2 ? "h2" : "h1", cn, sni ? sni : "-");
        (h2 ? serve_http2 : serve_http1)(p);
    }
    SSL_free(p->ssl);
    ERR_clear_error();
}

static void *serve(void *arg) {
    struct peer *p = arg;
    struct tls_server *s = p->s;
    serve_tls(p);
    /* What still comes is read, so that an alert of ours is not lost to a reset. */
    shutdown(p->fd, SHUT_WR);
    while (recv(p->fd, p->body, sizeof p->body, 0) > 0) {
    }
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->nopen; i++)
        if (s->open[i] == p->fd) s->open[i--] = s->open[--s->nopen];
    close(p->fd);
    free(p);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void *accept_all(void *arg) {
    struct tls_server *s = arg;
    int fd;
    while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
        struct peer *p = xcalloc(1, sizeof *p);
        p->s = s;
        p->fd = fd;
        pthread_mutex_lock(&s->lock);
        if (s->nopen == TLS_SERVER_CONNS) abort();
        s->open[s->nopen++] = fd;
        pthread_mutex_unlock(&s->lock);
        s->threads = xgrow(s->threads, &s->cthreads, s->nthreads + 1, sizeof *s->threads);
        if (pthread_create(&s->threads[s->nthreads++], NULL, serve, p)) abort();
    }
    return NULL;
}

static SSL_CTX *make_ctx(struct tls_server *s) {
    const struct tls_server_spec *spec = &s->spec;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    X509 *cert = read_cert(spec->id->cert);
    EVP_PKEY *key = read_key(spec->id->key);
    if (SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1) abort();
    X509_free(cert);
    EVP_PKEY_free(key);
    if (spec->client_ca) {
        X509 *ca = read_cert(spec->client_ca);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca);
        X509_free(ca);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4);
    SSL_CTX_set_alpn_select_cb(ctx, select_alpn, s);
    if (spec->tls12) SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    if (spec->tls11) {
        SSL_CTX_set_security_level(ctx, 0);
        SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
    }
    return ctx;
}

struct tls_server *tls_server_start(const struct tls_server_spec *spec) {
    struct tls_server *s = xcalloc(1, sizeof *s);
    s->spec = *spec;
    pthread_mutex_init(&s->lock, NULL);
    s->ctx = make_ctx(s);
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof sa;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->fd, (struct sockaddr *)&sa, len) < 0 || listen(s->fd, 64) < 0) abort();
    if (getsockname(s->fd, (struct sockaddr *)&sa, &len) < 0) abort();
    s->port = ntohs(sa.sin_port);
    if (pthread_create(&s->acceptor, NULL, accept_all, s)) abort();
    return s;
}

void tls_server_stop(struct tls_server *s) {
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->acceptor, NULL);
    close(s->fd);
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->nopen; i++) shutdown(s->open[i], SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < s->nthreads; i++) pthread_join(s->threads[i], NULL);
    free(s->threads);
    SSL_CTX_free(s->ctx);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
