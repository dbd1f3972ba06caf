/* What the tests of src/app share: an operator of two controllers in pods of the simulated world. */
#ifndef TEST_OPERATOR_KIT_H
#define TEST_OPERATOR_KIT_H
#include "../simworld/helper.h"
#include "app/termination_grace.h"
#include "app/leadership.h"
#include "base/log.h"
#include "kube/config.h"
#include <signal.h>

enum { MAX = 8, KEYS = 3 };

/* One process: controllers whose reconciles never end by themselves. */
struct instance {
    struct stage *st;
    struct world *w;
    struct log log;
    struct log_sink print;
    struct kube_config *config;
    struct metrics *metrics;
    struct kube *kube;
    struct controller *one, *two;
    struct leadership *leadership;
    struct termination_grace *grace;
    char name[64];
    int64_t stopped_at;
};
struct ending {
    char name[64];
    int code;
    int64_t took_ns;
};
struct stage {
    struct field f;
    struct instance *live[MAX];
    struct ending ends[MAX];
    size_t nends;
    struct buf last_page;          /* the metrics of the last that ended, at its end */
    char started[MAX * KEYS][128]; /* "CONTROLLER/KEY by POD" */
    size_t nstarted;
    bool feed;          /* the next leader adds keys of its own */
    bool other_version; /* what starts from now on calls its second controller "three" */
    size_t many;        /* further keys for later, in its second controller */
    int stops;          /* so often a reconcile asks for a stop when it is cancelled */
    int64_t foreign;    /* keys that a successor said it has no controller for */
};

static void start_task(struct instance *in, const char *controller, struct task *t) {
    struct stage *st = in->st;
    if (st->nstarted < MAX * KEYS)
        (void)snprintf(st->started[st->nstarted++], 128, "%s/%.*s by %s", controller, SLF(task_key(t)),
                       in->name);
}
static void start_one(void *self, struct slice key, struct task *t) {
    (void)key;
    start_task(self, "one", t);
}
static void start_two(void *self, struct slice key, struct task *t) {
    (void)key;
    start_task(self, "two", t);
}
static void cancel(void *self, struct task *t) {
    struct instance *in = self;
    for (; in->st->stops; in->st->stops--) leadership_stop(in->leadership, "cancelled");
    task_finish(t, OUT_INTERRUPTED, 0, NULL);
}

static void on_leading(void *ctx) {
    struct instance *in = ctx;
    if (!in->st->feed) return;
    in->st->feed = false;
    controller_add(in->one, SL("a"), 0, 0);
    controller_add(in->two, SL("a"), 0, 0);
    controller_add(in->two, SL("b"), 0, 3600 * NS_PER_S); /* for later */
    for (size_t i = 0; i < in->st->many; i++) {
        char key[32];
        int n = snprintf(key, sizeof key, "%08zx-%zu", i * 2654435761U % 4294967291U, i);
        controller_add(in->two, slice_make(key, (size_t)n), 0, 3600 * NS_PER_S);
    }
}
static void on_over(void *ctx, int code) {
    struct instance *in = ctx;
    struct ending *e = &in->st->ends[in->st->nends++];
    memcpy(e->name, in->name, sizeof e->name);
    e->code = code;
    e->took_ns = world_boot_ns(in->w) - in->stopped_at;
    buf_clear(&in->st->last_page);
    metrics_write(in->metrics, &in->st->last_page);
    simworld_exit(in->w, code);
}
static void on_sigterm(void *ctx) {
    struct instance *in = ctx;
    if (!in->stopped_at) in->stopped_at = world_boot_ns(in->w);
    leadership_stop(in->leadership, "SIGTERM");
    termination_grace_stopping(in->grace);
}

/* Keys of a checkpoint that a successor has no controller for, then as all lines. */
static void note_line(void *ctx, enum log_level level, int64_t t, const char *msg, const struct log_field *f,
                      size_t n) {
    struct instance *in = ctx;
    if (n == 3 && slice_eqs(f[0].s, "CheckpointControllerUnknown")) {
        assert_true(slice_eqs(f[1].s, "two"));
        in->st->foreign += f[2].i;
    }
    in->print.write(in->print.ctx, level, t, msg, f, n);
}

