/* Refusals in Kubernetes' words (k8s.io/apimachinery/pkg/util/validation): names, labels, annotations, and
 * the small types. */
#include "store/core.h"
#include "api/gvr.h"
#include "api/meta.h"
#include <stdio.h>

static const char subdomain_text[] =
    "a DNS-1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an "
    "alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
static const char label_text[] =
    "a DNS-1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric "
    "character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
static const char label1035_text[] =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end "
    "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')";
static const char value_text[] = "a valid label must be an empty string or consist of alphanumeric "
                                 "characters, '-', '_' or '.', and must start and end "
                                 "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
                                 "'12345', regex used for validation is "
                                 "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
static const char key_text[] = "name part must consist of alphanumeric characters, '-', '_' or '.', and must "
                               "start and end with an alphanumeric character "
                               "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
                               "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

static bool alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool word_ok(struct slice s) {
    if (s.n == 0 || s.n > 63 || !alnum(s.p[0]) || !alnum(s.p[s.n - 1])) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!alnum(c) && c != '-' && c != '_' && c != '.') return false;
    }
    return true;
}

static void check_key(const char *key, const char *field, struct api_status *f) {
    struct slice prefix, name;
    if (!slice_cut(slice_of(key), '/', &prefix, &name)) {
        name = prefix;
        prefix = (struct slice){0};
    } else if (!name_is_dns_subdomain(prefix)) {
        api_status_cause(f, "FieldValueInvalid", field, "Invalid value: \"%s\": prefix part %s", key,
                         subdomain_text);
        return;
    }
    if (name.n == 0) {
        api_status_cause(f, "FieldValueInvalid", field, "Invalid value: \"%s\": name part must be non-empty",
                         key);
    } else if (name.n > 63) {
        api_status_cause(f, "FieldValueInvalid", field,
                         "Invalid value: \"%s\": name part must be no more than 63 characters", key);
    } else if (!word_ok(name)) {
        api_status_cause(f, "FieldValueInvalid", field, "Invalid value: \"%s\": %s", key, key_text);
    }
}

void validate_labels(const cJSON *labels, const char *field, struct api_status *f) {
    for (const cJSON *l = labels ? labels->child : NULL; l; l = l->next) {
        check_key(l->string, field, f);
        struct slice v = slice_of(cJSON_GetStringValue(l));
        if (v.n > 63) {
            api_status_cause(f, "FieldValueInvalid", field,
                             "Invalid value: \"%.*s\": must be no more than 63 characters", SLF(v));
        } else if (v.n && !word_ok(v)) {
            api_status_cause(f, "FieldValueInvalid", field, "Invalid value: \"%.*s\": %s", SLF(v),
                             value_text);
        }
    }
}

static void check_annotations(const cJSON *ann, struct api_status *f) {
    size_t total = 0;
    for (const cJSON *a = ann ? ann->child : NULL; a; a = a->next) {
        char lower[320];
        size_t n = 0;
        for (; a->string[n] && n < sizeof lower - 1; n++) {
            char c = a->string[n];
            lower[n] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        }
        lower[n] = '\0';
        check_key(lower, "metadata.annotations", f);
        total += strlen(a->string) + slice_of(cJSON_GetStringValue(a)).n;
    }
    if (total > 256 << 10) {
        api_status_cause(f, "FieldValueTooLong", "metadata.annotations",
                         "Too long: must have at most %d bytes", 256 << 10);
    }
}

