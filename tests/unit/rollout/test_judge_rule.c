/* The judge's rule: which verdict when; and its state through JSON. */
#include "../case.h"
#include "judge/judge.h"
#include "base/rand.h"
#include "base/time.h"
#include <math.h>

static struct judge_param plain(void) { /* request-like, no tempering: numbers that one can follow */
    struct judge_param p;
    judge_param_default(&p);
    p.gamma = 1;
    judge_param_soak(&p, 100 * NS_PER_S);
    return p;
}

static enum verdict at(const struct judge *j, const struct judge_param *p, int64_t seconds) {
    struct judge_report r;
    judge_verdict(j, p, seconds * NS_PER_S, &r);
    assert_true(r.why[0]);
    return r.verdict;
}

CASE(failing) {
    struct judge_param p = plain();
    struct judge j;
    judge_init(&j);
    judge_feed(&j, &p, 1, 1, 0, 9);
    assert_int_equal(at(&j, &p, 1), VERDICT_WATCHING);
    for (int i = 0; i < 3; i++) judge_feed(&j, &p, 1, 1, 0, 9);
    assert_int_equal(at(&j, &p, 4), VERDICT_FAIL);
}

/* stable gives no numbers: the tolerated rate alone condemns */
CASE(failing_alone) {
    struct judge_param p = plain();
    struct judge j;
    judge_init(&j);
    for (int i = 0; i < 6; i++) judge_feed(&j, &p, 1, 1, 0, 0);
    assert_int_equal(at(&j, &p, 6), VERDICT_FAIL);
}

CASE(shared_outage) {
    struct judge_param p = plain();
    struct judge j;
    judge_init(&j);
    for (int i = 0; i < 20; i++) judge_feed(&j, &p, 0, 10, 0, 90);
    for (int i = 0; i < 5; i++) judge_feed(&j, &p, 4, 10, 36, 90);
    assert_int_equal(at(&j, &p, 25), VERDICT_HOLD);
    assert_int_equal(at(&j, &p, 1000), VERDICT_HOLD); /* however long it takes */
    struct judge recovered = j;
    for (int i = 0; i < 60; i++) judge_feed(&recovered, &p, 0, 10, 0, 90);
    assert_int_equal(at(&recovered, &p, 19), VERDICT_WATCHING);
    /* Within the outage the canary is much worse: the comparison alone condemns it. */
    for (int i = 0; i < 40; i++) judge_feed(&j, &p, 10, 10, 18, 90);
    assert_int_equal(at(&j, &p, 65), VERDICT_FAIL);
}

CASE(early_pass) {
    struct judge_param p = plain();
    struct judge j;
    judge_init(&j);
    judge_feed(&j, &p, 0, 73, 0, 0);
    assert_int_equal(at(&j, &p, 50), VERDICT_WATCHING);
    judge_feed(&j, &p, 0, 1, 0, 0);
    assert_int_equal(at(&j, &p, 19), VERDICT_WATCHING); /* the minimum soak, a fifth */
    struct judge_report r;
    judge_verdict(&j, &p, 20 * NS_PER_S, &r);
    assert_int_equal(r.verdict, VERDICT_PASS);
    assert_true(r.early && r.upper <= .0501);
}

/* a canary that breaks late must not hide behind it */
CASE(no_early_pass_on_a_good_past) {
    struct judge_param p = plain();
    struct judge j;
    judge_init(&j);
    for (int i = 0; i < 100; i++) judge_feed(&j, &p, 0, 20, 0, 180);
    judge_next_step(&j);
    judge_feed(&j, &p, 4, 6, 0, 180);
    struct judge_report r;
    judge_verdict(&j, &p, 30 * NS_PER_S, &r);
    assert_true(r.log_pass > r.limit_pass);
    assert_int_not_equal(r.verdict, VERDICT_PASS);
}

CASE(pass_on_soak) {
    struct judge_param p = plain();
    struct judge j;
    judge_init(&j);
    judge_feed(&j, &p, 0, 9, 0, 0);
    assert_int_equal(at(&j, &p, 99), VERDICT_WATCHING);
    assert_int_equal(at(&j, &p, 100), VERDICT_INCONCLUSIVE); /* nine events are too few */
    judge_feed(&j, &p, 0, 1, 0, 0);
    struct judge_report r;
    judge_verdict(&j, &p, 100 * NS_PER_S, &r);
    assert_int_equal(r.verdict, VERDICT_PASS);
    assert_false(r.early);
    assert_true(fabs(r.upper - .314) < .001);
    judge_next_step(&j);
    assert_int_equal(at(&j, &p, 100), VERDICT_INCONCLUSIVE); /* it did nothing in the second step */
    judge_feed(&j, &p, 0, 1, 0, 0);
    assert_int_equal(at(&j, &p, 100), VERDICT_PASS); /* the evidence of the first step still counts */
}

CASE(nothing_is_nothing) {
    struct judge_param p = plain();
    struct judge j;
    judge_init(&j);
    for (int i = 0; i < 50; i++) judge_feed(&j, &p, 0, 0, 0, 100);
    assert_int_equal(at(&j, &p, 50), VERDICT_WATCHING);
    assert_int_equal(at(&j, &p, 1000000), VERDICT_INCONCLUSIVE);
}

