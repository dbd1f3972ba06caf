/* The rollout controller: caches that say which target to look at, a queue, and one pass for each key. */
#include "rollout/rollout.h"
#include "base/log.h"
#include "act/rollout_metrics.h"
#include "act/reconcile.h"
#include "act/controller.h"

enum {
    REVISIT_S = 60,
    PAGES_AT_ONCE = 32 /* the connections of LANE_SCRAPE: a request that waits for one inside the lane would
                          use up its time there */
};

/* ---- which target a change is about ---- */

static bool keep_deployment(void *ctx, const cJSON *obj) {
    (void)ctx;
    const cJSON *annotations = json_at(obj, "metadata/annotations");
    return obs_opted_in(annotations) || json_get(annotations, HANDOVER_PREFIX "status");
}

static void on_deployment(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct rollout *r = ctx;
    const struct store_rec *rec = now ? now : old;
    cleanup_free char *key = key_of(slice_of(rec->ns), slice_of(rec->name));
    controller_add(r->controller, slice_of(key), initial ? PRIO_LOW : PRIO_NORMAL, 0);
}

/* A canary pod's target, by the name of its ReplicaSet: NAME-canary-HASH. */
static void *target_of_pod(void *ctx, struct slice raw, const cJSON *obj) {
    (void)ctx;
    (void)raw;
    const char *rs = json_str(obj_controller(obj), "name");
    const char *at = rs, *last = NULL;
    while (at && (at = strstr(at, "-canary-"))) last = at++;
    return last ? slice_dup(slice_make(rs, (size_t)(last - rs))) : NULL;
}

static void free_name(void *ctx, void *data) {
    (void)ctx;
    free(data);
}

static void on_pod(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct rollout *r = ctx;
    const struct store_rec *rec = now ? now : old;
    if (initial || !rec->data) return;
    cleanup_free char *key = key_of(slice_of(rec->ns), slice_of(rec->data));
    controller_add(r->controller, slice_of(key), PRIO_NORMAL, 0);
}

/* ---- caches ---- */

static void on_synced(void *ctx) {
    struct rollout *r = ctx;
    if (rollout_synced(r) && r->on_synced) r->on_synced(r->on_synced_ctx);
}

static void on_trouble(void *ctx, const struct err *err) {
    struct rollout *r = ctx;
    free(r->trouble);
    r->trouble = xstrdup(err->msg);
}

static int make_informers(struct rollout *r, struct err *err) {
    static const struct informer_cb deployments_cb = {on_deployment, on_synced, on_trouble};
    static const struct informer_cb pods_cb = {on_pod, on_synced, on_trouble};
    struct informer_spec deployments = {.gvr = &gvr_deployments,
                                        .ns = slice_of(r->ns),
                                        .metadata_only = true,
                                        .store = {.keep = keep_deployment},
                                        .name = "deployments"};
    struct informer_spec pods = {.gvr = &gvr_pods,
                                 .ns = slice_of(r->ns),
                                 .labels = SL(LABEL_TRACK "=canary"),
                                 .metadata_only = true,
                                 .store = {.project = target_of_pod, .unproject = free_name},
                                 .name = "canary-pods"};
    int rc = informer_new(r->kube, &deployments, &deployments_cb, r, &r->deployments, err);
    if (rc == 0) rc = informer_new(r->kube, &pods, &pods_cb, r, &r->pods, err);
    return rc;
}

/* ---- reconciling ---- */

static void start_task(void *self, struct slice key, struct task *task) {
    struct rollout *r = self;
    reconcile_start(r, target_get(&r->targets, key), task);
}

static void cancel_task(void *self, struct task *task) {
    (void)self;
    reconcile_cancel(task_data(task));
}

static void revisit(void *ctx) {
    struct rollout *r = ctx;
    for (struct target *t = r->targets; t; t = t->hh.next)
        if (t->given_up) controller_add(r->controller, slice_of(t->key), PRIO_LOW, 0);
    timer_in(r->revisit, REVISIT_S * NS_PER_S);
}

void rollout_tell(struct rollout *r, const struct target *t, const struct obs_target *about,
                  enum plan_reason reason, const char *message) {
    bool warning = plan_reason_warning(reason);
    LOG_EVENT(kube_log(r->kube), warning ? LOG_WARN : LOG_INFO, "RolloutEvent", "rollout event",
              LF_STR("reason", plan_reason_name(reason)), LF_STR("target", t->key),
              LF_STR("message", message));
    if (!about) return;
    struct event_ref ref = {"apps/v1", "Deployment", t->ns, t->name, about->uid};
    kube_event(r->events, &ref, warning ? "Warning" : "Normal", plan_reason_name(reason), message);
}

