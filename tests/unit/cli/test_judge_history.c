/* What a Prometheus server remembers, replayed: which pods are whose, where the rollout begins, what a counter means. */
#include "../case.h"
#include "base/time.h"
#include "judge_history.h"
#include <math.h>

enum { T0 = 1800000000, STEP = 5, STEPS = 400 };

struct series {
    const char *labels; /* of one pod, as JSON members */
    double rate;        /* a step */
    uint64_t before;    /* at its first point */
    int from, to;       /* steps in which it has points; to 0: to the end */
    int restart;        /* its counter begins anew at this step; 0: never */
};

static void matrix(const struct series *s, size_t n, struct buf *out) {
    buf_adds(out, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[");
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "%s{\"metric\":{%s},\"values\":[", i ? "," : "", s[i].labels);
        for (int k = s[i].from; k < (s[i].to ? s[i].to : STEPS); k++) {
            int since = s[i].restart && k >= s[i].restart ? k - s[i].restart : k - s[i].from;
            uint64_t before = s[i].restart && k >= s[i].restart ? 0 : s[i].before;
            buf_addf(out, "%s[%d,\"%.0f\"]", k > s[i].from ? "," : "", T0 + k * STEP,
                     floor((double)before + since * s[i].rate));
        }
        buf_adds(out, "]}");
    }
    buf_adds(out, "]}}");
}

struct seen {
    uint64_t scrapes;
    int64_t first_ns;
    struct judge_report last;
    char controller[JUDGE_NAME];
};
static bool on_verdict(void *ctx, uint64_t scrape, int64_t wall_ns, const struct judge_report *r) {
    struct seen *s = ctx;
    if (scrape == 1) s->first_ns = wall_ns;
    s->scrapes = scrape;
    s->last = *r;
    snprintf(s->controller, sizeof s->controller, "%s", r->name ? r->name : "");
    s->last.name = NULL; /* the judge is gone */
    return r->verdict != VERDICT_FAIL && r->verdict != VERDICT_PASS;
}

static struct judge_history_spec spec_of(const char *canary) {
    struct judge_history_spec spec = {.start_ns = T0 * NS_PER_S,
                                      .end_ns = (T0 + (int64_t)(STEPS - 1) * STEP) * NS_PER_S,
                                      .step_ns = STEP * NS_PER_S,
                                      .canary = canary,
                                      .learn = true};
    judge_param_default(&spec.p);
    return spec;
}

static struct seen replay(const struct series *s, size_t n) {
    cleanup_buf struct buf text = BUF(8 << 20);
    struct judge_history h = {0};
    struct err err = {0};
    struct seen seen = {0};
    struct judge_history_spec spec = spec_of("op-new");
    matrix(s, n, &text);
    assert_int_equal(judge_history_add(&h, HISTORY_BY_RESULT, buf_slice(&text), &err), 0);
    assert_int_equal(judge_history_replay(&h, &spec, on_verdict, &seen, &err), 0);
    judge_history_free(&h);
    return seen;
}

#define STABLE                                                                                               \
    {"\"pod\":\"op-old-a\",\"result\":\"success\"", 9, 5000, 0, 0, 0}, {                                     \
        "\"pod\":\"op-old-a\",\"result\":\"error\"", 0.05, 40, 0, 0, 0                                       \
    }

/* The 30,000 reconciles that stable had behind it are its history, not its evidence; the canary's first ones are counted. */
CASE(a_good_update_passes_a_bad_one_fails) {
    const struct series good[] = {STABLE, {"\"pod\":\"op-new-a\",\"result\":\"success\"", 9, 0, 20, 0, 0}};
    struct seen seen = replay(good, ARRAY_LEN(good));
    assert_int_equal(seen.last.verdict, VERDICT_PASS);
    assert_int_equal(seen.first_ns, (T0 + 20 * STEP) * NS_PER_S);
    assert_non_null(strstr(seen.last.why, "0 of "));

    const struct series bad[] = {STABLE,
                                 {"\"pod\":\"op-new-a\",\"result\":\"success\"", 5, 0, 20, 0, 0},
                                 {"\"pod\":\"op-new-a\",\"result\":\"error\"", 4, 0, 20, 0, 0}};
    seen = replay(bad, ARRAY_LEN(bad));
    assert_int_equal(seen.last.verdict, VERDICT_FAIL);
    assert_non_null(strstr(seen.last.why, "tolerated are 1.")); /* learned from 40 of 5040 */
}

