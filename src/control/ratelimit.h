/* When may a failed key be tried again? Per-key exponential backoff and a token bucket over all keys. Pure. */
#ifndef CONTROL_RATELIMIT_H
#define CONTROL_RATELIMIT_H
#include <stdint.h>

/* base * 2^n, at most max, then +/- jitter (a share of it, 0..1; drawn from rnd), again at most max. No
 * overflow. */
int64_t backoff_ns(int64_t base_ns, int64_t max_ns, unsigned n, double jitter, uint64_t rnd);

/* As golang.org/x/time/rate's Reserve(): a token may be taken before it is there, for the price of waiting. */
struct bucket {
    double rate, burst; /* tokens a second, and at most; rate <= 0: no limit */
    double tokens;      /* negative: promised */
    int64_t at_ns, max_wait_ns;
};
void bucket_init(struct bucket *b, double rate, double burst, int64_t max_wait_ns);
int64_t bucket_take(struct bucket *b, int64_t now_ns); /* ns to wait, at most max_wait_ns */
#endif
