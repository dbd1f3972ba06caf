/* MutatingAdmissionPolicy handover-hold (deploy/manifests/policy/hold/hold.yaml), played: while an object of that name and a binding of that
 * name are there. What they say is not looked at, there is no CEL here. Handover is who writes as field manager "handover". */
#include "store/core.h"
#include "api/meta.h"

#define HELD  "handover.dev/held"
#define PROBE "handover.dev/probe"

static bool there(struct sim *s, const char *resource) {
    const struct sim_type *t = type_find(s, "admissionregistration.k8s.io", resource);
    return t && sim_store_get(s, t, "", "handover-hold");
}

static bool opted_in(const cJSON *obj) {
    return obj_annotation(obj, "handover.dev/canary-percent") != NULL;
}

static const cJSON *template_of(const cJSON *obj) {
    return json_get(json_obj(obj, "spec"), "template");
}

static bool is_held(const cJSON *obj) {
    return json_bool(json_obj(obj, "spec"), "paused", false) && obj_annotation(obj, HELD);
}

void hold_policy_admit(struct sim *s, const struct sim_type *t, const cJSON *old, cJSON *obj, bool dry) {
    const struct writer *w = &s->writer;
    bool request = w->manager && w->subresource && !w->subresource[0];
    if (!request || !type_is(t, "apps", "deployments") || !there(s, "mutatingadmissionpolicies") ||
        !there(s, "mutatingadmissionpolicybindings"))
        return;
    bool handover = !strcmp(w->manager, "handover"), asks = dry && obj_annotation(obj, PROBE);
    if (handover && !asks) return;
    if (!opted_in(old) && !opted_in(obj)) return;
    if (json_tree_equal(template_of(old), template_of(obj)) && !is_held(old)) return;
    cJSON *annotations = json_tree_child(json_tree_child(obj, "metadata"), "annotations"),
          *spec = json_tree_child(obj, "spec");
    json_tree_set_str(annotations, HELD, handover ? "probe" : "true");
    json_tree_set(spec, "paused", cJSON_CreateTrue());
}
