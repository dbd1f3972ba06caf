/* The Deployment controller as a client sees it: rolling updates, pausing, revisions, conditions. */
#include "kit.h"

SIM_TEST(makes_a_replicaset) {
    start_op(s, 3, "");
    cJSON *d = deployment(s, "op"), *list = list_of(s, "replicasets");
    const cJSON *rs = first_item(list);
    assert_int_equal(cJSON_GetArraySize(json_arr(list, "items")), 1);
    const char *hash = obj_label(rs, "pod-template-hash");
    cleanup_free char *name = xasprintf("op-%s", hash);
    assert_string_equal(obj_name(rs), name);
    assert_string_equal(json_str(json_at(rs, "spec/selector/matchLabels"), "pod-template-hash"), hash);
    assert_string_equal(json_str(json_at(rs, "spec/template/metadata/labels"), "pod-template-hash"), hash);
    assert_string_equal(obj_annotation(rs, "deployment.kubernetes.io/revision"), "1");
    assert_string_equal(obj_annotation(rs, "deployment.kubernetes.io/desired-replicas"), "3");
    assert_string_equal(obj_annotation(rs, "deployment.kubernetes.io/max-replicas"), "4");
    assert_string_equal(obj_annotation(d, "deployment.kubernetes.io/revision"), "1");
    assert_string_equal(json_str(obj_controller(rs), "uid"), obj_uid(d));
    assert_int_equal(at_i64(d, "metadata", "generation"), 1); /* the controller's own notes do not count */
    assert_condition(s, "op", "Progressing", "True", "NewReplicaSetAvailable");
    assert_condition(s, "op", "Available", "True", "MinimumReplicasAvailable");
}

static int64_t asked_for(struct sim *s) { /* the sum of spec.replicas, which is what the controller limits */
    cJSON *v = list_of(s, "replicasets");
    int64_t n = 0;
    for (const cJSON *r = first_item(v); r; r = r->next) n += at_i64(r, "spec", "replicas");
    return n;
}

/* At every instant: at most 4 + 1 pods asked for, at least 4 - 1 ready. */
SIM_TEST(rolls_within_its_limits) {
    start_op(s, 4, "");
    set_image(s, "op", "op:v2");
    int64_t most = 0;
    for (int i = 0; i < 4000 && !(i > 20 && settled(s, "op")); i++) {
        run_ms(s, 1);
        int64_t all = asked_for(s);
        if (all > most) most = all;
        assert_true(all <= 5);
        assert_true(pods_of(s, NULL, true) >= 3);
    }
    assert_int_equal(most, 5);
    assert_true(settled(s, "op"));
    assert_int_equal(pods_of(s, "op:v2", true), 4);
    cJSON *d = deployment(s, "op");
    assert_string_equal(obj_annotation(d, "deployment.kubernetes.io/revision"), "2");
    assert_int_equal(count(s, "replicasets"), 2);
}

SIM_TEST(going_back_reuses_the_replicaset) {
    start_op(s, 2, "");
    set_image(s, "op", "op:v2");
    run_ms(s, 3000);
    set_image(s, "op", "op:v1");
    run_ms(s, 3000);
    assert_true(settled(s, "op"));
    assert_int_equal(count(s, "replicasets"), 2);
    cleanup_free char *name = rs_of(s, "op:v1"), *path = xasprintf(APPS "replicasets/%s", name);
    cJSON *rs = get(s, path);
    assert_string_equal(obj_annotation(rs, "deployment.kubernetes.io/revision"), "3");
    assert_string_equal(obj_annotation(rs, "deployment.kubernetes.io/revision-history"), "1");
}

SIM_TEST(quantities_written_otherwise_are_the_same) {
    start_op(s, 1, "");
    patch_spec(s, "deployments", "op",
               "{'template':{'spec':{'containers':[{'name':'m','image':'op:v1','resources':{'limits':{'"
               "memory':'64Mi'}}}]}}}");
    run_ms(s, 3000);
    assert_int_equal(count(s, "replicasets"), 2);
    patch_spec(s, "deployments", "op",
               "{'template':{'spec':{'containers':[{'name':'m','image':'op:v1','resources':{'limits':{'"
               "memory':'67108864'}}}]}}}");
    run_ms(s, 3000);
    assert_int_equal(count(s, "replicasets"), 2);
}

/* ---- paused ---- */

static void paused(struct sim *s, int replicas) {
    make_deployment(s, "op", replicas, "op:v1", "");
    settle(s, "op", 2000);
    patch_spec(s, "deployments", "op", "{'paused':true,'progressDeadlineSeconds':2147483647}");
    run_ms(s, 50);
}

