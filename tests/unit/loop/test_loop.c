/* The real world apart from timers and processes: clocks, deferred calls, files, signals, what is missing
 * without net. */
#include "loop_kit.h"
#include <signal.h>
#include <unistd.h>

struct fixture {
    struct loop *l;
    struct world *w;
    int calls;
    char trace[64];
    struct timer *timer;
};

static void setup(struct fixture *f) {
    *f = (struct fixture){.l = loop_new()};
    f->w = loop_world(f->l);
}

static void teardown(struct fixture *f) {
    timer_free(f->timer);
    loop_free(f->l);
}

LOOP_CASE(clocks_random_numbers_and_the_environment) {
    assert_ptr_equal(loop_of(f->w), f->l);
    int64_t mono = world_mono_ns(f->w), boot = world_boot_ns(f->w), wall = world_wall_ns(f->w);
    assert_true(boot >= mono - NS_PER_S); /* BOOTTIME also counts suspend */
    assert_true(wall > INT64_C(1600000000) * NS_PER_S);
    assert_true(world_mono_ns(f->w) >= mono);
    assert_true(world_boot_ns(f->w) >= boot);
    assert_true(world_rand(f->w) != world_rand(f->w));
    struct loop *other = loop_new(); /* draws others */
    assert_true(world_rand(f->w) != world_rand(loop_world(other)));
    loop_free(other);
    setenv("HANDOVER_TEST_VALUE", "42", 1);
    assert_string_equal(world_getenv(f->w, "HANDOVER_TEST_VALUE"), "42");
    assert_null(world_getenv(f->w, "HANDOVER_TEST_UNSET"));
}

static void second(void *ctx) {
    struct fixture *f = ctx;
    strcat(f->trace, "2");
}

static void third(void *ctx) {
    struct fixture *f = ctx;
    strcat(f->trace, "3");
    loop_stop(f->l);
}

static void first(void *ctx) {
    struct fixture *f = ctx;
    strcat(f->trace, "1");
    world_defer(f->w, third, f); /* for the next round, after what is already queued */
}

LOOP_CASE(defers_run_in_order_and_never_inside) {
    world_defer(f->w, first, f);
    world_defer(f->w, second, f);
    assert_string_equal(f->trace, "");
    loop_run(f->l);
    assert_string_equal(f->trace, "123");
}

static void again(void *ctx) {
    struct fixture *f = ctx;
    f->calls++;
    world_defer(f->w, again, f);
}

/* A chain of deferred calls that never ends: the timer (I/O for the loop) still gets its turn. */
LOOP_CASE(defers_do_not_starve_io) {
    f->timer = timer_new(f->w, stop, f);
    world_defer(f->w, again, f);
    timer_in(f->timer, NS_PER_MS);
    loop_run(f->l);
    assert_true(f->calls > 0);
}

LOOP_CASE(stop_before_run_ends_it_at_once) {
    loop_stop(f->l);
    assert_int_equal(loop_run(f->l), 0);
    world_defer(f->w, again, f); /* the end drops what is pending */
    assert_int_equal(f->calls, 0);
}

static void count(void *ctx) {
    struct fixture *f = ctx;
    if (++f->calls == 2) loop_stop(f->l);
    if (f->calls == 1) kill(getpid(), SIGUSR1);
}

static void never(void *ctx) {
    (void)ctx;
    fail();
}

LOOP_CASE(signals_are_calls) {
    assert_int_equal(world_on_signal(f->w, SIGUSR1, never, f), 0);
    assert_int_equal(world_on_signal(f->w, SIGUSR1, count, f), 0); /* replaces */
    assert_true(world_on_signal(f->w, SIGKILL, count, f) < 0);
    kill(getpid(), SIGUSR1);
    loop_run(f->l);
    assert_int_equal(f->calls, 2);
}

LOOP_CASE(files_round_trip) {
    char path[] = "/tmp/handover-test-XXXXXX";
    close(mkstemp(path));
    struct err err = {0};
    assert_int_equal(world_write_file(f->w, path, SL("a longer first text"), &err), 0);
    assert_int_equal(world_write_file(f->w, path, SL("hello"), &err), 0); /* truncates */
    cleanup_buf struct buf b = BUF(100);
    assert_int_equal(world_read_file(f->w, path, 5, &b, &err), 0);
    assert_string_equal(buf_str(&b), "hello");
    assert_int_equal(world_read_file(f->w, path, 4, &b, &err), -EFBIG);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_has(err.msg, path);
    assert_string_equal(buf_str(&b), "hello"); /* untouched by a failure */
    int64_t mtime = world_file_mtime(f->w, path), now = world_wall_ns(f->w);
    assert_true(mtime > now - 60 * NS_PER_S && mtime <= now);
    unlink(path);
    assert_int_equal(world_file_mtime(f->w, path), -ENOENT);
    assert_int_equal(world_read_file(f->w, path, 10, &b, &err), -ENOENT);
    assert_has(err.msg, "No such file");
    assert_int_equal(world_read_file(f->w, "/", 10, &b, &err), -EISDIR);
    assert_int_equal(world_write_file(f->w, "/nonexistent/x", SL(""), &err), -ENOENT);
    assert_int_equal(world_write_file(f->w, "/dev/full", SL("x"), &err), -ENOSPC);
}

LOOP_CASE(without_net_http_is_refused) {
    struct err err = {0};
    struct http_req *r = NULL;
    struct http_listener *hl = NULL;
    struct http_spec spec = {.method = "GET", .url = "http://127.0.0.1/"};
    struct http_client_cb cb = {0};
    assert_int_equal(http_start(f->w, &spec, &cb, NULL, &r, &err), -ENOSYS);
    assert_int_equal(http_listen(f->w, "127.0.0.1:0", NULL, NULL, NULL, &hl, &err), -ENOSYS);
    assert_null(r);
    assert_null(hl);
}

CASES("loop/loop")
