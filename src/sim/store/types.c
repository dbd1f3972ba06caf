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
    {"apps", "v1", "deployments", "Deployment", "deployment", "deploy", .namespaced = true,
     .has_status = true, .has_scale = true, .has_generation = true},
    {"apps", "v1", "replicasets", "ReplicaSet", "replicaset", "rs", .namespaced = true, .has_status = true,
     .has_scale = true, .has_generation = true},
    {"apps", "v1", "statefulsets", "StatefulSet", "statefulset", "sts", .namespaced = true,
     .has_status = true, .has_scale = true, .has_generation = true},
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
};

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
        if (type_is(s->tables[i]->type, group, resource)) return s->tables[i]->type;
    }
    return NULL;
}

struct resource_table *resource_table_of(struct sim *s, const struct sim_type *t) {
    if (!t->custom) return s->tables[t - builtin];
    for (size_t i = ARRAY_LEN(builtin); i < s->ntables; i++) {
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
        if (!strcmp(t->kind, kind) && !strcmp(type_api_version(t, have), api_version)) return t;
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
    for (size_t i = 0; i < ARRAY_LEN(builtin); i++) resource_table_new(s)->type = &builtin[i];
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

const struct sim_type *types_add(struct sim *s, const struct sim_type *t, struct api_status *f) {
    const struct sim_type *have = type_find(s, t->group, t->resource);
    if (have) return have;
    if (s->ntables >= ARRAY_LEN(builtin) + SIM_MAX_CUSTOM) {
        api_status_set(f, 403, "Forbidden", "no more than %d custom types", SIM_MAX_CUSTOM);
        return NULL;
    }
    if (!word_ok(t->group, 60) || !name_is_dns_subdomain(slice_of(t->group)) || !word_ok(t->version, 63) ||
        !word_ok(t->resource, 63) || !word_ok(t->kind, 63) || !word_ok(t->singular, 63) ||
        strlen(t->short_names) > 200) {
        api_status_set(f, 422, "Invalid", "a type needs a group, a version, a plural, a singular and a kind");
        return NULL;
    }
    struct resource_table *h = resource_table_new(s);
    h->custom = *t;
    h->custom.group = xstrdup(t->group);
    h->custom.version = xstrdup(t->version);
    h->custom.resource = xstrdup(t->resource);
    h->custom.kind = xstrdup(t->kind);
    h->custom.singular = xstrdup(t->singular);
    h->custom.short_names = xstrdup(t->short_names);
    h->custom.custom = h->custom.has_generation = true;
    h->type = &h->custom;
    return h->type;
}

static void free_str(const char *s) {
    union {
        const char *c;
        char *m;
    } u = {.c = s};
    free(u.m);
}

void types_free(struct sim *s) {
    for (size_t i = 0; i < s->ntables; i++) {
        struct resource_table *h = s->tables[i];
        history_free(h);
        if (h->type->custom) {
            free_str(h->custom.group);
            free_str(h->custom.version);
            free_str(h->custom.resource);
            free_str(h->custom.kind);
            free_str(h->custom.singular);
            free_str(h->custom.short_names);
        }
        free(h);
    }
    free(s->tables);
    s->tables = NULL;
    s->ntables = 0;
}
