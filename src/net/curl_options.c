/* The options of a request's easy handle. */
#include "http_in.h"
#include "net_impl.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { CONNECT_MS = 10000, DEAD_PEER_MS = 8000, KEEPALIVE_S = 3, SHOWN_MAX = 200, HEADER_MAX = 64 * 1024 };

static int bad(struct err *err, const char *what) {
    return err_set(err, ERR_CONFIG, -EINVAL, "%s", what);
}

/* Notices a peer that vanished (no FIN, no RST) within 8 s, whether we wait or send. libcurl's LOW_SPEED
 * options would kill quiet watches and wake the idle process instead. */
static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose) {
    int on = 1, idle = KEEPALIVE_S, every = 1;
    unsigned dead = DEAD_PEER_MS;
    (void)ctx, (void)purpose;
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof dead);
    return CURL_SOCKOPT_OK;
}

static bool is_value(struct slice s) {
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

static void add_line(struct curl_slist **list, const char *line) {
    struct curl_slist *grown = curl_slist_append(*list, line);
    if (!grown) abort();
    *list = grown;
}

DEFINE_CLEANUP(CURLU *, curlu, curl_url_cleanup)
DEFINE_CLEANUP(char *, curl_str, curl_free)

/* With a server_name the URL is rewritten to that name, for it is what libcurl verifies and sends as SNI, and
 * the connection is led to the real place. */
static void redirect(struct request *r, CURLU *u, const char *host, const char *port,
                     const char *default_port) {
    cleanup_free char *to = xasprintf("::%s:%s", host, port);
    add_line(&r->connect_to, to);
    bool plain = strcmp(port, default_port) == 0;
    cleanup_free char *line = plain ? xasprintf("Host: %s", host) : xasprintf("Host: %s:%s", host, port);
    add_line(&r->headers, line);
    CLEANUP(curl_str) char *url = NULL;
    if (curl_url_set(u, CURLUPART_HOST, r->tls->server_name, 0) != CURLUE_OK) return;
    if (curl_url_get(u, CURLUPART_URL, &url, 0) != CURLUE_OK) return;
    free(r->url);
    r->url = xstrdup(url);
}

static int set_url(struct request *r, const char *url, struct err *err) {
    if (!url) return bad(err, "a request needs a URL");
    CLEANUP(curlu) CURLU *u = curl_url();
    if (!u) abort();
    CLEANUP(curl_str) char *scheme = NULL;
    CLEANUP(curl_str) char *host = NULL;
    CLEANUP(curl_str) char *port = NULL;
    CLEANUP(curl_str) char *path = NULL;
    const unsigned flags = CURLU_PATH_AS_IS;
    if (curl_url_set(u, CURLUPART_URL, url, flags) != CURLUE_OK ||
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) || curl_url_get(u, CURLUPART_HOST, &host, 0) ||
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ||
        curl_url_get(u, CURLUPART_PATH, &path, 0))
        return bad(err, "not a URL, which begins with http:// or https:// and a host");
    bool https = strcmp(scheme, "https") == 0;
    if (!https && strcmp(scheme, "http") != 0) return bad(err, "a URL begins with http:// or https://");
    const char *default_port = https ? "443" : "80";
    bool plain = strcmp(port, default_port) == 0;
    r->url = xstrdup(url);
    r->host = xstrdup(host);
    r->shown = xasprintf("%s://%s%s%s%s", scheme, host, plain ? "" : ":", plain ? "" : port, path);
    if (strlen(r->shown) > SHOWN_MAX) memcpy(r->shown + SHOWN_MAX - 3, "...", 4);
    if (https && r->tls && r->tls->server_name) redirect(r, u, host, port, default_port);
    return 0;
}

