/* The judge's rule: which verdict when; and its state through JSON. */
#include "../case.h"
#include "judge/judge.h"
#include "base/rand.h"
#include "base/time.h"
#include <math.h>

#define assert_near(a, b) assert_true(fabs((a) - (b)) < 1e-8)

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
    judge_free(&t->j);
}
#define RULE(name) CASE_WITH(struct court, t, convene, adjourn, name)

/* So many scrapes: of the canary's nc reconciles ec failed, of stable's ns es. */
static void feed(struct court *t, int times, uint64_t ec, uint64_t nc, uint64_t es, uint64_t ns) {
    const struct judge_counts c = {ec, nc, es, ns, 0, 0, 0};
    while (times-- > 0) judge_feed(&t->j, &t->p, &c);
}

static enum verdict at(struct court *t, int64_t seconds) {
    judge_verdict(&t->j, &t->p, seconds * NS_PER_S, &t->r);
    assert_true(t->r.why[0]);
    return t->r.verdict;
}

/* Not one of its reconciles has succeeded. */
RULE(failing) {
    feed(t, 1, 1, 1, 0, 9);
    assert_int_equal(at(t, 1), VERDICT_WATCHING);
    feed(t, 1, 1, 1, 0, 9);
    assert_int_equal(at(t, 2), VERDICT_FAIL);
    assert_string_equal(t->r.why, "2 of 2 reconciles failed (100 %), tolerated are 5 %; stable 0 % of 18");
}

/* stable gives no numbers: the tolerated rate alone condemns */
RULE(failing_alone) {
    feed(t, 6, 1, 1, 0, 0);
    assert_int_equal(at(t, 6), VERDICT_FAIL);
}

/* A burst in one scrape is one observation, however many errors it has. */
RULE(one_burst_does_not_condemn) {
    t->p.gamma = 0;
    feed(t, 10, 0, 2, 0, 18);
    feed(t, 1, 60, 62, 0, 18);
    assert_int_equal(at(t, 11), VERDICT_WATCHING);
    assert_false(t->r.v.calm);
    feed(t, 3, 4, 4, 0, 18);
    assert_int_equal(at(t, 14), VERDICT_FAIL);
}

RULE(shared_outage) {
    feed(t, 20, 0, 10, 0, 90);
    feed(t, 5, 4, 10, 36, 90);
    assert_int_equal(at(t, 25), VERDICT_HOLD);
    assert_int_equal(at(t, 1000), VERDICT_HOLD); /* however long it takes */
    struct judge recovered;
    judge_copy(&t->j, &recovered);
    for (int i = 0; i < 60; i++) judge_feed(&recovered, &t->p, &(struct judge_counts){0, 10, 0, 90, 0, 0, 0});
    judge_verdict(&recovered, &t->p, 19 * NS_PER_S, &t->r);
    assert_int_equal(t->r.verdict, VERDICT_WATCHING);
    judge_free(&recovered);
    /* Within the outage the canary is much worse: the comparison alone condemns it. */
    feed(t, 40, 10, 10, 18, 90);
    assert_int_equal(at(t, 65), VERDICT_FAIL);
}

/* It broke late: the share of all of them, which is tolerated, is not the reason. */
RULE(a_late_break_in_words) {
    feed(t, 100, 0, 10, 0, 10);
    feed(t, 5, 5, 10, 0, 10);
    assert_int_equal(at(t, 105), VERDICT_FAIL);
    assert_string_equal(t->r.why, "25 of 1050 reconciles failed (2.38 %; lately 20 %), tolerated are 5 %; "
                                  "stable 0 % of 1050");
}

/* Tolerated, and far more than stable's. */
RULE(a_regression_in_words) {
    t->p.theta = 0.3;
    feed(t, 60, 2, 10, 0, 10);
    assert_int_equal(at(t, 60), VERDICT_FAIL);
    assert_string_equal(t->r.why,
                        "120 of 600 reconciles failed (20 %; over 2 times stable's), tolerated are 30 %; "
                        "stable 0 % of 600");
}

