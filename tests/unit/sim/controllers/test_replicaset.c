/* The ReplicaSet controller: numbers, victims, adoption and release, failures. */
#include "kit.h"

static void make_rs(struct sim *s, const char *name, int replicas, const char *image) {
    cleanup_free char *body =
        xasprintf("{'metadata':{'name':'%s','labels':{'rs':'%s'}},'spec':{'replicas':%d,'selector':{'"
                  "matchLabels':{'app':'%s'}},'template':{'metadata':{'labels':{'app':'%s'},'annotations':{'"
                  "a':'b'}},'spec':{'containers':[{'name':'m','image':'%s'}]}}}}",
                  name, name, replicas, name, name, image);
    assert_int_equal(post(s, APPS "replicasets", body), 201);
}

SIM_TEST(bare_one_keeps_its_number) {
    make_rs(s, "rs", 3, "i:1");
    run_ms(s, 1000);
    cJSON *list = list_of(s, "pods"), *rs = get(s, APPS "replicasets/rs");
    assert_int_equal(cJSON_GetArraySize(json_arr(list, "items")), 3);
    const cJSON *pod = first_item(list);
    assert_int_equal(strncmp(obj_name(pod), "rs-", 3), 0);
    assert_string_equal(json_str(obj_controller(pod), "uid"), obj_uid(rs));
    assert_string_equal(obj_annotation(pod, "a"), "b");
    says(rs, "status/replicas=3|status/fullyLabeledReplicas=3|status/readyReplicas=3|status/"
             "availableReplicas=3|status/observedGeneration=1");

    cleanup_free char *path = xasprintf(CORE "pods/%s", obj_name(pod));
    assert_int_equal(del(s, path, "{'gracePeriodSeconds':0}"), 200);
    run_ms(s, 1000);
    assert_int_equal(pods_of(s, "i:1", true), 3);
    patch_spec(s, "replicasets", "rs", "{'replicas':1}");
    run_ms(s, 1000);
    assert_int_equal(count(s, "pods"), 1);
    patch_spec(s, "replicasets", "rs", "{'replicas':0}");
    run_ms(s, 1000);
    assert_int_equal(count(s, "pods"), 0);
    assert_int_equal(num(s, "replicasets", "rs", "status", "replicas"), 0);
}

/* A template changed in place counts for new pods only. */
SIM_TEST(template_counts_for_new_pods) {
    make_rs(s, "rs", 2, "i:1");
    run_ms(s, 1000);
    patch_spec(s, "replicasets", "rs",
               "{'replicas':3,'template':{'spec':{'containers':[{'name':'m','image':'i:2'}]}}}");
    run_ms(s, 1000);
    assert_int_equal(pods_of(s, "i:1", true), 2);
    assert_int_equal(pods_of(s, "i:2", true), 1);
}

SIM_TEST(victims_not_ready_then_young) {
    make_rs(s, "rs", 1, "i:1");
    run_ms(s, 3000);
    cleanup_free char *oldest = pod_of(s, "i:1");
    patch_spec(s, "replicasets", "rs", "{'replicas':2}");
    run_ms(s, 3000);
    script(s, "{'image':'i:2','ready':false}");
    patch_spec(s, "replicasets", "rs",
               "{'replicas':3,'template':{'spec':{'containers':[{'name':'m','image':'i:2'}]}}}");
    run_ms(s, 3000);
    assert_int_equal(pods_of(s, NULL, false), 3);
    patch_spec(s, "replicasets", "rs", "{'replicas':2}"); /* the one that is not ready goes */
    run_ms(s, 1000);
    assert_int_equal(pods_of(s, "i:1", true), 2);
    assert_int_equal(pods_of(s, "i:2", false), 0);
    patch_spec(s, "replicasets", "rs", "{'replicas':1}"); /* then the younger one */
    run_ms(s, 1000);
    cleanup_free char *left = pod_of(s, "i:1");
    assert_string_equal(left, oldest);
}

SIM_TEST(relabelled_pods_are_released_and_adopted) {
    make_rs(s, "rs", 2, "i:1");
    run_ms(s, 1000);
    cleanup_free char *name = pod_of(s, "i:1"), *path = xasprintf(CORE "pods/%s", name);
    assert_int_equal(merge(s, path, "{'metadata':{'labels':{'app':'other'}}}"), 200);
    run_ms(s, 1000);
    cJSON *pod = get(s, path);
    assert_null(obj_controller(pod));
    assert_int_equal(count(s, "pods"), 3);
    assert_int_equal(num(s, "replicasets", "rs", "status", "replicas"), 2);

    /* back: one too many now */
    assert_int_equal(merge(s, path, "{'metadata':{'labels':{'app':'rs'}}}"), 200);
    run_ms(s, 1000);
    assert_int_equal(count(s, "pods"), 2);
    make_rs(s, "late", 1, "i:2"); /* takes what fits its selector */
    run_ms(s, 1000);
    assert_int_equal(count(s, "pods"), 3);
}

SIM_TEST(an_orphan_pod_is_adopted) {
    const char *pod = "{'metadata':{'name':'mine','labels':{'app':'rs'}},'spec':{'containers':[{'name':'m','"
                      "image':'i:0'}]}}";
    assert_int_equal(post(s, CORE "pods", pod), 201);
    run_ms(s, 1000);
    make_rs(s, "rs", 2, "i:1");
    run_ms(s, 1000);
    assert_int_equal(count(s, "pods"), 2);
    cJSON *got = get(s, CORE "pods/mine");
    assert_string_equal(json_str(obj_controller(got), "name"), "rs");
}

SIM_TEST(succeeded_pods_do_not_count) {
    make_rs(s, "rs", 2, "i:1");
    run_ms(s, 1000);
    cleanup_free char *name = pod_of(s, "i:1"), *path = xasprintf(CORE "pods/%s/status", name);
    assert_int_equal(merge(s, path, "{'status':{'phase':'Failed','reason':'Evicted'}}"), 200);
    run_ms(s, 1000);
    assert_int_equal(count(s, "pods"), 3);
    assert_int_equal(num(s, "replicasets", "rs", "status", "readyReplicas"), 2);
}

SIM_TEST(large_numbers_come_in_bursts) {
    make_rs(s, "rs", 1200, "i:1");
    run_ms(s, 5000);
    assert_int_equal(num(s, "replicasets", "rs", "status", "readyReplicas"), 1200);
    assert_int_equal(del(s, APPS "replicasets/rs", NULL), 200);
    run_ms(s, 5000);
    assert_int_equal(count(s, "pods"), 0);
}

/* A pod that may not be made: said in the status, tried again. */
SIM_TEST(failures_are_reported) {
    assert_int_equal(post(s, "/api/v1/namespaces", "{'metadata':{'name':'going'}}"), 201);
    assert_int_equal(
        post(s, "/api/v1/namespaces/going/configmaps", "{'metadata':{'name':'held','finalizers':['x.y/z']}}"),
        201);
    assert_int_equal(
        post(s, "/apis/apps/v1/namespaces/going/replicasets",
             "{'metadata':{'name':'rs','finalizers':['x.y/"
             "z']},'spec':{'replicas':1,'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels'"
             ":{'a':'b'}},'spec':{'containers':[{'name':'m','image':'i'}]}}}}"),
        201);
    script(s, "{'controllers':{'stopped':true}}");
    assert_int_equal(del(s, "/api/v1/namespaces/going", NULL), 200);
    run_ms(s, 500);
    script(s, "{'controllers':{'stopped':false}}");
    run_ms(s, 3000);
    assert_int_equal(count(s, "pods"), 0); /* and nothing broke */
}
