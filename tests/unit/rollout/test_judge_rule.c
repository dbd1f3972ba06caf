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

struct court {
    struct judge_param p;
    struct judge j;
    struct judge_report r; /* of the last at() */
};

static void convene(struct court *t) {
    t->p = plain();
    judge_init(&t->j);
}
static void adjourn(struct court *t) {
    (void)t;
}
#define RULE(name) CASE_WITH(struct court, t, convene, adjourn, name)

/* So many scrapes: of the canary's nc reconciles ec failed, of stable's ns es. */
static void feed(struct court *t, int times, uint64_t ec, uint64_t nc, uint64_t es, uint64_t ns) {
    while (times-- > 0) judge_feed(&t->j, &t->p, ec, nc, es, ns);
}

static enum verdict at(struct court *t, int64_t seconds) {
    judge_verdict(&t->j, &t->p, seconds * NS_PER_S, &t->r);
    assert_true(t->r.why[0]);
    return t->r.verdict;
}

RULE(failing) {
    feed(t, 1, 1, 1, 0, 9);
    assert_int_equal(at(t, 1), VERDICT_WATCHING);
    feed(t, 3, 1, 1, 0, 9);
    assert_int_equal(at(t, 4), VERDICT_FAIL);
    t->p.metrics = 1000; /* one of many: less sure */
    assert_int_equal(at(t, 4), VERDICT_WATCHING);
}

/* stable gives no numbers: the tolerated rate alone condemns */
RULE(failing_alone) {
    feed(t, 6, 1, 1, 0, 0);
    assert_int_equal(at(t, 6), VERDICT_FAIL);
}

RULE(shared_outage) {
    feed(t, 20, 0, 10, 0, 90);
    feed(t, 5, 4, 10, 36, 90);
    assert_int_equal(at(t, 25), VERDICT_HOLD);
    assert_int_equal(at(t, 1000), VERDICT_HOLD); /* however long it takes */
    struct court recovered = *t;
    feed(&recovered, 60, 0, 10, 0, 90);
    assert_int_equal(at(&recovered, 19), VERDICT_WATCHING);
    /* Within the outage the canary is much worse: the comparison alone condemns it. */
    feed(t, 40, 10, 10, 18, 90);
    assert_int_equal(at(t, 65), VERDICT_FAIL);
}

RULE(early_pass) {
    feed(t, 1, 0, 73, 0, 0);
    assert_int_equal(at(t, 50), VERDICT_WATCHING);
    feed(t, 1, 0, 1, 0, 0);
    assert_int_equal(at(t, 19), VERDICT_WATCHING); /* the minimum soak, a fifth */
    assert_int_equal(at(t, 20), VERDICT_PASS);
    assert_true(t->r.early && t->r.upper <= .0501);
}

/* a canary that breaks late must not hide behind it */
RULE(no_early_pass_on_a_good_past) {
    feed(t, 100, 0, 20, 0, 180);
    judge_next_step(&t->j);
    feed(t, 1, 4, 6, 0, 180);
    assert_int_not_equal(at(t, 30), VERDICT_PASS);
    assert_true(t->r.log_pass > t->r.limit_pass);
}

RULE(pass_on_soak) {
    feed(t, 1, 0, 9, 0, 0);
    assert_int_equal(at(t, 99), VERDICT_WATCHING);
    assert_int_equal(at(t, 100), VERDICT_INCONCLUSIVE); /* nine events are too few */
    feed(t, 1, 0, 1, 0, 0);
    assert_int_equal(at(t, 100), VERDICT_PASS);
    assert_true(!t->r.early && fabs(t->r.upper - .314) < .001);
    judge_next_step(&t->j);
    assert_int_equal(at(t, 100), VERDICT_INCONCLUSIVE); /* it did nothing in the second step */
    feed(t, 1, 0, 1, 0, 0);
    assert_int_equal(at(t, 100), VERDICT_PASS); /* the evidence of the first step still counts */
}

RULE(nothing_is_nothing) {
    feed(t, 50, 0, 0, 0, 100);
    assert_int_equal(at(t, 50), VERDICT_WATCHING);
    assert_int_equal(at(t, 1000000), VERDICT_INCONCLUSIVE);
}

/* Once only; then calm again, and stable has an error now and then too. */
RULE(extension) {
    feed(t, 1, 0, 10, 0, 90);
    feed(t, 1, 2, 4, 0, 36);
    assert_int_equal(at(t, 99), VERDICT_WATCHING);
    assert_int_equal(at(t, 100), VERDICT_EXTEND);
    t->j.extended = true;
    assert_int_equal(at(t, 199), VERDICT_WATCHING);
    assert_int_equal(at(t, 200), VERDICT_INCONCLUSIVE);
    feed(t, 30, 0, 10, 1, 90);
    assert_int_equal(at(t, 200), VERDICT_PASS);
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
