/* The Deployment controller as a client sees it: rolling updates, pausing, revisions, conditions. */
#include "kit.h"

#define REVISION "metadata/annotations/deployment.kubernetes.io~1revision"

SIM_TEST(makes_a_replicaset) {
    start_op(s, 3, "");
    const cJSON *d = deployment(s, "op"), *rs = first_of(s, "replicasets");
    const char *hash = obj_label(rs, "pod-template-hash");
    cleanup_free char *hashed =
        xasprintf("metadata/name=op-%s|spec/selector/matchLabels/pod-template-hash=%s|"
                  "spec/template/metadata/labels/pod-template-hash=%s",
                  hash, hash, hash);
    says(rs, hashed);
    says(rs, REVISION "=1|metadata/annotations/deployment.kubernetes.io~1desired-replicas=3|"
                      "metadata/annotations/deployment.kubernetes.io~1max-replicas=4");
    assert_string_equal(json_str(obj_controller(rs), "uid"), obj_uid(d));
    /* the controller's own notes do not count */
    shows(s, "replicasets=1|op/" REVISION "=1|op/metadata/generation=1|"
             "Progressing=True NewReplicaSetAvailable|Available=True MinimumReplicasAvailable");
}

/* At every instant: at most 4 + 1 pods asked for, which is what the controller limits, at least 4 - 1 ready. */
SIM_TEST(rolls_within_its_limits) {
    start_op(s, 4, "");
    set_image(s, "op", "op:v2");
    int64_t most = 0;
    for (int i = 0; i < 4000 && !(i > 20 && settled(s, "op")); i++) {
        run_ms(s, 1);
        int64_t all = 0;
        for (const cJSON *r = first_of(s, "replicasets"); r; r = r->next)
            all += at_i64(r, "spec", "replicas");
        if (all > most) most = all;
        assert_true(all <= 5);
        assert_true(pods_of(s, NULL, true) >= 3);
    }
    assert_int_equal(most, 5);
    assert_true(settled(s, "op"));
    shows(s, "ready/op:v2=4|replicasets=2|op/" REVISION "=2");
}

SIM_TEST(going_back_reuses_the_replicaset) {
    start_op(s, 2, "");
    set_image(s, "op", "op:v2");
    run_ms(s, 3000);
    set_image(s, "op", "op:v1");
    later(s, 3000, "replicasets=2|rs/op:v1/" REVISION "=3|rs/op:v1/" REVISION "-history=1");
    assert_true(settled(s, "op"));
}

SIM_TEST(quantities_written_otherwise_are_the_same) {
    start_op(s, 1, "");
    each_of(memory, "64Mi|67108864") {
        cleanup_free char *spec = xasprintf("{'template':{'spec':{'containers':[{'name':'m','image':'op:v1',"
                                            "'resources':{'limits':{'memory':'%.*s'}}}]}}}",
                                            SLF(memory));
        patch_op(s, spec);
        later(s, 3000, "replicasets=2");
    }
}

/* ---- paused ---- */

static void paused(struct sim *s, int replicas) {
    start_op(s, replicas, "");
    patch_op(s, "{'paused':true,'progressDeadlineSeconds':2147483647}");
    run_ms(s, 50);
}

SIM_TEST(paused_makes_no_replicaset) {
    paused(s, 3);
    shows(s, "Progressing=True NewReplicaSetAvailable");
    set_image(s, "op", "op:v2");
    later(s, 2000,
          "replicasets=1|ready/op:v1=3|op/status/updatedReplicas=0|op/status/replicas=3|"
          "Progressing=True NewReplicaSetAvailable");
    cJSON *d = deployment(s, "op");
    assert_int_equal(at_i64(d, "status", "observedGeneration"), at_i64(d, "metadata", "generation"));
    cleanup_free char *pod = pod_of(s, "op:v1");
    del(s, "pods", pod, NULL);
    later(s, 2000, "ready/op:v1=3|all/op:v2=0"); /* back with the old image */
}

SIM_TEST(paused_change_back_shows_in_status) {
    paused(s, 2);
    set_image(s, "op", "op:v2");
    later(s, 100, "op/status/updatedReplicas=0");
    set_image(s, "op", "op:v1");
    later(s, 100, "op/status/updatedReplicas=2");
}

/* The revision annotation lies: a paused switch to an old template raises an idle ReplicaSet. */
SIM_TEST(paused_switch_raises_an_idle_revision) {
    start_op(s, 2, "");
    set_image(s, "op", "op:v2");
    run_ms(s, 3000);
    patch_op(s, "{'paused':true}");
    set_image(s, "op", "op:v1");
    later(s, 1000, "rs/op:v1/" REVISION "=3|rs/op:v1/spec/replicas=0|ready/op:v2=2");
}

