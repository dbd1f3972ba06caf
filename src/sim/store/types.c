/* The types that are served, and those registered at run time. */
#include "store/core.h"
#include "api/gvr.h"
#include <errno.h>
#include <stdio.h>

static const struct sim_type builtin[] = {
    {"", "v1", "namespaces", "Namespace", "namespace", "ns", .has_status = true},
    {"", "v1", "nodes", "Node", "node", "no", .has_status = true},
    {"", "v1", "pods", "Pod", "pod", "po", .namespaced = true, .has_status = true},
    {"", "v1", "configmaps", "ConfigMap", "configmap", "cm", .namespaced = true},
    {"", "v1", "secrets", "Secret", "secret", "", .namespaced = true},
    {"", "v1", "services", "Service", "service", "svc", .namespaced = true, .has_status = true},
    {"", "v1", "serviceaccounts", "ServiceAccount", "serviceaccount", "sa", .namespaced = true},
    {"", "v1", "events", "Event", "event", "ev", .namespaced = true},
    {"", "v1", "endpoints", "Endpoints", "endpoints", "ep", .namespaced = true},
    {"", "v1", "resourcequotas", "ResourceQuota", "resourcequota", "quota", .namespaced = true,
     .has_status = true},
    /* no objects of its own: those of core/v1 in another form; see rest/event_view.h */
    {"events.k8s.io", "v1", "events", "Event", "event", "ev", .namespaced = true},
    {"apps", "v1", "deployments", "Deployment", "deployment", "deploy", .namespaced = true,
     .has_status = true, .has_scale = true, .has_generation = true},
    {"apps", "v1", "replicasets", "ReplicaSet", "replicaset", "rs", .namespaced = true, .has_status = true,
     .has_scale = true, .has_generation = true},
    {"apps", "v1", "statefulsets", "StatefulSet", "statefulset", "sts", .namespaced = true,
     .has_status = true, .has_scale = true, .has_generation = true},
    {"apps", "v1", "controllerrevisions", "ControllerRevision", "controllerrevision", "", .namespaced = true},
    {"apps", "v1", "daemonsets", "DaemonSet", "daemonset", "ds", .namespaced = true, .has_status = true,
     .has_generation = true},
    {"autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "horizontalpodautoscaler",
     "hpa", .namespaced = true, .has_status = true},
    {"coordination.k8s.io", "v1", "leases", "Lease", "lease", "", .namespaced = true},
    {"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "poddisruptionbudget", "pdb",
     .namespaced = true, .has_status = true, .has_generation = true},
    {"rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", "clusterrole", "",
     .namespaced = false},
    {"rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", "clusterrolebinding", "",
     .namespaced = false},
    {"rbac.authorization.k8s.io", "v1", "roles", "Role", "role", "", .namespaced = true},
    {"rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", "rolebinding", "", .namespaced = true},
    {"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition",
     "customresourcedefinition", "crd,crds", .has_status = true, .has_generation = true},
    /* since 1.36 */
    {"admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy",
     "mutatingadmissionpolicy", "", .has_generation = true},
    {"admissionregistration.k8s.io", "v1", "mutatingadmissionpolicybindings",
     "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybinding", "", .has_generation = true},
};
enum { SINCE_1_36 = 2 };

static size_t count_builtin(const struct sim *s) {
    return ARRAY_LEN(builtin) - (s->cfg.release == SIM_RELEASE_1_37 ? 0 : SINCE_1_36);
}

bool type_is(const struct sim_type *t, const char *group, const char *resource) {
    return strcmp(t->resource, resource) == 0 && strcmp(t->group, group) == 0;
}

const struct sim_type *sim_type_find(const char *group, const char *resource) {
    for (size_t i = 0; i < ARRAY_LEN(builtin); i++) {
        if (type_is(&builtin[i], group, resource)) return &builtin[i];
    }
    return NULL;
}

const struct sim_type *type_at(const struct sim *s, size_t i) {
    return i < s->ntables ? s->tables[i]->type : NULL;
}

const struct sim_type *type_find(const struct sim *s, const char *group, const char *resource) {
    for (size_t i = 0; i < s->ntables; i++) {
        if (type_is(s->tables[i]->type, group, resource) && !s->tables[i]->retired) return s->tables[i]->type;
    }
    return NULL;
}

struct resource_table *resource_table_of(struct sim *s, const struct sim_type *t) {
    if (!t->custom) return s->tables[t - builtin];
    for (size_t i = count_builtin(s); i < s->ntables; i++) {
        if (s->tables[i]->type == t) return s->tables[i];
    }
    abort(); /* a type of another sim: a programming error */
}

const char *type_api_version(const struct sim_type *t, char ret[128]) {
    snprintf(ret, 128, "%s%s%s", t->group, t->group[0] ? "/" : "", t->version);
    return ret;
}

static const char *dotted(const char *what, const char *group, char ret[160]) {
    snprintf(ret, 160, "%s%s%s", what, group[0] ? "." : "", group);
    return ret;
}

const char *type_resource_group(const struct sim_type *t, char ret[160]) {
    return dotted(t->resource, t->group, ret);
}

const char *type_kind_group(const struct sim_type *t, char ret[160]) {
    return dotted(t->kind, t->group, ret);
}

const struct sim_type *type_by_kind(struct sim *s, const char *api_version, const char *kind) {
    char have[128];
    for (size_t i = 0; i < s->ntables; i++) {
        const struct sim_type *t = s->tables[i]->type;
        if (!s->tables[i]->retired && !strcmp(t->kind, kind) &&
            !strcmp(type_api_version(t, have), api_version))
            return t;
    }
    return NULL;
}

