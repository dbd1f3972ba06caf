/* What of an object can be read from its text without a tree, and a tree without the bulk that nobody reads.
 * Pure. */
#ifndef KUBE_ITEM_H
#define KUBE_ITEM_H
#include "base/json.h"

struct item {
    struct slice ns, name, rv; /* empty when absent, or when they hold escapes, which they never do */
    struct slice managed;      /* the value of metadata.managedFields, in the text; empty when absent */
};
struct item item_look(struct slice text);
/* The object's tree with metadata.managedFields as null: often most of the text, and none of our business.
 * NULL: err. */
cJSON *item_parse(struct slice text, const struct item *it, struct buf *scratch, struct err *err);
struct slice item_plain(struct slice string); /* a raw string's text if it has no escapes, else empty */
#endif
