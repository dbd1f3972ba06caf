/* A simulated host: clocks, timers, deferred calls, signals, files, programs; freezing, death, restart. */
#include "helper.h"
#include <errno.h>
#include <signal.h>

#define WORLD_CASE(seed, name) CASE_OF(struct simworld, sw, simworld_new(seed), simworld_free, name)

WORLD_CASE(1, clocks_have_their_own_minds) {
    struct world *exact = simworld_host(sw, "exact", &(struct simhost){.boot_ns = 100 * NS_PER_S});
    struct world *fast = simworld_host(
        sw, "fast",
        &(struct simhost){.boot_ns = 5 * NS_PER_S, .drift_ppb = 1000000, .wall_offset_ns = -3 * NS_PER_S});
    assert_true(world_boot_ns(exact) == 100 * NS_PER_S);
    assert_true(world_wall_ns(exact) == simworld_now(sw));
    assert_true(world_wall_ns(fast) == simworld_now(sw) - 3 * NS_PER_S);
    simworld_run(sw, 1000 * NS_PER_S);
    assert_true(world_boot_ns(exact) == 1100 * NS_PER_S);
    assert_true(world_boot_ns(fast) == 1006 * NS_PER_S);
    assert_true(world_mono_ns(fast) == 1006 * NS_PER_S);
    assert_true(world_wall_ns(fast) == simworld_now(sw) - 2 * NS_PER_S);
    simworld_set_wall(fast, 7 * NS_PER_S);
    assert_true(world_wall_ns(fast) == simworld_now(sw) + 7 * NS_PER_S);
    assert_string_equal(simworld_name(fast), "fast");
}

WORLD_CASE(2, suspend_stops_the_monotonic_clock) {
    struct world *w = simworld_host(sw, "w", &(struct simhost){.boot_ns = NS_PER_S});
    simworld_run(sw, NS_PER_S);
    simworld_suspend(w);
    simworld_run(sw, 10 * NS_PER_S);
    assert_true(world_boot_ns(w) == 12 * NS_PER_S);
    assert_true(world_mono_ns(w) == 2 * NS_PER_S);
    simworld_thaw(w);
    simworld_run(sw, NS_PER_S);
    assert_true(world_boot_ns(w) == 13 * NS_PER_S);
    assert_true(world_mono_ns(w) == 3 * NS_PER_S);
}

/* ---- timers ---- */

struct fired {
    struct world *w;
    int n;
    int64_t at;
    struct timer *free_me;
};
static void on_timer(void *ctx) {
    struct fired *f = ctx;
    f->n++;
    f->at = world_boot_ns(f->w);
    if (f->free_me) timer_free(f->free_me);
    f->free_me = NULL;
}

CASE(timers_fire_by_the_hosts_clock) {
    static const int64_t drifts[] = {0, 1, -1, 100000, -100000, 300000000, -300000000};
    for (size_t i = 0; i < ARRAY_LEN(drifts); i++) {
        struct simworld *sw = simworld_new(3);
        struct world *w = simworld_host(sw, "w", &(struct simhost){.drift_ppb = drifts[i]});
        simworld_run(sw, 12345678901);
        struct fired f = {.w = w};
        struct timer *t = timer_new(w, on_timer, &f);
        int64_t want = world_boot_ns(w) + 10 * NS_PER_S;
        timer_at(t, want);
        assert_true(timer_active(t));
        simworld_run(sw, 20 * NS_PER_S);
        assert_int_equal(f.n, 1);
        assert_true(f.at >= want && f.at - want <= 2); /* never early */
        assert_false(timer_active(t));
        timer_free(t);
        simworld_free(sw);
    }
}

