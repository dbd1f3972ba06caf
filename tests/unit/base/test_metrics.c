/* The registry and its text format. */
#include "../case.h"
#include "base/metrics.h"
#include <math.h>

#define HEAD                                                                                                 \
    "# HELP handover_metrics_series_dropped_total Look-ups of series past the cap of their family, counted " \
    "as \"other\".\n"                                                                                        \
    "# TYPE handover_metrics_series_dropped_total counter\nhandover_metrics_series_dropped_total "

#define METRICS_CASE(name) CASE_OF(struct metrics, m, metrics_new(3), metrics_free, name)

/* The page is this. */
static void writes(struct metrics *m, const char *want) {
    cleanup_buf struct buf b = BUF(4096);
    assert_int_equal(metrics_write(m, &b), 0);
    assert_buf(b, want);
}

/* The page has this somewhere. */
static void shows(struct metrics *m, const char *part) {
    cleanup_buf struct buf b = BUF(4096);
    assert_int_equal(metrics_write(m, &b), 0);
    if (!strstr(b.p, part)) fail_msg("%s not in %s", part, b.p);
}

METRICS_CASE(text_format) {
    struct metric_family *c =
        metrics_family(m, METRIC_COUNTER, "b_total", "Help \\ with\na line and \"quotes\".", "x,y", NULL, 0);
    struct metric_family *g = metrics_family(m, METRIC_GAUGE, "a", "A.", "", NULL, 0);
    metrics_family(m, METRIC_GAUGE, "silent", "Has no series.", "x", NULL, 0);
    metric_add(metric_with(c, (const char *[]){"1", "q\"\\\n"}), 2.5);
    metric_inc(metric_with(c, (const char *[]){"", "\xff\xc3\xa9"}));
    metric_set(metric_plain(g), -7);
    writes(m, HEAD "0\n"
                   "# HELP b_total Help \\\\ with\\na line and \"quotes\".\n# TYPE b_total counter\n"
                   "b_total{x=\"1\",y=\"q\\\"\\\\\\n\"} 2.5\n"
                   "b_total{x=\"\",y=\"\xef\xbf\xbd\xc3\xa9\"} 1\n"
                   "# HELP a A.\n# TYPE a gauge\na -7\n");
}

