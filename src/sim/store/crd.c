/* From a CustomResourceDefinition to a type that is served, and back. */
#include "store/crd.h"
#include "api/gvr.h"
#include "api/meta.h"
#include <stdio.h>

#define FINALIZER "customresourcecleanup.apiextensions.k8s.io"

bool crd_is(const struct sim_type *t) {
    return type_is(t, "apiextensions.k8s.io", "customresourcedefinitions");
}

static const cJSON *stored_version(const cJSON *spec) {
    const cJSON *list = json_arr(spec, "versions");
    for (const cJSON *v = list ? list->child : NULL; v; v = v->next) {
        if (json_bool(v, "storage", false)) return v;
    }
    return NULL;
}

static const cJSON *schema_of(const cJSON *version) {
    return json_obj(json_obj(version, "schema"), "openAPIV3Schema");
}

/* ---- before it is stored ---- */
static void add_finalizer(cJSON *meta) {
    const cJSON *had = json_arr(meta, "finalizers");
    for (const cJSON *f = had ? had->child : NULL; f; f = f->next) {
        if (cJSON_IsString(f) && !strcmp(f->valuestring, FINALIZER)) return;
    }
    cJSON *list = had ? json_tree_dup(had) : cJSON_CreateArray(), *word = cJSON_CreateString(FINALIZER);
    if (!list || !word) abort();
    cJSON_AddItemToArray(list, word);
    json_tree_set(meta, "finalizers", list);
}

static void fill_names(cJSON *spec) {
    cJSON *names = json_tree_child(spec, "names");
    const char *kind = json_str(names, "kind");
    if (!kind) return;
    if (!json_str(names, "singular")) {
        cleanup_free char *lower = xstrdup(kind);
        for (char *p = lower; *p; p++) {
            if (*p >= 'A' && *p <= 'Z') *p = (char)(*p + 32);
        }
        json_tree_set_str(names, "singular", lower);
    }
    if (!json_str(names, "listKind")) {
        cleanup_free char *list = xasprintf("%.200sList", kind);
        json_tree_set_str(names, "listKind", list);
    }
    if (!json_get(spec, "conversion"))
        json_tree_set_str(json_tree_child(spec, "conversion"), "strategy", "None");
}

static void add_condition(cJSON *list, const char *type, const char *reason, const char *message,
                          const char *now) {
    cJSON *c = cJSON_CreateObject();
    if (!c) abort();
    json_tree_set_str(c, "type", type);
    json_tree_set_str(c, "status", "True");
    json_tree_set_str(c, "lastTransitionTime", now);
    json_tree_set_str(c, "reason", reason);
    json_tree_set_str(c, "message", message);
    cJSON_AddItemToArray(list, c);
}

/* What a real one's controllers say a moment later. */
static void fill_status(struct sim *s, cJSON *obj) {
    cJSON *status = json_tree_child(obj, "status");
    const cJSON *spec = json_obj(obj, "spec");
    char now[32];
    sim_time(s, now);
    if (!json_arr(status, "conditions")) {
        cJSON *list = cJSON_CreateArray();
        if (!list) abort();
        add_condition(list, "NamesAccepted", "NoConflicts", "no conflicts found", now);
        add_condition(list, "Established", "InitialNamesAccepted", "the initial names have been accepted",
                      now);
        json_tree_set(status, "conditions", list);
    }
    json_tree_set(status, "acceptedNames", json_tree_dup(json_obj(spec, "names")));
    const char *version = json_str(stored_version(spec), "name");
    cJSON *stored = json_tree_get(status, "storedVersions");
    if (!cJSON_IsArray(stored)) {
        stored = cJSON_CreateArray();
        if (!stored) abort();
        json_tree_set(status, "storedVersions", stored);
    }
    for (const cJSON *v = stored->child; v; v = v->next) {
        if (version && cJSON_IsString(v) && !strcmp(v->valuestring, version)) return;
    }
    cJSON *word = version ? cJSON_CreateString(version) : NULL;
    if (word) cJSON_AddItemToArray(stored, word);
}