WORLD_CASE(4, timers_move_and_stop) {
    struct world *w = simworld_host(sw, "w", NULL);
    struct fired f = {.w = w}, g = {.w = w};
    struct timer *t = timer_new(w, on_timer, &f), *u = timer_new(w, on_timer, &g);
    timer_in(t, 5 * NS_PER_S);
    timer_in(t, 10 * NS_PER_S);
    simworld_run(sw, 6 * NS_PER_S);
    assert_int_equal(f.n, 0);
    timer_at(t, 0); /* the past: on the next turn */
    assert_int_equal(f.n, 0);
    simworld_run(sw, 0);
    assert_int_equal(f.n, 1);
    timer_in(t, NS_PER_S);
    timer_stop(t);
    assert_false(timer_active(t));
    timer_at(t, TIME_NEVER);
    simworld_run(sw, 100 * NS_PER_S);
    assert_int_equal(f.n, 1);
    g.free_me = u; /* freed in its own callback */
    timer_in(u, NS_PER_S);
    simworld_run(sw, 2 * NS_PER_S);
    assert_int_equal(g.n, 1);
    timer_in(t, NS_PER_S);
    timer_free(t);
    timer_free(NULL);
    simworld_run(sw, 2 * NS_PER_S);
    assert_int_equal(f.n, 1);
}

/* ---- deferred calls ---- */

struct order {
    struct world *w;
    char text[16];
};
static void note(void *ctx, char c) {
    struct order *o = ctx;
    size_t n = strlen(o->text);
    o->text[n] = c;
}
static void note_b(void *ctx) {
    note(ctx, 'b');
}
static void note_c(void *ctx) {
    note(ctx, 'c');
}
static void note_a(void *ctx) {
    note(ctx, 'a');
    world_defer(((struct order *)ctx)->w, note_c, ctx);
}

CASE(deferred_calls_keep_their_order) {
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct simworld *sw = simworld_new(seed);
        struct order o = {.w = simworld_host(sw, "w", NULL)};
        world_defer(o.w, note_a, &o);
        world_defer(o.w, note_b, &o);
        assert_string_equal(o.text, "");
        simworld_run(sw, 0);
        assert_string_equal(o.text, "abc");
        simworld_free(sw);
    }
}

/* What is due at the same instant comes in an order of the seed. */
CASE(ties_are_broken_by_the_seed) {
    int first_a = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct simworld *sw = simworld_new(seed);
        struct order o = {.w = simworld_host(sw, "w", NULL)};
        struct timer *t = timer_new(o.w, note_b, &o), *u = timer_new(o.w, note_c, &o);
        timer_in(t, NS_PER_S);
        timer_in(u, NS_PER_S);
        simworld_run(sw, NS_PER_S);
        first_a += o.text[0] == 'b';
        timer_free(t);
        timer_free(u);
        simworld_free(sw);
    }
    assert_true(first_a > 5 && first_a < 35);
}

/* ---- freezing and dying ---- */

WORLD_CASE(5, frozen_ones_do_nothing) {
    struct world *w = simworld_host(sw, "w", NULL);
    struct fired f = {.w = w};
    int deferred = 0;
    struct timer *t = timer_new(w, on_timer, &f);
    timer_in(t, NS_PER_S);
    simworld_freeze(w);
    world_defer(w, bump, &deferred);
    simworld_run(sw, 10 * NS_PER_S);
    assert_int_equal(f.n + deferred, 0);
    assert_true(timer_active(t));
    simworld_thaw(w);
    simworld_run(sw, 0);
    assert_int_equal(f.n, 1);
    assert_int_equal(deferred, 1);
    timer_in(t, NS_PER_S);
    simworld_freeze(w);
    simworld_run(sw, 2 * NS_PER_S);
    timer_free(t); /* while it waits */
    simworld_thaw(w);
    simworld_run(sw, NS_PER_S);
    assert_int_equal(f.n, 1);
}

