/* Timers: order, moving, stopping, freeing inside callbacks, thousands of them. */
#include "../case.h"
#include "loop/loop.h"
#include "base/mem.h"
#include "base/rand.h"

struct fixture {
    struct loop *l;
    struct world *w;
    int calls;
    char trace[64];
    struct timer *a, *b, *c;
};

static int setup(void **state) {
    struct fixture *f = xcalloc(1, sizeof *f);
    f->l = loop_new();
    f->w = loop_world(f->l);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    timer_free(f->a);
    timer_free(f->b);
    timer_free(f->c);
    loop_free(f->l);
    free(f);
    return 0;
}

static void on_a(void *ctx) {
    struct fixture *f = ctx;
    strcat(f->trace, "a");
}

static void on_b(void *ctx) {
    struct fixture *f = ctx;
    strcat(f->trace, "b");
}

static void on_c_stop(void *ctx) {
    struct fixture *f = ctx;
    strcat(f->trace, "c");
    loop_stop(f->l);
}

static void make(struct fixture *f, world_fn a, world_fn b, world_fn c) {
    f->a = timer_new(f->w, a, f);
    f->b = timer_new(f->w, b, f);
    f->c = timer_new(f->w, c, f);
}

CASE_IN(setup, teardown, fire_in_order_of_time) {
    struct fixture *f = *state;
    make(f, on_a, on_b, on_c_stop);
    int64_t now = world_boot_ns(f->w);
    timer_at(f->c, now + 3 * NS_PER_MS);
    timer_at(f->b, now + 2 * NS_PER_MS);
    timer_at(f->a, now + 1 * NS_PER_MS);
    assert_string_equal(f->trace, "");
    loop_run(f->l);
    assert_string_equal(f->trace, "abc");
    assert_true(world_boot_ns(f->w) >= now + 3 * NS_PER_MS);
}

CASE_IN(setup, teardown, equal_instants_fire_in_the_order_set) {
    struct fixture *f = *state;
    make(f, on_a, on_b, on_c_stop);
    int64_t at = world_boot_ns(f->w) + NS_PER_MS;
    timer_at(f->b, at);
    timer_at(f->a, at);
    timer_at(f->c, at);
    loop_run(f->l);
    assert_string_equal(f->trace, "bac");
}

CASE_IN(setup, teardown, the_past_fires_at_once_but_not_inside) {
    struct fixture *f = *state;
    make(f, on_a, on_b, on_c_stop);
    timer_at(f->a, 0);
    timer_at(f->b, -5);
    timer_at(f->c, 1);
    assert_string_equal(f->trace, "");
    loop_run(f->l);
    assert_string_equal(f->trace, "bac");
}

CASE_IN(setup, teardown, active_says_whether_it_will_fire) {
    struct fixture *f = *state;
    make(f, on_a, on_b, on_c_stop);
    assert_false(timer_active(f->a));
    timer_in(f->a, NS_PER_S);
    assert_true(timer_active(f->a));
    timer_stop(f->a);
    assert_false(timer_active(f->a));
    timer_in(f->b, TIME_NEVER);
    assert_false(timer_active(f->b));
    timer_in(f->c, -1);
    assert_true(timer_active(f->c));
    loop_run(f->l);
    assert_false(timer_active(f->c));
    assert_string_equal(f->trace, "c");
}

CASE_IN(setup, teardown, moves_both_ways) {
    struct fixture *f = *state;
    make(f, on_a, on_b, on_c_stop);
    int64_t now = world_boot_ns(f->w);
    timer_at(f->a, now + NS_PER_MS);
    timer_at(f->b, now + 3600 * NS_PER_S);
    timer_at(f->c, now + 4 * NS_PER_MS);
    timer_at(f->a, now + 3 * NS_PER_MS);
    timer_at(f->b, now + 2 * NS_PER_MS);
    loop_run(f->l);
    assert_string_equal(f->trace, "bac");
}

/* a stops b and moves c away although all three are due in the same round. */
static void a_disturbs(void *ctx) {
    struct fixture *f = ctx;
    strcat(f->trace, "a");
    timer_stop(f->b);
    timer_in(f->c, NS_PER_MS);
    assert_true(timer_active(f->c));
}

CASE_IN(setup, teardown, stop_and_move_reach_those_due_in_the_same_round) {
    struct fixture *f = *state;
    make(f, a_disturbs, on_b, on_c_stop);
    timer_at(f->a, 1);
    timer_at(f->b, 2);
    timer_at(f->c, 3);
    loop_run(f->l);
    assert_string_equal(f->trace, "ac");
}

static void a_frees_all(void *ctx) {
    struct fixture *f = ctx;
    strcat(f->trace, "a");
    timer_free(f->b); /* due in the same round */
    timer_free(f->a); /* itself */
    f->a = f->b = NULL;
}

CASE_IN(setup, teardown, free_inside_callbacks) {
    struct fixture *f = *state;
    make(f, a_frees_all, on_b, on_c_stop);
    timer_at(f->a, 1);
    timer_at(f->b, 2);
    timer_at(f->c, 3);
    loop_run(f->l);
    assert_string_equal(f->trace, "ac");
    timer_free(NULL);
}

static void a_again(void *ctx) {
    struct fixture *f = ctx;
    f->calls++;
    timer_at(f->a, 0);
}

static void stop_now(void *ctx) {
    struct fixture *f = ctx;
    loop_stop(f->l);
}

static void defer_stop(void *ctx) {
    struct fixture *f = ctx;
    world_defer(f->w, stop_now, f);
}

/* A timer that sets itself to the past again and again leaves room for everything else. */
CASE_IN(setup, teardown, the_past_does_not_starve) {
    struct fixture *f = *state;
    make(f, a_again, on_b, defer_stop);
    timer_at(f->a, 0);
    timer_in(f->c, NS_PER_MS);
    loop_run(f->l);
    assert_true(f->calls > 1);
}

enum { MANY = 5000 };
struct crowd {
    struct loop *l;
    struct world *w;
    int64_t last;
    size_t fired, expected;
};
struct one {
    struct crowd *crowd;
    struct timer *t;
    int64_t at; /* TIME_NEVER: stopped */
};

static void fired(void *ctx) {
    struct one *o = ctx;
    struct crowd *c = o->crowd;
    assert_true(o->at != TIME_NEVER);
    assert_true(o->at >= c->last);
    assert_true(world_boot_ns(c->w) >= o->at);
    c->last = o->at;
    if (++c->fired == c->expected) loop_stop(c->l);
}

CASE_IN(setup, teardown, thousands) {
    struct fixture *f = *state;
    struct crowd crowd = {.l = f->l, .w = f->w};
    struct one *all = xcalloc(MANY, sizeof *all);
    struct rng rng = {7};
    int64_t now = world_boot_ns(f->w);
    for (size_t i = 0; i < MANY; i++) {
        all[i].crowd = &crowd;
        all[i].t = timer_new(f->w, fired, &all[i]);
        for (int k = 0; k < 3; k++) {
            all[i].at = now + (int64_t)rng_below(&rng, (uint64_t)(20 * NS_PER_MS));
            if (rng_below(&rng, 8) == 0) all[i].at = TIME_NEVER;
            timer_at(all[i].t, all[i].at);
        }
        if (all[i].at != TIME_NEVER) crowd.expected++;
    }
    loop_run(f->l);
    assert_int_equal(crowd.fired, crowd.expected);
    for (size_t i = 0; i < MANY; i++) timer_free(all[i].t);
    free(all);
}

CASES("loop/timer")
