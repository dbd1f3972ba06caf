/* Refusals of Deployments, ReplicaSets and their like, and of pods
 * (k8s.io/kubernetes/pkg/apis/{apps,core}/validation). */
#include "store/core.h"
#include "api/gvr.h"
#include "api/selector.h"
#include <stdio.h>

static void required(struct api_status *f, const char *field, const char *detail) {
    api_status_cause(f, "FieldValueRequired", field, "Required value%s%s", detail[0] ? ": " : "", detail);
}

/* ---- pod specs; at: "spec" or "spec.template.spec" ---- */
static void check_containers(const cJSON *list, const char *at, const char *which, struct api_status *f) {
    char field[160];
    int i = 0;
    for (const cJSON *c = list ? list->child : NULL; c; c = c->next, i++) {
        const char *name = json_str_or(c, "name", "");
        snprintf(field, sizeof field, "%s.%s[%d].name", at, which, i);
        if (!name[0]) {
            required(f, field, "");
        } else if (!name_is_dns_label(slice_of(name))) {
            api_status_cause(
                f, "FieldValueInvalid", field,
                "Invalid value: \"%s\": a DNS-1123 label must consist of lower case alphanumeric "
                "characters or '-', "
                "and must start and end with an alphanumeric character (e.g. 'my-name',  or "
                "'123-abc', regex used for "
                "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
                name);
        }
        for (const cJSON *d = list->child; d != c && name[0]; d = d->next) {
            if (strcmp(json_str_or(d, "name", ""), name) != 0) continue;
            api_status_cause(f, "FieldValueDuplicate", field, "Duplicate value: \"%s\"", name);
            break;
        }
        snprintf(field, sizeof field, "%s.%s[%d].image", at, which, i);
        if (!json_str_or(c, "image", "")[0]) required(f, field, "");
    }
}

static void check_mounts(const cJSON *spec, const char *at, struct api_status *f) {
    const cJSON *volumes = json_arr(spec, "volumes"), *containers = json_arr(spec, "containers");
    int i = 0;
    for (const cJSON *c = containers ? containers->child : NULL; c; c = c->next, i++) {
        const cJSON *mounts = json_arr(c, "volumeMounts");
        int k = 0;
        for (const cJSON *m = mounts ? mounts->child : NULL; m; m = m->next, k++) {
            const char *name = json_str_or(m, "name", "");
            bool found = false;
            for (const cJSON *v = volumes ? volumes->child : NULL; v && !found; v = v->next) {
                found = strcmp(json_str_or(v, "name", ""), name) == 0;
            }
            char field[160];
            snprintf(field, sizeof field, "%s.containers[%d].volumeMounts[%d].name", at, i, k);
            if (!found) api_status_cause(f, "FieldValueNotFound", field, "Not found: \"%s\"", name);
        }
    }
}

static void check_pod_spec(const cJSON *spec, const char *at, struct api_status *f) {
    char field[64];
    const cJSON *containers = json_arr(spec, "containers");
    snprintf(field, sizeof field, "%s.containers", at);
    if (!containers || !containers->child) required(f, field, "");
    check_containers(containers, at, "containers", f);
    check_containers(json_arr(spec, "initContainers"), at, "initContainers", f);
    check_mounts(spec, at, f);
    int64_t grace = json_i64(spec, "terminationGracePeriodSeconds", 0);
    snprintf(field, sizeof field, "%s.terminationGracePeriodSeconds", at);
    if (grace < 0) {
        api_status_cause(f, "FieldValueInvalid", field,
                         "Invalid value: %lld: must be greater than or equal to 0", (long long)grace);
    }
}

/* What may change in a pod: images, tolerations, the deadline; and where it runs, once. */
static cJSON *fixed_part(const cJSON *spec, const cJSON *old) {
    cJSON *v = json_tree_dup(spec);
    static const char *const lists[] = {"containers", "initContainers"};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        cJSON *list = json_tree_get(v, lists[i]);
        for (cJSON *c = list ? list->child : NULL; c; c = c->next) json_tree_set(c, "image", NULL);
    }
    json_tree_set(v, "activeDeadlineSeconds", NULL);
    json_tree_set(v, "tolerations", NULL);
    if (!json_str_or(old, "nodeName", "")[0]) json_tree_set(v, "nodeName", NULL);
    return v;
}

void validate_pod(const cJSON *obj, const cJSON *old, struct api_status *f) {
    const cJSON *spec = json_obj(obj, "spec");
    check_pod_spec(spec, "spec", f);
    if (!old || !spec) return;
    const cJSON *was = json_obj(old, "spec");
    cleanup_json cJSON *a = fixed_part(spec, was), *b = fixed_part(was, was);
    if (json_tree_equal(a, b)) return;
    api_status_cause(
        f, "FieldValueForbidden", "spec",
        "Forbidden: pod updates may not change fields other than `spec.containers[*].image`, "
        "`spec.initContainers[*].image`, `spec.activeDeadlineSeconds` or `spec.tolerations` (only "
        "additions to "
        "existing tolerations)");
}

