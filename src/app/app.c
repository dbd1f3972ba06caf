/* One instance of Handover: what it is made of, and in which order it comes and goes. */
#include "app_impl.h"
#include "base/log.h"
#include <errno.h>
#include <unistd.h>

/* ---- the fence ---- */

static bool fence_held(void *ctx) {
    const struct app *a = ctx;
    return a->election && election_may_mutate(a->election);
}

/* ---- health ---- */

static bool check_caches(void *ctx, struct buf *why) {
    struct app *a = ctx;
    if (rollout_synced(a->rollout)) return true;
    buf_adds(why, rollout_trouble(a->rollout));
    return false;
}

static bool check_not_stopping(void *ctx, struct buf *why) {
    struct app *a = ctx;
    if (!a->stopping) return true;
    buf_adds(why, "draining");
    return false;
}

static bool check_lease(void *ctx, struct buf *why) {
    struct app *a = ctx;
    if (!election_leading(a->election) || election_may_mutate(a->election)) return true;
    buf_adds(why, "leading, but the lease could not be renewed in time");
    return false;
}

static void status_page(void *ctx, struct buf *out) {
    struct app *a = ctx;
    buf_adds(out, "{\"identity\":");
    buf_add_json(out, slice_of(election_identity(a->election)));
    buf_adds(out, ",\"holder\":");
    buf_add_json(out, slice_of(election_holder(a->election)));
    buf_addf(out,
             ",\"leading\":%s,\"term\":%lld,\"targets\":", election_leading(a->election) ? "true" : "false",
             (long long)election_term(a->election));
    rollout_describe(a->rollout, out);
    buf_adds(out, "}\n");
}

static int start_admin(struct app *a, struct err *err) {
    if (!a->opt.admin_addr) return 0;
    int rc = admin_start(a->world, a->opt.admin_addr, a->metrics, a->log, &a->admin, err);
    if (rc) return err_wrap(err, "--admin=%s", a->opt.admin_addr);
    admin_check(a->admin, "caches", true, check_caches, a);
    admin_check(a->admin, "not-stopping", true, check_not_stopping, a);
    admin_check(a->admin, "leader-election", false, check_lease, a);
    admin_page(a->admin, "/status.json", "application/json", status_page, a);
    return 0;
}

/* ---- making ---- */

static const char *first_of(const char *a, const char *b, const char *c) {
    return a && *a ? a : b && *b ? b : c;
}

static void make_identity(struct app *a, struct identity *ret) {
    char host[256] = "handover";
    gethostname(host, sizeof host - 1);
    const char *pod = first_of(a->opt.pod_name, world_getenv(a->world, "POD_NAME"), host);
    const char *uid = first_of(a->opt.pod_uid, world_getenv(a->world, "POD_UID"), "");
    identity_make(pod, uid, world_rand(a->world), world_rand(a->world), ret);
    a->instance = xstrdup(ret->pod);
}

static int make_election(struct app *a, const struct identity *id, struct err *err) {
    const char *log = a->opt.termination_log;
    if (!log && world_file_mtime(a->world, "/dev/termination-log") >= 0) log = "/dev/termination-log";
    struct election_config cfg = {.ns = a->lease_namespace,
                                  .name = a->opt.lease_name ? a->opt.lease_name : "handover",
                                  .id = *id,
                                  .lease_ns = a->opt.lease_duration_ns,
                                  .renew_ns = a->opt.renew_deadline_ns,
                                  .retry_ns = a->opt.retry_ns,
                                  .termination_log = log};
    return election_new(a->kube, &cfg, &app_election_cb, a, &a->election, err);
}

static int make_rollout(struct app *a, struct err *err) {
    struct rollout_options opt = {.ns = a->opt.namespace_,
                                  .instance = a->instance,
                                  .scrape_ns = a->opt.scrape_ns,
                                  .workers = a->opt.workers,
                                  .proxy = !kube_config_in_cluster(a->config),
                                  .token_file = a->opt.metrics_token};
    int rc = rollout_new(a->kube, &opt, &a->rollout, err);
    if (rc) return rc;
    rollout_on_synced(a->rollout, app_synced, a);
    controller_on_idle(rollout_controller(a->rollout), app_idle, a);
    return 0;
}

