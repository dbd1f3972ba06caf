/* How much is kept of each kind of object: its projection, and what it is found by. */
#ifndef ROLLOUT_CACHE_STORES_H
#define ROLLOUT_CACHE_STORES_H
#include "kube/store.h"

/* The only index of ReplicaSets (uids of their owners), of Pods (uid of their ReplicaSet) and of Leases (name of the Pod that holds
 * it). */
enum { CACHES_BY_OWNER };
/* Data: obs_target, the target's name, obs_rs, obs_pod, obs_lease. */
extern const struct store_spec caches_target_store, caches_set_store, caches_state_store, caches_rs_store,
    caches_pod_store, caches_lease_store;
#endif