/* ---- selectors ---- */
static void print_labels(const cJSON *labels, struct buf *out) {
    if (!labels || !labels->child) {
        buf_adds(out, labels ? "map[string]string{}" : "map[string]string(nil)");
        return;
    }
    buf_adds(out, "map[string]string{");
    for (const cJSON *l = labels->child; l; l = l->next) {
        buf_addf(out, "%s\"%s\":\"%s\"", l == labels->child ? "" : ", ", l->string, cJSON_GetStringValue(l));
    }
    buf_addc(out, '}');
}

static void print_selector(const cJSON *sel, struct buf *out) {
    buf_adds(out, "v1.LabelSelector{MatchLabels:");
    print_labels(json_obj(sel, "matchLabels"), out);
    const cJSON *ex = json_arr(sel, "matchExpressions");
    buf_addf(out, ", MatchExpressions:[]v1.LabelSelectorRequirement%s}", ex && ex->child ? "{...}" : "(nil)");
}

static void check_selector(const cJSON *spec, const cJSON *old_spec, struct api_status *f) {
    const cJSON *sel = json_obj(spec, "selector");
    const cJSON *labels = json_obj(json_obj(json_obj(spec, "template"), "metadata"), "labels");
    struct buf text = BUF(16 << 10);
    if (!sel) {
        required(f, "spec.selector", "");
        api_status_cause(
            f, "FieldValueInvalid", "spec.template.metadata.labels",
            "Invalid value: map[string]string(nil): `selector` does not match template `labels`");
        return;
    }
    validate_labels(json_obj(sel, "matchLabels"), "spec.selector.matchLabels", f);
    struct selector *parsed = NULL;
    struct err err = {0};
    const cJSON *ml = json_obj(sel, "matchLabels"), *me = json_arr(sel, "matchExpressions");
    if ((!ml || !ml->child) && (!me || !me->child)) {
        print_selector(sel, &text);
        api_status_cause(f, "FieldValueInvalid", "spec.selector",
                         "Invalid value: %s: empty selector is invalid for deployment", buf_str(&text));
    } else if (selector_from_spec(sel, &parsed, &err) < 0) {
        api_status_cause(f, "FieldValueInvalid", "spec.selector", "Invalid value: %s", err.msg);
    } else if (!selector_match(parsed, labels)) {
        print_labels(labels, &text);
        api_status_cause(f, "FieldValueInvalid", "spec.template.metadata.labels",
                         "Invalid value: %s: `selector` does not match template `labels`", buf_str(&text));
    }
    selector_free(parsed);
    if (old_spec && !json_tree_equal(sel, json_obj(old_spec, "selector"))) {
        buf_clear(&text);
        print_selector(sel, &text);
        api_status_cause(f, "FieldValueInvalid", "spec.selector", "Invalid value: %s: field is immutable",
                         buf_str(&text));
    }
    buf_free(&text);
}

/* ---- workloads ---- */
static bool ctl_int_or_percent(const cJSON *v) {
    if (!v || cJSON_IsNumber(v)) return true;
    struct slice s = slice_of(cJSON_GetStringValue(v));
    if (s.n < 2 || s.p[s.n - 1] != '%') return false;
    for (size_t i = 0; i < s.n - 1; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    }
    return true;
}

static bool is_zero(const cJSON *v) {
    return (cJSON_IsNumber(v) && v->valuedouble == 0) || (cJSON_IsString(v) && !strcmp(v->valuestring, "0%"));
}

