/* From the pages of pods to one look of the signals: what each process has done since it was last read, by track. What is
 * remembered of a pod is this process's alone, not the rollout's: the first page of a pod is only what the next is compared
 * with. Pure. */
#ifndef ROLLOUT_SIGNALS_PODS_H
#define ROLLOUT_SIGNALS_PODS_H
#include "judge/evidence.h"
#include "judge/promtext.h"
#include "judge/signals.h"

enum signals_counter {
    COUNTER_TOTAL,
    COUNTER_WRITES,
    COUNTER_TIMED,
    COUNTER_SLOW,
    COUNTER_PANICS,
    COUNTER_WEBHOOKS,
    COUNTER_WEBHOOK_FAILURES,
    COUNTER_REQUESTS,
    COUNTER_REFUSED,
    COUNTERS
};
struct signals_pod {
    char uid[64];
    uint32_t restarts;
    double started_s;
    int64_t young_ns; /* it began to work then; 0: before it was watched */
    int64_t read_ns;
    bool seen, drained, led;
    int64_t lease_ns; /* of its time as a leader that no renewal has been taken for yet */
    uint64_t has;     /* bits of enum signals_counter: count holds something */
    uint64_t count[COUNTERS];
};
struct signals_pods {
    struct signals_pod *pod;
    size_t n, cap; /* as many as in the last round */
    double bound;  /* that COUNTER_SLOW is of */
};
void signals_pods_free(struct signals_pods *p);
/* start_ns: for how long a process begins; what it does then is not compared. bound: in seconds, of a slow reconcile; 0: none.
 * now_ns: any clock that does not stand still. */
void signals_pods_look(struct signals_pods *p, int64_t now_ns, int64_t start_ns, double bound,
                       const struct pod_sample *s, size_t n, struct signals_look *ret);
/* The bound that 95 % of stable's reconciles so far have kept; see signals_bound(). */
double signals_pods_bound(const struct pod_sample *s, size_t n);
#endif
