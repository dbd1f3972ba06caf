/* The registry and its text format. */
#include "../case.h"
#include "base/metrics.h"
#include <math.h>

#define HEAD                                                                                                 \
    "# HELP handover_metrics_series_dropped_total Look-ups of series past the cap of their family, counted " \
    "as \"other\".\n"                                                                                        \
    "# TYPE handover_metrics_series_dropped_total counter\nhandover_metrics_series_dropped_total "

static int setup(void **state) {
    *state = metrics_new(3);
    return 0;
}

static int teardown(void **state) {
    metrics_free(*state);
    return 0;
}

CASE_IN(setup, teardown, text_format) {
    struct metrics *m = *state;
    struct metric_family *c =
        metrics_family(m, METRIC_COUNTER, "b_total", "Help \\ with\na line and \"quotes\".", "x,y", NULL, 0);
    struct metric_family *g = metrics_family(m, METRIC_GAUGE, "a", "A.", "", NULL, 0);
    metrics_family(m, METRIC_GAUGE, "silent", "Has no series.", "x", NULL, 0);
    metric_add(metric_with(c, (const char *[]){"1", "q\"\\\n"}), 2.5);
    metric_inc(metric_with(c, (const char *[]){"", "\xff\xc3\xa9"}));
    metric_set(metric_plain(g), -7);
    cleanup_buf struct buf b = BUF(4096);
    assert_int_equal(metrics_write(m, &b), 0);
    assert_buf(b, HEAD "0\n"
                       "# HELP b_total Help \\\\ with\\na line and \"quotes\".\n# TYPE b_total counter\n"
                       "b_total{x=\"1\",y=\"q\\\"\\\\\\n\"} 2.5\n"
                       "b_total{x=\"\",y=\"\xef\xbf\xbd\xc3\xa9\"} 1\n"
                       "# HELP a A.\n# TYPE a gauge\na -7\n");
}

CASE_IN(setup, teardown, numbers) {
    struct metrics *m = *state;
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
        cleanup_buf struct buf b = BUF(4096);
        metric_set(g, cases[i].v);
        assert_int_equal(metrics_write(m, &b), 0);
        if (!strstr(b.p, cases[i].text)) fail_msg("%s not in %s", cases[i].text, b.p);
    }
}

CASE_IN(setup, teardown, histograms) {
    struct metrics *m = *state;
    const double limits[] = {0.1, 1, 10};
    struct metric_family *f = metrics_family(m, METRIC_HISTOGRAM, "h", "H.", "l", limits, 3);
    struct metric *h = metric_with(f, (const char *[]){"v"});
    const double seen[] = {0.1, 0.05, 1, 1.5, 11, 0.5};
    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        metric_observe(h, seen[i]); /* a limit belongs to its own bucket */
    assert_true(metric_value(h) > 5.5 && metric_value(h) < 6.5);
    cleanup_buf struct buf b = BUF(4096);
    assert_int_equal(metrics_write(m, &b), 0);
    assert_buf(b, HEAD
               "0\n# HELP h H.\n# TYPE h histogram\n"
               "h_bucket{l=\"v\",le=\"0.1\"} 2\nh_bucket{l=\"v\",le=\"1\"} 4\nh_bucket{l=\"v\",le=\"10\"} 5\n"
               "h_bucket{l=\"v\",le=\"+Inf\"} 6\nh_sum{l=\"v\"} 14.15\nh_count{l=\"v\"} 6\n");
    for (size_t i = 1; i < ARRAY_LEN(metrics_seconds); i++)
        assert_true(metrics_seconds[i] > metrics_seconds[i - 1]);
    metric_observe(h, (double)NAN); /* counted, in no bucket but +Inf */
    buf_clear(&b);
    assert_int_equal(metrics_write(m, &b), 0);
    assert_non_null(strstr(b.p, "le=\"10\"} 5\nh_bucket{l=\"v\",le=\"+Inf\"} 7\n"));
}

