/* The controller: gates, tasks, error classes, dead letters, drain, metrics. */
#include "control/controller.h"
#include "fake_world.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define MS(n) ((n)*NS_PER_MS)

/* A reconciler that leaves its tasks open until the test ends them, or ends them inside start() as it is
 * told. */
struct fixture {
    struct fake_world fw;
    struct metrics *m;
    struct controller *c;
    struct task *open[128];
    size_t nopen, started, cancelled, idle;
    bool at_once, cancel_ends;
    enum outcome outcome;
    struct err err;
    char last[64];
};

static void on_start(void *self, struct slice key, struct task *t) {
    struct fixture *f = self;
    assert_true(slice_eq(key, task_key(t)));
    snprintf(f->last, sizeof f->last, "%.*s", SLF(key));
    f->started++;
    if (f->at_once) {
        task_finish(t, f->outcome, 0, f->err.kind ? &f->err : NULL);
        return;
    }
    assert_true(f->nopen < ARRAY_LEN(f->open));
    task_set_data(t, f);
    f->open[f->nopen++] = t;
}

static void end(struct fixture *f, size_t i, enum outcome out, int64_t after_ns, const struct err *err) {
    struct task *t = f->open[i];
    assert_ptr_equal(task_data(t), f);
    memmove(&f->open[i], &f->open[i + 1], (f->nopen - i - 1) * sizeof(struct task *));
    f->nopen--;
    task_finish(t, out, after_ns, err);
}

static void on_cancel(void *self, struct task *t) {
    struct fixture *f = self;
    f->cancelled++;
    assert_true(task_cancelled(t));
    for (size_t i = 0; i < f->nopen && f->cancel_ends; i++) {
        if (f->open[i] != t) continue;
        end(f, i, OUT_INTERRUPTED, 0, NULL);
        return;
    }
}

static const struct reconciler reconciler = {on_start, on_cancel};
static const struct controller_limits limits = {.queue = {.base_ns = NS_PER_MS, .jitter = -1, .rate = -1},
                                                .workers = 2};

static int setup_with(void **state, const struct controller_limits *lim) {
    struct fixture *f = xcalloc(1, sizeof *f);
    fake_world_init(&f->fw, 1);
    f->m = metrics_new(100);
    f->c = controller_new(&f->fw.base, NULL, f->m, "target", &reconciler, f, lim);
    *state = f;
    return 0;
}

static int setup(void **state) {
    return setup_with(state, &limits);
}

static int teardown(void **state) {
    struct fixture *f = *state;
    controller_free(f->c);
    metrics_free(f->m);
    fake_world_check(&f->fw);
    free(f);
    return 0;
}

static void add(struct fixture *f, const char *key) {
    controller_add(f->c, slice_of(key), PRIO_NORMAL, 0);
}

static void run_ms(struct fixture *f, int64_t ms) {
    fake_world_run(&f->fw, f->fw.now_ns + MS(ms));
}

static bool has_line(struct fixture *f, const char *line) {
    cleanup_buf struct buf page = BUF(1 << 20);
    assert_int_equal(metrics_write(f->m, &page), 0);
    cleanup_free char *want = xasprintf("\n%s\n", line);
    bool found = strstr(buf_str(&page), want);
    return found;
}

static void metric_is(struct fixture *f, const char *line) {
    if (has_line(f, line)) return;
    cleanup_buf struct buf page = BUF(1 << 20);
    metrics_write(f->m, &page);
    print_error("no line \"%s\" in\n%s", line, buf_str(&page));
    fail();
}

static void add_line(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                     const struct log_field *f, size_t n) {
    log_format_text(ctx, level, wall_ns, msg, f, n);
}

