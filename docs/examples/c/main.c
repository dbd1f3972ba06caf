/* An operator on libhandover, wired together: caches, one controller, leadership with the checkpointed handover, metrics. SIGTERM
 * drains: what is in flight goes on, what is left is in the checkpoint, and the successor begins with it. */
#include "tally.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const char *env(const char *name, const char *def) {
    const char *v = getenv(name);
    return v && *v ? v : def;
}

/* ---- the caches ---- */

static void source_changed(void *ctx, const struct store_rec *old, const struct store_rec *now,
                           bool initial) {
    struct tally *t = ctx;
    const struct store_rec *r = now ? now : old;
    cleanup_free char *key = key_of(slice_of(r->ns), slice_of(r->name));
    controller_add(t->controller, slice_of(key), initial ? PRIO_LOW : PRIO_NORMAL, 0);
}

/* Somebody else changed or deleted what was made: its source is looked at again. */
static void tally_changed(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct tally *t = ctx;
    const struct store_rec *r = now ? now : old;
    struct slice name = slice_of(r->name);
    if (initial || !slice_ends(name, SL("-tally"))) return;
    cleanup_free char *key = key_of(slice_of(r->ns), slice_make(name.p, name.n - (sizeof "-tally" - 1)));
    controller_add(t->controller, slice_of(key), PRIO_NORMAL, 0);
}

static bool warm(const struct tally *t) {
    return informer_synced(t->sources) && informer_synced(t->tallies);
}

static void on_synced(void *ctx) {
    struct tally *t = ctx;
    if (!warm(t)) return;
    LOG_EVENT(&t->log, LOG_INFO, "CachesSynced", "the caches are warm");
    leadership_ready(t->leadership, true);
}

static void free_counted(void *ctx, void *data) {
    (void)ctx;
    free(data);
}

static int make_caches(struct tally *t, const char *ns, struct err *err) {
    const struct informer_spec sources = {.gvr = &gvr_configmaps,
                                          .ns = slice_of(ns),
                                          .labels = SL(TALLY_LABEL),
                                          .metadata_only = true,
                                          .name = "sources"},
                               tallies = {.gvr = &gvr_configmaps,
                                          .ns = slice_of(ns),
                                          .labels = SL(TALLY_MADE),
                                          .store = {.project = tally_project, .unproject = free_counted},
                                          .name = "tallies"};
    const struct informer_cb source_cb = {.change = source_changed, .synced = on_synced},
                             tally_cb = {.change = tally_changed, .synced = on_synced};
    int rc = informer_new(t->kube, &sources, &source_cb, t, &t->sources, err);
    return rc ? rc : informer_new(t->kube, &tallies, &tally_cb, t, &t->tallies, err);
}

/* ---- leadership ---- */

/* The predecessor's keys are in the queue by now, and so is all that the caches have. */
static void on_leading(void *ctx) {
    struct tally *t = ctx;
    LOG_EVENT(&t->log, LOG_INFO, "Leading", "leading", LF_STR("version", TALLY_VERSION));
}

static void on_over(void *ctx, int code) {
    struct tally *t = ctx;
    t->code = code;
    loop_stop(t->loop);
}

static bool fence(void *ctx) {
    struct tally *t = ctx;
    return leadership_may_mutate(t->leadership);
}

static int make_leadership(struct tally *t, const char *ns, const char *lease, int64_t grace_ns,
                           struct err *err) {
    static const struct leadership_cb cb = {.leading = on_leading, .over = on_over};
    const char *log = "/dev/termination-log", *pod, *uid = env("POD_UID", "");
    char host[256] = "tally";
    gethostname(host, sizeof host - 1);
    pod = env("POD_NAME", host);
    struct leadership_config cfg = {.election = {.ns = ns, .name = lease}, .drain = {.grace_ns = grace_ns}};
    if (world_file_mtime(t->world, log) >= 0) cfg.election.termination_log = log;
    identity_make(pod, uid, world_rand(t->world), world_rand(t->world), &cfg.election.id);
    int rc = leadership_new(t->kube, &cfg, &cb, t, &t->leadership, err);
    if (rc) return rc;
    leadership_add(t->leadership, "tally",
                   t->controller); /* the name stays: a successor knows its keys by it */
    t->grace = termination_grace_new(t->kube, t->leadership, ns, pod, uid, grace_ns == 0);
    return 0;
}

static void on_term(void *ctx) {
    struct tally *t = ctx;
    if (!t->leadership) return;
    leadership_stop(t->leadership, "SIGTERM");
    termination_grace_stopping(t->grace);
}

/* ---- what is seen from outside ---- */

static bool check_caches(void *ctx, struct buf *why) {
    if (warm(ctx)) return true;
    buf_adds(why, "the caches are not filled yet");
    return false;
}

