/* What a typed server notices while it decodes a body, before any validation: 400, in the words of its JSON
 * decoder. Also drops nulls, and brings times into the server's own form. */
#include "store/core.h"
#include "api/quantity.h"
#include "api/rfc3339.h"
#include <stdio.h>

static int bad(const struct sim_type *t, const char *where, const char *what, struct api_status *f) {
    return api_status_set(f, 400, "BadRequest",
                          "%s in version \"%s\" cannot be handled as a %s: v1.%s.%s: %s", t->kind, t->version,
                          t->kind, t->kind, where, what);
}

static void drop_nulls(cJSON *v) {
    for (cJSON *c = v->child, *next; c; c = next) {
        next = c->next;
        if (cJSON_IsNull(c) && cJSON_IsObject(v)) {
            cJSON_Delete(cJSON_DetachItemViaPointer(v, c));
        } else {
            drop_nulls(c);
        }
    }
}

/* A map of strings, or absent. */
static int strings(const struct sim_type *t, const cJSON *parent, const char *key, const char *where,
                   struct api_status *f) {
    const cJSON *map = json_get(parent, key);
    if (!map) return 0;
    if (!cJSON_IsObject(map)) return bad(t, where, "ReadMapCB: expect { or n, but found something else", f);
    for (const cJSON *c = map->child; c; c = c->next) {
        if (cJSON_IsString(c)) continue;
        struct buf what = BUF(4096);
        buf_adds(&what, "ReadString: expects \" or n, but found ");
        struct buf v = BUF(1 << 20);
        json_tree_print(c, &v);
        buf_addf(&what, "%c, error found at \"%.100s\"", v.p ? v.p[0] : '?', c->string);
        int r = bad(t, where, buf_str(&what), f);
        buf_free(&what);
        buf_free(&v);
        return r;
    }
    return 0;
}

enum want { W_OBJECT, W_ARRAY, W_STRING, W_INT32, W_INT64, W_BOOL };
static bool fits(const cJSON *v, enum want w) {
    switch (w) {
    case W_OBJECT: return cJSON_IsObject(v);
    case W_ARRAY: return cJSON_IsArray(v);
    case W_STRING: return cJSON_IsString(v);
    case W_BOOL: return cJSON_IsBool(v);
    default: break;
    }
    double d = cJSON_IsNumber(v) ? v->valuedouble : 0.5, limit = w == W_INT32 ? 0x1p31 : 0x1p63;
    return d >= -limit && d < limit && (double)(int64_t)d == d;
}

struct member {
    const char *key;
    enum want want;
    const char *where;
};

static int members(const struct sim_type *t, const cJSON *obj, const struct member *m, size_t n,
                   struct api_status *f) {
    static const char *const what[] = {"ReadObject: expect { or n",        "ReadArray: expect [ or n",
                                       "ReadString: expects \" or n",      "readUint32: unexpected character",
                                       "readUint64: unexpected character", "ReadBool: expect t or f"};
    for (size_t i = 0; i < n; i++) {
        const cJSON *v = json_get(obj, m[i].key);
        if (v && !fits(v, m[i].want)) return bad(t, m[i].where, what[m[i].want], f);
    }
    return 0;
}

static int resources(const struct sim_type *t, const cJSON *container, struct api_status *f) {
    static const char *const parts[] = {"limits", "requests"};
    const cJSON *res = json_get(container, "resources");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const cJSON *map = json_obj(res, parts[i]);
        for (const cJSON *q = map ? map->child : NULL; q; q = q->next) {
            if (cJSON_IsNumber(q) || (cJSON_IsString(q) && quantity_valid(slice_of(q->valuestring))))
                continue;
            return bad(t, "Spec.Template.Spec.Containers.Resources",
                       "unmarshalerDecoder: quantities must match the regular expression "
                       "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
                       f);
        }
    }
    return 0;
}

