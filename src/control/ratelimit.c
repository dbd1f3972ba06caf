/* Backoff and token bucket. */
#include "ratelimit.h"
#include "base/time.h"

int64_t backoff_ns(int64_t base_ns, int64_t max_ns, unsigned n, double jitter, uint64_t rnd) {
    int64_t d = base_ns < max_ns ? base_ns : max_ns;
    while (n-- > 0 && d < max_ns) d = d > max_ns / 2 ? max_ns : d * 2;
    double unit = (double)(rnd >> 11) * 0x1p-53; /* [0, 1) */
    double with = (double)d * (1 + jitter * (2 * unit - 1));
    return with >= (double)max_ns ? max_ns : (int64_t)with;
}

void bucket_init(struct bucket *b, double rate, double burst, int64_t max_wait_ns) {
    *b = (struct bucket){
        .rate = rate, .burst = burst, .tokens = burst, .at_ns = INT64_MIN, .max_wait_ns = max_wait_ns};
}

int64_t bucket_take(struct bucket *b, int64_t now_ns) {
    if (!(b->rate > 0)) return 0;
    if (b->at_ns != INT64_MIN && now_ns > b->at_ns) {
        b->tokens += (double)(now_ns - b->at_ns) / (double)NS_PER_S * b->rate;
        if (b->tokens > b->burst) b->tokens = b->burst;
    }
    if (b->at_ns == INT64_MIN || now_ns > b->at_ns) b->at_ns = now_ns;
    double debt = (double)b->max_wait_ns / (double)NS_PER_S * b->rate; /* the most that may be promised */
    if (b->tokens - 1 < -debt) return b->max_wait_ns;
    b->tokens -= 1;
    if (b->tokens >= 0) return 0;
    double wait = -b->tokens / b->rate * (double)NS_PER_S;
    return wait >= (double)b->max_wait_ns ? b->max_wait_ns : (int64_t)wait;
}