SIM_TEST(paused_scales_the_active_one) {
    paused(s, 3);
    set_image(s, "op", "op:v2");
    patch_op(s, "{'replicas':5}");
    later(s, 2000, "ready/op:v1=5|all/op:v2=0");
    patch_op(s, "{'replicas':1}");
    later(s, 2000, "ready/op:v1=1");
}

SIM_TEST(paused_from_zero_takes_the_matching_one) {
    start_op(s, 2, "");
    run_ms(s, 1000); /* the next ReplicaSet is younger by its creationTimestamp */
    set_image(s, "op", "op:v2");
    run_ms(s, 3000);
    patch_op(s, "{'paused':true,'replicas':0}");
    run_ms(s, 1000);
    set_image(s, "op", "op:v1"); /* matches the older ReplicaSet */
    patch_op(s, "{'replicas':2}");
    later(s, 1000, "ready/op:v1=2");

    patch_op(s, "{'replicas':0}");
    run_ms(s, 1000);
    set_image(s, "op", "op:v3"); /* matches none: the youngest it is */
    patch_op(s, "{'replicas':2}");
    later(s, 1000, "ready/op:v2=2");
}

/* In the middle of a promotion: pause, scale the new ReplicaSet to 0, and the controller restores stable. */
SIM_TEST(paused_in_the_middle_restores_stable) {
    start_op(s, 8, "");
    set_image(s, "op", "op:v2");
    for (int i = 0; i < 2000 && pods_of(s, "op:v2", true) < 3; i++) run_ms(s, 1);
    patch_op(s, "{'paused':true}");
    run_ms(s, 1000);
    int before = pods_of(s, "op:v2", true);
    assert_in_range(before, 3, 7);
    run_ms(s, 5000);
    assert_int_equal(pods_of(s, "op:v2", true), before); /* paused: no further */
    patch_spec(s, "replicasets", rs_of(s, "op:v2"), "{'replicas':0}");
    later(s, 2000, "ready/op:v1=8|all/op:v2=0");
}

SIM_TEST(paused_conditions_with_a_deadline) {
    start_op(s, 1, "");
    patch_op(s, "{'paused':true}");
    later(s, 100, "Progressing=Unknown DeploymentPaused");
    patch_op(s, "{'paused':false}");
    run_ms(s, 1);
    set_image(s, "op", "op:v2");
    later(s, 3000, "Progressing=True NewReplicaSetAvailable");
}

SIM_TEST(unpausing_rolls) {
    paused(s, 3);
    set_image(s, "op", "op:v2");
    run_ms(s, 1000);
    patch_op(s, "{'paused':false,'progressDeadlineSeconds':600}");
    for (int i = 0; i < 1000 && pods_of(s, "op:v2", false) == 0; i++) run_ms(s, 1);
    patch_op(s, "{'paused':true}"); /* too late: the new ones stay */
    run_ms(s, 3000);
    assert_true(pods_of(s, "op:v2", true) > 0);
    patch_op(s, "{'paused':false}");
    settle(s, "op", 5000);
    shows(s, "ready/op:v2=3");
}

/* ---- strategies, deadlines, history ---- */

SIM_TEST(recreate_waits_for_the_last_pod) {
    script(s, "{'image':'op:v1','terminateMs':3000}");
    start_op(s, 3, ",'strategy':{'type':'Recreate'}");
    set_image(s, "op", "op:v2");
    for (int i = 0; i < 600 && !(i > 5 && settled(s, "op")); i++) {
        run_ms(s, 10);
        bool old = false, new = false;
        for (const cJSON *p = first_of(s, "pods"); p; p = p->next)
            *(strcmp(image_of(p, "spec/containers"), "op:v2") == 0 ? &new : &old) = true;
        assert_false(old && new);
    }
    shows(s, "ready/op:v2=3");
}

SIM_TEST(deadline_passes) {
    script(s, "{'image':'*:bad','ready':false}");
    start_op(s, 3, ",'progressDeadlineSeconds':20");
    set_image(s, "op", "op:bad");
    later(s, 15000, "Progressing=True ReplicaSetUpdated");
    later(s, 10000,
          "Progressing=False ProgressDeadlineExceeded|Available=True MinimumReplicasAvailable|"
          "ready/op:v1=3");
    set_image(s, "op", "op:v1");
    later(s, 3000, "Progressing=True NewReplicaSetAvailable");
}

