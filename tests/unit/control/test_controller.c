/* Reconciles: when they start, how many at once, how they end, and what is reported of them. */
#include "../case.h"
#include "controller_kit.h"

static void add_line(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                     const struct log_field *f, size_t n) {
    log_format_text(ctx, level, wall_ns, msg, f, n);
}

/* What tests and people lay beside another process's log, to see that two never work at once. */
CASE(a_reconciles_begin_and_end_are_in_the_debug_log) {
    struct fixture f = {0};
    cleanup_buf struct buf lines = BUF(4096);
    struct log log = {.sink = {add_line, &lines}, .min = LOG_DEBUG};
    alone_init(&f.alone, 1);
    f.m = metrics_new(100);
    f.c = controller_new(f.alone.w, &log, f.m, "target", &reconciler, &f, &limits);
    controller_gate(f.c, true);
    add(&f, "ns/a");
    run_ms(&f, 1);
    assert_non_null(
        strstr(buf_str(&lines), " reconcile started event=ReconcileStarted controller=target key=ns/a\n"));
    assert_null(strstr(buf_str(&lines), "reconcile finished"));
    run_ms(&f, 5);
    end(&f, 0, OUT_DONE, 0, NULL);
    assert_non_null(strstr(buf_str(&lines),
                           " reconcile finished event=ReconcileFinished controller=target key=ns/a took="));
    controller_free(f.c);
    metrics_free(f.m);
    alone_free(&f.alone);
}

FIXTURE_CASE(nothing_starts_before_the_gate_opens) {
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

FIXTURE_CASE(no_more_than_the_workers_at_once) {
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

FIXTURE_CASE(one_task_per_key) {
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

FIXTURE_CASE(a_reconciler_may_finish_at_once) {
    f->at_once = true;
    f->outcome = OUT_DONE;
    controller_gate(f->c, true);
    for (int i = 0; i < 500; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        add(f, key);
    }
    assert_true(alone_step(&f->alone));
    assert_in_range(f->started, 1, 100); /* the loop gets its turn in between */
    run_ms(f, 0);
    assert_int_equal(f->started, 500);
    assert_int_equal(controller_inflight(f->c), 0);
}

FIXTURE_CASE(delayed_keys_start_at_their_time) {
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

FIXTURE_CASE(after_asks_again) {
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

CASE(auto_grows_under_load_and_shrinks_when_throttled) {
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

CASE(a_loop_that_is_late_shrinks_it) {
    setup_with(state, &(struct controller_limits){.queue = limits.queue});
    struct fixture *f = *state;
    controller_gate(f->c, true);
    simworld_freeze(f->alone.w); /* another process has the CPU */
    run_ms(f, 80);
    simworld_thaw(f->alone.w);
    run_ms(f, 0);
    metric_is(f, "controller_runtime_max_concurrent_reconciles{controller=\"target\"} 2");
    teardown(state);
}

CASE(a_full_queue_says_so) {
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

FIXTURE_CASE(a_standby_shows_only_that_it_does_nothing) {
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
    metric_is(f, "workqueue_adds_total{name=\"target\"} 1"); /* what came before is counted now */
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

FIXTURE_CASE(durations) {
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

CASES("control/controller")
