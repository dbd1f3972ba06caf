/* What the judge must reach (docs/judge.md): false rollbacks at most 1 %, and how soon a bad canary is found.
 * Seeded; the margins are several standard errors of this number of runs, so a failure is a fault and not
 * chance. */
#include "../case.h"
#include "judge/judge.h"
#include "base/rand.h"
#include "base/time.h"
#include <math.h>

enum { SCRAPES = 120, MAX_RUNS = 1000 };

static double normal(struct rng *r) {
    return sqrt(-2 * log(1 - rng_unit(r))) * cos(2 * M_PI * rng_unit(r));
}

static uint64_t poisson(struct rng *r, double mean) {
    if (mean > 60) return (uint64_t)fmax(0, floor(mean + sqrt(mean) * normal(r) + 0.5));
    double limit = exp(-mean), p = rng_unit(r);
    uint64_t k = 0;
    for (; p > limit; k++) p *= rng_unit(r);
    return k;
}

static uint64_t binomial(struct rng *r, uint64_t n, double p) {
    if (p >= 1) return n;
    double var = (double)n * p * (1 - p);
    if (var > 40)
        return (uint64_t)fmin((double)n, fmax(0, floor((double)n * p + sqrt(var) * normal(r) + 0.5)));
    uint64_t k = 0;
    double at = 0; /* jumps from one success to the next: as many draws as successes */
    for (;; k++) {
        at += 1 + floor(log(1 - rng_unit(r)) / log1p(-p));
        if (at > (double)n) return k;
    }
}

struct setting {
    double m, canary, stable; /* mean canary events a scrape; error rates */
    int from;                 /* the scrape from which they hold; 1 % on both before */
    int runs;
};
struct outcome {
    double share, before;              /* rolled back; of them before `from` */
    int median_scrapes, median_events; /* after `from`, unconditional; -1 when fewer than half were */
};

static int by_value(const void *a, const void *b) {
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static int median(int *v, int n, int runs) {
    qsort(v, (size_t)n, sizeof *v, by_value);
    return n * 2 > runs ? v[(runs - 1) / 2] : -1;
}

static struct outcome simulate(const struct setting *s, uint64_t seed) {
    struct judge_param p;
    judge_param_default(&p);
    struct rng rng = {seed};
    int scrapes[MAX_RUNS], events[MAX_RUNS], n = 0, early = 0;
    for (int run = 0; run < s->runs; run++) {
        struct judge j;
        judge_init(&j);
        uint64_t seen = 0;
        for (int i = 0; i < SCRAPES; i++) {
            bool on = i >= s->from;
            uint64_t nc = poisson(&rng, s->m), ns = poisson(&rng, 9 * s->m);
            const struct judge_counts c = {binomial(&rng, nc, on ? s->canary : 0.01),
                                           nc,
                                           binomial(&rng, ns, on ? s->stable : 0.01),
                                           ns,
                                           0,
                                           0};
            judge_feed(&j, &p, &c);
            if (on) seen += nc;
            struct judge_report r;
            judge_verdict(&j, &p, 0, &r);
            if (r.verdict != VERDICT_FAIL) continue;
            early += !on;
            scrapes[n] = on ? i - s->from + 1 : 0;
            events[n++] = (int)seen;
            break;
        }
    }
    struct outcome o = {(double)n / s->runs, (double)early / s->runs, 0, 0};
    o.median_scrapes = median(scrapes, n, s->runs);
    o.median_events = median(events, n, s->runs);
    print_message(
        "m %.4g canary %.3g stable %.3g from %d: %.1f %% (before %.1f), median %d scrapes, %d events\n", s->m,
        s->canary, s->stable, s->from, 100 * o.share, 100 * o.before, o.median_scrapes, o.median_events);
    return o;
}

CASE(healthy) {
    static const double rate[] = {.001, .01, .05}, m[] = {.2, 2, 20, 200};
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 4; k++) {
            struct setting s = {m[k], rate[i], rate[i], 0, 200};
            assert_true(simulate(&s, 7 + i * 10 + k).share <= .01);
        }
    }
}

CASE(always_failing) {
    static const double m[] = {.2, 2, 20};
    static const int events[] = {2, 3, 20}, scrapes[] = {9, 1, 1};
    for (size_t k = 0; k < 3; k++) {
        struct setting s = {m[k], 1, .01, 0, 300};
        struct outcome o = simulate(&s, 100 + k);
        assert_true(o.share == 1);
        assert_in_range(o.median_events, events[k] - (k == 2), events[k] + (k == 2));
        assert_in_range(o.median_scrapes, scrapes[k] - (k == 0 ? 2 : 0), scrapes[k] + (k == 0 ? 2 : 0));
    }
}

CASE(often_failing) {
    struct setting slow = {2, .2, .01, 0, 300}, quick = {20, .2, .01, 0, 300};
    struct outcome o = simulate(&slow, 200);
    assert_true(o.share == 1);
    assert_in_range(o.median_scrapes, 18, 27);
    assert_in_range(o.median_events, 36, 53);
    o = simulate(&quick, 201);
    assert_true(o.share == 1);
    assert_in_range(o.median_scrapes, 3, 6);
}

CASE(late) {
    struct setting s = {20, 1, .01, 60, 200};
    struct outcome o = simulate(&s, 300);
    assert_true(o.share == 1 && o.before <= .01);
    assert_in_range(o.median_events, 12, 80);
}

CASE(shared) {
    static const double m[] = {.2, 2, 20};
    for (size_t k = 0; k < 3; k++) {
        struct setting s = {m[k], .3, .3, 40, 300};
        assert_true(simulate(&s, 400 + k).share <= (k == 0 ? .02 : .01)); /* at m = 0.2 the study saw 1.3 % */
    }
    struct setting alone = {20, .3, .01, 40, 200};
    assert_true(simulate(&alone, 410).share == 1);
}

CASES("rollout/judge_study")
