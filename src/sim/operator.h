/* A scripted operator inside a container: what it has reconciled, whether it leads, and what its /metrics
 * page says. */
#ifndef SIM_OPERATOR_H
#define SIM_OPERATOR_H
#include "ctl.h"

struct container;
struct pod_proc;

struct oper {
    uint64_t seed; /* of this run of the container */
    int64_t started;
    int64_t counted_to; /* the counters stand for all time before */
    int64_t success, errors;
    bool leads;
    int64_t elect_at; /* next look at the Lease; TIME_NEVER without election */
    int64_t seen_at;  /* when the Lease was last seen to change */
    uint64_t seen_rv;
    char lease[128]; /* its name, in the pod's namespace */
};

void oper_start(struct ctl *c, struct pod_proc *p, struct container *k);
/* Brings the counters up to now. To be called before anything that they depend on changes. */
void oper_count(struct container *k, int64_t now);
bool oper_works(const struct container *k);                   /* does it reconcile at all at the moment? */
int64_t oper_workers(const struct container *k, int64_t now); /* active ones */
void oper_page(const struct container *k, int64_t now,
               struct buf *out); /* counters as of the last oper_count() */

/* election.c: as a client-go elector does. elect() looks at the Lease; false: it lost the one that it held,
 * and exits. */
void elect_start(struct ctl *c, struct pod_proc *p, struct container *k);
bool elect(struct ctl *c, struct pod_proc *p, struct container *k);
void elect_end(struct ctl *c, struct pod_proc *p,
               struct container *k); /* the process ends; asked to, it may release */
#endif
