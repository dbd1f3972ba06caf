/* The judge's running e-processes: mixtures over when a rate broke and to what, and the two-sample comparison from the
 * beginning on. */
#include "judge/judge.h"
#include <math.h>

static double log_add(double a, double b) { /* ln(e^a + e^b) */
    double hi = fmax(a, b), lo = fmin(a, b);
    return lo == -INFINITY ? hi : hi + log1p(exp(lo - hi));
}

static double logit(double p) {
    return log(p) - log1p(-p);
}

void judge_dc_init(struct judge_dc *dc) {
    *dc = (struct judge_dc){.ln_r = 0};
    for (int j = 0; j < JUDGE_RATES; j++) dc->m[j] = -INFINITY;
}

double judge_dc_log(const struct judge_dc *dc) {
    double sum = dc->ln_r;
    for (int j = 0; j < JUDGE_RATES; j++) sum = log_add(sum, dc->m[j]);
    return sum;
}

/* "It broke at this look" gets a half of the weight at the first one, at the k-th what ln 2 / (2 ln k) loses to
 * ln 2 / (2 ln(k + 1)): that is about 1 / (k ln^2 k), so that a break stays detectable however late it comes. */
static double place_weight(struct judge_dc *dc) {
    double k = (double)++dc->looks, left = dc->looks == 1 ? 0.5 : log(k) / log(k + 1);
    double ln_w = dc->ln_r + log1p(-left);
    dc->ln_r += log(left);
    return ln_w;
}

static void step(struct judge_dc *dc, const double *gain, int n, double most) {
    double ln_w = place_weight(dc) - log(n);
    for (int j = 0; j < n; j++) dc->m[j] = log_add(dc->m[j], ln_w) + fmin(gain[j], most);
}

/* ln(p_j / theta) and ln((1 - p_j) / (1 - theta)) for the grid's rate j: equispaced in logit between just
 * above the tolerated rate and nearly always. */
static void grid_rate(double theta, int j, double *ret_hit, double *ret_miss) {
    double lo = logit(theta + fmin(theta / 2, (1 - theta) / 4));
    double hi = logit(fmax(0.98, 1 - (1 - theta) / 50));
    double z = lo + (hi - lo) * j / (JUDGE_RATES - 1);
    double ln_p = -log1p(exp(-z)),
           ln_q = -log1p(exp(z)); /* of the logistic function of z and its complement */
    *ret_hit = ln_p - log(theta);
    *ret_miss = ln_q - log1p(-theta);
}

void judge_dc_add(struct judge_dc *dc, double theta, double gamma, double most, uint64_t errors,
                  uint64_t total) {
    double gain[JUDGE_RATES];
    if (!total) return;
    if (errors > total) errors = total;
    for (int j = 0; j < JUDGE_RATES; j++) {
        double hit, miss;
        grid_rate(theta, j, &hit, &miss);
        gain[j] = gamma * ((double)errors * hit + (double)(total - errors) * miss);
    }
    step(dc, gain, JUDGE_RATES, most);
}

/* The likelihood ratio of one event, linear between its two outcomes: a bet on the share that failed. */
void judge_dc_bet(struct judge_dc *dc, double theta, uint64_t errors, uint64_t total) {
    double gain[JUDGE_RATES];
    if (!total) return;
    double y = errors < total ? (double)errors / (double)total : 1;
    for (int j = 0; j < JUDGE_RATES; j++) {
        double hit, miss;
        grid_rate(theta, j, &hit, &miss);
        gain[j] = log(y * exp(hit) + (1 - y) * exp(miss));
    }
    step(dc, gain, JUDGE_RATES, INFINITY);
}

static double ratio(int j) { /* how many times worse than psi0 allows */
    return 1.5 * (double)(1 << j);
}

/* Of the errors of both, given how many there are, so many are the canary's. */
static bool two_gain(double psi0, uint64_t ec, uint64_t nc, uint64_t es, uint64_t ns, double *gain) {
    if (ec > nc) ec = nc;
    if (es > ns) es = ns;
    if (!nc || !ns || ec + es == 0) return false;
    double c = (double)nc * psi0, s = (double)ns, all = (double)(ec + es);
    for (int j = 0; j < JUDGE_RATIOS; j++)
        gain[j] = (double)ec * log(ratio(j)) + all * (log(s + c) - log(s + c * ratio(j)));
    return true;
}

void judge_dc_two(struct judge_dc *dc, double psi0, double gamma, double most, uint64_t ec, uint64_t nc,
                  uint64_t es, uint64_t ns) {
    double gain[JUDGE_RATIOS];
    if (!two_gain(psi0, ec, nc, es, ns, gain)) return;
    for (int j = 0; j < JUDGE_RATIOS; j++) gain[j] *= gamma;
    step(dc, gain, JUDGE_RATIOS, most);
}

void judge_two_add(struct judge_two *t, double psi0, uint64_t ec, uint64_t nc, uint64_t es, uint64_t ns) {
    double gain[JUDGE_RATIOS];
    if (!two_gain(psi0, ec, nc, es, ns, gain)) return;
    for (int j = 0; j < JUDGE_RATIOS; j++) t->l[j] += gain[j];
}

double judge_two_log(const struct judge_two *t) {
    double sum = t->l[0];
    for (int j = 1; j < JUDGE_RATIOS; j++) sum = log_add(sum, t->l[j]);
    return sum - log(JUDGE_RATIOS);
}

/* Before anything is known of it, errors come in tens; that view is worth so many errors. */
static const double spread_prior = 10, spread_weight = 10;

void judge_spread_add(struct judge_spread *s, uint64_t errors, uint64_t total) {
    if (!total) return;
    if (errors > total) errors = total;
    if (!s->n) {
        s->x = errors;
        s->n = total;
        return;
    }
    double n = (double)total, m = (double)s->n, sum = (double)(errors + s->x), p = sum / (n + m);
    double d = (double)errors / n - (double)s->x / m, var = p * (1 - p) * (1 / n + 1 / m);
    double w = fmin(sum, 10);
    if (var > 0) {
        s->sum += w * fmin(d * d / var, 1e6);
        s->weight += w;
    }
    s->x = s->n = 0;
}

double judge_spread_gamma(const struct judge_spread *s) {
    double by = (spread_prior * spread_weight + s->sum) / (spread_weight + s->weight);
    return by > 1 ? 1 / by : 1;
}
