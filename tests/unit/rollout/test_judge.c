/* The judge's formulas against vectors that were computed independently, and at their extremes. */
#include "../case.h"
#include "judge/judge.h"
#include <math.h>

#define assert_near(a, b) assert_near_at((a), (b), __LINE__)
static void assert_near_at(double a, double b, int line) {
    if (!(fabs(a - b) <= 1e-8 * fmax(1, fabs(b)))) fail_msg("line %d: %.12g is not %.12g", line, a, b);
}

CASE(threshold) {
    static const struct {
        uint64_t x, n;
        double theta, fail, pass;
    } v[] = {
        {0, 1, .05, -0.818599149, 0.034370399},        {1, 1, .05, 2.452733582, -1.091805071},
        {2, 2, .05, 5.165420345, -1.599699128},        {0, 59, .05, -3.723474342, 2.340231652},
        {0, 120, .05, -4.376068745, 5.128556863},      {3, 20, .05, -0.220641138, -1.725558406},
        {5, 100, .05, -3.021475912, -1.347967502},     {12, 100, .05, 1.389391701, -2.802642234},
        {30, 1000, .01, 9.546471552, -3.741229776},    {1, 1, .001, 6.234935188, -1.098478901},
        {0, 500, .01, -5.078529980, 4.096223718},      {200, 200, .05, 596.079284449, -5.976935802},
        {600, 12000, .05, -5.455369750, -3.679417731}, {10, 10, .5, 5.888305216, -2.842785636},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        assert_near(judge_log_fail(v[i].x, v[i].n, v[i].theta), v[i].fail);
        assert_near(judge_log_pass(v[i].x, v[i].n, v[i].theta), v[i].pass);
    }
    assert_near(judge_log_fail(0, 0, .05), 0);
    assert_near(judge_log_pass(0, 0, .05), 0);
    assert_near(judge_log_fail(7, 5, .05), judge_log_fail(5, 5, .05)); /* errors are at most the total */
}

CASE(two_samples) {
    static const struct {
        uint64_t ec, nc, es, ns;
        double one, one_and_half, two;
    } v[] = {
        {0, 2, 0, 18, 0, 0, 0},
        {1, 1, 0, 9, 1.859811349, 1.586752398, 1.398499521},
        {1, 2, 0, 20, 3.993136335, 3.394445706, 2.984504278},
        {0, 0, 1, 15, 3.993136335, 3.394445706, 2.984504278},
        {1, 1, 0, 0, 3.993136335, 3.394445706, 2.984504278},
        {2, 3, 1, 25, 5.947212071, 4.595732799, 3.692622207},
        {0, 20, 2, 180, 3.539238510, 2.260917559, 1.433392690},
        {5, 20, 2, 180, 10.580054327, 7.619710016, 5.687137246},
        {0, 200, 18, 1800, 2.270218176, 0.170941706, -1.003631265},
        {1, 1, 1, 1, 1.915015980, -0.160536469, -1.279222810},
    };
    struct judge_two one = {0}, half = {0}, two = {0};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        judge_two_add(&one, 1, v[i].ec, v[i].nc, v[i].es, v[i].ns);
        judge_two_add(&half, 1.5, v[i].ec, v[i].nc, v[i].es, v[i].ns);
        judge_two_add(&two, 2, v[i].ec, v[i].nc, v[i].es, v[i].ns);
        assert_near(judge_two_log(&one), v[i].one);
        assert_near(judge_two_log(&half), v[i].one_and_half);
        assert_near(judge_two_log(&two), v[i].two);
    }
}

/* Computed in Python from the definition: a sum over every scrape at which the rate may have changed, with the weights
 * 1/2, then what ln 2 / (2 ln(k + 1)) loses from scrape to scrape. */
