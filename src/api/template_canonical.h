/* One text for all templates that are the same: what their hash is made of. */
#ifndef API_TEMPLATE_CANONICAL_H
#define API_TEMPLATE_CANONICAL_H
#include "base/json_raw.h"

enum { TEMPLATE_MAX = 4 * 1024 * 1024 }; /* bytes; the API server takes requests of 3 MiB */

/* Where a value stands: decides whether it is a quantity, and what is left out. */
enum place {
    PLACE_PLAIN,
    PLACE_ROOT,          /* a PodTemplateSpec */
    PLACE_ROOT_METADATA, /* its metadata */
    PLACE_ROOT_LABELS,   /* its metadata.labels */
    PLACE_RESOURCES,     /* ResourceRequirements */
    PLACE_RESOURCE_LIST, /* ResourceList: each member a quantity */
    PLACE_EMPTY_DIR,
    PLACE_RESOURCE_FIELD,
    PLACE_QUANTITY,
};

struct member {
    struct slice key; /* unescaped */
    struct slice value;
    char *owned; /* key's memory where it needed unescaping */
    size_t index;
};
struct members {
    struct member *v;
    size_t n, cap;
};
/* The members that count, sorted by key, of duplicates the last. */
void canonical_members_of(struct slice obj, enum place place, struct members *ret);
void canonical_members_free(struct members *m);
enum place canonical_place_below(enum place place, struct slice key);
/* Value as it stands at place, appended to out; nothing at all where the member key counts as absent. */
void canonical_member(struct buf *out, struct slice key, struct slice value, enum place place);
void canonical_value(struct buf *out, struct slice value, enum place place);
#endif
