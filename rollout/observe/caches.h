/* The informers of one instance, from which every decision about a target is made: Deployments and StatefulSets that take part, the
 * ConfigMaps with their states, canary ReplicaSets and canary Pods everywhere; all ReplicaSets, Pods and Leases of a namespace
 * only while a target there needs them (adoption, trial, promotion), since the server cannot select them by target. What
 * is kept of an object is its projection (objects.h).
 *
 * A cache may lag behind the server. That is harmless because every write carries the resourceVersion or the uid of
 * what it was decided on, and because the answers to our own writes are put into the caches at once (caches_wrote). */
#ifndef ROLLOUT_CACHES_H
#define ROLLOUT_CACHES_H
#include "kube/client.h"
#include "kube/informer.h"
#include "observe/objects.h"

struct caches_cb {
    /* Something that belongs to a target has changed, or a namespace that was asked for is complete. initial: part of a
     * first list. */
    void (*changed)(void *ctx, struct slice ns, struct slice target, bool initial);
    void (*synced)(void *ctx); /* the base is complete; once */
    /* A namespace's ReplicaSets or Pods have become complete. */
    void (*namespace_synced)(void *ctx, struct slice ns);
};
struct caches;
/* ns: this namespace only; NULL: all. No callback inside any call of this header, but for caches_wrote() and
 * caches_deleted(). */
int caches_new(struct kube *k, const char *ns, const struct caches_cb *cb, void *ctx, struct caches **ret,
               struct err *err);
void caches_free(struct caches *c);
void caches_start(struct caches *c);
bool caches_synced(const struct caches *c);
const char *caches_trouble(const struct caches *c); /* "" when all is well */

/* Takes and gives back a hold on the caches of a namespace. They are filled in the background and stay a while after
 * the last hold. NEED_TARGET needs none. */
void caches_hold(struct caches *c, const char *ns, enum obs_need need);
void caches_release(struct caches *c, const char *ns, enum obs_need need);
/* Are the caches of the namespace complete, as far as `need` goes? */
bool caches_complete(const struct caches *c, const char *ns, enum obs_need need);

/* The answer to a write of ours, and a delete of ours that was executed. */
void caches_wrote(struct caches *c, const struct gvr *gvr, struct slice raw);
void caches_deleted(struct caches *c, const struct gvr *gvr, const char *ns, const char *name,
                    const char *uid);

/* ---- what is there; pointers are valid until the loop turns or anything is written to the caches ---- */
/* NULL: no such target, or one that does not take part (neither opted in nor with a status or a mark of ours). */
const struct obs_target *caches_target(const struct caches *c, const char *ns, const char *id);
/* The ConfigMap of the state; NULL when there is none that bears our label. raw is its text. */
const struct store_rec *caches_state(const struct caches *c, const char *ns, const char *target);
/* Every target there is, by its id (workload.h): Deployments and StatefulSets that take part, and states, also those whose target takes part no more. One
 * may come twice. */
void caches_each_target(const struct caches *c, void (*fn)(void *ctx, struct slice ns, struct slice name),
                        void *ctx);
/* Is there a canary that names this target as its owner? It takes a walk over all canaries. */
bool caches_has_canary(const struct caches *c, const char *ns, const char *target);
/* ReplicaSets that name this uid as an owner, canaries first; Pods controlled by this ReplicaSet. Each object once. */
void caches_each_rs(const struct caches *c, const char *ns, const char *owner_uid,
                    void (*fn)(void *ctx, const struct obs_rs *r), void *ctx);
void caches_each_pod(const struct caches *c, const char *ns, const char *rs_uid,
                     void (*fn)(void *ctx, const struct obs_pod *p), void *ctx);
/* Pods of this namespace that are labelled as a canary's, whatever controls them. */
void caches_each_canary_pod(const struct caches *c, const char *ns,
                            void (*fn)(void *ctx, const struct obs_pod *p), void *ctx);
/* While the Leases of the namespace are held (NEED_LEASES): those that the Pod of this name holds; the one of this name, or NULL. */
void caches_each_lease(const struct caches *c, const char *ns, const char *pod,
                       void (*fn)(void *ctx, const struct obs_lease *l), void *ctx);
const struct obs_lease *caches_lease(const struct caches *c, const char *ns, const char *name);
const struct dead_pods *caches_dead_pods(const struct caches *c);
#endif
