/* What of an object can be read from its text without a tree, and a tree without the bulk that nobody reads.
 * Pure. */
#ifndef KUBE_OBJECT_PEEK_H
#define KUBE_OBJECT_PEEK_H
#include "base/json.h"

struct object_peek {
    struct slice ns, name, rv; /* empty when absent, or when they hold escapes, which they never do */
    struct slice managed;      /* the value of metadata.managedFields, in the text; empty when absent */
};
struct object_peek object_peek(struct slice text);
/* The object's tree with metadata.managedFields, often most of the text, as null. NULL: err. */
cJSON *object_peek_parse(struct slice text, const struct object_peek *it, struct buf *scratch,
                         struct err *err);
/* A raw string's text if it has no escapes, else empty. */
struct slice object_peek_string(struct slice string);
#endif
