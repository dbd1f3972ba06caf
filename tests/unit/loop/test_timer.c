/* Timers: order, moving, stopping, freeing inside callbacks, thousands of them. */
#include "loop_kit.h"
#include "base/rand.h"

struct fixture {
    struct loop *l;
    struct world *w;
    int calls;
    char trace[64];
    struct timer *t[3];
};

static void setup(struct fixture *f) {
    *f = (struct fixture){.l = loop_new()};
    f->w = loop_world(f->l);
}

static void teardown(struct fixture *f) {
    for (size_t i = 0; i < 3; i++) timer_free(f->t[i]);
    loop_free(f->l);
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
    const world_fn fns[] = {a, b, c};
    for (size_t i = 0; i < 3; i++) f->t[i] = timer_new(f->w, fns[i], f);
}

/* a stops b and moves c away although all three are due in the same round. */
static void a_disturbs(void *ctx) {
    struct fixture *f = ctx;
    strcat(f->trace, "a");
    timer_stop(f->t[1]);
    timer_in(f->t[2], NS_PER_MS);
    assert_true(timer_active(f->t[2]));
}

static void a_frees_all(void *ctx) {
    struct fixture *f = ctx;
    strcat(f->trace, "a");
    timer_free(f->t[1]); /* due in the same round */
    timer_free(f->t[0]); /* itself */
    f->t[0] = f->t[1] = NULL;
}

CASE(orders) {
    static const struct {
        const char *what;
        world_fn a;
        int64_t unit; /* of the times, from now; 0: ns since the boot */
        struct {
            char timer;
            int64_t at;
        } set[5];
        const char *fired;
    } cases[] = {
        {"in order of time", on_a, NS_PER_MS, {{'c', 3}, {'b', 2}, {'a', 1}}, "abc"},
        {"equal instants in the order set", on_a, NS_PER_MS, {{'b', 1}, {'a', 1}, {'c', 1}}, "bac"},
        {"the past at once, but not inside", on_a, 0, {{'a', 0}, {'b', -5}, {'c', 1}}, "bac"},
        {"moved both ways", on_a, NS_PER_MS, {{'a', 1}, {'b', 3600000}, {'c', 4}, {'a', 3}, {'b', 2}}, "bac"},
        {"stopped and moved in the same round", a_disturbs, 0, {{'a', 1}, {'b', 2}, {'c', 3}}, "ac"},
        {"freed inside callbacks", a_frees_all, 0, {{'a', 1}, {'b', 2}, {'c', 3}}, "ac"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        setup(&f);
        print_message("%s\n", cases[i].what);
        make(&f, cases[i].a, on_b, on_c_stop);
        int64_t unit = cases[i].unit, now = unit ? world_boot_ns(f.w) : 0;
        for (size_t k = 0; k < ARRAY_LEN(cases[i].set) && cases[i].set[k].timer; k++) {
            int64_t at = now + cases[i].set[k].at * (unit ? unit : 1);
            timer_at(f.t[cases[i].set[k].timer - 'a'], at);
        }
        assert_string_equal(f.trace, "");
        loop_run(f.l);
        assert_string_equal(f.trace, cases[i].fired);
        if (i == 0) assert_true(world_boot_ns(f.w) >= now + 3 * NS_PER_MS);
        teardown(&f);
    }
    timer_free(NULL);
}

LOOP_CASE(active_says_whether_it_will_fire) {
    make(f, on_a, on_b, on_c_stop);
    assert_false(timer_active(f->t[0]));
    timer_in(f->t[0], NS_PER_S);
    assert_true(timer_active(f->t[0]));
    timer_stop(f->t[0]);
    assert_false(timer_active(f->t[0]));
    timer_in(f->t[1], TIME_NEVER);
    assert_false(timer_active(f->t[1]));
    timer_in(f->t[2], -1);
    assert_true(timer_active(f->t[2]));
    loop_run(f->l);
    assert_false(timer_active(f->t[2]));
    assert_string_equal(f->trace, "c");
}

static void a_again(void *ctx) {
    struct fixture *f = ctx;
    f->calls++;
    timer_at(f->t[0], 0);
}

static void defer_stop(void *ctx) {
    struct fixture *f = ctx;
    world_defer(f->w, stop, f);
}

/* A timer that sets itself to the past again and again leaves room for everything else. */
LOOP_CASE(the_past_does_not_starve) {
    make(f, a_again, on_b, defer_stop);
    timer_at(f->t[0], 0);
    timer_in(f->t[2], NS_PER_MS);
    loop_run(f->l);
    assert_true(f->calls > 1);
}

enum { MANY = 5000 };
struct crowd {
    struct fixture *f;
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
    assert_true(world_boot_ns(c->f->w) >= o->at);
    c->last = o->at;
    if (++c->fired == c->expected) loop_stop(c->f->l);
}

LOOP_CASE(thousands) {
    struct crowd crowd = {.f = f};
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