static int pod_spec(const struct sim_type *t, const cJSON *spec, struct api_status *f) {
    static const struct member in[] = {
        {"containers", W_ARRAY, "Spec.Containers"},
        {"initContainers", W_ARRAY, "Spec.InitContainers"},
        {"volumes", W_ARRAY, "Spec.Volumes"},
        {"terminationGracePeriodSeconds", W_INT64, "Spec.TerminationGracePeriodSeconds"},
        {"nodeName", W_STRING, "Spec.NodeName"},
        {"serviceAccountName", W_STRING, "Spec.ServiceAccountName"},
        {"restartPolicy", W_STRING, "Spec.RestartPolicy"}};
    static const struct member container[] = {{"name", W_STRING, "Spec.Containers.Name"},
                                              {"image", W_STRING, "Spec.Containers.Image"},
                                              {"args", W_ARRAY, "Spec.Containers.Args"},
                                              {"command", W_ARRAY, "Spec.Containers.Command"},
                                              {"env", W_ARRAY, "Spec.Containers.Env"},
                                              {"ports", W_ARRAY, "Spec.Containers.Ports"},
                                              {"volumeMounts", W_ARRAY, "Spec.Containers.VolumeMounts"},
                                              {"resources", W_OBJECT, "Spec.Containers.Resources"}};
    int r = members(t, spec, in, ARRAY_LEN(in), f);
    static const char *const lists[] = {"containers", "initContainers"};
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(lists); i++) {
        const cJSON *list = json_arr(spec, lists[i]);
        for (const cJSON *c = list ? list->child : NULL; c && r == 0; c = c->next) {
            if (!cJSON_IsObject(c)) return bad(t, "Spec.Containers", "ReadObject: expect { or n", f);
            r = members(t, c, container, ARRAY_LEN(container), f);
            if (r == 0) r = resources(t, c, f);
            const cJSON *env = json_arr(c, "env");
            for (const cJSON *e = env ? env->child : NULL; e && r == 0; e = e->next) {
                static const struct member var[] = {{"name", W_STRING, "Spec.Containers.Env.Name"},
                                                    {"value", W_STRING, "Spec.Containers.Env.Value"}};
                r = members(t, e, var, ARRAY_LEN(var), f);
            }
        }
    }
    return r;
}

static int workload(const struct sim_type *t, const cJSON *obj, struct api_status *f) {
    static const struct member in[] = {{"replicas", W_INT32, "Spec.Replicas"},
                                       {"paused", W_BOOL, "Spec.Paused"},
                                       {"minReadySeconds", W_INT32, "Spec.MinReadySeconds"},
                                       {"revisionHistoryLimit", W_INT32, "Spec.RevisionHistoryLimit"},
                                       {"progressDeadlineSeconds", W_INT32, "Spec.ProgressDeadlineSeconds"},
                                       {"selector", W_OBJECT, "Spec.Selector"},
                                       {"strategy", W_OBJECT, "Spec.Strategy"},
                                       {"template", W_OBJECT, "Spec.Template"}};
    static const struct member tm[] = {{"metadata", W_OBJECT, "Spec.Template.ObjectMeta"},
                                       {"spec", W_OBJECT, "Spec.Template.Spec"}};
    const cJSON *spec = json_obj(obj, "spec"), *tmpl = json_get(spec, "template");
    int r = members(t, spec, in, ARRAY_LEN(in), f);
    if (r == 0) r = members(t, tmpl, tm, ARRAY_LEN(tm), f);
    const cJSON *meta = json_get(tmpl, "metadata");
    if (r == 0) r = strings(t, meta, "labels", "Spec.Template.ObjectMeta.Labels", f);
    if (r == 0) r = strings(t, meta, "annotations", "Spec.Template.ObjectMeta.Annotations", f);
    if (r == 0) r = strings(t, json_get(spec, "selector"), "matchLabels", "Spec.Selector.MatchLabels", f);
    return r < 0 ? r : pod_spec(t, json_get(tmpl, "spec"), f);
}

/* metav1.MicroTime is read by a layout with exactly six digits of fraction; metav1.Time with any. Written in
 * UTC. */
