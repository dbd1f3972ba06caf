/* The annotation `objects`: which objects a slice is cut from. */
#include "api/gvr.h"
#include "api/selector.h"
#include "plan/spec_value.h"
#include <ctype.h>
#include <stdio.h>

/* v1, v2beta1 */
static bool is_version(struct slice v) {
    if (!slice_take(&v, 'v') || !slice_digits(&v).n) return false;
    if (!v.n) return true;
    struct slice stage = slice_starts(v, SL("alpha")) ? SL("alpha") : SL("beta");
    if (!slice_starts(v, stage)) return false;
    v = slice_make(v.p + stage.n, v.n - stage.n);
    return slice_digits(&v).n && !v.n;
}

bool spec_resource(struct slice name, struct slice *ret_resource, struct slice *ret_version,
                   struct slice *ret_group) {
    struct slice rest;
    slice_cut(name, '.', ret_resource, &rest);
    bool group = slice_cut(rest, '.', ret_version, ret_group);
    return name_is_dns_label(*ret_resource) && is_version(*ret_version) &&
           (!group || (name_is_dns_subdomain(*ret_group) && slice_has(*ret_group, '.')) ||
            slice_eqs(*ret_group, "apps") || slice_eqs(*ret_group, "batch") ||
            slice_eqs(*ret_group, "autoscaling") || slice_eqs(*ret_group, "policy"));
}

/* Pods and ReplicaSets with the canary's label are taken for the canary's own. */
static bool is_handovers(struct slice resource, struct slice group) {
    return (slice_eqs(resource, "pods") && !group.n) ||
           (slice_eqs(resource, "replicasets") && slice_eqs(group, "apps"));
}

static bool read_selector(struct slice text, struct spec *s, char why[256]) {
    CLEANUP(selector) struct selector *sel = NULL;
    struct err e = {0};
    if (selector_parse(text, &sel, &e) < 0) {
        snprintf(why, 256, "selector: %.240s", e.msg);
        return false;
    }
    if (text.n) s->objects_selector = slice_dup(text);
    return true;
}

static bool read_words(struct slice rest, struct spec *s, char why[256]) {
    struct slice word;
    for (rest = slice_trim(rest); rest.n; rest = slice_trim(rest)) {
        if (slice_starts(rest, SL("selector="))) /* may hold blanks: the last one */
            return read_selector(slice_make(rest.p + 9, rest.n - 9), s, why);
        slice_cut(rest, ' ', &word, &rest);
        bool ns = slice_starts(word, SL("namespace=")) && !s->objects_ns;
        struct slice value = ns ? slice_make(word.p + 10, word.n - 10) : word;
        if (!ns || !name_is_dns_label(value)) {
            snprintf(why, 256, "\"%.*s\" is neither namespace=NAMESPACE nor selector=LABELS",
                     (int)(word.n < 64 ? word.n : 64), word.p);
            return false;
        }
        s->objects_ns = slice_dup(value);
    }
    return true;
}

bool spec_objects_value(struct slice v, struct spec *s, char why[256]) {
    struct slice name, rest, resource, version, group = {0};
    slice_cut(v, ' ', &name, &rest);
    if (!spec_resource(name, &resource, &version, &group)) return false;
    if (is_handovers(resource, group)) {
        snprintf(why, 256, "Handover has a meaning of its own for labels of %.*s", SLF(resource));
        return false;
    }
    s->objects = slice_dup(name);
    if (read_words(rest, s, why)) return true;
    char **given[] = {&s->objects, &s->objects_ns, &s->objects_selector};
    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        free(*given[i]);
        *given[i] = NULL;
    }
    return false;
}