SIM_TEST(paused_makes_no_replicaset) {
    paused(s, 3);
    assert_condition(s, "op", "Progressing", "True", "NewReplicaSetAvailable");
    set_image(s, "op", "op:v2");
    run_ms(s, 2000);
    assert_int_equal(count(s, "replicasets"), 1);
    assert_int_equal(pods_of(s, "op:v1", true), 3);
    cJSON *d = deployment(s, "op");
    assert_int_equal(at_i64(d, "status", "observedGeneration"), at_i64(d, "metadata", "generation"));
    says(d, "status/updatedReplicas=0|status/replicas=3");
    assert_condition(s, "op", "Progressing", "True", "NewReplicaSetAvailable");

    cleanup_free char *pod = pod_of(s, "op:v1"), *path = xasprintf(CORE "pods/%s", pod);
    assert_int_equal(del(s, path, NULL), 200);
    run_ms(s, 2000);
    assert_int_equal(pods_of(s, "op:v1", true), 3); /* back with the old image */
    assert_int_equal(pods_of(s, "op:v2", false), 0);
}

SIM_TEST(paused_change_back_shows_in_status) {
    paused(s, 2);
    set_image(s, "op", "op:v2");
    run_ms(s, 100);
    assert_int_equal(num(s, "deployments", "op", "status", "updatedReplicas"), 0);
    set_image(s, "op", "op:v1");
    run_ms(s, 100);
    assert_int_equal(num(s, "deployments", "op", "status", "updatedReplicas"), 2);
}

/* The revision annotation lies: a paused switch to an old template raises an idle ReplicaSet. */
SIM_TEST(paused_switch_raises_an_idle_revision) {
    start_op(s, 2, "");
    set_image(s, "op", "op:v2");
    run_ms(s, 3000);
    patch_spec(s, "deployments", "op", "{'paused':true}");
    set_image(s, "op", "op:v1");
    run_ms(s, 1000);
    cleanup_free char *name = rs_of(s, "op:v1"), *path = xasprintf(APPS "replicasets/%s", name);
    cJSON *rs = get(s, path);
    assert_string_equal(obj_annotation(rs, "deployment.kubernetes.io/revision"), "3");
    assert_int_equal(at_i64(rs, "spec", "replicas"), 0);
    assert_int_equal(pods_of(s, "op:v2", true), 2);
}

SIM_TEST(paused_scales_the_active_one) {
    paused(s, 3);
    set_image(s, "op", "op:v2");
    patch_spec(s, "deployments", "op", "{'replicas':5}");
    run_ms(s, 2000);
    assert_int_equal(pods_of(s, "op:v1", true), 5);
    assert_int_equal(pods_of(s, "op:v2", false), 0);
    patch_spec(s, "deployments", "op", "{'replicas':1}");
    run_ms(s, 2000);
    assert_int_equal(pods_of(s, "op:v1", true), 1);
}

SIM_TEST(paused_from_zero_takes_the_matching_one) {
    start_op(s, 2, "");
    run_ms(s, 1000); /* the next ReplicaSet is younger by its creationTimestamp */
    set_image(s, "op", "op:v2");
    run_ms(s, 3000);
    patch_spec(s, "deployments", "op", "{'paused':true,'replicas':0}");
    run_ms(s, 1000);
    set_image(s, "op", "op:v1"); /* matches the older ReplicaSet */
    patch_spec(s, "deployments", "op", "{'replicas':2}");
    run_ms(s, 1000);
    assert_int_equal(pods_of(s, "op:v1", true), 2);

    patch_spec(s, "deployments", "op", "{'replicas':0}");
    run_ms(s, 1000);
    set_image(s, "op", "op:v3"); /* matches none: the youngest it is */
    patch_spec(s, "deployments", "op", "{'replicas':2}");
    run_ms(s, 1000);
    assert_int_equal(pods_of(s, "op:v2", true), 2);
}

/* In the middle of a promotion: pause, scale the new ReplicaSet to 0, and the controller restores stable. */
SIM_TEST(paused_in_the_middle_restores_stable) {
    start_op(s, 8, "");
    set_image(s, "op", "op:v2");
    for (int i = 0; i < 2000 && pods_of(s, "op:v2", true) < 3; i++) run_ms(s, 1);
    patch_spec(s, "deployments", "op", "{'paused':true}");
    run_ms(s, 1000);
    cleanup_free char *new = rs_of(s, "op:v2");
    int before = pods_of(s, "op:v2", true);
    assert_true(before >= 3 && before < 8);
    run_ms(s, 5000);
    assert_int_equal(pods_of(s, "op:v2", true), before); /* paused: no further */
    patch_spec(s, "replicasets", new, "{'replicas':0}");
    run_ms(s, 2000);
    assert_int_equal(pods_of(s, "op:v1", true), 8);
    assert_int_equal(pods_of(s, "op:v2", false), 0);
}

