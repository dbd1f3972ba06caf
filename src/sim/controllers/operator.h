/* A scripted operator inside a container: what it has reconciled, whether it leads, and what its /metrics
 * page says. */
#ifndef SIM_OPERATOR_H
#define SIM_OPERATOR_H
#include "controllers/ctl.h"

struct container;
struct pod_proc;

struct oper {
    uint64_t seed; /* of this run of the container */
    int64_t started;
    int64_t counted_to; /* the counters stand for all time before */
    int64_t success[SCRIPT_CONTROLLERS], errors[SCRIPT_CONTROLLERS]; /* by controller */
    bool leads;
    int64_t elect_at; /* next look at the Lease; TIME_NEVER without election */
    int64_t seen_at;  /* when the Lease was last seen to change */
    uint64_t seen_rv;
    char lease[128]; /* its name, in the pod's namespace, or NAMESPACE/NAME */
};

void operator_start(struct ctl *c, struct pod_proc *p, struct container *k);
/* Brings the counters up to now. To be called before anything that they depend on changes. */
void operator_count(struct container *k, int64_t now);
/* counters as of the last operator_count() */
void operator_page(const struct container *k, int64_t now, struct buf *out);

/* A family's head, and one of its series. */
void operator_family(struct buf *out, const char *name, const char *type, const char *help);
void operator_one(struct buf *out, const char *name, const char *label, const char *value, int64_t n);

/* operator_signals.c: what its page says beside its reconciles. */
void operator_signals(const struct container *k, int64_t now, struct buf *out);

/* elector.c: as a client-go elector does. elector_poll() looks at the Lease; false: it lost the one that it
 * held, and exits. */
void elector_start(struct ctl *c, struct pod_proc *p, struct container *k);
bool elector_poll(struct ctl *c, struct pod_proc *p, struct container *k);
/* the process ends; asked to, it may release */
void elector_end(struct ctl *c, struct pod_proc *p, struct container *k);
#endif
