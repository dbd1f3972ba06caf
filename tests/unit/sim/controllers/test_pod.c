/* Pods: start, readiness, crashes and their back-off, image pulls, graceful and forced deletion, processes
 * from outside. */
#include "kit.h"

static void make_pod(struct sim *s, const char *name, const char *image, const char *spec) {
    cleanup_free char *body = xasprintf(
        "{'metadata':{'name':'%s','labels':{'p':'q'}},'spec':{'containers':[{'name':'m','image':'%s'}]%s}}",
        name, image, spec);
    assert_int_equal(post(s, CORE "pods", body), 201);
}

static cJSON *pod(struct sim *s, const char *name) {
    cleanup_free char *path = xasprintf(CORE "pods/%s", name);
    return get(s, path);
}

static const cJSON *container(const cJSON *p) {
    const cJSON *list = json_at(p, "status/containerStatuses");
    return list ? list->child : NULL;
}

/* "waiting:CrashLoopBackOff", "running", "terminated:Error" */
static char *state_of(struct sim *s, const char *name) {
    cJSON *p = pod(s, name);
    if (!p) return xstrdup("gone");
    const cJSON *st = json_get(container(p), "state");
    if (!st || !st->child) return xstrdup("none");
    const char *reason = json_str(st->child, "reason");
    return reason ? xasprintf("%s:%s", st->child->string, reason) : xstrdup(st->child->string);
}

static void assert_state(struct sim *s, const char *name, const char *want) {
    cleanup_free char *got = state_of(s, name);
    assert_string_equal(got, want);
}

static void assert_phase(struct sim *s, const char *name, const char *want) {
    cJSON *p = pod(s, name);
    assert_string_equal(json_str_or(json_get(p, "status"), "phase", ""), want);
}

static bool is_ready(struct sim *s, const char *name) {
    cJSON *p = pod(s, name);
    return strcmp(json_str_or(obj_condition(p, "Ready"), "status", ""), "True") == 0;
}

static int64_t restarts(struct sim *s, const char *name) {
    cJSON *p = pod(s, name);
    return json_i64(container(p), "restartCount", -1);
}

SIM_TEST(starts_and_becomes_ready) {
    script(s, "{'image':'*:1','startMs':500,'readyMs':1000}");
    make_pod(s, "p", "reg/i:1", "");
    assert_phase(s, "p", "Pending");
    run_ms(s, 100);
    assert_state(s, "p", "waiting:ContainerCreating");
    cJSON *early = pod(s, "p");
    assert_string_equal(json_str(json_get(early, "spec"), "nodeName"), "sim-node");
    assert_null(json_str(json_get(early, "status"), "podIP"));
    run_ms(s, 500);
    assert_state(s, "p", "running");
    assert_phase(s, "p", "Running");
    assert_false(is_ready(s, "p"));
    run_ms(s, 1000);
    assert_true(is_ready(s, "p"));
    cJSON *p = pod(s, "p");
    const cJSON *st = json_get(p, "status"), *c = container(p);
    says(st, "podIP=10.244.0.2|qosClass=BestEffort");
    assert_int_equal(strncmp(json_str(c, "containerID"), "containerd://", 13), 0);
    assert_int_equal(strncmp(json_str(c, "imageID"), "reg/i:1@sha256:", 15), 0);
    assert_true(json_bool(c, "ready", false));
    assert_non_null(json_at(c, "state/running/startedAt"));
}

SIM_TEST(quality_of_service) {
    static const struct {
        const char *resources, *want;
    } t[] = {
        {"{'limits':{'cpu':'1','memory':'64Mi'}}", "Guaranteed"},
        {"{'limits':{'cpu':1,'memory':'64Mi'},'requests':{'cpu':'1000m','memory':'67108864'}}", "Guaranteed"},
        {"{'requests':{'cpu':'1'}}", "Burstable"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "p%zu", i);
        cleanup_free char *body = xasprintf(
            "{'metadata':{'name':'%s'},'spec':{'containers':[{'name':'m','image':'i','resources':%s}]}}",
            name, t[i].resources);
        assert_int_equal(post(s, CORE "pods", body), 201);
        run_ms(s, 500);
        cJSON *p = pod(s, name);
        assert_string_equal(json_str(json_get(p, "status"), "qosClass"), t[i].want);
    }
}

