/* The rollout controller: caches that say which target to look at, a queue, and one reconcile for each key. */
#include "rollout/rollout.h"
#include "base/log.h"
#include "act/rollout_metrics.h"
#include "act/check_work.h"
#include "act/rehearsal_work.h"
#include "act/policy_proof.h"
#include "act/reconcile.h"
#include "act/controller.h"
#include "act/own_part.h"
#include "act/round.h"
#include "act/slice_work.h"
#include "act/target_metrics.h"

enum {
    REVISIT_S = 60,
    PAGES_AT_ONCE = 32 /* the connections of LANE_SCRAPE: a request that waits for one inside the lane would
                          use up its time there */
};

/* ---- what the caches say ---- */

static void on_changed(void *ctx, struct slice ns, struct slice target, bool initial) {
    struct rollout *r = ctx;
    cleanup_free char *key = key_of(ns, target);
    controller_add(r->controller, slice_of(key), initial ? PRIO_LOW : PRIO_NORMAL, 0);
}

static void on_synced(void *ctx) {
    struct rollout *r = ctx;
    if (r->on_synced) r->on_synced(r->on_synced_ctx);
}

static void on_namespace(void *ctx, struct slice ns) {
    struct rollout *r = ctx;
    for (struct target *t = r->targets; t; t = t->hh.next)
        if (t->holds != NEED_TARGET && slice_eqs(ns, t->ns))
            controller_add(r->controller, slice_of(t->key), PRIO_NORMAL, 0);
}

static void on_objects(void *ctx, const struct slice_cache *c) {
    struct rollout *r = ctx;
    for (struct target *t = r->targets; t; t = t->hh.next)
        if (t->objects == c) controller_add(r->controller, slice_of(t->key), PRIO_NORMAL, 0);
}

static void on_lease(void *ctx, const struct foreign_lease *l) {
    struct rollout *r = ctx;
    for (struct target *t = r->targets; t; t = t->hh.next)
        if (t->lease == l) controller_add(r->controller, slice_of(t->key), PRIO_NORMAL, 0);
}

/* Another image, or another server: those that wait for it go on. */
static void on_rehearsals(void *ctx) {
    struct rollout *r = ctx;
    for (struct target *t = r->targets; t; t = t->hh.next)
        if (t->rehearsal) controller_add(r->controller, slice_of(t->key), PRIO_NORMAL, 0);
}

static void add_at_once(void *ctx, struct slice ns, struct slice name) {
    on_changed(ctx, ns, name, false);
}

/* Another way of holding for all of them, perhaps. */
static void on_policy(void *ctx) {
    struct rollout *r = ctx;
    caches_each_target(r->caches, add_at_once, r);
}

/* ---- reconciling ---- */

static void start_task(void *self, struct slice key, struct task *task) {
    struct rollout *r = self;
    struct target *t = target_get(&r->targets, key);
    own_part_recall(r, t);
    reconcile_start(r, t, task);
}

static void cancel_task(void *self, struct task *task) {
    (void)self;
    reconcile_cancel(task_data(task));
}

static void revisit(void *ctx) {
    struct rollout *r = ctx;
    for (struct target *t = r->targets; t; t = t->hh.next)
        if (t->given_up || policy_proof_due(r, t))
            controller_add(r->controller, slice_of(t->key), PRIO_LOW, 0);
    timer_in(r->revisit, REVISIT_S * NS_PER_S);
}

void rollout_report(struct rollout *r, const struct target *t, const char *uid,
                    const struct event_ref *related, enum plan_reason reason, const char *message) {
    bool warning = plan_reason_warning(reason);
    LOG_EVENT(kube_log(r->kube), warning ? LOG_WARN : LOG_INFO, "RolloutEvent", "rollout event",
              LF_STR("reason", plan_reason_name(reason)), LF_STR("target", t->key),
              LF_STR("message", message));
    if (!uid) return;
    struct event_ref ref = {"apps/v1", workload_of(t->name)->gvr->kind, t->ns, workload_name(t->name), uid};
    kube_event(r->events, &(struct event_report){.regarding = &ref,
                                                 .related = related,
                                                 .type = warning ? "Warning" : "Normal",
                                                 .reason = plan_reason_name(reason),
                                                 .action = plan_reason_action(reason),
                                                 .note = message});
}

void rollout_forget(struct rollout *r, struct target *t) {
    round_drop(t);
    check_work_drop(t);
    rehearsal_work_drop(t);
    slice_work_hold(r, t, NULL);
    foreign_lease_release(t->lease);
    if (r->caches) caches_release(r->caches, t->ns, t->holds);
    target_forget(&r->targets, t);
}

/* ---- gauges, computed when somebody looks ---- */

static void collect(void *ctx) {
    struct rollout *r = ctx;
    target_metrics_collect(kube_metrics(r->kube), r->targets, r->opt.target_metrics);
    slice_work_collect(r);
}