SIM_TEST(min_ready_seconds_hold_it_back) {
    make_deployment(s, "op", 1, "op:v1", ",'minReadySeconds':5");
    later(s, 3000, "op/status/readyReplicas=1|op/status/availableReplicas=0");
    later(s, 3000, "op/status/availableReplicas=1");
}

SIM_TEST(history_is_limited) {
    make_deployment(s, "op", 1, "op:v0", ",'revisionHistoryLimit':2");
    settle(s, "op", 2000);
    each_of(image, "op:v1|op:v2|op:v3|op:v4|op:v5|op:v6") {
        cleanup_free char *text = slice_dup(image);
        run_ms(s, 1100);
        set_image(s, "op", text);
        run_ms(s, 3000);
    }
    shows(s, "replicasets=3|rs/op:v3=none|rs/op:v4=(other)");
}

/* A name that is taken by somebody else's ReplicaSet. */
CASE(collisions_are_counted) {
    struct sim *s = sim_seeded(17), *other = sim_seeded(18);
    start_op(other, 1, "");
    cleanup_free char *name = xstrdup(rs_of(other, "op:v1"));
    cleanup_free char *foreign =
        xasprintf("{'metadata':{'name':'%s'},'spec':{'replicas':0," SPEC("'x':'y'", "i") "}}", name);
    post(s, APPS "replicasets", foreign);
    start_op(s, 1, "");
    shows(s, "op/status/collisionCount=1");
    assert_string_not_equal(rs_of(s, "op:v1"), name);
    sim_free(s);
    sim_free(other);
}

/* ---- adoption ---- */

SIM_TEST(adopts_its_orphans_back) {
    start_op(s, 2, "");
    del(s, "deployments", "op", "{'propagationPolicy':'Orphan'}");
    later(s, 1000, "op=none|replicasets=1|ready/op:v1=2");
    start_op(s, 2, "");
    shows(s, "replicasets=1|pods=2");
}

/* The canary's shape: owned without being controlled, own labels that the target does not select, pods that
 * carry the target's labels and one more. Nobody takes it over. */
SIM_TEST(leaves_a_canary_alone) {
    paused(s, 2);
    cleanup_free char *canary =
        xasprintf("{'metadata':{'name':'op-canary','labels':{'handover.dev/target':'op'},"
                  "'ownerReferences':[{'apiVersion':'apps/"
                  "v1','kind':'Deployment','name':'op','uid':'%s','controller':false}]},"
                  "'spec':{'replicas':1," SPEC("'app':'op','handover.dev/track':'canary'", "op:v2") "}}",
                  obj_uid(deployment(s, "op")));
    post(s, APPS "replicasets", canary);
    later(s, 2000, "ready/op:v2=1|ready/op:v1=2|op/status/replicas=2");
    assert_null(obj_controller(object(s, "replicasets", "op-canary")));
    del(s, "deployments", "op", NULL); /* and it goes with its owner */
    later(s, 2000, "replicasets=0|pods=0");
}

SIM_TEST(scales_in_proportion) {
    script(s, "{'image':'*:bad','ready':false}");
    start_op(s, 10, ",'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':3,'maxUnavailable':2}}");
    set_image(s, "op", "op:bad");
    later(s, 2000, "all/op:v1=8|all/op:bad=5");
    patch_op(s, "{'replicas':15}"); /* the example of the Kubernetes documentation */
    later(s, 2000, "all/op:v1=11|all/op:bad=7");
}

SIM_TEST(tells_what_it_did) {
    start_op(s, 2, "");
    bool found = false;
    for (const cJSON *e = first_of(s, "events"); e; e = e->next)
        if (strcmp(json_str_or(e, "reason", ""), "ScalingReplicaSet") == 0)
            found = strstr(json_str_or(e, "message", ""), "Scaled up replica set op-") != NULL;
    assert_true(found);
}

SIM_TEST(a_stopped_manager_does_nothing) {
    script(s, "{'controllers':{'stopped':true}}");
    make_deployment(s, "op", 2, "op:v1", "");
    later(s, 5000, "replicasets=0|op/status/observedGeneration=0");
    script(s, "{'controllers':{'stopped':false}}");
    settle(s, "op", 5000);
}

/* No time between noticing and acting: everything that can happen at once does, and comes to an end. */
SIM_TEST(without_delay_it_ends) {
    script(s, "{'controllers':{'delayMs':0,'jitterMs':0}}");
    start_op(s, 20, "");
    set_image(s, "op", "op:v2");
    settle(s, "op", 20000);
    shows(s, "ready/op:v2=20");
}
