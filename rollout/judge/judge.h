/* Is the canary bad, is it good, do we not know? E-values (test martingales) that may be looked at after
 * every scrape. Formulas, their sources and what they reach: docs/judge.md. Natural logarithms throughout.
 * Pure; state is plain data that goes through JSON without losing a bit, so that the next leader gives the
 * same verdicts. */
#ifndef ROLLOUT_JUDGE_H
#define ROLLOUT_JUDGE_H
#include "base/err.h"
#include "base/json.h"

/* ---- the formulas (judge_math.c, judge_mix.c) ---- */
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
/* The tolerated rate of `max-error-rate: auto` from stable's history; more data never makes it laxer than little. */
double judge_auto_theta(uint64_t errors, uint64_t total);
/* That of one controller: theta, or more where stable's own pods fail in it more often than that (an object that is
 * permanently bad in a controller that does little); 1: so often that its errors tell nothing. */
double judge_controller_theta(double theta, uint64_t errors, uint64_t total);

enum { JUDGE_RATES = 10, JUDGE_RATIOS = 9 };
/* An e-process for a rate that breaks late: a mixture over when it broke and to which of the alternatives. */
struct judge_dc {
    double m[JUDGE_RATES]; /* ln M_j, -inf at first */
    double ln_r;           /* ln of the weight that is not yet placed */
    uint64_t looks;        /* weights placed */
};
void judge_dc_init(struct judge_dc *dc);
double judge_dc_log(const struct judge_dc *dc);
/* By counts: each event is an observation, tempered by gamma; a scrape gains at most `most` (INFINITY: no limit). */
void judge_dc_add(struct judge_dc *dc, double theta, double gamma, double most, uint64_t errors,
                  uint64_t total);
/* By looks: the failed share of a scrape is one bounded observation, however its errors hang together. */
void judge_dc_bet(struct judge_dc *dc, double theta, uint64_t errors, uint64_t total);
/* By comparison: the canary's rate against psi0 times stable's, in scrapes where both did something. */
void judge_dc_two(struct judge_dc *dc, double psi0, double gamma, double most, uint64_t ec, uint64_t nc,
                  uint64_t es, uint64_t ns);
/* Two samples from the beginning on, H0: canary's rate <= psi0 * stable's in every scrape. */
struct judge_two {
    double l[JUDGE_RATIOS];
};
void judge_two_add(struct judge_two *t, double psi0, uint64_t ec, uint64_t nc, uint64_t es, uint64_t ns);
double judge_two_log(const struct judge_two *t);

/* How errors hang together, learned from scrape to scrape: 1 when they are independent, 10 when one comes
 * with nine others. */
struct judge_spread {
    double sum, weight;
    uint64_t x, n; /* of the last scrape, still without its partner */
};
void judge_spread_add(struct judge_spread *s, uint64_t errors, uint64_t total);
double judge_spread_gamma(const struct judge_spread *s); /* 1 / what was learned */

/* ---- a test: one controller's errors (judge_test.c) ---- */
enum { JUDGE_MARGINS = 5, JUDGE_NAME = 64, JUDGE_CONTROLLERS = 16 };
#define JUDGE_OTHERS "(others)" /* the controllers beyond JUDGE_CONTROLLERS - 1, judged as one */
/* One scrape. What a process did in its first minute is in the two start counts, and not in the others. */
struct judge_counts {
    uint64_t ec, nc, es, ns;
    uint64_t start_ec, start_nc;
    uint64_t
        retried; /* errors that the start explains: not in ec and nc, nothing against it, and no success */
};
struct judge_test {
    char name[JUDGE_NAME];              /* "": all controllers together */
    double theta;                       /* tolerated in this controller; 0: as in all, 1: not judged */
    struct judge_dc late, bet;          /* against the tolerated rate: by counts, by looks */
    struct judge_dc two, equal;         /* against stable: at psi0, at 1 */
    struct judge_dc stable, stable_bet; /* stable's own, as late and bet */
    double pass[JUDGE_MARGINS * 2];     /* against a rate of 2, 3, 4, 6, 10 times the tolerated one */
    struct judge_spread spread, own;    /* of stable, of the canary */
    double recent_x[2], recent_n[2];    /* of stable and canary, fading by a tenth each scrape */
    uint64_t ec, nc, es, ns;            /* counted so far */
    uint64_t start_ec, start_nc;        /* in the first minute of the canary's processes */
    uint64_t looks;                     /* scrapes in which the canary did something */
    uint64_t retried;                   /* errors that the start explains, in neither ec nor nc */
    uint64_t gap_es, gap_ns;            /* stable's since the canary's last one */
};
struct judge_param {
    double theta; /* tolerated rate, 0 < theta < 1; fixed before the canary's first event */
    double psi0;  /* max-regression */
    double alpha, beta;
    double gamma; /* discount for errors that hang together, 0 < gamma <= 1; 0: learned */
    uint64_t min_events;
    uint64_t soak_looks, deadline_looks; /* scrapes in a soak, until the deadline */
    int64_t soak_ns, min_soak_ns;        /* of a step; min_soak_ns: no pass before, however clear it is */
};
void judge_test_init(struct judge_test *t);
void judge_test_feed(struct judge_test *t, const struct judge_param *p, const struct judge_counts *c);
struct judge_values {
    double never,
        hardly; /* not one reconcile has succeeded, or hardly one; by counts, with those of the start */
    double late, bet, two, equal;
    double log_e;        /* what FAIL looks at: the weighted mean of never, hardly, late, bet and two */
    double stable;       /* the larger of stable's two */
    double pass, margin; /* against a rate of margin times the tolerated one: the smallest for which the work
                            until the deadline suffices */
    double gamma;        /* as given or learned */
    bool calm;           /* nothing speaks against a pass, neither altogether nor in the last scrapes */
    bool stable_calm;
    bool worse; /* clearly worse than stable, or stable says nothing */
};
/* scrapes: so far, whether or not this controller did anything in them. */
void judge_test_values(const struct judge_test *t, const struct judge_param *p, uint64_t scrapes,
                       struct judge_values *ret);
