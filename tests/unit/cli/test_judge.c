/* handover judge: a rollout and it come to the same verdicts on the same series; what it says of a bad line. */
#include "../case.h"
#include "base/rand.h"
#include "base/time.h"
#include "judge_series.h"
#include "plan/plan.h"

#define T0 (INT64_C(1800000000) * NS_PER_S)

static void run(const char *text, const struct judge_param *p, bool json, struct buf *out, struct err *err) {
    FILE *from = fmemopen((void *)(uintptr_t)text, strlen(text), "r"), *to = tmpfile();
    assert_true(from && to);
    judge_series(from, "series.csv", p, json, to, err);
    rewind(to);
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, to)) > 0;) buf_add(out, slice_make(chunk, n));
    fclose(from);
    fclose(to);
}

static struct judge_param param(void) {
    struct judge_param p;
    judge_param_default(&p);
    p.soak_ns = 60;
    p.min_soak_ns = 12;
    return p;
}

struct pods {
    struct state s;
    uint64_t errors[TRACKS], total[TRACKS];
};

/* What a leader does with a round of scrapes, one second after the last. */
static void scrape(struct pods *w, const struct judge_counts *c, int64_t now, struct judge_report *ret) {
    struct pod_sample s[TRACKS];
    w->errors[TRACK_CANARY] += c->ec;
    w->total[TRACK_CANARY] += c->nc;
    w->errors[TRACK_STABLE] += c->es;
    w->total[TRACK_STABLE] += c->ns;
    for (int t = 0; t < TRACKS; t++)
        s[t] = (struct pod_sample){.uid = t == TRACK_CANARY ? SL("canary") : SL("stable"),
                                   .track = (enum track)t,
                                   .created_ns = T0 - NS_PER_S,
                                   .scraped = true,
                                   .present = true,
                                   .errors = w->errors[t],
                                   .total = w->total[t]};
    plan_feed(&w->s, NULL, now, s, TRACKS);
    assert_true(plan_report(&w->s, now, ret));
}

static void same_as_a_rollout(uint64_t seed) {
    struct rng rng = {seed};
    struct judge_param p = param();
    p.theta = 0.01 + 0.2 * rng_unit(&rng);
    p.gamma = rng_below(&rng, 2) ? 0 : 0.5;
    double canary = rng_below(&rng, 3) ? p.theta / 3 : 3 * p.theta;
    struct pods w = {0};
    state_init(&w.s);
    w.s.phase = PHASE_SOAKING;
    w.s.learned = true;
    w.s.param = p;
    w.s.param.soak_ns *= NS_PER_S;
    w.s.param.min_soak_ns *= NS_PER_S;
    w.s.soak_from_ns = T0;
    evidence_begin(&w.s.evidence, T0);
    struct judge_report r;
    scrape(&w, &(struct judge_counts){0}, T0 - 3600 * NS_PER_S,
           &r); /* baselines; no process begins in the series */
    judge_free(&w.s.judge);
    cleanup_buf struct buf text = BUF(1 << 20), out = BUF(1 << 20);
    enum verdict verdict[100];
    char why[100][240];
    double log_e[100];
    for (int i = 0; i < 100; i++) {
        struct judge_counts c = {.nc = rng_below(&rng, 12), .ns = rng_below(&rng, 90)};
        for (uint64_t k = 0; k < c.nc; k++) c.ec += rng_unit(&rng) < canary;
        for (uint64_t k = 0; k < c.ns; k++) c.es += rng_unit(&rng) < p.theta / 3;
        buf_addf(&text, "%llu,%llu,%llu,%llu\n", (unsigned long long)c.ec, (unsigned long long)c.nc,
                 (unsigned long long)c.es, (unsigned long long)c.ns);
        scrape(&w, &c, T0 + (i + 1) * NS_PER_S, &r);
        verdict[i] = r.verdict;
        log_e[i] = r.v.log_e;
        memcpy(why[i], r.why, sizeof r.why);
    }
    state_free(&w.s);
    struct err err = {0};
    run(buf_str(&text), &p, true, &out, &err);
    assert_int_equal(err.kind, ERR_NONE);
    struct slice rest = buf_slice(&out), line;
    for (int i = 0; i < 100; i++) {
        slice_cut(rest, '\n', &line, &rest);
        cleanup_json cJSON *v = json_parse(line, NULL);
        assert_string_equal(json_str(v, "verdict"), verdict_name(verdict[i]));
        assert_string_equal(json_str(v, "why"), why[i]);
        assert_true(json_get(v, "log_e")->valuedouble == log_e[i]);
        assert_int_equal(json_i64(v, "scrape", 0), i + 1);
    }
    assert_int_equal(rest.n, 0);
}

SEEDS_CASE(20, a_rollout_comes_to_the_same_verdicts) {
    same_as_a_rollout(seed);
}

CASE(lines) {
    struct judge_param p = param();
    cleanup_buf struct buf out = BUF(1 << 16);
    struct err err = {0};
    run("canary_errors,canary_total,stable_errors,stable_total\n# begins\n\n1,1,0,9\n 1 , 1,0,9", &p, false,
        &out, &err);
    assert_string_equal(
        buf_str(&out),
        "    1  watching      1 of 1 reconciles failed so far; odds that it is bad: 8 to 1, rolled "
        "back at 100 to 1\n"
        "    2  fail          2 of 2 reconciles failed (100 %), tolerated are 5 %; stable 0 % of 18; "
        "odds that it is bad: 148 to 1, rolled back at 100 to 1\n");
}

CASE(deadline) {
    struct judge_param p = param();
    p.deadline_looks = 2;
    cleanup_buf struct buf out = BUF(1 << 16);
    struct err err = {0};
    run("0,1,0,9\n0,1,0,9\n", &p, true, &out, &err);
    assert_non_null(strstr(buf_str(&out), "\"verdict\":\"watching\""));
    assert_non_null(strstr(buf_str(&out), "\"verdict\":\"inconclusive\""));
}

CASE(bad_lines) {
    static const char *const v[] = {"1,2,3",     "1,2,3,4,5", "a,2,3,4",
                                    "-1,2,3,4",  "3,2,3,4",   "0,2,5,4",
                                    "0.5,1,0,1", ",,,",       "0,99999999999999999999,0,1"};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct judge_param p = param();
        cleanup_buf struct buf out = BUF(1 << 16);
        cleanup_free char *text = xasprintf("0,1,0,9\n%s\n", v[i]),
                          *says = xasprintf("series.csv:2: read \"%s\"", v[i]);
        struct err err = {0};
        run(text, &p, false, &out, &err);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_non_null(strstr(err.msg, says));
    }
}

CASES("cli/judge")