/* What tests and people lay beside another process's log, to see that two never work at once. */
static void a_reconciles_begin_and_end_are_in_the_debug_log(void **state) {
    struct fixture f = {0};
    cleanup_buf struct buf lines = BUF(4096);
    struct log log = {.sink = {add_line, &lines}, .min = LOG_DEBUG};
    (void)state;
    fake_world_init(&f.fw, 1);
    f.m = metrics_new(100);
    f.c = controller_new(&f.fw.base, &log, f.m, "target", &reconciler, &f, &limits);
    controller_gate(f.c, true);
    add(&f, "ns/a");
    run_ms(&f, 1);
    assert_non_null(strstr(buf_str(&lines), " reconcile begins controller=target key=ns/a\n"));
    assert_null(strstr(buf_str(&lines), "reconcile ends"));
    run_ms(&f, 5);
    end(&f, 0, OUT_DONE, 0, NULL);
    assert_non_null(strstr(buf_str(&lines), " reconcile ends controller=target key=ns/a took="));
    controller_free(f.c);
    metrics_free(f.m);
    fake_world_check(&f.fw);
}

static void nothing_starts_before_the_gate_opens(void **state) {
    struct fixture *f = *state;
    add(f, "a");
    run_ms(f, 1000);
    assert_int_equal(f->started, 0);
    assert_int_equal(controller_pending(f->c), 1);
    controller_gate(f->c, true);
    assert_int_equal(f->started, 0); /* not inside the call */
    run_ms(f, 0);
    assert_int_equal(f->started, 1);
    assert_int_equal(controller_inflight(f->c), 1);
    assert_int_equal(controller_pending(f->c), 0);
}

static void no_more_than_the_workers_at_once(void **state) {
    struct fixture *f = *state;
    controller_gate(f->c, true);
    for (int i = 0; i < 5; i++) add(f, (char[]){(char)('a' + i), 0});
    run_ms(f, 10);
    assert_int_equal(f->nopen, 2);
    end(f, 0, OUT_DONE, 0, NULL);
    run_ms(f, 0);
    assert_int_equal(f->nopen, 2);
    assert_string_equal(f->last, "c");
    while (f->nopen) {
        end(f, 0, OUT_DONE, 0, NULL);
        run_ms(f, 0);
    }
    assert_int_equal(f->started, 5);
}

static void one_task_per_key(void **state) {
    struct fixture *f = *state;
    controller_gate(f->c, true);
    add(f, "a");
    run_ms(f, 1);
    add(f, "a");
    add(f, "a");
    run_ms(f, 1);
    assert_int_equal(f->nopen, 1);
    end(f, 0, OUT_DONE, 0, NULL);
    run_ms(f, 1);
    assert_int_equal(f->started, 2);
    end(f, 0, OUT_DONE, 0, NULL);
    run_ms(f, 1);
    assert_int_equal(f->started, 2);
}

static void a_reconciler_may_finish_at_once(void **state) {
    struct fixture *f = *state;
    f->at_once = true;
    f->outcome = OUT_DONE;
    controller_gate(f->c, true);
    for (int i = 0; i < 500; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        add(f, key);
    }
    assert_true(fake_world_step(&f->fw, f->fw.now_ns));
    assert_in_range(f->started, 1, 100); /* the loop gets its turn in between */
    run_ms(f, 0);
    assert_int_equal(f->started, 500);
    assert_int_equal(controller_inflight(f->c), 0);
}

static void delayed_keys_start_at_their_time(void **state) {
    struct fixture *f = *state;
    controller_gate(f->c, true);
    controller_add(f->c, SL("later"), PRIO_NORMAL, MS(500));
    controller_add(f->c, SL("sooner"), PRIO_NORMAL, MS(200));
    controller_add(f->c, SL("never"), PRIO_NORMAL, TIME_NEVER);
    run_ms(f, 199);
    assert_int_equal(f->started, 0);
    run_ms(f, 1);
    assert_string_equal(f->last, "sooner");
    run_ms(f, 299);
    assert_int_equal(f->started, 1);
    run_ms(f, 1);
    assert_string_equal(f->last, "later");
    run_ms(f, 1000000);
    assert_int_equal(f->started, 2);
}