static void *begin(void *ctx, struct world *w) {
    static const struct reconciler one = {start_one, cancel}, two = {start_two, cancel};
    static const struct leadership_cb cb = {.leading = on_leading, .over = on_over};
    struct stage *st = ctx;
    struct instance *in = xcalloc(1, sizeof *in);
    struct err err = {0};
    in->st = st;
    in->w = w;
    (void)snprintf(in->name, sizeof in->name, "%s", simworld_name(w));
    in->log = simworld_log(w);
    in->print = in->log.sink;
    in->log.sink = (struct log_sink){note_line, in};
    in->metrics = metrics_new(100);
    if (kube_config_load(w, &in->log, &(struct kube_config_spec){0}, &in->config, &err) < 0)
        fail_msg("%s", err.msg);
    in->kube = kube_new(w, in->config, &in->log, in->metrics);
    struct controller_limits lim = {.workers = 4};
    in->one = controller_new(w, &in->log, in->metrics, "one", &one, in, &lim);
    in->two = controller_new(w, &in->log, in->metrics, "two", &two, in, &lim);
    struct leadership_config cfg = {
        .election = {.ns = "default", .name = "l", .termination_log = "/dev/termination-log"}};
    identity_make(world_getenv(w, "POD_NAME"), world_getenv(w, "POD_UID"), world_rand(w), world_rand(w),
                  &cfg.election.id);
    if (leadership_new(in->kube, &cfg, &cb, in, &in->leadership, &err) < 0) fail_msg("%s", err.msg);
    leadership_add(in->leadership, "one", in->one);
    leadership_add(in->leadership, st->other_version ? "three" : "two", in->two);
    in->grace = termination_grace_new(in->kube, in->leadership, "default", world_getenv(w, "POD_NAME"),
                                      world_getenv(w, "POD_UID"), true);
    assert_non_null(in->grace);
    assert_int_equal(world_on_signal(w, SIGTERM, on_sigterm, in), 0);
    leadership_start(in->leadership);
    leadership_ready(in->leadership, true);
    int i = 0;
    while (st->live[i]) i++;
    assert_true(i < MAX);
    st->live[i] = in;
    return in;
}
static void destroy(void *ctx, void *instance) {
    struct stage *st = ctx;
    struct instance *in = instance;
    for (int i = 0; i < MAX; i++)
        if (st->live[i] == in) st->live[i] = NULL;
    termination_grace_free(in->grace);
    leadership_free(in->leadership);
    controller_free(in->one);
    controller_free(in->two);
    kube_free(in->kube);
    kube_config_free(in->config);
    metrics_free(in->metrics);
    free(in);
}

struct stage_options {
    uint64_t seed;
    int grace_s;     /* the pods' terminationGracePeriodSeconds */
    size_t many;     /* keys for later */
    const char *uid; /* the pods' POD_UID; NULL: their own */
};
static UNUSED struct stage *stage_new(const struct stage_options *opt) {
    struct stage *st = xcalloc(1, sizeof *st);
    st->many = opt->many;
    buf_init(&st->last_page, 1 << 20);
    st->f = field_new(opt->seed);
    st->feed = true;
    simworld_pods(st->f.sw, "api", &(struct simprogram){begin, destroy, st});
    scripted(st->f.api, "{'image':'op:*','external':true}");
    cleanup_free char *uid = opt->uid ? xasprintf("'value':'%s'", opt->uid)
                                      : xstrdup("'valueFrom':{'fieldRef':{'fieldPath':'metadata.uid'}}");
    cleanup_free char *d =
        xasprintf("{'metadata':{'name':'op'},'spec':{'replicas':2,'selector':{'matchLabels':{'app':'op'}},"
                  "'template':{'metadata':{'labels':{'app':'op'}},'spec':{'terminationGracePeriodSeconds':%d,"
                  "'containers':[{'name':'op','image':'op:1','env':[{'name':'POD_NAME',"
                  "'valueFrom':{'fieldRef':{'fieldPath':'metadata.name'}}},{'name':'POD_UID',%s}]}]}}}}",
                  opt->grace_s, uid);
    create(st->f.sw, "/apis/apps/v1/namespaces/default/deployments", d);
    simworld_run(st->f.sw, 20 * NS_PER_S);
    return st;
}
static UNUSED void stage_free(struct stage *st) {
    field_free(&st->f);
    buf_free(&st->last_page);
    free(st);
}

/* One leads: this. */
static UNUSED struct instance *leader(struct stage *st) {
    int i = 0;
    while (i < MAX && !(st->live[i] && leadership_leading(st->live[i]->leadership))) i++;
    assert_true(i < MAX);
    return st->live[i];
}

/* JSON with ' for ". */
static UNUSED void delete_pod(struct stage *st, const char *pod, const char *options) {
    cleanup_free char *url = xasprintf(API "/api/v1/namespaces/default/pods/%s", pod);
    cleanup_free char *json = quoted(xstrdup(options));
    assert_int_equal(
        simworld_request(st->f.sw, "DELETE", url, *json ? "application/json" : NULL, slice_of(json), NULL),
        200);
}

/* In a stage st, whose pods have grace_s seconds; many: keys for later. */
#define STAGE_CASE(seed_, grace, many_, name)                                                                \
    CASE_OF(struct stage, st,                                                                                \
            stage_new(&(struct stage_options){.seed = (seed_), .grace_s = (grace), .many = (many_)}),        \
            stage_free, name)

static UNUSED bool has_started(struct stage *st, const char *what, const char *by) {
    cleanup_free char *want = xasprintf("%s by %s", what, by);
    for (size_t i = 0; i < st->nstarted; i++)
        if (strcmp(st->started[i], want) == 0) return true;
    return false;
}
#endif