static void check_name(const struct sim_type *t, const cJSON *obj, struct api_status *f) {
    struct slice name = slice_of(obj_name(obj));
    if (!name.n) {
        api_status_cause(f, "FieldValueRequired", "metadata.name",
                         "Required value: name or generateName is required");
        return;
    }
    const char *why = NULL;
    if (!strncmp(t->group, "rbac.", 5)) { /* any path segment */
        if (slice_eqs(name, ".") || slice_eqs(name, "..") || slice_has(name, '/') || slice_has(name, '%')) {
            why = "may not be '.', '..' or contain '/' or '%'";
        }
    } else if (type_is(t, "", "services")) {
        if (!name_is_dns_label(name) || (name.p[0] >= '0' && name.p[0] <= '9')) why = label1035_text;
    } else if (type_is(t, "", "namespaces")) {
        if (!name_is_dns_label(name)) why = label_text;
    } else if (!name_is_dns_subdomain(name)) {
        why = name.n > 253 ? "must be no more than 253 characters" : subdomain_text;
    }
    if (why)
        api_status_cause(f, "FieldValueInvalid", "metadata.name", "Invalid value: \"%.*s\": %s", SLF(name),
                         why);
}

static void check_owners(const cJSON *meta, struct api_status *f) {
    const cJSON *refs = json_arr(meta, "ownerReferences");
    int controllers = 0, i = 0;
    for (const cJSON *r = refs ? refs->child : NULL; r; r = r->next, i++) {
        static const char *const needed[] = {"apiVersion", "kind", "name", "uid"};
        for (size_t k = 0; k < ARRAY_LEN(needed); k++) {
            char field[64];
            snprintf(field, sizeof field, "metadata.ownerReferences[%d].%s", i, needed[k]);
            if (json_str_or(r, needed[k], "")[0]) continue;
            api_status_cause(f, "FieldValueInvalid", field, "Invalid value: \"\": %s must not be empty",
                             needed[k]);
        }
        controllers += json_bool(r, "controller", false);
    }
    if (controllers > 1) {
        api_status_cause(
            f, "FieldValueInvalid", "metadata.ownerReferences",
            "Invalid value: []: Only one reference can have Controller set to true. Found \"true\" in "
            "references");
    }
}

static void validate_lease(const cJSON *obj, struct api_status *f) {
    const cJSON *spec = json_obj(obj, "spec");
    int64_t seconds = json_i64(spec, "leaseDurationSeconds", 1),
            terms = json_i64(spec, "leaseTransitions", 0);
    if (seconds <= 0) {
        api_status_cause(f, "FieldValueInvalid", "spec.leaseDurationSeconds",
                         "Invalid value: %lld: must be greater than 0", (long long)seconds);
    }
    if (terms < 0) {
        api_status_cause(f, "FieldValueInvalid", "spec.leaseTransitions",
                         "Invalid value: %lld: must be greater than or equal to 0", (long long)terms);
    }
}

static void validate_configmap(const cJSON *obj, const cJSON *old, struct api_status *f) {
    size_t total = 0;
    static const char *const parts[] = {"data", "binaryData"};
    bool fixed = json_bool(old, "immutable", false);
    if (fixed && !json_bool(obj, "immutable", false)) {
        api_status_cause(f, "FieldValueForbidden", "immutable",
                         "Forbidden: field is immutable when `immutable` is set");
    }
    for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
        const cJSON *data = json_obj(obj, parts[p]);
        for (const cJSON *d = data ? data->child : NULL; d; d = d->next) {
            struct slice key = slice_of(d->string);
            bool ok = key.n > 0 && key.n <= 253;
            for (size_t i = 0; ok && i < key.n; i++) ok = alnum(key.p[i]) || strchr("-._", key.p[i]);
            char field[320];
            snprintf(field, sizeof field, "%s[%.253s]", parts[p], d->string);
            if (!ok) {
                api_status_cause(
                    f, "FieldValueInvalid", field,
                    "Invalid value: \"%s\": a valid config key must consist of alphanumeric characters, '-', "
                    "'_' or "
                    "'.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                    "'[-._a-zA-Z0-9]+')",
                    d->string);
            }
            total += slice_of(cJSON_GetStringValue(d)).n;
        }
        if (fixed && !json_tree_equal(data, json_obj(old, parts[p]))) {
            api_status_cause(f, "FieldValueForbidden", parts[p],
                             "Forbidden: field is immutable when `immutable` is set");
        }
    }
    if (total > 1 << 20)
        api_status_cause(f, "FieldValueTooLong", "", "Too long: must have at most %d bytes", 1 << 20);
}

