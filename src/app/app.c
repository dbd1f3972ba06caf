/* One instance of Handover: what it is made of, and in which order it comes and goes. */
#include "app_impl.h"
#include "base/log.h"
#include <errno.h>
#include <unistd.h>

/* ---- the fence ---- */

static bool fence_held(void *ctx) {
    const struct app *a = ctx;
    return leadership_may_mutate(a->leadership) || app_guards(a);
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
    if (!leadership_stopping(a->leadership)) return true;
    buf_adds(why, "draining");
    return false;
}

static bool check_lease(void *ctx, struct buf *why) {
    struct app *a = ctx;
    if (!leadership_leading(a->leadership) || leadership_may_mutate(a->leadership)) return true;
    buf_adds(why, "leading, but the lease could not be renewed in time");
    return false;
}

static bool check_lease_writable(void *ctx, struct buf *why) {
    struct app *a = ctx;
    return election_writable(leadership_election(a->leadership), why);
}

static void status_page(void *ctx, struct buf *out) {
    struct app *a = ctx;
    const struct election *e = leadership_election(a->leadership);
    buf_adds(out, "{\"identity\":");
    buf_add_json(out, slice_of(election_identity(e)));
    buf_adds(out, ",\"holder\":");
    buf_add_json(out, slice_of(election_holder(e)));
    buf_addf(out, ",\"leading\":%s,\"term\":%lld,\"targets\":", election_leading(e) ? "true" : "false",
             (long long)election_term(e));
    rollout_describe(a->rollout, out);
    buf_adds(out, "}\n");
}

static bool in_pod(struct app *a) {
    return world_getenv(a->world, "KUBERNETES_SERVICE_HOST") != NULL;
}

static bool on_loopback(const char *addr) {
    return slice_starts(slice_of(addr), SL("127.")) || slice_starts(slice_of(addr), SL("localhost:")) ||
           slice_starts(slice_of(addr), SL("[::1]:"));
}

static void start_page(struct app *a, const char *addr) {
    enum app_page page = a->opt.page;
    if (page == APP_PAGE_DEFAULT) page = in_pod(a) || !on_loopback(addr) ? APP_PAGE_REVIEW : APP_PAGE_OPEN;
    struct page_source src = {.items = app_page_items, .unseen = app_page_unseen, .ctx = a};
    if (page == APP_PAGE_OPEN && !on_loopback(addr))
        LOG_EVENT(a->log, LOG_WARN, "PageOpen", "the page is open to everybody who reaches the admin port",
                  LF_STR("address", addr));
    if (page == APP_PAGE_REVIEW) {
        a->reviews = page_reviews_new(a->kube);
        src.review = page_review;
        src.cancel = page_review_cancel;
        src.review_ctx = a->reviews;
    }
    admin_show(a->admin,
               page == APP_PAGE_OFF    ? PAGE_OFF
               : page == APP_PAGE_OPEN ? PAGE_OPEN
                                       : PAGE_REVIEW,
               &src);
}

static int start_admin(struct app *a, struct err *err) {
    const char *addr = a->opt.admin_addr;
    if (!addr) return 0;
    if (!*addr) addr = in_pod(a) ? ":8080" : "127.0.0.1:8080";
    int rc = admin_start(a->world, addr, a->metrics, a->log, &a->admin, err);
    if (rc) return err_wrap(err, "--admin=%s", addr);
    admin_check(a->admin, "caches", true, check_caches, a);
    admin_check(a->admin, "not-stopping", true, check_not_stopping, a);
    admin_check(a->admin, "lease-writable", true, check_lease_writable, a);
    admin_check(a->admin, "leader-election", false, check_lease, a);
    admin_page(a->admin, "/status.json", "application/json", status_page, a);
    start_page(a, addr);
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
    a->pod_uid = xstrdup(uid);
}

static int make_leadership(struct app *a, const struct identity *id, struct err *err) {
    const char *log = a->opt.termination_log;
    if (!log && world_file_mtime(a->world, "/dev/termination-log") >= 0) log = "/dev/termination-log";
    struct leadership_config cfg = {.election = {.ns = a->lease_namespace,
                                                 .name = a->opt.lease_name ? a->opt.lease_name : "handover",
                                                 .id = *id,
                                                 .lease_ns = a->opt.lease_duration_ns,
                                                 .renew_ns = a->opt.renew_deadline_ns,
                                                 .retry_ns = a->opt.retry_ns,
                                                 .canary = a->canary,
                                                 .orphan_ns = a->opt.orphan_ns,
                                                 .termination_log = log},
                                    .drain = {.grace_ns = a->opt.grace_ns}};
    int rc = leadership_new(a->kube, &cfg, &app_leadership_cb, a, &a->leadership, err);
    if (rc == 0) leadership_add(a->leadership, "rollout", rollout_controller(a->rollout));
    if (rc == 0 && a->notifier) leadership_add(a->leadership, "notify", notifier_controller(a->notifier));
    return rc;
}

static void make_notifier(struct app *a) {
    if (!a->opt.notify) return;
    struct notifier_options opt = {.url = a->opt.notify,
                                   .secret_file = a->opt.notify_secret,
                                   .ca_file = a->opt.notify_ca,
                                   .lease_ns = a->lease_namespace,
                                   .lease_name = a->opt.lease_name ? a->opt.lease_name : "handover"};
    a->notifier = notifier_new(a->kube, &opt);
}

