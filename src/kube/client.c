/* Calls to the API server; see kube/client.h. A call is a number of exchanges with waits in between. */
#include "api/status.h"
#include "exchange.h"
#include "retry.h"
#include <errno.h>
#include <stdio.h>

static const int64_t default_timeout_ns = 30 * NS_PER_S;
static const size_t default_cap = 8 << 20, scrape_cap = 32 << 20;

const char kube_accept_json[] = "application/json";
/* A server that cannot make metadata of it answers with the object, which is as good. */
const char kube_accept_meta[] =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
const char kube_accept_meta_list[] =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

struct kube_op {
    struct kube *k;
    struct list node;
    struct exchange *x;
    struct timer *timer; /* the next attempt, or the delivery of failure */
    struct err failure;
    char *target, *what, *bearer;
    struct buf body, answer;
    struct http_tls tls;
    const char *method, *accept, *content_type;
    enum http_lane lane;
    int64_t deadline_ns, timeout_ns;
    size_t cap;
    unsigned attempt;
    bool foreign, fenced, mutates, no_retry, json, fresh;
    int (*chunk)(void *ctx, struct slice piece, struct err *err); /* of a scrape */
    void (*head)(void *ctx, struct slice content_type, bool framed);
    kube_done done;
    void *ctx;
};

static void attempt(void *ctx);

/* ---- the client ---- */

struct kube *kube_new(struct world *w, struct kube_config *cfg, struct log *log, struct metrics *metrics) {
    struct kube *k = xcalloc(1, sizeof *k);
    k->w = w;
    k->cfg = cfg;
    k->log = log;
    k->metrics = metrics;
    kube_identify(k, "handover", "handover/" HANDOVER_VERSION);
    list_init(&k->ops);
    list_init(&k->lists);
    if (metrics) {
        k->requests = metrics_family(metrics, METRIC_COUNTER, "rest_client_requests_total",
                                     "Requests to the API server, by answer", "code,method,host", NULL, 0);
        k->durations = metrics_family(
            metrics, METRIC_HISTOGRAM, "rest_client_request_duration_seconds",
            "Requests to the API server: to the end of the answer, of watches to its beginning", "verb",
            metrics_seconds, ARRAY_LEN(metrics_seconds));
    }
    return k;
}

void kube_identify(struct kube *k, const char *manager, const char *agent) {
    k->manager = manager;
    k->agent = agent;
}

struct world *kube_world(struct kube *k) {
    return k->w;
}
struct log *kube_log(struct kube *k) {
    return k->log;
}
struct metrics *kube_metrics(struct kube *k) {
    return k->metrics;
}
void kube_set_fence(struct kube *k, struct kube_fence f) {
    k->fence = f;
}
bool kube_may_mutate(const struct kube *k) {
    return !k->fence.held || k->fence.held(k->fence.ctx);
}

bool kube_in_the_air(const struct kube_op *op) {
    return op->mutates && op->x;
}

/* ---- what is asked ---- */

void kube_what(struct buf *out, const char *verb, const struct kube_ref *ref) {
    buf_addf(out, "%s %s%s%s", verb, ref->gvr->resource, ref->gvr->group[0] ? "." : "", ref->gvr->group);
    if (ref->sub.n) buf_addf(out, "/%.*s", SLF(ref->sub));
    bool all = ref->gvr->namespaced && !ref->ns.n;
    if (ref->name.n) {
        buf_addf(out, " %.*s%s%.*s", SLF(ref->ns), ref->ns.n ? "/" : "", SLF(ref->name));
    } else if (ref->gvr->namespaced) {
        buf_addf(out, all ? " in all namespaces" : " in namespace %.*s", SLF(ref->ns));
    }
}

void kube_collection(struct buf *out, bool *first, const struct gvr *gvr, struct slice ns,
                     struct slice labels, struct slice fields) {
    gvr_path(out, gvr, ns, (struct slice){0}, (struct slice){0});
    if (labels.n) url_query(out, first, "labelSelector", labels);
    if (fields.n) url_query(out, first, "fieldSelector", fields);
}

