/* The StatefulSet controller: order, revisions, the partition, and when the update revision becomes the current one. */
#include "kit.h"

static void make_set(struct sim *s, int replicas, const char *spec) {
    cleanup_free char *body =
        xasprintf("{'metadata':{'name':'db'},'spec':{'serviceName':'db','replicas':%d," SPEC("'app':'db'",
                                                                                             "i:1") "%s}}",
                  replicas, spec);
    post(s, APPS "statefulsets", body);
}

/* Its status, and the images of its pods by ordinal ("0=i:1|1=i:2"); "-" where one terminates. */
static void set_shows(struct sim *s, int64_t ms, const char *want) {
    run_ms(s, ms);
    cJSON *set = object(s, "statefulsets", "db"), *v = keep(cJSON_Duplicate(json_get(set, "status"), true));
    for (const cJSON *p = first_of(s, "pods"); p; p = p->next) {
        const char *name = obj_name(p);
        if (strncmp(name, "db-", 3) == 0)
            cJSON_AddStringToObject(v, name + 3, obj_deleting(p) ? "-" : image_of(p, "spec/containers"));
    }
    bool same = !strcmp(json_str_or(v, "currentRevision", ""), json_str_or(v, "updateRevision", "-"));
    cJSON_AddBoolToObject(v, "moved", same);
    says(v, want);
}

static void patch_set(struct sim *s, const char *spec) {
    patch_spec(s, "statefulsets", "db", spec);
}

#define I2           "'template':{" POD_SPEC("i:2") "}"
#define I3           "'template':{" POD_SPEC("i:3") "}"
#define PARTITION(n) "'updateStrategy':{'rollingUpdate':{'partition':" n "}}"
#define HELD         PARTITION("2147483647")

static const char *hash_of(struct sim *s, const char *pod) {
    return json_str_or(json_at(object(s, "pods", pod), "metadata/labels"), "controller-revision-hash", "");
}

SIM_TEST(pods_are_made_in_order_and_named) {
    script(s, "{'image':'i:1','readyMs':1000,'terminateMs':500}");
    make_set(s, 3, "");
    set_shows(s, 600, "replicas=1|0=i:1");
    set_shows(s, 6000,
              "replicas=3|readyReplicas=3|availableReplicas=3|currentReplicas=3|updatedReplicas=3|moved=true|"
              "observedGeneration=1|0=i:1|1=i:1|2=i:1");
    const cJSON *pod = object(s, "pods", "db-2"), *set = object(s, "statefulsets", "db");
    says(set, "spec/updateStrategy/rollingUpdate/partition=0|spec/podManagementPolicy=OrderedReady");
    says(pod, "spec/hostname=db-2|spec/subdomain=db");
    assert_string_equal(json_str(obj_controller(pod), "uid"), obj_uid(set));
    assert_string_equal(json_str(json_at(pod, "metadata/labels"), "statefulset.kubernetes.io/pod-name"),
                        "db-2");
    assert_string_equal(hash_of(s, "db-2"), json_str_or(json_get(set, "status"), "currentRevision", "?"));
    patch_set(s, "{'replicas':1}");
    set_shows(s, 100, "0=i:1|1=i:1|2=-"); /* from the highest down, each waited for */
    set_shows(s, 5000, "replicas=1|0=i:1");
    del(s, "statefulsets", "db", NULL);
    run_ms(s, 5000);
    assert_null(first_of(s, "pods"));
    assert_null(first_of(s, "controllerrevisions"));
}

SIM_TEST(parallel_does_not_wait) {
    make_set(s, 3, ",'podManagementPolicy':'Parallel'");
    set_shows(s, 100, "replicas=3");
}

SIM_TEST(an_update_goes_from_the_highest_ordinal_down) {
    make_set(s, 2, "");
    run_ms(s, 3000);
    patch_set(s, "{" I2 "}");
    set_shows(s, 100, "moved=false|0=i:1|1=-|updatedReplicas=0|observedGeneration=2");
    set_shows(s, 6000, "moved=true|0=i:2|1=i:2|updatedReplicas=2|currentReplicas=2");
}

