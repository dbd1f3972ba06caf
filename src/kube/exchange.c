/* See exchange.h. */
#include "exchange.h"
#include "api/status.h"
#include "base/json.h"
#include "retry.h"
#include <errno.h>
#include <stdio.h>

enum { STATUS_CAP = 64 << 10, HEADER_CAP = 128 << 10, ONE_YEAR_S = 365 * 86400 };

struct exchange {
    struct kube *k;
    struct exchange_spec s;
    struct exchange_cb cb;
    void *ctx;
    struct http_req *req;
    struct timer *timer; /* while waiting for credentials: the deadline; with failure filled: its delivery */
    struct err failure;
    struct buf authorization, status_body;
    uint64_t tls_id;
    enum { AUTH_FIRST, AUTH_LOOK, AUTH_REFRESH } auth; /* after a 401: has it changed? then: get another */
    bool auth_open, sent;
    int status;
    char encoded[32];    /* Content-Encoding of the answer, if it has one */
    struct buf location; /* where a redirect leads, as it may be shown */
    int64_t began_ns, retry_after_s;
};

static void on_auth(void *ctx, const struct err *err, struct slice authorization);

static void exchange_free(struct exchange *x) {
    if (x->auth_open) kube_config_auth_cancel(x->k->cfg, x);
    if (x->req) http_cancel(x->req);
    timer_free(x->timer);
    buf_free(&x->authorization);
    buf_free(&x->status_body);
    buf_free(&x->location);
    free(x);
}

void exchange_cancel(struct exchange *x) {
    if (x) exchange_free(x);
}

void exchange_resume(struct exchange *x) {
    if (x->req) http_resume(x->req);
}

/* ---- the end ---- */

static void finish(struct exchange *x, const struct err *err) {
    struct err e = err ? *err : (struct err){0};
    struct exchange_cb cb = x->cb;
    void *ctx = x->ctx;
    struct buf body = x->status_body;
    bool sent = x->sent;
    x->status_body = (struct buf){0};
    if (!x->s.foreign) x->k->suspect[x->s.lane] = e.kind == ERR_TIMEOUT && !e.http && sent;
    exchange_free(x);
    cb.end(ctx, err ? &e : NULL, buf_slice(&body), sent);
    buf_free(&body);
}

static void on_timer(void *ctx) {
    struct exchange *x = ctx;
    if (!x->failure.kind)
        err_set(&x->failure, ERR_TIMEOUT, -ETIMEDOUT, "%s: no credentials in time", x->s.what);
    struct err e = x->failure;
    finish(x, &e);
}

/* On the next turn, since we may be inside the call that started it. */
static void fail_later(struct exchange *x, const struct err *err) {
    x->failure = *err;
    if (!x->failure.kind) x->failure.kind = ERR_TRANSPORT;
    timer_in(x->timer, 0);
}

static void count(struct exchange *x, bool failed) {
    char code[16] = "<error>";
    if (!failed) snprintf(code, sizeof code, "%d", x->status);
    const char *labels[] = {code, x->s.method, kube_config_host(x->k->cfg)};
    if (x->k->requests && !x->s.foreign) metric_inc(metric_with(x->k->requests, labels));
}

static void observe(struct exchange *x) {
    double s = (double)(world_mono_ns(x->k->w) - x->began_ns) / (double)NS_PER_S;
    if (x->k->durations && !x->s.foreign) metric_observe(metric_with(x->k->durations, &x->s.method), s);
}

/* ---- the answer ---- */

static void on_head(void *ctx, int status, const struct http_headers *h) {
    struct exchange *x = ctx;
    int64_t after;
    struct slice encoding = slice_trim(http_headers_get(h, "Content-Encoding"));
    x->status = status;
    x->retry_after_s = 0;
    x->encoded[0] = '\0';
    buf_clear(&x->location);
    url_shown(http_headers_get(h, "Location"), &x->location);
    if (encoding.n && !http_name_eq(encoding, SL("identity")))
        snprintf(x->encoded, sizeof x->encoded, "%.*s", SLF(encoding));
    if (slice_i64(slice_trim(http_headers_get(h, "Retry-After")), &after) == 0 && after > 0) {
        x->retry_after_s = after < ONE_YEAR_S ? after : ONE_YEAR_S; /* a date is left out: clocks differ */
    }
    if (x->s.stream) observe(x);
    if (x->cb.head && status >= 200 && status < 300) x->cb.head(x->ctx, h);
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct exchange *x = ctx;
    if (x->encoded[0]) return HTTP_MORE; /* of no use, see classify() */
    if (x->status >= 200 && x->status < 300) return x->cb.body ? x->cb.body(x->ctx, data) : HTTP_MORE;
    size_t room = STATUS_CAP - x->status_body.n;
    buf_add(&x->status_body, slice_make(data.p, data.n < room ? data.n : room));
    return HTTP_MORE;
}

