/* Which key comes next: one at a time, in order, by priority, none lost, none twice; and the statistics. */
#include "../case.h"
#include "queue_kit.h"

CASE(steps) {
    static const struct played cases[] = {
        {"first in, first out", "+a +b +c >a >b >c >"},
        {"a key is queued once", "+a +a +a +a +a ready=1 >a >"},
        {"adds while processing collapse into one more turn, and there are never two workers for a key",
         "+a >a 1 +a 2 +a ready=0 > 3 /a ready=1 >a 4 /a >"},
        {"done without get does nothing", "/unknown +a /a ready=1 >a /a /a processing=0"},
        {"after a shutdown what is queued and dirty is served",
         "+a +b >a +a shutdown !a !c >b 1 /a >a /a /b >"},
        {"after a shutdown a failure is counted and not queued; that of an idle key is harmless",
         "+a >a shutdown ~a /a ?a=1 delayed=0 ~a delayed=0"},
        {"the highest priority first, then first in",
         "+low1^-100 +n1 +top^100 +low2^-100 +n2 +r^50 >top >r >n1 >n2 >low1 >low2"},
        {"the priority of a queued key only rises: behind those that were there",
         "+a^10 +b^-100 +c^10 +a^-100 +b^10 >a >c >b"},
        {"a delayed key keeps its time and takes the priority",
         "+later@5 +other@5 +other^10@9 5 >other >later"},
        {"a priority lasts for one turn", "+a^10 >a +a^-100 +b /a >b >a"},
        {"priorities out of range are clamped",
         "+lowest^-2147483648 +low^-128 +high^127 +highest^2147483647 >high >highest >lowest >low"},
        {"an add while processing is one add, whatever the number; its wait counts from it, not from the end "
         "of "
         "the turn before",
         "+a >a depth=0 1 +a +a +a +a +a +a adds=2 depth=1 5 /a adds=2 9 >a@1"},
        {"a delayed key is added when it becomes ready; nothing is after the shutdown",
         "+a >a +b@2000 adds=1 retries=1 5000 >b@2000 adds=2 shutdown !c !b adds=2 refused=0"},
    };
    play_all(cases, ARRAY_LEN(cases));
}

CASE(idle_keys_are_bounded) {
    struct queue *q = queue_new(&(struct queue_limits){.max_idle = 10});
    struct queue_stats st;
    struct slice got;
    char key[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        add(q, key, 0);
        queue_get(q, 0, &got);
        if (i % 2) queue_set_failures(q, got, 3);
        queue_done(q, got, 0);
    }
    queue_stats(q, &st);
    assert_int_equal(st.known, 20);
    play(q, "?k999=3 ?k981=3 ?k979=0"); /* the oldest went first */
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
    play(q, "*remembered=2 +a +b@9 +c ?remembered=0"); /* an idle key makes room */
    play(q, "!d +a *e=1 ?e=0 refused=1");              /* a known one is always welcome */
    play(q, ">a /a +d 9 >c >d >b");
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
    play(q, "+ab +a +b");
    assert_true(queue_get(q, 0, &ab) && queue_get(q, 0, &a));
    queue_done(q, slice_make(ab.p, 1), 0); /* "a", by the address of "ab" */
    assert_int_equal(queue_processing(q), 1);
    queue_done(q, slice_make(ab.p + 1, 1), 0); /* "b", which nobody works on */
    assert_int_equal(queue_processing(q), 1);
    queue_done(q, ab, 0);
    assert_int_equal(queue_processing(q), 0);
}

QUEUE_CASE(each_shows_all_in_order) {
    play(q, "*idle=4 +w >w +w +low^-100 +high^7 *high=1 +d9@9 +d5@5 +d7@7 +clean >high /high >clean");
    play(q, "/clean"); /* nothing to tell of it any more */
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
