/* Renewals as a leader makes them: a PUT on LANE_LEASE every 50 ms to a server in a process of its own, timed from
 * the instant at which it was due to its answer. */
#ifndef RENEWALS_H
#define RENEWALS_H
#include "net/net.h"
#include <stdbool.h>
#include <sys/types.h>

struct renewals {
    struct loop *l;
    struct world *w;
    struct timer *timer;
    char *url;
    pid_t server;
    int64_t due;
    double *ms;
    size_t n, cap, stop_after; /* 0: until loop_stop() */
    bool failed;
};
void renewals_init(struct renewals *r, struct loop *l);
void renewals_run(struct renewals *r, size_t stop_after); /* forgets what was measured before */
/* Prints NAME_p50, NAME_p99, NAME_max and NAME_count; the p99 in ms, 0 without any. */
double renewals_report(struct renewals *r, const char *name);
void renewals_free(struct renewals *r);
#endif
