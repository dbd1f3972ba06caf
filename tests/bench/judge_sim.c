/* Series of reconciles, and what rules say to them. */
#include "judge_sim.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *const rule_names[RULES] = {"handover", "flagger", "argo", "kayenta", "sprt"};

/* ---- chance ---- */

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
    if (p <= 0) return 0;
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

static double gamma_of(struct rng *r, double a) { /* Marsaglia and Tsang */
    if (a < 1) return gamma_of(r, a + 1) * pow(1 - rng_unit(r), 1 / a);
    double d = a - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = normal(r), v = pow(1 + c * x, 3);
        if (v > 0 && log(1 - rng_unit(r)) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}

static void track(struct rng *r, enum spread how, double m, double p, uint64_t *x, uint64_t *n) {
    if (how == SPREAD_BURST) {
        uint64_t bursts = poisson(r, m * p / 10);
        *x = 0;
        for (; bursts; bursts--) *x += 1 + (uint64_t)floor(log(1 - rng_unit(r)) / log1p(-0.1));
        *n = *x + poisson(r, m * (1 - p));
        return;
    }
    if (how == SPREAD_RATES && p > 0 && p < 1) {
        double a = gamma_of(r, 9 * p), b = gamma_of(r, 9 * (1 - p));
        p = a + b > 0 ? a / (a + b) : 0;
    }
    *n = poisson(r, m);
    *x = binomial(r, *n, p);
}

/* ---- rules: what a scrape says ---- */

struct court {
    enum rule rule;
    struct judge_param p;
    struct judge judge;
    double rate; /* the true one, for the rule that knows it */
    double llr;
    struct judge_counts by[SIM_CONTROLLERS]; /* of the last scrape, each of several */
    int controllers;
    int bad;   /* scrapes that failed: all, or in a row */
    int blind; /* without a number */
    uint64_t ec, nc, es, ns;
    double each_c[SIM_DEADLINE * 4], each_s[SIM_DEADLINE * 4]; /* rates of the scrapes that have one */
    int nc_each, ns_each;
};

/* Flagger: a fixed threshold on each window, five failed checks in all; without a number a check fails (its default). The
 * analysis passes when its iterations are over. */
static enum verdict flagger(struct court *c, const struct judge_counts *k, int scrape) {
    c->bad += !k->nc || (double)k->ec > c->p.theta * (double)k->nc;
    if (c->bad >= 5) return VERDICT_FAIL;
    return scrape >= SIM_SOAK ? VERDICT_PASS : VERDICT_WATCHING;
}

/* Argo Rollouts: failureLimit 0; without a number an error, five in a row abort (consecutiveErrorLimit 4). */
static enum verdict argo(struct court *c, const struct judge_counts *k, int scrape) {
    c->blind = k->nc ? 0 : c->blind + 1;
    if (c->blind > 4 || (k->nc && (double)k->ec > c->p.theta * (double)k->nc)) return VERDICT_FAIL;
    return scrape >= SIM_SOAK ? VERDICT_PASS : VERDICT_WATCHING;
}

/* Kayenta: Mann-Whitney on the windows' rates, 98 %, when the analysis is over; an effect of 2 counts (its
 * allowedIncrease). No number is no failure (nanStrategy remove). */
static enum verdict kayenta(struct court *c, const struct judge_counts *k, int scrape) {
    if (k->nc) c->each_c[c->nc_each++] = (double)k->ec / (double)k->nc;
    if (k->ns) c->each_s[c->ns_each++] = (double)k->es / (double)k->ns;
    if (scrape < SIM_SOAK) return VERDICT_WATCHING;
    double u = 0, n = c->nc_each, m = c->ns_each, mean_c = 0, mean_s = 0, same = 0;
    for (int i = 0; i < c->nc_each; i++) {
        mean_c += c->each_c[i] / n;
        for (int j = 0; j < c->ns_each; j++) {
            u += c->each_c[i] > c->each_s[j] ? 1 : c->each_c[i] < c->each_s[j] ? 0 : 0.5;
            same += c->each_c[i] == c->each_s[j];
        }
    }
    for (int j = 0; j < c->ns_each; j++) mean_s += c->each_s[j] / m;
    if (n < 2 || m < 2 || same >= n * m) return VERDICT_PASS;
    double z = (u - n * m / 2) / sqrt(n * m * (n + m + 1) / 12);
    return z > 2.33 && mean_c > 2 * mean_s ? VERDICT_FAIL : VERDICT_PASS;
}

/* Wald's test of the tolerated rate against the true one: nobody has it, and none is quicker on average. */
static enum verdict sprt(struct court *c, const struct judge_counts *k, int scrape) {
    (void)scrape;
    double p = fmin(c->rate, 1 - 1e-9), q = c->p.theta;
    if (p <= q) return VERDICT_WATCHING;
    c->llr += (double)k->ec * log(p / q) + (double)(k->nc - k->ec) * log((1 - p) / (1 - q));
    return c->llr >= -log(c->p.alpha) ? VERDICT_FAIL
           : c->llr <= log(c->p.beta) ? VERDICT_PASS
                                      : VERDICT_WATCHING;
}

static enum verdict ours(struct court *c, const struct judge_counts *k, int scrape) {
    struct judge_report r;
    judge_feed(&c->judge, &c->p, k);
    for (int i = 0; i < c->controllers; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        judge_feed_controller(&c->judge, &c->p, name, &c->by[i]);
    }
    judge_verdict(&c->judge, &c->p, scrape, &r);
    return r.verdict;
}

/* ---- runs ---- */

static void work_of(const struct setting *s, struct rng *r, int i, double share, bool its,
                    struct judge_counts *k) {
    bool on = its && i >= s->from && (!s->to || i < s->to);
    double grown = s->ramp ? fmin(1, (double)(i - s->from) / s->ramp) : 1;
    double before = s->canary == s->stable && s->from == 0 ? s->canary : 0.01;
    double pc = on ? before + (s->canary - before) * grown : before, ps = on ? s->stable : fmin(before, 0.01);
    if (!its) pc = ps = 0.01;
    *k = (struct judge_counts){0};
    track(r, s->spread, share * s->m, pc, &k->ec, &k->nc);
    track(r, s->spread, share * s->m * (1 - s->share) / s->share, ps, &k->es, &k->ns);
}

static void scrape_of(const struct setting *s, struct rng *r, int i, struct court *c,
                      struct judge_counts *k) {
    work_of(s, r, i, s->controllers ? s->last : 1, true, k);
    if (s->hot > 0) k->nc += poisson(r, s->hot * s->m);
    c->controllers = s->controllers;
    if (!s->controllers) return;
    int last = s->controllers - 1;
    c->by[last] = *k;
    for (int j = 0; j < last; j++) {
        struct judge_counts *one = &c->by[j];
        work_of(s, r, i, (1 - s->last) / last, false, one);
        k->ec += one->ec;
        k->nc += one->nc;
        k->es += one->es;
        k->ns += one->ns;
    }
}

/* What stable has counted before: some thousand reconciles. */
static void history(const struct setting *s, struct rng *r, struct court *c) {
    for (int i = 0; i < s->controllers; i++) {
        char name[16];
        bool last = i == s->controllers - 1;
        uint64_t n = poisson(r, 5000 * (last ? s->last : (1 - s->last) / (s->controllers - 1)));
        snprintf(name, sizeof name, "c%d", i);
        judge_controller_history(&c->judge, &c->p, name, binomial(r, n, last && !s->from ? s->stable : 0.01),
                                 n);
    }
}

static int by_value(const void *a, const void *b) {
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static int median(int *v, int n, int runs) {
    qsort(v, (size_t)n, sizeof *v, by_value);
    return n * 2 > runs ? v[(runs - 1) / 2] : -1;
}

struct outcome simulate(const struct setting *s, enum rule rule, int runs, uint64_t seed) {
    static enum verdict (*const rules[RULES])(struct court *, const struct judge_counts *,
                                              int) = {ours, flagger, argo, kayenta, sprt};
    static int events[SIM_MAX_RUNS], scrapes[SIM_MAX_RUNS];
    static struct court c;
    struct rng rng = {seed};
    int failed = 0, passed = 0, in = 0, end = s->goes_on ? s->from + SIM_DEADLINE : SIM_DEADLINE;
    for (int run = 0; run < runs; run++) {
        c = (struct court){.rule = rule, .rate = s->canary};
        judge_init(&c.judge);
        judge_param_default(&c.p);
        c.p.soak_ns = SIM_SOAK; /* in scrapes */
        c.p.min_soak_ns = SIM_SOAK / 5;
        history(s, &rng, &c);
        enum verdict v = VERDICT_WATCHING;
        int seen = 0, i = 0;
        for (; i < end; i++) {
            struct judge_counts k;
            scrape_of(s, &rng, i, &c, &k);
            if (i >= s->from) seen += (int)k.nc;
            v = rules[rule](&c, &k, i + 1);
            if (v == VERDICT_FAIL || (v == VERDICT_PASS && !s->goes_on)) break;
        }
        judge_free(&c.judge);
        passed += v == VERDICT_PASS && i < end;
        in += v == VERDICT_PASS && i < end && i >= s->from && (!s->to || i < s->to);
        if (v != VERDICT_FAIL) continue;
        scrapes[failed] = i < s->from ? 0 : i - s->from + 1;
        events[failed++] = i < s->from ? 0 : seen;
    }
    double all = runs;
    return (struct outcome){.failed = failed / all,
                            .passed = passed / all,
                            .passed_in = in / all,
                            .undecided = (runs - failed - passed) / all,
                            .events = median(events, failed, runs),
                            .scrapes = median(scrapes, failed, runs)};
}