static int time_field(cJSON *obj, const char *key, bool micro, struct api_status *f) {
    cJSON *v = json_tree_get(obj, key);
    if (!v) return 0;
    int64_t at = 0;
    struct slice s = slice_of(cJSON_GetStringValue(v));
    bool ok = cJSON_IsString(v) && rfc3339_parse(s, &at) == 0;
    if (ok && micro) {
        size_t digits = 0;
        for (size_t i = 20; s.n > 20 && s.p[19] == '.' && i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
            digits++;
        ok = digits == 6;
    }
    if (!ok) {
        const char *layout = micro ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00";
        return api_status_set(
            f, 400, "BadRequest",
            "parsing time \"\\\"%.*s\\\"\" as \"\\\"%s\\\"\": cannot parse \"%.*s\" as \"%s\"", SLF(s),
            layout, SLF(s), micro ? ".000000" : "2006");
    }
    char text[40];
    if (micro) {
        rfc3339_micro(at, text);
    } else {
        rfc3339_seconds(at, text);
    }
    json_tree_set_str(obj, key, text);
    return 0;
}

static int lease(const struct sim_type *t, cJSON *obj, struct api_status *f) {
    static const struct member in[] = {{"holderIdentity", W_STRING, "Spec.HolderIdentity"},
                                       {"leaseDurationSeconds", W_INT32, "Spec.LeaseDurationSeconds"},
                                       {"leaseTransitions", W_INT32, "Spec.LeaseTransitions"}};
    cJSON *spec = json_tree_get(obj, "spec");
    int r = members(t, spec, in, ARRAY_LEN(in), f);
    if (r == 0) r = time_field(spec, "renewTime", true, f);
    return r < 0 ? r : time_field(spec, "acquireTime", true, f);
}

static int event(cJSON *obj, struct api_status *f) {
    int r = time_field(obj, "eventTime", true, f);
    if (r == 0) r = time_field(obj, "firstTimestamp", false, f);
    if (r == 0) r = time_field(json_tree_get(obj, "series"), "lastObservedTime", true, f);
    return r < 0 ? r : time_field(obj, "lastTimestamp", false, f);
}

static int identity(const struct sim_type *t, const cJSON *obj, struct api_status *f) {
    char want[128];
    const char *version = json_str(obj, "apiVersion"), *kind = json_str(obj, "kind");
    if (!kind || !kind[0])
        return api_status_set(f, 400, "BadRequest", "Object 'Kind' is missing in the body");
    if (!version || strcmp(version, type_api_version(t, want)) != 0) {
        return api_status_set(f, 400, "BadRequest",
                              "the API version in the data (%s) does not match the expected API version (%s)",
                              version ? version : "", type_api_version(t, want));
    }
    if (strcmp(kind, t->kind) != 0) {
        return api_status_set(
            f, 400, "BadRequest",
            "%s in version \"%s\" cannot be handled as a %s: no kind \"%s\" is registered here", kind,
            t->version, t->kind, kind);
    }
    return 0;
}

int validate_types(const struct sim_type *t, cJSON *obj, struct api_status *f) {
    if (!cJSON_IsObject(obj)) return api_status_set(f, 400, "BadRequest", "the body is not a JSON object");
    int r = identity(t, obj, f);
    if (r < 0) return r;
    if (t->custom) {
        cJSON *meta = json_tree_get(obj, "metadata");
        if (meta) drop_nulls(meta);
    } else {
        drop_nulls(obj);
    }
    static const struct member top[] = {
        {"metadata", W_OBJECT, "ObjectMeta"}, {"spec", W_OBJECT, "Spec"}, {"status", W_OBJECT, "Status"}};
    static const struct member meta_in[] = {{"name", W_STRING, "ObjectMeta.Name"},
                                            {"generateName", W_STRING, "ObjectMeta.GenerateName"},
                                            {"namespace", W_STRING, "ObjectMeta.Namespace"},
                                            {"resourceVersion", W_STRING, "ObjectMeta.ResourceVersion"},
                                            {"uid", W_STRING, "ObjectMeta.UID"},
                                            {"finalizers", W_ARRAY, "ObjectMeta.Finalizers"},
                                            {"ownerReferences", W_ARRAY, "ObjectMeta.OwnerReferences"},
                                            {"managedFields", W_ARRAY, "ObjectMeta.ManagedFields"}};
    const cJSON *meta = json_get(obj, "metadata");
    r = members(t, obj, top, t->custom ? 1 : ARRAY_LEN(top), f);
    if (r == 0) r = members(t, meta, meta_in, ARRAY_LEN(meta_in), f);
    if (r == 0) r = strings(t, meta, "labels", "ObjectMeta.Labels", f);
    if (r == 0) r = strings(t, meta, "annotations", "ObjectMeta.Annotations", f);
    if (r < 0) return r;
    if (!strcmp(t->group, "apps")) return workload(t, obj, f);
    if (type_is(t, "", "pods")) return pod_spec(t, json_get(obj, "spec"), f);
    if (type_is(t, "", "configmaps")) return strings(t, obj, "data", "Data", f);
    if (type_is(t, "", "events")) return event(obj, f);
    if (type_is(t, "coordination.k8s.io", "leases")) return lease(t, obj, f);
    return 0;
}
