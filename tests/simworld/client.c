/* The HTTP client of a host: connecting, the last look before sending, the answer's callbacks, time-outs,
 * cancelling. */
#include "internal.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#define CONNECT_NS (10 * NS_PER_S)
enum { MAX_WARM = 4096 };

struct req {
    struct http_req base;
    struct list all;
    struct host *host;
    struct http_client_cb cb;
    void *ctx;
    struct link *link; /* made at once; sent later; NULL when broken */
    enum http_lane lane;
    int64_t connect_by;
    size_t cap, got;
    bool (*may_send)(void *ctx);
    void *may_send_ctx;
    char *proxy, *origin;
    bool fresh, tls, insecure, sent, hold, inside, cancelled, nowhere;
    char *ca;
    uint64_t tls_id;
    int status;
    int broken; /* negative errno: ends so on its next turn */
    const char *why;
    struct ev go, down, late, fail;
};

static struct req *req_of(struct http_req *r) {
    return container_of(r, struct req, base);
}

static void req_free(struct req *r) {
    struct simworld *sw = r->host->sw;
    struct ev *all[] = {&r->go, &r->down, &r->late, &r->fail};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) ev_cancel(sw, all[i]);
    list_remove(&r->all);
    free(r->proxy);
    free(r->origin);
    free(r->ca);
    free(r);
}

static void let_go(struct req *r) {
    struct link *l = r->link;
    r->link = NULL;
    if (!l) return;
    if (r->sent) {
        link_abandon(l);
    } else {
        l->req = NULL;
        link_free(l);
    }
}

/* The request is over: the callback comes last, and the request is gone before it. */
static void over(struct req *r, enum err_kind kind, int neg_errno, const char *why) {
    let_go(r);
    struct host *h = r->host;
    struct http_client_cb cb = r->cb;
    void *ctx = r->ctx;
    int status = r->status;
    struct err err = {0};
    if (kind != ERR_NONE) (void)err_set(&err, kind, neg_errno, "%s: %s", r->origin, why);
    trace(h->sw, h, "ends %d %s", status, kind == ERR_NONE ? "whole" : err.msg);
    req_free(r);
    cb.end(ctx, kind == ERR_NONE ? NULL : &err, status);
}

/* ---- connections kept open ---- */

static uint64_t warm_key(const struct req *r) {
    cleanup_free char *text = xasprintf("%d %s %llu %s", (int)r->lane, r->origin,
                                        (unsigned long long)r->tls_id, r->proxy ? r->proxy : "");
    return slice_hash(slice_of(text), 0);
}

static size_t warm_find(const struct host *h, uint64_t key) {
    size_t i = 0;
    while (i < h->nwarm && h->warm[i] != key) i++;
    return i;
}

static void warm_set(struct req *r, bool warm) {
    struct host *h = r->host;
    uint64_t key = warm_key(r);
    size_t i = warm_find(h, key);
    if (!warm && i < h->nwarm) h->warm[i] = h->warm[--h->nwarm];
    if (!warm || r->fresh || i < h->nwarm || h->nwarm == MAX_WARM) return;
    h->warm = xgrow(h->warm, &h->warm_cap, h->nwarm + 1, sizeof *h->warm);
    h->warm[h->nwarm++] = key;
}

static bool is_warm(const struct req *r) {
    return !r->fresh && warm_find(r->host, warm_key(r)) < r->host->nwarm;
}

/* ---- connecting and sending ---- */

static void connect_late(struct ev *e) {
    over(container_of(e, struct req, go), ERR_TIMEOUT, -ETIMEDOUT, "connecting took too long");
}