/* ---- gauges, computed when somebody looks ---- */

static void collect(void *ctx) {
    struct rollout *r = ctx;
    double in[PHASES] = {0};
    for (const struct target *t = r->targets; t; t = t->hh.next)
        if (t->state_rv) in[t->state.phase]++;
    struct metric_family *f = metrics_family(kube_metrics(r->kube), METRIC_GAUGE, "handover_targets",
                                             "Targets by phase", "phase", NULL, 0);
    for (int i = 0; i < PHASES; i++) {
        const char *label = phase_name((enum phase)i);
        metric_set(metric_with(f, &label), in[i]);
    }
}

int rollout_new(struct kube *k, const struct rollout_options *opt, struct rollout **ret, struct err *err) {
    struct rollout *r = xcalloc(1, sizeof *r);
    r->kube = k;
    r->opt = *opt;
    r->ns = xstrdup_null(opt->ns);
    r->instance = xstrdup(opt->instance);
    r->token_file = xstrdup_null(opt->token_file);
    r->reconciler = (struct reconciler){start_task, cancel_task};
    struct controller_limits lim = {.workers = opt->workers, .queue = {.max_ns = 60 * NS_PER_S}};
    r->controller =
        controller_new(kube_world(k), kube_log(k), kube_metrics(k), "rollout", &r->reconciler, r, &lim);
    r->events = kube_events_new(k, "handover", r->instance);
    r->revisit = timer_new(kube_world(k), revisit, r);
    scrape_slots_init(&r->slots, PAGES_AT_ONCE);
    r->scrapes = metrics_family(kube_metrics(k), METRIC_COUNTER, "handover_scrapes_total",
                                "Metrics pages asked for, by result", "result", NULL, 0);
    rollout_metrics_register(kube_metrics(k));
    metrics_on_collect(kube_metrics(k), collect, r);
    int rc = make_informers(r, err);
    if (rc) {
        rollout_free(r);
        return rc;
    }
    *ret = r;
    return 0;
}

void rollout_start(struct rollout *r) {
    informer_start(r->deployments);
    informer_start(r->pods);
    timer_in(r->revisit, REVISIT_S * NS_PER_S);
}

bool rollout_synced(const struct rollout *r) {
    return informer_synced(r->deployments) && informer_synced(r->pods);
}

void rollout_on_synced(struct rollout *r, world_fn fn, void *ctx) {
    r->on_synced = fn;
    r->on_synced_ctx = ctx;
}

struct controller *rollout_controller(struct rollout *r) {
    return r->controller;
}

const char *rollout_trouble(const struct rollout *r) {
    return rollout_synced(r) ? "" : r->trouble ? r->trouble : "the first list has not arrived yet";
}

static bool add_one(void *ctx, const struct store_rec *rec) {
    struct rollout *r = ctx;
    cleanup_free char *key = key_of(slice_of(rec->ns), slice_of(rec->name));
    controller_add(r->controller, slice_of(key), PRIO_LOW, 0);
    return true;
}

void rollout_add_all(struct rollout *r) {
    store_each(informer_store(r->deployments), add_one, r);
}

void rollout_free(struct rollout *r) {
    if (!r) return;
    metrics_off_collect(kube_metrics(r->kube), collect, r);
    for (struct target *t = r->targets; t; t = t->hh.next)
        if (t->pass) reconcile_drop(t->pass);
    controller_free(r->controller);
    for (struct target *t = r->targets, *nextt; t; t = nextt) {
        nextt = t->hh.next;
        target_forget(&r->targets, t);
    }
    if (r->deployments) informer_free(r->deployments);
    if (r->pods) informer_free(r->pods);
    timer_free(r->revisit);
    kube_events_free(r->events);
    free(r->trouble);
    free(r->ns);
    free(r->instance);
    free(r->token_file);
    free(r);
}

void rollout_describe(const struct rollout *r, struct buf *out) {
    buf_addc(out, '[');
    bool first = true;
    for (const struct target *t = r->targets; t; t = t->hh.next) {
        if (!t->state_rv) continue;
        buf_adds(out, first ? "{\"namespace\":" : ",{\"namespace\":");
        first = false;
        buf_add_json(out, slice_of(t->ns));
        buf_adds(out, ",\"name\":");
        buf_add_json(out, slice_of(t->name));
        buf_adds(out, ",\"state\":");
        state_write(&t->state, out);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}