static void required(struct api_status *f, const cJSON *in, const char *key, const char *field) {
    if (!json_str_or(in, key, "")[0]) api_status_cause(f, "FieldValueRequired", field, "Required value");
}

static void check_names(const cJSON *obj, struct api_status *f) {
    const cJSON *spec = json_obj(obj, "spec"), *names = json_obj(spec, "names");
    required(f, spec, "group", "spec.group");
    required(f, names, "plural", "spec.names.plural");
    required(f, names, "kind", "spec.names.kind");
    const char *group = json_str_or(spec, "group", ""), *plural = json_str_or(names, "plural", ""),
               *scope = json_str_or(spec, "scope", "");
    cleanup_free char *name = xasprintf("%s.%s", plural, group);
    if (strcmp(name, obj_name(obj)) != 0) {
        api_status_cause(f, "FieldValueInvalid", "metadata.name",
                         "Invalid value: \"%.253s\": must be spec.names.plural+\".\"+spec.group",
                         obj_name(obj));
    }
    if (!name_is_dns_subdomain(slice_of(group)) || !strchr(group, '.'))
        api_status_cause(f, "FieldValueInvalid", "spec.group",
                         "Invalid value: \"%.253s\": should be a domain with at least one dot", group);
    if (!name_is_dns_label(slice_of(plural)))
        api_status_cause(f, "FieldValueInvalid", "spec.names.plural",
                         "Invalid value: \"%.253s\": must be a DNS-1035 label", plural);
    if (strcmp(scope, "Namespaced") != 0 && strcmp(scope, "Cluster") != 0) {
        api_status_cause(f, "FieldValueNotSupported", "spec.scope",
                         "Unsupported value: \"%.80s\": supported values: \"Cluster\", \"Namespaced\"",
                         scope);
    }
}

static void check_versions(const cJSON *spec, struct api_status *f) {
    const cJSON *list = json_arr(spec, "versions");
    int stored = 0, i = 0;
    for (const cJSON *v = list ? list->child : NULL; v; v = v->next, i++) {
        char field[96];
        stored += json_bool(v, "storage", false);
        snprintf(field, sizeof field, "spec.versions[%d].name", i);
        if (!name_is_dns_label(slice_of(json_str_or(v, "name", ""))))
            api_status_cause(f, "FieldValueInvalid", field,
                             "Invalid value: \"%.63s\": must be a DNS-1035 label",
                             json_str_or(v, "name", ""));
        snprintf(field, sizeof field, "spec.versions[%d].schema.openAPIV3Schema", i);
        const cJSON *schema = schema_of(v);
        if (!schema) {
            api_status_cause(f, "FieldValueRequired", field, "Required value");
        } else if (strcmp(json_str_or(schema, "type", ""), "object") != 0) {
            snprintf(field, sizeof field, "spec.versions[%d].schema.openAPIV3Schema.type", i);
            api_status_cause(f, "FieldValueInvalid", field,
                             "Invalid value: \"%.80s\": must be object at the root",
                             json_str_or(schema, "type", ""));
        }
    }
    if (stored != 1)
        api_status_cause(f, "FieldValueInvalid", "spec.versions",
                         "Invalid value: %d: must have exactly one version marked as storage version",
                         stored);
}

static void check_fixed(const cJSON *old, const cJSON *obj, const char *path, const char *field,
                        struct api_status *f) {
    const cJSON *a = json_at(old, path), *b = json_at(obj, path);
    if (!a || (b && json_tree_equal(a, b))) return;
    api_status_cause(f, "FieldValueInvalid", field, "Invalid value: \"%.80s\": field is immutable",
                     b && cJSON_IsString(b) ? b->valuestring : "");
}