struct verb {
    const char *name, *method, *type;
    bool mutates, managed;
};
static const struct verb verbs[] = {
    [KUBE_GET] = {"get", "GET", NULL, false, false},
    [KUBE_LIST] = {"list", "GET", NULL, false, false},
    [KUBE_CREATE] = {"create", "POST", "application/json", true, true},
    [KUBE_UPDATE] = {"update", "PUT", "application/json", true, true},
    [KUBE_PATCH_MERGE] = {"patch", "PATCH", "application/merge-patch+json", true, true},
    [KUBE_PATCH_JSON] = {"patch", "PATCH", "application/json-patch+json", true, true},
    [KUBE_PATCH_STRATEGIC] = {"patch", "PATCH", "application/strategic-merge-patch+json", true, true},
    [KUBE_APPLY] = {"apply", "PATCH", "application/apply-patch+yaml", true, true},
    [KUBE_DELETE] = {"delete", "DELETE", "application/json", true, false},
};

static int write_target(struct kube_op *op, const struct kube_spec *s, const struct verb *v,
                        struct err *err) {
    struct buf t = BUF(64 << 10), what = BUF(1024);
    bool first = true;
    if (s->path) {
        buf_adds(&t, s->path);
        first = !strchr(s->path, '?');
        buf_addf(&what, "%s %.*s", v->name, (int)strcspn(s->path, "?"), s->path);
    } else {
        gvr_path(&t, s->ref.gvr, s->ref.ns, s->verb == KUBE_LIST ? (struct slice){0} : s->ref.name,
                 s->ref.sub);
        kube_what(&what, v->name, &s->ref);
    }
    if (s->labels.n) url_query(&t, &first, "labelSelector", s->labels);
    if (s->fields.n) url_query(&t, &first, "fieldSelector", s->fields);
    if (s->limit) {
        char number[16];
        snprintf(number, sizeof number, "%u", s->limit);
        url_query(&t, &first, "limit", slice_of(number));
    }
    if (v->managed) url_query(&t, &first, "fieldManager", slice_of(s->manager ? s->manager : op->k->manager));
    if (s->dry_run) url_query(&t, &first, "dryRun", SL("All"));
    bool full = t.full || what.full;
    op->what = buf_take(&what);
    op->target = buf_take(&t);
    bool named = s->path || s->verb == KUBE_LIST || s->verb == KUBE_CREATE || s->ref.name.n;
    bool placed = s->path || s->verb == KUBE_LIST || !s->ref.gvr->namespaced || s->ref.ns.n;
    if (full) return err_set(err, ERR_CONFIG, -E2BIG, "%s: a name or selector is too long", op->what);
    if (!named || !placed) {
        return err_set(err, ERR_CONFIG, -EINVAL, "%s: needs a %s", op->what, named ? "namespace" : "name");
    }
    return 0;
}

/* ---- ends ---- */

static void op_free(struct kube_op *op) {
    list_remove(&op->node);
    op->k->calls -= op->lane == LANE_CALL;
    exchange_cancel(op->x);
    timer_free(op->timer);
    free(op->target);
    free(op->what);
    free(op->bearer);
    buf_free(&op->body);
    buf_free(&op->answer);
    free(op);
}

static void finish(struct kube_op *op, const struct err *err, struct slice raw) {
    struct err e = err ? *err : (struct err){0};
    struct buf answer = op->answer;
    kube_done done = op->done;
    void *ctx = op->ctx;
    op->answer = (struct buf){0};
    op_free(op);
    done(ctx, err ? &e : NULL, raw);
    buf_free(&answer);
}

static void deliver_failure(void *ctx) {
    struct kube_op *op = ctx;
    struct err e = op->failure;
    finish(op, &e, (struct slice){0});
}

/* Replaces what the timer was for. */
static struct timer *timer_for(struct kube_op *op, world_fn fn) {
    timer_free(op->timer);
    return op->timer = timer_new(op->k->w, fn, op);
}

static void fail_later(struct kube_op *op, const struct err *err) {
    op->failure = *err;
    timer_in(timer_for(op, deliver_failure), 0);
}

/* ---- attempts ---- */

