/* Small helpers of the controllers: reading and writing objects, times, owner references, quantities as int
 * or percent. */
#include "controllers/ctl.h"
#include "api/rfc3339.h"
#include "api/template.h"
#include "base/hash.h"
#include <math.h>
#include <stdio.h>

int64_t ctl_now(const struct ctl *c) {
    return sim_now_ns(c->s);
}

cJSON *ctl_copy(struct ctl *c, struct sim_obj *o) {
    return cJSON_Duplicate(sim_store_json(c->s, o), true);
}

cJSON *ctl_copy_status(struct ctl *c, struct sim_obj *o) {
    static const char *const kept[] = {"name", "namespace", "uid", "resourceVersion", "annotations"};
    const cJSON *from = sim_store_json(c->s, o);
    cJSON *json = cJSON_CreateObject(), *meta = ctl_json_make(json, "metadata");
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        const cJSON *v = json_get(json_get(from, "metadata"), kept[i]);
        if (v) ctl_json_set(meta, kept[i], cJSON_Duplicate(v, true));
    }
    const cJSON *status = json_get(from, "status");
    if (status) ctl_json_set(json, "status", cJSON_Duplicate(status, true));
    return json;
}

static bool same(const cJSON *a, const cJSON *b) {
    return (!a && !b) || cJSON_Compare(a, b, true);
}

int ctl_put(struct ctl *c, struct sim_obj *o, cJSON *json, enum store_part part) {
    if (part == STORE_STATUS) { /* most looks change nothing: not worth the store's while */
        const cJSON *old = sim_store_json(c->s, o);
        if (same(json_get(old, "status"), json_get(json, "status")) &&
            same(json_at(old, "metadata/annotations"), json_at(json, "metadata/annotations"))) {
            cJSON_Delete(json);
            return 0;
        }
    }
    return sim_store_put(c->s, o, json, part, NULL);
}

void ctl_json_del(cJSON *obj, const char *key) {
    cJSON_DeleteItemFromObjectCaseSensitive(obj, key);
}

void ctl_json_set(cJSON *obj, const char *key, cJSON *value) {
    if (cJSON_GetObjectItemCaseSensitive(obj, key))
        cJSON_ReplaceItemInObjectCaseSensitive(obj, key, value);
    else
        cJSON_AddItemToObject(obj, key, value);
}

void ctl_json_set_str(cJSON *obj, const char *key, const char *value) {
    ctl_json_set(obj, key, cJSON_CreateString(value));
}

void ctl_json_set_i64(cJSON *obj, const char *key, int64_t value) {
    ctl_json_set(obj, key, cJSON_CreateNumber((double)value));
}

void ctl_json_set_bool(cJSON *obj, const char *key, bool value) {
    ctl_json_set(obj, key, cJSON_CreateBool(value));
}

cJSON *ctl_json_make(cJSON *obj, const char *path) {
    struct slice rest = slice_of(path), name;
    while (rest.p) {
        slice_cut(rest, '/', &name, &rest);
        cleanup_free char *key = slice_dup(name);
        cJSON *next = cJSON_GetObjectItemCaseSensitive(obj, key);
        if (!cJSON_IsObject(next)) {
            next = cJSON_CreateObject();
            ctl_json_set(obj, key, next);
        }
        obj = next;
    }
    return obj;
}

void ctl_json_set_time(cJSON *obj, const char *key, int64_t wall_ns) {
    char text[32];
    rfc3339_seconds(wall_ns, text);
    ctl_json_set_str(obj, key, text);
}

int64_t ctl_json_time(const cJSON *obj, const char *key) {
    int64_t t = 0;
    const char *s = json_str(obj, key);
    return s && rfc3339_parse(slice_of(s), &t) == 0 ? t : 0;
}

cJSON *ctl_owner_ref(struct sim_obj *owner) {
    cJSON *r = cJSON_CreateObject();
    ctl_json_set_str(r, "apiVersion", json_str_or(owner->json, "apiVersion", "apps/v1"));
    ctl_json_set_str(r, "kind", owner->type->kind);
    ctl_json_set_str(r, "name", owner->name);
    ctl_json_set_str(r, "uid", obj_uid(owner->json));
    ctl_json_set_bool(r, "controller", true);
    ctl_json_set_bool(r, "blockOwnerDeletion", true);
    return r;
}

int64_t ctl_int_or_percent(const cJSON *v, int64_t total, bool up, int64_t def) {
    int64_t n = def;
    if (cJSON_IsNumber(v)) {
        n = (int64_t)v->valuedouble;
    } else if (cJSON_IsString(v)) {
        struct slice s = slice_of(v->valuestring);
        int64_t percent;
        if (!slice_ends(s, SL("%")) || slice_i64(slice_make(s.p, s.n - 1), &percent) < 0) return def;
        double exact = (double)percent * (double)total / 100;
        n = (int64_t)(up ? ceil(exact) : floor(exact));
    }
    return n < 0 ? 0 : n;
}

const char *ctl_template_hash(struct ctl *c, struct ctl_obj *co) {
    const cJSON *json = sim_store_json(c->s, co->o);
    int64_t generation = json_i64(json_get(json, "metadata"), "generation", -1);
    if (*co->tmpl && co->tmpl_generation == generation) return co->tmpl;
    cleanup_free char *text = json_print(json_at(json, "spec/template"));
    if (template_hash(slice_of(text), co->tmpl, NULL) < 0) hash_name(slice_of(text), co->tmpl);
    co->tmpl_generation = generation;
    return co->tmpl;
}

uint64_t ctl_json_hash(const cJSON *v) {
    if (!v) return 0;
    cleanup_free char *text = json_print(v);
    return slice_hash(slice_of(text), 1);
}

void sim_objs_add(struct sim_objs *l, struct sim_obj *o) {
    l->v = xgrow(l->v, &l->cap, l->n + 1, sizeof(struct sim_obj *));
    l->v[l->n++] = o;
}

void sim_objs_free(struct sim_objs *l) {
    free(l->v);
    *l = (struct sim_objs){0};
}
