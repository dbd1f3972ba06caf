/* What is known of the API groups: who serves them, which of their creates persist nothing, which subresources can be rehearsed. */
#include "gate_impl.h"

static bool one_of(struct slice s, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (slice_eqs(s, names[i])) return true;
    }
    return false;
}
#define ONE_OF(s, names) one_of(s, names, ARRAY_LEN(names))

static bool built_in(struct slice group) {
    static const char *const names[] = {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    };
    return ONE_OF(group, names);
}

bool gate_group_metrics(struct slice group) {
    return slice_eqs(group, "custom.metrics.k8s.io") || slice_eqs(group, "external.metrics.k8s.io");
}

bool gate_group_local(const struct gate_groups *g, struct slice group) {
    static const char *const always_remote[] = {"custom.metrics.k8s.io", "external.metrics.k8s.io",
                                                "metrics.k8s.io"};
    if (ONE_OF(group, always_remote) || one_of(group, g->remote, g->nremote)) return false;
    return g->all || built_in(group) || one_of(group, g->local, g->n);
}

bool gate_is_review(struct slice group, struct slice resource, bool namespaced) {
    static const char *const who[] = {"tokenreviews", "selfsubjectreviews"};
    static const char *const may[] = {"subjectaccessreviews", "selfsubjectaccessreviews",
                                      "selfsubjectrulesreviews"};
    if (slice_eqs(group, "authentication.k8s.io")) return !namespaced && ONE_OF(resource, who);
    if (!slice_eqs(group, "authorization.k8s.io")) return false;
    return namespaced ? slice_eqs(resource, "localsubjectaccessreviews") : ONE_OF(resource, may);
}

bool gate_sub_rehearsable(struct slice group, struct slice resource, struct slice sub, bool create) {
    static const struct {
        const char *group, *resource, *sub;
        bool create; /* by POST, else by PUT and PATCH */
    } rules[] = {
        {"", "pods", "binding", true},
        {"", "pods", "eviction", true},
        {"", "pods", "resize", false},
        {"", "pods", "ephemeralcontainers", false},
        {"", "namespaces", "finalize", false},
        {"certificates.k8s.io", "certificatesigningrequests", "approval", false},
    };
    if (slice_eqs(sub, "status")) return !create;
    /* /namespaces/NAME/scale is a path of resource "scale" in a namespace. */
    if (slice_eqs(sub, "scale")) return !create && !slice_eqs(resource, "namespaces");
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (slice_eqs(group, rules[i].group) && slice_eqs(resource, rules[i].resource) &&
            slice_eqs(sub, rules[i].sub))
            return create == rules[i].create;
    }
    return false;
}

bool gate_sub_reaches_out(struct slice sub) {
    static const char *const names[] = {"exec",  "attach",  "portforward", "proxy",
                                        "token", "console", "vnc",         "usbredir"};
    return ONE_OF(sub, names);
}