/* Percentages are for people, also those of a total outage: 100 %, not 1e+02 %. */
RULE(a_total_outage_in_words) {
    feed(t, 3, 10, 10, 90, 90);
    assert_int_equal(at(t, 3), VERDICT_HOLD);
    assert_string_equal(t->r.why,
                        "both versions fail (canary 100 %, stable 100 %): an outage is not a verdict");
}

/* Stable fails, and the canary's few reconciles were lucky. */
RULE(no_pass_in_an_outage) {
    feed(t, 40, 0, 4, 0, 36);
    feed(t, 1, 0, 4, 30, 36);
    assert_int_equal(at(t, 100), VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(t->r.why, "an outage is not a verdict"));
    feed(t, 60, 0, 4, 0, 36);
    assert_int_equal(at(t, 200), VERDICT_PASS);
}

/* Both versions do little, and no error is no sign yet: an outage would have shown in twenty of both. */
RULE(no_pass_where_an_outage_is_not_seen) {
    feed(t, 30, 0, 1, 0, 1);
    feed(t, 30, 0, 0, 0, 0);
    assert_int_equal(at(t, 100), VERDICT_INCONCLUSIVE);
    assert_string_equal(t->r.why, "0 of 30 reconciles failed: too few of both versions to see an outage by");
    assert_true(t->r.more > 0);
    t->p.deadline_looks = 2 * t->j.scrapes + 1;
    assert_int_equal(at(t, 100), VERDICT_INCONCLUSIVE);
    t->p.deadline_looks = 2 * t->j.scrapes; /* half of the time is over */
    assert_int_equal(at(t, 100), VERDICT_PASS);
    t->p.deadline_looks = 720;
    feed(t, 20, 0, 1, 0, 1);
    assert_int_equal(at(t, 100), VERDICT_PASS);
}

RULE(early_pass) {
    feed(t, 1, 0, 73, 0, 0);
    assert_int_equal(at(t, 50), VERDICT_WATCHING);
    feed(t, 1, 0, 1, 0, 0);
    assert_int_equal(at(t, 19), VERDICT_WATCHING); /* the minimum soak, a fifth */
    assert_int_equal(at(t, 20), VERDICT_PASS);
    assert_true(t->r.early && t->r.upper <= .0501);
    t->p.min_soak_ns = t->p.soak_ns; /* as a user may demand */
    assert_int_equal(at(t, 99), VERDICT_WATCHING);
    assert_int_equal(at(t, 100), VERDICT_PASS);
}

/* a canary that breaks late must not hide behind it */
RULE(no_early_pass_on_a_good_past) {
    feed(t, 100, 0, 20, 0, 180);
    judge_next_step(&t->j);
    feed(t, 1, 4, 6, 0, 180);
    assert_int_not_equal(at(t, 30), VERDICT_PASS);
    assert_true(t->r.log_pass > t->r.limit_pass);
}

/* Its last reconcile failed: it waits for the next ones. */
RULE(no_pass_on_a_fresh_error) {
    t->p.gamma = 0;
    feed(t, 200, 0, 1, 0, 9);
    feed(t, 2, 1, 1, 0, 9);
    assert_int_equal(at(t, 202), VERDICT_INCONCLUSIVE);
    feed(t, 40, 0, 1, 0, 9);
    assert_int_equal(at(t, 242), VERDICT_PASS);
}

RULE(pass_on_soak) {
    feed(t, 9, 0, 1, 0, 0);
    assert_int_equal(at(t, 99), VERDICT_WATCHING);
    assert_int_equal(at(t, 100), VERDICT_INCONCLUSIVE); /* nine events are too few */
    assert_non_null(strstr(t->r.why, "10 are needed"));
    feed(t, 1, 0, 1, 0, 0);
    assert_int_equal(at(t, 100), VERDICT_INCONCLUSIVE); /* and one bad in ten would look like that */
    uint64_t more = t->r.more;
    assert_in_range(more, 1, 60);
    feed(t, (int)more - 1, 0, 1, 0, 0);
    assert_int_equal(at(t, 100), VERDICT_INCONCLUSIVE);
    assert_string_equal(strchr(t->r.why, ':'), ": 1 more clean ones would pass it");
    feed(t, 1, 0, 1, 0, 0); /* as many as it said */
    assert_int_equal(at(t, 100), VERDICT_PASS);
    judge_next_step(&t->j);
    assert_int_equal(at(t, 100), VERDICT_INCONCLUSIVE); /* it did nothing in the second step */
    feed(t, 1, 0, 1, 0, 0);
    assert_int_equal(at(t, 100), VERDICT_PASS); /* the evidence of the first step still counts */
}

