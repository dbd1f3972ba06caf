/* Pods that died a while ago, since the API forgets a Pod soon after its end, and a Lease that it held is seen in its own time. A
 * ring: what a namespace full of dying Pods pushes out of it waits for its Lease to expire, as it did before. Pure. */
#ifndef ROLLOUT_DEAD_PODS_H
#define ROLLOUT_DEAD_PODS_H
#include "observe/objects.h"

enum { DEAD_PODS_MAX = 512 };
struct dead_pod {
    char *ns, *name, *rs_uid, *rs_name; /* owned */
    int64_t died_ns;                    /* as obs_pod.died_ns */
    bool over;                          /* as obs_pod.over */
};
struct dead_pods {
    struct dead_pod pod[DEAD_PODS_MAX];
    size_t next;
};
/* One that has died_ns and a ReplicaSet; else nothing happens. A later end of the same Pod takes the place of the one before. */
void dead_pods_add(struct dead_pods *d, const struct obs_pod *p);
/* The ReplicaSet of the dead Pod that the Lease names; NULL: it is not here. Valid until the next one is added. */
const char *dead_pods_rs(const struct dead_pods *d, const struct obs_lease *l);
void dead_pods_free(struct dead_pods *d); /* what it holds */
#endif