/* NULL: a connection stands. */
static const char *refused(const struct req *r, enum err_kind *kind, int *neg_errno) {
    const struct link *l = r->link;
    const struct simnet *net = net_between(r->host->sw, r->host->name, l->to);
    *kind = ERR_TRANSPORT;
    *neg_errno = -ECONNREFUSED;
    if (r->proxy && !proxy_exists(r->host->sw, r->proxy)) {
        *neg_errno = -ENOENT;
        return "could not resolve the proxy's name";
    }
    if (r->nowhere) {
        *neg_errno = -ENOENT;
        return "could not resolve the host's name";
    }
    struct simrequest rq = {.from = r->host->name, .to = l->to, .method = l->method, .target = l->target};
    if (net->refuse || (r->host->sw->refuse_fn && r->host->sw->refuse_fn(r->host->sw->refuse_ctx, &rq)))
        return "connection refused";
    if (l->kind == TO_HOST && !listener_there(l->peer, l->port, l->peer == r->host))
        return "connection refused";
    if (r->tls && l->server && l->server->ca && !r->insecure && !strstr(r->ca, l->server->ca)) {
        *kind = ERR_TLS;
        *neg_errno = -EPROTO;
        return "the server's certificate is not signed by a known authority";
    }
    return NULL;
}

static void go(struct ev *e) {
    struct req *r = container_of(e, struct req, go);
    struct simworld *sw = r->host->sw;
    bool warm = is_warm(r);
    if (!warm && !r->nowhere && net_blocked(sw, r->host->name, r->link->to)) { /* SYNs that nobody answers */
        r->go.fn = connect_late;
        ev_at(sw, &r->go, r->connect_by, EV_ANY);
        return;
    }
    enum err_kind kind;
    int neg_errno;
    const char *why = refused(r, &kind, &neg_errno);
    if (why) {
        warm_set(r, false);
        over(r, kind, neg_errno, why);
        return;
    }
    r->inside = true;
    bool may = !r->may_send || r->may_send(r->may_send_ctx);
    r->inside = false;
    if (r->cancelled) {
        let_go(r);
        req_free(r);
        return;
    }
    if (!may) {
        sw->stats.fenced++;
        over(r, ERR_FENCED, -EPERM, "not sent: it may not be sent any more");
        return;
    }
    r->sent = true;
    warm_set(r, true);
    link_send(r->link);
}

/* ---- the answer ---- */

static void fail_now(struct ev *e) {
    struct req *r = container_of(e, struct req, fail);
    over(r, ERR_TRANSPORT, r->broken, r->why);
}

void client_broken(struct req *r, int neg_errno, const char *why) {
    warm_set(r, false);
    r->link = NULL;
    r->broken = neg_errno;
    r->why = why;
    ev_cancel(r->host->sw, &r->go); /* it may not have been sent yet */
    ev_cancel(r->host->sw, &r->down);
    if (r->host->alive) ev_at(r->host->sw, &r->fail, r->host->sw->now, EV_ANY);
}

static void timed_out(struct ev *e) {
    struct req *r = container_of(e, struct req, late);
    r->host->sw->stats.timeouts++;
    warm_set(r, false);
    over(r, ERR_TIMEOUT, -ETIMEDOUT, "no complete answer in time");
}

void client_ready(struct req *r) {
    if (!r->link || r->hold || r->inside || !r->host->alive) return;
    ev_at(r->host->sw, &r->down, link_next(r->link), EV_ANY);
}

/* False: too much of it. */
static bool take_body(struct req *r, struct slice data) {
    trace_bytes(r->host->sw, data);
    if (r->cap && data.n > r->cap - r->got) return false;
    r->got += data.n;
    if (r->cb.body && r->cb.body(r->ctx, data) == HTTP_HOLD && r->lane != LANE_CALL && r->lane != LANE_URGENT)
        r->hold = true;
    return true;
}

static void next_message(struct ev *e) {
    struct req *r = container_of(e, struct req, down);
    struct msg *m = r->link ? link_take(r->link) : NULL;
    if (!m) return;
    bool fits = true, ended = m->type == MSG_END || m->type == MSG_CUT, cut = m->type == MSG_CUT;
    trace(r->host->sw, r->host, "gets %d %d %zu", (int)m->type, m->status, m->n);
    r->inside = true;
    if (m->type == MSG_HEAD) {
        r->status = m->status;
        if (r->cb.head) r->cb.head(r->ctx, m->status, &m->headers);
    } else if (m->type == MSG_BODY) {
        fits = take_body(r, slice_make(m->data, m->n));
    }
    r->inside = false;
    msg_free(m);
    if (r->cancelled) {
        let_go(r);
        req_free(r);
    } else if (!fits) {
        over(r, ERR_PROTOCOL, -EFBIG, "the answer is larger than allowed");
    } else if (cut) {
        warm_set(r, false);
        over(r, ERR_TRANSPORT, -ECONNRESET, "the connection broke in the middle of the answer");
    } else if (ended) {
        over(r, ERR_NONE, 0, "");
    } else if (r->link) {
        client_ready(r);
    }
}