WORLD_CASE(6, the_dead_stay_silent) {
    struct world *w = simworld_host(sw, "w", NULL);
    struct fired f = {.w = w};
    int deferred = 0;
    struct timer *t = timer_new(w, on_timer, &f);
    timer_in(t, NS_PER_S);
    world_defer(w, bump, &deferred);
    simworld_file(w, "/token", SL("secret"));
    simworld_kill(w);
    assert_false(simworld_alive(w));
    timer_in(t, NS_PER_S); /* what an instance may still do while it is freed */
    world_defer(w, bump, &deferred);
    assert_int_equal(world_write_file(w, "/token", SL("other"), NULL), 0);
    simworld_run(sw, 10 * NS_PER_S);
    assert_int_equal(f.n + deferred, 0);
    timer_free(t);

    simworld_restart(w);
    int64_t boot = world_boot_ns(w);
    assert_true(boot > 10 * NS_PER_S); /* the machine went on */
    assert_true(slice_eqs(simworld_file_get(w, "/token"), "secret"));
    t = timer_new(w, on_timer, &f);
    timer_in(t, NS_PER_S);
    simworld_run(sw, 2 * NS_PER_S);
    assert_int_equal(f.n, 1);
    timer_free(t);
}

WORLD_CASE(7, signals) {
    struct world *w = simworld_host(sw, "w", NULL);
    int term = 0, died = 0;
    assert_int_equal(world_on_signal(w, SIGTERM, bump, &term), 0);
    assert_int_equal(world_on_signal(w, SIGKILL, bump, &term), -EINVAL);
    simworld_on_death(w, bump, &died);
    simworld_signal(w, SIGTERM);
    assert_int_equal(term, 0);
    simworld_run(sw, 0);
    simworld_signal(w, SIGTERM);
    simworld_signal(w, SIGUSR1); /* nobody minds */
    simworld_run(sw, 0);
    assert_int_equal(term, 2);
    assert_true(simworld_alive(w));
    simworld_freeze(w);
    simworld_signal(w, SIGTERM);
    simworld_run(sw, NS_PER_S);
    assert_int_equal(term, 2);
    simworld_signal(w, SIGKILL);
    assert_false(simworld_alive(w));
    assert_int_equal(died, 1);
    struct world *v = simworld_host(sw, "v", NULL);
    simworld_signal(v, SIGTERM); /* no handler */
    simworld_run(sw, 0);
    assert_false(simworld_alive(v));
}

/* ---- files, environment, programs ---- */

WORLD_CASE(8, files_and_environment) {
    struct world *w = simworld_host(sw, "w", &(struct simhost){.wall_offset_ns = NS_PER_S});
    cleanup_buf struct buf b = BUF(100);
    struct err err = {0};
    assert_int_equal(world_read_file(w, "/f", 10, &b, &err), -ENOENT);
    assert_true(strstr(err.msg, "/f") != NULL);
    assert_int_equal(world_file_mtime(w, "/f"), -ENOENT);
    simworld_file(w, "/f", SL("12345"));
    assert_int_equal(world_read_file(w, "/f", 4, &b, &err), -EFBIG);
    assert_int_equal(world_read_file(w, "/f", 5, &b, &err), 0);
    assert_string_equal(buf_str(&b), "12345");
    assert_true(world_file_mtime(w, "/f") == simworld_now(sw) + NS_PER_S);
    simworld_run(sw, NS_PER_S);
    assert_int_equal(world_write_file(w, "/f", SL("x"), &err), 0);
    assert_true(world_file_mtime(w, "/f") == simworld_now(sw) + NS_PER_S);
    assert_true(slice_eqs(simworld_file_get(w, "/f"), "x"));
    simworld_file_error(w, "/f", -EACCES);
    assert_int_equal(world_read_file(w, "/f", 5, &b, &err), -EACCES);
    assert_int_equal(world_write_file(w, "/f", SL("y"), &err), -EACCES);
    assert_int_equal(world_file_mtime(w, "/f"), -EACCES);
    simworld_file_error(w, "/f", 0);
    simworld_file_remove(w, "/f");
    assert_int_equal(world_file_mtime(w, "/f"), -ENOENT);

    assert_null(world_getenv(w, "X"));
    simworld_setenv(w, "X", "1");
    simworld_setenv(w, "X", "2");
    assert_string_equal(world_getenv(w, "X"), "2");
    simworld_setenv(w, "X", NULL);
    assert_null(world_getenv(w, "X"));
}

