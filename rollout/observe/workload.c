/* Kinds of workload; see workload.h. */
#include "observe/workload.h"
#include "base/mem.h"
#include <string.h>

const struct workload workload_deployment = {&gvr_deployments, "deployment", "deploy", "spec.paused",
                                             "/spec/paused",   "",           ""};
const struct workload workload_statefulset = {&gvr_statefulsets,
                                              "statefulset",
                                              "sts",
                                              "spec.updateStrategy.rollingUpdate.partition",
                                              "/spec/updateStrategy/rollingUpdate/partition",
                                              "statefulset/",
                                              "-statefulset"};

const struct workload *workload_at(size_t i) {
    return i == 0 ? &workload_deployment : &workload_statefulset;
}

const struct workload *workload_of_kind(const char *kind) {
    for (size_t i = 0; kind && i < WORKLOADS; i++)
        if (!strcmp(workload_at(i)->gvr->kind, kind)) return workload_at(i);
    return NULL;
}

const struct workload *workload_of(const char *id) {
    size_t n = strlen(workload_statefulset.prefix);
    return strncmp(id, workload_statefulset.prefix, n) == 0 ? &workload_statefulset : &workload_deployment;
}

const char *workload_name(const char *id) {
    return id + strlen(workload_of(id)->prefix);
}

char *workload_id(const struct workload *w, const char *name) {
    return xasprintf("%s%s", w->prefix, name);
}
