/* Rounds of scrapes into the judge: each controller by its name, those that one version alone has, a crowd of them. */
#include "../case.h"
#include "base/rand.h"
#include "judge/counts.h"
#include "plan/plan.h"

#define T0 (INT64_C(1800000000) * NS_PER_S)

/* A stable and a canary pod whose pages have the controllers c00, c01, ... */
struct stage {
    struct state s;
    struct prom_page page[TRACKS];
    int64_t now;
    struct judge_report r;
};
static void open_stage(struct stage *t) {
    *t = (struct stage){.now = T0};
    state_init(&t->s);
    t->s.phase = PHASE_SOAKING;
    t->s.learned = true;
    memcpy(t->s.hash, "bcdfghjklm", sizeof t->s.hash);
    t->s.soak_from_ns = T0;
    evidence_begin(&t->s.evidence, T0);
}
static void close_stage(struct stage *t) {
    state_free(&t->s);
}
#define STAGE(name) CASE_WITH(struct stage, t, open_stage, close_stage, name)

static void has(struct stage *t, enum track track, int first, int last) {
    struct prom_page *p = &t->page[track];
    for (int i = first; i <= last; i++) {
        size_t k = p->controllers < PROM_CONTROLLERS ? p->controllers++ : PROM_CONTROLLERS - 1;
        p->controller[k] = (struct prom_controller){0};
        if (k < PROM_CONTROLLERS - 1) snprintf(p->controller[k].name, PROM_CONTROLLER, "c%02d", i);
        if (k == PROM_CONTROLLERS - 1) p->controller[k].of += (uint64_t)i;
    }
}

static struct prom_controller *of(struct stage *t, enum track track, const char *name) {
    struct prom_page *p = &t->page[track];
    for (size_t i = 0; i < p->controllers; i++)
        if (!strcmp(p->controller[i].name, name)) return &p->controller[i];
    fail_msg("no controller %s", name);
    return NULL;
}

static void did(struct stage *t, enum track track, const char *name, unsigned errors, unsigned total) {
    of(t, track, name)->errors += errors;
    of(t, track, name)->total += total;
}

/* A round, five seconds after the last. */
static enum verdict feed(struct stage *t) {
    struct pod_sample s[TRACKS] = {0};
    t->now += 5 * NS_PER_S;
    for (int k = 0; k < TRACKS; k++) {
        s[k] = (struct pod_sample){.uid = k == TRACK_CANARY ? SL("canary") : SL("stable"),
                                   .track = (enum track)k,
                                   .created_ns = T0 - NS_PER_S,
                                   .scraped = true,
                                   .present = true,
                                   .page = &t->page[k]};
        for (size_t i = 0; i < t->page[k].controllers; i++) {
            s[k].errors += evidence_count(t->page[k].controller[i].errors);
            s[k].total += evidence_count(t->page[k].controller[i].total);
        }
    }
    plan_feed(&t->s, NULL, t->now, s, TRACKS);
    assert_true(plan_report(&t->s, t->now, &t->r));
    return t->r.verdict;
}

/* All of them work, c00 most. */
static enum verdict work(struct stage *t) {
    for (int k = 0; k < TRACKS; k++)
        for (size_t i = 0; i < t->page[k].controllers; i++)
            t->page[k].controller[i].total += (i ? 1 : 11) * (k == TRACK_STABLE ? 9 : 1);
    return feed(t);
}

STAGE(one_of_ten_controllers_fails) {
    int rounds = 0;
    has(t, TRACK_STABLE, 0, 9);
    has(t, TRACK_CANARY, 0, 9);
    do { /* one in twenty reconciles is its */
        did(t, TRACK_CANARY, "c03", 1, 0);
        rounds++;
    } while (work(t) == VERDICT_WATCHING && rounds < 100);
    assert_int_equal(t->r.verdict, VERDICT_FAIL);
    assert_int_equal(rounds, 3);
    assert_string_equal(
        t->r.why, "controller c03: 3 of 3 reconciles failed (100 %), tolerated are 5 %; stable 0 % of 18");
}

STAGE(ten_healthy_controllers) {
    has(t, TRACK_STABLE, 0, 9);
    has(t, TRACK_CANARY, 0, 9);
    int rounds = 0;
    while (work(t) == VERDICT_WATCHING && rounds < 100) rounds++;
    assert_int_equal(t->r.verdict, VERDICT_PASS);
    assert_int_equal(t->s.judge.n, 10);
}

