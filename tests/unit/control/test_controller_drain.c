/* The end of the work: fenced, drained, cancelled, freed. */
#include "../check.h"
#include "controller_kit.h"

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
    controller_stop_intake(f->c); /* idle by then: the caller looks at the tasks in flight */
    run_ms(f, 100);
    assert_int_equal(f->idle, 0);
    controller_gate(f->c, true); /* leading again */
    add(f, "a");
    run_ms(f, 0);
    assert_int_equal(f->nopen, 1);
    controller_gate(f->c, false);
    end(f, 0, OUT_DONE, 0, NULL);
    controller_gate(f->c, true); /* before the callback */
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

RUN_TESTS(T(fenced_is_interrupted_and_no_busy_loop), T(a_drain_lets_the_tasks_end_and_keeps_the_adds),
          T(idle_is_told_only_while_stopped), T(cancel_asks_each_task_once),
          T(a_cancelled_task_that_fails_was_interrupted), OWN(freeing_cancels_and_allows_the_tasks_to_end))
