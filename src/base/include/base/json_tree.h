/* JSON trees that keep numbers exactly as they were written. What is not here is base/json.h's. */
#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H
#include "base/json.h"

/* As cJSON's, but that a number which a double does not hold exactly has its text in valuestring, and
 * goes out with it again. cJSON_Duplicate() keeps it. */
cJSON *json_tree_parse(struct slice text, struct err *err);     /* checks it first */
cJSON *json_tree_parse_all(struct slice text, struct err *err); /* keeps all members with the same name */
cJSON *json_tree_parse_checked(struct slice text);              /* text has passed json_raw_check() */
void json_tree_print(const cJSON *v, struct buf *out);
void json_tree_print_string(const char *s, struct buf *out);
bool json_tree_equal(const cJSON *a, const cJSON *b); /* members in any order */
cJSON *json_tree_dup(const cJSON *v);                 /* NULL stays NULL */
/* The member as an object, made if it is absent (or of another kind). */
cJSON *json_tree_child(cJSON *obj, const char *key);
void json_tree_set(cJSON *obj, const char *key, cJSON *value);    /* takes value; NULL removes */
void json_tree_append(cJSON *obj, const char *key, cJSON *value); /* where key is known not to be there */
void json_tree_set_str(cJSON *obj, const char *key, const char *value);
void json_tree_set_num(cJSON *obj, const char *key, double value);
cJSON *json_tree_get(cJSON *obj, const char *key); /* as json_get(), to be changed */
#endif
