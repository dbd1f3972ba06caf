/* Is the canary bad, is it good, do we not know? E-values (test martingales) that may be looked at after
 * every scrape. Formulas, their sources and what they reach: docs/judge.md. Natural logarithms throughout.
 * Pure; state is plain data that goes through JSON without losing a bit, so that the next leader gives the
 * same verdicts. */
#ifndef ROLLOUT_JUDGE_H
#define ROLLOUT_JUDGE_H
#include "base/err.h"
#include "base/json.h"

/* ---- the formulas ---- */
/* The regularised incomplete beta I_x(a, b), by the same continued fraction. */
double judge_beta_cdf(double a, double b, double x);
/* x errors of n against H0: p <= theta, and against H0: p >= theta. */
double judge_log_fail(uint64_t x, uint64_t n, double theta);
double judge_log_pass(uint64_t x, uint64_t n, double theta);
/* The smallest theta for which gamma * logE_pass(x, n, theta) >= ln(1/level): an upper limit valid at every
 * look; 1 if none. */
double judge_upper(uint64_t x, uint64_t n, double level, double gamma);
/* Clopper-Pearson: the one-sided upper limit of a rate at this confidence (0.95). */
double judge_clopper_pearson_upper(uint64_t x, uint64_t n, double confidence);
/* The tolerated rate of `max-error-rate: auto` from stable's history. */
double judge_auto_theta(uint64_t errors, uint64_t total);

enum { JUDGE_RATES = 10, JUDGE_RATIOS = 9 };
/* The late-break e-process (a mixture over when the rate changed and to what). */
struct judge_dc {
    double m[JUDGE_RATES]; /* ln M_j, -inf at first */
    double ln_r;           /* ln of the weight that is not yet placed */
    bool begun;
};
void judge_dc_init(struct judge_dc *dc);
void judge_dc_add(struct judge_dc *dc, double theta, double gamma, uint64_t errors, uint64_t total);
double judge_dc_log(const struct judge_dc *dc);
/* Two samples, H0: canary's rate <= psi0 * stable's in every scrape. */
struct judge_two {
    double l[JUDGE_RATIOS];
};
void judge_two_add(struct judge_two *t, double psi0, uint64_t ec, uint64_t nc, uint64_t es, uint64_t ns);
double judge_two_log(const struct judge_two *t);

/* ---- the rule ---- */
struct judge_param {
    double theta; /* tolerated rate, 0 < theta < 1; fixed before the canary's first event */
    double psi0;  /* max-regression */
    double alpha, beta, gamma;
    unsigned metrics; /* M: how many metrics are judged */
    uint64_t min_events;
    int64_t soak_ns, min_soak_ns; /* of a step; min_soak_ns: no pass before, however clear it is */
};
/* alpha 0.01, beta 0.05, gamma 0.2 (reconcile errors come in bursts), psi0 2, M 1, min_events 10, theta 5 %,
 * soak 5 min; min_soak_ns is a fifth of the soak: set with judge_param_soak(). */
void judge_param_default(struct judge_param *p);
void judge_param_soak(struct judge_param *p, int64_t soak_ns);

struct judge { /* persisted with the rollout, never reset at a step */
    struct judge_dc canary, stable;
    struct judge_two two, two_equal; /* at psi0, at 1 */
    uint64_t ec, nc, es, ns;         /* counted so far */
    uint64_t step_nc; /* the canary's in this step: a step in which it did nothing is not passed */
    uint64_t scrapes;
    bool extended; /* this step's soak was extended, once */
};
enum verdict {
    VERDICT_WATCHING,
    VERDICT_HOLD /* shared outage */,
    VERDICT_FAIL,
    VERDICT_PASS,
    VERDICT_EXTEND,
    VERDICT_INCONCLUSIVE
};
struct judge_report {
    enum verdict verdict;
    double log_fail;                       /* the combined e-value that FAIL looks at; fails at limit_fail */
    double log_dc, log_two, log_two_equal; /* two-sample ones tempered */
    double log_stable_dc;
    double log_pass; /* tempered; passes early at limit_pass */
    double limit_fail, limit_pass;
    double
        upper;  /* 95 % upper limit of the canary's rate, tempered; only for a PASS, else 0 (judge_upper()) */
    bool early; /* a PASS by evidence, not by soak */
    char why[240]; /* one sentence for users */
};
void judge_init(struct judge *j);
/* One scrape; errors beyond total are clamped. */
void judge_feed(struct judge *j, const struct judge_param *p, uint64_t ec, uint64_t nc, uint64_t es,
                uint64_t ns);
void judge_next_step(
    struct judge *j); /* a new step: its own count of events and its own extension, all else stays */
/* soaked_ns: how long this step has been watched so far. VERDICT_EXTEND: the caller sets j->extended and
 * waits on. */
void judge_verdict(const struct judge *j, const struct judge_param *p, int64_t soaked_ns,
                   struct judge_report *ret);
int64_t judge_soak_ns(const struct judge *j,
                      const struct judge_param *p); /* of this step, with its extension */
const char *verdict_name(enum verdict v);

void judge_write(const struct judge *j, struct buf *out); /* a JSON object; exact */
int judge_read(const cJSON *obj, struct judge *ret, struct err *err);
void judge_param_write(const struct judge_param *p, struct buf *out);
int judge_param_read(const cJSON *obj, struct judge_param *ret, struct err *err);
#endif
