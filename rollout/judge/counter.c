/* From two readings of a pair of counters to what happened between them. */
#include "judge/counter.h"

uint64_t counter_add(uint64_t a, uint64_t b) {
    return a > COUNT_MAX || b > COUNT_MAX - a ? COUNT_MAX : a + b;
}

static uint64_t since(uint64_t was, uint64_t is) {
    return is < was ? is : is - was; /* less than before: a reset */
}

/* So many x after the start are retries of what failed then. */
static uint64_t explained(struct counter *c, struct counter_age at, uint64_t x) {
    uint64_t doublings = 1;
    for (int64_t by = 2 * at.start_ns; by <= at.ns && doublings < 64; by *= 2) doublings++;
    uint64_t granted = c->retried * doublings, left = granted > c->forgiven ? granted - c->forgiven : 0;
    uint64_t n = x < left ? x : left;
    c->forgiven += n;
    return n;
}

static void add(struct counter *c, struct counter_age at, uint64_t x, uint64_t n, struct counter_news *sum) {
    if (at.ns < at.start_ns) {
        if (at.ns >= at.start_ns / 2) c->retried = counter_add(c->retried, x);
        sum->start_x = counter_add(sum->start_x, x);
        sum->start_n = counter_add(sum->start_n, n);
        return;
    }
    uint64_t retries = c->retried && at.start_ns ? explained(c, at, x) : 0;
    sum->retried = counter_add(sum->retried, retries);
    sum->x = counter_add(sum->x, x - retries);
    sum->n = counter_add(sum->n, n > retries ? n - retries : 0);
}

void counter_read(struct counter *c, struct counter_age at, uint64_t x, uint64_t n,
                  struct counter_news *sum) {
    if (c->based) add(c, at, since(c->x, x), since(c->n, n), sum);
    c->based = true;
    c->x = x < COUNT_MAX ? x : COUNT_MAX;
    c->n = n < COUNT_MAX ? n : COUNT_MAX;
}

void counter_settle(uint64_t *carry, struct counter_news *sum) {
    uint64_t all = counter_add(*carry, sum->x);
    sum->x = all < sum->n ? all : sum->n;
    *carry = all - sum->x;
    if (sum->start_x > sum->start_n) sum->start_x = sum->start_n;
}
