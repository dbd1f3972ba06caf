/* Carries out the steps of a plan, one after the other, until the first error. */
#ifndef ROLLOUT_APPLY_H
#define ROLLOUT_APPLY_H
#include "kube/client.h"
#include "plan/plan.h"

struct applying;
struct apply_cb {
    /* A step is done: the answer's object, or empty after a delete and for an object that was there or gone already. */
    void (*written)(void *ctx, const struct step *s, struct slice raw);
    /* Exactly once, never inside apply_start(); then apply_end(). failed: the step that err is about, NULL without one.
     * existed: an object that was to be made was there already. */
    void (*done)(void *ctx, const struct err *err, const struct step *failed, bool existed);
};
/* No further step. True: done() follows, with the answer to the step that may be at the server by now
 * (cancelled, it could be carried out after the lease is given away). False: nothing is in the air,
 * apply_end() may follow at once. */
bool apply_stop(struct applying *a);
/* The plan is borrowed until done or apply_end(). At least one step. */
struct applying *apply_start(struct kube *k, const char *ns, const struct plan *plan,
                             const struct apply_cb *cb, void *ctx);
void apply_end(struct applying *a); /* frees it; cancels what is open. NULL is fine */
#endif
