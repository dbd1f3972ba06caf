/* Targets as kubectl names them. */
#include "../case.h"
#include "target_ref.h"

static void refers(const char *given, const struct workload *kind, const char *name, const char *text) {
    struct target_ref r = target_ref(given);
    if (r.kind != kind || (name ? !r.name || strcmp(r.name, name) != 0 : r.name != NULL) ||
        strcmp(r.text, text) != 0)
        fail_msg("%s: %s, %s", given, r.name ? r.name : "no name", r.text);
}

CASE(a_name_alone_is_of_either_kind) {
    refers("op", NULL, "op", "deployment/op");
}

CASE(kinds_by_all_their_names) {
    static const char *const sets[] = {"statefulset/op", "statefulsets/op", "sts/op", "statefulset.apps/op",
                                       "statefulsets.apps/op"};
    static const char *const deployments[] = {"deployment/op", "deployments/op", "deploy/op",
                                              "deployment.apps/op", "deployments.apps/op"};
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        refers(sets[i], &workload_statefulset, "op", "statefulset/op");
    for (size_t i = 0; i < ARRAY_LEN(deployments); i++)
        refers(deployments[i], &workload_deployment, "op", "deployment/op");
}

CASE(another_kind_is_none) {
    refers("pod/op", NULL, NULL, "deployment/");
    refers("daemonset/op", NULL, NULL, "deployment/");
}

CASE(ids_name_kind_and_name) {
    cleanup_free char *set = workload_id(&workload_statefulset, "op"),
                      *deployment = workload_id(&workload_deployment, "op");
    assert_ptr_equal(workload_of(set), &workload_statefulset);
    assert_string_equal(workload_name(set), "op");
    assert_ptr_equal(workload_of(deployment), &workload_deployment);
    assert_string_equal(deployment, "op");
    assert_null(workload_of_kind("ReplicaSet"));
}

CASES("cli/target_ref")
