/* cJSON behind accessors that check types. Members are found case-sensitively. NULL in, NULL (or the default)
 * out, so that chains need one check. Numbers are doubles: 64-bit values that matter stay strings, and a
 * user's text is never reprinted through here; see base/json_raw.h for that. */
#ifndef BASE_JSON_H
#define BASE_JSON_H
#include "base/buf.h"
#include "base/err.h"
#include <cjson/cJSON.h>

/* The whole of text must be one JSON value, nested at most 1000 deep. NULL and err filled otherwise.
 * cJSON_Delete(). */
cJSON *json_parse(struct slice text, struct err *err);
const cJSON *json_get(const cJSON *obj, const char *key);
/* Walks members by a path of names separated by '/', e.g. "spec/template/metadata". */
const cJSON *json_at(const cJSON *obj, const char *path);
const char *json_str(const cJSON *obj, const char *key); /* NULL if absent or not a string */
const char *json_str_or(const cJSON *obj, const char *key, const char *def);
int64_t json_i64(const cJSON *obj, const char *key,
                 int64_t def); /* def if absent or not an integral number */
double json_num(const cJSON *obj, const char *key, double def);
bool json_bool(const cJSON *obj, const char *key, bool def);
const cJSON *json_arr(const cJSON *obj, const char *key); /* NULL if absent or not an array */
const cJSON *json_obj(const cJSON *obj, const char *key); /* NULL if absent or not an object */
char *json_print(const cJSON *v);                         /* compact; free() */
DEFINE_CLEANUP(cJSON *, json, cJSON_Delete)
#define cleanup_json CLEANUP(json)
#endif
