/* What the judge says to people: the reason of a verdict, and the evidence as odds. */
#include "judge/judge_rule.h"
#include <math.h>
#include <stdio.h>

static double percent(uint64_t x, uint64_t n) {
    return n ? 100 * (double)x / (double)n : 0;
}

struct judge_figure judge_figure(double v) {
    struct judge_figure f;
    snprintf(f.text, sizeof f.text, v < 99.5 ? "%.2g" : "%.0f", v);
    return f;
}

static unsigned long long ull(uint64_t v) {
    return v;
}

/* "controller widget: " where it is not about all of them. */
static void whose(const struct court *c, char ret[90]) {
    ret[0] = '\0';
    if (c->worst->name[0]) snprintf(ret, 90, "controller %s: ", c->worst->name);
}

/* The share of all of them is a tolerated one: it broke late, or stable does much better. */
static void say_other(const struct judge_test *t, const struct judge_param *p, double theta, uint64_t x,
                      uint64_t n, char ret[64]) {
    double recent = t->recent_n[1];
    ret[0] = '\0';
    if ((double)x > theta * (double)n) return;
    if (t->recent_x[1] > theta * recent)
        snprintf(ret, 64, "; lately %s %%", judge_figure(100 * t->recent_x[1] / recent).text);
    else
        snprintf(ret, 64, "; over %g times stable's", p->psi0);
}

/* The reconciles of a process's first minute condemn where not one has succeeded; then they are all there is to tell. */
static void say_fail(const struct judge_param *p, const struct court *c) {
    const struct judge_test *t = c->worst;
    char who[90], other[64];
    double theta = t->theta > 0 ? t->theta : p->theta;
    whose(c, who);
    bool start = t->ec < t->nc || !t->start_nc ? false : t->start_ec == t->start_nc;
    uint64_t x = t->ec + (start ? t->start_ec : 0), n = t->nc + (start ? t->start_nc : 0);
    say_other(t, p, theta, x, n, other);
    snprintf(c->r->why, sizeof c->r->why,
             "%s%llu of %llu reconciles failed (%.3g %%%s), tolerated are %.3g %%; stable %s %% of %llu", who,
             ull(x), ull(n), percent(x, n), other, 100 * theta, judge_figure(percent(t->es, t->ns)).text,
             ull(t->ns));
}

static void say_hold(const struct court *c) {
    const struct judge_test *t = c->worst;
    char who[90];
    whose(c, who);
    snprintf(c->r->why, sizeof c->r->why,
             "%sboth versions fail (canary %s %%, stable %s %%): an outage is not a verdict", who,
             judge_figure(percent(t->ec + t->start_ec, t->nc + t->start_nc)).text,
             judge_figure(percent(t->es, t->ns)).text);
}

static void say_pass(const struct judge *j, const struct court *c) {
    char bound[64] = "";
    if (c->r->upper < 1)
        snprintf(bound, sizeof bound, "; at most %.2g %% with 95 %% confidence", 100 * c->r->upper);
    snprintf(c->r->why, sizeof c->r->why, "%llu of %llu reconciles failed%s%s", ull(j->all.ec),
             ull(j->all.nc), bound, c->r->early ? ", clear before the soak was over" : "");
}

static void say_wait(const struct judge *j, const struct judge_param *p, const struct court *c) {
    const struct judge_test *t = &j->all;
    char *why = c->r->why;
    size_t room = sizeof c->r->why;
    char who[90];
    whose(c, who);
    if (c->r->verdict == VERDICT_WATCHING)
        snprintf(why, room, "%llu of %llu reconciles failed so far", ull(t->ec), ull(t->nc));
    else if (!c->enough)
        snprintf(why, room, "the canary did %llu reconciles (%llu in this step), %llu are needed", ull(t->nc),
                 ull(j->step_nc), ull(p->min_events));
    else if (!c->stable_calm)
        snprintf(why, room, "stable fails (%s %%): an outage is not a verdict",
                 judge_figure(percent(t->es, t->ns)).text);
    else if (c->idle)
        snprintf(why, room, "the canary has not reconciled once in controller %s, stable %llu times",
                 c->idle->name, ull(c->idle->ns));
    else if (!c->calm)
        snprintf(why, room, "%s%llu of %llu reconciles failed: suspicious, not proven", who,
                 ull(c->worst->ec), ull(c->worst->nc));
    else if (c->unseen > 0 && c->all.pass >= c->r->limit_pass)
        snprintf(why, room, "%llu of %llu reconciles failed: too few of both versions to see an outage by",
                 ull(t->ec), ull(t->nc));
    else
        snprintf(why, room, "%llu of %llu reconciles failed: %llu more clean ones would pass it", ull(t->ec),
                 ull(t->nc), ull(c->r->more));
}

void judge_why(const struct judge *j, const struct judge_param *p, const struct court *c) {
    switch (c->r->verdict) {
    case VERDICT_FAIL: say_fail(p, c); break;
    case VERDICT_HOLD: say_hold(c); break;
    case VERDICT_PASS: say_pass(j, c); break;
    case VERDICT_WATCHING:
    case VERDICT_INCONCLUSIVE: say_wait(j, p, c); break;
    }
}

void judge_odds(double log_e, char ret[40]) {
    double by = exp(fmin(fabs(log_e), log(1e6)));
    const char *over = fabs(log_e) > log(1e6) ? "over " : "";
    if (log_e < 0)
        snprintf(ret, 40, "1 to %s%.0f", over, by);
    else
        snprintf(ret, 40, "%s%.0f to 1", over, by);
}

void judge_words(const struct judge_report *r, struct buf *out) {
    char is[40], limit[40];
    judge_odds(r->v.log_e, is);
    judge_odds(r->limit_fail, limit);
    buf_addf(out, "odds that %s%s is bad: %s, rolled back at %s", r->name[0] ? "controller " : "it", r->name,
             is, limit);
    if (r->more)
        buf_addf(out, "; %llu more clean reconcile%s would pass it", ull(r->more), r->more > 1 ? "s" : "");
}
