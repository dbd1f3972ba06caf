/* Whole instances of Handover beside an embedded API server, with a target: for the tests of what only shows when all of it
 * runs. SIM_LOG in the environment prints the instances' logs. */
#ifndef TEST_SIMWORLD_STAGE_H
#define TEST_SIMWORLD_STAGE_H
#include "app/app.h"
#include "helper.h"

enum { INSTANCES = 2 };
struct instance {
    struct world *w;
    struct app *app; /* NULL: none runs */
    struct log log;
    bool ended;
    int code; /* of its end */
};
struct stage {
    struct simworld *sw;
    struct sim *api;
    struct instance in[INSTANCES];
    bool may_end; /* else an instance that ends by itself fails the test */
};

#define DEPLOYMENT "/apis/apps/v1/namespaces/default/deployments/op"
#define STATE      "/api/v1/namespaces/default/configmaps/op-handover"

/* A cluster without Handover, of the releases that are supported: a server that ignores what it does not know of a
 * streaming list keeps a cache waiting for 15 s. */
static UNUSED struct stage *cluster(uint64_t seed) {
    static const enum sim_release releases[] = {SIM_RELEASE_1_20, SIM_RELEASE_1_20, SIM_RELEASE_1_33,
                                                SIM_RELEASE_1_37};
    struct stage *st = xcalloc(1, sizeof *st);
    st->sw = simworld_new(seed);
    st->api = sim_new(&(struct sim_config){
        .seed = seed, .wall_ns = simworld_now(st->sw), .release = releases[seed % ARRAY_LEN(releases)]});
    simworld_server(st->sw, "api", API, st->api);
    simworld_pod_network(st->sw, "api");
    return st;
}

static void instance_ended(void *ctx, int code) {
    struct instance *in = ctx;
    in->ended = true;
    in->code = code;
}

/* Instance 0 runs on host "a", 1 on host "b". */
static void boot(struct stage *st, int i) {
    struct instance *in = &st->in[i];
    char name[] = {(char)('a' + i), '\0'};
    struct world *w = in->w ? in->w : simworld_host(st->sw, name, NULL);
    if (!simworld_alive(w)) simworld_restart(w);
    *in = (struct instance){.w = w, .log = simworld_log(w)};
    struct app_options opt = {.kube = {.server = API},
                              .pod_name = simworld_name(w),
                              .pod_uid = simworld_name(w),
                              .admin_addr = ":8080",
                              .rehearse_image = "handover:test",
                              .lease_namespace = "default",
                              .version = "test"};
    struct err err = {0};
    if (app_new(w, &in->log, &opt, instance_ended, in, &in->app, &err) < 0) fail_msg("%s", err.msg);
    if (app_start(in->app, &err) < 0) fail_msg("%s", err.msg);
}

static UNUSED void crash(struct stage *st, int i) {
    simworld_kill(st->in[i].w);
    app_free(st->in[i].app);
    st->in[i].app = NULL;
}

static UNUSED int leader(struct stage *st) { /* -1: none */
    int n = -1;
    for (int i = 0; i < INSTANCES; i++) {
        if (!st->in[i].app || st->in[i].ended || !app_leading(st->in[i].app)) continue;
        assert_int_equal(n, -1);
        n = i;
    }
    return n;
}

static UNUSED void stage_free(struct stage *st) {
    for (int i = 0; i < INSTANCES; i++) {
        if (st->in[i].ended && !st->may_end) fail_msg("instance %d ended with %d", i, st->in[i].code);
        app_free(st->in[i].app);
    }
    simworld_free(st->sw);
    sim_free(st->api);
    free(st);
}

/* ---- what a person does ---- */

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

static UNUSED void set_image(struct stage *st, const char *image) {
    cleanup_free char *body = xasprintf(
        "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"m\",\"image\":\"%s\"}]}}}}", image);
    patch(st, DEPLOYMENT, body);
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

static UNUSED void script(struct stage *st, const char *json) {
    struct err err = {0};
    if (sim_script(st->api, slice_of(json), &err) < 0) fail_msg("%s", err.msg);
}

static UNUSED void fault(struct stage *st, const char *json) {
    struct err err = {0};
    if (sim_fault(st->api, slice_of(json), &err) < 0) fail_msg("%s", err.msg);
}

/* ---- what stands there; NULL, 0: nothing ---- */

static UNUSED cJSON *get(struct stage *st, const char *path) {
    return object_at(st->sw, path);
}

static UNUSED int pods(struct stage *st, const char *image) {
    cleanup_json cJSON *list = get(st, "/api/v1/namespaces/default/pods");
    const cJSON *p;
    int n = 0;
    cJSON_ArrayForEach(p, json_arr(list, "items")) n +=
        strcmp(json_str_or(json_at(p, "spec/containers")->child, "image", ""), image) == 0;
    return n;
}

/* How often an Event with this reason was written, as Kubernetes counts; the last message goes to ret. */
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
    return state_in_phase(w->st->api, "op-handover", w->phase);
}

/* Until target op's state is in the phase, and a second more, for the effects. False: not within limit_s. */
static bool reaches(struct stage *st, const char *phase, int64_t limit_s) {
    struct wait w = {st, phase};
    bool there = simworld_run_until(st->sw, in_phase, &w, limit_s * NS_PER_S);
    simworld_run(st->sw, NS_PER_S);
    return there;
}

static UNUSED void wait_for(struct stage *st, const char *phase, int64_t limit_s) {
    if (reaches(st, phase, limit_s)) return;
    cleanup_buf struct buf b = BUF(1 << 20);
    (void)sim_peek(st->api, "configmaps", "default", "op-handover", &b);
    fail_msg("not %s in %lld s: %s", phase, (long long)limit_s, buf_str(&b));
}

#define STAGE_CASE(make, name) CASE_OF(struct stage, st, make, stage_free, name)

/* So many instances and a target in service. */
static UNUSED struct stage *begun(uint64_t seed, int instances) {
    struct stage *st = cluster(seed);
    for (int i = 0; i < instances; i++) boot(st, i);
    make_target(st, "op");
    wait_for(st, "Stable", 60);
    simworld_run(st->sw, 30 * NS_PER_S);
    return st;
}
#endif
