/* The series of a rollout's evidence: bounded, over the whole of it, with its newest point. */
#include "../case.h"
#include "act/evidence_points.h"
#include "base/time.h"

enum { WRITTEN = 64 << 10 };

static void add(struct evidence_points **p, int64_t s, double fail, double pass) {
    struct judge_report rep = {.v = {.log_e = fail}, .log_pass = pass, .limit_fail = 4, .limit_pass = 2};
    evidence_points_add(p, s * NS_PER_S, &rep);
}

static size_t points(const char *text) {
    size_t n = 0;
    for (const char *c = text; *c; c++) n += *c == '[';
    return n - 1;
}

CASE(shares_of_the_limits) {
    struct evidence_points *p = NULL;
    cleanup_buf struct buf out = BUF(WRITTEN);
    evidence_points_write(p, &out);
    assert_string_equal(buf_str(&out), "[]");
    buf_clear(&out);
    add(&p, 10, 1, 1);
    add(&p, 11, -3, -1); /* for it, and against it: nothing of what is asked */
    add(&p, 12, 1e9, 4);
    evidence_points_write(p, &out);
    assert_string_equal(buf_str(&out), "[[10.0,250,500],[11.0,0,0],[12.0,2000,2000]]");
    evidence_points_free(&p);
    assert_null(p);
    evidence_points_free(&p);
}

CASE(it_spans_the_rollout_and_has_the_newest) {
    struct evidence_points *p = NULL;
    cleanup_buf struct buf out = BUF(WRITTEN);
    for (int s = 0; s <= 100000; s++) add(&p, 1000 + s, 2, s == 100000 ? 2 : 1);
    evidence_points_write(p, &out);
    const char *text = buf_str(&out);
    assert_memory_equal(text, "[[1000.0,500,500],", 18);
    assert_true(points(text) <= EVIDENCE_POINTS + 1 && points(text) >= EVIDENCE_POINTS / 2);
    assert_non_null(strstr(text, ",[101000.0,500,1000]]"));
    double before = 999, at;
    for (const char *c = strchr(text + 1, '['); c; c = strchr(c + 1, '[')) { /* ascending, none twice */
        assert_int_equal(sscanf(c, "[%lf", &at), 1);
        assert_true(at > before && at - before < 8000);
        before = at;
    }
    evidence_points_free(&p);
}

CASES("rollout/evidence_points")
