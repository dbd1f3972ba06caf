/* canary-nodes: a template's text with labels in spec.nodeSelector, and its pods spread over the nodes that have them; nothing
 * reprinted. */
#include "plan/canary.h"
#include "base/json_raw.h"
#include <errno.h>

struct nodes {
    char *const *labels; /* "key=value" */
    const char *hash;    /* of the template, by which the canary's pods are known */
};

static void comma(struct buf *out, bool *first) {
    if (!*first) buf_addc(out, ',');
    *first = false;
}

static bool is_hostname_spread(struct slice constraint) {
    struct slice key, when;
    return json_raw_get(constraint, SL("topologyKey"), &key) &&
           json_raw_string_is(key, SL("kubernetes.io/hostname")) &&
           json_raw_get(constraint, SL("whenUnsatisfiable"), &when) &&
           json_raw_string_is(when, SL("ScheduleAnyway"));
}

/* The API server allows one of a topology key and a whenUnsatisfiable: the user's own counts. */
static bool has_spread(struct slice constraints) {
    struct json_raw_it it = json_raw_each(constraints);
    while (json_raw_next(&it))
        if (is_hostname_spread(it.value)) return true;
    return false;
}

static void write_selector(struct buf *out, struct slice was, char *const *labels) {
    bool first = true;
    struct slice old, key, value;
    buf_addc(out, '{');
    struct json_raw_it it = json_raw_each(was);
    while (json_raw_next(&it)) {
        comma(out, &first);
        buf_add(out, it.key);
        buf_addc(out, ':');
        buf_add(out, it.value);
    }
    for (; *labels; labels++) {
        slice_cut(slice_of(*labels), '=', &key, &value);
        if (json_raw_get(was, key, &old)) continue; /* with the same value */
        comma(out, &first);
        buf_add_json(out, key);
        buf_addc(out, ':');
        buf_add_json(out, value);
    }
    buf_addc(out, '}');
}

static void write_constraints(struct buf *out, struct slice was, const char *hash) {
    bool first = true;
    buf_addc(out, '[');
    struct json_raw_it it = json_raw_each(was);
    while (json_raw_next(&it)) {
        comma(out, &first);
        buf_add(out, it.value);
    }
    if (!has_spread(was)) {
        comma(out, &first);
        buf_addf(out,
                 "{\"maxSkew\":1,\"topologyKey\":\"kubernetes.io/hostname\",\"whenUnsatisfiable\":"
                 "\"ScheduleAnyway\",\"labelSelector\":{\"matchLabels\":{\"" LABEL_TRACK
                 "\":\"canary\",\"" LABEL_TEMPLATE "\":\"%s\"}}}",
                 hash);
    }
    buf_addc(out, ']');
}

static void write_spec(struct buf *out, struct slice spec, const struct nodes *n) {
    bool first = true;
    struct slice selector = SL("{}"), constraints = SL("[]");
    json_raw_get(spec, SL("nodeSelector"), &selector);
    json_raw_get(spec, SL("topologySpreadConstraints"), &constraints);
    buf_addc(out, '{');
    struct json_raw_it it = json_raw_each(spec);
    while (json_raw_next(&it)) {
        if (json_raw_string_is(it.key, SL("nodeSelector")) ||
            json_raw_string_is(it.key, SL("topologySpreadConstraints")))
            continue;
        comma(out, &first);
        buf_add(out, it.key);
        buf_addc(out, ':');
        buf_add(out, it.value);
    }
    comma(out, &first);
    buf_adds(out, "\"nodeSelector\":");
    write_selector(out, selector, n->labels);
    buf_adds(out, ",\"topologySpreadConstraints\":");
    write_constraints(out, constraints, n->hash);
    buf_addc(out, '}');
}

/* A node that is named, or a label that is asked for with another value, would leave the canary nowhere to run. */
static int check(struct slice spec, char *const *labels, struct err *err) {
    struct slice v, selector, key, value;
    if (json_raw_get(spec, SL("nodeName"), &v) && json_raw_type(v) == JR_STRING &&
        !json_raw_string_is(v, SL("")))
        return err_set(err, ERR_CONFIG, -EINVAL,
                       HANDOVER_PREFIX "canary-nodes: the template's spec.nodeName is %.*s, so no scheduler "
                                       "chooses a node for its pods; allowed: without spec.nodeName",
                       SLF(v));
    if (!json_raw_get(spec, SL("nodeSelector"), &selector)) return 0;
    for (; *labels; labels++) {
        slice_cut(slice_of(*labels), '=', &key, &value);
        if (!json_raw_get(selector, key, &v) || json_raw_string_is(v, value)) continue;
        return err_set(err, ERR_CONFIG, -EINVAL,
                       HANDOVER_PREFIX
                       "canary-nodes: \"%s\" contradicts the template's own spec.nodeSelector, "
                       "where %.*s is %.*s; allowed: keys that the template does not have, or "
                       "its values",
                       *labels, SLF(key), SLF(v));
    }
    return 0;
}

int template_with_nodes(struct slice tmpl, char *const *labels, const char *hash, struct buf *out,
                        struct err *err) {
    struct nodes n = {labels, hash};
    struct slice spec;
    if (!labels) {
        buf_add(out, tmpl);
        return 0;
    }
    if (!json_raw_get(tmpl, SL("spec"), &spec) || json_raw_type(spec) != JR_OBJECT)
        return err_set(err, ERR_CONFIG, -EINVAL, "spec.template.spec is no object");
    int rc = check(spec, labels, err);
    if (rc < 0) return rc;
    buf_add(out, slice_make(tmpl.p, (size_t)(spec.p - tmpl.p)));
    write_spec(out, spec, &n);
    buf_add(out, slice_make(spec.p + spec.n, (size_t)(tmpl.p + tmpl.n - spec.p) - spec.n));
    return 0;
}
