/* One request to the API server. Nothing else here sends anything: what goes is a struct upstream, and its bytes are
 * looked at once more, by themselves, when they are about to leave. */
#include "proxy_impl.h"
#include "api/status.h"
#include <errno.h>

enum { REQUEST_HEADERS = 8 }; /* those that we add ourselves, at most */

struct ask {
    struct proxy *p;
    struct ask_spec s;
    struct ask_cb cb;
    void *ctx;
    struct http_req *req;
    struct timer *timer; /* the delivery of failure */
    struct err failure;
    bool auth_open, refreshed, stale /* this answer is a 401 that is tried again */;
    bool bare_401; /* it is one, and no byte of its body has come */
};

static void on_auth(void *ctx, const struct err *err, struct slice authorization);

void proxy_ask_cancel(struct ask *a) {
    if (!a) return;
    if (a->auth_open) kube_config_auth_cancel(a->p->config, a);
    if (a->req) http_cancel(a->req);
    timer_free(a->timer);
    free(a);
}

void proxy_ask_resume(struct ask *a) {
    if (a->req) http_resume(a->req);
}

static void finish(struct ask *a, const struct err *err) {
    struct ask_cb cb = a->cb;
    void *ctx = a->ctx;
    struct err e = err ? *err : (struct err){0};
    a->req = NULL;
    proxy_ask_cancel(a);
    cb.end(ctx, err ? &e : NULL);
}

static void on_timer(void *ctx) {
    struct ask *a = ctx;
    finish(a, &a->failure);
}

/* On the next turn, since we may be inside proxy_ask(). */
static void fail_later(struct ask *a) {
    a->timer = timer_new(a->p->w, on_timer, a);
    timer_in(a->timer, 0);
}

/* ---- who asks ---- */

static bool is_ours(const struct proxy *p, const struct http_exchange *x) {
    struct slice scheme, token;
    volatile unsigned char differs = 0;
    if (!x) return true;
    slice_cut(http_x_header(x, "Authorization"), ' ', &scheme, &token);
    token = slice_trim(token);
    size_t n = strlen(p->token);
    if (!http_name_eq(scheme, SL("Bearer")) || token.n != n) return false;
    for (size_t i = 0; i < n; i++) /* in a time that says nothing of where they differ */
        differs = (unsigned char)(differs | (unsigned char)(token.p[i] ^ p->token[i]));
    return differs == 0;
}

static bool impersonates(struct slice name) {
    static const char prefix[] = "Impersonate-";
    return name.n >= sizeof prefix - 1 &&
           http_name_eq(slice_make(name.p, sizeof prefix - 1), slice_of(prefix));
}

/* The caller's own: as whom it acts, and what it is called. */
static bool add_theirs(struct http_headers *h, const struct http_exchange *x, bool impersonated) {
    const struct http_headers *theirs = http_x_headers(x);
    bool named = false;
    for (size_t i = 0; i < theirs->n; i++) {
        bool as = impersonates(theirs->v[i].name);
        named = named || http_name_eq(theirs->v[i].name, SL("User-Agent"));
        if (as && impersonated) return false; /* as one who acts as another, nobody acts as a third */
        if (!as && !http_name_eq(theirs->v[i].name, SL("User-Agent"))) continue;
        if (h->n + REQUEST_HEADERS > HTTP_MAX_HEADERS) return false;
        http_headers_add(h, theirs->v[i].name, theirs->v[i].value);
    }
    if (!named) http_headers_add(h, SL("User-Agent"), SL("handover/" HANDOVER_VERSION));
    return true;
}

/* ---- the one place where a request leaves ---- */

static bool may_send(void *ctx) {
    struct ask *a = ctx;
    const struct upstream *u = a->s.u;
    if (upstream_writes_nothing(slice_of(upstream_method(u)), buf_slice(&u->target),
                                slice_of(u->content_type), buf_slice(&u->body)))
        return true;
    LOG_EVENT(a->p->log, LOG_ERROR, "RehearsalFenced", "a request that could write was stopped",
              LF_STR("method", upstream_method(u)), LF_SLICE("target", buf_slice(&u->target)));
    overlay_refused(a->p->overlay, SL("a request that could write"), SL("stopped before it left"));
    return false;
}

