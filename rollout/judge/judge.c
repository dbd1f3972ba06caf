/* The rule: from the e-values, the time watched and the number of events to a verdict. Its sentences: judge_words.c. */
#include "judge/judge_rule.h"
#include "base/mem.h"
#include "base/time.h"
#include <math.h>
#include <stdio.h>

/* So many reconciles of the canary in a controller, by what stable does in it, are missed when there is none. */
static const double missed = 3;
static const double suspicious = 3; /* to one */
/* Of so many reconciles in an outage in which 30 % fail, not one fails once in 1250 times. */
static const double seen_by = 20;

void judge_param_soak(struct judge_param *p, int64_t soak_ns) {
    p->soak_ns = soak_ns;
    p->min_soak_ns = soak_ns / 5;
}

void judge_param_default(struct judge_param *p) {
    *p = (struct judge_param){.theta = 0.05,
                              .psi0 = 2,
                              .alpha = 0.01,
                              .beta = 0.05,
                              .min_events = 10,
                              .soak_looks = 60,
                              .deadline_looks = 720};
    judge_param_soak(p, 300 * NS_PER_S);
}

void judge_init(struct judge *j) {
    *j = (struct judge){0};
    judge_test_init(&j->all);
}

void judge_free(struct judge *j) {
    free(j->controller);
    judge_init(j);
}

void judge_copy(const struct judge *from, struct judge *ret) {
    *ret = *from;
    ret->cap = 0;
    ret->controller = from->n ? xgrow(NULL, &ret->cap, from->n, sizeof *ret->controller) : NULL;
    if (from->n) memcpy(ret->controller, from->controller, from->n * sizeof *ret->controller);
}

static void add_lately(struct judge *j, const struct judge_counts *c) {
    double left = (double)j->scrapes / (double)(j->scrapes + 1);
    j->lately = left * left * j->lately + (double)c->nc + (double)c->ns;
}

void judge_feed(struct judge *j, const struct judge_param *p, const struct judge_counts *c) {
    uint64_t before = j->all.nc + j->all.start_nc;
    judge_test_feed(&j->all, p, c);
    judge_two_add(&j->two, p->psi0, c->ec, c->nc, c->es, c->ns);
    judge_two_add(&j->two_equal, 1, c->ec, c->nc, c->es, c->ns);
    add_lately(j, c);
    j->step_nc += j->all.nc + j->all.start_nc - before;
    j->scrapes++;
}

static struct judge_test *find(struct judge *j, const char *name) {
    for (size_t i = 0; i < j->n; i++)
        if (!strcmp(j->controller[i].name, name)) return &j->controller[i];
    return NULL;
}

static struct judge_test *controller(struct judge *j, const char *name) {
    struct judge_test *t = find(j, name);
    if (!t && j->n >= JUDGE_CONTROLLERS - 1) t = find(j, name = JUDGE_OTHERS);
    if (t) return t;
    if (j->n == JUDGE_CONTROLLERS) return &j->controller[j->n - 1];
    j->controller = xgrow(j->controller, &j->cap, j->n + 1, sizeof *j->controller);
    t = &j->controller[j->n++];
    judge_test_init(t);
    snprintf(t->name, sizeof t->name, "%s", name);
    return t;
}

void judge_feed_controller(struct judge *j, const struct judge_param *p, const char *name,
                           const struct judge_counts *c) {
    judge_test_feed(controller(j, name), p, c);
}

void judge_controller_history(struct judge *j, const struct judge_param *p, const char *name, uint64_t errors,
                              uint64_t total) {
    size_t before = j->n;
    struct judge_test *t = controller(j, name);
    double theta = judge_controller_theta(p->theta, errors, total);
    if (j->n > before && theta > p->theta) t->theta = theta;
}

void judge_next_step(struct judge *j) {
    j->step_nc = 0;
}

static bool worked(const struct judge_test *t) {
    return t->nc + t->start_nc > 0;
}

/* Stable fails in it itself, too often for a comparison. */
static bool not_judged(const struct judge_test *t) {
    return t->theta >= 1;
}

/* Stable works in it, and the canary has not begun to. */
static bool idle(const struct judge *j, const struct judge_test *t) {
    double share = j->all.ns ? (double)j->all.nc / (double)j->all.ns : 0;
    return !worked(t) && (double)t->ns * share >= missed;
}

static enum verdict on_fail(const struct judge_values *v, double limit) {
    bool outage = !v->worse || v->stable >= log(suspicious);
    return outage && v->two < limit ? VERDICT_HOLD : VERDICT_FAIL;
}

