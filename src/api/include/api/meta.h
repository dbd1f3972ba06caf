/* ObjectMeta: the part of every object that the runtime looks at, from raw JSON. Strings are borrowed from
 * the text where they need no unescaping, else owned by the struct; meta_free() in any case. */
#ifndef API_META_H
#define API_META_H
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

struct meta {
    char *ns, *name, *uid, *rv; /* owned, "" when absent */
    int64_t generation;
    bool deleting; /* deletionTimestamp is set */
};
/* raw: the whole object (or {"metadata":...} of a PartialObjectMetadata). Missing name: -EINVAL. ret owned by
 * the caller. */
int meta_from_raw(struct slice raw, struct meta *ret, struct err *err);
void meta_free(struct meta *m);

/* "namespace/name", or "name" without namespace: the key of an object in queues, stores and logs. */
char *key_of(struct slice ns, struct slice name);
void key_split(struct slice key, struct slice *ns, struct slice *name);

/* Annotations and labels of a parsed object; NULL if absent. */
const char *obj_annotation(const cJSON *obj, const char *key);
const char *obj_label(const cJSON *obj, const char *key);
const char *obj_name(const cJSON *obj);
const char *obj_ns(const cJSON *obj);
const char *obj_uid(const cJSON *obj);
const char *obj_rv(const cJSON *obj);
bool obj_deleting(const cJSON *obj);
/* Compares resourceVersions, which are decimal numbers of any length: *ret is negative, 0 or positive. False,
 * and *ret untouched, when one of them is not such a number; NULL is none. */
bool rv_compare(const char *a, const char *b, int *ret);
bool rv_older(const char *a, const char *b); /* comparable, and a is the smaller one */
/* The owner reference with controller: true, or NULL. */
const cJSON *obj_controller(const cJSON *obj);
bool obj_owned_by(const cJSON *obj, const char *uid); /* any owner reference with that uid */
/* A condition of status.conditions by type; NULL if absent. */
const cJSON *obj_condition(const cJSON *obj, const char *type);
#endif