SIM_TEST(paused_conditions_with_a_deadline) {
    start_op(s, 1, "");
    patch_spec(s, "deployments", "op", "{'paused':true}");
    run_ms(s, 100);
    assert_condition(s, "op", "Progressing", "Unknown", "DeploymentPaused");
    patch_spec(s, "deployments", "op", "{'paused':false}");
    run_ms(s, 1);
    set_image(s, "op", "op:v2");
    run_ms(s, 3000);
    assert_condition(s, "op", "Progressing", "True", "NewReplicaSetAvailable");
}

SIM_TEST(unpausing_rolls) {
    paused(s, 3);
    set_image(s, "op", "op:v2");
    run_ms(s, 1000);
    patch_spec(s, "deployments", "op", "{'paused':false,'progressDeadlineSeconds':600}");
    for (int i = 0; i < 1000 && pods_of(s, "op:v2", false) == 0; i++) run_ms(s, 1);
    patch_spec(s, "deployments", "op", "{'paused':true}"); /* too late: the new ones stay */
    run_ms(s, 3000);
    assert_true(pods_of(s, "op:v2", true) > 0);
    patch_spec(s, "deployments", "op", "{'paused':false}");
    settle(s, "op", 5000);
    assert_int_equal(pods_of(s, "op:v2", true), 3);
}

/* ---- strategies, deadlines, history ---- */

SIM_TEST(recreate_waits_for_the_last_pod) {
    script(s, "{'image':'op:v1','terminateMs':3000}");
    start_op(s, 3, ",'strategy':{'type':'Recreate'}");
    set_image(s, "op", "op:v2");
    for (int i = 0; i < 600 && !(i > 5 && settled(s, "op")); i++) {
        run_ms(s, 10);
        cJSON *v = list_of(s, "pods");
        bool old = false, new = false;
        for (const cJSON *p = first_item(v); p; p = p->next) {
            bool is_new = strcmp(image_of(p, "spec/containers"), "op:v2") == 0;
            new = new || is_new;
            old = old || !is_new;
        }
        assert_false(old && new);
    }
    assert_int_equal(pods_of(s, "op:v2", true), 3);
}

SIM_TEST(deadline_passes) {
    script(s, "{'image':'*:bad','ready':false}");
    start_op(s, 3, ",'progressDeadlineSeconds':20");
    set_image(s, "op", "op:bad");
    run_ms(s, 15000);
    assert_condition(s, "op", "Progressing", "True", "ReplicaSetUpdated");
    run_ms(s, 10000);
    assert_condition(s, "op", "Progressing", "False", "ProgressDeadlineExceeded");
    assert_condition(s, "op", "Available", "True", "MinimumReplicasAvailable");
    assert_true(pods_of(s, "op:v1", true) >= 3);
    set_image(s, "op", "op:v1");
    run_ms(s, 3000);
    assert_condition(s, "op", "Progressing", "True", "NewReplicaSetAvailable");
}

SIM_TEST(min_ready_seconds_hold_it_back) {
    make_deployment(s, "op", 1, "op:v1", ",'minReadySeconds':5");
    run_ms(s, 3000);
    assert_int_equal(num(s, "deployments", "op", "status", "readyReplicas"), 1);
    assert_int_equal(num(s, "deployments", "op", "status", "availableReplicas"), 0);
    run_ms(s, 3000);
    assert_int_equal(num(s, "deployments", "op", "status", "availableReplicas"), 1);
}

SIM_TEST(history_is_limited) {
    make_deployment(s, "op", 1, "op:v0", ",'revisionHistoryLimit':2");
    settle(s, "op", 2000);
    for (int i = 1; i <= 6; i++) {
        char image[16];
        (void)snprintf(image, sizeof image, "op:v%d", i);
        run_ms(s, 1100);
        set_image(s, "op", image);
        run_ms(s, 3000);
    }
    assert_int_equal(count(s, "replicasets"), 3);
    cleanup_free char *gone = rs_of(s, "op:v3"), *kept = rs_of(s, "op:v4");
    assert_string_equal(gone, "");
    assert_string_not_equal(kept, "");
}

/* A name that is taken by somebody else's ReplicaSet. */
TEST_ALONE(collisions_are_counted) {
    struct sim *s = sim_seeded(17), *other = sim_seeded(18);
    make_deployment(other, "op", 1, "op:v1", "");
    settle(other, "op", 2000);
    cleanup_free char *name = rs_of(other, "op:v1");
    cleanup_free char *foreign = xasprintf(
        "{'metadata':{'name':'%s'},'spec':{'replicas':0,'selector':{'matchLabels':{'x':'y'}},'template':{'"
        "metadata':{'labels':{'x':'y'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
        name);
    assert_int_equal(post(s, APPS "replicasets", foreign), 201);
    start_op(s, 1, "");
    assert_int_equal(num(s, "deployments", "op", "status", "collisionCount"), 1);
    cleanup_free char *got = rs_of(s, "op:v1");
    assert_string_not_equal(got, name);
    sim_free(s);
    sim_free(other);
}

