/* Sends the notifications; see notifier.h. */
#include "notifier.h"
#include "base/log.h"
#include "notification.h"
#include "world/http_client.h"
#include <errno.h>

enum { SECRET_CAP = 4096, CA_CAP = 1 << 20, EVENT_CAP = 64 << 10, ANSWER_CAP = 64 << 10, RETRY_MAX_S = 300 };
enum result { DELIVERED, FAILED, REFUSED, DROPPED, RESULTS };

struct notifier {
    struct kube *kube;
    struct notifier_options opt;
    const struct rollout *rollout;
    char *source;
    struct controller *controller;
    struct reconciler reconciler;
    struct metric *count[RESULTS];
    uint64_t tls_id; /* of the CA's certificates below */
    struct buf ca;
    bool full; /* was said */
};
struct delivery {
    struct notifier *n;
    struct task *task;
    struct http_req *req;
    int64_t retry_after_ms;
};

static void finish(struct delivery *d, enum result result, enum outcome out, const struct err *err) {
    struct task *task = d->task;
    if (result < RESULTS) metric_inc(d->n->count[result]);
    free(d);
    task_finish(task, out, 0, err);
}

static void on_head(void *ctx, int status, const struct http_headers *h) {
    struct delivery *d = ctx;
    int64_t s = 0;
    (void)status;
    if (slice_i64(slice_trim(http_headers_get(h, "Retry-After")), &s) == 0 && s > 0 && s <= RETRY_MAX_S)
        d->retry_after_ms = s * 1000;
}

/* What may be otherwise later is tried again; the rest is a dead letter, for a person to mend and retry. */
static void on_end(void *ctx, const struct err *failure, int status) {
    struct delivery *d = ctx;
    const char *url = d->n->opt.url;
    struct err err = {0};
    d->req = NULL;
    if (!failure && status >= 200 && status < 300) {
        finish(d, DELIVERED, OUT_DONE, NULL);
        return;
    }
    if (failure) {
        err = *failure;
        err_wrap(&err, "--notify=%s", url);
        finish(d, FAILED, OUT_RETRY, &err);
        return;
    }
    bool later = status >= 500 || status == 429 || status == 408;
    err_set(&err, later ? (status == 429 ? ERR_THROTTLED : ERR_SERVER) : ERR_REJECTED, -EPROTO,
            "--notify=%s answers %d %s; a receiver answers 2xx to what it has taken", url, status,
            http_status_text(status));
    err.http = status;
    err.retry_after_ms = d->retry_after_ms;
    finish(d, later ? FAILED : REFUSED, later ? OUT_RETRY : OUT_TERMINAL, &err);
}

/* Certificates that have changed are others to the connections, too. */
static int read_ca(struct notifier *n, struct http_tls *tls, struct err *err) {
    cleanup_buf struct buf now = BUF(CA_CAP);
    int rc = world_read_file(kube_world(n->kube), n->opt.ca_file, CA_CAP, &now, err);
    if (rc) return rc;
    if (!slice_eq(buf_slice(&now), buf_slice(&n->ca))) {
        buf_clear(&n->ca);
        buf_add(&n->ca, buf_slice(&now));
        n->tls_id = world_rand(kube_world(n->kube)) | 1;
    }
    *tls = (struct http_tls){.id = n->tls_id, .ca = buf_slice(&n->ca)};
    return 0;
}

static int sign(struct notifier *n, struct slice body, struct buf *out, struct err *err) {
    cleanup_buf struct buf secret = BUF(SECRET_CAP);
    struct world *w = kube_world(n->kube);
    int rc = world_read_file(w, n->opt.secret_file, SECRET_CAP, &secret, err);
    if (rc) return rc;
    struct slice text = slice_trim(buf_slice(&secret));
    if (!text.n) return err_set(err, ERR_CONFIG, -ENOENT, "%s is empty", n->opt.secret_file);
    notification_sign(text, world_wall_ns(w) / NS_PER_S, body, out);
    return 0;
}

static int send(struct delivery *d, struct slice body, struct err *err) {
    static const struct http_client_cb cb = {.head = on_head, .end = on_end};
    struct notifier *n = d->n;
    cleanup_buf struct buf signature = BUF(256);
    struct http_headers h = {.n = 0};
    struct http_tls tls = {0};
    int rc = n->opt.ca_file ? read_ca(n, &tls, err) : 0;
    http_headers_add(&h, SL("Content-Type"), SL("application/cloudevents+json; charset=utf-8"));
    http_headers_add(&h, SL("User-Agent"), SL("handover"));
    if (rc == 0 && n->opt.secret_file) {
        rc = sign(n, body, &signature, err);
        http_headers_add(&h, SL("Handover-Signature"), buf_slice(&signature));
    }
    if (rc) return rc;
    struct http_spec spec = {.lane = LANE_SCRAPE,
                             .method = "POST",
                             .url = n->opt.url,
                             .headers = &h,
                             .body = body,
                             .total_ns = NOTIFIER_TIMEOUT_S * NS_PER_S,
                             .body_cap = ANSWER_CAP,
                             .tls = n->opt.ca_file ? &tls : NULL};
    return http_start(kube_world(n->kube), &spec, &cb, d, &d->req, err);
}

