/* One controller's errors: what is learned from a scrape, and what all scrapes so far say. */
#include "judge/counter.h"
#include "judge/judge.h"
#include <math.h>

/* The e-values' shares of their mean. */
static const double share_never = 0.26, share_hardly = 0.04, share_bet = 0.46, share_late = 0.12,
                    share_two = 0.12;
static const double share_looks = 0.35, share_counts = 0.15; /* of the pass test's four */
static const double spread_prior = 10; /* errors come in tens, before anything else is known */
static const double fade = 0.9;        /* of the recent counts, in a scrape */
static const double margins[JUDGE_MARGINS] = {2, 3, 4, 6, 10};
static const double suspicious = 3;       /* to one: no pass */
static const double worth_showing = 0.15; /* a rate that the end of a soak excludes */
static const double apart = 20;           /* to one: the canary is worse than stable */
static const double one_look = 3;         /* ln of the most that one scrape proves where gamma is learned */
static const double stable_awake = 0.02;  /* recent events below which stable says nothing */

void judge_test_init(struct judge_test *t) {
    *t = (struct judge_test){0};
    judge_dc_init(&t->late);
    judge_dc_init(&t->bet);
    judge_dc_init(&t->two);
    judge_dc_init(&t->equal);
    judge_dc_init(&t->stable);
    judge_dc_init(&t->stable_bet);
}

/* Of this controller. */
static struct judge_param of_test(const struct judge_test *t, const struct judge_param *p) {
    struct judge_param own = *p;
    if (t->theta > 0) own.theta = fmin(t->theta, 0.99);
    return own;
}

static double gamma_of(const struct judge_test *t, const struct judge_param *p) {
    if (p->gamma > 0) return p->gamma;
    return judge_spread_gamma(t->spread.weight >= t->own.weight ? &t->spread : &t->own);
}

static double log_sum(double a, double b) { /* ln(e^a + e^b) */
    double hi = fmax(a, b), lo = fmin(a, b);
    return lo == -INFINITY ? hi : hi + log1p(exp(lo - hi));
}

/* What is asked of the canary: at most the tolerated rate, and at most psi0 times what stable has shown, on the safe
 * side; below half of the tolerated rate only the comparison looks. */
static double asked(const struct judge_test *t, const struct judge_param *p) {
    if (!t->ns) return p->theta;
    double n = (double)t->ns + 1, rate = ((double)t->es + 1) / n;
    double upper = rate + 0.5 * sqrt(rate / n);
    return fmin(p->theta, fmax(p->theta / 2, p->psi0 * upper));
}

/* Half of all at most; above it as odds. */
double judge_margin_rate(const struct judge_param *p, double by) {
    double theta = p->theta;
    return by * theta <= 0.5 ? by * theta : by * theta / (1 - theta + by * theta);
}

/* Bets that the failed share is at most the tolerated rate, or a third of it, against margin times as much. */
static double pass_gain(const struct judge_param *p, int k, int i, double y) {
    double q = judge_margin_rate(p, margins[k]), r = i ? p->theta / 3 : p->theta;
    return log(y * (r / q) + (1 - y) * ((1 - r) / (1 - q)));
}

static void add_pass(struct judge_test *t, const struct judge_param *p, double y) {
    for (int k = 0; k < JUDGE_MARGINS; k++)
        for (int i = 0; i < 2; i++) t->pass[2 * k + i] += pass_gain(p, k, i, y);
}

static void add_recent(struct judge_test *t, int who, uint64_t x, uint64_t n) {
    t->recent_x[who] = fade * t->recent_x[who] + (double)x;
    t->recent_n[who] = fade * t->recent_n[who] + (double)n;
}

void judge_test_feed(struct judge_test *t, const struct judge_param *given, const struct judge_counts *c) {
    const struct judge_param own = of_test(t, given), *p = &own;
    uint64_t nc = c->nc, ns = c->ns, ec = c->ec < nc ? c->ec : nc, es = c->es < ns ? c->es : ns;
    double gamma = gamma_of(t, p); /* learned before this scrape */
    counter_sum(&t->ns, ns);
    counter_sum(&t->es, es);
    double limit = asked(t, p);
    double most = p->gamma > 0 ? INFINITY : one_look;
    judge_dc_add(&t->late, p->theta, gamma, most, ec, nc);
    judge_dc_bet(&t->bet, limit, ec, nc);
    judge_dc_add(&t->stable, p->theta, gamma, most, es, ns);
    judge_dc_bet(&t->stable_bet, p->theta, es, ns);
    counter_sum(&t->gap_es, es);
    counter_sum(&t->gap_ns, ns);
    judge_dc_two(&t->two, p->psi0, gamma, most, ec, nc, es, ns);
    if (nc) {
        judge_dc_two(&t->equal, 1, 1, INFINITY, ec, nc, t->gap_es, t->gap_ns);
        t->gap_es = t->gap_ns = 0;
    }
    if (nc + c->retried) {
        add_pass(t, p, (double)(ec + c->retried) / (double)(nc + c->retried));
        counter_sum(&t->looks, 1);
    }
    judge_spread_add(&t->spread, es, ns);
    judge_spread_add(&t->own, ec, nc);
    add_recent(t, 0, es, ns);
    add_recent(t, 1, ec + c->retried, nc + c->retried);
    counter_sum(&t->retried, c->retried);
    counter_sum(&t->nc, nc);
    counter_sum(&t->ec, ec);
    counter_sum(&t->start_nc, c->start_nc);
    counter_sum(&t->start_ec, c->start_ec < c->start_nc ? c->start_ec : c->start_nc);
}

