/* Doubles and counters in JSON that come back bit by bit. */
#include "judge/json_number.h"
#include <math.h>

void json_number_add(struct buf *out, double v) {
    if (isfinite(v))
        buf_addf(out, "%.17g", v);
    else
        buf_adds(out, "null");
}

void json_number_list(struct buf *out, const char *key, const double *v, size_t n) {
    buf_addf(out, ",\"%s\":", key);
    for (size_t i = 0; i < n; i++) {
        buf_addc(out, i ? ',' : '[');
        json_number_add(out, v[i]);
    }
    buf_addc(out, ']');
}

void json_number_counts(struct buf *out, const char *key, const uint64_t *v, size_t n) {
    buf_addf(out, ",\"%s\":", key);
    for (size_t i = 0; i < n; i++) buf_addf(out, "%c%llu", i ? ',' : '[', (unsigned long long)v[i]);
    buf_addc(out, ']');
}

static bool value(const cJSON *v, double *ret) {
    if (cJSON_IsNull(v)) {
        *ret = -INFINITY;
        return true;
    }
    if (!cJSON_IsNumber(v) || !isfinite(v->valuedouble)) return false;
    *ret = v->valuedouble;
    return true;
}

bool json_number_get(const cJSON *obj, const char *key, double *ret) {
    return value(json_get(obj, key), ret);
}

bool json_number_gets(const cJSON *obj, const char *key, double *ret, size_t n) {
    const cJSON *a = json_arr(obj, key);
    if (!a || (size_t)cJSON_GetArraySize(a) != n) return false;
    for (const cJSON *v = a->child; v; v = v->next) {
        if (!value(v, ret++)) return false;
    }
    return true;
}

bool json_number_u64(const cJSON *obj, const char *key, uint64_t *ret) {
    int64_t v = json_i64(obj, key, -1);
    if (v < 0 || v > INT64_C(1) << 53) return false;
    *ret = (uint64_t)v;
    return true;
}
