/* The text of an object as it stands at one version: shared by the object, the history and lists, never
 * changed. And JSON trees that keep numbers exactly as they were written. */
#ifndef SIM_JSON_DOC_H
#define SIM_JSON_DOC_H
#include "base/json.h"

struct json_doc {
    size_t refs;
    uint64_t rv;
    const char *ns, *name;      /* inside this block */
    size_t labels_at, labels_n; /* metadata.labels within text; n 0: none */
    size_t n;
    char text[]; /* {"metadata":{...},...}: without kind and apiVersion, metadata first */
};
/* NULL if it would be longer than max. */
struct json_doc *json_doc_new(const cJSON *obj, const char *ns, const char *name, uint64_t rv, size_t max);
struct json_doc *json_doc_ref(struct json_doc *d);
void json_doc_unref(struct json_doc *d); /* NULL is fine */
cJSON *json_doc_parse(const struct json_doc *d, const char *api_version, const char *kind);
cJSON *json_doc_labels(const struct json_doc *d); /* NULL if it has none */
/* {"kind":..,"apiVersion":..,"metadata":...} */
void json_doc_write(const struct json_doc *d, const char *api_version, const char *kind, struct buf *out);
struct slice json_doc_metadata(const struct json_doc *d);

/* Trees: as cJSON's, but that a number which a double does not hold exactly has its text in valuestring, and
 * goes out with it again. cJSON_Duplicate() keeps it. */
cJSON *json_tree_parse(struct slice text, struct err *err);     /* checks it first */
cJSON *json_tree_parse_all(struct slice text, struct err *err); /* keeps all members with the same name */
cJSON *json_tree_parse_checked(struct slice text);              /* text has passed json_raw_check() */
void json_tree_print(const cJSON *v, struct buf *out);
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
