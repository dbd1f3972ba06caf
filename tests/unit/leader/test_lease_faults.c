/* Faults planted in the lease machine: the random schedules find each of them, and nothing else. */
#include "../../../leader/lease_state.h"
#include "lease_world.h"
#include "../case.h"

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

CASE(nothing_planted) {
    struct lease_run r;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        if (!lease_world_run(seed, false, &r)) fail_msg("seed %lu: %s", (unsigned long)seed, r.broken);
    }
}

CASE(no_fence) {
    found_within(FAULT_NO_FENCE, "no fencing", 500);
}

CASE(release_early) {
    found_within(FAULT_RELEASE_EARLY, "release before the drain", 500);
}

CASE(blind_release) {
    found_within(FAULT_BLIND_RELEASE, "blind release", 500);
}

CASE(fence_from_answer) {
    found_within(FAULT_FENCE_FROM_ANSWER, "the fence counts from the answer", 5000);
}

CASE(expiry_by_wall) {
    found_within(FAULT_EXPIRY_BY_WALL, "expiry by the wall clock", 500);
}

CASE(no_precondition) {
    found_within(FAULT_NO_PRECONDITION, "acquired without precondition", 500);
}

CASES("leader/lease_faults")