static void op_resume(struct http_req *base) {
    struct req *r = req_of(base);
    if (!r->hold) return;
    r->hold = false;
    client_ready(r);
}

static void op_cancel(struct http_req *base) {
    struct req *r = req_of(base);
    if (r->inside) { /* freed when its own callback returns */
        r->cancelled = true;
        return;
    }
    trace(r->host->sw, r->host, "cancels");
    let_go(r);
    req_free(r);
}

/* ---- starting ---- */

/* "https://host:1234/path?q" -> host, port, target. */
static int split_url(const char *url, struct slice *ret_host, int *ret_port, const char **ret_target,
                     bool *ret_tls) {
    *ret_tls = strncasecmp(url, "https://", 8) == 0;
    if (!*ret_tls && strncasecmp(url, "http://", 7) != 0) return -EINVAL;
    const char *p = url + (*ret_tls ? 8 : 7), *end = p + strcspn(p, "/?#");
    *ret_target = *end == '/' ? end : "/";
    struct slice authority = slice_make(p, (size_t)(end - p)), host, port;
    if (authority.n > 0 && *p == '[') { /* IPv6 */
        const char *close = memchr(p, ']', authority.n);
        if (!close) return -EINVAL;
        host = slice_make(p + 1, (size_t)(close - p - 1));
        port = close + 1 < end && close[1] == ':' ? slice_make(close + 2, (size_t)(end - close - 2))
                                                  : (struct slice){0};
    } else {
        slice_cut(authority, ':', &host, &port);
    }
    int64_t n = *ret_tls ? 443 : 80;
    if (port.p && (slice_i64(port, &n) < 0 || n <= 0 || n > 65535)) return -EINVAL;
    if (host.n == 0) return -EINVAL;
    *ret_host = host;
    *ret_port = (int)n;
    return 0;
}

static struct server *server_of(struct simworld *sw, const char *url, const char **ret_target) {
    list_each(it, &sw->servers) {
        struct server *s = container_of(it, struct server, all);
        size_t n = strlen(s->url);
        if (strncmp(url, s->url, n) != 0 || (url[n] != '\0' && url[n] != '/' && url[n] != '?')) continue;
        *ret_target = url[n] == '/' ? url + n : "/";
        return s;
    }
    return NULL;
}

static bool is_local(struct slice host) {
    return slice_eqs(host, "127.0.0.1") || slice_eqs(host, "localhost") || slice_eqs(host, "::1");
}

/* A name or address may have belonged to a former process: the living one counts. */
static struct host *host_at(struct host *from, struct slice name) {
    if (is_local(name)) return from;
    struct host *dead = NULL;
    list_each(it, &from->sw->hosts) {
        struct host *h = container_of(it, struct host, all);
        if (!slice_eqs(name, h->name) && !slice_eqs(name, h->ip)) continue;
        if (h->alive) return h;
        dead = h;
    }
    return dead;
}

static bool is_address(struct slice s) {
    for (size_t i = 0; i < s.n; i++)
        if (!isdigit((unsigned char)s.p[i]) && s.p[i] != '.') return false;
    return true;
}

/* Where does it lead? Fills the link's far end. */
static void route(struct req *r, const char *url, struct slice host, int port, const char **target) {
    struct link *l = r->link;
    struct simworld *sw = r->host->sw;
    l->port = port;
    l->to = "nowhere";
    if ((l->server = server_of(sw, url, target)) != NULL) {
        l->kind = TO_SIM;
        l->to = l->server->name;
    } else if ((l->peer = host_at(r->host, host)) != NULL) {
        l->kind = TO_HOST;
        l->to = l->peer->name;
    } else if (sw->pods && is_address(host)) {
        l->kind = TO_POD;
        l->server = sw->pods;
        l->address = slice_dup(host);
        l->to = "pods";
    } else {
        r->nowhere = true;
    }
}