/* A restart is no negative count and no second helping of what was there before. */
CASE(counters_that_begin_anew) {
    const struct series s[] = {STABLE, {"\"pod\":\"op-new-a\",\"result\":\"success\"", 9, 0, 20, 0, 30}};
    struct seen seen = replay(s, ARRAY_LEN(s));
    assert_int_equal(seen.last.verdict, VERDICT_PASS);
    assert_non_null(strstr(seen.last.why, "0 of "));
}

/* op-newer-a is another version's pod, and one that ends does not take its counts away. */
CASE(whose_pods) {
    const struct series s[] = {STABLE,
                               {"\"pod\":\"op-newer-a\",\"result\":\"error\"", 9, 7, 3, 0, 0},
                               {"\"pod\":\"op-old-b\",\"result\":\"success\"", 9, 900, 0, 24, 0},
                               {"\"pod\":\"op-new-a\",\"result\":\"success\"", 9, 0, 20, 0, 0}};
    struct seen seen = replay(s, ARRAY_LEN(s));
    assert_int_not_equal(seen.last.verdict, VERDICT_FAIL);
    assert_non_null(strstr(seen.last.why, "stable")); /* which fails: no verdict in its outage */
}

CASE(one_controller_of_ten) {
    struct series s[40];
    char labels[40][128];
    size_t n = 0;
    for (int c = 0; c < 10; c++) {
        for (int canary = 0; canary < 2; canary++) {
            snprintf(labels[n], sizeof labels[n],
                     "\"pod\":\"op-%s-a\",\"controller\":\"c%d\",\"result\":\"%s\"", canary ? "new" : "old",
                     c, canary && c == 7 ? "error" : "success");
            s[n] = (struct series){labels[n], c == 7 ? 0.4 : 4, canary ? 0 : 500, canary ? 20 : 0, 0, 0};
            n++;
        }
    }
    struct seen seen = replay(s, n);
    assert_int_equal(seen.last.verdict, VERDICT_FAIL);
    assert_string_equal(seen.controller, "c7");
}

CASE(errors_of_a_query_of_their_own) {
    const struct series all[] = {{"\"pod\":\"old\"", 9, 5000, 0, 0, 0},
                                 {"\"pod\":\"op-new\"", 9, 0, 20, 0, 0}},
                        errors[] = {{"\"pod\":\"op-new\"", 4, 0, 20, 0, 0}};
    cleanup_buf struct buf a = BUF(8 << 20), b = BUF(8 << 20);
    struct judge_history h = {0};
    struct err err = {0};
    struct seen seen = {0};
    struct judge_history_spec spec = spec_of("op-new");
    matrix(all, 2, &a);
    matrix(errors, 1, &b);
    assert_int_equal(judge_history_add(&h, HISTORY_ALL, buf_slice(&a), &err), 0);
    assert_int_equal(judge_history_add(&h, HISTORY_ERRORS, buf_slice(&b), &err), 0);
    assert_int_equal(judge_history_replay(&h, &spec, on_verdict, &seen, &err), 0);
    assert_int_equal(seen.last.verdict, VERDICT_FAIL);
    spec.canary = "op-next";
    assert_true(judge_history_replay(&h, &spec, on_verdict, &seen, &err) < 0);
    assert_non_null(strstr(err.msg, "none of the pods is op-next or begins with op-next-; the first is old"));
    judge_history_free(&h);
    assert_true(judge_history_replay(&h, &spec, on_verdict, &seen, &err) < 0);
    assert_non_null(strstr(err.msg, "no series"));
}

CASE(answers_that_are_none) {
    static const struct {
        const char *text, *says;
    } v[] = {
        {"<html>", "expected a matrix"},
        {"{}", "expected a matrix"},
        {"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\"}",
         "bad_data: parse error"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}", "expected a matrix"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"instance\":"
         "\"a\"},"
         "\"values\":[]}]}}",
         "a label pod, found {\"instance\":\"a\"}"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"pod\":\"a\"}"
         ","
         "\"values\":[[1,\"NaN\"]]}]}}",
         "pod a: expected a time and a count"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"pod\":\"a\"}"
         ","
         "\"values\":[[2,\"1\"],[1,\"2\"]]}]}}",
         "found [1,\"2\"]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct judge_history h = {0};
        struct err err = {0};
        assert_true(judge_history_add(&h, HISTORY_BY_RESULT, slice_of(v[i].text), &err) < 0);
        if (!strstr(err.msg, v[i].says)) fail_msg("%s: %s", v[i].text, err.msg);
        judge_history_free(&h);
    }
}

CASES("cli/judge_history")
