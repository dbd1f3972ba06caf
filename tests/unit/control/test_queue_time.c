/* When a key comes: delays, backoff after failures, conflicts. */
#include "../case.h"
#include "queue_kit.h"

QUEUE_CASE(delayed_fires_once) {
    add_at(q, "a", MS(50), 0);
    assert_int_equal(queue_next_ns(q), MS(50));
    gets(q, MS(50) - 1, "");
    assert_int_equal(queue_ready(q, MS(50)), 1);
    gets(q, MS(50), "a");
    done(q, "a", MS(51));
    gets(q, MS(1000), "");
    assert_int_equal(queue_next_ns(q), TIME_NEVER);
}

QUEUE_CASE(the_earliest_time_wins) {
    add_at(q, "a", MS(50), 0);
    add_at(q, "a", MS(30), 0);
    add_at(q, "a", MS(40), 0);
    assert_int_equal(queue_delayed(q), 1);
    assert_int_equal(queue_next_ns(q), MS(30));
    gets(q, MS(30), "a");
    done(q, "a", MS(30));
    gets(q, MS(60), "");
}

QUEUE_CASE(now_beats_later) {
    add_at(q, "a", MS(50), 0);
    add(q, "a", MS(1));
    assert_int_equal(queue_delayed(q), 0);
    gets(q, MS(1), "a");
    done(q, "a", MS(1));
    gets(q, MS(60), "");
    add(q, "b", MS(60));
    add_at(q, "b", MS(90), MS(60)); /* it is ready already */
    assert_int_equal(queue_delayed(q), 0);
}

QUEUE_CASE(delayed_keys_come_in_the_order_of_time) {
    add_at(q, "second", MS(20), 0);
    add_at(q, "first", MS(10), 0);
    add_at(q, "third", MS(20), 0);
    add(q, "after them all", MS(30));
    gets(q, MS(30), "first");
    gets(q, MS(30), "second");
    gets(q, MS(30), "third");
    gets(q, MS(30), "after them all");
}

QUEUE_CASE(a_later_add_while_processing_waits_for_its_time) {
    add(q, "a", 0);
    gets(q, 0, "a");
    add_at(q, "a", MS(100), 0);
    done(q, "a", MS(10));
    assert_int_equal(queue_delayed(q), 1);
    gets(q, MS(99), "");
    gets(q, MS(100), "a");
    add_at(q, "a", MS(200), MS(100));
    done(q, "a", MS(300)); /* its time came while it was worked on */
    gets(q, MS(300), "a");
    add_at(q, "a", MS(400), MS(300));
    add(q, "a", MS(301)); /* now beats later here as well */
    done(q, "a", MS(302));
    gets(q, MS(302), "a");
    done(q, "a", MS(302));
    gets(q, MS(500), "");
}

/* One turn that fails; the delay before the next. */
static int64_t fails(struct queue *q, const char *key, int64_t min, int64_t now) {
    add(q, key, now);
    gets(q, now, key);
    int64_t d = queue_retry(q, slice_of(key), min, now, 0);
    done(q, key, now);
    assert_int_equal(queue_next_ns(q), now + d);
    gets(q, now + d, key);
    done(q, key, now + d);
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
    add(q, "a", 0);
    gets(q, 0, "a");
    queue_retry(q, SL("a"), TIME_NEVER, TIME_NEVER - 5, 0);
    done(q, "a", TIME_NEVER - 5);
    assert_int_equal(queue_next_ns(q), TIME_NEVER);
    assert_int_equal(queue_delayed(q), 1);
}

QUEUE_CASE(a_retry_keeps_a_low_priority_and_loses_a_high_one) {
    queue_add(q, SL("low"), PRIO_LOW, 0, 0);
    queue_add(q, SL("high"), PRIO_INTERRUPTED, 0, 0);
    gets(q, 0, "high");
    gets(q, 0, "low");
    queue_retry(q, SL("low"), 0, 0, 0);
    queue_retry(q, SL("high"), 0, 0, 0);
    done(q, "low", 0);
    done(q, "high", 0);
    queue_add(q, SL("normal"), PRIO_NORMAL, 0, 0);
    gets(q, MS(1), "normal");
    gets(q, MS(1), "high");
    gets(q, MS(1), "low");
}

CASE(conflicts_are_retried_soon_and_not_counted) {
    struct queue *q =
        queue_new(&(struct queue_limits){.base_ns = MS(1), .jitter = -1, .rate = 0.001, .burst = 1});
    int64_t now = 0;
    for (int turn = 0; turn < 2; turn++) {
        for (unsigned n = 1; n <= QUEUE_QUICK_MAX; n++) {
            add(q, "a", now);
            gets(q, now, "a");
            int64_t d = queue_retry_quick(q, SL("a"), now, 0);
            done(q, "a", now);
            assert_int_equal(queue_failures(q, SL("a")), 0);
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
    gets(q, now, "a");
    assert_int_equal(queue_retry_quick(q, SL("a"), now, 0), MS(1));
    queue_forget(q, SL("a"));
    assert_int_equal(queue_retry_quick(q, SL("a"), now, 0), MS(1)); /* forgotten as failures are */
    assert_true(queue_retry_quick(q, SL("unknown"), now, 0) < 0);
    queue_free(q);
}

QUEUE_CASE(an_add_for_later_while_processing_is_counted_when_due) {
    struct queue_stats st;
    struct queue_item it;
    add(q, "a", 0);
    gets(q, 0, "a");
    add_at(q, "a", MS(10), 0);
    assert_int_equal(queue_depth(q, MS(9)), 0);
    assert_int_equal(queue_depth(q, MS(10)), 1);
    queue_stats(q, &st);
    assert_int_equal(st.adds, 1);
    done(q, "a", MS(20));
    queue_stats(q, &st);
    assert_int_equal(st.adds, 2);
    assert_true(queue_get_item(q, MS(21), &it));
    assert_int_equal(it.since_ns, MS(10));
}

CASES("control/queue_time")
