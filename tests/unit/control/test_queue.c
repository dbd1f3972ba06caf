/* The queue's behaviours one by one; the list is client-go's and controller-runtime's, written afresh. */
#include "control/queue.h"
#include "base/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define MS(n) ((n)*NS_PER_MS)

static const struct queue_limits plain = {.base_ns = NS_PER_MS, .jitter = -1, .rate = -1};

static int setup(void **state) {
    *state = queue_new(&plain);
    return 0;
}

static int teardown(void **state) {
    queue_free(*state);
    return 0;
}

static bool add(struct queue *q, const char *key, int64_t now) {
    return queue_add(q, slice_of(key), PRIO_NORMAL, now, now);
}

static bool add_at(struct queue *q, const char *key, int64_t at, int64_t now) {
    return queue_add(q, slice_of(key), PRIO_NORMAL, at, now);
}

/* The next key has this name ("": there is none). */
static void gets(struct queue *q, int64_t now, const char *want) {
    struct slice key = SL("");
    bool got = queue_get(q, now, &key);
    assert_int_equal(got, *want != '\0');
    if (got) assert_true(slice_eqs(key, want));
}

static void done(struct queue *q, const char *key, int64_t now) {
    queue_done(q, slice_of(key), now);
}

static void many_producers_and_workers(void **state) {
    struct queue *q = *state;
    unsigned served[50] = {0};
    struct slice held[10];
    size_t nheld = 0;
    struct rng r = {1};
    for (int round = 0; round < 2000; round++) {
        char key[8];
        snprintf(key, sizeof key, "%d", (int)rng_below(&r, 50));
        assert_true(add(q, key, round));
        if (nheld < 10 && queue_get(q, round, &held[nheld])) nheld++;
        if (nheld && rng_below(&r, 2)) {
            size_t i = rng_below(&r, nheld);
            served[atoi(held[i].p)]++;
            queue_done(q, held[i], round);
            held[i] = held[--nheld];
        }
    }
    queue_shutdown(q);
    assert_false(add(q, "late", 2000));
    while (nheld) queue_done(q, held[--nheld], 2000);
    struct slice key;
    while (queue_get(q, 2000, &key)) {
        assert_false(slice_eqs(key, "late"));
        served[atoi(key.p)]++;
        queue_done(q, key, 2000);
    }
    for (size_t i = 0; i < 50; i++) assert_true(served[i] > 0);
    assert_int_equal(queue_processing(q), 0);
}

static void first_in_first_out(void **state) {
    struct queue *q = *state;
    add(q, "a", 0);
    add(q, "b", 0);
    add(q, "c", 0);
    gets(q, 0, "a");
    gets(q, 0, "b");
    gets(q, 0, "c");
    gets(q, 0, "");
}

static void a_key_is_queued_once(void **state) {
    struct queue *q = *state;
    for (int i = 0; i < 5; i++) add(q, "a", 0);
    assert_int_equal(queue_ready(q, 0), 1);
    gets(q, 0, "a");
    gets(q, 0, "");
}

static void adds_while_processing_collapse_into_one_more_turn(void **state) {
    struct queue *q = *state;
    add(q, "a", 0);
    gets(q, 0, "a");
    add(q, "a", 1);
    add(q, "a", 2);
    assert_int_equal(queue_ready(q, 2), 0);
    gets(q, 2, ""); /* never two workers for a key */
    done(q, "a", 3);
    assert_int_equal(queue_ready(q, 3), 1);
    gets(q, 3, "a");
    done(q, "a", 4);
    gets(q, 4, "");
}

static void done_without_get_does_nothing(void **state) {
    struct queue *q = *state;
    done(q, "unknown", 0);
    add(q, "a", 0);
    done(q, "a", 0);
    assert_int_equal(queue_ready(q, 0), 1);
    gets(q, 0, "a");
    done(q, "a", 0);
    done(q, "a", 0);
    assert_int_equal(queue_processing(q), 0);
}

static void after_shutdown_what_is_queued_and_dirty_is_served(void **state) {
    struct queue *q = *state;
    add(q, "a", 0);
    add(q, "b", 0);
    gets(q, 0, "a");
    add(q, "a", 0); /* dirty before the shutdown */
    queue_shutdown(q);
    assert_false(add(q, "a", 0));
    assert_false(add(q, "c", 0));
    gets(q, 0, "b");
    done(q, "a", 1);
    gets(q, 1, "a");
    done(q, "a", 1);
    done(q, "b", 1);
    gets(q, 1, "");
}

static void after_shutdown_a_failure_is_counted_and_not_queued(void **state) {
    struct queue *q = *state;
    add(q, "a", 0);
    gets(q, 0, "a");
    queue_shutdown(q);
    queue_retry(q, SL("a"), 0, 0, 0);
    done(q, "a", 0);
    assert_int_equal(queue_failures(q, SL("a")), 1);
    assert_int_equal(queue_delayed(q), 0);
    queue_retry(q, SL("a"), 0, 0, 0); /* idle by now: harmless */
    assert_int_equal(queue_delayed(q), 0);
}

