/* A target as kubectl names it; see target_ref.h. */
#include "target_ref.h"
#include <stdio.h>

/* "deployment", "deployments", "deploy", with ".apps" or without */
static bool names(const struct workload *w, struct slice kind) {
    struct slice apps = SL(".apps");
    if (slice_ends(kind, apps)) kind.n -= apps.n;
    return slice_eqs(kind, w->word) || slice_eqs(kind, w->gvr->resource) || slice_eqs(kind, w->short_);
}

struct target_ref target_ref(const char *given) {
    struct target_ref r = {.name = given};
    struct slice kind, name;
    if (slice_cut(slice_of(given), '/', &kind, &name)) {
        r.name = NULL;
        for (size_t i = 0; i < WORKLOADS; i++)
            if (names(workload_at(i), kind)) r.kind = workload_at(i), r.name = name.p;
    }
    snprintf(r.text, sizeof r.text, "%s/%.253s", (r.kind ? r.kind : &workload_deployment)->word,
             r.name ? r.name : "");
    return r;
}

struct kube_ref target_object(const char *ns, const char *id) {
    return (struct kube_ref){
        .gvr = workload_of(id)->gvr, .ns = slice_of(ns), .name = slice_of(workload_name(id))};
}
