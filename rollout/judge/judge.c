/* The rule: from the e-values, the time watched and the number of events to a verdict and a sentence for it. */
#include "judge/judge.h"
#include "base/time.h"
#include <math.h>
#include <stdio.h>

void judge_param_soak(struct judge_param *p, int64_t soak_ns) {
    p->soak_ns = soak_ns;
    p->min_soak_ns = soak_ns / 5;
}

void judge_param_default(struct judge_param *p) {
    *p = (struct judge_param){
        .theta = 0.05, .psi0 = 2, .alpha = 0.01, .beta = 0.05, .gamma = 0.2, .metrics = 1, .min_events = 10};
    judge_param_soak(p, 300 * NS_PER_S);
}

void judge_init(struct judge *j) {
    *j = (struct judge){0};
    judge_dc_init(&j->canary);
    judge_dc_init(&j->stable);
}

/* Sums stay where JSON numbers are exact. Errors, never more than their total, reach the end after it. */
static void count(uint64_t *sum, uint64_t by) {
    const uint64_t end = UINT64_C(1) << 53;
    *sum = by > end - *sum ? end : *sum + by;
}

void judge_feed(struct judge *j, const struct judge_param *p, uint64_t ec, uint64_t nc, uint64_t es,
                uint64_t ns) {
    if (ec > nc) ec = nc;
    if (es > ns) es = ns;
    judge_dc_add(&j->canary, p->theta, p->gamma, ec, nc);
    judge_dc_add(&j->stable, p->theta, p->gamma, es, ns);
    judge_two_add(&j->two, p->psi0, ec, nc, es, ns);
    judge_two_add(&j->two_equal, 1, ec, nc, es, ns);
    count(&j->nc, nc);
    count(&j->ns, ns);
    count(&j->ec, ec);
    count(&j->es, es);
    count(&j->step_nc, nc);
    j->scrapes++;
}

void judge_next_step(struct judge *j) {
    j->step_nc = 0;
    j->extended = false;
}

int64_t judge_soak_ns(const struct judge *j, const struct judge_param *p) {
    return p->soak_ns * (j->extended ? 2 : 1);
}

static double mean_log(double a, double b) { /* ln of the mean of e^a and e^b */
    double hi = fmax(a, b);
    return hi + log1p(exp(-fabs(a - b))) - log(2);
}

static double percent(uint64_t x, uint64_t n) {
    return n ? 100 * (double)x / (double)n : 0;
}

static enum verdict on_fail(const struct judge *j, const struct judge_param *p, struct judge_report *r) {
    bool stable_fails = r->log_stable_dc >= log(3),
         no_worse = r->log_two_equal < -1e-9; /* 0 is no evidence, whatever the rounding */
    if ((stable_fails || no_worse) && r->log_two < r->limit_fail) {
        snprintf(r->why, sizeof r->why,
                 "both versions fail (canary %.2g %%, stable %.2g %%): an outage is not a verdict",
                 percent(j->ec, j->nc), percent(j->es, j->ns));
        return VERDICT_HOLD;
    }
    snprintf(r->why, sizeof r->why,
             "%llu of %llu reconciles failed (%.3g %%), tolerated are %.3g %%; stable %.2g %% of %llu",
             (unsigned long long)j->ec, (unsigned long long)j->nc, percent(j->ec, j->nc), 100 * p->theta,
             percent(j->es, j->ns), (unsigned long long)j->ns);
    return VERDICT_FAIL;
}

static enum verdict pass(const struct judge *j, const struct judge_param *p, struct judge_report *r,
                         bool early) {
    r->early = early;
    r->upper = judge_upper(j->ec, j->nc, 0.05, p->gamma);
    snprintf(r->why, sizeof r->why, "%llu of %llu reconciles failed; at most %.2g %% with 95 %% confidence%s",
             (unsigned long long)j->ec, (unsigned long long)j->nc, 100 * r->upper,
             early ? ", clear before the soak was over" : "");
    return VERDICT_PASS;
}

static enum verdict decide(const struct judge *j, const struct judge_param *p, int64_t soaked_ns,
                           struct judge_report *r) {
    if (r->log_fail >= r->limit_fail) return on_fail(j, p, r);
    bool calm = r->log_fail < log(3), enough = j->nc >= p->min_events && j->step_nc > 0;
    if (enough && calm && r->log_pass >= r->limit_pass && soaked_ns >= p->min_soak_ns)
        return pass(j, p, r, true);
    if (soaked_ns < judge_soak_ns(j, p)) {
        snprintf(r->why, sizeof r->why, "%llu of %llu reconciles failed so far", (unsigned long long)j->ec,
                 (unsigned long long)j->nc);
        return VERDICT_WATCHING;
    }
    if (!enough) {
        snprintf(r->why, sizeof r->why, "the canary did %llu reconciles (%llu in this step), %llu are needed",
                 (unsigned long long)j->nc, (unsigned long long)j->step_nc,
                 (unsigned long long)p->min_events);
        return VERDICT_INCONCLUSIVE;
    }
    if (calm) return pass(j, p, r, false);
    snprintf(r->why, sizeof r->why, "%llu of %llu reconciles failed: suspicious, not proven",
             (unsigned long long)j->ec, (unsigned long long)j->nc);
    return j->extended ? VERDICT_INCONCLUSIVE : VERDICT_EXTEND;
}

void judge_verdict(const struct judge *j, const struct judge_param *p, int64_t soaked_ns,
                   struct judge_report *ret) {
    *ret = (struct judge_report){
        .log_dc = judge_dc_log(&j->canary), /* tempered in its increments */
        .log_stable_dc = judge_dc_log(&j->stable),
        .log_two = p->gamma * judge_two_log(&j->two),
        .log_two_equal = p->gamma * judge_two_log(&j->two_equal),
        .log_pass = p->gamma * judge_log_pass(j->ec, j->nc, p->theta),
        .limit_fail = log((double)p->metrics / p->alpha),
        .limit_pass = -log(p->beta),
    };
    ret->log_fail = mean_log(ret->log_dc, ret->log_two);
    ret->verdict = decide(j, p, soaked_ns, ret);
}

const char *verdict_name(enum verdict v) {
    static const char *const names[] = {"watching", "hold", "fail", "pass", "extend", "inconclusive"};
    return (size_t)v < ARRAY_LEN(names) ? names[v] : "?";
}
