/* How many clean reconciles would pass a canary: as many as that pass it, and one scrape fewer does not. */
#include "../case.h"
#include "judge/judge.h"
#include "base/time.h"

struct trial {
    struct judge_param p;
    struct judge j;
};

static void begin(struct trial *t) {
    judge_param_default(&t->p);
    judge_init(&t->j);
}
static void end(struct trial *t) {
    judge_free(&t->j);
}
#define TRIAL(name) CASE_WITH(struct trial, t, begin, end, name)

static void feed(struct trial *t, uint64_t times, uint64_t ec, uint64_t nc, uint64_t es, uint64_t ns) {
    const struct judge_counts c = {ec, nc, es, ns, 0, 0, 0};
    while (times-- > 0) judge_feed(&t->j, &t->p, &c);
}

static bool passes(const struct trial *t) {
    struct judge_report r;
    judge_verdict(&t->j, &t->p, INT64_MAX, &r);
    return r.verdict == VERDICT_PASS;
}

/* nc reconciles a scrape beside ns of stable, every so many scrapes. */
static void comes_true(struct trial *t, uint64_t nc, uint64_t ns, uint64_t every) {
    uint64_t more;
    assert_true(judge_clean_to_pass(&t->j, &t->p, &more));
    assert_in_range(more, 1, 2000);
    assert_int_equal(more % nc, 0);
    for (uint64_t n = nc; n <= more; n += nc) {
        if (passes(t))
            print_error("%llu would have sufficed, not %llu\n", (unsigned long long)(n - nc),
                        (unsigned long long)more);
        assert_false(passes(t));
        feed(t, 1, 0, nc, 0, ns);
        if (n < more) feed(t, every - 1, 0, 0, 0, ns);
    }
    assert_true(passes(t));
    assert_true(judge_clean_to_pass(&t->j, &t->p, &more));
    assert_int_equal(more, 0);
}

TRIAL(as_many_as_it_says_pass_it) {
    feed(t, 20, 0, 1, 0, 9);
    comes_true(t, 1, 9, 1);
}
TRIAL(with_much_work) {
    feed(t, 2, 0, 3, 0, 27);
    comes_true(t, 3, 27, 1);
}
TRIAL(at_the_pace_of_a_canary_that_rests) {
    for (int i = 0; i < 10; i++) {
        feed(t, 1, 0, 1, 0, 9);
        feed(t, 3, 0, 0, 0, 9);
    }
    comes_true(t, 1, 9, 4);
}
TRIAL(min_events_count) {
    t->p.min_events = 300;
    feed(t, 100, 0, 1, 0, 9);
    uint64_t more;
    assert_true(judge_clean_to_pass(&t->j, &t->p, &more));
    assert_int_equal(more, 200);
}

/* What is suspicious has to be outweighed, too. */
TRIAL(after_errors_more_than_without) {
    uint64_t clean, more;
    feed(t, 30, 0, 2, 0, 18);
    assert_true(judge_clean_to_pass(&t->j, &t->p, &clean));
    feed(t, 2, 1, 2, 0, 18);
    assert_true(judge_clean_to_pass(&t->j, &t->p, &more));
    assert_true(more > clean);
}

TRIAL(nothing_is_known_of_its_pace) {
    uint64_t more = 7;
    assert_false(judge_clean_to_pass(&t->j, &t->p, &more));
    feed(t, 10, 0, 0, 0, 9);
    assert_false(judge_clean_to_pass(&t->j, &t->p, &more));
    assert_int_equal(more, 7);
}

/* A controller in which only stable works is not mended by reconciles in the others. */
TRIAL(a_controller_that_it_left_out) {
    uint64_t more;
    for (int i = 0; i < 60; i++) {
        feed(t, 1, 0, 4, 0, 36);
        judge_feed_controller(&t->j, &t->p, "a", &(struct judge_counts){.nc = 4, .ns = 18});
        judge_feed_controller(&t->j, &t->p, "b", &(struct judge_counts){.ns = 18});
    }
    assert_false(judge_clean_to_pass(&t->j, &t->p, &more));
    judge_feed_controller(&t->j, &t->p, "b", &(struct judge_counts){.nc = 4});
    assert_true(judge_clean_to_pass(&t->j, &t->p, &more));
}

TRIAL(the_judge_itself_is_not_touched) {
    cleanup_buf struct buf before = BUF(1 << 16), after = BUF(1 << 16);
    uint64_t more;
    feed(t, 20, 0, 1, 0, 9);
    judge_feed_controller(&t->j, &t->p, "a", &(struct judge_counts){.nc = 1, .ns = 9});
    judge_write(&t->j, &before);
    judge_clean_to_pass(&t->j, &t->p, &more);
    judge_write(&t->j, &after);
    assert_string_equal(buf_str(&before), buf_str(&after));
}

CASES("rollout/judge_clean")
