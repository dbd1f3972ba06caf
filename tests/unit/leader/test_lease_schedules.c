/* Thousands of random schedules of the lease machine in simulated time. LEASE_SEED=N replays one with a
 * trace, LEASE_SCHEDULES=N runs that many. */
#include "lease_world.h"
#include "../case.h"
#include <stdlib.h>

CASE(schedules) {
    const char *one = getenv("LEASE_SEED"), *many = getenv("LEASE_SCHEDULES");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1, n = one ? 1 : many ? strtoull(many, NULL, 10) : 2000;
    struct lease_run sum = {0}, r;
    for (uint64_t seed = from; seed < from + n; seed++) {
        if (!lease_world_run(seed, one != NULL, &r)) {
            print_error("seed %lu (LEASE_SEED=%lu replays it): %s\n", (unsigned long)seed,
                        (unsigned long)seed, r.broken);
            fail();
        }
        sum.events += r.events;
        sum.leads += r.leads;
        sum.released += r.released;
        sum.dead += r.dead;
        sum.expired += r.expired;
        sum.lost += r.lost;
        sum.renewals += r.renewals;
        sum.requests += r.requests;
        sum.pauses += r.pauses;
        if (r.worst_gap_ns > sum.worst_gap_ns) sum.worst_gap_ns = r.worst_gap_ns;
    }
    print_message("%lu schedules: %u events, %u requests, %u leads (%u after a release, %u by certificate, "
                  "%u by expiry), %u lost, "
                  "%u renewals, %u pauses; a leader again %.1f s after the last fault at the latest\n",
                  (unsigned long)n, sum.events, sum.requests, sum.leads, sum.released, sum.dead, sum.expired,
                  sum.lost, sum.renewals, sum.pauses, (double)sum.worst_gap_ns / 1e9);
    if (one) return;
    /* A schedule in which nothing happens proves nothing. */
    assert_true(sum.released > n && sum.dead > n / 10 && sum.expired > n / 10 && sum.lost > n / 10 &&
                sum.pauses > n / 10);
}

CASES("leader/lease_schedules")
