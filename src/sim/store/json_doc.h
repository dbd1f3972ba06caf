/* The text of an object as it stands at one version: shared by the object, the history and lists, never
 * changed. */
#ifndef SIM_JSON_DOC_H
#define SIM_JSON_DOC_H
#include "base/json_tree.h"

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
#endif