/* The rate that a margin stands for, and how many more scrapes with one clean reconcile each would make the
 * pass test reach ln(1/beta). */
double judge_margin_rate(const struct judge_param *p, double margin);
uint64_t judge_test_more(const struct judge_test *t, const struct judge_param *p, double margin);

/* ---- the rule ---- */
/* alpha 0.01, beta 0.05, gamma learned, psi0 2, min_events 10, theta 5 %, soak 5 min or 60 scrapes, deadline 720 scrapes;
 * min_soak_ns is a fifth of the soak: set with judge_param_soak(). */
void judge_param_default(struct judge_param *p);
void judge_param_soak(struct judge_param *p, int64_t soak_ns);

struct judge { /* persisted with the rollout, never reset at a step */
    struct judge_test all;
    struct judge_two two, two_equal; /* of all, from the beginning on: shown, not decided by */
    struct judge_test *controller;   /* one by one, when there is more than one */
    size_t n, cap;
    uint64_t step_nc; /* the canary's in this step: a step in which it did nothing is not passed */
    uint64_t scrapes;
    double lately; /* reconciles of both versions: of the k-th of n scrapes (k / n)^2 */
};
enum verdict {
    VERDICT_WATCHING,
    VERDICT_HOLD, /* shared outage */
    VERDICT_FAIL,
    VERDICT_PASS,
    VERDICT_INCONCLUSIVE /* the soak is over: goes on until it passes, fails, or the deadline comes */
};
struct judge_report {
    enum verdict verdict;
    struct judge_values v; /* of the test that speaks most against the canary */
    const char *name;      /* of that one; "": all together. Valid as long as the judge */
    double limit_fail, limit_pass;
    /* of all together; tempered */
    double log_fail, log_pass, log_two, log_two_equal, log_late, log_stable;
    double upper;  /* 95 % upper limit of the canary's rate; 1: not known yet */
    uint64_t more; /* so many more clean reconciles would pass it; 0: that is not what it waits for */
    bool early;    /* a PASS by evidence, not by soak */
    char why[240]; /* one sentence for users */
};
void judge_init(struct judge *j);
void judge_free(struct judge *j);                             /* leaves it as after judge_init() */
void judge_copy(const struct judge *from, struct judge *ret); /* judge_free() */
/* One scrape of all controllers together; errors beyond total are clamped. After it, with two controllers or more, each
 * of them by its name; beyond JUDGE_CONTROLLERS they are judged as one. */
void judge_feed(struct judge *j, const struct judge_param *p, const struct judge_counts *c);
void judge_feed_controller(struct judge *j, const struct judge_param *p, const char *name,
                           const struct judge_counts *c);
/* Before the first time: what stable's pods have counted in it since they began. Later it changes nothing. */
void judge_controller_history(struct judge *j, const struct judge_param *p, const char *name, uint64_t errors,
                              uint64_t total);
void judge_next_step(struct judge *j); /* a new step: its own count of events, all else stays */
/* soaked_ns: how long this step has been watched so far. */
void judge_verdict(const struct judge *j, const struct judge_param *p, int64_t soaked_ns,
                   struct judge_report *ret);
/* The fewest reconciles with which it passes once the soak is over, if the canary goes on at its pace and without an error, and
 * stable as it did: the rule itself is fed with them, in whole scrapes (judge_clean.c). 0: what there is suffices. False: not within
 * 4096 scrapes, or the canary's pace is not known yet. Some milliseconds of work. */
bool judge_clean_to_pass(const struct judge *j, const struct judge_param *p, uint64_t *ret);
const char *verdict_name(enum verdict v);
/* "12 to 1", "1 to 3": the odds of a natural logarithm. */
void judge_odds(double log_e, char ret[40]);
/* The evidence in words, at most 200 bytes: "odds that it is bad: 12 to 1, rolled back at 100 to 1; 14 more clean
 * reconciles would pass it". */
void judge_words(const struct judge_report *r, struct buf *out);
/* v >= 0 for people: two digits, and all of those before the point ("0.046", "8.9", "100", "1234"). */
struct judge_figure {
    char text[32];
};
struct judge_figure judge_figure(double v);

void judge_write(const struct judge *j, struct buf *out); /* a JSON object; exact */
int judge_read(const cJSON *obj, struct judge *ret, struct err *err);
void judge_param_write(const struct judge_param *p, struct buf *out);
int judge_param_read(const cJSON *obj, struct judge_param *ret, struct err *err);
#endif