int rollout_new(struct kube *k, const struct rollout_options *opt, struct rollout **ret, struct err *err) {
    struct rollout *r = xcalloc(1, sizeof *r);
    r->kube = k;
    r->opt = *opt;
    r->ns = xstrdup_null(opt->ns);
    r->instance = xstrdup(opt->instance);
    r->changes_since_ns = TIME_NEVER;
    r->reconciler = (struct reconciler){start_task, cancel_task};
    struct controller_limits lim = {.workers = opt->workers, .queue = {.max_ns = 60 * NS_PER_S}};
    r->controller =
        controller_new(kube_world(k), kube_log(k), kube_metrics(k), "rollout", &r->reconciler, r, &lim);
    r->events = kube_events_new(k, "handover", r->instance);
    r->revisit = timer_new(kube_world(k), revisit, r);
    r->scraper =
        scraper_new(k, &(struct scraper_options){
                           .slots = PAGES_AT_ONCE,
                           .proxy = opt->proxy,
                           .token = {opt->token_ns, opt->token_account, opt->token_audience, opt->token_file},
                           .token_insecure = opt->token_insecure,
                           .prometheus = {opt->prometheus, opt->prometheus_ca, opt->prometheus_token,
                                          opt->prometheus_own_queries, opt->scrape_ns}});
    r->checks =
        checks_new(k, &(struct checks_options){.hosts = opt->check_hosts,
                                               .ca = opt->check_ca,
                                               .prometheus = {.url = opt->prometheus,
                                                              .ca = opt->prometheus_ca,
                                                              .token = opt->prometheus_token,
                                                              .own_queries = opt->prometheus_own_queries}});
    r->rehearsals = rehearsals_new(
        k, &(struct rehearsals_options){opt->rehearse_image, opt->pod_ns, opt->pod_name}, on_rehearsals, r);
    rollout_metrics_register(kube_metrics(k));
    metrics_on_collect(kube_metrics(k), collect, r);
    r->slices = slice_caches_new(k, on_objects, r);
    r->leases = foreign_leases_new(k, on_lease, r);
    static const struct caches_cb on = {on_changed, on_synced, on_namespace};
    int rc = caches_new(k, r->ns, &on, r, &r->caches, err);
    if (rc) {
        rollout_free(r);
        return rc;
    }
    r->policy = policy_watch_new(k, on_policy, r);
    *ret = r;
    return 0;
}

void rollout_start(struct rollout *r) {
    caches_start(r->caches);
    policy_watch_start(r->policy);
    timer_in(r->revisit, REVISIT_S * NS_PER_S);
}

bool rollout_synced(const struct rollout *r) {
    return caches_synced(r->caches);
}

void rollout_on_synced(struct rollout *r, world_fn fn, void *ctx) {
    r->on_synced = fn;
    r->on_synced_ctx = ctx;
}

struct controller *rollout_controller(struct rollout *r) {
    return r->controller;
}

const char *rollout_trouble(const struct rollout *r) {
    return caches_trouble(r->caches);
}

static void add_one(void *ctx, struct slice ns, struct slice name) {
    struct rollout *r = ctx;
    cleanup_free char *key = key_of(ns, name);
    controller_add(r->controller, slice_of(key), PRIO_LOW, 0);
}

void rollout_add_all(struct rollout *r) {
    caches_each_target(r->caches, add_one, r);
}

void rollout_take_part(struct rollout *r, enum rollout_part part, const char *guardian) {
    bool same = r->part == part && r->guardian && strcmp(r->guardian, guardian) == 0;
    if (same) return;
    r->part = part;
    free(r->guardian);
    r->guardian = xstrdup(guardian);
    rollout_add_all(r);
}

void rollout_trial_fault(struct rollout *r, const char *fault, bool cut) {
    r->trial_cut = cut;
    free(r->trial_fault);
    r->trial_fault = xstrdup_null(fault);
}

void rollout_stopping(struct rollout *r) {
    scraper_stop(r->scraper);
    checks_stop(r->checks);
    rehearsals_stop(r->rehearsals);
    r->stopping = true;
    for (struct target *t = r->targets; t; t = t->hh.next) rehearsal_work_drop(t);
}

void rollout_free(struct rollout *r) {
    if (!r) return;
    metrics_off_collect(kube_metrics(r->kube), collect, r);
    for (struct target *t = r->targets; t; t = t->hh.next)
        if (t->reconcile) reconcile_drop(t->reconcile);
    controller_free(r->controller);
    for (struct target *t = r->targets, *nextt; t; t = nextt) {
        nextt = t->hh.next;
        rollout_forget(r, t);
    }
    scraper_free(r->scraper);
    checks_free(r->checks);
    rehearsals_free(r->rehearsals);
    policy_watch_free(r->policy);
    caches_free(r->caches);
    slice_caches_free(r->slices);
    foreign_leases_free(r->leases);
    timer_free(r->revisit);
    kube_events_free(r->events);
    free(r->ns);
    free(r->instance);
    free(r->trial_fault);
    free(r->guardian);
    rollout_memory_free(r->opt.memory);
    free(r);
}

/* At rest its ConfigMap has it, in the cache. */
static void describe(const struct rollout *r, const struct target *t, struct buf *out) {
    const struct store_rec *rec = t->state ? NULL : caches_state(r->caches, t->ns, t->name);
    cleanup_json cJSON *cm = rec ? json_parse(rec->raw, NULL) : NULL;
    struct state s;
    if (t->state) {
        state_write(t->state, out);
    } else if (cm && state_take(cm, t->name, &s, NULL) == STATE_READ) {
        state_write(&s, out);
        state_free(&s);
    } else {
        buf_adds(out, "null");
    }
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
        describe(r, t, out);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}