/* Restarts at 0, 10, 30, 70, ... s, as a kubelet counts. */
SIM_TEST(crash_loop) {
    script(s, "{'image':'*','crashAfterMs':1000,'exitCode':3,'message':'lost my keys'}");
    make_pod(s, "p", "i:1", "");
    run_ms(s, 400);
    assert_state(s, "p", "running");
    run_ms(s, 1000); /* 1.4: crashed at 1.3 */
    assert_state(s, "p", "terminated:Error");
    assert_false(is_ready(s, "p"));
    run_ms(s, 600); /* 2.0: running since 1.8 */
    assert_state(s, "p", "running");
    assert_int_equal(restarts(s, "p"), 1);
    cJSON *p = pod(s, "p");
    const cJSON *last = json_at(container(p), "lastState/terminated");
    says(last, "exitCode=3|reason=Error|message=lost my keys");
    run_ms(s, 1500); /* 3.5: crashed at 2.8, backing off until 12.8 */
    assert_state(s, "p", "waiting:CrashLoopBackOff");
    assert_phase(s, "p", "Running");
    run_ms(s, 9000);
    assert_state(s, "p", "waiting:CrashLoopBackOff");
    run_ms(s, 500); /* 13.0 */
    assert_state(s, "p", "running");
    assert_int_equal(restarts(s, "p"), 2);
    run_ms(s, 20000); /* 33.0: crashed at 13.8, until 33.8 */
    assert_state(s, "p", "waiting:CrashLoopBackOff");
    run_ms(s, 1000);
    assert_int_equal(restarts(s, "p"), 3);
    run_ms(s, 3600 * 1000); /* at most every five minutes */
    int64_t n = restarts(s, "p");
    assert_true(n >= 14 && n <= 18);
}

SIM_TEST(crashes_so_many_times) {
    script(s, "{'image':'*','crashAfterMs':100,'crashes':2}");
    make_pod(s, "p", "i:1", "");
    run_ms(s, 60000);
    assert_state(s, "p", "running");
    assert_true(is_ready(s, "p"));
    assert_int_equal(restarts(s, "p"), 2);
}

SIM_TEST(ends_for_good) {
    script(s, "{'image':'fail','crashAfterMs':100,'exitCode':137,'reason':'OOMKilled'}");
    script(s, "{'image':'done','crashAfterMs':100,'exitCode':0}");
    make_pod(s, "f", "fail", ",'restartPolicy':'Never'");
    make_pod(s, "d", "done", ",'restartPolicy':'OnFailure'");
    run_ms(s, 2000);
    assert_phase(s, "f", "Failed");
    assert_state(s, "f", "terminated:OOMKilled");
    assert_phase(s, "d", "Succeeded");
    assert_state(s, "d", "terminated:Completed");
}

SIM_TEST(image_pull_fails) {
    script(s, "{'image':'*:none','imagePull':'fail'}");
    make_pod(s, "p", "i:none", "");
    run_ms(s, 500);
    assert_state(s, "p", "waiting:ErrImagePull");
    run_ms(s, 1000);
    assert_state(s, "p", "waiting:ImagePullBackOff");
    assert_phase(s, "p", "Pending");
    script(s, "{'image':'*:none'}"); /* somebody pushed it */
    run_ms(s, 15000);
    assert_state(s, "p", "running");
}

/* ---- the end ---- */

SIM_TEST(stops_gracefully) {
    script(s, "{'image':'*','terminateMs':2000,'message':'bye'}");
    make_pod(s, "p", "i:1", "");
    run_ms(s, 1000);
    assert_int_equal(del(s, CORE "pods/p", NULL), 200);
    run_ms(s, 1500);
    cJSON *p = pod(s, "p");
    assert_true(obj_deleting(p));
    assert_int_equal(at_i64(p, "metadata", "deletionGracePeriodSeconds"), 30);
    assert_state(s, "p", "running");
    assert_true(is_ready(s, "p"));
    run_ms(s, 520);
    assert_state(s, "p", "terminated:Completed");
    assert_phase(s, "p", "Running");
    assert_false(is_ready(s, "p"));
    cJSON *end = pod(s, "p");
    assert_string_equal(json_str(json_at(container(end), "state/terminated"), "message"), "bye");
    run_ms(s, 100);
    assert_state(s, "p", "gone");
}