/* Looks at a test beside the others: what it says is kept when it speaks louder against the canary. */
static void consider(const struct judge *j, const struct judge_param *p, const struct judge_test *t,
                     struct court *c) {
    struct judge_values v;
    if (not_judged(t)) return;
    judge_test_values(t, p, j->scrapes, &v);
    enum verdict says = v.log_e >= c->r->limit_fail ? on_fail(&v, c->r->limit_fail) : VERDICT_WATCHING;
    bool louder = says > c->says || (says == c->says && v.log_e > c->r->v.log_e);
    c->calm = c->calm && v.calm;
    c->stable_calm = c->stable_calm && v.stable_calm;
    if (idle(j, t)) c->idle = t;
    if (c->worst && !louder) return;
    c->says = says;
    c->worst = t;
    c->r->v = v;
    c->r->name = t->name;
}

/* So many reconciles of both versions lately are missing for an outage that has just begun to be seen in them; after half of
 * the time until the deadline none. A stable that does nothing tells of no outage. */
static double unseen(const struct judge *j, const struct judge_param *p) {
    bool late = p->deadline_looks && 2 * j->scrapes >= p->deadline_looks;
    return late || !j->all.ns ? 0 : fmax(0, seen_by - j->lately);
}

static void decide(const struct judge *j, const struct judge_param *p, int64_t soaked_ns, struct court *c) {
    struct judge_report *r = c->r;
    if (c->says != VERDICT_WATCHING) {
        r->verdict = c->says;
        return;
    }
    c->enough = j->all.nc >= p->min_events && j->step_nc > 0;
    c->unseen = unseen(j, p);
    bool may = c->enough && c->calm && c->stable_calm && !c->idle && c->unseen <= 0;
    r->early = may && r->log_pass >= r->limit_pass && soaked_ns >= p->min_soak_ns;
    bool soaked = soaked_ns >= p->soak_ns;
    if (r->early || (may && soaked && c->all.pass >= r->limit_pass))
        r->verdict = VERDICT_PASS;
    else
        r->verdict = soaked ? VERDICT_INCONCLUSIVE : VERDICT_WATCHING;
    if (r->verdict == VERDICT_PASS || !c->calm || !j->all.nc) return;
    uint64_t looks = c->all.pass < r->limit_pass ? judge_test_more(&j->all, p, c->all.margin) : 0;
    double busy = j->all.looks ? (double)j->all.nc / (double)j->all.looks : 1;
    uint64_t more = (uint64_t)ceil((double)looks * busy),
             few = j->all.nc < p->min_events ? p->min_events - j->all.nc : 0;
    r->more = more > few ? more : few;
    /* three, for what is new fades like all else */
    uint64_t both = (uint64_t)ceil(3 * c->unseen * (double)j->all.nc / (double)(j->all.nc + j->all.ns));
    r->more = r->more > both ? r->more : both;
}

void judge_verdict(const struct judge *j, const struct judge_param *p, int64_t soaked_ns,
                   struct judge_report *ret) {
    unsigned tests = 1;
    for (size_t i = 0; i < j->n; i++) tests += worked(&j->controller[i]) && !not_judged(&j->controller[i]);
    *ret =
        (struct judge_report){.limit_fail = log(tests / p->alpha), .limit_pass = -log(p->beta), .name = ""};
    struct court c = {.r = ret, .calm = true, .stable_calm = true};
    consider(j, p, &j->all, &c);
    c.all = ret->v;
    for (size_t i = 0; i < j->n; i++) consider(j, p, &j->controller[i], &c);
    double gamma = c.all.gamma;
    ret->log_fail = gamma * judge_log_fail(j->all.ec, j->all.nc, p->theta);
    ret->log_pass = gamma * judge_log_pass(j->all.ec + j->all.retried, j->all.nc + j->all.retried, p->theta);
    ret->log_two = gamma * judge_two_log(&j->two);
    ret->log_two_equal = gamma * judge_two_log(&j->two_equal);
    ret->log_late = c.all.late; /* tempered in its increments */
    ret->log_stable = judge_dc_log(&j->all.stable);
    decide(j, p, soaked_ns, &c);
    ret->upper = judge_upper(j->all.ec + j->all.retried, j->all.nc + j->all.retried, p->beta, gamma);
    if (c.all.pass >= ret->limit_pass) ret->upper = fmin(ret->upper, judge_margin_rate(p, c.all.margin));
    judge_why(j, p, &c);
}

const char *verdict_name(enum verdict v) {
    static const char *const names[] = {"watching", "hold", "fail", "pass", "inconclusive"};
    return (size_t)v < ARRAY_LEN(names) ? names[v] : "?";
}