CASE(late_break) {
    static const struct {
        uint64_t x, n;
        double whole, fifth, bet;
    } v[] = {
        {0, 2, -0.426602077, -0.204196380, -0.337388286},   {1, 1, 1.163467403, 0.069422178, 1.355578117},
        {0, 20, -1.089291803, -0.831907210, 0.389897354},   {0, 0, -1.089291803, -0.831907210, 0.389897354},
        {0, 200, -1.534083558, -1.417259209, -0.034071869}, {2, 2, 1.449221253, -1.268207915, 1.647344956},
        {1, 1, 4.245733226, -1.111135299, 3.843898089},     {3, 3, 12.926033961, -0.206439715, 6.285544816},
        {2, 10, 7.745363710, -0.906302703, 7.357493785},    {0, 50, -1.614378137, -1.577835892, 6.200137417}};
    struct judge_dc whole, fifth, bet, capped;
    judge_dc_init(&whole);
    judge_dc_init(&fifth);
    judge_dc_init(&bet);
    judge_dc_init(&capped);
    assert_near(judge_dc_log(&whole), 0);
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        double before = judge_dc_log(&capped);
        judge_dc_add(&whole, .05, 1, INFINITY, v[i].x, v[i].n);
        judge_dc_add(&fifth, .05, .2, INFINITY, v[i].x, v[i].n);
        judge_dc_add(&capped, .05, 1, .5, v[i].x, v[i].n);
        judge_dc_bet(&bet, .05, v[i].x, v[i].n);
        assert_near(judge_dc_log(&whole), v[i].whole);
        assert_near(judge_dc_log(&fifth), v[i].fifth);
        assert_near(judge_dc_log(&bet), v[i].bet);
        assert_true(judge_dc_log(&capped) <= before + .5 + 1e-12);
    }
}

/* The same for the comparison with stable, from whichever scrape on. */
CASE(late_comparison) {
    static const struct {
        uint64_t ec, nc, es, ns;
        double one, two;
    } v[] = {{0, 2, 0, 18, 0, 0},
             {1, 1, 0, 9, 1.311372121, 0.926066748},
             {1, 2, 0, 20, 3.356939037, 2.398239454},
             {0, 0, 1, 15, 3.356939037, 2.398239454},
             {1, 1, 0, 0, 3.356939037, 2.398239454},
             {2, 3, 1, 25, 5.306782107, 3.104618718},
             {0, 20, 2, 180, 2.935060544, 0.967070153},
             {5, 20, 2, 180, 9.949477125, 5.116033137},
             {0, 200, 18, 1800, 1.765441492, -0.864290340},
             {1, 1, 1, 1, 1.430915635, -1.033149520}};
    struct judge_dc one, two;
    judge_dc_init(&one);
    judge_dc_init(&two);
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        judge_dc_two(&one, 1, 1, INFINITY, v[i].ec, v[i].nc, v[i].es, v[i].ns);
        judge_dc_two(&two, 2, 1, INFINITY, v[i].ec, v[i].nc, v[i].es, v[i].ns);
        assert_near(judge_dc_log(&one), v[i].one);
        assert_near(judge_dc_log(&two), v[i].two);
    }
}

static double learned(const uint64_t *x, size_t n, uint64_t total, int times) {
    struct judge_spread s = {0};
    for (int k = 0; k < times; k++)
        for (size_t i = 0; i < n; i++) judge_spread_add(&s, x[i], total);
    return judge_spread_gamma(&s);
}

/* Errors that come one by one, ten at a time, or not at all. */
CASE(learned_dispersion) {
    static const uint64_t even[] = {2, 3, 1, 2, 2, 1, 3, 2}, tens[] = {0, 10, 0, 0, 0, 0, 10, 0},
                          none[] = {0, 0};
    assert_near(learned(none, 2, 100, 1000), .1); /* nothing is learned from no error */
    assert_true(learned(even, 8, 100, 100) > .9);
    double burst = learned(tens, 8, 100, 100);
    assert_true(burst > .08 && burst < .13);
    assert_near(learned(even, 8, 0, 9), .1);
}

/* The largest n at which x errors still fail; -1: never. */
static int fails_up_to(uint64_t x, double theta, double alpha, double gamma) {
    int n = (int)x;
    while (gamma * judge_log_fail(x, (uint64_t)n, theta) >= -log(alpha)) n++;
    return n > (int)x ? n - 1 : -1;
}

