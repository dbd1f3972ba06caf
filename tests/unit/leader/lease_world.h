/* A world in simulated time for the lease machine: one API server with one Lease, 2 to 5 candidates, and a
 * network, clocks and an operating system that misbehave as a seed says. The same seed replays the same run.
 */
#ifndef TEST_LEASE_WORLD_H
#define TEST_LEASE_WORLD_H
#include <stdbool.h>
#include <stdint.h>

struct lease_run {
    char broken[200]; /* which invariant broke and when; "": none */
    unsigned events, leads, released, dead, expired, lost, renewals, requests, pauses;
    int64_t worst_gap_ns; /* after the last fault: until somebody led */
};
/* Runs one schedule. trace: prints what happens. False: broken. */
bool lease_world_run(uint64_t seed, bool trace, struct lease_run *ret);
#endif
