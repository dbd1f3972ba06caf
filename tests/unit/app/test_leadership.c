/* Leadership of two controllers in pods of the simulated world: what a stop leaves is taken up by the
 * successor, and a drain makes do with the time that its pod has. */
#include "../simworld/helper.h"
#include "../../../src/app/termination_grace.h"
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
    (void)self;
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

static int64_t wall(void *ctx) {
    return world_wall_ns(ctx);
}
static void print_log(void *ctx, enum log_level level, int64_t t, const char *msg, const struct log_field *f,
                      size_t n) {
    cleanup_buf struct buf line = BUF(4096);
    if (strstr(msg, "of a controller that this version does not have")) {
        assert_int_equal(n, 2);
        assert_true(slice_eqs(f[0].s, "two"));
        ((struct instance *)ctx)->st->foreign += f[1].i;
    }
    log_format_text(&line, level, t, msg, f, n);
    if (getenv("SIM_LOG")) fprintf(stderr, "%s: %s", ((struct instance *)ctx)->name, buf_str(&line));
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
    in->log = (struct log){.sink = {print_log, in}, .min = LOG_DEBUG, .wall_ns = wall, .clock_ctx = w};
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

static struct stage *stage_with(uint64_t seed, int grace_s, size_t many) {
    struct stage *st = xcalloc(1, sizeof *st);
    st->many = many;
    buf_init(&st->last_page, 1 << 20);
    st->f = field_new(seed);
    st->feed = true;
    simworld_pods(st->f.sw, "api", &(struct simprogram){begin, destroy, st});
    struct err err = {0};
    assert_int_equal(sim_script(st->f.api, SL("{\"image\":\"op:*\",\"external\":true}"), &err), 0);
    cleanup_free char *d = xasprintf(
        "{\"metadata\":{\"name\":\"op\"},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":"
        "\"op\"}},"
        "\"template\":{\"metadata\":{\"labels\":{\"app\":\"op\"}},\"spec\":{"
        "\"terminationGracePeriodSeconds\":%d,"
        "\"containers\":[{\"name\":\"op\",\"image\":\"op:1\",\"env\":["
        "{\"name\":\"POD_NAME\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}},"
        "{\"name\":\"POD_UID\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.uid\"}}}]}]}}}}",
        grace_s);
    assert_int_equal(simworld_request(st->f.sw, "POST", API "/apis/apps/v1/namespaces/default/deployments",
                                      "application/json", slice_of(d), NULL),
                     201);
    simworld_run(st->f.sw, 20 * NS_PER_S);
    return st;
}
static struct stage *stage_new(uint64_t seed, int grace_s) {
    return stage_with(seed, grace_s, 0);
}
static void stage_free(struct stage *st) {
    field_free(&st->f);
    buf_free(&st->last_page);
    free(st);
}

static struct instance *leader(struct stage *st) {
    for (int i = 0; i < MAX; i++)
        if (st->live[i] && leadership_leading(st->live[i]->leadership)) return st->live[i];
    return NULL;
}

static void delete_pod(struct stage *st, const char *pod, const char *options) {
    cleanup_free char *url = xasprintf(API "/api/v1/namespaces/default/pods/%s", pod);
    assert_int_equal(simworld_request(st->f.sw, "DELETE", url, *options ? "application/json" : NULL,
                                      slice_of(options), NULL),
                     200);
}

static bool has_started(struct stage *st, const char *what, const char *by) {
    cleanup_free char *want = xasprintf("%s by %s", what, by);
    for (size_t i = 0; i < st->nstarted; i++)
        if (strcmp(st->started[i], want) == 0) return true;
    return false;
}

/* The leader, with two reconciles in flight that do not end, is deleted. Returns how long it took to its
 * exit. */
static int64_t drain_of(uint64_t seed, int grace_s, const char *options, int *ret_code) {
    struct stage *st = stage_new(seed, grace_s);
    struct instance *first = leader(st);
    assert_non_null(first);
    char old[64];
    memcpy(old, first->name, sizeof old);
    assert_int_equal(leadership_inflight(first->leadership), 2);
    delete_pod(st, old, options);
    simworld_run(st->f.sw, (grace_s + 5) * NS_PER_S);
    int64_t took = -1;
    *ret_code = -1;
    for (size_t i = 0; i < st->nends; i++) {
        if (strcmp(st->ends[i].name, old) != 0) continue;
        took = st->ends[i].took_ns;
        *ret_code = st->ends[i].code;
    }
    struct instance *next = leader(st);
    assert_non_null(next);
    assert_true(strcmp(next->name, old) != 0);
    assert_true(has_started(st, "one/a", next->name)); /* of both controllers, by name */
    assert_true(has_started(st, "two/a", next->name));
    assert_int_equal(controller_pending(next->two), 1); /* the delayed one, for its time */
    stage_free(st);
    return took;
}

static void the_pods_own_grace(void **state) {
    (void)state;
    int code;
    int64_t took = drain_of(1, 12, "", &code);
    assert_int_equal(code, DRAIN_X_CUT);
    assert_true(took >= 10 * NS_PER_S - MS); /* 12 s less its sixth */
    assert_true(took < 12 * NS_PER_S);
    took = drain_of(2, 60, "", &code);
    assert_int_equal(code, DRAIN_X_CUT);
    assert_true(took >= 55 * NS_PER_S - MS);
    assert_true(took < 60 * NS_PER_S);
}

static void a_shorter_grace_at_deletion(void **state) {
    (void)state;
    int code;
    int64_t took = drain_of(3, 60, "{\"gracePeriodSeconds\":6}", &code);
    assert_int_equal(code, DRAIN_X_CUT);
    assert_true(took > 2 * NS_PER_S);
    assert_true(took < 6 * NS_PER_S);
}

/* The pod is gone at once, and the kubelet gives the process two seconds: enough to cancel, to leave a
 * checkpoint and to release. */
static void deleted_by_force(void **state) {
    (void)state;
    int code;
    int64_t took = drain_of(4, 60, "{\"gracePeriodSeconds\":0}", &code);
    assert_int_equal(code, DRAIN_X_CUT);
    assert_true(took < 2 * NS_PER_S);
}

/* The same with a checkpoint that does not fit the Lease, while ConfigMaps are not answered: they are not
 * waited for so long that the release no longer comes through. */
static void deleted_by_force_with_a_large_checkpoint(void **state) {
    (void)state;
    struct stage *st = stage_with(8, 60, 10000);
    struct instance *first = leader(st);
    assert_non_null(first);
    char old[64];
    memcpy(old, first->name, sizeof old);
    struct err err = {0};
    assert_int_equal(sim_fault(st->f.api,
                               SL("{\"match\":{\"method\":\"POST\",\"path\":\"*/configmaps\"},"
                                  "\"count\":-1,\"silent\":true}"),
                               &err),
                     0);
    delete_pod(st, old, "{\"gracePeriodSeconds\":0}");
    simworld_run(st->f.sw, 3 * NS_PER_S);
    assert_int_equal(st->nends, 1);
    assert_int_equal(st->ends[0].code, DRAIN_X_CUT);
    assert_true(st->ends[0].took_ns < 2 * NS_PER_S);
    struct instance *next = leader(st);
    assert_non_null(next);
    assert_true(has_started(st, "one/a", next->name));
    assert_true(controller_pending(next->two) > 1000);
    stage_free(st);
}

/* Neither an answer nor a connection: the drain has the time that was known before. */
static void the_pod_cannot_be_read(void **state) {
    (void)state;
    struct stage *st = stage_new(5, 12);
    struct instance *first = leader(st);
    assert_non_null(first);
    simworld_partition(st->f.sw, first->name, "api");
    simworld_signal(first->w, SIGTERM);
    simworld_run(st->f.sw, 20 * NS_PER_S);
    assert_int_equal(st->nends, 1);
    assert_true(st->ends[0].code == DRAIN_X_LOST || st->ends[0].code == DRAIN_X_NOT_RELEASED);
    assert_true(st->ends[0].took_ns < 12 * NS_PER_S);
    stage_free(st);
}

static void page_has(struct buf *page, const char *const *lines, size_t n) {
    for (size_t i = 0; i < n; i++) {
        cleanup_free char *line = xasprintf("\n%s\n", lines[i]);
        if (!strstr(buf_str(page), line)) fail_msg("no line %s in\n%s", lines[i], buf_str(page));
    }
}

/* The metrics of a handover: of the one that drained, at its end, and of the one that came after it. */
static void what_is_measured(void **state) {
    (void)state;
    struct stage *st = stage_new(9, 12);
    struct instance *first = leader(st);
    assert_non_null(first);
    cleanup_buf struct buf page = BUF(1 << 20);
    metrics_write(first->metrics, &page);
    static const char *const leading[] = {
        "leader_election_master_status{name=\"l\"} 1", "handover_takeovers_total{reason=\"absent\"} 1",
        "handover_checkpoint_keys{state=\"inflight\"} 2", "handover_checkpoint_keys{state=\"delayed\"} 1"};
    page_has(&page, leading, ARRAY_LEN(leading));
    char old[64];
    memcpy(old, first->name, sizeof old);
    delete_pod(st, old, "");
    simworld_run(st->f.sw, 15 * NS_PER_S);
    static const char *const ended[] = {"leader_election_master_status{name=\"l\"} 0",
                                        "handover_checkpoint_keys{state=\"interrupted\"} 2",
                                        "handover_checkpoint_keys{state=\"inflight\"} 0",
                                        "handover_checkpoint_keys{state=\"delayed\"} 1",
                                        "handover_drain_seconds_count{phase=\"checkpoint-early\"} 1",
                                        "handover_drain_seconds_count{phase=\"finishing\"} 1",
                                        "handover_drain_seconds_bucket{phase=\"finishing\",le=\"5\"} 0",
                                        "handover_drain_seconds_count{phase=\"releasing\"} 1"};
    page_has(&st->last_page, ended, ARRAY_LEN(ended));
    struct instance *next = leader(st);
    assert_non_null(next);
    buf_clear(&page);
    metrics_write(next->metrics, &page);
    static const char *const took[] = {"leader_election_master_status{name=\"l\"} 1",
                                       "handover_takeovers_total{reason=\"released\"} 1",
                                       "handover_leader_gap_seconds_count 1",
                                       "handover_leader_gap_seconds_bucket{le=\"0.05\"} 1",
                                       "handover_restored_keys{state=\"interrupted\"} 2",
                                       "handover_restored_keys{state=\"delayed\"} 1"};
    page_has(&page, took, ARRAY_LEN(took));
    stage_free(st);
}

/* What a successor cannot take up is at least said: two keys of a controller that it does not have. */
static void keys_of_an_unknown_controller(void **state) {
    (void)state;
    struct stage *st = stage_new(7, 12);
    struct instance *first = leader(st);
    assert_non_null(first);
    char old[64];
    memcpy(old, first->name, sizeof old);
    st->other_version = true;
    for (int i = 0; i < MAX; i++) /* the standby is of this version, too */
        if (st->live[i] && st->live[i] != first) delete_pod(st, st->live[i]->name, "");
    simworld_run(st->f.sw, 15 * NS_PER_S);
    delete_pod(st, old, "");
    simworld_run(st->f.sw, 15 * NS_PER_S);
    struct instance *next = leader(st);
    assert_non_null(next);
    assert_true(has_started(st, "one/a", next->name));
    assert_false(has_started(st, "two/a", next->name));
    assert_int_equal(st->foreign, 2);
    stage_free(st);
}

/* A host whose logind waits without end (InhibitDelayMaxSec=infinity) takes nothing from the drain's time. */
static void a_host_that_waits_without_end(void **state) {
    (void)state;
    struct stage *st = stage_new(6, 12);
    struct instance *first = leader(st);
    assert_non_null(first);
    first->stopped_at = world_boot_ns(first->w);
    leadership_stop(first->leadership, "the host is shutting down");
    leadership_killed_in(first->leadership, INT64_MAX);
    simworld_run(st->f.sw, 14 * NS_PER_S);
    assert_int_equal(st->nends, 1);
    assert_int_equal(st->ends[0].code, DRAIN_X_CUT);
    assert_true(st->ends[0].took_ns >= 10 * NS_PER_S - MS);
    stage_free(st);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pods_own_grace),
        cmocka_unit_test(a_shorter_grace_at_deletion),
        cmocka_unit_test(deleted_by_force),
        cmocka_unit_test(deleted_by_force_with_a_large_checkpoint),
        cmocka_unit_test(the_pod_cannot_be_read),
        cmocka_unit_test(what_is_measured),
        cmocka_unit_test(keys_of_an_unknown_controller),
        cmocka_unit_test(a_host_that_waits_without_end),
    };
    return cmocka_run_group_tests_name("app/leadership", tests, NULL, NULL);
}
