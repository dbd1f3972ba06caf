/* Which key comes next: one at a time, in order, by priority, none lost, none twice; and the statistics. */
#include "../case.h"
#include "queue_kit.h"

QUEUE_CASE(many_producers_and_workers) {
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

QUEUE_CASE(first_in_first_out) {
    add(q, "a", 0);
    add(q, "b", 0);
    add(q, "c", 0);
    gets(q, 0, "a");
    gets(q, 0, "b");
    gets(q, 0, "c");
    gets(q, 0, "");
}

QUEUE_CASE(a_key_is_queued_once) {
    for (int i = 0; i < 5; i++) add(q, "a", 0);
    assert_int_equal(queue_ready(q, 0), 1);
    gets(q, 0, "a");
    gets(q, 0, "");
}

QUEUE_CASE(adds_while_processing_collapse_into_one_more_turn) {
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

QUEUE_CASE(done_without_get_does_nothing) {
    done(q, "unknown", 0);
    add(q, "a", 0);
    done(q, "a", 0);
    assert_int_equal(queue_ready(q, 0), 1);
    gets(q, 0, "a");
    done(q, "a", 0);
    done(q, "a", 0);
    assert_int_equal(queue_processing(q), 0);
}

QUEUE_CASE(after_shutdown_what_is_queued_and_dirty_is_served) {
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

QUEUE_CASE(after_shutdown_a_failure_is_counted_and_not_queued) {
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

QUEUE_CASE(the_highest_priority_first_then_first_in) {
    static const struct {
        const char *key;
        int prio;
    } in[] = {{"low1", PRIO_LOW}, {"n1", 0}, {"top", PRIO_INTERRUPTED},
              {"low2", PRIO_LOW}, {"n2", 0}, {"r", PRIO_RESTORED}};
    for (size_t i = 0; i < ARRAY_LEN(in); i++) queue_add(q, slice_of(in[i].key), in[i].prio, 0, 0);
    static const char *const out[] = {"top", "r", "n1", "n2", "low1", "low2"};
    for (size_t i = 0; i < ARRAY_LEN(out); i++) gets(q, 0, out[i]);
}

QUEUE_CASE(priority_of_a_queued_key_only_rises) {
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

QUEUE_CASE(a_priority_lasts_for_one_turn) {
    queue_add(q, SL("a"), 10, 0, 0);
    gets(q, 0, "a");
    queue_add(q, SL("a"), PRIO_LOW, 0, 0);
    add(q, "b", 0);
    done(q, "a", 0);
    gets(q, 0, "b");
    gets(q, 0, "a");
}

QUEUE_CASE(priorities_out_of_range_are_clamped) {
    queue_add(q, SL("lowest"), INT32_MIN, 0, 0);
    queue_add(q, SL("low"), QUEUE_PRIO_MIN, 0, 0);
    queue_add(q, SL("high"), QUEUE_PRIO_MAX, 0, 0);
    queue_add(q, SL("highest"), INT32_MAX, 0, 0);
    gets(q, 0, "high");
    gets(q, 0, "highest");
    gets(q, 0, "lowest");
    gets(q, 0, "low");
}

QUEUE_CASE(stats_count_as_client_go_does) {
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

CASE(idle_keys_are_bounded) {
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

CASE(a_full_queue_refuses_new_keys_and_drops_none) {
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

QUEUE_CASE(odd_keys) {
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
QUEUE_CASE(keys_differ_by_content_not_by_address) {
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

QUEUE_CASE(each_shows_all_in_order) {
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
    const char *all = "P!w/0/0 Rlow/-100/0 Dd5/0/0 Dd7/0/0 Dd9/0/0 Iidle/0/4 Ihigh/7/1 ";
    assert_string_equal(buf_str(&out), all);
    assert_int_equal(queue_unfinished(q), 7);
    size_t n = 0;
    for (size_t max = 0; max < 9; max++) { /* the first so many of them */
        buf_clear(&out);
        assert_int_equal(queue_first(q, max, collect, &out), max < 7 ? max : 7);
        assert_int_equal(out.n, n);
        assert_memory_equal(buf_str(&out), all, n);
        n += strcspn(all + n, " ") + (all[n] != '\0');
    }
}

CASES("control/queue")
