/* When a key comes: delays, backoff after failures, conflicts. */
#include "../case.h"
#include "queue_kit.h"

CASE(steps) {
    static const struct played cases[] = {
        {"a delayed key comes once", "+a@50 next=50 49 > 50 ready=1 >a 51 /a 1000 > next=-1"},
        {"the earliest time wins", "+a@50 +a@30 +a@40 delayed=1 next=30 30 >a /a 60 >"},
        {"now beats later", "+a@50 1 +a delayed=0 >a /a 60 >"},
        {"later is nothing to what is ready already", "60 +b +b@90 delayed=0"},
        {"delayed keys come in the order of time",
         "+second@20 +first@10 +third@20 30 +last >first >second >third >last"},
        {"a later add while processing waits for its time", "+a >a +a@100 10 /a delayed=1 99 > 100 >a"},
        {"whose time may come while it is worked on", "100 +a >a +a@200 300 /a >a"},
        {"now beats later here as well", "300 +a >a +a@400 301 +a 302 /a >a /a 500 >"},
        {"a retry keeps a low priority and loses a high one",
         "+low^-100 +high^100 >high >low ~low ~high /low /high +normal 1000000 >normal >high >low"},
        {"an add for later while processing is counted when it is due",
         "+a >a +a@10 9 depth=0 10 depth=1 adds=1 20 /a adds=2 21 >a@10"},
    };
    play_all(cases, ARRAY_LEN(cases));
}

/* One turn that fails; the delay before the next. */
static int64_t fails(struct queue *q, const char *key, int64_t min, int64_t now) {
    struct slice k = slice_of(key), got;
    add(q, key, now);
    assert_true(queue_get(q, now, &got) && slice_eq(got, k));
    int64_t d = queue_retry(q, k, min, now, 0);
    queue_done(q, k, now);
    assert_int_equal(queue_next_ns(q), now + d);
    assert_true(queue_get(q, now + d, &got) && slice_eq(got, k));
    queue_done(q, k, now + d);
    return d;
}

QUEUE_CASE(backoff_doubles_until_forgotten) {
    for (unsigned n = 0; n < 8; n++) {
        assert_int_equal(queue_failures(q, SL("a")), n);
        assert_int_equal(fails(q, "a", 0, MS(10000) * n),
                         MS(1) << n); /* kept although it ran without failing meanwhile */
    }
    assert_int_equal(fails(q, "b", 0, 0), MS(1)); /* each key has its own */
    queue_forget(q, SL("a"));
    assert_int_equal(queue_failures(q, SL("a")), 0);
    assert_int_equal(fails(q, "a", 0, 0), MS(1));
    queue_forget(q, SL("unknown"));
}

QUEUE_CASE(backoff_is_capped) {
    queue_set_failures(q, SL("a"), 4000000000U);
    assert_int_equal(fails(q, "a", 0, 0), 1000 * NS_PER_S);
    queue_set_failures(q, SL("a"), UINT32_MAX);
    fails(q, "a", 0, 0);
    assert_true(queue_failures(q, SL("a")) == UINT32_MAX); /* stays there */
}

CASE(the_longest_of_backoff_bucket_and_minimum_counts) {
    struct queue *q =
        queue_new(&(struct queue_limits){.base_ns = MS(1), .jitter = -1, .rate = 10, .burst = 2});
    assert_int_equal(fails(q, "a", 0, 0), MS(1));
    assert_int_equal(fails(q, "b", MS(7), 0), MS(7)); /* Retry-After */
    assert_int_equal(fails(q, "c", 0, 0), MS(100));   /* the bucket */
    queue_set_failures(q, SL("d"), 10);
    assert_int_equal(fails(q, "d", 0, 0), MS(1024)); /* the backoff */
    queue_free(q);
}

QUEUE_CASE(a_time_past_the_end_of_time_is_never) {
    play(q, "+a >a");
    queue_retry(q, SL("a"), TIME_NEVER, TIME_NEVER - 5, 0);
    queue_done(q, SL("a"), TIME_NEVER - 5);
    play(q, "next=-1 delayed=1");
}

CASE(conflicts_are_retried_soon_and_not_counted) {
    struct queue *q =
        queue_new(&(struct queue_limits){.base_ns = MS(1), .jitter = -1, .rate = 0.001, .burst = 1});
    struct slice a = SL("a"), got;
    int64_t now = 0;
    for (int turn = 0; turn < 2; turn++) {
        for (unsigned n = 1; n <= QUEUE_QUICK_MAX; n++) {
            add(q, "a", now);
            assert_true(queue_get(q, now, &got));
            int64_t d = queue_retry_quick(q, a, now, 0);
            queue_done(q, a, now);
            assert_int_equal(queue_failures(q, a), 0);
            if (n == QUEUE_QUICK_MAX) { /* enough of it; and counted anew from here */
                assert_true(d < 0);
                assert_int_equal(queue_delayed(q), 0);
            } else {
                assert_int_equal(d, MS(1) << (n - 1));
                now += d;
            }
        }
    }
    add(q, "a", now);
    assert_true(queue_get(q, now, &got));
    assert_int_equal(queue_retry_quick(q, a, now, 0), MS(1));
    queue_forget(q, a);
    assert_int_equal(queue_retry_quick(q, a, now, 0), MS(1)); /* forgotten as failures are */
    assert_true(queue_retry_quick(q, SL("unknown"), now, 0) < 0);
    queue_free(q);
}

CASES("control/queue_time")