/* An object that is permanently bad in a controller that does little, in both versions. */
STAGE(one_of_ten_fails_in_stable_too) {
    int rounds = 0;
    has(t, TRACK_STABLE, 0, 9);
    has(t, TRACK_CANARY, 0, 9);
    did(t, TRACK_STABLE, "c03", 80, 120);
    do {
        did(t, TRACK_CANARY, "c03", 1, 0);
        did(t, TRACK_STABLE, "c03", 8, 0);
        rounds++;
    } while (work(t) == VERDICT_WATCHING && rounds < 100);
    assert_int_equal(t->r.verdict, VERDICT_PASS);
}

STAGE(a_single_controller_is_all) {
    has(t, TRACK_STABLE, 0, 0);
    has(t, TRACK_CANARY, 0, 0);
    for (int i = 0; i < 20; i++) work(t);
    assert_int_equal(t->s.judge.n, 0);
    assert_true(t->s.judge.all.nc > 0);
}

STAGE(a_controller_that_the_canary_lacks) {
    has(t, TRACK_STABLE, 0, 2);
    has(t, TRACK_CANARY, 0, 1);
    for (int i = 0; i < 70; i++) work(t);
    assert_int_equal(t->r.verdict, VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(t->r.why, "has not reconciled once in controller c02, stable "));
}

/* The canary has one more, so the sums of the rest are not of the same ones. */
STAGE(a_crowd) {
    has(t, TRACK_STABLE, 0, 19);
    has(t, TRACK_CANARY, 0, 3);
    has(t, TRACK_CANARY, 90, 90);
    has(t, TRACK_CANARY, 4, 19);
    int rounds = 0;
    while (work(t) == VERDICT_WATCHING && rounds < 100) rounds++;
    assert_int_equal(t->r.verdict, VERDICT_PASS);
    assert_true(t->s.judge.n <= JUDGE_CONTROLLERS);
}

/* Another leader goes on: the controllers' tests are in the state, their counters are not. */
STAGE(the_next_leader) {
    has(t, TRACK_STABLE, 0, 1);
    has(t, TRACK_CANARY, 0, 1);
    for (int i = 0; i < 20; i++) work(t);
    uint64_t before = t->s.judge.controller[1].nc, all = t->s.judge.all.nc;
    counts_free(&t->s.controllers);
    for (int i = 0; i < 20; i++) work(t);
    assert_int_equal(t->s.judge.all.nc, all + 20 * 12);
    assert_int_equal(t->s.judge.controller[1].nc, before + 19);
}

/* As many pods and controllers as there may be, each with as much as can be. */
STAGE(the_state_stays_small) {
    struct rng rng = {1};
    cleanup_buf struct buf b = BUF(STATE_MAX_TEXT);
    static struct pod_sample s[EVIDENCE_MAX_PODS];
    static char uid[EVIDENCE_MAX_PODS][40];
    has(t, TRACK_CANARY, 0, 99);
    for (int round = 0; round < 30; round++) {
        for (size_t i = 0; i < PROM_CONTROLLERS; i++) {
            struct prom_controller *c = &t->page[TRACK_CANARY].controller[i];
            if (c->name[0]) memset(c->name + 3, 'x', PROM_CONTROLLER - 4);
            c->errors += (double)rng_below(&rng, 1000000);
            c->total += 1000000;
        }
        for (size_t i = 0; i < EVIDENCE_MAX_PODS; i++) {
            snprintf(uid[i], sizeof uid[i], "01234567-0123-0123-0123-%012zu", i);
            s[i] = (struct pod_sample){.uid = slice_of(uid[i]),
                                       .track = i % 2 ? TRACK_CANARY : TRACK_STABLE,
                                       .started_s = 1.8e9 + (double)i / 3,
                                       .created_ns = T0,
                                       .scraped = true,
                                       .present = true,
                                       .errors = evidence_count(t->page[TRACK_CANARY].controller[0].errors),
                                       .total = evidence_count(t->page[TRACK_CANARY].controller[0].total),
                                       .page = &t->page[TRACK_CANARY]};
        }
        t->now += 5 * NS_PER_S;
        plan_feed(&t->s, NULL, t->now, s, EVIDENCE_MAX_PODS);
    }
    assert_int_equal(t->s.judge.n, JUDGE_CONTROLLERS);
    state_write(&t->s, &b);
    assert_false(b.full);
    print_message("%zu bytes\n", b.n);
    assert_true(b.n < STATE_MAX_TEXT / 2);
}

CASES("rollout/plan_feed")
