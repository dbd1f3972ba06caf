/* cJSON behind accessors that check types. */
#include "base/json.h"
#include "base/json_raw.h"
#include <errno.h>
#include <math.h>

cJSON *json_parse(struct slice text, struct err *err) {
    /* cJSON alone takes 01, 1., raw control characters and a second value: our own check says what is JSON,
     * and where not. */
    if (json_raw_check(text, err) < 0) return NULL;
    cJSON *v = cJSON_ParseWithLength(text.p, text.n);
    if (!v) err_set(err, ERR_PROTOCOL, -EINVAL, "invalid JSON");
    return v;
}

const cJSON *json_get(const cJSON *obj, const char *key) {
    return cJSON_IsObject(obj) ? cJSON_GetObjectItemCaseSensitive(obj, key) : NULL;
}

static const cJSON *member(const cJSON *obj, struct slice key) {
    if (!cJSON_IsObject(obj)) return NULL;
    for (const cJSON *c = obj->child; c; c = c->next) {
        if (slice_eqs(key, c->string)) return c;
    }
    return NULL;
}

const cJSON *json_at(const cJSON *obj, const char *path) {
    struct slice rest = slice_of(path), name;
    if (!path) return NULL;
    while (obj && rest.p) {
        slice_cut(rest, '/', &name, &rest);
        obj = member(obj, name);
    }
    return obj;
}

const char *json_str(const cJSON *obj, const char *key) {
    return cJSON_GetStringValue(json_get(obj, key));
}

const char *json_str_or(const cJSON *obj, const char *key, const char *def) {
    const char *s = json_str(obj, key);
    return s ? s : def;
}

int64_t json_i64(const cJSON *obj, const char *key, int64_t def) {
    const cJSON *v = json_get(obj, key);
    if (!cJSON_IsNumber(v)) return def;
    double d = v->valuedouble;
    /* The bounds are exact doubles; NaN fails both comparisons. */
    if (!(d >= -0x1p63 && d < 0x1p63) || d != trunc(d)) return def;
    return (int64_t)d;
}

double json_num(const cJSON *obj, const char *key, double def) {
    const cJSON *v = json_get(obj, key);
    return cJSON_IsNumber(v) ? v->valuedouble : def;
}

bool json_bool(const cJSON *obj, const char *key, bool def) {
    const cJSON *v = json_get(obj, key);
    return cJSON_IsBool(v) ? cJSON_IsTrue(v) : def;
}

const cJSON *json_arr(const cJSON *obj, const char *key) {
    const cJSON *v = json_get(obj, key);
    return cJSON_IsArray(v) ? v : NULL;
}

const cJSON *json_obj(const cJSON *obj, const char *key) {
    const cJSON *v = json_get(obj, key);
    return cJSON_IsObject(v) ? v : NULL;
}

char *json_print(const cJSON *v) {
    char *s = cJSON_PrintUnformatted(v);
    return s ? s : xstrdup("null");
}
