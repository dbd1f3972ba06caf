/* Versions that take turns: each look of the canary's beside one of stable's. */
#include "../case.h"
#include "judge/switchback.h"

static struct evidence_delta look(uint64_t ec, uint64_t nc, uint64_t es, uint64_t ns) {
    return (struct evidence_delta){.errors = {[TRACK_CANARY] = ec, [TRACK_STABLE] = es},
                                   .total = {[TRACK_CANARY] = nc, [TRACK_STABLE] = ns},
                                   .pods = {[TRACK_CANARY] = 1, [TRACK_STABLE] = 2}};
}

CASE(the_oldest_of_stables_looks_comes_first_and_each_once) {
    struct switchback b = {0};
    struct counts_delta by[1] = {{.name = "a"}};
    for (uint64_t i = 1; i <= 3; i++) {
        struct evidence_delta d = look(0, 0, i, 10 * i);
        by[0].d[TRACK_STABLE] = (struct counter_news){.x = i, .n = 5 * i};
        assert_false(switchback_take(&b, false, &d, by, 1));
    }
    for (uint64_t i = 1; i <= 4; i++) {
        struct evidence_delta d = look(7, 9, 0, 0);
        by[0].d[TRACK_CANARY] = (struct counter_news){.x = 7, .n = 9};
        by[0].d[TRACK_STABLE] = (struct counter_news){0};
        assert_true(switchback_take(&b, true, &d, by, 1));
        uint64_t want = i <= 3 ? i : 0; /* then there is none */
        assert_true(d.errors[TRACK_STABLE] == want && d.total[TRACK_STABLE] == 10 * want);
        assert_true(by[0].d[TRACK_STABLE].x == want && by[0].d[TRACK_STABLE].n == 5 * want);
        assert_true(d.errors[TRACK_CANARY] == 7 && d.total[TRACK_CANARY] == 9 &&
                    by[0].d[TRACK_CANARY].n == 9);
    }
    switchback_free(&b);
}

CASE(a_long_turn_leaves_its_newest_looks) {
    struct switchback b = {0};
    for (uint64_t i = 0; i < SWITCHBACK_LOOKS + 5; i++) {
        struct evidence_delta d = look(0, 0, 0, i);
        switchback_take(&b, false, &d, NULL, 0);
    }
    for (uint64_t i = 5; i < SWITCHBACK_LOOKS + 5; i++) {
        struct evidence_delta d = look(0, 1, 0, 0);
        switchback_take(&b, true, &d, NULL, 0);
        assert_int_equal(d.total[TRACK_STABLE], i);
    }
    switchback_free(&b);
}

CASE(a_controller_that_stable_did_not_have_yet) {
    struct switchback b = {0};
    struct counts_delta by[2] = {{.name = "a"}, {.name = "b"}};
    struct evidence_delta d = look(0, 0, 1, 2);
    by[0].d[TRACK_STABLE].n = 3;
    switchback_take(&b, false, &d, by, 1);
    by[1].d[TRACK_STABLE].n = 99;
    switchback_take(&b, true, &d, by, 2);
    assert_true(by[0].d[TRACK_STABLE].n == 3 && by[1].d[TRACK_STABLE].n == 0);
    switchback_free(&b);
}

CASE(signals_take_turns_too) {
    struct switchback b = {0};
    struct signals_look l = {.pods = {[TRACK_STABLE] = 1},
                             .total = {[TRACK_STABLE] = 40, [TRACK_CANARY] = 3}};
    l.pair[PAIR_WRITES][TRACK_STABLE] = (struct signals_counts){true, 5, 40};
    l.memory[TRACK_STABLE] = (struct signals_gauge){true, 1e6};
    assert_false(switchback_take_signals(&b, false, &l));
    struct signals_look c = {.pods = {[TRACK_CANARY] = 1}, .total = {[TRACK_CANARY] = 30}};
    assert_true(switchback_take_signals(&b, true, &c));
    assert_true(c.total[TRACK_STABLE] == 40 && c.total[TRACK_CANARY] == 30 && c.pods[TRACK_STABLE] == 1);
    assert_true(c.pair[PAIR_WRITES][TRACK_STABLE].x == 5 && c.memory[TRACK_STABLE].present);
    assert_true(switchback_take_signals(&b, true, &c));
    assert_true(c.total[TRACK_STABLE] == 0 && !c.pair[PAIR_WRITES][TRACK_STABLE].present);
    switchback_free(&b);
}
CASES("rollout/switchback")