/* Live, the first version promoted this one. */
RULE(six_of_fourteen_failed) {
    t->p.gamma = 0;
    for (int i = 0; i < 14; i++) feed(t, 1, i % 7 < 3, 1, 0, 9);
    assert_int_not_equal(at(t, 1000), VERDICT_PASS);
}

RULE(nothing_is_nothing) {
    feed(t, 50, 0, 0, 0, 100);
    assert_int_equal(at(t, 50), VERDICT_WATCHING);
    assert_int_equal(at(t, 1000000), VERDICT_INCONCLUSIVE);
}

static void controllers(struct court *t, int times, struct judge_counts widget, struct judge_counts gadget) {
    while (times-- > 0) {
        const struct judge_counts all = {widget.ec + gadget.ec,
                                         widget.nc + gadget.nc,
                                         widget.es + gadget.es,
                                         widget.ns + gadget.ns,
                                         0,
                                         0,
                                         0};
        judge_feed(&t->j, &t->p, &all);
        judge_feed_controller(&t->j, &t->p, "widget", &widget);
        judge_feed_controller(&t->j, &t->p, "gadget", &gadget);
    }
}

/* Two in a hundred reconciles are another controller's, and all of these fail. */
RULE(one_controller_fails) {
    t->p.gamma = 0;
    controllers(t, 2, (struct judge_counts){0, 60, 0, 540, 0, 0, 0},
                (struct judge_counts){1, 1, 0, 9, 0, 0, 0});
    assert_int_equal(at(t, 30), VERDICT_WATCHING);
    assert_false(t->r.verdict == VERDICT_PASS);
    controllers(t, 1, (struct judge_counts){0, 60, 0, 540, 0, 0, 0},
                (struct judge_counts){1, 1, 0, 9, 0, 0, 0});
    assert_int_equal(at(t, 30), VERDICT_FAIL);
    assert_string_equal(
        t->r.why, "controller gadget: 3 of 3 reconciles failed (100 %), tolerated are 5 %; stable 0 % of 27");
}

RULE(a_controller_that_does_not_begin) {
    t->p.gamma = 0;
    controllers(t, 100, (struct judge_counts){0, 20, 0, 180, 0, 0, 0},
                (struct judge_counts){0, 0, 0, 9, 0, 0, 0});
    assert_int_equal(at(t, 100), VERDICT_INCONCLUSIVE);
    assert_string_equal(t->r.why,
                        "the canary has not reconciled once in controller gadget, stable 900 times");
    controllers(t, 1, (struct judge_counts){0, 20, 0, 180, 0, 0, 0},
                (struct judge_counts){0, 1, 0, 9, 0, 0, 0});
    assert_int_equal(at(t, 101), VERDICT_PASS);
}

/* Objects that are permanently bad, in a controller that does little: no fault of the canary. */
RULE(a_controller_that_fails_in_stable) {
    t->p.gamma = 0;
    judge_controller_history(&t->j, &t->p, "widget", 0, 100000);
    judge_controller_history(&t->j, &t->p, "gadget", 60, 100);
    judge_controller_history(&t->j, &t->p, "gadget", 10, 100); /* later: nothing changes */
    controllers(t, 100, (struct judge_counts){0, 20, 0, 180, 0, 0, 0},
                (struct judge_counts){1, 1, 5, 9, 0, 0, 0});
    assert_true(t->j.controller[1].theta == 1 && t->j.controller[0].theta == 0);
    assert_int_equal(at(t, 100), VERDICT_PASS);
    assert_near(t->r.limit_fail, log(200)); /* it is no test */
}

