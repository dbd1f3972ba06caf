/* Handover as it runs in a cluster: pods of a Deployment in a simulated world, with in-cluster configuration and a kubelet that reports
 * deaths. Its images are handover:*; SIM_LOG in the environment prints their logs. */
#ifndef TEST_SIMWORLD_PODS_STAGE_H
#define TEST_SIMWORLD_PODS_STAGE_H
#include "helper.h"
#include "app/app.h"
#include <signal.h>

enum { MAX = 8 };
struct instance {
    struct stage *st;
    struct world *w;
    struct app *app;
    struct timer *again;
    struct log log;
};
struct stage {
    struct field f;
    struct instance *live[MAX];
};

static void make_app(struct instance *in, struct rollout_memory *memory);

/* As the program does it: another instance in the same process. */
static void on_again(void *ctx) {
    struct instance *in = ctx;
    struct rollout_memory *memory = app_remember(in->app);
    app_free(in->app);
    make_app(in, memory);
}
static void on_end(void *ctx, int code) {
    struct instance *in = ctx;
    if (code == APP_AGAIN)
        timer_in(in->again, 0);
    else
        simworld_exit(in->w, code);
}
static void on_sigterm(void *ctx) {
    app_stop(((struct instance *)ctx)->app, "SIGTERM");
}

static void make_app(struct instance *in, struct rollout_memory *memory) {
    struct app_options opt = {.admin_addr = ":8080", .version = "test", .memory = memory};
    struct err err = {0};
    if (app_new(in->w, &in->log, &opt, on_end, in, &in->app, &err) < 0) fail_msg("%s", err.msg);
    if (app_start(in->app, &err) < 0) fail_msg("%s", err.msg);
}

static void *begin(void *ctx, struct world *w) {
    struct stage *st = ctx;
    struct instance *in = xcalloc(1, sizeof *in);
    in->st = st;
    in->w = w;
    in->log = simworld_log(w);
    in->again = timer_new(w, on_again, in);
    make_app(in, NULL);
    assert_int_equal(world_on_signal(w, SIGTERM, on_sigterm, in), 0);
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
    app_free(in->app);
    timer_free(in->again);
    free(in);
}

static UNUSED struct stage *stage_with(uint64_t seed, const char *annotations) {
    struct stage *st = xcalloc(1, sizeof *st);
    st->f = field_new(seed);
    simworld_pods(st->f.sw, "api", &(struct simprogram){begin, destroy, st});
    scripted(st->f.api, "{'image':'handover:*','external':true}");
#define FROM(field) "'valueFrom':{'fieldRef':{'fieldPath':'metadata." field "'}}"
    cleanup_free char *deployment = xasprintf(
        "{'metadata':{'name':'handover','annotations':{%s}},'spec':{'replicas':2,'selector':{'matchLabels':{'"
        "app':'handover'}},"
        "'template':{'metadata':{'labels':{'app':'handover'}},'spec':{'containers':[{'name':'handover',"
        "'image':'handover:1','readinessProbe':{'httpGet':{'port':8080,'path':'/readyz'},'periodSeconds':1},"
        "'env':[{'name':'POD_NAME'," FROM("name") "},{'name':'POD_NAMESPACE'," FROM(
            "namespace") "},"
                         "{'name':'POD_UID'," FROM("uid") "}]}]}}}}",
        annotations);
    create(st->f.sw, "/apis/apps/v1/namespaces/default/deployments", deployment);
    simworld_run(st->f.sw, 20 * NS_PER_S);
    return st;
}
static UNUSED struct stage *stage_new(uint64_t seed) {
    return stage_with(seed, "");
}
static UNUSED void stage_free(struct stage *st) {
    field_free(&st->f);
    free(st);
}

#define STAGE_CASE(seed, name) CASE_OF(struct stage, st, stage_new(seed), stage_free, name)

static UNUSED struct instance *leader(struct stage *st) {
    struct instance *found = NULL;
    for (int i = 0; i < MAX; i++) {
        if (!st->live[i] || !simworld_alive(st->live[i]->w) || !app_leading(st->live[i]->app)) continue;
        assert_null(found);
        found = st->live[i];
    }
    return found;
}
static UNUSED bool has_leader(void *ctx) {
    return leader(ctx) != NULL;
}
/* Looked at so often, one leads but for few times, and at the end. */
static UNUSED void leads_all_the_while(struct stage *st, int looks, int64_t every_ns, int gaps) {
    for (int i = 0; i < looks; i++) {
        simworld_run(st->f.sw, every_ns);
        gaps -= leader(st) == NULL;
    }
    assert_non_null(leader(st));
    assert_true(gaps > 0);
}
static UNUSED int64_t ready_replicas(struct stage *st) {
    cleanup_buf struct buf b = BUF(1 << 20);
    assert_int_equal(sim_peek(st->f.api, "deployments", "default", "handover", &b), 0);
    cleanup_json cJSON *d = json_parse(buf_slice(&b), NULL);
    return json_i64(json_get(d, "status"), "readyReplicas", 0);
}
#endif
