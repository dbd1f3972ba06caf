/* One reconcile in flight, shared by reconcile.c and reconcile_read.c. */
#ifndef ROLLOUT_RECONCILE_IMPL_H
#define ROLLOUT_RECONCILE_IMPL_H
#include "act/apply.h"
#include "act/controller.h"
#include "act/relabel.h"
#include "control/controller.h"
#include "observe/snapshot.h"

struct reconcile {
    struct rollout *r;
    struct target *t;
    struct task *task;
    struct kube_op *read; /* see reconcile_read.c */
    struct applying *applying;
    struct relabel *relabel; /* the last part: what the plan orders for objects */
    char *target_uid;        /* of the Deployment, for Events; NULL: it does not exist */
    /* What was read because the caches do not have it */
    struct obs_target read_target;
    bool has_read_target, target_is_gone;
    struct obs_target seen; /* as the caches have it, with read_hash; borrowed from them */
    char read_revision[254],
        read_hash[11]; /* of a StatefulSet: of which revision the template's hash was read */
    cJSON *read_state;
    struct plan plan;
    bool planned, reported, asked; /* asked: whether the policy is in effect */
};

/* A failure that ends it; refused: the write that it is about, or NULL. */
void reconcile_fail(struct reconcile *p, const struct err *err, const struct step *refused);
void reconcile_look(struct reconcile *p); /* begins anew, from the caches and what was read */

/* ---- reconcile_read.c: those that return bool: true, it is being read, and the look begins anew after it ---- */
void reconcile_read_target(struct reconcile *p);
bool reconcile_reads_objects(struct reconcile *p, const struct target_snapshot *snap);
/* Else snap->target has what was read of its revision. */
bool reconcile_reads_revision(struct reconcile *p, const struct observed *o, struct target_snapshot *snap);
bool reconcile_asks_policy(struct reconcile *p, struct observed *o); /* fills o->policy */
#endif