/* What names a controller and what is asked for since there are series. */
static void validate_new_event(const cJSON *obj, const char *ns, const char *own, struct api_status *f) {
    static const struct {
        const char *member;
        size_t max;
    } required[] = {{"reportingComponent", 0}, {"reportingInstance", 128}, {"action", 128}, {"reason", 128}};
    if (!ns[0] && strcmp(own, "default") != 0 && strcmp(own, "kube-system") != 0)
        api_status_cause(f, "FieldValueInvalid", "involvedObject.namespace",
                         "Invalid value: \"\": does not match event.namespace");
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        const char *v = json_str_or(obj, required[i].member, "");
        if (!v[0])
            api_status_cause(f, "FieldValueRequired", required[i].member, "Required value");
        else if (required[i].max && strlen(v) > required[i].max)
            api_status_cause(f, "FieldValueInvalid", required[i].member,
                             "Invalid value: \"\": can have at most %zu characters", required[i].max);
    }
    if (strlen(json_str_or(obj, "message", "")) > 1024)
        api_status_cause(f, "FieldValueInvalid", "message",
                         "Invalid value: \"\": can have at most 1024 characters");
}

static void validate_event(const cJSON *obj, struct api_status *f) {
    const char *ns = json_str_or(json_obj(obj, "involvedObject"), "namespace", ""), *own = obj_ns(obj);
    if (json_str(obj, "eventTime")) {
        validate_new_event(obj, ns, own ? own : "", f);
        return;
    }
    if (ns[0] ? strcmp(ns, own ? own : "") != 0 : own && strcmp(own, "default") != 0) {
        api_status_cause(f, "FieldValueInvalid", "involvedObject.namespace",
                         "Invalid value: \"%s\": does not match event.namespace", ns);
    }
}

static void validate_service(const cJSON *obj, struct api_status *f) {
    const cJSON *spec = json_obj(obj, "spec"), *ports = json_arr(spec, "ports");
    const char *type = json_str_or(spec, "type", "ClusterIP");
    if ((!ports || !ports->child) && strcmp(type, "ExternalName") != 0 &&
        strcmp(json_str_or(spec, "clusterIP", ""), "None") != 0) {
        api_status_cause(f, "FieldValueRequired", "spec.ports", "Required value");
    }
    int i = 0;
    for (const cJSON *p = ports ? ports->child : NULL; p; p = p->next, i++) {
        int64_t port = json_i64(p, "port", 0);
        char field[64];
        snprintf(field, sizeof field, "spec.ports[%d].port", i);
        if (port >= 1 && port <= 65535) continue;
        api_status_cause(f, "FieldValueInvalid", field,
                         "Invalid value: %lld: must be between 1 and 65535, inclusive", (long long)port);
    }
}

int validate(const struct sim_type *t, const cJSON *obj, const cJSON *old, struct api_status *f) {
    const cJSON *meta = json_obj(obj, "metadata");
    if (!old) check_name(t, obj, f);
    validate_labels(json_obj(meta, "labels"), "metadata.labels", f);
    check_annotations(json_obj(meta, "annotations"), f);
    check_owners(meta, f);
    if (!strcmp(t->group, "apps") && strcmp(t->resource, "controllerrevisions") != 0)
        validate_workload(t, obj, old, f);
    if (type_is(t, "", "pods")) validate_pod(obj, old, f);
    if (type_is(t, "", "configmaps")) validate_configmap(obj, old, f);
    if (type_is(t, "", "events")) validate_event(obj, f);
    if (type_is(t, "", "services")) validate_service(obj, f);
    if (type_is(t, "coordination.k8s.io", "leases")) validate_lease(obj, f);
    schema_validate(t->schema, obj, f);
    return api_status_invalid(f, t, obj_name(obj));
}