static void check_strategy(const cJSON *spec, struct api_status *f) {
    const cJSON *st = json_obj(spec, "strategy"), *ru = json_obj(st, "rollingUpdate");
    const char *type = json_str_or(st, "type", "RollingUpdate");
    if (!strcmp(type, "Recreate")) {
        if (!ru) return;
        api_status_cause(f, "FieldValueForbidden", "spec.strategy.rollingUpdate",
                         "Forbidden: may not be specified when strategy `type` is 'Recreate'");
    } else if (strcmp(type, "RollingUpdate") != 0) {
        api_status_cause(f, "FieldValueNotSupported", "spec.strategy.type",
                         "Unsupported value: \"%s\": supported values: \"Recreate\", \"RollingUpdate\"",
                         type);
    } else {
        static const char *const names[] = {"maxUnavailable", "maxSurge"};
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            const cJSON *v = json_get(ru, names[i]);
            char field[64];
            snprintf(field, sizeof field, "spec.strategy.rollingUpdate.%s", names[i]);
            if (!ctl_int_or_percent(v)) {
                api_status_cause(
                    f, "FieldValueInvalid", field,
                    "Invalid value: \"%s\": a valid percent string must be a numeric string followed "
                    "by an ending '%%' "
                    "(e.g. '1%%',  or '93%%', regex used for validation is '[0-9]+%%')",
                    cJSON_GetStringValue(v));
            } else if (cJSON_IsNumber(v) && v->valuedouble < 0) {
                api_status_cause(f, "FieldValueInvalid", field,
                                 "Invalid value: %.0f: must be greater than or equal to 0", v->valuedouble);
            }
        }
        if (is_zero(json_get(ru, "maxUnavailable")) && is_zero(json_get(ru, "maxSurge"))) {
            api_status_cause(
                f, "FieldValueInvalid", "spec.strategy.rollingUpdate.maxUnavailable",
                "Invalid value: intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}: may not be 0 when "
                "`maxSurge` is 0");
        }
    }
}

/* What may change in a StatefulSet. */
static void check_stateful(const cJSON *spec, const cJSON *old, struct api_status *f) {
    const cJSON *strategy = json_obj(spec, "updateStrategy");
    const char *type = json_str_or(strategy, "type", "RollingUpdate");
    int64_t partition = json_i64(json_obj(strategy, "rollingUpdate"), "partition", 0);
    if (strcmp(type, "RollingUpdate") != 0 && strcmp(type, "OnDelete") != 0)
        api_status_cause(f, "FieldValueInvalid", "spec.updateStrategy",
                         "Invalid value: \"%s\": must be 'RollingUpdate' or 'OnDelete'", type);
    if (partition < 0)
        api_status_cause(f, "FieldValueInvalid", "spec.updateStrategy.rollingUpdate.partition",
                         "Invalid value: %lld: must be greater than or equal to 0", (long long)partition);
    if (!old) return;
    static const char *const may[] = {"replicas",
                                      "ordinals",
                                      "template",
                                      "updateStrategy",
                                      "revisionHistoryLimit",
                                      "persistentVolumeClaimRetentionPolicy",
                                      "minReadySeconds"};
    cleanup_json cJSON *a = json_tree_dup(spec), *b = json_tree_dup(old);
    for (size_t i = 0; i < ARRAY_LEN(may); i++) {
        json_tree_set(a, may[i], NULL);
        json_tree_set(b, may[i], NULL);
    }
    if (json_tree_equal(a, b)) return;
    api_status_cause(f, "FieldValueForbidden", "spec",
                     "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                     "'template', 'updateStrategy', 'revisionHistoryLimit', "
                     "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
}

static void not_negative(const cJSON *spec, const char *key, struct api_status *f) {
    int64_t v = json_i64(spec, key, 0);
    char field[64];
    snprintf(field, sizeof field, "spec.%s", key);
    if (v >= 0) return;
    api_status_cause(f, "FieldValueInvalid", field, "Invalid value: %lld: must be greater than or equal to 0",
                     (long long)v);
}

void validate_workload(const struct sim_type *t, const cJSON *obj, const cJSON *old, struct api_status *f) {
    const cJSON *spec = json_obj(obj, "spec"), *tmpl = json_obj(spec, "template");
    not_negative(spec, "replicas", f);
    not_negative(spec, "minReadySeconds", f);
    not_negative(spec, "revisionHistoryLimit", f);
    not_negative(spec, "progressDeadlineSeconds", f);
    check_selector(spec, json_obj(old, "spec"), f);
    if (type_is(t, "apps", "statefulsets")) check_stateful(spec, json_obj(old, "spec"), f);
    if (type_is(t, "apps", "deployments")) {
        check_strategy(spec, f);
        int64_t deadline = json_i64(spec, "progressDeadlineSeconds", INT32_MAX);
        if (deadline >= 0 && deadline <= json_i64(spec, "minReadySeconds", 0)) {
            api_status_cause(f, "FieldValueInvalid", "spec.progressDeadlineSeconds",
                             "Invalid value: %lld: must be greater than minReadySeconds",
                             (long long)deadline);
        }
    }
    validate_labels(json_obj(json_obj(tmpl, "metadata"), "labels"), "spec.template.labels", f);
    check_pod_spec(json_obj(tmpl, "spec"), "spec.template.spec", f);
    const char *restart = json_str_or(json_obj(tmpl, "spec"), "restartPolicy", "Always");
    if (strcmp(restart, "Always") != 0) {
        api_status_cause(f, "FieldValueNotSupported", "spec.template.spec.restartPolicy",
                         "Unsupported value: \"%s\": supported values: \"Always\"", restart);
    }
}