CASE(smallest_failures) {
    static const struct {
        double theta, alpha, gamma;
        int x[10], n[10];
    } v[] = {
        {.05, .01, 1, {1, 2, 3, 4, 5, 6, 8, 10, 15, 20}, {-1, 2, 5, 9, 14, 20, 35, 51, 100, 155}},
        {.05, .05, 1, {1, 2, 3, 4, 5, 6, 8, 10, 15, 20}, {-1, 3, 7, 13, 19, 27, 43, 62, 116, 175}},
        {.01, .01, 1, {1, 2, 3, 4, 5, 6, 8, 10, 15, 20}, {-1, 5, 16, 32, 54, 81, 145, 220, 444, 703}},
        {.10, .01, 1, {1, 2, 3, 4, 5, 6, 8, 10, 15, 20}, {-1, -1, 3, 6, 9, 12, 20, 29, 54, 83}},
        {.50, .01, 1, {1, 2, 3, 4, 5, 6, 8, 10, 15, 20}, {-1, -1, -1, -1, -1, -1, 8, 10, 17, 24}},
        {.05, .01, .2, {1, 2, 5, 6, 8, 10, 12, 15, 20, 30}, {-1, -1, -1, -1, -1, 12, 18, 30, 56, 126}},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        for (size_t k = 0; k < 10; k++) {
            assert_int_equal(fails_up_to((uint64_t)v[i].x[k], v[i].theta, v[i].alpha, v[i].gamma), v[i].n[k]);
        }
    }
}

static int passes_from(uint64_t x, double theta, double beta) {
    int n = (int)x;
    while (judge_log_pass(x, (uint64_t)n, theta) < -log(beta)) n++;
    return n;
}

CASE(clean_events_for_a_pass) {
    static const double theta[] = {.20, .10, .05, .02, .01};
    static const int none[] = {17, 36, 74, 188, 377}, strict[] = {25, 53, 109, 277, 556},
                     three[] = {51, 105, 213, 538, 1079};
    for (size_t i = 0; i < ARRAY_LEN(theta); i++) {
        assert_int_equal(passes_from(0, theta[i], .05), none[i]);
        assert_int_equal(passes_from(0, theta[i], .01), strict[i]);
        assert_int_equal(passes_from(3, theta[i], .05), three[i]);
    }
}

CASE(upper_limits) {
    static const struct {
        uint64_t n;
        double upper;
    } v[] = {{1, .972},  {3, .710},   {5, .527},   {10, .314},  {24, .146},
             {50, .073}, {100, .037}, {240, .016}, {1000, .004}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        assert_true(fabs(judge_upper(0, v[i].n, .05, 1) - v[i].upper) <= .0006);
    }
    assert_near(judge_upper(0, 0, .05, 1), 1);
    assert_near(judge_upper(5, 5, .05, 1), 1);
    assert_true(judge_upper(0, 100, .05, .2) > judge_upper(0, 100, .05, 1)); /* bursts make it less sure */
    assert_true(judge_upper(10, 100, .05, 1) > .1 && judge_upper(10, 100, .05, 1) < .3);
}

CASE(clopper_pearson) {
    /* 1 - 0.05^(1/n) when there is no error; tables for the rest */
    assert_near(judge_clopper_pearson_upper(0, 100, .95), 1 - pow(.05, .01));
    assert_near(judge_clopper_pearson_upper(0, 1, .95), .95);
    assert_true(fabs(judge_clopper_pearson_upper(1, 50, .95) - .0914) < 5e-5);
    assert_true(fabs(judge_clopper_pearson_upper(10, 100, .95) - .1637) < 1e-4);
    assert_near(judge_clopper_pearson_upper(3, 3, .95), 1);
    assert_near(judge_beta_cdf(1, 1, .25), .25);
    assert_near(judge_beta_cdf(2, 3, .5), .6875);
}

