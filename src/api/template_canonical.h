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

/* Value as it stands at place, appended to out. */
void canonical_value(struct buf *out, struct slice value, enum place place);
#endif
