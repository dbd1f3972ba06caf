/* A whole instance in a simulated world with one target, for the tests of the edge around the plan. */
#ifndef TEST_ROLLOUT_EDGE_KIT_H
#define TEST_ROLLOUT_EDGE_KIT_H
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

static UNUSED void request(struct stage *st, const char *method, const char *path, const char *type,
                           const char *body, int want) {
    cleanup_free char *url = xasprintf(API "%s", path);
    cleanup_buf struct buf b = BUF(1 << 20);
    int got = simworld_request(st->sw, method, url, type, slice_of(body), &b);
    if (got != want) fail_msg("%s %s: %d %s", method, path, got, buf_str(&b));
}

static UNUSED void patch(struct stage *st, const char *path, const char *body) {
    request(st, "PATCH", path, "application/merge-patch+json", body, 200);
}

static UNUSED cJSON *get(struct stage *st, const char *path) {
    cleanup_free char *url = xasprintf(API "%s", path);
    cleanup_buf struct buf b = BUF(1 << 22);
    if (simworld_get(st->sw, url, &b) != 200) return NULL;
    return json_parse(buf_slice(&b), NULL);
}

static UNUSED void set_image(struct stage *st, const char *image) {
    cleanup_free char *body = xasprintf(
        "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"m\",\"image\":\"%s\"}]}}}}", image);
    patch(st, DEPLOYMENT, body);
}

/* How often a reason was sent, counted as Kubernetes counts it; the last message goes to ret. */
static UNUSED int told(struct stage *st, const char *reason, char ret[600]) {
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

/* A cluster without Handover. */
static struct stage *cluster(uint64_t seed) {
    struct stage *st = xcalloc(1, sizeof *st);
    st->code = -1;
    st->sw = simworld_new(seed);
    st->api = sim_new(&(struct sim_config){.seed = seed, .wall_ns = simworld_now(st->sw)});
    simworld_server(st->sw, "api", API, st->api);
    simworld_pod_network(st->sw, "api");
    return st;
}

static void boot(struct stage *st) {
    struct err err = {0};
    struct world *w = simworld_host(st->sw, "a", NULL);
    st->log = (struct log){.sink = {print_log, st}, .min = LOG_DEBUG, .wall_ns = wall, .clock_ctx = w};
    struct app_options opt = {.kube = {.server = API},
                              .pod_name = "a",
                              .pod_uid = "a",
                              .lease_namespace = "default",
                              .version = "test"};
    if (app_new(w, &st->log, &opt, on_exit_, st, &st->app, &err) < 0) fail_msg("%s", err.msg);
    if (app_start(st->app, &err) < 0) fail_msg("%s", err.msg);
}

static UNUSED void make_target(struct stage *st, const char *name) {
    cleanup_free char *body = xasprintf(
        "{\"metadata\":{\"name\":\"%s\",\"annotations\":{\"handover.dev/canary-percent\":\"50\","
        "\"handover.dev/soak\":\"30s\",\"handover.dev/metrics\":\":8080/metrics\"}},"
        "\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"%s\"}},"
        "\"template\":{\"metadata\":{\"labels\":{\"app\":\"%s\"}},\"spec\":{\"containers\":[{\"name\":"
        "\"m\",\"image\":\"op:v1\"}]}}}}",
        name, name, name);
    request(st, "POST", "/apis/apps/v1/namespaces/default/deployments", "application/json", body, 201);
}

/* The same with a target in service. */
static UNUSED struct stage *begun(uint64_t seed) {
    struct stage *st = cluster(seed);
    boot(st);
    make_target(st, "op");
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
#endif
