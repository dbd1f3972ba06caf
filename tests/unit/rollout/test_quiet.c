/* Quiet moments: their beginning, and what looks like one. */
#include "../case.h"
#include "base/rand.h"
#include "plan/quiet.h"

#define MS                NS_PER_MS
#define QUIET(row, at_ms) quiet_now(row, (at_ms)*MS, 10 * NS_PER_S)

static void look(struct quiet_row *r, int64_t at_ms, char found) {
    quiet_look(r, found == '.' ? QUIET_NOW : found == 'w' ? QUIET_BUSY : QUIET_UNKNOWN, at_ms * MS);
}

/* One look each 250 ms: w finds work, . none, ? cannot say. The rule's answer right after the last one. */
static enum quiet after(const char *looks) {
    struct quiet_row r = {0};
    int64_t at = 100000;
    for (const char *p = looks; *p; p++) look(&r, at += 250, *p);
    return QUIET(&r, at + 10);
}

CASE(the_beginning_is_taken) {
    assert_int_equal(after("w.."), QUIET_NOW);
    assert_int_equal(after("..ww..."), QUIET_NOW);
    assert_int_equal(after("w"), QUIET_BUSY);
    assert_int_equal(after(""), QUIET_UNKNOWN);
    assert_int_equal(after("w..?"), QUIET_UNKNOWN);
    assert_int_equal(after("w..w"), QUIET_BUSY);
}
CASE(a_gap_between_two_reconciles_is_none) {
    assert_int_equal(after("w."), QUIET_BUSY);
    assert_int_equal(after("w.w.w.w."), QUIET_BUSY);
}
/* Found quiet, for how long already nobody knows. */
CASE(the_middle_is_not_taken_before_it_has_lasted) {
    assert_int_equal(after("...."), QUIET_BUSY);
    assert_int_equal(after("?...."), QUIET_BUSY);
    assert_int_equal(after("...................."), QUIET_BUSY); /* 4.75 s */
    assert_int_equal(after("....................."), QUIET_NOW);
}
CASE(a_short_annotation_has_little_patience) {
    struct quiet_row r = {0};
    for (int at = 1000; at <= 1500; at += 250) look(&r, at, '.');
    assert_int_equal(quiet_now(&r, 1510 * MS, 1100 * MS), QUIET_BUSY);
    assert_int_equal(quiet_now(&r, 1510 * MS, 1000 * MS), QUIET_NOW);
    assert_int_equal(quiet_now(&r, 1510 * MS, 0), QUIET_NOW);
}
CASE(looks_far_apart_are_no_row) {
    struct quiet_row r = {0};
    look(&r, 1000, 'w');
    look(&r, 3500, '.');
    look(&r, 3700, '.');
    assert_int_equal(QUIET(&r, 3710), QUIET_BUSY); /* it may have been quiet all the while */
    look(&r, 9000, '.');
    assert_int_equal(QUIET(&r, 9010), QUIET_BUSY);
}
CASE(one_page_is_one_look_and_an_old_one_says_nothing) {
    struct quiet_row r = {0};
    look(&r, 1000, 'w');
    for (int i = 0; i < 5; i++) look(&r, 1250, '.');
    assert_int_equal(QUIET(&r, 1260), QUIET_BUSY);
    look(&r, 1500, '.');
    assert_int_equal(QUIET(&r, 2499), QUIET_NOW);
    assert_int_equal(QUIET(&r, 2500), QUIET_UNKNOWN);
}

/* An operator that works for eight seconds in ten, with gaps of up to 20 ms between reconciles; looks come when they come, and the pod hears
 * of it up to a second after. Nothing is cut, and it is not waited for longer than two of its rounds. */
CASE(periodic_work_is_never_cut) {
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct rng rng = {.s = seed};
        struct quiet_row r = {0};
        int64_t now = 1000000 + (int64_t)rng_below(&rng, 10000), from = now;
        for (;;) {
            int64_t at = now % 10000;
            bool works = at < 8000 && at % 1000 >= (int64_t)rng_below(&rng, 20);
            look(&r, now, works ? 'w' : '.');
            if (QUIET(&r, now + 5) == QUIET_NOW) break;
            now += 250 + (int64_t)rng_below(&rng, 200);
            assert_true(now - from < 20000);
        }
        int64_t told = (now + 5 + (int64_t)rng_below(&rng, 1000)) % 10000;
        if (told < 8000) fail_msg("seed %d: told to stop at %d ms of its ten seconds", (int)seed, (int)told);
    }
}

CASES("rollout/quiet")
