/* The time that a drain has is the one that its own pod gives it. */
#include "operator_kit.h"

/* SIGTERM of a leader with two reconciles in flight; returns how long its drain may take. */
static int64_t drain_left(const struct stage_options *opt) {
    struct stage *st = stage_new(opt);
    struct instance *in = leader(st);
    leadership_stop(in->leadership, "SIGTERM");
    termination_grace_stopping(in->grace);
    int64_t left = leadership_drain_left_ns(in->leadership);
    stage_free(st);
    return left;
}

CASE(the_pods_grace_period_bounds_the_drain) {
    static const struct {
        int grace_s;
        const char *uid;
        int64_t want_s;
    } cases[] = {
        {12, NULL, 12},
        {0, NULL, 2}, /* what a kubelet gives at least */
        {1, NULL, 2},
        {700000, NULL, 604800},  /* more than a week is cut to a week */
        {60, "another-pod", 30}, /* not this pod: the default */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stage_options opt = {.seed = 1 + i, .grace_s = cases[i].grace_s, .uid = cases[i].uid};
        int64_t left = drain_left(&opt);
        if (left != cases[i].want_s * NS_PER_S)
            fail_msg("case %zu: %lld ms", i, (long long)(left / NS_PER_MS));
    }
}

CASE(without_a_pod_nothing_is_read) {
    assert_null(termination_grace_new(NULL, NULL, NULL, "pod", "uid", true));
    assert_null(termination_grace_new(NULL, NULL, "ns", "", "uid", true));
    assert_null(termination_grace_new(NULL, NULL, "ns", "pod", NULL, true));
    termination_grace_stopping(NULL);
    termination_grace_free(NULL);
}

CASES("app/termination_grace")