/* May this very request be sent again? */
static bool worth_retrying(const struct kube_op *op, const struct err *err, bool sent) {
    if (op->no_retry || !retry_worth(err, op->attempt)) return false;
    if (err->kind == ERR_THROTTLED) return true; /* not carried out */
    return !op->mutates || (!sent && !err->http);
}

static bool looks_like_json(struct slice raw) {
    raw = slice_trim(raw);
    return raw.n && raw.p[0] == '{' && raw.p[raw.n - 1] == '}';
}

static void on_end(void *ctx, const struct err *err, struct slice status_body, bool sent) {
    struct kube_op *op = ctx;
    op->x = NULL;
    if (!err) {
        struct slice raw = buf_slice(&op->answer);
        struct err e = {0};
        if (op->json && !looks_like_json(raw)) {
            err_set(&e, ERR_PROTOCOL, -EPROTO,
                    "%s: the answer is no JSON object (%zu bytes): is this an API server?", op->what, raw.n);
        }
        finish(op, e.kind ? &e : NULL, raw);
        return;
    }
    if (worth_retrying(op, err, sent)) {
        int64_t at = world_boot_ns(op->k->w) + retry_delay_ns(err, op->attempt, world_rand(op->k->w));
        if (at < op->deadline_ns) {
            op->fresh = err->kind == ERR_TIMEOUT && !err->http;
            timer_at(timer_for(op, attempt), at);
            return;
        }
    }
    finish(op, err, status_body);
}

/* Without a length and without chunks the end of the answer is the end of the connection, which may come early. What
 * comes from the API server has its own framing, over HTTP/2 too. */
static void on_head(void *ctx, const struct http_headers *h) {
    struct kube_op *op = ctx;
    struct slice encoding = slice_trim(http_headers_get(h, "Transfer-Encoding"));
    bool framed =
        encoding.n ? http_name_eq(encoding, SL("chunked")) : http_headers_get(h, "Content-Length").n > 0;
    if (op->head) op->head(op->ctx, slice_trim(http_headers_get(h, "Content-Type")), framed || !op->foreign);
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct kube_op *op = ctx;
    struct err e = {0};
    if (!op->chunk) {
        buf_add(&op->answer, data); /* capped by the exchange */
    } else if (op->chunk(op->ctx, data, &e) < 0) {
        exchange_cancel(op->x);
        op->x = NULL;
        fail_later(op, &e);
    }
    return HTTP_MORE;
}

/* Of a read that may be tried again a third of the time, so that a connection which hangs leaves time for
 * another. */
static int64_t attempt_deadline(const struct kube_op *op) {
    bool first = op->attempt == 1 && !op->no_retry && !op->mutates && !op->foreign;
    return op->deadline_ns - (first ? op->timeout_ns * 2 / 3 : 0);
}

static void attempt(void *ctx) {
    static const struct exchange_cb cb = {.head = on_head, .body = on_body, .end = on_end};
    struct kube_op *op = ctx;
    if (op->fenced && !kube_may_mutate(op->k)) {
        struct err e;
        err_set(&e, ERR_FENCED, -EPERM, "%s: not sent, since the lease is not held", op->what);
        fail_later(op, &e);
        return;
    }
    op->attempt++;
    buf_clear(&op->answer);
    struct exchange_spec s = {.lane = op->lane,
                              .method = op->method,
                              .accept = op->accept,
                              .content_type = op->content_type,
                              .target = op->target,
                              .what = op->what,
                              .body = buf_slice(&op->body),
                              .deadline_ns = attempt_deadline(op),
                              .body_cap = op->cap,
                              .identity = op->chunk != NULL,
                              .fresh = op->fresh,
                              .fenced = op->fenced,
                              .foreign = op->foreign,
                              .bearer = op->bearer,
                              .tls = op->foreign ? &op->tls : NULL};
    op->x = exchange_start(op->k, &s, &cb, op);
}

static struct kube_op *op_new(struct kube *k, int64_t timeout_ns, size_t cap, kube_done done, void *ctx) {
    struct kube_op *op = xcalloc(1, sizeof *op);
    op->k = k;
    op->done = done;
    op->ctx = ctx;
    op->timeout_ns = timeout_ns > 0 ? timeout_ns : default_timeout_ns;
    op->deadline_ns = world_boot_ns(k->w) + op->timeout_ns;
    op->cap = cap ? cap : default_cap;
    buf_init(&op->answer, op->cap);
    list_push(&k->ops, &op->node);
    return op;
}