SIM_TEST(a_pod_that_does_not_come_up_stops_the_update) {
    make_set(s, 3, "");
    run_ms(s, 3000);
    script(s, "{'image':'i:2','ready':false}");
    patch_set(s, "{" I2 "}");
    set_shows(s, 20000, "moved=false|0=i:1|1=i:1|2=i:2|readyReplicas=2|updatedReplicas=1|currentReplicas=2");
    /* That the template is put back does not help it (kubernetes/kubernetes#67250): a person deletes it. */
    patch_set(s, "{'template':{" POD_SPEC("i:1") "}}");
    set_shows(s, 20000, "2=i:2");
    del(s, "pods", "db-2", NULL);
    set_shows(s, 5000, "moved=true|0=i:1|1=i:1|2=i:1|readyReplicas=3");
}

/* The hold: what is made again is of the current revision. */
SIM_TEST(below_the_partition_pods_keep_the_current_revision) {
    make_set(s, 2, "," HELD);
    run_ms(s, 3000);
    patch_set(s, "{" I2 "}");
    set_shows(s, 5000, "moved=false|0=i:1|1=i:1|updatedReplicas=0|currentReplicas=2");
    del(s, "pods", "db-1", NULL);
    set_shows(s, 5000, "moved=false|0=i:1|1=i:1|readyReplicas=2");
    patch_set(s, "{'replicas':3}");
    set_shows(s, 5000, "moved=false|0=i:1|1=i:1|2=i:1|readyReplicas=3|updatedReplicas=0");
    patch_set(s, "{" PARTITION("2") "}");
    set_shows(s, 5000, "moved=false|0=i:1|1=i:1|2=i:2|readyReplicas=3|updatedReplicas=1|currentReplicas=2");
    patch_set(s, "{" HELD "}"); /* undone: the partition, and the pod deleted */
    set_shows(s, 3000, "2=i:2");
    del(s, "pods", "db-2", NULL);
    set_shows(s, 5000, "moved=false|2=i:1|readyReplicas=3|updatedReplicas=0");
}

/* Measured on 1.37: no partition keeps what waits when no pod is left. */
SIM_TEST(scaled_to_zero_what_waits_becomes_current) {
    make_set(s, 1, "," HELD);
    run_ms(s, 3000);
    patch_set(s, "{" I2 "}");
    set_shows(s, 1000, "moved=false");
    patch_set(s, "{'replicas':0}");
    set_shows(s, 5000, "moved=true|replicas=0");
    patch_set(s, "{'replicas':1}");
    set_shows(s, 5000, "0=i:2");
}

SIM_TEST(a_template_that_was_there_before_takes_its_revision_again) {
    make_set(s, 1, ",'revisionHistoryLimit':1");
    run_ms(s, 2000);
    cleanup_free char *first = xstrdup(hash_of(s, "db-0"));
    patch_set(s, "{" I2 "}");
    run_ms(s, 3000);
    patch_set(s, "{'template':{" POD_SPEC("i:1") "}}");
    run_ms(s, 3000);
    assert_string_equal(hash_of(s, "db-0"), first);
    patch_set(s, "{" I3 "}");
    run_ms(s, 3000);
    patch_set(s, "{" I2 "}");
    run_ms(s, 3000);
    int n = 0;
    for (const cJSON *r = first_of(s, "controllerrevisions"); r; r = r->next) {
        assert_string_equal(json_str_or(json_at(r, "data/spec/template"), "$patch", ""), "replace");
        n++;
    }
    assert_int_equal(n, 2); /* the live one, and as many old ones as the limit says */
}

SIM_TEST(a_pod_of_another_name_is_not_adopted) {
    post(s, CORE "pods", "{'metadata':{'name':'mine','labels':{'app':'db'}}," POD_SPEC("i:0") "}");
    make_set(s, 1, "");
    run_ms(s, 2000);
    assert_null(obj_controller(object(s, "pods", "mine")));
    set_shows(s, 0, "replicas=1");
}

SIM_TEST(on_delete_waits_for_pods_to_be_deleted) {
    make_set(s, 1, ",'updateStrategy':{'type':'OnDelete'}");
    run_ms(s, 2000);
    patch_set(s, "{" I2 "}");
    set_shows(s, 3000, "0=i:1");
    del(s, "pods", "db-0", NULL);
    set_shows(s, 3000, "0=i:2");
}

SIM_TEST(what_may_not_change_is_refused) {
    make_set(s, 1, "");
    run(s, "PATCH", APPS "statefulsets/db", "{'spec':{'serviceName':'other'}}", 422);
    run(s, "PATCH", APPS "statefulsets/db", "{'spec':{" PARTITION("-1") "}}", 422);
    run(s, "PATCH", APPS "statefulsets/db", "{'spec':{'updateStrategy':{'type':'Sometimes'}}}", 422);
}