static void after_asks_again(void **state) {
    struct fixture *f = *state;
    controller_gate(f->c, true);
    add(f, "a");
    run_ms(f, 0);
    end(f, 0, OUT_AFTER, MS(300), NULL);
    run_ms(f, 299);
    assert_int_equal(f->nopen, 0);
    run_ms(f, 1);
    assert_int_equal(f->nopen, 1);
    end(f, 0, OUT_AFTER, 0, NULL);
    run_ms(f, 0);
    assert_int_equal(f->nopen, 1);
    metric_is(f, "controller_runtime_reconcile_total{controller=\"target\",result=\"requeue_after\"} 1");
    metric_is(f, "controller_runtime_reconcile_total{controller=\"target\",result=\"requeue\"} 1");
}

/* Fails "a" once; ms until it is started again, -1 if it is not within ten minutes. */
static int64_t fail_with(struct fixture *f, enum err_kind kind, int64_t retry_after_ms) {
    struct err e = {.kind = kind, .errnum = -EIO, .retry_after_ms = retry_after_ms, .msg = "broken"};
    if (!f->nopen) {
        add(f, "a");
        run_ms(f, 0);
    }
    int64_t from = f->fw.now_ns;
    end(f, 0, OUT_RETRY, 0, kind == ERR_NONE ? NULL : &e);
    while (!f->nopen && fake_world_step(&f->fw, from + 600 * NS_PER_S)) continue;
    return f->nopen ? (f->fw.now_ns - from) / NS_PER_MS : -1;
}

static void a_failure_backs_off(void **state) {
    struct fixture *f = *state;
    controller_gate(f->c, true);
    assert_int_equal(fail_with(f, ERR_SERVER, 0), 1);
    assert_int_equal(fail_with(f, ERR_NONE, 0), 2);
    assert_int_equal(fail_with(f, ERR_TRANSPORT, 0), 4);
    assert_int_equal(fail_with(f, ERR_THROTTLED, 250), 250); /* Retry-After is a minimum */
    assert_int_equal(fail_with(f, ERR_THROTTLED, 1), 16);
    metric_is(f, "controller_runtime_reconcile_errors_total{controller=\"target\"} 5");
    metric_is(f, "controller_runtime_terminal_reconcile_errors_total{controller=\"target\"} 0");
    metric_is(f, "workqueue_retries_total{name=\"target\"} 5");
    end(f, 0, OUT_DONE, 0, NULL);
    assert_int_equal(fail_with(f, ERR_SERVER, 0), 1); /* success forgets */
}

static void retry_after_has_a_bound(void **state) {
    (void)state;
    setup_with(state, &(struct controller_limits){
                          .queue = {.base_ns = NS_PER_MS, .max_ns = MS(5000), .jitter = -1}, .workers = 1});
    struct fixture *f = *state;
    controller_gate(f->c, true);
    assert_int_equal(fail_with(f, ERR_THROTTLED, INT64_MAX), 5000);
    teardown(state);
}

static void a_conflict_is_retried_quickly_and_is_no_error(void **state) {
    struct fixture *f = *state;
    controller_gate(f->c, true);
    for (int i = 0; i < QUEUE_QUICK_MAX - 1; i++) assert_int_equal(fail_with(f, ERR_CONFLICT, 0), 1 << i);
    metric_is(f, "controller_runtime_reconcile_errors_total{controller=\"target\"} 0");
    fail_with(f, ERR_CONFLICT, 0); /* but not for ever */
    metric_is(f, "controller_runtime_reconcile_errors_total{controller=\"target\"} 1");
}

struct dead_seen {
    size_t n;
    char key[64], reason[600];
    int64_t since;
    unsigned failures;
};

static void see_dead(void *ctx, const struct key_state *k) {
    struct dead_seen *s = ctx;
    if (k->kind != KEY_DEAD) return;
    s->n++;
    snprintf(s->key, sizeof s->key, "%.*s", SLF(k->key));
    snprintf(s->reason, sizeof s->reason, "%.*s", SLF(k->reason));
    s->since = k->at_wall_ns;
    s->failures = k->failures;
}

