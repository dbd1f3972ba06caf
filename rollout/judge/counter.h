/* One pair of cumulative counters of one process, x of n: what is news in a reading. Plain data, pure. */
#ifndef ROLLOUT_COUNTER_H
#define ROLLOUT_COUNTER_H
#include <stdbool.h>
#include <stdint.h>

#define COUNT_MAX                                                                                            \
    (UINT64_C(1) << 53) /* counts and sums stay there: where doubles and JSON numbers end to be exact */

struct counter {
    uint64_t x, n; /* as last read */
    uint64_t retried,
        forgiven; /* x in the second half of the process's start; of later ones those that these explain */
    bool based;   /* x and n hold something: what is read next is counted from there */
};
/* When a reading is made. */
struct counter_age {
    int64_t ns;       /* since the process gave its first numbers; INT64_MAX: long ago */
    int64_t start_ns; /* how long a process begins; 0: not at all */
};
struct counter_news {
    uint64_t x, n;             /* x may be beyond n, see counter_settle() */
    uint64_t retried;          /* of x, left out of both: retries of what failed at the start */
    uint64_t start_x, start_n; /* while the process began; not in the others */
};
/* Adds what is new to *sum. Less than before is a reset: all of it is news. */
void counter_read(struct counter *c, struct counter_age at, uint64_t x, uint64_t n, struct counter_news *sum);
/* The two series are incremented at slightly different moments, so an x may be seen before its n: what is beyond n is
 * carried to a later round. start_x is cut at start_n. */
void counter_settle(uint64_t *carry, struct counter_news *sum);
uint64_t counter_add(uint64_t a, uint64_t b); /* at most COUNT_MAX */
static inline void counter_sum(uint64_t *sum, uint64_t by) {
    *sum = counter_add(*sum, by);
}
#endif
