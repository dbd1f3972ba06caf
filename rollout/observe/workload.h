/* The kinds of workload that can be a target, and their ids: NAME is a Deployment's, statefulset/NAME a StatefulSet's. What is
 * done in another way for each of them goes by what stands here; how a StatefulSet is held, see plan/stateful.c. Pure. */
#ifndef ROLLOUT_WORKLOAD_H
#define ROLLOUT_WORKLOAD_H
#include "api/gvr.h"
#include "base/slice.h"

struct workload {
    const struct gvr *gvr;
    const char *word;    /* as users name it: "deployment" */
    const char *short_;  /* "deploy" */
    const char *field;   /* by which it is held: "spec.paused" */
    const char *pointer; /* the same as a JSON pointer */
    const char *prefix;  /* of its ids */
    const char *infix;   /* of the names of what is made for it: NAME-INFIX... */
};
extern const struct workload workload_deployment, workload_statefulset;
#define WORKLOADS 2
const struct workload *workload_at(size_t i); /* i < WORKLOADS */

/* What an owner reference or an object names by this kind; NULL: no target can be of it. */
const struct workload *workload_of_kind(const char *kind);
const struct workload *workload_of(const char *id);
const char *workload_name(const char *id);                     /* a part of id */
char *workload_id(const struct workload *w, const char *name); /* free() */
#endif
