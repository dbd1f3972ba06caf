/* What the simulated world is for: whole instances of Handover in one process against the embedded API
 * server. */
#include "helper.h"
#include "app/app.h"

struct instance {
    struct world *w;
    struct app *app;
    struct log log;
    bool ended;
    int code;
    char name[16];
};
struct stage {
    struct field f;
    struct instance in[2];
};

static int64_t wall(void *ctx) {
    return world_wall_ns(ctx);
}
static void print_log(void *ctx, enum log_level level, int64_t t, const char *msg, const struct log_field *f,
                      size_t n) {
    cleanup_buf struct buf line = BUF(4096);
    log_format_text(&line, level, t, msg, f, n);
    if (getenv("SIM_LOG")) fprintf(stderr, "%s: %s", ((struct instance *)ctx)->name, buf_str(&line));
}
static void on_exit_(void *ctx, int code) {
    struct instance *in = ctx;
    in->ended = true;
    in->code = code;
}

static void boot(struct stage *st, int i, struct world *w) {
    struct instance *in = &st->in[i];
    *in = (struct instance){.w = w};
    (void)snprintf(in->name, sizeof in->name, "%s", simworld_name(w));
    in->log = (struct log){.sink = {print_log, in}, .min = LOG_DEBUG, .wall_ns = wall, .clock_ctx = w};
    struct app_options opt = {.kube = {.server = API},
                              .pod_name = in->name,
                              .pod_uid = in->name,
                              .admin_addr = ":8080",
                              .lease_namespace = "default",
                              .version = "test"};
    struct err err = {0};
    if (app_new(w, &in->log, &opt, on_exit_, in, &in->app, &err) < 0) fail_msg("%s", err.msg);
    if (app_start(in->app, &err) < 0) fail_msg("%s", err.msg);
}

static struct stage *stage_new(uint64_t seed) {
    struct stage *st = xcalloc(1, sizeof *st);
    st->f = field_new(seed);
    simworld_pod_network(st->f.sw, "api");
    boot(st, 0, st->f.a);
    boot(st, 1, st->f.b);
    return st;
}
static void stage_free(struct stage *st) {
    for (int i = 0; i < 2; i++)
        if (st->in[i].app) app_free(st->in[i].app);
    field_free(&st->f);
    free(st);
}

static void request(struct stage *st, const char *method, const char *path, const char *type,
                    const char *body, int want) {
    cleanup_free char *url = xasprintf(API "%s", path);
    cleanup_buf struct buf b = BUF(1 << 20);
    int got = simworld_request(st->f.sw, method, url, type, slice_of(body), &b);
    if (got != want) fail_msg("%s %s: %d %s", method, path, got, buf_str(&b));
}

static void make_target(struct stage *st) {
    request(st, "POST", "/apis/apps/v1/namespaces/default/deployments", "application/json",
            "{\"metadata\":{\"name\":\"op\",\"annotations\":{\"handover.dev/"
            "canary-percent\":\"50\",\"handover.dev/soak\":\"30s\","
            "\"handover.dev/metrics\":\":8080/"
            "metrics\"}},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"op\"}},"
            "\"template\":{\"metadata\":{\"labels\":{\"app\":\"op\"}},\"spec\":{\"containers\":[{\"name\":"
            "\"m\",\"image\":\"op:v1\"}]}}}}",
            201);
}

static void set_image(struct stage *st, const char *image) {
    cleanup_free char *body = xasprintf(
        "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"m\",\"image\":\"%s\"}]}}}}", image);
    request(st, "PATCH", "/apis/apps/v1/namespaces/default/deployments/op", "application/merge-patch+json",
            body, 200);
}

static int pods(struct stage *st, const char *image) {
    cleanup_buf struct buf b = BUF(1 << 22);
    assert_int_equal(simworld_get(st->f.sw, API "/api/v1/namespaces/default/pods", &b), 200);
    cleanup_json cJSON *v = json_parse(buf_slice(&b), NULL);
    int n = 0;
    const cJSON *items = json_arr(v, "items");
    for (const cJSON *p = items->child; p; p = p->next)
        n += strcmp(json_str_or(json_at(p, "spec/containers")->child, "image", ""), image) == 0;
    return n;
}

struct wait {
    struct stage *st;
    const char *phase;
};

static bool in_phase(void *ctx) {
    struct wait *w = ctx;
    cleanup_buf struct buf b = BUF(1 << 20);
    if (sim_peek(w->st->f.api, "configmaps", "default", "op-handover", &b) < 0) return false;
    cleanup_free char *want = xasprintf("\\\"phase\\\":\\\"%s\\\"", w->phase);
    return strstr(buf_str(&b), want) != NULL;
}

static void wait_for(struct stage *st, const char *phase, int64_t limit_s) {
    struct wait w = {st, phase};
    if (simworld_run_until(st->f.sw, in_phase, &w, limit_s * NS_PER_S)) {
        simworld_run(st->f.sw, NS_PER_S); /* what was written down is done, too */
        return;
    }
    cleanup_buf struct buf b = BUF(1 << 20);
    (void)sim_peek(st->f.api, "configmaps", "default", "op-handover", &b);
    fail_msg("not %s in %lld s: %s", phase, (long long)limit_s, buf_str(&b));
}

static int leader(struct stage *st) { /* -1: none */
    int n = -1;
    for (int i = 0; i < 2; i++) {
        if (!st->in[i].app || st->in[i].ended || !app_leading(st->in[i].app)) continue;
        assert_int_equal(n, -1);
        n = i;
    }
    return n;
}

static struct stage *begun(uint64_t seed) {
    struct stage *st = stage_new(seed);
    make_target(st);
    wait_for(st, "Stable", 60);
    simworld_run(st->f.sw, 30 * NS_PER_S);
    return st;
}

