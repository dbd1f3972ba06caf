/* Selectors on objects as text: only what a selector asks about is parsed. */
#include "rest/matcher.h"
#include <errno.h>

/* Beyond metadata.name and metadata.namespace (pkg/apis/core/v1/conversion.go and its like). */
static const struct {
    const char *group, *resource, *fields;
} known[] = {
    {"", "pods",
     "spec.nodeName,spec.restartPolicy,spec.schedulerName,spec.serviceAccountName,status.phase,status.podIP,"
     "status.nominatedNodeName"},
    {"", "events",
     "involvedObject.kind,involvedObject.namespace,involvedObject.name,involvedObject.uid,involvedObject."
     "apiVersion,"
     "involvedObject.resourceVersion,involvedObject.fieldPath,reason,reportingComponent,source,type"},
    {"", "namespaces", "status.phase"},
    {"", "nodes", "spec.unschedulable"},
    {"", "secrets", "type"},
    {"apps", "replicasets", "status.replicas"},
};

static bool field_known(const struct sim_type *t, struct slice field) {
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (!type_is(t, known[i].group, known[i].resource)) continue;
        struct slice rest = slice_of(known[i].fields), one;
        while (rest.n) {
            slice_cut(rest, ',', &one, &rest);
            if (slice_eq(one, field)) return true;
        }
    }
    return false;
}

/* Looks at each requirement: is its field served, and what does it need? */
static int look_at_fields(const struct sim_type *t, struct slice text, struct matcher *m,
                          struct api_status *f) {
    struct slice rest = text, one, field, value;
    while (rest.n) {
        slice_cut(rest, ',', &one, &rest);
        if (!slice_cut(one, '=', &field, &value)) continue; /* part of a value with an escaped comma */
        bool equal = field.n == 0 || field.p[field.n - 1] != '!';
        if (!equal) field.n--;
        if (value.n && value.p[0] == '=') value = slice_make(value.p + 1, value.n - 1);
        field = slice_trim(field);
        if (slice_eqs(field, "metadata.name")) {
            if (equal && !m->name && !memchr(value.p ? value.p : "", '\\', value.n))
                m->name = slice_dup(slice_trim(value));
        } else if (!slice_eqs(field, "metadata.namespace")) {
            m->whole = true;
            if (field_known(t, field)) continue;
            return api_status_set(f, 400, "BadRequest", "field label not supported: %.*s", SLF(field));
        }
    }
    return 0;
}

static int parse(const struct sim_type *t, const char *labels, const char *fields, struct matcher *m,
                 struct api_status *f) {
    struct err err = {0};
    if (labels && labels[0] && selector_parse(slice_of(labels), &m->labels, &err) < 0) {
        return api_status_set(f, 400, "BadRequest", "unable to parse requirement: %s", err.msg);
    }
    if (!fields || !fields[0]) return 0;
    if (field_selector_parse(slice_of(fields), &m->fields, &err) < 0) {
        return api_status_set(f, 400, "BadRequest", "%s", err.msg);
    }
    return look_at_fields(t, slice_of(fields), m, f);
}

int matcher_parse(const struct sim_type *t, const char *labels, const char *fields, struct matcher *ret,
                  struct api_status *f) {
    struct matcher m = {0};
    int r = parse(t, labels, fields, &m, f);
    if (r < 0) {
        matcher_free(&m);
        return r;
    }
    *ret = m;
    return 0;
}

void matcher_free(struct matcher *m) {
    selector_free(m->labels);
    field_selector_free(m->fields);
    free(m->name);
    *m = (struct matcher){0};
}

void matcher_cache_free(struct matcher_cache *c) {
    cJSON_Delete(c->labels);
    cJSON_Delete(c->fields);
    cJSON_Delete(c->whole);
    *c = (struct matcher_cache){0};
}

static cJSON *short_tree(const struct json_doc *d) {
    cJSON *v = cJSON_CreateObject();
    if (!v) abort();
    cJSON *meta = json_tree_child(v, "metadata");
    json_tree_set_str(meta, "name", d->name);
    json_tree_set_str(meta, "namespace", d->ns);
    return v;
}

bool matcher_fits(const struct matcher *m, const struct json_doc *d, struct matcher_cache *c) {
    if (m->name && strcmp(m->name, d->name) != 0) return false;
    if (m->labels) {
        if (!c->have_labels) {
            c->labels = json_doc_labels(d);
            c->have_labels = true;
        }
        if (!selector_match(m->labels, c->labels)) return false;
    }
    if (!m->fields) return true;
    if (m->whole) {
        if (!c->whole) {
            c->whole = json_tree_parse_checked(slice_make(d->text, d->n));
            /* "source" of an Event is its component, not the object of that name. */
            cJSON *src = json_tree_get(c->whole, "source");
            if (cJSON_IsObject(src)) json_tree_set_str(c->whole, "source", json_str_or(src, "component", ""));
        }
        return field_selector_match(m->fields, c->whole);
    }
    if (!c->fields) c->fields = short_tree(d);
    return field_selector_match(m->fields, c->fields);
}

bool matcher_keep(void *m, const struct json_doc *d) {
    struct matcher_cache cache = {0};
    bool fits = matcher_fits(m, d, &cache);
    matcher_cache_free(&cache);
    return fits;
}