RULE(a_controller_that_fails_more_than_in_stable) {
    t->p.gamma = 0;
    judge_controller_history(&t->j, &t->p, "gadget", 20, 200);
    controllers(t, 30, (struct judge_counts){0, 20, 0, 180, 0, 0, 0},
                (struct judge_counts){1, 5, 4, 45, 0, 0, 0});
    assert_int_equal(at(t, 30), VERDICT_WATCHING);
    controllers(t, 30, (struct judge_counts){0, 20, 0, 180, 0, 0, 0},
                (struct judge_counts){4, 5, 4, 45, 0, 0, 0});
    assert_int_equal(at(t, 60), VERDICT_FAIL);
    assert_string_equal(t->r.why,
                        "controller gadget: 150 of 300 reconciles failed (50 %), tolerated are 21.3 %; "
                        "stable 8.9 % of 2700");
}

RULE(many_controllers_are_judged_as_one) {
    for (int i = 0; i < 40; i++) {
        char name[8];
        snprintf(name, sizeof name, "c%d", i);
        judge_feed_controller(&t->j, &t->p, name, &(struct judge_counts){i == 30, 1, 0, 9, 0, 0, 0});
    }
    assert_int_equal(t->j.n, JUDGE_CONTROLLERS);
    assert_string_equal(t->j.controller[JUDGE_CONTROLLERS - 1].name, JUDGE_OTHERS);
    assert_true(t->j.controller[JUDGE_CONTROLLERS - 1].nc == 25 &&
                t->j.controller[JUDGE_CONTROLLERS - 1].ec == 1);
    cleanup_buf struct buf b = BUF(1 << 20);
    judge_write(&t->j, &b);
    assert_true(b.n < 64 << 10);
}

RULE(words) {
    cleanup_buf struct buf b = BUF(400);
    at(t, 0);
    judge_words(&t->r, &b);
    assert_string_equal(buf_str(&b), "odds that it is bad: 1 to 1, rolled back at 100 to 1");
    t->p.gamma = 0;
    feed(t, 20, 0, 1, 0, 9);
    at(t, 20);
    buf_clear(&b);
    judge_words(&t->r, &b);
    assert_string_equal(
        buf_str(&b),
        "odds that it is bad: 1 to 4, rolled back at 100 to 1; 24 more clean reconciles would pass it");
    judge_free(&t->j);
    feed(t, 1, 1, 1, 0, 9);
    at(t, 1);
    buf_clear(&b);
    judge_words(&t->r, &b);
    assert_string_equal(buf_str(&b), "odds that it is bad: 8 to 1, rolled back at 100 to 1");
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
        p.gamma = (double[]){0, 1, 0.2}[rng_below(&rng, 3)];
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
            const struct judge_counts c = {x, n, y, s, n / 2, n, n / 3},
                                      half = {x / 2, n / 2, y / 2, s / 2, 0, 0, 0};
            through_json(&other, &copy);
            judge_free(&other);
            other = copy;
            struct judge *both[] = {&one, &other};
            const struct judge_param *params[] = {&p, &q};
            for (int k = 0; k < 2; k++) {
                judge_feed(both[k], params[k], &c);
                judge_feed_controller(both[k], params[k], "a", &half);
                judge_feed_controller(both[k], params[k], i % 3 ? "b" : "c", &half);
            }
            struct judge_report a, b;
            judge_verdict(&one, &p, i * NS_PER_S, &a);
            judge_verdict(&other, &q, i * NS_PER_S, &b);
            if (a.verdict != b.verdict || a.log_fail != b.log_fail || a.log_pass != b.log_pass ||
                a.upper != b.upper || a.v.log_e != b.v.log_e || a.more != b.more ||
                strcmp(a.why, b.why) != 0) {
                fail_msg("seed %llu scrape %d: %.17g and %.17g", (unsigned long long)seed, i, a.log_fail,
                         b.log_fail);
            }
        }
        judge_free(&one);
        judge_free(&other);
    }
}