CASE(extension) {
    struct judge_param p = plain();
    struct judge j;
    judge_init(&j);
    judge_feed(&j, &p, 0, 10, 0, 90);
    judge_feed(&j, &p, 2, 4, 0, 36);
    assert_int_equal(at(&j, &p, 99), VERDICT_WATCHING);
    assert_int_equal(at(&j, &p, 100), VERDICT_EXTEND);
    j.extended = true;
    assert_int_equal(at(&j, &p, 199), VERDICT_WATCHING);
    assert_int_equal(at(&j, &p, 200), VERDICT_INCONCLUSIVE); /* once only */
    for (int i = 0; i < 30; i++) judge_feed(&j, &p, 0, 10, 1, 90);
    assert_int_equal(at(&j, &p, 200),
                     VERDICT_PASS); /* calm again, and stable has an error now and then too */
}

CASE(several_metrics) {
    struct judge_param p = plain();
    struct judge j;
    judge_init(&j);
    for (int i = 0; i < 4; i++) judge_feed(&j, &p, 1, 1, 0, 9);
    assert_int_equal(at(&j, &p, 4), VERDICT_FAIL);
    p.metrics = 1000;
    assert_int_equal(at(&j, &p, 4), VERDICT_WATCHING);
}

static void through_json(const struct judge *j, struct judge *ret) {
    cleanup_buf struct buf b = BUF(1 << 16);
    judge_write(j, &b);
    cleanup_json cJSON *v = json_parse(buf_slice(&b), NULL);
    struct err e = {0};
    if (judge_read(v, ret, &e)) fail_msg("%s in %s", e.msg, buf_str(&b));
}

/* A leader that dies after any scrape leaves a state from which the next one comes to the same verdicts, bit
 * by bit. */
CASE(resumable) {
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rng rng = {seed};
        struct judge_param p = plain(), q;
        p.gamma = rng_below(&rng, 2) ? 1 : 0.2;
        p.theta = 0.001 + 0.3 * rng_unit(&rng);
        cleanup_buf struct buf text = BUF(4096);
        judge_param_write(&p, &text);
        cleanup_json cJSON *v = json_parse(buf_slice(&text), NULL);
        assert_int_equal(judge_param_read(v, &q, NULL), 0);
        assert_true(p.theta == q.theta && p.gamma == q.gamma && p.min_soak_ns == q.min_soak_ns &&
                    p.soak_ns == q.soak_ns);
        struct judge one, other, copy;
        judge_init(&one);
        judge_init(&other);
        for (int i = 0; i < 60; i++) {
            uint64_t n = rng_below(&rng, 4) ? rng_below(&rng, 50) : 0, s = rng_below(&rng, 400);
            uint64_t x = n ? rng_below(&rng, n + 1) / (1 + rng_below(&rng, 10)) : 0,
                     y = s ? rng_below(&rng, s) / 30 : 0;
            judge_feed(&one, &p, x, n, y, s);
            through_json(&other, &copy);
            judge_feed(&copy, &q, x, n, y, s);
            other = copy;
            struct judge_report a, b;
            judge_verdict(&one, &p, i * NS_PER_S, &a);
            judge_verdict(&other, &q, i * NS_PER_S, &b);
            if (a.verdict != b.verdict || a.log_fail != b.log_fail || a.log_pass != b.log_pass ||
                a.upper != b.upper) {
                fail_msg("seed %llu scrape %d: %.17g and %.17g", (unsigned long long)seed, i, a.log_fail,
                         b.log_fail);
            }
        }
    }
}

CASE(damaged) {
    struct judge j, untouched;
    judge_init(&j);
    struct judge_param p = plain();
    judge_feed(&j, &p, 1, 3, 0, 9);
    cleanup_buf struct buf b = BUF(1 << 16);
    judge_write(&j, &b);
    cleanup_json cJSON *good = json_parse(buf_slice(&b), NULL);
    untouched = j;
    for (const cJSON *m = good->child; m; m = m->next) {
        if (!strcmp(m->string, "extended")) continue;
        struct err e = {0};
        cleanup_json cJSON *v = cJSON_Duplicate(good, true);
        cJSON_ReplaceItemInObjectCaseSensitive(v, m->string, cJSON_CreateString("x"));
        assert_int_not_equal(judge_read(v, &untouched, &e), 0);
        assert_int_equal(e.kind, ERR_CONFIG);
        cleanup_json cJSON *w = cJSON_Duplicate(good, true);
        cJSON_DeleteItemFromObjectCaseSensitive(w, m->string);
        assert_int_not_equal(judge_read(w, &untouched, &e), 0);
    }
    assert_memory_equal(&untouched, &j, sizeof j);
    assert_int_not_equal(judge_read(NULL, &untouched, NULL), 0);
    assert_int_not_equal(judge_param_read(NULL, &p, NULL), 0);
}

CASES("rollout/judge_rule")
