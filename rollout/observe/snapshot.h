/* What the caches have of one target at one moment. Borrowed from them: valid until the loop turns or anything is
 * written to the caches. */
#ifndef ROLLOUT_SNAPSHOT_H
#define ROLLOUT_SNAPSHOT_H
#include "observe/caches.h"

enum { SNAPSHOT_LEASES = 64 }; /* of one target: who makes more of them in a namespace costs nobody's time */
struct target_snapshot {
    const struct obs_target *target; /* NULL: no such target, or one that does not take part */
    const struct store_rec *state;   /* the ConfigMap; NULL: none that bears our label */
    struct obs_rs *rs;               /* that name the target as an owner, canaries first */
    size_t nrs;
    size_t nrevisions;    /* of these, at the end: revisions of a StatefulSet, the snapshot's own */
    struct obs_pod *pods; /* of those ReplicaSets */
    size_t npods;
    struct obs_rs *rehearsals; /* those that rehearse, which are not in rs, and their pods */
    size_t nrehearsals;
    struct obs_pod *rehearsal_pods;
    size_t nrehearsal_pods;
    struct obs_lease
        *leases; /* held by one of these Pods, or by one that was, and has died; and the one that is named */
    size_t nleases;
};
/* The Deployment and its state alone: no ReplicaSets, no Pods. */
void target_snapshot_begin(const struct caches *c, const char *ns, const char *name,
                           struct target_snapshot *ret);
/* Adds what is owned by uid: the target's, or, when it is gone, the one that the state names. stable, hash: the name of the revision
 * whose template's hash the state has, and that; NULL. */
void target_snapshot_add(const struct caches *c, const char *ns, const char *uid, const char *stable,
                         const char *hash, struct target_snapshot *s);
/* Adds Leases, as far as they are kept; after the Pods. lease: a name, or NULL. */
void target_snapshot_leases(const struct caches *c, const char *ns, const char *lease,
                            struct target_snapshot *s);
void target_snapshot_lease(const struct obs_lease *l, struct target_snapshot *s); /* this one */
void target_snapshot_free(struct target_snapshot *s); /* the arrays; what they borrow stays the caches' */
#endif
