/* A YAML document (libyaml) behind accessors that say where and what is wrong. Nodes are ints, 0 is absent.
 */
#ifndef KUBE_YAML_DOC_H
#define KUBE_YAML_DOC_H
#include "base/buf.h"
#include "base/err.h"
#include <yaml.h>

struct yaml_doc {
    yaml_document_t doc;
    const char *file; /* for messages; borrowed */
    bool loaded;
};
/* Only the first document is read. An empty text is a document without root. */
int yaml_doc_load(struct yaml_doc *d, struct slice text, const char *file, struct err *err);
void yaml_doc_free(struct yaml_doc *d);
int yaml_root(struct yaml_doc *d);
/* The member of a mapping, 0 if absent or null. Last one wins. */
int yaml_get(struct yaml_doc *d, int map, const char *key);
/* -EINVAL and "FILE:LINE: WHERE: a list where a string should be", with a type that is not wanted. */
int yaml_want_map(struct yaml_doc *d, int node, const char *where, struct err *err);
int yaml_want_list(struct yaml_doc *d, int node, const char *where, struct err *err);
int yaml_list_at(struct yaml_doc *d, int list, size_t i); /* 0 past the end */
/* Copies of the scalar; absent: *ret stays as it is. */
int yaml_str(struct yaml_doc *d, int map, const char *key, const char *where, char **ret, struct err *err);
int yaml_bool(struct yaml_doc *d, int map, const char *key, const char *where, bool *ret, struct err *err);
/* As JSON, by YAML's core schema. -EINVAL when nested too deep (also by an anchor in itself) or too long for
 * out. */
int yaml_json(struct yaml_doc *d, int node, struct buf *out);
#endif