/* ---- adoption ---- */

SIM_TEST(adopts_its_orphans_back) {
    start_op(s, 2, "");
    assert_int_equal(del(s, APPS "deployments/op", "{'propagationPolicy':'Orphan'}"), 200);
    run_ms(s, 1000);
    assert_null(get(s, APPS "deployments/op"));
    assert_int_equal(count(s, "replicasets"), 1);
    assert_int_equal(pods_of(s, "op:v1", true), 2);
    start_op(s, 2, "");
    assert_int_equal(count(s, "replicasets"), 1);
    assert_int_equal(count(s, "pods"), 2);
}

/* The canary's shape: owned without being controlled, own labels that the target does not select, pods that
 * carry the target's labels and one more. Nobody takes it over. */
SIM_TEST(leaves_a_canary_alone) {
    paused(s, 2);
    cJSON *d = deployment(s, "op");
    cleanup_free char *canary =
        xasprintf("{'metadata':{'name':'op-canary','labels':{'handover.dev/"
                  "target':'op'},'ownerReferences':[{'apiVersion':'apps/"
                  "v1','kind':'Deployment','name':'op','uid':'%s','controller':false}]},'spec':{'replicas':1,"
                  "'selector':{'matchLabels':{'app':'op','handover.dev/"
                  "track':'canary'}},'template':{'metadata':{'labels':{'app':'op','handover.dev/"
                  "track':'canary'}},'spec':{'containers':[{'name':'m','image':'op:v2'}]}}}}",
                  obj_uid(d));
    assert_int_equal(post(s, APPS "replicasets", canary), 201);
    run_ms(s, 2000);
    assert_int_equal(pods_of(s, "op:v2", true), 1);
    assert_int_equal(pods_of(s, "op:v1", true), 2);
    assert_int_equal(num(s, "deployments", "op", "status", "replicas"), 2);
    cJSON *rs = get(s, APPS "replicasets/op-canary");
    assert_null(obj_controller(rs));
    assert_int_equal(del(s, APPS "deployments/op", NULL), 200); /* and it goes with its owner */
    run_ms(s, 2000);
    assert_int_equal(count(s, "replicasets"), 0);
    assert_int_equal(count(s, "pods"), 0);
}

SIM_TEST(scales_in_proportion) {
    script(s, "{'image':'*:bad','ready':false}");
    make_deployment(s, "op", 10, "op:v1",
                    ",'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':3,'maxUnavailable':2}}");
    settle(s, "op", 2000);
    set_image(s, "op", "op:bad");
    run_ms(s, 2000);
    assert_int_equal(pods_of(s, "op:v1", false), 8);
    assert_int_equal(pods_of(s, "op:bad", false), 5);
    patch_spec(s, "deployments", "op", "{'replicas':15}"); /* the example of the Kubernetes documentation */
    run_ms(s, 2000);
    assert_int_equal(pods_of(s, "op:v1", false), 11);
    assert_int_equal(pods_of(s, "op:bad", false), 7);
}

SIM_TEST(tells_what_it_did) {
    start_op(s, 2, "");
    cJSON *v = list_of(s, "events");
    bool found = false;
    for (const cJSON *e = first_item(v); e; e = e->next)
        if (strcmp(json_str_or(e, "reason", ""), "ScalingReplicaSet") == 0)
            found = strstr(json_str_or(e, "message", ""), "Scaled up replica set op-") != NULL;
    assert_true(found);
}

SIM_TEST(a_stopped_manager_does_nothing) {
    script(s, "{'controllers':{'stopped':true}}");
    make_deployment(s, "op", 2, "op:v1", "");
    run_ms(s, 5000);
    assert_int_equal(count(s, "replicasets"), 0);
    assert_int_equal(num(s, "deployments", "op", "status", "observedGeneration"), 0);
    script(s, "{'controllers':{'stopped':false}}");
    settle(s, "op", 5000);
}

/* No time between noticing and acting: everything that can happen at once does, and comes to an end. */
SIM_TEST(without_delay_it_ends) {
    script(s, "{'controllers':{'delayMs':0,'jitterMs':0}}");
    start_op(s, 20, "");
    set_image(s, "op", "op:v2");
    settle(s, "op", 20000);
    assert_int_equal(pods_of(s, "op:v2", true), 20);
}