static void refused(struct exchange *x, struct err *e) {
    struct buf who = BUF(400);
    kube_config_describe(x->k->cfg, &who);
    struct err said = *e;
    err_set(e, said.kind, said.errnum, "%s; refused were the credentials of %s", said.msg, buf_str(&who));
    e->http = said.http;
    buf_free(&who);
}

/* Of plain http the proxy sees all, and a failure that is no Status of an API server is most likely its own: an
 * outage, and not what the API server says of the object. */
static bool of_the_proxy(const struct exchange *x) {
    const char *server = kube_config_server(x->k->cfg);
    if (x->s.foreign || !kube_config_proxy(x->k->cfg) || slice_starts(slice_of(server), SL("https:")))
        return false;
    cleanup_json cJSON *body = json_parse(buf_slice(&x->status_body), NULL);
    const char *kind = json_str(body, "kind");
    return !kind || strcmp(kind, "Status") != 0;
}

static void blame_proxy(const struct exchange *x, struct err *e) {
    cleanup_buf struct buf proxy = BUF(400);
    struct err was = *e;
    url_shown(slice_of(kube_config_proxy(x->k->cfg)), &proxy);
    err_set(e, ERR_TRANSPORT, -ECONNRESET, "%s (from the proxy %s, not from the API server)", was.msg,
            buf_str(&proxy));
    e->http = was.http;
    e->retry_after_ms = was.retry_after_ms;
}

static void classify(struct exchange *x, struct err *e) {
    if (x->status >= 200 && x->status < 300) {
        if (x->encoded[0])
            err_set(e, ERR_PROTOCOL, -EPROTO, "%s: the answer is encoded (%s), which was not asked for",
                    x->s.what, x->encoded);
        return;
    }
    if (x->status < 400) {
        if (x->s.foreign) {
            err_set(e, ERR_PROTOCOL, -EPROTO, "%s: redirected (%d), which is not followed", x->s.what,
                    x->status);
        } else if (x->location.n) {
            err_set(
                e, ERR_PROTOCOL, -EPROTO,
                "%s: redirected (%d) to \"%s\": no API server answers so; is a login page or a proxy before "
                "it, or the server's URL wrong?",
                x->s.what, x->status, buf_str(&x->location));
        } else {
            err_set(e, ERR_PROTOCOL, -EPROTO, "%s: %d %s where an answer should be: is this an API server?",
                    x->s.what, x->status, http_status_text(x->status));
        }
        e->http = x->status;
        return;
    }
    status_to_err(x->status, buf_slice(&x->status_body), x->s.what, e);
    if (x->retry_after_s) {
        e->retry_after_ms = x->retry_after_s * 1000;
        if (x->status == 503) {
            e->kind = ERR_THROTTLED;
            e->errnum = -EAGAIN;
        }
    }
    retry_cap_after(e);
    if (of_the_proxy(x)) blame_proxy(x, e);
    if (x->status == 401 && !x->s.foreign) refused(x, e);
}

static void on_end(void *ctx, const struct err *err, int status) {
    struct exchange *x = ctx;
    struct err e = {0};
    x->req = NULL;
    x->status = status;
    count(x, err != NULL);
    if (!x->s.stream) observe(x);
    if (err) {
        e = *err;
        cleanup_buf struct buf proxy = BUF(400);
        if (!x->s.foreign && kube_config_proxy(x->k->cfg))
            url_shown(slice_of(kube_config_proxy(x->k->cfg)), &proxy);
        if (proxy.n) err_wrap(&e, "through the proxy %s", buf_str(&proxy));
        err_wrap(&e, "%s", x->s.what);
    } else if (status == 401 && !x->s.foreign && x->auth == AUTH_FIRST) {
        x->auth = AUTH_LOOK;
        x->auth_open = true;
        timer_at(x->timer, x->s.deadline_ns);
        kube_config_auth(x->k->cfg, false, on_auth, x);
        return;
    } else {
        classify(x, &e);
    }
    finish(x, e.kind ? &e : NULL);
}