CASE(learned_rate) {
    assert_near(judge_auto_theta(0, 0), .05);
    assert_near(judge_auto_theta(0, 49), .05);
    assert_near(judge_auto_theta(0, 50), .05);
    assert_near(judge_auto_theta(0, 1000000), .01); /* never stricter than 1 % */
    assert_near(judge_auto_theta(900, 1000), .5);   /* never laxer than 50 % */
    assert_near(judge_auto_theta(10, 100), 1.5 * judge_clopper_pearson_upper(10, 100, .95));
    assert_near(judge_auto_theta(60, 50), .5);
    for (uint64_t per_mille = 0; per_mille <= 300; per_mille += 5) { /* more of the same is never laxer */
        double was = 1;
        for (uint64_t n = 200; n <= 1000000; n = n * 5 / 4 / 200 * 200 + 200) {
            double now = judge_auto_theta(n / 200 * per_mille / 5, n);
            assert_true(now <= was + 1e-9);
            was = now;
        }
    }
    for (uint64_t n = 0; n < 2000; n++)
        assert_true(judge_auto_theta(0, n + 1) <= judge_auto_theta(0, n) + 1e-9);
}

CASE(learned_rate_of_a_controller) {
    assert_near(judge_controller_theta(.05, 0, 0), .05);
    assert_near(judge_controller_theta(.05, 0, 1000), .05);
    assert_near(judge_controller_theta(.05, 1, 1000), .05);
    assert_near(judge_controller_theta(.05, 12, 200), 1.5 * judge_clopper_pearson_upper(12, 200, .95));
    assert_near(judge_controller_theta(.05, 1, 10), .3);
    assert_near(judge_controller_theta(.05, 1, 1), .5);   /* one of one tells little */
    assert_near(judge_controller_theta(.05, 80, 200), 1); /* stable fails too often in it */
    assert_near(judge_controller_theta(.05, 3, 2), .5);
    assert_near(judge_controller_theta(.05, 9, 3), 1);
    assert_near(judge_controller_theta(.6, 1, 10), .6);
}

CASE(extremes) {
    static const uint64_t n[] = {1, 1000, 1000000, 1000000000, UINT64_C(1000000000000)};
    static const double theta[] = {1e-12, 1e-6, .01, .5, .99, 1 - 1e-9, 0, 1, NAN};
    for (size_t i = 0; i < ARRAY_LEN(n); i++) {
        for (size_t k = 0; k < ARRAY_LEN(theta); k++) {
            uint64_t x[] = {0, 1, n[i] / 100, n[i] / 2, n[i] - 1, n[i]};
            for (size_t m = 0; m < ARRAY_LEN(x); m++) {
                assert_true(isfinite(judge_log_fail(x[m], n[i], theta[k])));
                assert_true(isfinite(judge_log_pass(x[m], n[i], theta[k])));
            }
        }
    }
    /* A rate just above and just below the tolerated one, with a lot of evidence. */
    uint64_t big = UINT64_C(1000000000000);
    assert_true(judge_log_fail(big / 100 + 20000000, big, .01) > 100);
    assert_true(judge_log_pass(big / 100 - 20000000, big, .01) > 100);
    assert_true(judge_log_fail(big / 100, big, .01) < 0 && judge_log_pass(big / 100, big, .01) < 0);
    double upper = judge_upper(0, big, .05, 1);
    assert_true(upper > 1e-12 && upper < 1e-10);
}

CASE(extreme_processes) {
    uint64_t big = UINT64_C(1000000000000);
    static const double theta[] = {1e-9, .01, .5, .999999};
    for (size_t i = 0; i < ARRAY_LEN(theta); i++) {
        struct judge_dc dc, bet, late;
        struct judge_two two = {0};
        judge_dc_init(&dc);
        judge_dc_init(&bet);
        judge_dc_init(&late);
        for (int k = 0; k < 100000; k++) {
            uint64_t n = k % 3 ? big : 1, x = k % 5 ? n / 2 : k % 2 ? n : 0;
            judge_dc_add(&dc, theta[i], 1, INFINITY, x, n);
            judge_dc_bet(&bet, theta[i], x, n);
            judge_dc_two(&late, 2, 1, INFINITY, x, n, n - x, n);
            judge_two_add(&two, 2, x, n, n - x, n);
        }
        assert_true(isfinite(judge_dc_log(&dc)));
        assert_true(isfinite(judge_two_log(&two)));
        assert_true(isfinite(judge_dc_log(&bet)) && isfinite(judge_dc_log(&late)));
    }
}

CASES("rollout/judge")
