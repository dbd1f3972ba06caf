/* Pods: start, readiness, crashes and their back-off, image pulls, graceful and forced deletion, processes
 * from outside. */
#include "kit.h"

/* rest: more members of spec, as JSON text beginning with ',', or "". */
static void make_pod(struct sim *s, const char *name, const char *image, const char *rest) {
    cleanup_free char *body = xasprintf(
        "{'metadata':{'name':'%s','labels':{'p':'q'}},'spec':{'containers':[{'name':'m','image':'%s'}]%s}}",
        name, image, rest);
    post(s, CORE "pods", body);
}

/* ms later the pod is so, as says() takes it: "kind=none", or its members, c: the container's status, ready, and state:
 * "running", "waiting:REASON", "terminated:REASON". */
static void pod_is(struct sim *s, int64_t ms, const char *name, const char *want) {
    run_ms(s, ms);
    cJSON *v = keep(cJSON_Duplicate(object(s, "pods", name), true));
    if (!v) v = keep(cJSON_CreateObject());
    const cJSON *list = json_at(v, "status/containerStatuses"), *c = list ? list->child : NULL;
    const cJSON *state = json_get(c, "state") ? json_get(c, "state")->child : NULL;
    const char *reason = json_str(state, "reason");
    cleanup_free char *is =
        xasprintf("%s%s%s", state ? state->string : "none", reason ? ":" : "", reason ? reason : "");
    cJSON_AddStringToObject(v, "state", is);
    cJSON_AddBoolToObject(v, "ready", pod_is_ready(v));
    cJSON_AddItemToObject(v, "c", cJSON_Duplicate(c, true));
    says(v, want);
}

SIM_TEST(starts_and_becomes_ready) {
    script(s, "{'image':'*:1','startMs':500,'readyMs':1000}");
    make_pod(s, "p", "reg/i:1", "");
    pod_is(s, 0, "p", "status/phase=Pending");
    pod_is(s, 100, "p", "state=waiting:ContainerCreating|spec/nodeName=sim-node|status/podIP=none");
    pod_is(s, 500, "p", "state=running|status/phase=Running|ready=false");
    pod_is(s, 1000, "p", "ready=true|status/podIP=10.244.0.2|status/qosClass=BestEffort|c/ready=true");
    const cJSON *c = json_at(object(s, "pods", "p"), "status/containerStatuses")->child;
    assert_int_equal(strncmp(json_str(c, "containerID"), "containerd://", 13), 0);
    assert_int_equal(strncmp(json_str(c, "imageID"), "reg/i:1@sha256:", 15), 0);
    assert_non_null(json_at(c, "state/running/startedAt"));
}