SIM_TEST(is_killed_at_the_end_of_its_grace) {
    script(s, "{'image':'*','terminateMs':60000}");
    make_pod(s, "p", "i:1", ",'terminationGracePeriodSeconds':5");
    run_ms(s, 1000);
    assert_int_equal(del(s, CORE "pods/p", NULL), 200);
    run_ms(s, 4900);
    assert_state(s, "p", "running");
    run_ms(s, 110);
    cJSON *p = pod(s, "p");
    assert_int_equal(json_i64(json_at(container(p), "state/terminated"), "exitCode", 0), 137);
    run_ms(s, 100);
    assert_state(s, "p", "gone");
}

SIM_TEST(a_second_deletion_shortens_it) {
    script(s, "{'image':'*','terminateMs':60000}");
    make_pod(s, "p", "i:1", "");
    make_pod(s, "q", "i:1", "");
    run_ms(s, 1000);
    assert_int_equal(del(s, CORE "pods/p", NULL), 200);
    run_ms(s, 1000);
    assert_int_equal(del(s, CORE "pods/p", "{'gracePeriodSeconds':2}"), 200);
    run_ms(s, 1900);
    assert_state(s, "p", "running");
    run_ms(s, 300);
    assert_state(s, "p", "gone");
    assert_int_equal(del(s, CORE "pods/q", "{'gracePeriodSeconds':0}"), 200); /* by force: gone at once */
    assert_state(s, "q", "gone");
}

SIM_TEST(a_finalizer_keeps_it) {
    make_pod(s, "p", "i:1", "");
    run_ms(s, 1000);
    assert_int_equal(merge(s, CORE "pods/p", "{'metadata':{'finalizers':['x.y/z']}}"), 200);
    assert_int_equal(del(s, CORE "pods/p", NULL), 200);
    run_ms(s, 60000);
    assert_state(s, "p", "terminated:Completed");
    assert_int_equal(merge(s, CORE "pods/p", "{'metadata':{'finalizers':null}}"), 200);
    run_ms(s, 10);
    assert_state(s, "p", "gone");
}

SIM_TEST(unstarted_ones_go_quickly) {
    script(s, "{'image':'*','startMs':10000}");
    make_pod(s, "p", "i:1", "");
    make_pod(s, "q", "i:1", "");
    assert_int_equal(del(s, CORE "pods/p", NULL), 200); /* not even scheduled */
    run_ms(s, 10);
    assert_state(s, "p", "gone");
    run_ms(s, 100);
    assert_int_equal(del(s, CORE "pods/q", NULL), 200);
    run_ms(s, 100);
    assert_state(s, "q", "gone");
}

/* ---- scripts ---- */

SIM_TEST(scripts_apply_to_what_runs) {
    make_pod(s, "p", "i:1", "");
    run_ms(s, 1000);
    assert_true(is_ready(s, "p"));
    script(s, "{'image':'i:*','ready':false}");
    run_ms(s, 10);
    assert_false(is_ready(s, "p"));
    script(s, "{'image':'i:*','crashAfterMs':500}");
    run_ms(s, 10);
    assert_state(s, "p", "terminated:Error");
    script(s, "{'clear':true}");
    run_ms(s, 30000);
    assert_true(is_ready(s, "p"));
}

SIM_TEST(an_annotation_is_a_script) {
    script(s, "{'image':'*','startMs':2000}");
    assert_int_equal(
        post(s, CORE "pods",
             "{'metadata':{'name':'p','annotations':{'sim.handover.dev/"
             "script':'{\\\"ready\\\":false}'}},'spec':{'containers':[{'name':'m','image':'i'}]}}"),
        201);
    run_ms(s, 1900);
    assert_state(s, "p", "waiting:ContainerCreating"); /* on top of the rule, not instead of it */
    run_ms(s, 5000);
    assert_state(s, "p", "running");
    assert_false(is_ready(s, "p"));
}