METRICS_CASE(numbers) {
    struct metric *g = metric_plain(metrics_family(m, METRIC_GAUGE, "g", "G.", "", NULL, 0));
    static const struct {
        double v;
        const char *text;
    } cases[] = {{0, "\ng 0\n"},
                 {1e14, "\ng 100000000000000\n"},
                 {1e15, "\ng 1e+15\n"},
                 {0.1, "\ng 0.1\n"},
                 {1.0 / 3, "\ng 0.3333333333333333\n"},
                 {-1e-7, "\ng -1e-07\n"},
                 {(double)NAN, "\ng NaN\n"},
                 {(double)INFINITY, "\ng +Inf\n"},
                 {-(double)INFINITY, "\ng -Inf\n"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        metric_set(g, cases[i].v);
        shows(m, cases[i].text);
    }
}

METRICS_CASE(histograms) {
    const double limits[] = {0.1, 1, 10};
    struct metric_family *f = metrics_family(m, METRIC_HISTOGRAM, "h", "H.", "l", limits, 3);
    struct metric *h = metric_with(f, (const char *[]){"v"});
    const double seen[] = {0.1, 0.05, 1, 1.5, 11, 0.5};
    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        metric_observe(h, seen[i]); /* a limit belongs to its own bucket */
    assert_true(metric_value(h) > 5.5 && metric_value(h) < 6.5);
    writes(m, HEAD
           "0\n# HELP h H.\n# TYPE h histogram\n"
           "h_bucket{l=\"v\",le=\"0.1\"} 2\nh_bucket{l=\"v\",le=\"1\"} 4\nh_bucket{l=\"v\",le=\"10\"} 5\n"
           "h_bucket{l=\"v\",le=\"+Inf\"} 6\nh_sum{l=\"v\"} 14.15\nh_count{l=\"v\"} 6\n");
    for (size_t i = 1; i < ARRAY_LEN(metrics_seconds); i++)
        assert_true(metrics_seconds[i] > metrics_seconds[i - 1]);
    metric_observe(h, (double)NAN); /* counted, in no bucket but +Inf */
    shows(m, "le=\"10\"} 5\nh_bucket{l=\"v\",le=\"+Inf\"} 7\n");
}

CASE(series_are_found_again) {
    struct metrics *m = metrics_new(1000);
    struct metric_family *f = metrics_family(m, METRIC_COUNTER, "c_total", "C.", "a,b", NULL, 0);
    assert_ptr_equal(f, metrics_family(m, METRIC_COUNTER, "c_total", "C.", "a,b", NULL, 0));
    struct metric *v[900];
    for (int i = 0; i < 1800; i++) { /* found again across growth of the table */
        int n = i % 900;
        char a[16], b[16];
        snprintf(a, sizeof a, "%d", n);
        snprintf(b, sizeof b, "%d", n / 7);
        struct metric *found = metric_with(f, (const char *[]){a, b});
        if (i < 900) metric_add(v[n] = found, n);
        assert_ptr_equal(found, v[n]);
        assert_int_equal((int)metric_value(found), n);
    }
    assert_ptr_not_equal(metric_with(f, (const char *[]){"ab", "c"}),
                         metric_with(f, (const char *[]){"a", "bc"}));
    metrics_free(m);
}

METRICS_CASE(the_cap) {
    struct metric_family *f = metrics_family(m, METRIC_COUNTER, "c_total", "C.", "a,b", NULL, 0);
    for (int i = 0; i < 10; i++) {
        char a[16];
        snprintf(a, sizeof a, "%d", i);
        metric_inc(metric_with(f, (const char *[]){a, "x"}));
    }
    writes(m, HEAD "7\n# HELP c_total C.\n# TYPE c_total counter\n"
                   "c_total{a=\"0\",b=\"x\"} 1\nc_total{a=\"1\",b=\"x\"} 1\nc_total{a=\"2\",b=\"x\"} 1\n"
                   "c_total{a=\"other\",b=\"other\"} 7\n");
}

METRICS_CASE(counters_only_rise) {
    struct metric *c = metric_plain(metrics_family(m, METRIC_COUNTER, "c_total", "C.", "", NULL, 0));
    metric_add(c, 2);
    metric_add(c, -1);
    metric_add(c, (double)NAN);
    assert_true(metric_value(c) > 1.9 && metric_value(c) < 2.1);
    struct metric *g = metric_plain(metrics_family(m, METRIC_GAUGE, "g", "G.", "", NULL, 0));
    metric_add(g, 2);
    metric_add(g, -3);
    assert_true(metric_value(g) < -0.9 && metric_value(g) > -1.1);
}

static void count_looks(void *ctx) {
    metric_set(ctx, metric_value(ctx) + 1);
}

METRICS_CASE(collectors_and_caps) {
    struct metric *g = metric_plain(metrics_family(m, METRIC_GAUGE, "g", "G.", "", NULL, 0));
    metrics_on_collect(m, count_looks, g);
    metrics_on_collect(m, count_looks, g);
    cleanup_buf struct buf small = BUF(50);
    shows(m, "\ng 2\n"); /* before it is written */
    assert_int_equal(metrics_write(m, &small), -ENOBUFS);
    assert_true(small.full);
    metrics_free(NULL);
}

METRICS_CASE(a_collector_is_taken_back) {
    struct metric_family *f = metrics_family(m, METRIC_GAUGE, "g", "G.", "of", NULL, 0);
    struct metric *g[3];
    for (int i = 0; i < 3; i++) {
        g[i] = metric_with(f, (const char *const[]){(const char *const[]){"a", "b", "c"}[i]});
        metrics_on_collect(m, count_looks, g[i]);
    }
    metrics_off_collect(m, count_looks, g[1]);
    metrics_off_collect(m, count_looks, g[1]); /* no longer there */
    shows(m, "g{of=\"a\"} 1\ng{of=\"b\"} 0\ng{of=\"c\"} 1\n");
}

METRICS_CASE(a_cleared_family_begins_anew) {
    struct metric_family *f = metrics_family(m, METRIC_GAUGE, "g", "G.", "of", NULL, 0);
    for (int round = 0; round < 3; round++) {
        metrics_family_clear(f);
        for (int i = 0; i < 3; i++)
            metric_set(metric_with(f, (const char *const[]){(const char *const[]){"a", "b", "c"}[i]}), round);
    }
    writes(m, HEAD "0\n# HELP g G.\n# TYPE g gauge\ng{of=\"a\"} 2\ng{of=\"b\"} 2\ng{of=\"c\"} 2\n");
}

CASES("base/metrics")
