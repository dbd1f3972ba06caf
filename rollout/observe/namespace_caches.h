/* The caches of single namespaces, made when a target there needs them, dropped a while after the last one did. */
#ifndef ROLLOUT_NAMESPACE_CACHES_H
#define ROLLOUT_NAMESPACE_CACHES_H
#include "observe/caches.h"

/* What a change of one leads to; caches.c. */
void caches_rs_changed(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial);
void caches_pod_changed(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial);
void caches_lease_changed(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial);

struct namespace_caches;
struct namespace_caches *namespace_caches_new(struct kube *k, struct caches *owner,
                                              void (*synced)(void *ctx, const char *ns));
void namespace_caches_free(struct namespace_caches *n);
void namespace_caches_hold(struct namespace_caches *n, const char *ns, enum obs_need need);
void namespace_caches_release(struct namespace_caches *n, const char *ns, enum obs_need need);
bool namespace_caches_complete(const struct namespace_caches *n, const char *ns, enum obs_need need);
struct informer *namespace_caches_informer(const struct namespace_caches *n, const char *ns,
                                           enum obs_need need);
/* NULL while there is none. */
const struct store *namespace_caches_store(const struct namespace_caches *n, const char *ns,
                                           enum obs_need need);
#endif