SIM_TEST(quality_of_service) {
    static const struct {
        const char *resources, *want;
    } t[] = {
        {"{'limits':{'cpu':'1','memory':'64Mi'}}", "status/qosClass=Guaranteed"},
        {"{'limits':{'cpu':1,'memory':'64Mi'},'requests':{'cpu':'1000m','memory':'67108864'}}",
         "status/qosClass=Guaranteed"},
        {"{'requests':{'cpu':'1'}}", "status/qosClass=Burstable"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        cleanup_free char *name = xasprintf("p%zu", i);
        cleanup_free char *body = xasprintf(
            "{'metadata':{'name':'%s'},'spec':{'containers':[{'name':'m','image':'i','resources':%s}]}}",
            name, t[i].resources);
        post(s, CORE "pods", body);
        pod_is(s, 500, name, t[i].want);
    }
}

/* Restarts at 0, 10, 30, 70, ... s, as a kubelet counts. */
SIM_TEST(crash_loop) {
    script(s, "{'image':'*','crashAfterMs':1000,'exitCode':3,'message':'lost my keys'}");
    make_pod(s, "p", "i:1", "");
    static const struct {
        int64_t ms;
        const char *want;
    } t[] = {
        {400, "state=running"},
        {1000, "state=terminated:Error|ready=false"}, /* 1.4: crashed at 1.3 */
        /* 2.0: running since 1.8 */
        {600, "state=running|c/restartCount=1|c/lastState/terminated/exitCode=3|c/lastState/terminated/"
              "reason=Error|"
              "c/lastState/terminated/message=lost my keys"},
        {1500, "state=waiting:CrashLoopBackOff|status/phase=Running"}, /* 3.5: crashed at 2.8, until 12.8 */
        {9000, "state=waiting:CrashLoopBackOff"},
        {500, "state=running|c/restartCount=2"},   /* 13.0 */
        {20000, "state=waiting:CrashLoopBackOff"}, /* 33.0: crashed at 13.8, until 33.8 */
        {1000, "c/restartCount=3"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) pod_is(s, t[i].ms, "p", t[i].want);
    run_ms(s, 3600 * 1000); /* at most every five minutes */
    const cJSON *c = json_at(object(s, "pods", "p"), "status/containerStatuses")->child;
    assert_in_range(json_i64(c, "restartCount", -1), 14, 18);
}

SIM_TEST(crashes_so_many_times) {
    script(s, "{'image':'*','crashAfterMs':100,'crashes':2}");
    make_pod(s, "p", "i:1", "");
    pod_is(s, 60000, "p", "state=running|ready=true|c/restartCount=2");
}

SIM_TEST(ends_for_good) {
    script(s, "{'image':'fail','crashAfterMs':100,'exitCode':137,'reason':'OOMKilled'}");
    script(s, "{'image':'done','crashAfterMs':100,'exitCode':0}");
    make_pod(s, "f", "fail", ",'restartPolicy':'Never'");
    make_pod(s, "d", "done", ",'restartPolicy':'OnFailure'");
    pod_is(s, 2000, "f", "status/phase=Failed|state=terminated:OOMKilled");
    pod_is(s, 0, "d", "status/phase=Succeeded|state=terminated:Completed");
}

SIM_TEST(image_pull_fails) {
    script(s, "{'image':'*:none','imagePull':'fail'}");
    make_pod(s, "p", "i:none", "");
    pod_is(s, 500, "p", "state=waiting:ErrImagePull");
    pod_is(s, 1000, "p", "state=waiting:ImagePullBackOff|status/phase=Pending");
    script(s, "{'image':'*:none'}"); /* somebody pushed it */
    pod_is(s, 15000, "p", "state=running");
}

/* ---- the end ---- */

SIM_TEST(stops_gracefully) {
    script(s, "{'image':'*','terminateMs':2000,'message':'bye'}");
    make_pod(s, "p", "i:1", "");
    run_ms(s, 1000);
    del(s, "pods", "p", NULL);
    pod_is(s, 1500, "p", "metadata/deletionGracePeriodSeconds=30|state=running|ready=true");
    assert_true(obj_deleting(object(s, "pods", "p")));
    pod_is(s, 520, "p",
           "state=terminated:Completed|status/phase=Running|ready=false|c/state/terminated/message=bye");
    pod_is(s, 100, "p", "kind=none");
}

SIM_TEST(is_killed_at_the_end_of_its_grace) {
    script(s, "{'image':'*','terminateMs':60000}");
    make_pod(s, "p", "i:1", ",'terminationGracePeriodSeconds':5");
    run_ms(s, 1000);
    del(s, "pods", "p", NULL);
    pod_is(s, 4900, "p", "state=running");
    pod_is(s, 110, "p", "c/state/terminated/exitCode=137");
    pod_is(s, 100, "p", "kind=none");
}

SIM_TEST(a_second_deletion_shortens_it) {
    script(s, "{'image':'*','terminateMs':60000}");
    make_pod(s, "p", "i:1", "");
    make_pod(s, "q", "i:1", "");
    run_ms(s, 1000);
    del(s, "pods", "p", NULL);
    run_ms(s, 1000);
    del(s, "pods", "p", "{'gracePeriodSeconds':2}");
    pod_is(s, 1900, "p", "state=running");
    pod_is(s, 300, "p", "kind=none");
    del(s, "pods", "q", "{'gracePeriodSeconds':0}"); /* by force: gone at once */
    pod_is(s, 0, "q", "kind=none");
}

SIM_TEST(a_finalizer_keeps_it) {
    make_pod(s, "p", "i:1", "");
    run_ms(s, 1000);
    merge(s, CORE "pods/p", "{'metadata':{'finalizers':['x.y/z']}}");
    del(s, "pods", "p", NULL);
    pod_is(s, 60000, "p", "state=terminated:Completed");
    merge(s, CORE "pods/p", "{'metadata':{'finalizers':null}}");
    pod_is(s, 10, "p", "kind=none");
}

SIM_TEST(unstarted_ones_go_quickly) {
    script(s, "{'image':'*','startMs':10000}");
    make_pod(s, "p", "i:1", "");
    make_pod(s, "q", "i:1", "");
    del(s, "pods", "p", NULL); /* not even scheduled */
    pod_is(s, 10, "p", "kind=none");
    run_ms(s, 100);
    del(s, "pods", "q", NULL);
    pod_is(s, 100, "q", "kind=none");
}

/* ---- scripts ---- */

SIM_TEST(scripts_apply_to_what_runs) {
    make_pod(s, "p", "i:1", "");
    pod_is(s, 1000, "p", "ready=true");
    script(s, "{'image':'i:*','ready':false}");
    pod_is(s, 10, "p", "ready=false");
    script(s, "{'image':'i:*','crashAfterMs':500}");
    pod_is(s, 10, "p", "state=terminated:Error");
    script(s, "{'clear':true}");
    pod_is(s, 30000, "p", "ready=true");
}

SIM_TEST(an_annotation_is_a_script) {
    script(s, "{'image':'*','startMs':2000}");
    post(s, CORE "pods",
         "{'metadata':{'name':'p','annotations':{'sim.handover.dev/"
         "script':'{\\\"ready\\\":false}'}}," POD_SPEC("i") "}");
    pod_is(s, 1900, "p", "state=waiting:ContainerCreating"); /* on top of the rule, not instead of it */
    pod_is(s, 5000, "p", "state=running|ready=false");
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
    (void)ns, (void)name, (void)c;
    assert_true(grace == 30 * NS_PER_S);
    ((struct told *)ctx)->termed++;
}
static void on_kill(void *ctx, const char *ns, const char *name, const char *c) {
    (void)ns, (void)name, (void)c;
    ((struct told *)ctx)->killed++;
}

CASE(external_processes) {
    static const struct sim_runtime rt = {on_start, on_term, on_kill};
    struct told t = {0};
    struct sim *s = sim_seeded(15);
    sim_set_runtime(s, &rt, &t);
    script(s, "{'image':'ext','external':true}");
    make_pod(s, "p", "ext", "");
    pod_is(s, 1000, "p", "state=running|ready=false");
    assert_int_equal(t.started, 1);
    assert_int_equal(sim_container_ready(s, "default", "p", "m", true), 0);
    pod_is(s, 1, "p", "ready=true");
    assert_int_equal(sim_container_exit(s, "default", "p", "m", 137, SL("id-1")), 0);
    pod_is(s, 1, "p", "c/state/terminated/message=id-1");
    assert_int_equal(sim_container_exit(s, "default", "p", "m", 137, SL("id-1")), -ENOENT);
    pod_is(s, 1000, "p", "c/restartCount=1");
    assert_int_equal(t.started, 2);

    del(s, "pods", "p", NULL);
    pod_is(s, 5000, "p", "state=running"); /* takes its time */
    assert_int_equal(t.termed, 1);
    assert_int_equal(sim_container_exit(s, "default", "p", "m", 0, SL("id-2")), 0);
    pod_is(s, 1, "p", "state=terminated:Completed");
    pod_is(s, 100, "p", "kind=none");
    assert_int_equal(t.killed, 0);

    make_pod(s, "q", "ext", "");
    run_ms(s, 1000);
    del(s, "pods", "q", NULL);
    pod_is(s, 30100, "q", "state=running"); /* never ends by itself, and nobody reports its end */
    assert_int_equal(t.killed, 1);
    pod_is(s, 6000, "q", "kind=none");
    assert_int_equal(sim_container_ready(s, "default", "q", "m", true), -ENOENT);
    make_pod(s, "r", "ext", "");
    run_ms(s, 1000);
    del(s, "pods", "r", "{'gracePeriodSeconds':0}");
    assert_int_equal(t.killed, 2);
    sim_free(s);
}
