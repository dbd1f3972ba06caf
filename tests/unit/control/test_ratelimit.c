/* Backoff and token bucket. */
#include "../case.h"
#include "base/time.h"
#include "ratelimit.h"

CASE(backoff_doubles) {
    for (unsigned n = 0; n < 10; n++)
        assert_int_equal(backoff_ns(NS_PER_MS, 1000 * NS_PER_S, n, 0, 77), NS_PER_MS << n);
}

CASE(backoff_is_capped_and_never_overflows) {
    assert_int_equal(backoff_ns(NS_PER_MS, 3 * NS_PER_MS, 2, 0, 0), 3 * NS_PER_MS);
    assert_int_equal(backoff_ns(NS_PER_MS, 1000 * NS_PER_S, 1000, 0, 0), 1000 * NS_PER_S);
    assert_int_equal(backoff_ns(NS_PER_MS, 1000 * NS_PER_S, UINT32_MAX, 0, 0), 1000 * NS_PER_S);
    assert_int_equal(backoff_ns(INT64_MAX / 2, INT64_MAX, 5, 1, UINT64_MAX), INT64_MAX);
    assert_int_equal(backoff_ns(10, 5, 0, 0, 0), 5); /* base above the maximum */
}

CASE(jitter_spreads_both_ways_within_its_share) {
    const int64_t max = 1000 * NS_PER_S;
    assert_in_range(backoff_ns(NS_PER_S, max, 0, 0.1, 0), 9 * NS_PER_S / 10 - 1, 9 * NS_PER_S / 10 + 1);
    assert_in_range(backoff_ns(NS_PER_S, max, 0, 0.1, UINT64_MAX), 11 * NS_PER_S / 10 - 1,
                    11 * NS_PER_S / 10);
    assert_int_equal(backoff_ns(NS_PER_S, NS_PER_S, 0, 1, UINT64_MAX),
                     NS_PER_S); /* never above the maximum */
}

CASE(bucket_gives_the_burst_then_the_rate) {
    struct bucket b;
    bucket_init(&b, 10, 3, 1000 * NS_PER_S);
    int64_t now = 5 * NS_PER_S;
    for (int i = 0; i < 3; i++) assert_int_equal(bucket_take(&b, now), 0);
    assert_int_equal(bucket_take(&b, now), NS_PER_S / 10);
    assert_int_equal(bucket_take(&b, now), 2 * NS_PER_S / 10);
    now += NS_PER_S; /* ten more, two of them promised */
    assert_int_equal(bucket_take(&b, now), 0);
    for (int i = 0; i < 2; i++) assert_int_equal(bucket_take(&b, now), 0);
    assert_true(bucket_take(&b, now) > 0); /* no more than the burst was saved up */
}

CASE(bucket_waits_at_most_its_bound) {
    struct bucket b;
    bucket_init(&b, 10, 1, 2 * NS_PER_S);
    int64_t longest = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t w = bucket_take(&b, 0);
        if (w > longest) longest = w;
    }
    assert_int_equal(longest, 2 * NS_PER_S);
    assert_int_equal(bucket_take(&b, 4 * NS_PER_S), 0); /* the debt was bounded as well */
}

CASE(bucket_without_a_rate_never_waits) {
    struct bucket b;
    bucket_init(&b, -1, 1, NS_PER_S);
    for (int i = 0; i < 1000; i++) assert_int_equal(bucket_take(&b, 0), 0);
}

CASE(bucket_survives_a_clock_that_steps_back) {
    struct bucket b;
    bucket_init(&b, 1, 1, 10 * NS_PER_S);
    assert_int_equal(bucket_take(&b, 100 * NS_PER_S), 0);
    assert_int_equal(bucket_take(&b, 50 * NS_PER_S), NS_PER_S);
    assert_int_equal(bucket_take(&b, 100 * NS_PER_S), 2 * NS_PER_S); /* nothing was earned twice */
}

CASES("control/ratelimit")
