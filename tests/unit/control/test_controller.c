/* Reconciles: when they start, how many at once, how they end, and what is reported of them. */
#include "../case.h"
#include "controller_kit.h"

static void add_line(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                     const struct log_field *f, size_t n) {
    log_format_text(ctx, level, wall_ns, msg, f, n);
}

/* What tests and people lay beside another process's log, to see that two never work at once. */
CASE(a_reconciles_begin_and_end_are_in_the_debug_log) {
    struct fixture f;
    cleanup_buf struct buf lines = BUF(4096);
    struct log log = {.sink = {add_line, &lines}, .min = LOG_DEBUG};
    setup(&f, &(struct controller_limits){.workers = 2}, &log);
    work_on(&f, "ns/a");
    assert_has(buf_str(&lines), " reconcile started event=ReconcileStarted controller=target key=ns/a\n");
    assert_lacks(buf_str(&lines), "reconcile finished");
    run_ms(&f, 5);
    end(&f, 0, OUT_DONE, 0, NULL);
    assert_has(buf_str(&lines),
               " reconcile finished event=ReconcileFinished controller=target key=ns/a took=");
    teardown(&f);
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
    work_on(f, "a b c d e");
    assert_int_equal(f->nopen, 2);
    finish(f, 2);
    assert_string_equal(buf_str(&f->names), "a b c ");
    finish(f, 2);
    finish(f, 2);
    finish(f, 1);
    finish(f, 0);
    assert_int_equal(f->started, 5);
}

FIXTURE_CASE(one_task_per_key) {
    work_on(f, "a");
    work_on(f, "a a");
    assert_int_equal(f->nopen, 1);
    finish(f, 1);
    finish(f, 0);
    run_ms(f, 1);
    assert_int_equal(f->started, 2);
}

static void add_many(struct fixture *f, int n) {
    for (int i = 0; i < n; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        add(f, key);
    }
}

FIXTURE_CASE(a_reconciler_may_finish_at_once) {
    f->at_once = true;
    f->outcome = OUT_DONE;
    controller_gate(f->c, true);
    add_many(f, 500);
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
    assert_string_equal(buf_str(&f->names), "");
    run_ms(f, 300);
    assert_string_equal(buf_str(&f->names), "sooner ");
    run_ms(f, 1);
    run_ms(f, 1000000);
    assert_string_equal(buf_str(&f->names), "sooner later ");
}

FIXTURE_CASE(after_asks_again) {
    work_on(f, "a");
    end(f, 0, OUT_AFTER, MS(300), NULL);
    run_ms(f, 299);
    assert_int_equal(f->nopen, 0);
    run_ms(f, 1);
    assert_int_equal(f->nopen, 1);
    end(f, 0, OUT_AFTER, 0, NULL);
    run_ms(f, 0);
    assert_int_equal(f->nopen, 1);
    metrics_are(f, "controller_runtime_reconcile_total{result='requeue_after'} 1|"
                   "controller_runtime_reconcile_total{result='requeue'} 1");
}

LIMITED_CASE(auto_grows_under_load_and_shrinks_when_throttled, .queue = PLAIN, .max_workers = 16) {
    controller_gate(f->c, true);
    add_many(f, 300);
    run_ms(f, 0);
    assert_int_equal(f->nopen, 4);
    for (int i = 0; i < 100; i++) {
        end(f, 0, OUT_DONE, 0, NULL);
        run_ms(f, 0);
    }
    assert_int_equal(f->nopen, 16);
    metrics_are(f, "controller_runtime_max_concurrent_reconciles{} 16");
    struct err e = {.kind = ERR_THROTTLED, .errnum = -EAGAIN, .msg = "too many requests"};
    end(f, 0, OUT_RETRY, 0, &e);
    metrics_are(f, "controller_runtime_max_concurrent_reconciles{} 8");
    run_ms(f, 0);
    assert_int_equal(f->nopen, 15); /* nothing is broken off */
    while (f->nopen > 8) end(f, 0, OUT_DONE, 0, NULL);
    run_ms(f, 0);
    assert_int_equal(f->nopen, 8);
    while (f->nopen) end(f, 0, OUT_DONE, 0, NULL);
}

LIMITED_CASE(a_loop_that_is_late_shrinks_it, .queue = PLAIN) {
    controller_gate(f->c, true);
    simworld_freeze(f->alone.w); /* another process has the CPU */
    run_ms(f, 80);
    simworld_thaw(f->alone.w);
    run_ms(f, 0);
    metrics_are(f, "controller_runtime_max_concurrent_reconciles{} 2");
}

LIMITED_CASE(a_full_queue_says_so, .queue = {.max_keys = 2}) {
    add(f, "a b c");
    assert_int_equal(controller_pending(f->c), 2);
    controller_gate(f->c, true);
    metrics_are(f, "handover_workqueue_refused_total{} 1");
}

FIXTURE_CASE(a_standby_shows_only_that_it_does_nothing) {
    add(f, "a");
    metrics_are(f, "workqueue_depth{} 1|controller_runtime_active_workers{} 0");
    cleanup_buf struct buf page = BUF(1 << 20);
    metrics_write(f->m, &page);
    each_of(absent, "workqueue_adds_total|workqueue_retries_total|workqueue_queue_duration|reconcile_total|"
                    "reconcile_errors_total|reconcile_time|max_concurrent|handover_dead_letters")
        assert_null(memmem(page.p, page.n, absent.p, absent.n));
    controller_gate(f->c, true);
    metrics_are(f, "workqueue_adds_total{} 1"); /* what came before is counted now */
    metrics_are(f, "workqueue_retries_total{} 0|controller_runtime_reconcile_total{result='success'} 0|"
                   "controller_runtime_reconcile_total{result='error'} 0|"
                   "controller_runtime_reconcile_total{result='requeue'} 0|"
                   "controller_runtime_reconcile_total{result='requeue_after'} 0|"
                   "controller_runtime_reconcile_errors_total{} 0|"
                   "controller_runtime_terminal_reconcile_errors_total{} 0|"
                   "controller_runtime_reconcile_time_seconds_count{} 0|"
                   "controller_runtime_max_concurrent_reconciles{} 2|handover_dead_letters{} 0");
}

FIXTURE_CASE(durations) {
    work_on(f, "a b c");
    run_ms(f, 2000);
    metrics_are(f, "workqueue_unfinished_work_seconds{} 4|workqueue_longest_running_processor_seconds{} 2|"
                   "controller_runtime_active_workers{} 2|workqueue_depth{} 1");
    finish(f, 2);
    metrics_are(f, "workqueue_work_duration_seconds_sum{} 2|"
                   "controller_runtime_reconcile_time_seconds_bucket{le='1.75'} 0|"
                   "controller_runtime_reconcile_time_seconds_bucket{le='2'} 1|"
                   "workqueue_queue_duration_seconds_sum{} 2"); /* c waited */
    metrics_are(f, "workqueue_queue_duration_seconds_count{} 3");
    for (int i = 0; i < 6; i++) add(f, "b"); /* in flight: one add */
    metrics_are(f, "workqueue_adds_total{} 4|workqueue_depth{} 1|"
                   "controller_runtime_reconcile_total{result='success'} 1");
}

CASES("control/controller")