static void a_good_update_is_promoted(void **state) {
    (void)state;
    struct stage *st = begun(1);
    assert_true(leader(st) >= 0);
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 10);
    assert_int_equal(pods(st, "op:v1"), 2);
    wait_for(st, "Stable", 300);
    assert_int_equal(pods(st, "op:v2"), 2);
    stage_free(st);
}

static void a_bad_update_is_rolled_back(void **state) {
    (void)state;
    struct stage *st = begun(2);
    struct err err = {0};
    assert_int_equal(sim_script(st->f.api, SL("{\"image\":\"*:bad\",\"errorRate\":0.4}"), &err), 0);
    set_image(st, "op:bad");
    wait_for(st, "RolledBack", 300);
    assert_int_equal(pods(st, "op:bad"), 0);
    assert_int_equal(pods(st, "op:v1"), 2);
    stage_free(st);
}

static void crash(struct stage *st, int i) {
    simworld_kill(st->in[i].w);
    app_free(st->in[i].app);
    st->in[i].app = NULL;
}

static void the_leaders_crash_in_the_middle(void **state) {
    (void)state;
    struct stage *st = begun(3);
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 10);
    int first = leader(st);
    crash(st, first);
    simworld_run(st->f.sw, 25 * NS_PER_S); /* no certificate here: the lease has to expire */
    assert_int_equal(leader(st), !first);
    simworld_restart(st->in[first].w);
    boot(st, first, st->in[first].w);
    wait_for(st, "Stable", 300);
    assert_int_equal(pods(st, "op:v2"), 2);
    stage_free(st);
}

static void the_leader_is_stopped_in_the_middle(void **state) {
    (void)state;
    struct stage *st = begun(4);
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 10);
    int first = leader(st);
    app_stop(st->in[first].app, "SIGTERM");
    simworld_run(st->f.sw, 2 * NS_PER_S);
    assert_true(st->in[first].ended);
    assert_int_equal(leader(st), !first);
    wait_for(st, "Stable", 300);
    assert_int_equal(pods(st, "op:v2"), 2);
    stage_free(st);
}

/* Crashes, pauses, partitions and an unreliable network; when they stop, the rollout comes to its right end.
 */
static uint64_t rough(uint64_t seed, bool bad) {
    struct stage *st = begun(seed);
    struct simworld *sw = st->f.sw;
    struct err err = {0};
    assert_int_equal(sim_script(st->f.api, SL("{\"image\":\"*:bad\",\"errorRate\":0.4}"), &err), 0);
    simworld_net(sw, "*", "*",
                 &(struct simnet){.latency_ns = MS,
                                  .jitter_ns = 4 * MS,
                                  .slow = 0.01,
                                  .slow_ns = 3 * NS_PER_S,
                                  .lose_request = 0.01,
                                  .lose_answer = 0.01,
                                  .duplicate = 0.02,
                                  .cut = 0.005,
                                  .loss = LOSS_ANY});
    set_image(st, bad ? "op:bad" : "op:v2");
    struct rng *r = simworld_rng(sw);
    for (int k = 0; k < 12; k++) {
        int i = (int)rng_below(r, 2);
        struct world *w = st->in[i].w;
        uint64_t what = rng_below(r, 4);
        if (what == 0) crash(st, i);
        if (what == 1) simworld_freeze(w);
        if (what == 2) simworld_partition(sw, simworld_name(w), "*");
        for (int64_t t = 0, n = (int64_t)rng_below(r, 30); t < n; t++) {
            simworld_run(sw, NS_PER_S);
            if (bad && pods(st, "op:bad") > 2) fail_msg("seed %llu: promoted", (unsigned long long)seed);
        }
        if (what == 0) {
            simworld_restart(w);
            boot(st, i, w);
        }
        simworld_thaw(w);
        simworld_heal(sw, NULL, NULL);
        simworld_run(sw, (int64_t)rng_below(r, 10) * NS_PER_S);
        for (int j = 0; j < 2; j++) { /* who stopped itself is started again, as a kubelet does */
            if (!st->in[j].ended) continue;
            crash(st, j);
            simworld_restart(st->in[j].w);
            boot(st, j, st->in[j].w);
        }
    }
    simworld_net(sw, "*", "*", NULL);
    wait_for(st, bad ? "RolledBack" : "Stable", 600);
    simworld_run(sw, 20 * NS_PER_S);
    if (pods(st, bad ? "op:v1" : "op:v2") != 2 || pods(st, bad ? "op:bad" : "op:v1") != 0)
        fail_msg("seed %llu: the wrong version is in service", (unsigned long long)seed);
    uint64_t hash = simworld_trace_hash(sw);
    stage_free(st);
    return hash;
}

static void rough_runs_end_well(void **state) {
    (void)state;
    const char *one = getenv("SIM_SEED"), *many = getenv("SIM_SCHEDULES");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1, to = one ? from : many ? strtoull(many, NULL, 10) : 4;
    for (uint64_t seed = from; seed <= to; seed++) rough(seed, seed % 2);
}

static void a_whole_run_replays(void **state) {
    (void)state;
    assert_true(rough(5, false) == rough(5, false));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_update_is_promoted),
        cmocka_unit_test(a_bad_update_is_rolled_back),
        cmocka_unit_test(the_leaders_crash_in_the_middle),
        cmocka_unit_test(the_leader_is_stopped_in_the_middle),
        cmocka_unit_test(rough_runs_end_well),
        cmocka_unit_test(a_whole_run_replays),
    };
    return cmocka_run_group_tests_name("simworld/app", tests, NULL, NULL);
}
