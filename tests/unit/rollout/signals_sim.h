/* Series of looks for the signals, of versions that are healthy or wrong in one way. Seeded. */
#ifndef TEST_SIGNALS_SIM_H
#define TEST_SIGNALS_SIM_H
#include "base/rand.h"
#include "judge/signals.h"
#include <math.h>

struct versions {
    double m;        /* reconciles of one pod in a look */
    unsigned stable; /* pods of stable beside one of the canary */
    unsigned burst;  /* so many reconciles come together, and are alike; 1: independent */
    double work, writes, slow, panics,
        growth; /* the canary's, times stable's; growth: of memory, in a look */
    int from;   /* look from which on the canary is as said */
};

static inline unsigned sim_poisson(struct rng *r, double mean) {
    unsigned n = 0;
    if (mean > 50) { /* the sum of twelve uniform numbers is as good as normal */
        double z = -6;
        for (int i = 0; i < 12; i++) z += rng_unit(r);
        double v = mean + sqrt(mean) * z;
        return v > 0 ? (unsigned)(v + 0.5) : 0;
    }
    for (double p = rng_unit(r), limit = exp(-mean); p > limit; p *= rng_unit(r)) n++;
    return n;
}

static inline unsigned sim_hits(struct rng *r, unsigned n, double p) {
    unsigned hits = 0;
    if (n * p > 50 && n * (1 - p) > 50) {
        double z = -6;
        for (int i = 0; i < 12; i++) z += rng_unit(r);
        double v = n * p + sqrt(n * p * (1 - p)) * z;
        return v < 0 ? 0 : v > n ? n : (unsigned)(v + 0.5);
    }
    for (unsigned i = 0; i < n; i++) hits += rng_unit(r) < p;
    return hits;
}

static inline void sim_track(struct rng *r, const struct versions *v, int look, enum track t,
                             struct signals_look *l) {
    bool bad = t == TRACK_CANARY && look >= v->from;
    unsigned pods = t == TRACK_CANARY ? 1 : v->stable;
    unsigned bursts = sim_poisson(r, v->m * pods * (bad ? v->work : 1) / v->burst);
    uint64_t writes = sim_hits(r, bursts, 0.1 * (bad ? v->writes : 1)) * (uint64_t)v->burst;
    uint64_t slow = sim_hits(r, bursts, fmin(1, 0.04 * (bad ? v->slow : 1))) * (uint64_t)v->burst;
    uint64_t panics = bad ? sim_hits(r, bursts, v->panics) * (uint64_t)v->burst : 0;
    uint64_t n = bursts * (uint64_t)v->burst;
    l->pods[t] = pods;
    l->total[t] = n;
    if (t == TRACK_CANARY) l->canary_all = n;
    l->pair[PAIR_WRITES][t] = (struct signals_counts){true, writes, n};
    l->pair[PAIR_SLOW][t] = (struct signals_counts){true, slow, n};
    l->pair[PAIR_PANICS][t] = (struct signals_counts){true, panics, n};
    l->pair[PAIR_WEBHOOKS][t] = (struct signals_counts){true, panics, n};
    l->pair[PAIR_API][t] = (struct signals_counts){true, sim_hits(r, (unsigned)(5 * n), 0.0005), 5 * n};
    l->longest[t] = (struct signals_gauge){true, rng_unit(r) < 0.1 ? 3 * rng_unit(r) : 0};
    l->depth[t] = (struct signals_gauge){true, floor(rng_unit(r) * 1.3)};
    /* a garbage collector's saw tooth, each pod at its own place in it */
    double saw = 0;
    for (unsigned i = 0; i < pods; i++)
        saw += fmod((double)look / 24 + (double)i / pods + 0.3 * (int)t, 1) / pods;
    double base = 50e6 * (1 + 0.3 * saw + 0.02 * rng_unit(r));
    l->memory[t] = (struct signals_gauge){true, base * (bad ? pow(1 + v->growth, look - v->from) : 1)};
}

static inline void sim_look(struct rng *r, const struct versions *v, int look, struct signals_look *ret) {
    *ret = (struct signals_look){.elects = true};
    for (int t = 0; t < TRACKS; t++) sim_track(r, v, look, (enum track)t, ret);
}
#endif