static int make_rollout(struct app *a, struct err *err) {
    struct rollout_options opt = {.ns = a->opt.namespace_,
                                  .instance = a->instance,
                                  .scrape_ns = a->opt.scrape_ns,
                                  .workers = a->opt.workers,
                                  .target_metrics = a->opt.target_metrics,
                                  .proxy = !kube_config_in_cluster(a->config),
                                  .token_ns = a->lease_namespace,
                                  .token_account = a->opt.metrics_account,
                                  .token_audience = a->opt.metrics_audience,
                                  .token_file = a->opt.metrics_token,
                                  .token_insecure = a->opt.metrics_token_insecure,
                                  .prometheus = a->opt.prometheus,
                                  .prometheus_ca = a->opt.prometheus_ca,
                                  .prometheus_token = a->opt.prometheus_token,
                                  .prometheus_own_queries = a->opt.prometheus_own_queries,
                                  .check_hosts = a->opt.check_hosts,
                                  .check_ca = a->opt.check_ca,
                                  .rehearse_image = a->opt.rehearse_image,
                                  .pod_ns = *a->pod_uid ? world_getenv(a->world, "POD_NAMESPACE") : NULL,
                                  .pod_name = a->instance,
                                  .pod_uid = a->pod_uid,
                                  .yield = app_yield,
                                  .yield_ctx = a,
                                  .memory = a->opt.memory,
                                  .changed = a->notifier ? notifier_changed : NULL,
                                  .changed_ctx = a->notifier};
    int rc = rollout_new(a->kube, &opt, &a->rollout, err);
    if (rc) return rc;
    rollout_on_synced(a->rollout, app_synced, a);
    if (a->notifier) notifier_source(a->notifier, a->rollout);
    return 0;
}

static int make(struct app *a, struct err *err) {
    struct identity id;
    int rc = kube_config_load(a->world, a->log, &a->opt.kube, &a->config, err);
    if (rc) return rc;
    make_identity(a, &id);
    app_trial_make(a);
    a->lease_namespace =
        xstrdup(first_of(a->opt.lease_namespace, world_getenv(a->world, "POD_NAMESPACE"), "handover-system"));
    a->kube = kube_new(a->world, a->config, a->log, a->metrics);
    kube_set_fence(a->kube, (struct kube_fence){fence_held, a});
    make_notifier(a);
    rc = make_rollout(a, err);
    if (rc == 0) rc = make_leadership(a, &id, err);
    return rc;
}

int app_new(struct world *w, struct log *log, const struct app_options *opt, void (*exit)(void *, int),
            void *ctx, struct app **ret, struct err *err) {
    struct app *a = xcalloc(1, sizeof *a);
    *a = (struct app){.world = w, .log = log, .opt = *opt, .exit = exit, .exit_ctx = ctx};
    a->metrics = metrics_new(500);
    process_metrics(a->metrics);
    a->settle = timer_new(w, app_settle, a);
    int rc = make(a, err);
    if (rc) {
        app_free(a);
        return rc;
    }
    *ret = a;
    return 0;
}

/* In a pod the host's logind is none of our business: the kubelet has inhibitors of its own. */
static void start_inhibit(struct app *a) {
    if (a->opt.logind == APP_LOGIND_OFF || (a->opt.logind == APP_LOGIND_AUTO && in_pod(a))) return;
    struct inhibit_config cfg = {.log = a->log,
                                 .level = a->opt.logind == APP_LOGIND_ON ? LOG_WARN : LOG_DEBUG,
                                 .going = app_host_goes,
                                 .ctx = a};
    a->inhibit = inhibit_start(a->world, &cfg);
}

int app_start(struct app *a, struct err *err) {
    int rc = start_admin(a, err);
    if (rc) return rc;
    LOG_EVENT(a->log, LOG_INFO, "Starting", "starting",
              LF_STR("version", a->opt.version ? a->opt.version : ""),
              LF_STR("server", kube_config_server(a->config)),
              LF_STR("identity", election_identity(leadership_election(a->leadership))),
              LF_STR("lease_namespace", a->lease_namespace),
              LF_INT("admin_port", a->admin ? admin_port(a->admin) : 0));
    a->service = service_new(a->world, a->leadership, a->rollout);
    start_inhibit(a);
    leadership_start(a->leadership);
    a->grace = termination_grace_new(a->kube, a->leadership, world_getenv(a->world, "POD_NAMESPACE"),
                                     a->instance, a->pod_uid, a->opt.grace_ns == 0);
    rollout_start(a->rollout);
    app_settle(a);
    return 0;
}

/* The reverse of the making: first what may still call back. */
void app_free(struct app *a) {
    if (!a) return;
    admin_stop(a->admin);
    page_reviews_free(a->reviews);
    timer_free(a->settle);
    service_free(a->service);
    inhibit_stop(a->inhibit);
    termination_grace_free(a->grace);
    app_trial_free(a);
    leadership_free(a->leadership);
    a->leadership = NULL; /* the fence is shut from here on */
    notifier_free(a->notifier);
    rollout_free(a->rollout);
    kube_free(a->kube);
    kube_config_free(a->config);
    metrics_free(a->metrics);
    free(a->lease_namespace);
    free(a->instance);
    free(a->pod_uid);
    free(a);
}

struct rollout_memory *app_remember(struct app *a) {
    return rollout_remember(a->rollout);
}

bool app_leading(const struct app *a) {
    return leadership_leading(a->leadership);
}