static void copy_headers(struct link *l, const struct http_headers *h) {
    cleanup_buf struct buf text = BUF((size_t)1 << 20);
    for (size_t i = 0; h && i < h->n; i++) {
        (void)buf_add(&text, h->v[i].name);
        (void)buf_add(&text, h->v[i].value);
    }
    l->head = buf_take(&text);
    const char *p = l->head;
    for (size_t i = 0; h && i < h->n; i++) {
        size_t n = h->v[i].name.n, v = h->v[i].value.n;
        (void)http_headers_add(&l->headers, slice_make(p, n), slice_make(p + n, v));
        p += n + v;
    }
}

static void fill(struct req *r, const struct http_spec *spec) {
    r->lane = spec->lane;
    r->cap = spec->body_cap;
    r->may_send = spec->may_send;
    r->may_send_ctx = spec->may_send_ctx;
    r->proxy = xstrdup_null(spec->proxy);
    r->fresh = spec->fresh;
    r->ca = spec->tls ? slice_dup(spec->tls->ca) : xstrdup("");
    r->tls_id = spec->tls ? spec->tls->id : 0;
    r->insecure = spec->tls && spec->tls->insecure;
}

static int64_t connect_time(struct req *r) {
    if (is_warm(r)) return 0;
    struct simnet net = *net_between(r->host->sw, r->host->name, r->link->to);
    net.slow = 0; /* what is slow is the carrying out, not the shaking of hands */
    int64_t t = 0;
    for (int i = 0; i < (r->tls ? 4 : 2); i++) t += net_latency(r->host->sw, &net);
    return t;
}

int client_start(struct world *w, const struct http_spec *spec, const struct http_client_cb *cb, void *ctx,
                 struct http_req **ret, struct err *err) {
    struct slice host;
    int port;
    const char *target;
    bool tls;
    int e = split_url(spec->url, &host, &port, &target, &tls);
    if (e < 0) return err_set(err, ERR_CONFIG, e, "%.200s is not an http or https URL", spec->url);
    struct host *h = host_of(w);
    struct req *r = xcalloc(1, sizeof *r);
    r->base.resume = op_resume;
    r->base.cancel = op_cancel;
    r->host = h;
    r->cb = *cb;
    r->ctx = ctx;
    r->tls = tls;
    r->origin = slice_dup(slice_make(spec->url, (size_t)(host.p + host.n - spec->url)));
    fill(r, spec);
    ev_init(&r->go, h, "connects", go);
    ev_init(&r->down, h, "message", next_message);
    ev_init(&r->late, h, "time-out", timed_out);
    ev_init(&r->fail, h, "broken", fail_now);
    list_push(&h->reqs, &r->all);
    *ret = &r->base;
    h->sw->stats.started++;
    if (!h->alive) return 0; /* the dead send nothing */

    struct link *l = r->link = link_new(h->sw, h);
    l->req = r;
    route(r, spec->url, host, port, &target);
    l->method = xstrdup(spec->method);
    struct slice only, fragment;
    slice_cut(slice_of(target), '#', &only, &fragment);
    l->target = slice_dup(only);
    l->body = slice_dup(spec->body);
    l->nbody = spec->body.n;
    copy_headers(l, spec->headers);
    r->connect_by =
        host_true(h, host_boot(h, h->sw->now) + (spec->connect_ns ? spec->connect_ns : CONNECT_NS));
    ev_at(h->sw, &r->go, h->sw->now + connect_time(r), EV_ANY);
    if (spec->total_ns > 0)
        ev_at(h->sw, &r->late, host_true(h, host_boot(h, h->sw->now) + spec->total_ns), EV_ANY);
    return 0;
}

/* ---- death ---- */

void client_kill(struct host *h) {
    list_each(it, &h->reqs) {
        struct req *r = container_of(it, struct req, all);
        let_go(r);
        struct ev *all[] = {&r->go, &r->down, &r->late, &r->fail};
        for (size_t i = 0; i < ARRAY_LEN(all); i++) ev_cancel(h->sw, all[i]);
    }
}

void client_free_all(struct host *h) {
    list_each_safe(it, tmp, &h->reqs) {
        struct req *r = container_of(it, struct req, all);
        let_go(r);
        req_free(r);
    }
}