static void delayed_fires_once(void **state) {
    struct queue *q = *state;
    add_at(q, "a", MS(50), 0);
    assert_int_equal(queue_next_ns(q), MS(50));
    gets(q, MS(50) - 1, "");
    assert_int_equal(queue_ready(q, MS(50)), 1);
    gets(q, MS(50), "a");
    done(q, "a", MS(51));
    gets(q, MS(1000), "");
    assert_int_equal(queue_next_ns(q), TIME_NEVER);
}

static void the_earliest_time_wins(void **state) {
    struct queue *q = *state;
    add_at(q, "a", MS(50), 0);
    add_at(q, "a", MS(30), 0);
    add_at(q, "a", MS(40), 0);
    assert_int_equal(queue_delayed(q), 1);
    assert_int_equal(queue_next_ns(q), MS(30));
    gets(q, MS(30), "a");
    done(q, "a", MS(30));
    gets(q, MS(60), "");
}

static void now_beats_later(void **state) {
    struct queue *q = *state;
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

static void delayed_keys_come_in_the_order_of_time(void **state) {
    struct queue *q = *state;
    add_at(q, "second", MS(20), 0);
    add_at(q, "first", MS(10), 0);
    add_at(q, "third", MS(20), 0);
    add(q, "after them all", MS(30));
    gets(q, MS(30), "first");
    gets(q, MS(30), "second");
    gets(q, MS(30), "third");
    gets(q, MS(30), "after them all");
}

static void a_later_add_while_processing_waits_for_its_time(void **state) {
    struct queue *q = *state;
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

static void the_highest_priority_first_then_first_in(void **state) {
    struct queue *q = *state;
    static const struct {
        const char *key;
        int prio;
    } in[] = {{"low1", PRIO_LOW}, {"n1", 0}, {"top", PRIO_INTERRUPTED},
              {"low2", PRIO_LOW}, {"n2", 0}, {"r", PRIO_RESTORED}};
    for (size_t i = 0; i < ARRAY_LEN(in); i++) queue_add(q, slice_of(in[i].key), in[i].prio, 0, 0);
    static const char *const out[] = {"top", "r", "n1", "n2", "low1", "low2"};
    for (size_t i = 0; i < ARRAY_LEN(out); i++) gets(q, 0, out[i]);
}

static void priority_of_a_queued_key_only_rises(void **state) {
    struct queue *q = *state;
    queue_add(q, SL("a"), 10, 0, 0);
    queue_add(q, SL("b"), PRIO_LOW, 0, 0);
    queue_add(q, SL("c"), 10, 0, 0);
    queue_add(q, SL("a"), PRIO_LOW, 0, 0); /* no effect */
    queue_add(q, SL("b"), 10, 0, 0);       /* behind those that were there */
    gets(q, 0, "a");
    gets(q, 0, "c");
    gets(q, 0, "b");
    add_at(q, "later", MS(5), 0);
    add_at(q, "other", MS(5), 0);
    queue_add(q, SL("other"), 10, MS(9), 0); /* a delayed key keeps its time and takes the priority */
    gets(q, MS(5), "other");
    gets(q, MS(5), "later");
}

static void a_priority_lasts_for_one_turn(void **state) {
    struct queue *q = *state;
    queue_add(q, SL("a"), 10, 0, 0);
    gets(q, 0, "a");
    queue_add(q, SL("a"), PRIO_LOW, 0, 0);
    add(q, "b", 0);
    done(q, "a", 0);
    gets(q, 0, "b");
    gets(q, 0, "a");
}

static void priorities_out_of_range_are_clamped(void **state) {
    struct queue *q = *state;
    queue_add(q, SL("lowest"), INT32_MIN, 0, 0);
    queue_add(q, SL("low"), QUEUE_PRIO_MIN, 0, 0);
    queue_add(q, SL("high"), QUEUE_PRIO_MAX, 0, 0);
    queue_add(q, SL("highest"), INT32_MAX, 0, 0);
    gets(q, 0, "high");
    gets(q, 0, "highest");
    gets(q, 0, "lowest");
    gets(q, 0, "low");
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

static void backoff_doubles_until_forgotten(void **state) {
    struct queue *q = *state;
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

static void backoff_is_capped(void **state) {
    struct queue *q = *state;
    queue_set_failures(q, SL("a"), 4000000000U);
    assert_int_equal(fails(q, "a", 0, 0), 1000 * NS_PER_S);
    queue_set_failures(q, SL("a"), UINT32_MAX);
    fails(q, "a", 0, 0);
    assert_true(queue_failures(q, SL("a")) == UINT32_MAX); /* stays there */
}

static void the_longest_of_backoff_bucket_and_minimum_counts(void **state) {
    (void)state;
    struct queue *q =
        queue_new(&(struct queue_limits){.base_ns = MS(1), .jitter = -1, .rate = 10, .burst = 2});
    assert_int_equal(fails(q, "a", 0, 0), MS(1));
    assert_int_equal(fails(q, "b", MS(7), 0), MS(7)); /* Retry-After */
    assert_int_equal(fails(q, "c", 0, 0), MS(100));   /* the bucket */
    queue_set_failures(q, SL("d"), 10);
    assert_int_equal(fails(q, "d", 0, 0), MS(1024)); /* the backoff */
    queue_free(q);
}

static void a_time_past_the_end_of_time_is_never(void **state) {
    struct queue *q = *state;
    add(q, "a", 0);
    gets(q, 0, "a");
    queue_retry(q, SL("a"), TIME_NEVER, TIME_NEVER - 5, 0);
    done(q, "a", TIME_NEVER - 5);
    assert_int_equal(queue_next_ns(q), TIME_NEVER);
    assert_int_equal(queue_delayed(q), 1);
}

static void a_retry_keeps_a_low_priority_and_loses_a_high_one(void **state) {
    struct queue *q = *state;
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

static void conflicts_are_retried_soon_and_not_counted(void **state) {
    (void)state;
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

static void stats_count_as_client_go_does(void **state) {
    struct queue *q = *state;
    struct queue_stats st;
    add(q, "a", 0);
    gets(q, 0, "a");
    assert_int_equal(queue_depth(q, 0), 0);
    for (int i = 0; i < 6; i++) add(q, "a", 1); /* one add, whatever the number */
    queue_stats(q, &st);
    assert_int_equal(st.adds, 2);
    assert_int_equal(queue_depth(q, 1), 1);
    done(q, "a", 5);
    queue_stats(q, &st);
    assert_int_equal(st.adds, 2);
    struct queue_item it;
    assert_true(queue_get_item(q, 9, &it));
    assert_int_equal(it.since_ns, 1); /* the wait counts from the add, not from the end of the turn before */
    add_at(q, "b", MS(2), 9);
    queue_stats(q, &st);
    assert_int_equal(st.adds, 2); /* a delayed key is added when it becomes ready */
    assert_int_equal(st.retries, 1);
    assert_true(queue_get_item(q, MS(5), &it));
    assert_int_equal(it.since_ns, MS(2));
    queue_stats(q, &st);
    assert_int_equal(st.adds, 3);
    queue_shutdown(q);
    add(q, "c", MS(5));
    add(q, "b", MS(5));
    queue_stats(q, &st);
    assert_int_equal(st.adds, 3); /* nothing more after the shutdown */
    assert_int_equal(st.refused, 0);
}

static void an_add_for_later_while_processing_is_counted_when_due(void **state) {
    struct queue *q = *state;
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

static void idle_keys_are_bounded(void **state) {
    (void)state;
    struct queue *q = queue_new(&(struct queue_limits){.max_idle = 10});
    struct queue_stats st;
    char key[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        add(q, key, 0);
        gets(q, 0, key);
        if (i % 2) queue_set_failures(q, slice_of(key), 3);
        done(q, key, 0);
    }
    queue_stats(q, &st);
    assert_int_equal(st.known, 20);
    assert_int_equal(queue_failures(q, SL("k999")), 3);
    assert_int_equal(queue_failures(q, SL("k981")), 3);
    assert_int_equal(queue_failures(q, SL("k979")), 0); /* the oldest went first */
    for (int i = 981; i < 1000; i += 2) {
        snprintf(key, sizeof key, "k%d", i);
        queue_forget(q, slice_of(key));
    }
    queue_stats(q, &st);
    assert_int_equal(st.known, 10);
    queue_free(q);
}

static void a_full_queue_refuses_new_keys_and_drops_none(void **state) {
    (void)state;
    struct queue *q = queue_new(&(struct queue_limits){.max_keys = 3});
    queue_set_failures(q, SL("remembered"), 2);
    assert_true(add(q, "a", 0));
    assert_true(add_at(q, "b", MS(9), 0));
    assert_true(add(q, "c", 0)); /* an idle key makes room */
    assert_int_equal(queue_failures(q, SL("remembered")), 0);
    assert_false(add(q, "d", 0));
    assert_true(add(q, "a", 0)); /* a known one is always welcome */
    queue_set_failures(q, SL("e"), 1);
    assert_int_equal(queue_failures(q, SL("e")), 0);
    struct queue_stats st;
    queue_stats(q, &st);
    assert_int_equal(st.refused, 1);
    gets(q, 0, "a");
    done(q, "a", 0);
    assert_true(add(q, "d", 0));
    gets(q, MS(9), "c");
    gets(q, MS(9), "d");
    gets(q, MS(9), "b");
    queue_free(q);
}

static void odd_keys(void **state) {
    struct queue *q = *state;
    char longest[QUEUE_KEY_MAX + 1];
    memset(longest, 'x', sizeof longest);
    assert_true(queue_add(q, slice_make(longest, QUEUE_KEY_MAX), 0, 0, 0));
    assert_false(queue_add(q, slice_make(longest, QUEUE_KEY_MAX + 1), 0, 0, 0));
    assert_int_equal(queue_failures(q, slice_make(longest, QUEUE_KEY_MAX + 1)), 0);
    assert_true(queue_add(q, (struct slice){0}, 0, 0, 0)); /* the empty key is a key */
    assert_true(queue_add(q, slice_make("a\0b", 3), 0, 0, 0));
    assert_true(queue_add(q, slice_make("a\0c", 3), 0, 0, 0));
    assert_true(queue_add(q, slice_make("a\0\0", 3), 0, 0, 0));
    assert_true(queue_add(q, SL("a"), 0, 0, 0));
    assert_int_equal(queue_ready(q, 0), 6);
}

static void collect(void *ctx, const struct queue_item *it) {
    static const char names[] = "PRDI";
    struct buf *out = ctx;
    buf_addf(out, "%c%s%.*s/%d/%u ", names[it->state], it->dirty ? "!" : "", SLF(it->key), it->prio,
             it->failures);
}

/* The slice from queue_get() leads to its key without a look into the table, and no other slice is taken for
 * it. */
static void keys_are_told_apart_whatever_their_address(void **state) {
    struct queue *q = *state;
    struct slice ab, a;
    add(q, "ab", 0);
    add(q, "a", 0);
    add(q, "b", 0);
    assert_true(queue_get(q, 0, &ab) && queue_get(q, 0, &a));
    queue_done(q, slice_make(ab.p, 1), 0); /* "a", by the address of "ab" */
    assert_int_equal(queue_processing(q), 1);
    queue_done(q, slice_make(ab.p + 1, 1), 0); /* "b", which nobody works on */
    assert_int_equal(queue_processing(q), 1);
    queue_done(q, ab, 0);
    assert_int_equal(queue_processing(q), 0);
}

static void each_shows_all_in_order(void **state) {
    struct queue *q = *state;
    queue_set_failures(q, SL("idle"), 4);
    add(q, "w", 0);
    gets(q, 0, "w");
    add(q, "w", 0);
    queue_add(q, SL("low"), PRIO_LOW, 0, 0);
    queue_add(q, SL("high"), 7, 0, 0);
    queue_set_failures(q, SL("high"), 1);
    add_at(q, "d9", MS(9), 0);
    add_at(q, "d5", MS(5), 0);
    add_at(q, "d7", MS(7), 0);
    add(q, "clean", 0);
    gets(q, 0, "high");
    done(q, "high", 0);
    gets(q, 0, "clean");
    done(q, "clean", 0); /* nothing to tell of it any more */
    cleanup_buf struct buf out = BUF(1000);
    queue_each(q, collect, &out);
    assert_string_equal(buf_str(&out), "P!w/0/0 Rlow/-100/0 Dd5/0/0 Dd7/0/0 Dd9/0/0 Iidle/0/4 Ihigh/7/1 ");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(many_producers_and_workers),
        T(first_in_first_out),
        T(a_key_is_queued_once),
        T(adds_while_processing_collapse_into_one_more_turn),
        T(done_without_get_does_nothing),
        T(after_shutdown_what_is_queued_and_dirty_is_served),
        T(after_shutdown_a_failure_is_counted_and_not_queued),
        T(delayed_fires_once),
        T(the_earliest_time_wins),
        T(now_beats_later),
        T(delayed_keys_come_in_the_order_of_time),
        T(a_later_add_while_processing_waits_for_its_time),
        T(the_highest_priority_first_then_first_in),
        T(priority_of_a_queued_key_only_rises),
        T(a_priority_lasts_for_one_turn),
        T(priorities_out_of_range_are_clamped),
        T(backoff_doubles_until_forgotten),
        T(backoff_is_capped),
        T(the_longest_of_backoff_bucket_and_minimum_counts),
        T(a_time_past_the_end_of_time_is_never),
        T(a_retry_keeps_a_low_priority_and_loses_a_high_one),
        T(conflicts_are_retried_soon_and_not_counted),
        T(stats_count_as_client_go_does),
        T(an_add_for_later_while_processing_is_counted_when_due),
        T(idle_keys_are_bounded),
        T(a_full_queue_refuses_new_keys_and_drops_none),
        T(odd_keys),
        T(keys_are_told_apart_whatever_their_address),
        T(each_shows_all_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
