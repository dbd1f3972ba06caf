/* See rehearse/proxy.h: its life, and what leads an operator to it. */
#include "proxy_impl.h"
#include "base/hash.h"
#include "certificate.h"
#include <errno.h>

enum { CONNECTIONS = 2048, BODY_MAX = 3 << 20, SEND_MAX = 16 << 20, TOKEN_BYTES = 32 };
#define IDLE_NS (NS_PER_S * 10 * 60)

static void on_request(void *ctx, struct http_exchange *x) {
    proxy_work_start(ctx, x);
}

static void tell_ready(struct proxy *p, const struct err *err) {
    void (*ready)(void *, const struct err *) = p->ready;
    p->ready = NULL;
    if (ready) ready(p->ready_ctx, err);
}

/* The address of "ADDRESS:PORT", if the certificate has to name it. */
static char *other_host(const char *listen) {
    static const char *const known[] = {"", "127.0.0.1", "[::1]", "localhost", "0.0.0.0", "[::]"};
    const char *colon = strrchr(listen, ':');
    struct slice host = slice_make(listen, colon ? (size_t)(colon - listen) : 0);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (slice_eqs(host, known[i])) return NULL;
    if (host.p[0] == '[' && host.n > 2) host = slice_make(host.p + 1, host.n - 2);
    for (size_t i = 0; i < host.n; i++)
        if (!strchr("0123456789abcdefABCDEF.:", host.p[i])) return NULL; /* no address: listening says so */
    return slice_dup(host);
}

/* The key is in the hands of the listener from here on, and nowhere else. */
static int start_listening(struct proxy *p, struct err *err) {
    struct certificate c;
    cleanup_free char *host = other_host(p->listen);
    certificate_make(world_wall_ns(p->w), host, &c);
    const struct http_server_tls tls = {buf_slice(&c.cert), buf_slice(&c.key)};
    const struct http_limits limits = {.tls = &tls,
                                       .connections = CONNECTIONS,
                                       .body_cap = BODY_MAX,
                                       .send_cap = SEND_MAX,
                                       .idle_ns = IDLE_NS};
    int r = http_listen(p->w, p->listen, &limits, on_request, p, &p->listener, err);
    buf_clear(&p->ca);
    if (r == 0) buf_add(&p->ca, buf_slice(&c.ca));
    certificate_free(&c);
    return r;
}

static void groups_known(struct proxy *p, const struct err *err) {
    struct err e = {0};
    if (!err && start_listening(p, &e) < 0) err = &e;
    if (!err)
        LOG_EVENT(p->log, LOG_INFO, "RehearsalListening", "a rehearsal's API server listens",
                  LF_INT("port", proxy_port(p)), LF_STR("server", kube_config_server(p->config)));
    tell_ready(p, err);
}

/* 256 bits that no API server knows as a token. */
static char *make_token(void) {
    unsigned char secret[TOKEN_BYTES];
    struct buf b = BUF(100);
    certificate_random(secret, sizeof secret);
    buf_adds(&b, "rehearsal-");
    for (size_t i = 0; i < sizeof secret; i++) buf_addf(&b, "%02x", secret[i]);
    explicit_bzero(secret, sizeof secret);
    return buf_take(&b);
}

int proxy_start(struct world *w, struct log *log, struct metrics *metrics, const struct proxy_options *opt,
                void (*ready)(void *ctx, const struct err *err), void *ctx, struct proxy **ret,
                struct err *err) {
    if (opt->token && strlen(opt->token) < 16)
        return err_set(err, ERR_CONFIG, -EINVAL, "a session's token has at least 16 characters");
    struct proxy *p = xcalloc(1, sizeof *p);
    *p = (struct proxy){.w = w,
                        .log = log,
                        .config = opt->config,
                        .listen = xstrdup(opt->listen ? opt->listen : "127.0.0.1:0"),
                        .token = opt->token ? xstrdup(opt->token) : make_token(),
                        .ca = BUF(64 << 10),
                        .overlay = overlay_new(&opt->limits, world_rand(w)),
                        .ready = ready,
                        .ready_ctx = ctx};
    list_init(&p->works);
    for (size_t i = 0; opt->local_groups && opt->local_groups[i]; i++)
        proxy_names_add(&p->forced, slice_of(opt->local_groups[i]));
    if (metrics)
        p->counted =
            metrics_family(metrics, METRIC_COUNTER, "handover_rehearsal_requests_total",
                           "Requests of an operator in a rehearsal, by what they ask and their answer.",
                           "verb,code", NULL, 0);
    p->reader = proxy_read_groups(p, groups_known);
    *ret = p;
    return 0;
}

void proxy_stop(struct proxy *p) {
    if (!p) return;
    p->ready = NULL;
    proxy_read_groups_cancel(p->reader);
    http_listener_close(p->listener);
    overlay_free(p->overlay);
    proxy_names_free(&p->forced);
    proxy_names_free(&p->local);
    proxy_names_free(&p->remote);
    explicit_bzero(p->token, strlen(p->token));
    free(p->token);
    free(p->listen);
    buf_free(&p->ca);
    free(p);
}

int proxy_port(const struct proxy *p) {
    return p->listener ? http_listener_port(p->listener) : 0;
}

struct slice proxy_ca(const struct proxy *p) {
    return buf_slice(&p->ca);
}

const char *proxy_token(const struct proxy *p) {
    return p->token;
}

struct overlay *proxy_overlay(struct proxy *p) {
    return p->overlay;
}

int64_t proxy_last_change_ns(const struct proxy *p) {
    return p->last_change_ns;
}

uint64_t proxy_requests(const struct proxy *p) {
    return p->requests;
}

/* Where a client on this machine reaches it. */
static void add_host(const struct proxy *p, struct buf *out) {
    cleanup_free char *other = other_host(p->listen);
    bool six = slice_starts(slice_of(p->listen), SL("[::1]"));
    if (other && strchr(other, ':')) {
        buf_addf(out, "[%s]", other);
    } else {
        buf_adds(out, other ? other : six ? "[::1]" : "127.0.0.1");
    }
}

int proxy_kubeconfig(const struct proxy *p, const char *ns, struct buf *out) {
    buf_adds(out,
             "apiVersion: v1\nkind: Config\nclusters:\n- name: rehearsal\n  cluster:\n    server: https://");
    add_host(p, out);
    buf_addf(out, ":%d\n    certificate-authority-data: ", proxy_port(p));
    int r = base64_encode(buf_slice(&p->ca), out);
    buf_adds(out, "\nusers:\n- name: rehearsal\n  user:\n    token: ");
    buf_add_json(out, slice_of(p->token));
    buf_adds(out, "\ncontexts:\n- name: rehearsal\n  context:\n    cluster: rehearsal\n    user: rehearsal\n"
                  "    namespace: ");
    buf_add_json(out, slice_of(ns));
    buf_adds(out, "\ncurrent-context: rehearsal\n");
    return out->full ? -ENOBUFS : r;
}