static void start(void *self, struct slice key, struct task *task) {
    struct notifier *n = self;
    struct notification event;
    struct err err = {0};
    cleanup_buf struct buf words = BUF(EVENT_CAP / 2), body = BUF(EVENT_CAP);
    struct delivery *d = xcalloc(1, sizeof *d);
    *d = (struct delivery){.n = n, .task = task};
    task_set_data(task, d);
    if (!notification_read(key, &event)) { /* of a later version's checkpoint */
        err_set(&err, ERR_REJECTED, -EINVAL, "%.*s is no change of phase", SLF(key));
        finish(d, REFUSED, OUT_TERMINAL, &err);
        return;
    }
    struct slice target = slice_make(key.p, event.ns.n + 1 + event.name.n);
    rollout_change_words(n->rollout, target, event.at_us * 1000, &words);
    notification_event(&event, n->source, words.full ? (struct slice){NULL, 0} : buf_slice(&words), &body);
    if (send(d, buf_slice(&body), &err) == 0) return;
    /* a secret or certificates that cannot be read may be there in a moment */
    if (err.kind == ERR_CONFIG) err.kind = ERR_PROTOCOL;
    finish(d, FAILED, OUT_RETRY, &err);
}

static void cancel(void *self, struct task *task) {
    struct delivery *d = task_data(task);
    (void)self;
    http_cancel(d->req);
    finish(d, RESULTS, OUT_INTERRUPTED, NULL);
}

void notifier_changed(void *ctx, const char *key, const char *uid, const char *phase, int64_t at_wall_ns,
                      const char *hash) {
    struct notifier *n = ctx;
    cleanup_buf struct buf text = BUF(QUEUE_KEY_MAX);
    struct notification event = {
        .phase = slice_of(phase), .uid = slice_of(uid), .hash = slice_of(hash), .at_us = at_wall_ns / 1000};
    slice_cut(slice_of(key), '/', &event.ns, &event.name);
    notification_key(&event, &text);
    bool full = controller_pending(n->controller) >= NOTIFIER_KEYS || text.full;
    if (full) metric_inc(n->count[DROPPED]);
    if (full && !n->full)
        LOG_EVENT(kube_log(n->kube), LOG_ERROR, "NotificationDropped",
                  "too many notifications wait for their receiver, this one is dropped",
                  LF_STR("target", key), LF_STR("phase", phase), LF_INT("waiting", NOTIFIER_KEYS));
    n->full = full;
    if (!full) controller_add(n->controller, buf_slice(&text), PRIO_NORMAL, 0);
}

struct notifier *notifier_new(struct kube *k, const struct notifier_options *opt) {
    static const char *const results[RESULTS] = {"delivered", "failed", "refused", "dropped"};
    struct notifier *n = xcalloc(1, sizeof *n);
    *n = (struct notifier){.kube = k, .opt = *opt, .ca = BUF(CA_CAP)};
    n->source =
        xasprintf("/apis/coordination.k8s.io/v1/namespaces/%s/leases/%s", opt->lease_ns, opt->lease_name);
    n->reconciler = (struct reconciler){start, cancel};
    struct controller_limits lim = {.workers = NOTIFIER_AT_ONCE,
                                    .queue = {.base_ns = NS_PER_S,
                                              .max_ns = RETRY_MAX_S * NS_PER_S,
                                              .max_keys = (size_t)2 * NOTIFIER_KEYS},
                                    .max_dead_letters = NOTIFIER_KEYS};
    n->controller =
        controller_new(kube_world(k), kube_log(k), kube_metrics(k), "notify", &n->reconciler, n, &lim);
    struct metric_family *f =
        metrics_family(kube_metrics(k), METRIC_COUNTER, "handover_notifications_total",
                       "Notifications of changes of phase, by what became of each try", "result", NULL, 0);
    for (int i = 0; i < RESULTS; i++) n->count[i] = metric_with(f, &results[i]);
    return n;
}

void notifier_source(struct notifier *n, const struct rollout *r) {
    n->rollout = r;
}

/* Requests in flight are cancelled with their tasks. */
void notifier_free(struct notifier *n) {
    if (!n) return;
    controller_free(n->controller);
    buf_free(&n->ca);
    free(n->source);
    free(n);
}

struct controller *notifier_controller(struct notifier *n) {
    return n->controller;
}
