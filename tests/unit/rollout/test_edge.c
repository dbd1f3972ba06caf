/* The controller around the plan, as a whole instance in a simulated world: what only shows with an API
 * server. */
#include "../simworld/helper.h"
#include "app/app.h"

struct stage {
    struct simworld *sw;
    struct sim *api;
    struct app *app;
    struct log log;
    bool may_end;
    int code;                     /* of its end; -1: it runs */
    int64_t patched_ns, freed_ns; /* when the state was sent, when the lease's release was; 0: not yet */
};

#define DEPLOYMENT "/apis/apps/v1/namespaces/default/deployments/op"
#define STATE      "/api/v1/namespaces/default/configmaps/op-handover"

static int64_t wall(void *ctx) {
    return world_wall_ns(ctx);
}

static void print_log(void *ctx, enum log_level level, int64_t t, const char *msg, const struct log_field *f,
                      size_t n) {
    (void)ctx;
    cleanup_buf struct buf line = BUF(4096);
    log_format_text(&line, level, t, msg, f, n);
    if (getenv("SIM_LOG")) fprintf(stderr, "%s", buf_str(&line));
}

static void on_exit_(void *ctx, int code) {
    struct stage *st = ctx;
    st->code = code;
    if (!st->may_end) fail_msg("it ended with %d", code);
}

static void request(struct stage *st, const char *method, const char *path, const char *type,
                    const char *body, int want) {
    cleanup_free char *url = xasprintf(API "%s", path);
    cleanup_buf struct buf b = BUF(1 << 20);
    int got = simworld_request(st->sw, method, url, type, slice_of(body), &b);
    if (got != want) fail_msg("%s %s: %d %s", method, path, got, buf_str(&b));
}

static void patch(struct stage *st, const char *path, const char *body) {
    request(st, "PATCH", path, "application/merge-patch+json", body, 200);
}

static cJSON *get(struct stage *st, const char *path) {
    cleanup_free char *url = xasprintf(API "%s", path);
    cleanup_buf struct buf b = BUF(1 << 22);
    if (simworld_get(st->sw, url, &b) != 200) return NULL;
    return json_parse(buf_slice(&b), NULL);
}

static void set_image(struct stage *st, const char *image) {
    cleanup_free char *body = xasprintf(
        "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"m\",\"image\":\"%s\"}]}}}}", image);
    patch(st, DEPLOYMENT, body);
}

/* How often a reason was told, counted as Kubernetes counts it; the last message goes to ret. */
static int told(struct stage *st, const char *reason, char ret[600]) {
    cleanup_json cJSON *list = get(st, "/api/v1/namespaces/default/events");
    int n = 0;
    const cJSON *e;
    cJSON_ArrayForEach(e, json_arr(list, "items")) {
        if (strcmp(json_str_or(e, "reason", ""), reason)) continue;
        n += (int)json_i64(e, "count", 1);
        if (ret) snprintf(ret, 600, "%s", json_str_or(e, "message", ""));
    }
    return n;
}

struct wait {
    struct stage *st;
    const char *phase;
};

static bool in_phase(void *ctx) {
    struct wait *w = ctx;
    cleanup_buf struct buf b = BUF(1 << 20);
    if (sim_peek(w->st->api, "configmaps", "default", "op-handover", &b) < 0) return false;
    cleanup_free char *want = xasprintf("\\\"phase\\\":\\\"%s\\\"", w->phase);
    return strstr(buf_str(&b), want) != NULL;
}

static void wait_for(struct stage *st, const char *phase, int64_t limit_s) {
    struct wait w = {st, phase};
    if (!simworld_run_until(st->sw, in_phase, &w, limit_s * NS_PER_S)) fail_msg("not %s in time", phase);
    simworld_run(st->sw, NS_PER_S); /* what was written down is done, too */
}

static struct stage *begun(uint64_t seed) {
    struct stage *st = xcalloc(1, sizeof *st);
    struct err err = {0};
    st->code = -1;
    st->sw = simworld_new(seed);
    st->api = sim_new(&(struct sim_config){.seed = seed, .wall_ns = simworld_now(st->sw)});
    simworld_server(st->sw, "api", API, st->api);
    simworld_pod_network(st->sw, "api");
    struct world *w = simworld_host(st->sw, "a", NULL);
    st->log = (struct log){.sink = {print_log, st}, .min = LOG_DEBUG, .wall_ns = wall, .clock_ctx = w};
    struct app_options opt = {.kube = {.server = API},
                              .pod_name = "a",
                              .pod_uid = "a",
                              .lease_namespace = "default",
                              .version = "test"};
    if (app_new(w, &st->log, &opt, on_exit_, st, &st->app, &err) < 0) fail_msg("%s", err.msg);
    if (app_start(st->app, &err) < 0) fail_msg("%s", err.msg);
    request(st, "POST", "/apis/apps/v1/namespaces/default/deployments", "application/json",
            "{\"metadata\":{\"name\":\"op\",\"annotations\":{\"handover.dev/canary-percent\":\"50\","
            "\"handover.dev/soak\":\"30s\",\"handover.dev/metrics\":\":8080/metrics\"}},"
            "\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"op\"}},"
            "\"template\":{\"metadata\":{\"labels\":{\"app\":\"op\"}},\"spec\":{\"containers\":[{\"name\":"
            "\"m\",\"image\":\"op:v1\"}]}}}}",
            201);
    wait_for(st, "Stable", 60);
    simworld_run(st->sw, 30 * NS_PER_S);
    return st;
}

