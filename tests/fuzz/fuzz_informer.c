/* An API server that keeps to the rules, an operator that reads through informers and writes in every way: each byte is a step of the model's
 * schedule (tests/unit/rehearse), its randomness. In the end each informer has what a read says, and a read says what the
 * operator wrote over what is live. OVERLAY_LOG=1 prints what happens. */
#include "fuzz.h"
#include "model_schedule.h"

enum { STEPS_MAX = 600 };

static __attribute__((constructor)) void prepare(void) {
    setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure of the model's is one of the fuzzer's */
    loud = getenv("OVERLAY_LOG") != NULL;
    (void)case_list; /* there are none */
    (void)case_count;
    (void)case_seed;
}

FUZZ(in) {
    static struct run x;
    if (!in.n) return;
    unsigned char before = (unsigned char)in.p[0];
    run_begin(&x, before, before & 3 ? 0 : 100000);
    for (size_t i = 1; i < in.n && i < STEPS_MAX; i++) {
        unsigned char now = (unsigned char)in.p[i];
        x.r.s = (uint64_t)before << 8 | now; /* the same wherever it stands */
        before = now;
        step(&x);
        if (now == '\n') settle(&x);
    }
    settle(&x);
    run_end(&x);
}
