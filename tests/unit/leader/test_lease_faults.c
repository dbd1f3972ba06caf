/* Faults planted in the lease machine: the random schedules find each of them, and nothing else. */
#include "../../../leader/lease_state.h"
#include "lease_world.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

enum lease_fault lease_planted;

static void found_within(enum lease_fault fault, const char *name, uint64_t seeds) {
    lease_planted = fault;
    struct lease_run r;
    uint64_t seed = 1;
    while (seed <= seeds && lease_world_run(seed, false, &r)) seed++;
    lease_planted = FAULT_NONE;
    if (seed > seeds) fail_msg("%s: not found in %lu schedules", name, (unsigned long)seeds);
    print_message("%s: found by seed %lu: %s\n", name, (unsigned long)seed, r.broken);
}

static void test_nothing_planted(void **state) {
    (void)state;
    struct lease_run r;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        if (!lease_world_run(seed, false, &r)) fail_msg("seed %lu: %s", (unsigned long)seed, r.broken);
    }
}

static void test_no_fence(void **state) {
    (void)state;
    found_within(FAULT_NO_FENCE, "no fencing", 500);
}

static void test_release_early(void **state) {
    (void)state;
    found_within(FAULT_RELEASE_EARLY, "release before the drain", 500);
}

static void test_blind_release(void **state) {
    (void)state;
    found_within(FAULT_BLIND_RELEASE, "blind release", 500);
}

static void test_fence_from_answer(void **state) {
    (void)state;
    found_within(FAULT_FENCE_FROM_ANSWER, "the fence counts from the answer", 5000);
}

static void test_expiry_by_wall(void **state) {
    (void)state;
    found_within(FAULT_EXPIRY_BY_WALL, "expiry by the wall clock", 500);
}

static void test_no_precondition(void **state) {
    (void)state;
    found_within(FAULT_NO_PRECONDITION, "acquired without precondition", 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_planted),   cmocka_unit_test(test_no_fence),
        cmocka_unit_test(test_release_early),     cmocka_unit_test(test_blind_release),
        cmocka_unit_test(test_fence_from_answer), cmocka_unit_test(test_expiry_by_wall),
        cmocka_unit_test(test_no_precondition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
