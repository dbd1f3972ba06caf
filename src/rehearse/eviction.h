/* policy Eviction: read from JSON with every member understood, and written anew. */
#ifndef REHEARSE_EVICTION_H
#define REHEARSE_EVICTION_H
#include "delete_options.h"

struct eviction {
    bool beta;             /* policy/v1beta1 */
    struct slice ns, name; /* borrowed */
    struct delete_options options;
};
/* -EINVAL with err: a member is not known or given twice, or it is of another Pod. */
int eviction_read(struct slice json, struct slice ns, struct slice name, struct eviction *ret,
                  struct err *err);
int eviction_write(struct buf *out, const struct eviction *v, bool live, bool dry_run);
void eviction_free(struct eviction *v);
#endif
