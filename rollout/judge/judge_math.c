/* The judge's formulas: incomplete beta integrals, threshold e-values, limits. Sources: docs/judge.md. */
#include "judge/judge.h"
#include <math.h>

/* Near the mean the continued fraction takes about sqrt(a + b) rounds: this is enough for 1e12 events. */
enum { CF_ROUNDS = 4000000, BISECTIONS = 200 };

/* lgamma(x) less Stirling's main part, x >= 10. */
static double stirling_rest(double x) {
    double y = 1 / (x * x);
    return (1.0 / 12 -
            y * (1.0 / 360 - y * (1.0 / 1260 - y * (1.0 / 1680 - y * (1.0 / 1188 - y * 691.0 / 360360))))) /
           x;
}

static double log_gamma(double x) {
    int sign; /* lgamma() would write a global */
    return lgamma_r(x, &sign);
}

/* ln B(a, b) without the cancellation of three large lgamma(). */
static double log_beta(double a, double b) {
    double p = fmin(a, b), q = fmax(a, b), share = p / (p + q);
    if (q < 10) return log_gamma(p) + log_gamma(q) - log_gamma(p + q);
    double rest = stirling_rest(q) - stirling_rest(p + q);
    if (p < 10) return log_gamma(p) + rest + p - p * log(p + q) + (q - 0.5) * log1p(-share);
    rest += stirling_rest(p);
    return -0.5 * log(q) + 0.5 * log(2 * M_PI) + rest + (p - 0.5) * log(share) + q * log1p(-share);
}

/* Lentz' evaluation of the continued fraction of the incomplete beta; converges for x < (a + 1) / (a + b +
 * 2). */
static double beta_fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m <= CF_ROUNDS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        if (fabs(c) < tiny) c = tiny;
        h *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        if (fabs(c) < tiny) c = tiny;
        h *= d * c;
        if (fabs(d * c - 1) < 1e-15) break;
    }
    return fmax(h, tiny);
}

static double clamp_rate(double t) {
    return !(t > 1e-15) ? 1e-15 : t > 1 - 1e-15 ? 1 - 1e-15 : t;
}

/* ln of the integral of p^(a-1) (1-p)^(b-1) over t..1; a, b > 0, 0 < t < 1. */
static double log_upper_beta(double a, double b, double t) {
    t = clamp_rate(t);
    double kernel = a * log(t) + b * log1p(-t);
    if (t >= (a + 1) / (a + b + 2)) return kernel + log(beta_fraction(b, a, 1 - t) / b);
    double all = log_beta(a, b);
    double below =
        kernel + log(beta_fraction(a, b, t) / a) - all; /* ln of the share under t, about a half at most */
    return all + log1p(-exp(fmin(below, -1e-16)));
}

double judge_beta_cdf(double a, double b, double x) {
    if (!(x > 0)) return 0;
    if (x >= 1) return 1;
    double kernel = a * log(x) + b * log1p(-x) - log_beta(a, b);
    if (x < (a + 1) / (a + b + 2)) return fmin(1, exp(kernel) * beta_fraction(a, b, x) / a);
    return fmax(0, 1 - exp(kernel) * beta_fraction(b, a, 1 - x) / b);
}

/* Both threshold tests: a Beta(1/2, 1/2) mixture over the rates beyond theta, against theta itself. */
static double log_threshold(double hits, double misses, double theta) {
    theta = clamp_rate(theta);
    return log_upper_beta(hits + 0.5, misses + 0.5, theta) - log_upper_beta(0.5, 0.5, theta) -
           hits * log(theta) - misses * log1p(-theta);
}

double judge_log_fail(uint64_t x, uint64_t n, double theta) {
    if (x > n) x = n;
    return n ? log_threshold((double)x, (double)(n - x), theta) : 0;
}

double judge_log_pass(uint64_t x, uint64_t n, double theta) {
    if (x > n) x = n;
    return n ? log_threshold((double)(n - x), (double)x, 1 - clamp_rate(theta)) : 0;
}

double judge_upper(uint64_t x, uint64_t n, double level, double gamma) {
    double limit = -log(level), lo = n ? (double)x / (double)n : 1, hi = 1 - 1e-12;
    if (!n || x >= n || gamma * judge_log_pass(x, n, hi) < limit) return 1;
    /* Above x/n the e-value grows with theta. */
    for (int i = 0; i < BISECTIONS && hi - lo > 1e-9 * hi; i++) {
        double mid = lo + (hi - lo) / 2;
        if (gamma * judge_log_pass(x, n, mid) >= limit)
            hi = mid;
        else
            lo = mid;
    }
    return hi;
}

double judge_clopper_pearson_upper(uint64_t x, uint64_t n, double confidence) {
    if (!n || x >= n) return 1;
    double lo = (double)x / (double)n, hi = 1;
    for (int i = 0; i < BISECTIONS && hi - lo > 1e-12 * hi; i++) {
        double mid = lo + (hi - lo) / 2;
        if (judge_beta_cdf((double)x + 1, (double)(n - x), mid) >= confidence)
            hi = mid;
        else
            lo = mid;
    }
    return hi;
}

double judge_controller_theta(double theta, uint64_t errors, uint64_t total) {
    if (errors > total) errors = total;
    if (!errors) return theta;
    if (judge_clopper_pearson_upper(total - errors, total, 0.95) < 0.75) return 1;
    double limit = 1.5 * judge_clopper_pearson_upper(errors, total, 0.95);
    return fmax(theta, fmin(0.5, fmin(limit, 3 * (double)errors / (double)total)));
}

double judge_auto_theta(uint64_t errors, uint64_t total) {
    if (errors > total) errors = total;
    double limit = 1.5 * judge_clopper_pearson_upper(errors, total, 0.95);
    double seen = total ? 3 * (double)errors / (double)total : 0;
    return fmin(0.5, fmin(fmax(0.01, limit), fmax(0.05, seen)));
}
