/* Values against a structural schema, in the words of kube-openapi and the API server. */
#include "store/schema.h"
#include "store/core.h"
#include <math.h>

static const char *type_of(const cJSON *v) {
    if (cJSON_IsObject(v)) return "object";
    if (cJSON_IsArray(v)) return "array";
    if (cJSON_IsString(v)) return "string";
    if (cJSON_IsBool(v)) return "boolean";
    if (cJSON_IsNull(v)) return "null";
    return v->valuedouble == floor(v->valuedouble) ? "integer" : "number";
}

static bool type_fits(const cJSON *schema, const cJSON *v, const char *want) {
    const char *have = type_of(v);
    if (cJSON_IsNull(v)) return json_bool(schema, "nullable", false);
    if (json_bool(schema, "x-kubernetes-int-or-string", false))
        return !strcmp(have, "integer") || !strcmp(have, "string");
    return !want || !strcmp(have, want) || (!strcmp(want, "number") && !strcmp(have, "integer"));
}

static void invalid(struct api_status *f, const char *path, const cJSON *v, const char *what,
                    const cJSON *limit) {
    struct buf value = BUF(64 << 10), bound = BUF(1024);
    json_tree_print(v, &value);
    json_tree_print(limit, &bound);
    api_status_cause(f, "FieldValueInvalid", path, "Invalid value: %.1000s: %s in body should be %s %s",
                     buf_str(&value), path, what, buf_str(&bound));
    buf_free(&value);
    buf_free(&bound);
}

static void check_enum(const cJSON *schema, const cJSON *v, const char *path, struct api_status *f) {
    const cJSON *all = json_arr(schema, "enum");
    if (!all || !all->child) return;
    struct buf value = BUF(64 << 10), list = BUF(64 << 10);
    bool found = false;
    for (const cJSON *e = all->child; e && !found; e = e->next) {
        found = json_tree_equal(e, v);
        if (e != all->child) buf_adds(&list, ", ");
        json_tree_print(e, &list);
    }
    json_tree_print(v, &value);
    if (!found) {
        api_status_cause(f, "FieldValueNotSupported", path,
                         "Unsupported value: %.1000s: supported values: %.4000s", buf_str(&value),
                         buf_str(&list));
    }
    buf_free(&value);
    buf_free(&list);
}

static void check_number(const cJSON *schema, const cJSON *v, const char *path, struct api_status *f) {
    const cJSON *min = json_get(schema, "minimum"), *max = json_get(schema, "maximum");
    bool above = json_bool(schema, "exclusiveMinimum", false),
         below = json_bool(schema, "exclusiveMaximum", false);
    double n = v->valuedouble;
    if (cJSON_IsNumber(min) && (n < min->valuedouble || (above && n <= min->valuedouble)))
        invalid(f, path, v, above ? "greater than" : "greater than or equal to", min);
    if (cJSON_IsNumber(max) && (n > max->valuedouble || (below && n >= max->valuedouble)))
        invalid(f, path, v, below ? "less than" : "less than or equal to", max);
}

static void check_string(const cJSON *schema, const cJSON *v, const char *path, struct api_status *f) {
    int64_t min = json_i64(schema, "minLength", 0), max = json_i64(schema, "maxLength", INT64_MAX), n = 0;
    for (const char *p = v->valuestring; *p; p++) n += ((unsigned char)*p & 0xc0) != 0x80; /* characters */
    if (n > max) {
        api_status_cause(f, "FieldValueTooLong", path, "Too long: may not be more than %lld bytes",
                         (long long)max);
    } else if (n < min) {
        api_status_cause(f, "FieldValueInvalid", path,
                         "Invalid value: \"%.1000s\": %s in body should be at least %lld chars long",
                         v->valuestring, path, (long long)min);
    }
}

static void check_count(const cJSON *v, const char *path, const char *what, int64_t min, int64_t max,
                        struct api_status *f) {
    int64_t n = cJSON_GetArraySize(v);
    if (n > max) {
        api_status_cause(f, "FieldValueTooMany", path, "Too many: %lld: must have at most %lld %s",
                         (long long)n, (long long)max, what);
    } else if (n < min) {
        api_status_cause(f, "FieldValueInvalid", path,
                         "Invalid value: %lld: %s in body should have at least %lld %s", (long long)n, path,
                         (long long)min, what);
    }
}

static void check(const cJSON *schema, const cJSON *v, struct buf *path, struct api_status *f);

static void check_members(const cJSON *schema, const cJSON *v, struct buf *path, struct api_status *f) {
    const cJSON *properties = json_obj(schema, "properties"), *required = json_arr(schema, "required"),
                *more = json_obj(schema, "additionalProperties");
    size_t at = path->n;
    for (const cJSON *r = required ? required->child : NULL; r; r = r->next) {
        if (!cJSON_IsString(r) || json_get(v, r->valuestring)) continue;
        fields_path_member(path, r->valuestring);
        api_status_cause(f, "FieldValueRequired", buf_str(path), "Required value");
        fields_path_cut(path, at);
    }
    for (const cJSON *c = v->child; c; c = c->next) {
        const cJSON *s = json_obj(properties, c->string);
        if (!s) s = more;
        if (!s) continue;
        fields_path_member(path, c->string);
        check(s, c, path, f);
        fields_path_cut(path, at);
    }
    check_count(v, buf_str(path), "items", json_i64(schema, "minProperties", 0),
                json_i64(schema, "maxProperties", INT64_MAX), f);
}

static void check_items(const cJSON *schema, const cJSON *v, struct buf *path, struct api_status *f) {
    const cJSON *items = json_obj(schema, "items");
    size_t at = path->n;
    int i = 0;
    for (const cJSON *c = items ? v->child : NULL; c; c = c->next, i++) {
        fields_path_item(path, i);
        check(items, c, path, f);
        fields_path_cut(path, at);
    }
    check_count(v, buf_str(path), "items", json_i64(schema, "minItems", 0),
                json_i64(schema, "maxItems", INT64_MAX), f);
}

static void check(const cJSON *schema, const cJSON *v, struct buf *path, struct api_status *f) {
    const char *want = json_str(schema, "type"), *where = buf_str(path);
    if (!type_fits(schema, v, want)) {
        api_status_cause(f, "FieldValueTypeInvalid", where,
                         "Invalid value: \"%s\": %s in body must be of type %s: \"%s\"", type_of(v), where,
                         want ? want : "integer,string", type_of(v));
        return;
    }
    if (cJSON_IsNull(v)) return;
    check_enum(schema, v, where, f);
    if (cJSON_IsNumber(v)) check_number(schema, v, where, f);
    if (cJSON_IsString(v)) check_string(schema, v, where, f);
    if (cJSON_IsArray(v)) check_items(schema, v, path, f);
    if (cJSON_IsObject(v)) check_members(schema, v, path, f);
}

void schema_validate(const cJSON *schema, const cJSON *obj, struct api_status *f) {
    if (!schema) return;
    struct buf path = BUF(1 << 20);
    check(schema, obj, &path, f);
    buf_free(&path);
}