static struct dead_seen dead(struct fixture *f) {
    struct dead_seen s = {0};
    controller_snapshot(f->c, see_dead, &s);
    return s;
}

static void a_terminal_error_is_a_dead_letter_at_once(void **state) {
    struct fixture *f = *state;
    controller_gate(f->c, true);
    run_ms(f, 77);
    assert_int_equal(fail_with(f, ERR_FORBIDDEN, 0), -1);
    struct dead_seen s = dead(f);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.key, "a");
    assert_string_equal(s.reason, "broken");
    assert_int_equal(s.failures, 1);
    assert_true(s.since > 1700001000 * NS_PER_S && s.since < 1700001001 * NS_PER_S);
    metric_is(f, "controller_runtime_terminal_reconcile_errors_total{controller=\"target\"} 1");
    metric_is(f, "controller_runtime_reconcile_errors_total{controller=\"target\"} 1");
    metric_is(f, "handover_dead_letters{controller=\"target\"} 1");
    add(f, "a"); /* anew */
    run_ms(f, 0);
    assert_int_equal(f->nopen, 1);
    end(f, 0, OUT_TERMINAL, 0, NULL);
    run_ms(f, 600000);
    assert_int_equal(f->nopen, 0);
    assert_int_equal(dead(f).since, s.since); /* since the first time */
    assert_string_equal(dead(f).reason, "reconcile failed");
    add(f, "a");
    run_ms(f, 0);
    end(f, 0, OUT_DONE, 0, NULL);
    assert_int_equal(dead(f).n, 0);
    metric_is(f, "handover_dead_letters{controller=\"target\"} 0");
}

static void exhausted_retries_are_a_dead_letter_unless_the_server_is_out(void **state) {
    setup_with(state, &(struct controller_limits){.queue = limits.queue, .workers = 1, .max_retries = 3});
    struct fixture *f = *state;
    controller_gate(f->c, true);
    for (int i = 0; i < 10; i++) assert_int_not_equal(fail_with(f, ERR_TRANSPORT, 0), -1);
    end(f, 0, OUT_DONE, 0, NULL);
    assert_int_equal(fail_with(f, ERR_SERVER, 0), 1);
    assert_int_equal(fail_with(f, ERR_SERVER, 0), 2);
    assert_int_equal(fail_with(f, ERR_SERVER, 0), -1);
    assert_int_equal(dead(f).failures, 3);
    metric_is(f, "controller_runtime_terminal_reconcile_errors_total{controller=\"target\"} 0");
    controller_dead_retry(f->c, SL("a"));
    assert_int_equal(dead(f).n, 0);
    run_ms(f, 0);
    assert_int_equal(f->nopen, 1);
    assert_int_equal(fail_with(f, ERR_SERVER, 0), 1); /* with all its tries */
    teardown(state);
}

static void dead_letters_are_retried_dropped_and_bounded(void **state) {
    setup_with(state, &(struct controller_limits){.queue = limits.queue, .max_dead = 2});
    struct fixture *f = *state;
    f->at_once = true;
    f->outcome = OUT_TERMINAL;
    controller_gate(f->c, true);
    add(f, "a");
    add(f, "b");
    add(f, "c");
    run_ms(f, 0);
    assert_int_equal(dead(f).n, 2);
    metric_is(f, "handover_dead_letters_dropped_total{controller=\"target\"} 1");
    f->started = 0;
    controller_dead_retry(f->c, SL("a")); /* no longer among them */
    controller_dead_retry(f->c, SL("unknown"));
    run_ms(f, 100);
    assert_int_equal(f->started, 0);
    controller_dead_drop(f->c, SL("c"));
    controller_dead_drop(f->c, SL("unknown"));
    assert_int_equal(dead(f).n, 1);
    assert_string_equal(dead(f).key, "b");
    teardown(state);
}