static void make_metrics(struct app *a) {
    a->metrics = metrics_new(500);
    process_metrics(a->metrics);
    a->drain_seconds = metrics_family(a->metrics, METRIC_HISTOGRAM, "handover_drain_seconds",
                                      "Time spent in each phase of a drain", "phase", metrics_seconds,
                                      ARRAY_LEN(metrics_seconds));
    a->checkpoint_keys = metrics_family(a->metrics, METRIC_GAUGE, "handover_checkpoint_keys",
                                        "Keys in the last checkpoint, by state", "state", NULL, 0);
    a->restored_keys = metrics_family(a->metrics, METRIC_COUNTER, "handover_restored_keys",
                                      "Keys taken over from a predecessor, by state", "state", NULL, 0);
}

static int make(struct app *a, struct err *err) {
    struct identity id;
    int rc = drain_config_check(&a->drain_cfg, err);
    if (rc == 0) rc = kube_config_load(a->world, a->log, &a->opt.kube, &a->config, err);
    if (rc) return rc;
    make_identity(a, &id);
    a->lease_namespace = xstrdup(first_of(a->opt.lease_namespace, world_getenv(a->world, "POD_NAMESPACE"),
                                          kube_config_namespace(a->config)));
    a->kube = kube_new(a->world, a->config, a->log, a->metrics);
    kube_set_fence(a->kube, (struct kube_fence){fence_held, a});
    rc = make_rollout(a, err);
    if (rc == 0) rc = make_election(a, &id, err);
    return rc;
}

int app_new(struct world *w, struct log *log, const struct app_options *opt, void (*exit)(void *, int),
            void *ctx, struct app **ret, struct err *err) {
    struct app *a = xcalloc(1, sizeof *a);
    *a = (struct app){.world = w,
                      .log = log,
                      .opt = *opt,
                      .exit = exit,
                      .exit_ctx = ctx,
                      .drain_cfg = {.grace_ns = opt->grace_ns}};
    make_metrics(a);
    a->drain_tick = timer_new(w, app_drain_tick, a);
    a->exit_turn = timer_new(w, app_exit_turn, a);
    a->watchdog = timer_new(w, app_watchdog, a);
    int rc = make(a, err);
    if (rc) {
        app_free(a);
        return rc;
    }
    drain_init(&a->drain, &a->drain_cfg);
    *ret = a;
    return 0;
}

int app_start(struct app *a, struct err *err) {
    int rc = start_admin(a, err);
    if (rc) return rc;
    LOG(a->log, LOG_INFO, "starting", LF_STR("version", a->opt.version ? a->opt.version : ""),
        LF_STR("server", kube_config_server(a->config)), LF_STR("identity", election_identity(a->election)),
        LF_STR("lease_namespace", a->lease_namespace));
    if (notify_watchdog_ns() > 0) app_watchdog(a);
    election_start(a->election);
    rollout_start(a->rollout);
    return 0;
}

/* The reverse of the making: first what may still call back. */
void app_free(struct app *a) {
    if (!a) return;
    admin_stop(a->admin);
    timer_free(a->drain_tick);
    timer_free(a->exit_turn);
    timer_free(a->watchdog);
    election_free(a->election);
    a->election = NULL; /* the fence is shut from here on */
    rollout_free(a->rollout);
    kube_free(a->kube);
    kube_config_free(a->config);
    metrics_free(a->metrics);
    free(a->lease_namespace);
    free(a->instance);
    free(a);
}

bool app_leading(const struct app *a) {
    return election_leading(a->election);
}

bool app_ready(const struct app *a) {
    return rollout_synced(a->rollout) && !a->stopping;
}

int app_admin_port(const struct app *a) {
    return a->admin ? admin_port(a->admin) : 0;
}
