/* Series of reconciles, and what rules say to them: for the bench and for a smaller run of it among the unit tests. */
#ifndef BENCH_JUDGE_SIM_H
#define BENCH_JUDGE_SIM_H
#include "base/rand.h"
#include "judge/judge.h"

enum spread {
    SPREAD_NONE,  /* every error by itself */
    SPREAD_BURST, /* a bad object fails ten times in a row (geometric), within a scrape */
    SPREAD_RATES, /* each scrape has a rate of its own: beta-binomial, rho 0.1 */
};
struct setting {
    const char *name;
    enum spread spread;
    double m, share;       /* canary's events in a scrape; its share of all */
    double canary, stable; /* error rates */
    int from, to;          /* ... hold from this scrape on, before the other one (0: for good); else 1 % */
    int ramp;              /* the canary's grows to it in so many scrapes */
    double hot;            /* so many times m of the canary's reconciles do nothing, and succeed */
    bool goes_on;          /* a PASS does not end it: the next step follows */
    int controllers;       /* of several, each judged by itself, only the last one has the canary's rate */
    double last;           /* its share of the work */
};
enum rule { RULE_HANDOVER, RULE_FLAGGER, RULE_ARGO, RULE_KAYENTA, RULE_SPRT, RULES };
extern const char *const rule_names[RULES];

struct outcome {
    double failed, passed, passed_in, undecided; /* shares; passed_in: between from and to */
    int events, scrapes;                         /* median until FAIL, from `from` on; -1: fewer than half */
};
enum { SIM_CONTROLLERS = 10, SIM_SOAK = 60, SIM_DEADLINE = 720, SIM_MAX_RUNS = 20000 };
struct outcome simulate(const struct setting *s, enum rule rule, int runs, uint64_t seed);
#endif