CASE(series_are_found_again) {
    struct metrics *m = metrics_new(1000);
    struct metric_family *f = metrics_family(m, METRIC_COUNTER, "c_total", "C.", "a,b", NULL, 0);
    assert_ptr_equal(f, metrics_family(m, METRIC_COUNTER, "c_total", "C.", "a,b", NULL, 0));
    struct metric *v[900];
    for (int i = 0; i < 900; i++) { /* across growth of the table, handles stay */
        char a[16], b[16];
        snprintf(a, sizeof a, "%d", i);
        snprintf(b, sizeof b, "%d", i / 7);
        v[i] = metric_with(f, (const char *[]){a, b});
        metric_add(v[i], i);
    }
    for (int i = 0; i < 900; i++) {
        char a[16], b[16];
        snprintf(a, sizeof a, "%d", i);
        snprintf(b, sizeof b, "%d", i / 7);
        assert_ptr_equal(metric_with(f, (const char *[]){a, b}), v[i]);
        assert_int_equal((int)metric_value(v[i]), i);
    }
    assert_ptr_not_equal(metric_with(f, (const char *[]){"ab", "c"}),
                         metric_with(f, (const char *[]){"a", "bc"}));
    metrics_free(m);
}

CASE_IN(setup, teardown, the_cap) {
    struct metrics *m = *state; /* three */
    struct metric_family *f = metrics_family(m, METRIC_COUNTER, "c_total", "C.", "a,b", NULL, 0);
    for (int i = 0; i < 10; i++) {
        char a[16];
        snprintf(a, sizeof a, "%d", i);
        metric_inc(metric_with(f, (const char *[]){a, "x"}));
    }
    cleanup_buf struct buf b = BUF(4096);
    assert_int_equal(metrics_write(m, &b), 0);
    assert_buf(b, HEAD "7\n# HELP c_total C.\n# TYPE c_total counter\n"
                       "c_total{a=\"0\",b=\"x\"} 1\nc_total{a=\"1\",b=\"x\"} 1\nc_total{a=\"2\",b=\"x\"} 1\n"
                       "c_total{a=\"other\",b=\"other\"} 7\n");
}

CASE_IN(setup, teardown, counters_only_rise) {
    struct metrics *m = *state;
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

CASE_IN(setup, teardown, collectors_and_caps) {
    struct metrics *m = *state;
    struct metric *g = metric_plain(metrics_family(m, METRIC_GAUGE, "g", "G.", "", NULL, 0));
    metrics_on_collect(m, count_looks, g);
    metrics_on_collect(m, count_looks, g);
    cleanup_buf struct buf b = BUF(4096), small = BUF(50);
    assert_int_equal(metrics_write(m, &b), 0);
    assert_non_null(strstr(b.p, "\ng 2\n")); /* before it is written */
    assert_int_equal(metrics_write(m, &small), -ENOBUFS);
    assert_true(small.full);
    metrics_free(NULL);
}

CASE_IN(setup, teardown, a_collector_is_taken_back) {
    struct metrics *m = *state;
    struct metric_family *f = metrics_family(m, METRIC_GAUGE, "g", "G.", "of", NULL, 0);
    struct metric *g[3];
    for (int i = 0; i < 3; i++) {
        g[i] = metric_with(f, (const char *const[]){(const char *const[]){"a", "b", "c"}[i]});
        metrics_on_collect(m, count_looks, g[i]);
    }
    cleanup_buf struct buf b = BUF(4096);
    metrics_off_collect(m, count_looks, g[1]);
    metrics_off_collect(m, count_looks, g[1]); /* no longer there */
    assert_int_equal(metrics_write(m, &b), 0);
    assert_non_null(strstr(b.p, "g{of=\"a\"} 1\ng{of=\"b\"} 0\ng{of=\"c\"} 1\n"));
}

CASES("base/metrics")