static void set_lane(struct kube_op *op, enum http_lane lane) {
    op->lane = lane;
    op->k->calls += lane == LANE_CALL;
}

struct kube_op *kube_call(struct kube *k, const struct kube_spec *spec, kube_done done, void *ctx) {
    const struct verb *v = &verbs[spec->verb];
    struct kube_op *op = op_new(k, spec->timeout_ns, spec->body_cap, done, ctx);
    op->method = v->method;
    op->content_type = spec->body.n ? v->type : NULL;
    op->accept = !spec->metadata_only      ? kube_accept_json
                 : spec->verb == KUBE_LIST ? kube_accept_meta_list
                                           : kube_accept_meta;
    set_lane(op, spec->urgent && k->calls >= KUBE_CROWD ? LANE_URGENT : spec->lane);
    op->mutates = v->mutates;
    op->fenced = v->mutates && !spec->unfenced;
    op->no_retry = spec->no_retry;
    /* A pod's answer through a proxy, and logs, may be of any type. */
    op->json =
        !spec->path && !slice_starts(spec->ref.sub, SL("proxy")) && !slice_starts(spec->ref.sub, SL("log"));
    if (!op->json) op->accept = "*/*";
    buf_init(&op->body, spec->body.n);
    buf_add(&op->body, spec->body);
    struct err e = {0};
    if (write_target(op, spec, v, &e) < 0) {
        fail_later(op, &e);
    } else {
        attempt(op);
    }
    return op;
}

static char *what_of_url(const char *verb, const char *url) {
    struct url u;
    if (url_split(slice_of(url), &u) < 0) return xstrdup(verb); /* it may hold a secret */
    const char *path = u.path.p ? u.path.p : "";
    return xasprintf("%s %.*s://%.*s:%u%.*s", verb, SLF(u.scheme), SLF(u.host), u.port,
                     (int)strcspn(path, "?#"), path);
}

static void as_question(struct kube_op *op, struct slice form) {
    op->method = "POST";
    op->accept = kube_accept_json;
    op->content_type = "application/x-www-form-urlencoded";
    buf_init(&op->body, form.n);
    buf_add(&op->body, form);
}

struct kube_op *kube_scrape(struct kube *k, const struct kube_scrape *spec, const struct kube_scrape_cb *cb,
                            void *ctx) {
    struct kube_op *op = op_new(k, spec->timeout_ns, scrape_cap, cb->done, ctx);
    struct err e = {0};
    op->method = "GET";
    op->accept = "text/plain;version=0.0.4,*/*;q=0.5";
    op->chunk = cb->chunk;
    op->head = cb->head;
    op->no_retry = true;
    set_lane(op, LANE_SCRAPE); /* by path as well: the API server passes a pod's page on */
    if (spec->url) {
        op->foreign = true;
        op->target = xstrdup(spec->url);
        op->what = what_of_url(spec->form.n ? "query" : "scrape", spec->url);
        op->bearer = slice_dup(slice_trim(spec->token));
        op->tls.insecure = spec->tls_insecure;
        op->tls.ca = spec->ca;
        op->tls.id = tls_id(&op->tls);
        if (spec->form.n) as_question(op, spec->form);
    } else if (spec->path) {
        write_target(op, &(struct kube_spec){.path = spec->path}, &verbs[KUBE_GET], &e);
    } else {
        op->what = xstrdup("scrape");
        err_set(&e, ERR_CONFIG, -EINVAL, "%s: needs a url or a path", op->what);
    }
    if (e.kind)
        fail_later(op, &e);
    else
        attempt(op);
    return op;
}

void kube_cancel(struct kube_op *op) {
    if (op) op_free(op);
}

void kube_free(struct kube *k) {
    if (!k) return;
    while (!list_empty(&k->ops)) op_free(container_of(k->ops.next, struct kube_op, node));
    kube_lists_cancel(k);
    free(k);
}