static void on_head(void *ctx, int status, const struct http_headers *h) {
    struct ask *a = ctx;
    a->stale = status == 401 && !a->refreshed && is_ours(a->p, a->s.as);
    a->bare_401 = status == 401;
    if (!a->stale) a->cb.head(a->ctx, status, h);
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct ask *a = ctx;
    a->bare_401 = false;
    return a->stale ? HTTP_MORE : a->cb.body(a->ctx, data);
}

/* The API server closes an HTTP/2 connection behind a 401, and its body may be lost with it. The body of what is no
 * 200 is kept or passed on by those who ask: none of them cancels in there. */
static void end_401(struct ask *a) {
    cleanup_buf struct buf body = BUF(1024);
    status_write(&body, 401, "Unauthorized", "Unauthorized", "", "");
    a->cb.body(a->ctx, buf_slice(&body));
    finish(a, NULL);
}

static void on_end(void *ctx, const struct err *err, int status) {
    struct ask *a = ctx;
    (void)status;
    a->req = NULL;
    if (err && a->bare_401 && !a->stale) {
        end_401(a);
        return;
    }
    if (!a->stale) {
        finish(a, err);
        return;
    }
    a->refreshed = a->auth_open = true;
    a->stale = a->bare_401 = false;
    kube_config_auth(a->p->config, true, on_auth, a);
}

static void send_it(struct ask *a, struct slice authorization, bool ours) {
    static const struct http_client_cb cb = {on_head, on_body, on_end};
    const struct upstream *u = a->s.u;
    const struct http_tls *tls = kube_config_tls(a->p->config);
    struct http_tls bare; /* of another's token: a client certificate of ours would speak for it */
    if (tls && !ours) {
        bare = *tls;
        bare.cert = bare.key = (struct slice){0};
        bare.id = ~tls->id;
        tls = &bare;
    }
    struct http_headers h = {0};
    const char *as = ours ? kube_config_as(a->p->config) : NULL;
    if (as) http_headers_add(&h, SL("Impersonate-User"), slice_of(as));
    if (a->s.as && !add_theirs(&h, a->s.as, as != NULL)) {
        err_set(&a->failure, ERR_REJECTED, -E2BIG, "Impersonate-* headers that cannot be passed on");
        fail_later(a);
        return;
    }
    if (!a->s.as) http_headers_add(&h, SL("User-Agent"), SL("handover/" HANDOVER_VERSION));
    if (authorization.n) http_headers_add(&h, SL("Authorization"), authorization);
    http_headers_add(&h, SL("Accept"), slice_of(u->accept));
    http_headers_add(&h, SL("Accept-Encoding"), SL("identity"));
    if (u->content_type) http_headers_add(&h, SL("Content-Type"), slice_of(u->content_type));
    cleanup_free char *url = xasprintf("%s%s", kube_config_server(a->p->config), buf_str(&u->target));
    struct http_spec spec = {.lane = a->s.lane,
                             .method = upstream_method(u),
                             .url = url,
                             .headers = &h,
                             .body = buf_slice(&u->body),
                             .total_ns = a->s.total_ns,
                             .body_cap = a->s.body_cap,
                             .tls = tls,
                             .proxy = kube_config_proxy(a->p->config),
                             .may_send = may_send,
                             .may_send_ctx = a};
    if (http_start(a->p->w, &spec, &cb, a, &a->req, &a->failure) == 0) return;
    a->req = NULL;
    fail_later(a);
}

static void on_auth(void *ctx, const struct err *err, struct slice authorization) {
    struct ask *a = ctx;
    a->auth_open = false;
    if (!err) {
        send_it(a, authorization, true);
        return;
    }
    a->failure = *err;
    fail_later(a);
}

struct ask *proxy_ask(struct proxy *p, const struct ask_spec *s, const struct ask_cb *cb, void *ctx) {
    struct ask *a = xcalloc(1, sizeof *a);
    *a = (struct ask){.p = p, .s = *s, .cb = *cb, .ctx = ctx};
    if (is_ours(p, s->as)) {
        a->auth_open = true;
        kube_config_auth(p->config, false, on_auth, a);
    } else {
        send_it(a, http_x_header(s->as, "Authorization"), false);
    }
    return a;
}