/* Written by version 0.1.0 in the middle of a trial: its counts and its evidence by counts go on. */
CASE(state_of_an_earlier_version) {
    static const char text[] =
        "{\"canary\":{\"begun\":true,\"lnR\":-0.7,\"m\":[1.5,2,3,null,null,null,null,null,null,null]},"
        "\"stable\":{\"begun\":true,\"lnR\":-0.7,\"m\":[-1,-1,-1,-1,-1,-1,-1,-1,-1,-1]},"
        "\"two\":[0,1,2,3,4,5,6,7,8],\"twoEqual\":[1,1,1,1,1,1,1,1,1],\"canaryErrors\":3,\"canaryTotal\":40,"
        "\"stableErrors\":2,\"stableTotal\":300,\"stepTotal\":7,\"scrapes\":12,\"extended\":true}";
    static const char param[] = "{\"theta\":0.02,\"psi0\":2,\"alpha\":0.01,\"beta\":0.05,\"gamma\":0.2,"
                                "\"metrics\":1,\"minEvents\":10,\"soakNs\":\"20000000000\","
                                "\"minSoakNs\":\"4000000000\"}";
    struct judge j;
    struct judge_param p;
    cleanup_json cJSON *v = json_parse(slice_of(text), NULL), *w = json_parse(slice_of(param), NULL);
    assert_int_equal(judge_read(v, &j, NULL), 0);
    assert_int_equal(judge_param_read(w, &p, NULL), 0);
    assert_true(j.all.ec == 3 && j.all.ns == 300 && j.step_nc == 7 && j.scrapes == 12 &&
                j.all.late.looks == 12);
    assert_near(judge_dc_log(&j.all.late), log(exp(1.5) + exp(2) + exp(3) + exp(-.7)));
    assert_near(judge_dc_log(&j.all.bet), 0);
    assert_true(p.gamma == 0 && p.theta == .02 && p.deadline_looks == 720);
    judge_feed(&j, &p, &(struct judge_counts){1, 2, 0, 9, 0, 0, 0});
    struct judge_report r;
    judge_verdict(&j, &p, 0, &r);
    assert_int_equal(r.verdict, VERDICT_WATCHING);
    judge_free(&j);
}

CASE(damaged) {
    struct judge j, untouched;
    judge_init(&j);
    struct judge_param p = plain();
    judge_feed(&j, &p, &(struct judge_counts){1, 3, 0, 9, 0, 0, 0});
    judge_controller_history(&j, &p, "a", 1, 10);
    judge_feed_controller(&j, &p, "a", &(struct judge_counts){1, 3, 0, 9, 0, 0, 0});
    cleanup_buf struct buf b = BUF(1 << 16);
    judge_write(&j, &b);
    cleanup_json cJSON *good = json_parse(buf_slice(&b), NULL);
    untouched = j;
    static const double theta[] = {-1, 0, 1.1};
    for (size_t i = 0; i < ARRAY_LEN(theta); i++) {
        cJSON *of = json_arr(good, "controllers")->child;
        cJSON_ReplaceItemInObjectCaseSensitive(of, "tolerated", cJSON_CreateDoubleArray(&theta[i], 1));
        assert_int_not_equal(judge_read(good, &untouched, NULL), 0);
        cJSON_ReplaceItemInObjectCaseSensitive(of, "tolerated",
                                               cJSON_CreateDoubleArray(&j.controller->theta, 1));
    }
    for (const cJSON *m = good->child; m; m = m->next) {
        struct err e = {0};
        cleanup_json cJSON *v = cJSON_Duplicate(good, true);
        cJSON_ReplaceItemInObjectCaseSensitive(v, m->string, cJSON_CreateString("x"));
        assert_int_not_equal(judge_read(v, &untouched, &e), 0);
        assert_int_equal(e.kind, ERR_CONFIG);
        /* there need not be any; version 0.1.0 has none */
        if (!strcmp(m->string, "controllers") || !strcmp(m->string, "lately")) continue;
        cleanup_json cJSON *w = cJSON_Duplicate(good, true);
        cJSON_DeleteItemFromObjectCaseSensitive(w, m->string);
        assert_int_not_equal(judge_read(w, &untouched, &e), 0);
    }
    assert_memory_equal(&untouched, &j, sizeof j);
    judge_free(&j);
    assert_int_not_equal(judge_read(NULL, &untouched, NULL), 0);
    assert_int_not_equal(judge_param_read(NULL, &p, NULL), 0);
}

CASES("rollout/judge_rule")