struct ran {
    int n, code;
    bool failed;
    enum err_kind kind;
    char out[32], err[32];
};
static void on_ran(void *ctx, const struct err *err, int code, struct slice out, struct slice errout) {
    struct ran *r = ctx;
    r->n++;
    r->code = code;
    r->failed = err != NULL;
    r->kind = err ? err->kind : ERR_NONE;
    (void)snprintf(r->out, sizeof r->out, "%.*s", SLF(out));
    (void)snprintf(r->err, sizeof r->err, "%.*s", SLF(errout));
}
static int plugin(void *ctx, const struct spawn *s, struct simproc *ret) {
    ++*(int *)ctx;
    if (strcmp(s->argv[0], "token") != 0) return -ENOENT;
    *ret =
        (struct simproc){.ns = 2 * NS_PER_S, .exit_code = 3, .out = SL("0123456789"), .errout = SL("oops")};
    return 0;
}

WORLD_CASE(9, programs) {
    struct world *w = simworld_host(sw, "w", NULL);
    int asked = 0;
    struct ran r = {0};
    struct proc *p;
    struct err err = {0};
    const char *argv[] = {"token", "-x", NULL}, *other[] = {"other", NULL};
    struct spawn s = {.argv = argv, .cap = 6, .timeout_ns = 5 * NS_PER_S, .done = on_ran, .ctx = &r};
    assert_int_equal(world_spawn(w, &s, &p, &err), -ENOENT);
    simworld_on_spawn(w, plugin, &asked);
    assert_int_equal(world_spawn(w, &s, &p, &err), 0);
    simworld_run(sw, 1900 * MS);
    assert_int_equal(r.n, 0);
    simworld_run(sw, 200 * MS);
    assert_int_equal(r.n, 1);
    assert_int_equal(r.code, 3);
    assert_false(r.failed);
    assert_string_equal(r.out, "012345");
    assert_string_equal(r.err, "oops");
    s.timeout_ns = NS_PER_S;
    assert_int_equal(world_spawn(w, &s, &p, &err), 0);
    simworld_run(sw, 1100 * MS);
    assert_int_equal(r.n, 2);
    assert_true(r.failed && r.kind == ERR_TIMEOUT && r.code == 137);
    s.argv = other;
    assert_int_equal(world_spawn(w, &s, &p, &err), -ENOENT);
    s.argv = argv;
    assert_int_equal(world_spawn(w, &s, &p, &err), 0);
    proc_cancel(p);
    assert_int_equal(world_spawn(w, &s, &p, &err), 0);
    simworld_kill(w);
    simworld_run(sw, 10 * NS_PER_S);
    assert_int_equal(r.n, 2);
    proc_cancel(p);
}

WORLD_CASE(10, plans) {
    int n = 0;
    simworld_at(sw, simworld_now(sw) + NS_PER_S, bump, &n);
    simworld_at(sw, simworld_now(sw) + 100 * NS_PER_S, bump, &n);
    simworld_run(sw, 2 * NS_PER_S);
    assert_int_equal(n, 1);
}

static void never_ready(void *ctx, unsigned ready) {
    (void)ctx, (void)ready;
    fail();
}

/* Nothing in it depends on the machine that it runs on: the host's bus is out of reach. */
WORLD_CASE(1, no_descriptors) {
    struct fd_watch *f = NULL;
    assert_int_equal(world_watch_fd(simworld_host(sw, "w", NULL), 0, never_ready, NULL, &f), -ENOSYS);
    assert_null(f);
}

CASES("simworld/host")
