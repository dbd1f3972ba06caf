/* Mode objects at the edge: what is seen of a slice for the plan, and the batch of labels that its order comes to. */
#ifndef ROLLOUT_SLICE_WORK_H
#define ROLLOUT_SLICE_WORK_H
#include "act/controller.h"
#include "act/relabel.h"

/* Holds the cache of the objects that the state names, or lets it go; state NULL: none. */
void slice_work_hold(struct rollout *r, struct target *t, const struct state *s);
/* target_uid: whose labels count. False: the state has no slice. */
bool slice_work_look(struct rollout *r, struct target *t, const struct state *s, struct slice_seen *ret);
/* The next batch of the plan's order; NULL: nothing is to be written. */
struct relabel *slice_work_batch(struct rollout *r, struct target *t, const struct plan *p,
                                 const struct relabel_cb *cb, void *ctx);
/* The question that ORDER_VERIFY asks; NULL: it is not asked. */
struct kube_op *slice_work_verify(struct rollout *r, struct target *t, const struct plan *p, kube_done done,
                                  void *ctx);
void slice_work_verified(struct target *t, struct slice raw);
void slice_work_wrote(struct rollout *r, struct target *t, struct slice raw);
void slice_work_collect(struct rollout *r); /* the gauges */
#endif