/* ---- the request ---- */

static bool may_send(void *ctx) {
    struct exchange *x = ctx;
    if (x->s.fenced && !kube_may_mutate(x->k)) return false;
    x->sent = true;
    return true;
}

static void add(struct http_headers *h, const char *name, struct slice value) {
    if (value.n) http_headers_add(h, slice_of(name), value);
}

static void send_it(struct exchange *x, const struct http_tls *tls) {
    static const struct http_client_cb cb = {on_head, on_body, on_end};
    int64_t left = x->s.deadline_ns - world_boot_ns(x->k->w);
    struct err e = {0};
    if (left <= 0) {
        err_set(&e, ERR_TIMEOUT, -ETIMEDOUT, "%s: no time left to send it", x->s.what);
        fail_later(x, &e);
        return;
    }
    cleanup_free char *url =
        xasprintf("%s%s", x->s.foreign ? "" : kube_config_server(x->k->cfg), x->s.target);
    struct http_headers h = {0};
    add(&h, "Authorization", buf_slice(&x->authorization));
    if (!x->s.foreign) add(&h, "Impersonate-User", slice_of(kube_config_as(x->k->cfg)));
    add(&h, "User-Agent", slice_of(x->k->agent));
    add(&h, "Accept", slice_of(x->s.accept));
    if (x->s.identity) add(&h, "Accept-Encoding", SL("identity"));
    add(&h, "Content-Type", slice_of(x->s.content_type));
    struct http_spec spec = {.lane = x->s.lane,
                             .method = x->s.method,
                             .url = url,
                             .headers = &h,
                             .body = x->s.body,
                             .total_ns = left,
                             .body_cap = x->s.body_cap,
                             .tls = tls,
                             .proxy = x->s.foreign ? NULL : kube_config_proxy(x->k->cfg),
                             .fresh = x->s.fresh || (!x->s.foreign && x->k->suspect[x->s.lane]),
                             .may_send = may_send,
                             .may_send_ctx = x};
    buf_clear(&x->status_body);
    x->status = 0;
    x->tls_id = tls ? tls->id : 0;
    x->began_ns = world_mono_ns(x->k->w);
    if (http_start(x->k->w, &spec, &cb, x, &x->req, &e) < 0) {
        x->req = NULL;
        err_wrap(&e, "%s", x->s.what);
        fail_later(x, &e);
        return;
    }
    timer_stop(x->timer); /* the request has its own deadline */
}

static void on_auth(void *ctx, const struct err *err, struct slice authorization) {
    struct exchange *x = ctx;
    x->auth_open = false;
    if (err) {
        struct err e = *err;
        err_wrap(&e, "%s", x->s.what);
        fail_later(x, &e);
        return;
    }
    const struct http_tls *tls = kube_config_tls(x->k->cfg);
    bool same = slice_eq(authorization, buf_slice(&x->authorization)) && x->tls_id == (tls ? tls->id : 0);
    if (x->auth == AUTH_LOOK && same) {
        x->auth = AUTH_REFRESH;
        x->auth_open = true;
        kube_config_auth(x->k->cfg, true, on_auth, x);
    } else if (x->auth == AUTH_REFRESH && same) { /* sending them again would change nothing */
        struct err e = {0};
        classify(x, &e);
        fail_later(x, &e);
    } else {
        if (x->auth == AUTH_LOOK) x->auth = AUTH_REFRESH;
        buf_clear(&x->authorization);
        buf_add(&x->authorization, authorization);
        send_it(x, tls);
    }
}

struct exchange *exchange_start(struct kube *k, const struct exchange_spec *spec,
                                const struct exchange_cb *cb, void *ctx) {
    struct exchange *x = xcalloc(1, sizeof *x);
    x->k = k;
    x->s = *spec;
    x->cb = *cb;
    x->ctx = ctx;
    x->timer = timer_new(k->w, on_timer, x);
    buf_init(&x->authorization, HEADER_CAP);
    buf_init(&x->status_body, STATUS_CAP);
    buf_init(&x->location, 400);
    if (spec->foreign) {
        if (spec->bearer && spec->bearer[0]) buf_addf(&x->authorization, "Bearer %s", spec->bearer);
        send_it(x, spec->tls);
        return x;
    }
    x->auth_open = true;
    timer_at(x->timer, spec->deadline_ns);
    kube_config_auth(k->cfg, false, on_auth, x);
    return x;
}
