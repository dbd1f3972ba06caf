/* The ReplicaSet controller: numbers, victims, adoption and release, failures. */
#include "kit.h"

static void make_rs(struct sim *s, const char *name, int replicas, const char *image) {
    cleanup_free char *body = xasprintf(
        "{'metadata':{'name':'%s','labels':{'rs':'%s'}},'spec':{'replicas':%d,'selector':{'matchLabels':"
        "{'app':'%s'}},'template':{'metadata':{'labels':{'app':'%s'},'annotations':{'a':'b'}}," POD_SPEC(
            "%s") "}}}",
        name, name, replicas, name, name, image);
    post(s, APPS "replicasets", body);
    run_ms(s, 1000);
}

/* patches its spec; what there is after ms. */
static void patch_rs(struct sim *s, const char *spec, int64_t ms, const char *want) {
    patch_spec(s, "replicasets", "rs", spec);
    later(s, ms, want);
}

SIM_TEST(bare_one_keeps_its_number) {
    make_rs(s, "rs", 3, "i:1");
    const cJSON *pod = first_of(s, "pods"), *rs = object(s, "replicasets", "rs");
    assert_int_equal(strncmp(obj_name(pod), "rs-", 3), 0);
    assert_string_equal(json_str(obj_controller(pod), "uid"), obj_uid(rs));
    says(pod, "metadata/annotations/a=b");
    says(rs, "status/replicas=3|status/fullyLabeledReplicas=3|status/readyReplicas=3|"
             "status/availableReplicas=3|status/observedGeneration=1");
    shows(s, "pods=3");
    del(s, "pods", obj_name(pod), "{'gracePeriodSeconds':0}");
    later(s, 1000, "ready/i:1=3");
    patch_rs(s, "{'replicas':1}", 1000, "pods=1");
    patch_rs(s, "{'replicas':0}", 1000, "pods=0|rs/i:1/status/replicas=0");
}

#define I2 "'template':{" POD_SPEC("i:2") "}"

/* A template changed in place counts for new pods only. */
SIM_TEST(template_counts_for_new_pods) {
    make_rs(s, "rs", 2, "i:1");
    patch_rs(s, "{'replicas':3," I2 "}", 1000, "ready/i:1=2|ready/i:2=1");
}

SIM_TEST(victims_not_ready_then_young) {
    make_rs(s, "rs", 1, "i:1");
    run_ms(s, 2000);
    cleanup_free char *oldest = pod_of(s, "i:1");
    patch_rs(s, "{'replicas':2}", 3000, "pods=2");
    script(s, "{'image':'i:2','ready':false}");
    patch_rs(s, "{'replicas':3," I2 "}", 3000, "all/i:1=2|all/i:2=1");
    patch_rs(s, "{'replicas':2}", 1000, "ready/i:1=2|all/i:2=0"); /* the one that is not ready goes */
    patch_rs(s, "{'replicas':1}", 1000, "all/i:1=1");             /* then the younger one */
    cleanup_free char *left = pod_of(s, "i:1");
    assert_string_equal(left, oldest);
}

SIM_TEST(relabelled_pods_are_released_and_adopted) {
    make_rs(s, "rs", 2, "i:1");
    cleanup_free char *name = pod_of(s, "i:1"), *path = xasprintf(CORE "pods/%s", name);
    merge(s, path, "{'metadata':{'labels':{'app':'other'}}}");
    later(s, 1000, "pods=3|rs/i:1/status/replicas=2");
    assert_null(obj_controller(get(s, path)));
    merge(s, path, "{'metadata':{'labels':{'app':'rs'}}}");
    later(s, 1000, "pods=2");     /* back: one too many */
    make_rs(s, "late", 1, "i:2"); /* takes what fits its selector */
    shows(s, "pods=3");
}

SIM_TEST(an_orphan_pod_is_adopted) {
    post(s, CORE "pods", "{'metadata':{'name':'mine','labels':{'app':'rs'}}," POD_SPEC("i:0") "}");
    run_ms(s, 1000);
    make_rs(s, "rs", 2, "i:1");
    shows(s, "pods=2");
    assert_string_equal(json_str(obj_controller(object(s, "pods", "mine")), "name"), "rs");
}

SIM_TEST(succeeded_pods_do_not_count) {
    make_rs(s, "rs", 2, "i:1");
    cleanup_free char *name = pod_of(s, "i:1"), *path = xasprintf(CORE "pods/%s/status", name);
    merge(s, path, "{'status':{'phase':'Failed','reason':'Evicted'}}");
    later(s, 1000, "pods=3|rs/i:1/status/readyReplicas=2");
}

SIM_TEST(large_numbers_come_in_bursts) {
    make_rs(s, "rs", 1200, "i:1");
    later(s, 4000, "rs/i:1/status/readyReplicas=1200");
    del(s, "replicasets", "rs", NULL);
    later(s, 5000, "pods=0");
}

/* A pod that may not be made: said in the status, tried again. */
SIM_TEST(failures_are_reported) {
    post(s, "/api/v1/namespaces", "{'metadata':{'name':'going'}}");
    post(s, "/api/v1/namespaces/going/configmaps", "{'metadata':{'name':'held','finalizers':['x.y/z']}}");
    post(s, "/apis/apps/v1/namespaces/going/replicasets",
         "{'metadata':{'name':'rs','finalizers':['x.y/z']},'spec':{'replicas':1," SPEC("'a':'b'", "i") "}}");
    script(s, "{'controllers':{'stopped':true}}");
    run(s, "DELETE", "/api/v1/namespaces/going", NULL, 200);
    run_ms(s, 500);
    script(s, "{'controllers':{'stopped':false}}");
    later(s, 3000, "pods=0"); /* and nothing broke */
}

/* The condition's message ends like this; "": there is no such condition. */
static void fails_with(struct sim *s, const char *want) {
    const cJSON *rs = object(s, "replicasets", "rs");
    const char *text = json_str_or(obj_condition(rs, "ReplicaFailure"), "message", "");
    bool named = strncmp(text, "pods \"rs-", 9) == 0 && slice_ends(slice_of(text), slice_of(want));
    if (*want ? !named : *text) fail_msg("%s", text);
}

/* A pod that terminates counts until it is gone, one that was evicted does not. */
SIM_TEST(a_quota_refuses_pods_until_there_is_room) {
    post(s, CORE "resourcequotas", "{'metadata':{'name':'q'},'spec':{'hard':{'pods':'2'}}}");
    make_rs(s, "rs", 3, "i:1");
    later(s, 3000, "pods=2|rs/i:1/status/replicas=2");
    fails_with(s, "\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2");
    merge(s, CORE "resourcequotas/q", "{'spec':{'hard':{'pods':'3'}}}");
    later(s, 3000, "pods=3");
    fails_with(s, "");
    cleanup_free char *name = pod_of(s, "i:1"), *path = xasprintf(CORE "pods/%s/status", name);
    merge(s, path, "{'status':{'phase':'Failed','reason':'Evicted'}}");
    later(s, 3000, "pods=4|rs/i:1/status/replicas=3");
}

SIM_TEST(a_script_refuses_pods_of_an_image) {
    script(s, "{'image':'i:1','refused':'violates PodSecurity: no'}");
    make_rs(s, "rs", 2, "i:1");
    later(s, 3000, "pods=0");
    fails_with(s, "\" is forbidden: violates PodSecurity: no");
    script(s, "{'image':'i:1'}");
    later(s, 3000, "ready/i:1=2");
    fails_with(s, "");
}