static bool check_stopping(void *ctx, struct buf *why) {
    struct tally *t = ctx;
    if (!leadership_stopping(t->leadership)) return true;
    buf_adds(why, "draining");
    return false;
}

static int make_metrics(struct tally *t, const char *addr, struct err *err) {
    const char *version = TALLY_VERSION;
    process_metrics(t->metrics);
    metric_set(metric_with(metrics_family(t->metrics, METRIC_GAUGE, "tally_build_info",
                                          "The version of tally", "version", NULL, 0),
                           &version),
               1);
    t->written = metric_plain(
        metrics_family(t->metrics, METRIC_COUNTER, "tally_written_total", "ConfigMaps written", "", NULL, 0));
    int rc = admin_start(t->world, addr, t->metrics, &t->log, &t->admin, err);
    if (rc) return rc;
    admin_check(t->admin, "caches", true, check_caches, t);
    admin_check(t->admin, "not-stopping", true, check_stopping, t);
    return 0;
}

/* ---- coming and going ---- */

struct options {
    struct kube_config_spec kube;
    const char *ns, *lease, *admin;
    int64_t grace_ns;
};

static int make(struct tally *t, const struct options *o, struct err *err) {
    const struct controller_limits limits = {.workers = 4, .max_retries = 20};
    int rc = kube_config_load(t->world, &t->log, &o->kube, &t->config, err);
    if (rc) return rc;
    const char *ns = o->ns ? o->ns : kube_config_namespace(t->config);
    t->kube = kube_new(t->world, t->config, &t->log, t->metrics);
    kube_identify(t->kube, "tally", "tally/" TALLY_VERSION);
    kube_set_fence(t->kube, (struct kube_fence){fence, t}); /* nothing is written but by the leader */
    t->controller = controller_new(t->world, &t->log, t->metrics, "tally", &tally_reconciler, t, &limits);
    rc = make_leadership(t, ns, o->lease, o->grace_ns, err);
    if (rc == 0) rc = make_caches(t, ns, err);
    if (rc == 0) rc = make_metrics(t, o->admin, err);
    return rc;
}

static int64_t wall_ns(void *ctx) {
    return world_wall_ns(ctx);
}

static void run(struct tally *t, const struct options *o) {
    struct err err = {0};
    world_on_signal(t->world, SIGTERM, on_term, t);
    world_on_signal(t->world, SIGINT, on_term, t);
    if (make(t, o, &err)) {
        LOG_EVENT(&t->log, LOG_ERROR, "StartFailed", "cannot start", LF_ERR(&err));
        t->code = 1;
        return;
    }
    leadership_start(t->leadership);
    informer_start(t->sources);
    informer_start(t->tallies);
    loop_run(t->loop);
}

static void destroy(struct tally *t) {
    struct leadership *l = t->leadership;
    t->leadership = NULL; /* the fence is shut */
    if (t->admin) admin_stop(t->admin);
    termination_grace_free(t->grace);
    leadership_free(l);
    if (t->controller) controller_free(t->controller);
    if (t->sources) informer_free(t->sources);
    if (t->tallies) informer_free(t->tallies);
    if (t->kube) kube_free(t->kube);
    if (t->config) kube_config_free(t->config);
}

static int parse(int argc, char **argv, struct options *o) {
    static const struct option known[] = {{"server", 1, NULL, 's'}, {"namespace", 1, NULL, 'n'},
                                          {"lease", 1, NULL, 'l'},  {"admin", 1, NULL, 'a'},
                                          {"grace", 1, NULL, 'g'},  {0}};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (c == 's') o->kube.server = optarg;
        if (c == 'n') o->ns = optarg;
        if (c == 'l') o->lease = optarg;
        if (c == 'a') o->admin = optarg;
        if (c == '?' || (c == 'g' && duration_parse(slice_of(optarg), &o->grace_ns) < 0)) optind = -1;
        if (optind < 0) break;
    }
    if (optind == argc) return 0;
    fprintf(stderr,
            "usage: %s [--server=URL] [--namespace=NAME] [--lease=NAME] [--admin=ADDRESS] [--grace=10s]\n",
            argv[0]);
    return 2;
}

int main(int argc, char **argv) {
    struct options o = {.ns = getenv("POD_NAMESPACE"), .lease = "tally", .admin = "127.0.0.1:8080"};
    if (parse(argc, argv, &o)) return 2;
    struct tally t = {.loop = loop_new(), .metrics = metrics_new(100)};
    struct net *net = net_install(t.loop);
    t.world = loop_world(t.loop);
    t.log = (struct log){.sink = log_sink_fd(STDERR_FILENO, LOG_STYLE_JSON),
                         .min = LOG_INFO,
                         .wall_ns = wall_ns,
                         .clock_ctx = t.world};
    run(&t, &o);
    destroy(&t);
    metrics_free(t.metrics);
    net_uninstall(net);
    loop_free(t.loop);
    return t.code;
}