static void stage_free(struct stage *st) {
    app_free(st->app);
    simworld_free(st->sw);
    sim_free(st->api);
    free(st);
}

static void a_damaged_state_is_told_and_a_repair_is_seen(void **state) {
    (void)state;
    struct stage *st = begun(1);
    char said[600] = "";
    cleanup_json cJSON *cm = get(st, STATE);
    cleanup_json cJSON *good = cJSON_CreateObject();
    cJSON_AddItemToObject(good, "data", cJSON_Duplicate(json_get(cm, "data"), true));
    cleanup_free char *repair = json_print(good);
    patch(st, STATE, "{\"data\":{\"state\":\"{\\\"version\\\":1,\\\"phase\\\":\\\"Dancing\\\"}\"}}");
    set_image(st, "op:v2");
    simworld_run(st->sw, 120 * NS_PER_S);
    assert_int_equal(told(st, "StateDamaged", said), 1);
    assert_string_equal(said, "ConfigMap op-handover is damaged, nothing is done: data.state: phase: read "
                              "\"Dancing\", which is not allowed there; repair it, or have the Deployment adopted "
                              "anew: kubectl delete configmap/op-handover -n default");
    cleanup_json cJSON *held = get(st, DEPLOYMENT);
    assert_true(json_bool(json_get(held, "spec"), "paused", false));
    patch(st, STATE, repair); /* nothing else changes: no watch tells of it */
    wait_for(st, "Soaking", 60);
    wait_for(st, "Stable", 300);
    assert_int_equal(told(st, "StateDamaged", NULL), 1);
    stage_free(st);
}

/* An operator that elects a leader: its canary stands by. That is said with what to do, and doing it works.
 */
static void a_canary_that_stands_by(void **state) {
    (void)state;
    struct stage *st = begun(2);
    struct err err = {0};
    if (sim_script(st->api, SL("{\"image\":\"*\",\"leaderElection\":true}"), &err) < 0)
        fail_msg("%s", err.msg);
    simworld_run(st->sw, 60 * NS_PER_S); /* one of stable's leads */
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 60);
    simworld_run(st->sw, 60 * NS_PER_S);
    cleanup_json cJSON *held = get(st, DEPLOYMENT);
    const char *status = json_str_or(json_at(held, "metadata/annotations"), "handover.dev/status", "");
    assert_string_equal(status,
                        "Soaking (NoData): no metrics: canary: it stands by for a lease that it shares "
                        "with stable; annotations canary-args or canary-env give it one of its own, "
                        "then: retry");
    cleanup_json cJSON *cm = get(st, STATE);
    cleanup_json cJSON *s = json_parse(slice_of(json_str(json_get(cm, "data"), "state")), NULL);
    cleanup_free char *body = xasprintf("{\"metadata\":{\"annotations\":{\"handover.dev/canary-args\":"
                                        "\"--leader-election-id=canary\",\"handover.dev/retry\":\"%s\"}}}",
                                        json_str(s, "hash"));
    patch(st, DEPLOYMENT, body);
    wait_for(st, "Promoting", 300);
    wait_for(st, "Stable", 300);
    stage_free(st);
}

static void on_request(void *ctx, const struct simrequest *r) {
    struct stage *st = ctx;
    if (r->arrived) return;
    cleanup_free char *body = slice_dup(r->body);
    if (strcmp(r->method, "PATCH") == 0 && strstr(r->target, "configmaps/op-handover"))
        st->patched_ns = simworld_now(st->sw);
    if (strcmp(r->method, "PUT") == 0 && strstr(r->target, "/leases/") &&
        strstr(body, "\"holderIdentity\":\"\""))
        st->freed_ns = simworld_now(st->sw);
}

static bool patched(void *ctx) {
    return ((struct stage *)ctx)->patched_ns != 0;
}

static bool ended(void *ctx) {
    return ((struct stage *)ctx)->code >= 0;
}

/* Asked to hurry while a write of ours is held at the server (a slow webhook): were it given up for lost, it
 * could be carried out after the successor's first. The lease is given away when it has been answered. */
static void a_mutation_in_the_air_is_waited_for(void **state) {
    (void)state;
    struct stage *st = begun(3);
    struct err err = {0};
    if (sim_fault(st->api,
                  SL("{\"match\":{\"method\":\"PATCH\",\"path\":\"*/configmaps/op-handover\"},\"count\":-1,"
                     "\"latencyMs\":1500}"),
                  &err) < 0)
        fail_msg("%s", err.msg);
    simworld_on_request(st->sw, on_request, st);
    set_image(st, "op:v2");
    assert_true(simworld_run_until(st->sw, patched, st, 10 * NS_PER_S));
    int64_t sent = st->patched_ns;
    st->may_end = true;
    app_stop(st->app, "SIGTERM");
    simworld_run(st->sw, 100 * MS);
    app_stop(st->app, "SIGTERM"); /* cancels what is in flight */
    assert_true(simworld_run_until(st->sw, ended, st, 30 * NS_PER_S));
    assert_int_equal(st->code, 3);
    assert_int_equal(st->patched_ns, sent); /* and no further step */
    assert_true(st->freed_ns >= sent + 1500 * MS);
    cleanup_json cJSON *cm = get(st, STATE);
    assert_non_null(strstr(json_str_or(json_get(cm, "data"), "state", ""), "\"phase\":\"Starting\""));
    stage_free(st);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_canary_that_stands_by),
        cmocka_unit_test(a_mutation_in_the_air_is_waited_for),
        cmocka_unit_test(a_damaged_state_is_told_and_a_repair_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
