/* The objects that slices are cut from: an informer of metadata alone for each resource, namespace and selector, shared by targets, kept
 * while a target's state says that its objects may be labelled, and a while after. The selector is applied here and not by the server,
 * so that an object which no longer matches it is still seen with its label. */
#ifndef ROLLOUT_SLICE_CACHES_H
#define ROLLOUT_SLICE_CACHES_H
#include "kube/client.h"
#include "kube/store.h"
#include "observe/slice_object.h"

/* Beyond it the cache is not complete, and nothing is labelled. About 400 bytes each. */
enum { SLICE_MAX_OBJECTS = 100000 };
struct slice_caches;
struct slice_cache;
/* changed: the objects of this cache have, or it has become complete, or cannot be. */
struct slice_caches *slice_caches_new(struct kube *k, void (*changed)(void *ctx, const struct slice_cache *c),
                                      void *ctx);
void slice_caches_free(struct slice_caches *all);
/* ns, selector: NULL: all. resource: as spec_resource() takes it. Never NULL; slice_cache_release(). */
struct slice_cache *slice_cache_hold(struct slice_caches *all, struct slice resource, struct slice version,
                                     struct slice group, const char *ns, const char *selector);
void slice_cache_release(struct slice_cache *c); /* NULL is fine */
bool slice_cache_is(const struct slice_cache *c, const char *resource, const char *ns, const char *selector);
/* All objects are there. *ret_absent: the server has no such resource. ret_trouble: why they are not, or NULL; the cache's. */
bool slice_cache_known(const struct slice_cache *c, bool *ret_absent, const char **ret_trouble);
const struct gvr *slice_cache_gvr(const struct slice_cache *c);
struct slice slice_cache_ns(const struct slice_cache *c); /* empty: all */
/* Records whose data is a struct slice_object. */
const struct store *slice_cache_store(const struct slice_cache *c);
void slice_cache_wrote(struct slice_cache *c, struct slice raw); /* the answer to a write of ours */
#endif