static void fenced_is_interrupted_and_no_busy_loop(void **state) {
    struct fixture *f = *state;
    controller_gate(f->c, true);
    assert_int_equal(fail_with(f, ERR_FENCED, 0), 100);
    assert_int_equal(fail_with(f, ERR_CANCELLED, 0), 100);
    metric_is(f, "controller_runtime_reconcile_errors_total{controller=\"target\"} 0");
    metric_is(f, "handover_reconciles_interrupted_total{controller=\"target\"} 2");
    end(f, 0, OUT_DONE, 0, NULL);
}

static void count_idle(void *ctx) {
    struct fixture *f = ctx;
    assert_int_equal(controller_inflight(f->c), 0);
    f->idle++;
}

static void a_drain_lets_the_tasks_end_and_keeps_the_adds(void **state) {
    struct fixture *f = *state;
    controller_on_idle(f->c, count_idle, f);
    controller_gate(f->c, true);
    add(f, "a");
    add(f, "b");
    add(f, "c");
    run_ms(f, 0);
    controller_stop_intake(f->c);
    add(f, "d");
    end(f, 0, OUT_DONE, 0, NULL);
    run_ms(f, 100);
    assert_int_equal(f->nopen, 1);
    assert_int_equal(f->idle, 0);
    end(f, 0, OUT_RETRY, 0, NULL);
    assert_int_equal(f->idle, 0); /* not inside the call that ended it */
    run_ms(f, 1000);
    assert_int_equal(f->idle, 1);
    assert_int_equal(f->started, 2);
    assert_int_equal(controller_pending(f->c), 3); /* b again, c, d */
}

static void idle_is_told_only_while_stopped(void **state) {
    struct fixture *f = *state;
    controller_on_idle(f->c, count_idle, f);
    controller_gate(f->c, true);
    add(f, "a");
    run_ms(f, 0);
    end(f, 0, OUT_DONE, 0, NULL);
    controller_stop_intake(f->c); /* idle by then: whoever stops it looks at the tasks in flight */
    run_ms(f, 100);
    assert_int_equal(f->idle, 0);
    controller_gate(f->c, true); /* leading again */
    add(f, "a");
    run_ms(f, 0);
    assert_int_equal(f->nopen, 1);
    controller_gate(f->c, false);
    end(f, 0, OUT_DONE, 0, NULL);
    controller_gate(f->c, true); /* before it could be told */
    run_ms(f, 100);
    assert_int_equal(f->idle, 0);
}

static void cancel_asks_each_task_once(void **state) {
    struct fixture *f = *state;
    f->cancel_ends = true;
    controller_gate(f->c, true);
    add(f, "a");
    add(f, "b");
    run_ms(f, 0);
    controller_stop_intake(f->c);
    controller_on_idle(f->c, count_idle, f);
    controller_cancel(f->c);
    controller_cancel(f->c);
    assert_int_equal(f->cancelled, 2);
    assert_int_equal(controller_inflight(f->c), 0);
    assert_int_equal(controller_pending(f->c), 2);
    run_ms(f, 0);
    assert_int_equal(f->idle, 1);
}

static void a_cancelled_task_that_fails_was_interrupted(void **state) {
    struct fixture *f = *state;
    struct err e = {.kind = ERR_TRANSPORT, .errnum = -EIO, .msg = "connection closed"};
    controller_gate(f->c, true);
    add(f, "a");
    run_ms(f, 0);
    controller_gate(f->c, false);
    controller_cancel(f->c);
    controller_cancel(f->c);
    assert_int_equal(f->cancelled, 1);
    end(f, 0, OUT_RETRY, 0, &e);
    metric_is(f, "controller_runtime_reconcile_errors_total{controller=\"target\"} 0");
    metric_is(f, "handover_reconciles_interrupted_total{controller=\"target\"} 1");
    assert_int_equal(controller_pending(f->c), 1);
}

