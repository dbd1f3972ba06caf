/* A smaller run of tests/bench/judge.c: what the rule does to a canary from its first scrape to the deadline. Seeded; the
 * margins are several standard errors of this number of runs, so a failure is a fault and not chance. */
#include "../../bench/judge_sim.h"
#include "../case.h"

static struct outcome run(struct setting s, int runs) {
    if (!(s.share > 0)) s.share = .1;
    struct outcome o = simulate(&s, RULE_HANDOVER, runs, 7);
    print_message(
        "m %-4g canary %.3g stable %.3g: rolled back %.1f %%, promoted %.1f %%, undecided %.1f %%, median %d "
        "events, %d scrapes\n",
        s.m, s.canary, s.stable, 100 * o.failed, 100 * o.passed, 100 * o.undecided, o.events, o.scrapes);
    return o;
}

CASE(healthy) {
    static const double rate[] = {.001, .01, .05}, m[] = {.2, 2, 20, 200};
    for (int k = 0; k < 36; k++) {
        double p = rate[k / 4 % 3];
        struct outcome o = run(
            (struct setting){.m = m[k % 4], .canary = p, .stable = p, .spread = (enum spread)(k / 12)}, 25);
        assert_true(o.failed <= .08 && o.undecided <= .08); /* aim 1 % */
    }
}

CASE(always_failing) {
    static const double m[] = {.2, 2, 20};
    static const int events[] = {2, 3, 20};
    for (int k = 0; k < 3; k++) {
        struct outcome o = run((struct setting){.m = m[k], .canary = 1, .stable = .01}, 200);
        assert_true(o.failed == 1);
        assert_in_range(o.events, events[k] - (k == 2), events[k] + (k == 2));
    }
}

CASE(often_failing) {
    static const double m[] = {.2, 2, 20};
    for (int k = 0; k < 3; k++) {
        assert_true(run((struct setting){.m = m[k], .canary = .5, .stable = .01}, 100).passed == 0);
        struct outcome o = run((struct setting){.m = m[k], .canary = .2, .stable = .01}, 100);
        assert_true(o.passed <= (k ? 0 : .16)); /* aim 10 % at m = 0.2 */
        if (k == 1) assert_in_range(o.events, 30, 54);
    }
    assert_true(run((struct setting){.m = 2, .canary = .1, .stable = .01}, 100).passed <= .08);
}

CASE(late) {
    static const int from[] = {60, 720};
    for (int k = 0; k < 2; k++) {
        struct outcome o =
            run((struct setting){.m = 20, .canary = .2, .stable = .01, .from = from[k], .goes_on = true}, 40);
        assert_true(o.failed == 1 && o.events > 60 && o.events <= 250);
    }
}

CASE(shared_outage) {
    for (int k = 0; k < 4; k++) {
        struct setting s = {
            .m = k < 2 ? 2 : 20, .share = k % 2 ? .5 : .1, .canary = .3, .stable = .3, .from = 8, .to = 60};
        struct outcome o = run(s, 50);
        assert_true(o.failed <= .06 && o.passed_in == 0);
    }
    assert_true(
        run((struct setting){.m = 20, .canary = .3, .stable = .01, .from = 8, .to = 700}, 50).failed == 1);
}

/* The last of ten controllers, which does 2 % of the work. At m = 2 it has done nothing in the soak of e^-2.4 of all
 * canaries. */
CASE(one_controller) {
    static const double m[] = {2, 20};
    for (int k = 0; k < 2; k++) {
        struct setting s = {.m = m[k], .canary = 1, .stable = .01, .controllers = 10, .last = .02};
        assert_true(run(s, 50).failed >= (k ? 1 : .84));
        s.canary = .01;
        struct outcome o = run(s, 50);
        assert_true(o.failed <= .06 && o.undecided <= .06);
    }
}

CASES("rollout/judge_study")