void crd_prepare(struct sim *s, const cJSON *old, cJSON *obj, struct api_status *f) {
    const cJSON *spec = json_obj(obj, "spec"), *names = json_obj(spec, "names");
    if (!spec) {
        api_status_cause(f, "FieldValueRequired", "spec", "Required value");
        return;
    }
    check_names(obj, f);
    check_versions(spec, f);
    if (old) {
        check_fixed(old, obj, "spec/scope", "spec.scope", f);
        check_fixed(old, obj, "spec/names/kind", "spec.names.kind", f);
    }
    const struct sim_type *have =
        type_find(s, json_str_or(spec, "group", ""), json_str_or(names, "plural", ""));
    if (have && !have->custom)
        api_status_cause(f, "FieldValueInvalid", "spec.names.plural",
                         "Invalid value: \"%s\": the server has that type itself", have->resource);
    if (!types_room(s, json_str_or(spec, "group", ""), json_str_or(names, "plural", "")))
        api_status_cause(f, "FieldValueForbidden", "metadata.name", "Forbidden: no more than %d custom types",
                         SIM_MAX_CUSTOM);
    if (f->ncauses) return;
    fill_names(json_tree_child(obj, "spec"));
    if (!obj_deleting(obj)) add_finalizer(json_tree_child(obj, "metadata"));
    fill_status(s, obj);
}

/* ---- while it is stored ---- */
static char *joined(const cJSON *list) {
    struct buf b = BUF(200);
    for (const cJSON *n = list ? list->child : NULL; n; n = n->next) {
        if (cJSON_IsString(n)) buf_addf(&b, "%s%s", b.n ? "," : "", n->valuestring);
    }
    return buf_take(&b);
}

void crd_stored(struct sim *s, const struct sim_obj *o) {
    const cJSON *spec = json_obj(o->json, "spec"), *names = json_obj(spec, "names"),
                *version = stored_version(spec), *sub = json_obj(version, "subresources");
    const char *replicas = json_str_or(json_obj(sub, "scale"), "specReplicasPath", "");
    cleanup_free char *shorts = joined(json_arr(names, "shortNames"));
    struct sim_type t = {json_str_or(spec, "group", ""),
                         json_str_or(version, "name", ""),
                         json_str_or(names, "plural", ""),
                         json_str_or(names, "kind", ""),
                         json_str_or(names, "singular", ""),
                         shorts ? shorts : "",
                         .namespaced = !strcmp(json_str_or(spec, "scope", ""), "Namespaced"),
                         .has_status = json_obj(sub, "status") != NULL,
                         .has_scale = !strcmp(replicas, ".spec.replicas"),
                         .schema = schema_of(version)};
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    if (json_bool(version, "served", true)) types_set(s, &t, &f);
}

/* ---- when it goes ---- */
static bool delete_one(void *ctx, struct sim_obj *o) {
    if (!obj_deleting(o->json)) sim_store_delete(ctx, o, "Background", -1, NULL);
    return true;
}

static const struct sim_type *type_of(struct sim *s, const struct sim_obj *o) {
    const cJSON *spec = json_obj(o->json, "spec");
    const struct sim_type *t =
        type_find(s, json_str_or(spec, "group", ""), json_str_or(json_obj(spec, "names"), "plural", ""));
    return t && t->custom ? t : NULL;
}

bool crd_clean(struct sim *s, struct sim_obj *o) {
    const struct sim_type *t = type_of(s, o);
    if (t) {
        sim_store_each(s, t, NULL, delete_one, s);
        if (resource_table_of(s, t)->index.n) return false;
    }
    cJSON *obj = json_tree_dup(sim_store_json(s, o)), *kept = cJSON_CreateArray();
    if (!kept) abort();
    const cJSON *had = json_arr(json_obj(obj, "metadata"), "finalizers");
    for (const cJSON *c = had ? had->child : NULL; c; c = c->next) {
        if (!cJSON_IsString(c) || strcmp(c->valuestring, FINALIZER) != 0)
            cJSON_AddItemToArray(kept, json_tree_dup(c));
    }
    bool others = kept->child != NULL;
    json_tree_set(json_tree_child(obj, "metadata"), "finalizers", kept);
    sim_store_put(s, o, obj, STORE_MAIN, NULL);
    return !others;
}

void crd_removed(struct sim *s, const struct sim_obj *o) {
    const struct sim_type *t = type_of(s, o);
    if (t) types_retire(s, t);
}