static struct resource_table *resource_table_new(struct sim *s) {
    struct resource_table *h = xcalloc(1, sizeof *h);
    list_init(&h->watches);
    list_init(&h->holds);
    s->tables = xrealloc(s->tables, (s->ntables + 1) * sizeof(struct resource_table *));
    s->tables[s->ntables++] = h;
    return h;
}

void types_init(struct sim *s) {
    for (size_t i = 0; i < count_builtin(s); i++) resource_table_new(s)->type = &builtin[i];
}

static bool word_ok(const char *s, size_t max) {
    if (!s || !s[0] || strlen(s) > max) return false;
    for (; *s; s++) {
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '-' ||
              *s == '.')) {
            return false;
        }
    }
    return true;
}

/* A name is kept once and until the end: what still goes out may have it. */
static const char *word(struct sim *s, const char *text) {
    for (size_t i = 0; i < s->nwords; i++) {
        if (!strcmp(s->words[i], text)) return s->words[i];
    }
    s->words = xrealloc(s->words, (s->nwords + 1) * sizeof(char *));
    return s->words[s->nwords++] = xstrdup(text);
}

static struct resource_table *dig_up(struct sim *s, const char *group, const char *resource) {
    for (size_t i = count_builtin(s); i < s->ntables; i++) {
        if (type_is(s->tables[i]->type, group, resource)) return s->tables[i];
    }
    for (size_t i = 0; i < s->nburied; i++) {
        struct resource_table *h = s->buried[i];
        if (!type_is(h->type, group, resource)) continue;
        s->buried[i] = s->buried[--s->nburied];
        s->tables = xrealloc(s->tables, (s->ntables + 1) * sizeof(struct resource_table *));
        return s->tables[s->ntables++] = h;
    }
    return NULL;
}

bool types_room(const struct sim *s, const char *group, const char *resource) {
    if (s->ntables + s->nburied < count_builtin(s) + SIM_MAX_CUSTOM) return true;
    for (size_t i = count_builtin(s); i < s->ntables; i++) {
        if (type_is(s->tables[i]->type, group, resource)) return true;
    }
    for (size_t i = 0; i < s->nburied; i++) {
        if (type_is(s->buried[i]->type, group, resource)) return true;
    }
    return false;
}

static void free_schema(struct resource_table *h) {
    cJSON_Delete(h->schema);
    h->schema = NULL;
    schema_shapes_free(&h->shapes);
}

const struct sim_type *types_set(struct sim *s, const struct sim_type *t, struct api_status *f) {
    if (!types_room(s, t->group, t->resource)) {
        api_status_set(f, 403, "Forbidden", "no more than %d custom types", SIM_MAX_CUSTOM);
        return NULL;
    }
    if (sim_type_find(t->group, t->resource) || !word_ok(t->group, 253) ||
        !name_is_dns_subdomain(slice_of(t->group)) || !word_ok(t->version, 63) || !word_ok(t->resource, 63) ||
        !word_ok(t->kind, 63) || !word_ok(t->singular, 63) || strlen(t->short_names) > 200) {
        api_status_set(f, 422, "Invalid", "a type needs a group, a version, a plural, a singular and a kind");
        return NULL;
    }
    struct resource_table *h = dig_up(s, t->group, t->resource);
    if (!h) h = resource_table_new(s);
    free_schema(h);
    h->schema = json_tree_dup(t->schema);
    if (h->schema) schema_shapes_read(h->schema, &h->shapes);
    h->custom = *t;
    h->custom.group = word(s, t->group);
    h->custom.version = word(s, t->version);
    h->custom.resource = word(s, t->resource);
    h->custom.kind = word(s, t->kind);
    h->custom.singular = word(s, t->singular);
    h->custom.short_names = word(s, t->short_names);
    h->custom.custom = h->custom.has_generation = true;
    h->custom.schema = h->schema;
    h->custom.shapes = &h->shapes;
    h->type = &h->custom;
    h->retired = false;
    return h->type;
}

const struct sim_type *types_add(struct sim *s, const struct sim_type *t, struct api_status *f) {
    const struct sim_type *have = type_find(s, t->group, t->resource);
    return have ? have : types_set(s, t, f);
}

/* ---- those that go ---- */
void types_retire(struct sim *s, const struct sim_type *t) {
    struct resource_table *h = resource_table_of(s, t);
    while (h->index.head[0]) sim_store_remove(s, h->index.head[0]->obj);
    h->retired = true;
}

void types_bury(struct sim *s) {
    size_t kept = 0;
    for (size_t i = 0; i < s->ntables; i++) {
        struct resource_table *h = s->tables[i];
        if (!h->retired) {
            s->tables[kept++] = h;
            continue;
        }
        s->buried = xrealloc(s->buried, (s->nburied + 1) * sizeof(struct resource_table *));
        s->buried[s->nburied++] = h;
    }
    s->ntables = kept;
}

static void free_tables(struct resource_table **v, size_t n) {
    for (size_t i = 0; i < n; i++) {
        history_free(v[i]);
        free_schema(v[i]);
        free(v[i]);
    }
    free(v);
}

void types_free(struct sim *s) {
    free_tables(s->tables, s->ntables);
    free_tables(s->buried, s->nburied);
    for (size_t i = 0; i < s->nwords; i++) free(s->words[i]);
    free(s->words);
    s->tables = s->buried = NULL;
    s->words = NULL;
    s->ntables = s->nburied = s->nwords = 0;
}
