/* The overlay under random schedules (model_schedule.h). */
#include "model_schedule.h"

static void run(uint64_t seed) {
    static struct run x;
    struct rng r = {seed};
    run_begin(&x, seed, rng_below(&r, 4) ? 0 : 100000);
    for (int i = 0; i < 1500; i++) {
        step(&x);
        if (i % 500 == 499) settle(&x);
    }
    run_end(&x);
}

CASE(whatever_happens_the_operator_sees_what_it_wrote_over_what_is_live) {
    loud = getenv("OVERLAY_LOG") != NULL;
    const char *one = getenv("OVERLAY_SEED"), *many = getenv("OVERLAY_RUNS");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1, to = one ? from : many ? strtoull(many, NULL, 10) : 40;
    for (uint64_t seed = from; seed <= to; seed++) run(seed);
    for (int i = 0; i < WHATS && !one;
         i++) { /* each kind of write has been carried out, and has met a conflict */
        print_message("op %d: %u done, %u refused\n", i, done[i], refused[i]);
        assert_true(done[i] > to && refused[i]);
    }
}

CASES("rehearse/overlay_random")
