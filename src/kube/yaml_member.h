/* Members of a YAML map of the type that is wanted, or an error that says where: "FILE:LINE: users[0].user: a list
 * where a string should be". A null is as good as absent, as client-go reads it. */
#ifndef KUBE_YAML_MEMBER_H
#define KUBE_YAML_MEMBER_H
#include "yaml/yaml.h"

struct yaml_place {
    const char *file;
    const struct yaml_value *map; /* NULL: nothing is in it */
    const char *where;            /* what map is, for messages; may be "" */
};
const struct yaml_value *member_of(const struct yaml_place *at, const char *key); /* NULL if absent or null */
/* 0 if v is NULL, null, or of the type; else -EINVAL. */
int member_want(const struct yaml_place *at, const char *key, const struct yaml_value *v, enum yaml_type type,
                struct err *err);
/* Of a string, or of another scalar as it is written. Absent: *ret stays as it is, else it is freed and replaced. */
int member_str(const struct yaml_place *at, const char *key, char **ret, struct err *err);
int member_bool(const struct yaml_place *at, const char *key, bool *ret, struct err *err);
int member_list(const struct yaml_place *at, const char *key, const struct yaml_value **ret, struct err *err);
int member_map(const struct yaml_place *at, const char *key, const struct yaml_value **ret, struct err *err);
#endif
