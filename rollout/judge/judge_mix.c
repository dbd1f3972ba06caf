/* The judge's two running e-processes: the late-break mixture and the two-sample comparison. */
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

void judge_dc_add(struct judge_dc *dc, double theta, double gamma, uint64_t errors, uint64_t total) {
    if (!total) return;
    if (errors > total) errors = total;
    /* The weight that this scrape's "it broke now" gets: a half at first, then a 60th of the rest (a hazard
     * rate). */
    double ln_w = dc->ln_r + log(dc->begun ? 1.0 / 60 : 0.5);
    dc->ln_r += log(dc->begun ? 59.0 / 60 : 0.5);
    dc->begun = true;
    for (int j = 0; j < JUDGE_RATES; j++) {
        double hit, miss;
        grid_rate(theta, j, &hit, &miss);
        dc->m[j] = log_add(dc->m[j], ln_w - log(JUDGE_RATES)) +
                   gamma * ((double)errors * hit + (double)(total - errors) * miss);
    }
}

double judge_dc_log(const struct judge_dc *dc) {
    double sum = dc->ln_r;
    for (int j = 0; j < JUDGE_RATES; j++) sum = log_add(sum, dc->m[j]);
    return sum;
}

static double ratio(int j) { /* how many times worse than psi0 allows */
    return 1.5 * (double)(1 << j);
}

void judge_two_add(struct judge_two *t, double psi0, uint64_t ec, uint64_t nc, uint64_t es, uint64_t ns) {
    if (ec > nc) ec = nc;
    if (es > ns) es = ns;
    if (!nc || !ns || ec + es == 0) return;
    double c = (double)nc * psi0, s = (double)ns, all = (double)(ec + es);
    for (int j = 0; j < JUDGE_RATIOS; j++) {
        t->l[j] += (double)ec * log(ratio(j)) + all * (log(s + c) - log(s + c * ratio(j)));
    }
}

double judge_two_log(const struct judge_two *t) {
    double sum = t->l[0];
    for (int j = 1; j < JUDGE_RATIOS; j++) sum = log_add(sum, t->l[j]);
    return sum - log(JUDGE_RATIOS);
}