SIM_TEST(bad_scripts_say_why) {
    static const char bad[] =
        "|[]|{|{'errorRate':2}|{'errorRate':'x'}|{'ready':1}|{'startMs':-1}|{'metrics':'odd'}|"
        "{'imagePull':'maybe'}|{'image':3}|{'nonsense':1}|{'exitCode':256}|"
        "{'controllers':{'delayMs':-1}}";
    each_of(one, bad) {
        cleanup_free char *text = slice_dup(one);
        struct err err = {0};
        assert_true(script_err(s, text, &err) < 0);
        assert_true(strlen(err.msg) > 5);
    }
}

/* ---- processes that are somebody else's ---- */

struct told {
    int started, termed, killed;
};
static void on_start(void *ctx, const char *ns, const char *name, const char *c) {
    assert_string_equal(ns, "default");
    assert_string_equal(c, "m");
    (void)name;
    ((struct told *)ctx)->started++;
}
static void on_term(void *ctx, const char *ns, const char *name, const char *c, int64_t grace) {
    (void)ns;
    (void)name;
    (void)c;
    assert_true(grace == 30 * NS_PER_S);
    ((struct told *)ctx)->termed++;
}
static void on_kill(void *ctx, const char *ns, const char *name, const char *c) {
    (void)ns;
    (void)name;
    (void)c;
    ((struct told *)ctx)->killed++;
}

TEST_ALONE(external_processes) {
    static const struct sim_runtime rt = {on_start, on_term, on_kill};
    struct told t = {0};
    struct sim *s = sim_seeded(15);
    sim_set_runtime(s, &rt, &t);
    script(s, "{'image':'ext','external':true}");
    make_pod(s, "p", "ext", "");
    run_ms(s, 1000);
    assert_int_equal(t.started, 1);
    assert_state(s, "p", "running");
    assert_false(is_ready(s, "p"));
    assert_int_equal(sim_container_ready(s, "default", "p", "m", true), 0);
    run_ms(s, 1);
    assert_true(is_ready(s, "p"));
    assert_int_equal(sim_container_exit(s, "default", "p", "m", 137, SL("id-1")), 0);
    run_ms(s, 1);
    cJSON *p = pod(s, "p");
    assert_string_equal(json_str(json_at(container(p), "state/terminated"), "message"), "id-1");
    assert_int_equal(sim_container_exit(s, "default", "p", "m", 137, SL("id-1")), -ENOENT);
    run_ms(s, 1000);
    assert_int_equal(t.started, 2);
    assert_int_equal(restarts(s, "p"), 1);

    assert_int_equal(del(s, CORE "pods/p", NULL), 200);
    run_ms(s, 5000);
    assert_int_equal(t.termed, 1);
    assert_state(s, "p", "running"); /* takes its time */
    assert_int_equal(sim_container_exit(s, "default", "p", "m", 0, SL("id-2")), 0);
    run_ms(s, 1);
    assert_state(s, "p", "terminated:Completed");
    run_ms(s, 100);
    assert_state(s, "p", "gone");
    assert_int_equal(t.killed, 0);

    make_pod(s, "q", "ext", "");
    run_ms(s, 1000);
    assert_int_equal(del(s, CORE "pods/q", NULL), 200);
    run_ms(s, 30100); /* never ends by itself */
    assert_int_equal(t.killed, 1);
    assert_state(s, "q", "running"); /* and nobody reports its end */
    run_ms(s, 6000);
    assert_state(s, "q", "gone");
    assert_int_equal(sim_container_ready(s, "default", "q", "m", true), -ENOENT);
    make_pod(s, "r", "ext", "");
    run_ms(s, 1000);
    assert_int_equal(del(s, CORE "pods/r", "{'gracePeriodSeconds':0}"), 200);
    assert_int_equal(t.killed, 2);
    sim_free(s);
}