/* The same by counts, tempered. */
static double count_gain(const struct judge_param *p, int k, int i, double x, double n) {
    double q = judge_margin_rate(p, margins[k]), r = i ? p->theta / 3 : p->theta;
    return x * log(r / q) + (n - x) * log((1 - r) / (1 - q));
}

/* The mean of four: by looks and by counts, at the tolerated rate and at a third of it; after so many more clean looks
 * with one reconcile each. */
static double pass_log(const struct judge_test *t, const struct judge_param *p, int k, double more) {
    double gamma = gamma_of(t, p), x = (double)(t->ec + t->retried), n = (double)(t->nc + t->retried) + more,
           sum = -INFINITY;
    for (int i = 0; i < 2; i++) {
        sum = log_sum(sum, log(share_looks) + t->pass[2 * k + i] + more * pass_gain(p, k, i, 0));
        sum = log_sum(sum, log(share_counts) + gamma * count_gain(p, k, i, x, n));
    }
    return sum;
}

uint64_t judge_test_more(const struct judge_test *t, const struct judge_param *given, double margin) {
    const struct judge_param own = of_test(t, given), *p = &own;
    int k = 0;
    while (k < JUDGE_MARGINS - 1 && margins[k] < margin) k++;
    double no = -1, yes = 1; /* looks that are too few, looks that suffice */
    while (pass_log(t, p, k, yes) < -log(p->beta) && yes < 1e9) yes *= 2;
    while (yes - no > 1) {
        double mid = floor(no + (yes - no) / 2);
        if (pass_log(t, p, k, mid) < -log(p->beta))
            no = mid;
        else
            yes = mid;
    }
    return (uint64_t)yes;
}

/* By the end of a soak of so much work, a canary without an error would be passed. */
static bool shown_in_soak(const struct judge_test *t, const struct judge_param *p, int k, double looks,
                          double n) {
    double gain = pass_gain(p, k, 1, 0), counts = gamma_of(t, p) * n;
    return looks * gain >= -log(share_looks * p->beta) || counts * gain >= -log(share_counts * p->beta);
}

/* By the deadline, one at the tolerated rate would be. */
static bool shown_by_deadline(const struct judge_param *p, int k, double n) {
    double a = p->theta, hit = pass_gain(p, k, 0, 1), miss = pass_gain(p, k, 0, 0);
    double mean = a * hit + (1 - a) * miss, sd = (miss - hit) * sqrt(a * (1 - a));
    return mean * n - 2 * sd * sqrt(n) >= -log(p->beta);
}

/* What a pass has to exclude: the smallest margin that a soak can show, as long as it is worth something; with less work
 * than that takes, the smallest that the time until the deadline can show. */
static int choose_margin(const struct judge_test *t, const struct judge_param *p, uint64_t scrapes) {
    double by = scrapes ? 1 / (double)scrapes : 0, n = (double)t->nc * by, looks = (double)t->looks * by;
    double soak = (double)p->soak_looks, whole = fmax((double)p->deadline_looks, (double)scrapes);
    for (int k = 0;
         k < JUDGE_MARGINS && judge_margin_rate(p, margins[k]) <= fmax(worth_showing, 2 * p->theta); k++)
        if (shown_in_soak(t, p, k, looks * soak, n * soak)) return k;
    for (int k = 0; k < JUDGE_MARGINS; k++)
        if (shown_by_deadline(p, k, n * whole)) return k;
    return JUDGE_MARGINS - 1;
}

/* In the last scrapes alone, four times the tolerated rate explains no more than that rate. */
static bool recently_calm(const struct judge_test *t, const struct judge_param *p, int who) {
    double theta = p->theta, q = judge_margin_rate(p, 4), x = t->recent_x[who], n = t->recent_n[who];
    return x * log(q / theta) + (n - x) * log((1 - q) / (1 - theta)) <= 0;
}

void judge_test_values(const struct judge_test *t, const struct judge_param *given, uint64_t scrapes,
                       struct judge_values *v) {
    const struct judge_param own = of_test(t, given), *p = &own;
    uint64_t all = t->nc + t->start_nc, failed = t->ec + t->start_ec;
    *v = (struct judge_values){
        .never = all && failed == all ? -(double)failed * log(p->theta)
                 : all                ? -INFINITY
                                      : 0,
        .late = judge_dc_log(&t->late),
        .bet = judge_dc_log(&t->bet),
        .two = judge_dc_log(&t->two),
        .equal = judge_dc_log(&t->equal),
        .stable = fmax(judge_dc_log(&t->stable), judge_dc_log(&t->stable_bet)),
        .gamma = gamma_of(t, p),
    };
    /* 98 % instead of the tolerated rate: errors tempered as if they came in tens, what succeeds counts in full */
    v->hardly = (double)failed / spread_prior * log(0.98 / p->theta) +
                (double)(all - failed) * log(0.02 / (1 - p->theta));
    if (p->theta >= 0.98) v->hardly = 0;
    v->log_e = log_sum(log_sum(v->never + log(share_never), v->bet + log(share_bet)),
                       log_sum(v->late + log(share_late), v->two + log(share_two)));
    v->log_e = log_sum(v->log_e, v->hardly + log(share_hardly));
    int k = choose_margin(t, p, scrapes);
    v->margin = margins[k];
    v->pass = pass_log(t, p, k, 0);
    v->stable_calm = v->stable < log(suspicious) && recently_calm(t, p, 0);
    v->calm = fmax(fmax(fmax(v->never, v->hardly), v->bet), fmax(v->late, v->two)) < log(suspicious) &&
              recently_calm(t, p, 1);
    bool silent = t->recent_n[0] < stable_awake;
    bool alone = fmax(v->never, v->hardly) >= -log(p->alpha) &&
                 4 * t->es <= t->ns; /* it has never worked, and stable does */
    v->worse = silent || alone || v->equal >= log(apart);
}