static int set_headers(struct request *r, const struct http_headers *h, struct err *err) {
    bool typed = false;
    for (size_t i = 0; h && i < h->n; i++) {
        struct slice name = h->v[i].name, value = slice_trim(h->v[i].value);
        if (!http_is_token(name)) return bad(err, "a header's name has a character that is not allowed");
        if (!is_value(value))
            return err_set(err, ERR_CONFIG, -EINVAL,
                           "the value of header %.*s has a character that is not allowed", SLF(name));
        cleanup_buf struct buf line = BUF(HEADER_MAX);
        buf_add(&line, name);
        buf_adds(&line, value.n ? ": " : ";"); /* the latter is how libcurl writes an empty one */
        buf_add(&line, value);
        if (line.full) return err_set(err, ERR_CONFIG, -EINVAL, "header %.*s is too long", SLF(name));
        add_line(&r->headers, buf_str(&line));
        typed = typed || http_name_eq(name, SL("Content-Type"));
    }
    if (!typed) add_line(&r->headers, "Content-Type:"); /* not libcurl's guess */
    add_line(&r->headers, "Expect:");                   /* no round trip before a body */
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
    return 0;
}

static int set_method(struct request *r, const struct http_spec *spec, struct err *err) {
    const char *m = spec->method ? spec->method : "";
    if (!http_is_token(slice_of(m))) return bad(err, "a request needs a method");
    r->method = xstrdup(m);
    r->idempotent = strcmp(m, "GET") == 0 || strcmp(m, "HEAD") == 0 || strcmp(m, "OPTIONS") == 0;
    bool has_body =
        spec->body.n > 0 || strcmp(m, "POST") == 0 || strcmp(m, "PUT") == 0 || strcmp(m, "PATCH") == 0;
    if (has_body) {
        r->body = slice_dup(spec->body);
        r->nbody = spec->body.n;
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, r->body);
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->nbody);
    } else if (strcmp(m, "HEAD") == 0) {
        curl_easy_setopt(r->easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, r->method);
    return 0;
}

static void set_blob(CURL *easy, CURLoption option, char *p, size_t n) {
    struct curl_blob blob = {.data = p, .len = n, .flags = CURL_BLOB_NOCOPY}; /* r->tls outlives the handle */
    curl_easy_setopt(easy, option, &blob);
}

static void set_tls(CURL *easy, const struct tls_mat *m) {
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* Debian's libcurl also trusts a directory of certificates by default, even beside a CA of ours. */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    if (!m) return;
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, m->insecure ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, m->insecure ? 0L : 2L);
    if (m->ca) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
        set_blob(easy, CURLOPT_CAINFO_BLOB, m->ca, m->nca);
    }
    if (m->cert) {
        curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
        curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
        set_blob(easy, CURLOPT_SSLCERT_BLOB, m->cert, m->ncert);
        set_blob(easy, CURLOPT_SSLKEY_BLOB, m->key ? m->key : m->cert, m->key ? m->nkey : m->ncert);
    }
}

static void set_connection(struct request *r, const struct http_spec *spec) {
    CURL *e = r->easy;
    int64_t ms = spec->connect_ns / NS_PER_MS;
    r->connect_ns = spec->connect_ns > 0 ? spec->connect_ns : CONNECT_MS * NS_PER_MS;
    if (spec->connect_ns <= 0) ms = CONNECT_MS;
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(ms < 1 ? 1 : ms));
    curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket);
    curl_easy_setopt(e, CURLOPT_CONNECT_TO, r->connect_to);
    curl_easy_setopt(e, CURLOPT_SHARE, r->lane->net->share);
    /* Without it, removing a request waits for the resolver's thread: a hung name server would stop the whole
     * loop. */
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
                     lane_http2(r->lane) ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_PIPEWAIT, lane_http2(r->lane) && !spec->fresh ? 1L : 0L);
    curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, spec->fresh ? 1L : 0L);
    curl_easy_setopt(e, CURLOPT_FORBID_REUSE, spec->fresh ? 1L : 0L);
    curl_easy_setopt(e, CURLOPT_PROXY, spec->proxy ? spec->proxy : ""); /* "": not the environment's either */
    curl_easy_setopt(e, CURLOPT_NOPROXY, "");
    curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

int curl_options_set(struct request *r, const struct http_spec *spec, struct err *err) {
    CURL *e = r->easy;
    int rc = set_url(r, spec->url, err);
    if (rc == 0) rc = set_method(r, spec, err);
    if (rc == 0) rc = set_headers(r, spec->headers, err);
    if (rc < 0) return rc;
    curl_easy_setopt(e, CURLOPT_URL, r->url);
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, r->lane->id == LANE_LEASE || r->lane->budget ? 4096L : 16384L);
    set_connection(r, spec);
    set_tls(e, r->tls);
    return 0;
}
