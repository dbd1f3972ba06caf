/* See yaml_member.h. */
#include "yaml_member.h"
#include "base/mem.h"
#include <errno.h>

const struct yaml_value *member_of(const struct yaml_place *at, const char *key) {
    const struct yaml_value *v = yaml_get(at->map, key);
    return v && v->type != YAML_IS_NULL ? v : NULL;
}

static int wrong(const struct yaml_place *at, const char *key, const struct yaml_value *v, const char *want,
                 struct err *err) {
    const char *is = v->type == YAML_IS_MAP    ? "a mapping"
                     : v->type == YAML_IS_LIST ? "a list"
                                               : "a plain value";
    return err_set(err, ERR_CONFIG, -EINVAL, "%s:%zu: %s%s%s: %s where %s should be", at->file, v->line,
                   at->where, at->where[0] && key[0] ? "." : "", key, is, want);
}

int member_want(const struct yaml_place *at, const char *key, const struct yaml_value *v, enum yaml_type type,
                struct err *err) {
    if (!v || v->type == YAML_IS_NULL || v->type == type) return 0;
    return wrong(at, key, v, type == YAML_IS_MAP ? "a mapping" : "a list", err);
}

int member_str(const struct yaml_place *at, const char *key, char **ret, struct err *err) {
    const struct yaml_value *v = member_of(at, key);
    if (!v) return 0;
    if (v->type == YAML_IS_LIST || v->type == YAML_IS_MAP) return wrong(at, key, v, "a string", err);
    free(*ret);
    *ret = slice_dup(v->text);
    return 0;
}

int member_bool(const struct yaml_place *at, const char *key, bool *ret, struct err *err) {
    const struct yaml_value *v = member_of(at, key);
    if (!v) return 0;
    if (v->type != YAML_IS_BOOL) return wrong(at, key, v, "true or false", err);
    *ret = slice_eqs(v->json, "true");
    return 0;
}

int member_list(const struct yaml_place *at, const char *key, const struct yaml_value **ret,
                struct err *err) {
    const struct yaml_value *v = member_of(at, key);
    int r = member_want(at, key, v, YAML_IS_LIST, err);
    if (r == 0) *ret = v;
    return r;
}

int member_map(const struct yaml_place *at, const char *key, const struct yaml_value **ret, struct err *err) {
    const struct yaml_value *v = member_of(at, key);
    int r = member_want(at, key, v, YAML_IS_MAP, err);
    if (r == 0) *ret = v;
    return r;
}