static void freeing_cancels_and_allows_the_tasks_to_end(void **state) {
    (void)state;
    for (int ends = 0; ends < 2; ends++) {
        setup(state);
        struct fixture *f = *state;
        f->cancel_ends = ends;
        controller_gate(f->c, true);
        add(f, "a");
        add(f, "b");
        add(f, "c");
        run_ms(f, 0);
        controller_free(f->c);
        f->c = NULL;
        assert_int_equal(f->cancelled, 2);
        metric_is(f, "controller_runtime_active_workers{controller=\"target\"} 0");
        run_ms(f, 100);
        assert_int_equal(f->started, 2);
        teardown(state);
    }
}

static void auto_grows_under_load_and_shrinks_when_throttled(void **state) {
    setup_with(state, &(struct controller_limits){.queue = limits.queue, .max_workers = 16});
    struct fixture *f = *state;
    controller_gate(f->c, true);
    for (int i = 0; i < 300; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        add(f, key);
    }
    run_ms(f, 0);
    assert_int_equal(f->nopen, 4);
    for (int i = 0; i < 100; i++) {
        end(f, 0, OUT_DONE, 0, NULL);
        run_ms(f, 0);
    }
    assert_int_equal(f->nopen, 16);
    metric_is(f, "controller_runtime_max_concurrent_reconciles{controller=\"target\"} 16");
    struct err e = {.kind = ERR_THROTTLED, .errnum = -EAGAIN, .msg = "too many requests"};
    end(f, 0, OUT_RETRY, 0, &e);
    metric_is(f, "controller_runtime_max_concurrent_reconciles{controller=\"target\"} 8");
    run_ms(f, 0);
    assert_int_equal(f->nopen, 15); /* nothing is broken off */
    while (f->nopen > 8) end(f, 0, OUT_DONE, 0, NULL);
    run_ms(f, 0);
    assert_int_equal(f->nopen, 8);
    while (f->nopen) end(f, 0, OUT_DONE, 0, NULL);
    teardown(state);
}

static void a_loop_that_is_late_shrinks_it(void **state) {
    setup_with(state, &(struct controller_limits){.queue = limits.queue});
    struct fixture *f = *state;
    controller_gate(f->c, true);
    f->fw.now_ns += MS(80); /* somebody took 80 ms of the turn */
    run_ms(f, 0);
    metric_is(f, "controller_runtime_max_concurrent_reconciles{controller=\"target\"} 2");
    teardown(state);
}

static void a_full_queue_says_so(void **state) {
    setup_with(state, &(struct controller_limits){.queue = {.max_keys = 2}});
    struct fixture *f = *state;
    add(f, "a");
    add(f, "b");
    add(f, "c");
    assert_int_equal(controller_pending(f->c), 2);
    controller_gate(f->c, true);
    metric_is(f, "handover_workqueue_refused_total{name=\"target\"} 1");
    teardown(state);
}

static void a_standby_shows_only_that_it_does_nothing(void **state) {
    struct fixture *f = *state;
    add(f, "a");
    metric_is(f, "workqueue_depth{name=\"target\"} 1");
    metric_is(f, "controller_runtime_active_workers{controller=\"target\"} 0");
    cleanup_buf struct buf page = BUF(1 << 20);
    metrics_write(f->m, &page);
    static const char *const absent[] = {"workqueue_adds_total",     "workqueue_retries_total",
                                         "workqueue_queue_duration", "reconcile_total",
                                         "reconcile_errors_total",   "reconcile_time",
                                         "max_concurrent",           "handover_dead_letters"};
    for (size_t i = 0; i < ARRAY_LEN(absent); i++) assert_null(strstr(buf_str(&page), absent[i]));
    controller_gate(f->c, true);
    metric_is(f, "workqueue_adds_total{name=\"target\"} 1"); /* what came before is told now */
    metric_is(f, "workqueue_retries_total{name=\"target\"} 0");
    metric_is(f, "controller_runtime_reconcile_total{controller=\"target\",result=\"success\"} 0");
    metric_is(f, "controller_runtime_reconcile_total{controller=\"target\",result=\"error\"} 0");
    metric_is(f, "controller_runtime_reconcile_total{controller=\"target\",result=\"requeue\"} 0");
    metric_is(f, "controller_runtime_reconcile_total{controller=\"target\",result=\"requeue_after\"} 0");
    metric_is(f, "controller_runtime_reconcile_errors_total{controller=\"target\"} 0");
    metric_is(f, "controller_runtime_terminal_reconcile_errors_total{controller=\"target\"} 0");
    metric_is(f, "controller_runtime_reconcile_time_seconds_count{controller=\"target\"} 0");
    metric_is(f, "controller_runtime_max_concurrent_reconciles{controller=\"target\"} 2");
    metric_is(f, "handover_dead_letters{controller=\"target\"} 0");
}

