/* Handover as it runs in a cluster: pods of a Deployment, in-cluster configuration, a kubelet that reports
 * deaths. */
#include "helper.h"
#include "app/app.h"
#include <signal.h>

enum { MAX = 8 };
struct instance {
    struct stage *st;
    struct world *w;
    struct app *app;
    struct log log;
};
struct stage {
    struct field f;
    struct instance *live[MAX];
};

static void on_end(void *ctx, int code) {
    simworld_exit(((struct instance *)ctx)->w, code);
}
static void on_sigterm(void *ctx) {
    app_stop(((struct instance *)ctx)->app, "SIGTERM");
}

static void *begin(void *ctx, struct world *w) {
    struct stage *st = ctx;
    struct instance *in = xcalloc(1, sizeof *in);
    in->st = st;
    in->w = w;
    in->log = simworld_log(w);
    struct app_options opt = {.admin_addr = ":8080", .version = "test"};
    struct err err = {0};
    if (app_new(w, &in->log, &opt, on_end, in, &in->app, &err) < 0) fail_msg("%s", err.msg);
    if (app_start(in->app, &err) < 0) fail_msg("%s", err.msg);
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
    free(in);
}

static struct stage *stage_new(uint64_t seed) {
    struct stage *st = xcalloc(1, sizeof *st);
    st->f = field_new(seed);
    simworld_pods(st->f.sw, "api", &(struct simprogram){begin, destroy, st});
    scripted(st->f.api, "{'image':'handover:*','external':true}");
#define FROM(field) "'valueFrom':{'fieldRef':{'fieldPath':'metadata." field "'}}"
    create(
        st->f.sw, "/apis/apps/v1/namespaces/default/deployments",
        "{'metadata':{'name':'handover'},'spec':{'replicas':2,'selector':{'matchLabels':{'app':'handover'}},"
        "'template':{'metadata':{'labels':{'app':'handover'}},'spec':{'containers':[{'name':'handover',"
        "'image':'handover:1','readinessProbe':{'httpGet':{'port':8080,'path':'/readyz'},'periodSeconds':1},"
        "'env':[{'name':'POD_NAME'," FROM("name") "},{'name':'POD_NAMESPACE'," FROM(
            "namespace") "},"
                         "{'name':'POD_UID'," FROM("uid") "}]}]}}}}");
    simworld_run(st->f.sw, 20 * NS_PER_S);
    return st;
}
static void stage_free(struct stage *st) {
    field_free(&st->f);
    free(st);
}

#define STAGE_CASE(seed, name) CASE_OF(struct stage, st, stage_new(seed), stage_free, name)

static struct instance *leader(struct stage *st) {
    struct instance *found = NULL;
    for (int i = 0; i < MAX; i++) {
        if (!st->live[i] || !simworld_alive(st->live[i]->w) || !app_leading(st->live[i]->app)) continue;
        assert_null(found);
        found = st->live[i];
    }
    return found;
}
static bool has_leader(void *ctx) {
    return leader(ctx) != NULL;
}
/* Looked at so often, one leads but for few times, and at the end. */
static void leads_all_the_while(struct stage *st, int looks, int64_t every_ns, int gaps) {
    for (int i = 0; i < looks; i++) {
        simworld_run(st->f.sw, every_ns);
        gaps -= leader(st) == NULL;
    }
    assert_non_null(leader(st));
    assert_true(gaps > 0);
}
static int64_t ready_replicas(struct stage *st) {
    cleanup_buf struct buf b = BUF(1 << 20);
    assert_int_equal(sim_peek(st->f.api, "deployments", "default", "handover", &b), 0);
    cleanup_json cJSON *d = json_parse(buf_slice(&b), NULL);
    return json_i64(json_get(d, "status"), "readyReplicas", 0);
}

STAGE_CASE(1, pods_come_up_and_one_leads) {
    assert_int_equal(ready_replicas(st), 2);
    assert_non_null(leader(st));
}

/* The kubelet tells of the leader's death with the identity that it left (a certificate for the process that reads
 * it), and a standby follows, at the latest when the lease has expired. */
CASE(a_killed_leader_is_succeeded) {
    for (uint64_t seed = 2; seed < 8; seed++) {
        struct stage *st = stage_new(seed);
        struct instance *first = leader(st);
        assert_non_null(first);
        cleanup_free char *pod = xstrdup(simworld_name(first->w));
        cleanup_free char *id = slice_dup(simworld_file_get(first->w, "/dev/termination-log"));
        assert_int_equal(strncmp(id, pod, strlen(pod)), 0);
        simworld_signal(first->w, SIGKILL);
        simworld_run(st->f.sw, 1060 * MS);
        cleanup_buf struct buf b = BUF(1 << 20);
        assert_int_equal(sim_peek(st->f.api, "pods", "default", pod, &b), 0);
        if (!strstr(buf_str(&b), id))
            fail_msg("seed %llu: no %s in %s", (unsigned long long)seed, id, buf_str(&b));
        if (!simworld_run_until(st->f.sw, has_leader, st, 18 * NS_PER_S))
            fail_msg("seed %llu", (unsigned long long)seed);
        simworld_run(st->f.sw, 20 * NS_PER_S);
        assert_int_equal(ready_replicas(st), 2);
        stage_free(st);
    }
}

STAGE_CASE(20, a_deleted_leader_hands_over) {
    struct instance *first = leader(st);
    cleanup_free char *url = xasprintf(API "/api/v1/namespaces/default/pods/%s", simworld_name(first->w));
    assert_int_equal(simworld_request(st->f.sw, "DELETE", url, NULL, (struct slice){0}, NULL), 200);
    leads_all_the_while(st, 5000, MS, 50);
    simworld_run(st->f.sw, 20 * NS_PER_S);
    assert_int_equal(ready_replicas(st), 2);
}

/* A new image of Handover itself, rolled by its own Deployment: a leader all the while, but for moments. */
STAGE_CASE(21, a_rolling_update_of_itself) {
    const char *patch = "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"v\":\"2\"}}}}}";
    assert_int_equal(simworld_request(st->f.sw, "PATCH",
                                      API "/apis/apps/v1/namespaces/default/deployments/handover",
                                      "application/merge-patch+json", slice_of(patch), NULL),
                     200);
    leads_all_the_while(st, 6000, 10 * MS, 20);
    assert_int_equal(ready_replicas(st), 2);
}

CASES("simworld/app_pods")