static void durations(void **state) {
    struct fixture *f = *state;
    controller_gate(f->c, true);
    add(f, "a");
    add(f, "b");
    add(f, "c");
    run_ms(f, 0);
    run_ms(f, 2000);
    metric_is(f, "workqueue_unfinished_work_seconds{name=\"target\"} 4");
    metric_is(f, "workqueue_longest_running_processor_seconds{name=\"target\"} 2");
    metric_is(f, "controller_runtime_active_workers{controller=\"target\"} 2");
    metric_is(f, "workqueue_depth{name=\"target\"} 1");
    end(f, 0, OUT_DONE, 0, NULL);
    run_ms(f, 0);
    metric_is(f, "workqueue_work_duration_seconds_sum{name=\"target\"} 2");
    metric_is(f, "controller_runtime_reconcile_time_seconds_bucket{controller=\"target\",le=\"1.75\"} 0");
    metric_is(f, "controller_runtime_reconcile_time_seconds_bucket{controller=\"target\",le=\"2\"} 1");
    metric_is(f, "workqueue_queue_duration_seconds_sum{name=\"target\"} 2"); /* c waited */
    metric_is(f, "workqueue_queue_duration_seconds_count{name=\"target\"} 3");
    for (int i = 0; i < 6; i++) add(f, "b"); /* in flight: one add */
    metric_is(f, "workqueue_adds_total{name=\"target\"} 4");
    metric_is(f, "workqueue_depth{name=\"target\"} 1");
    metric_is(f, "controller_runtime_reconcile_total{controller=\"target\",result=\"success\"} 1");
}

#define T(f)   cmocka_unit_test_setup_teardown(f, setup, teardown)
#define OWN(f) cmocka_unit_test(f)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(nothing_starts_before_the_gate_opens),
        OWN(a_reconciles_begin_and_end_are_in_the_debug_log),
        T(no_more_than_the_workers_at_once),
        T(one_task_per_key),
        T(a_reconciler_may_finish_at_once),
        T(delayed_keys_start_at_their_time),
        T(after_asks_again),
        T(a_failure_backs_off),
        OWN(retry_after_has_a_bound),
        T(a_conflict_is_retried_quickly_and_is_no_error),
        T(a_terminal_error_is_a_dead_letter_at_once),
        OWN(exhausted_retries_are_a_dead_letter_unless_the_server_is_out),
        OWN(dead_letters_are_retried_dropped_and_bounded),
        T(fenced_is_interrupted_and_no_busy_loop),
        T(a_drain_lets_the_tasks_end_and_keeps_the_adds),
        T(idle_is_told_only_while_stopped),
        T(cancel_asks_each_task_once),
        T(a_cancelled_task_that_fails_was_interrupted),
        OWN(freeing_cancels_and_allows_the_tasks_to_end),
        OWN(auto_grows_under_load_and_shrinks_when_throttled),
        OWN(a_loop_that_is_late_shrinks_it),
        OWN(a_full_queue_says_so),
        T(a_standby_shows_only_that_it_does_nothing),
        T(durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
