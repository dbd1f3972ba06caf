/* The end of the work: fenced, drained, cancelled, freed. */
#include "../case.h"
#include "controller_kit.h"

FIXTURE_CASE(fenced_is_interrupted_and_no_busy_loop) {
    controller_gate(f->c, true);
    assert_int_equal(fail_with(f, ERR_FENCED, 0), 100);
    assert_int_equal(fail_with(f, ERR_CANCELLED, 0), 100);
    metrics_are(f, "controller_runtime_reconcile_errors_total{} 0|handover_reconciles_interrupted_total{} 2");
    end(f, 0, OUT_DONE, 0, NULL);
}

static void count_idle(void *ctx) {
    struct fixture *f = ctx;
    assert_int_equal(controller_inflight(f->c), 0);
    f->idle++;
}

FIXTURE_CASE(a_drain_lets_the_tasks_end_and_keeps_the_adds) {
    controller_on_idle(f->c, count_idle, f);
    work_on(f, "a b c");
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

FIXTURE_CASE(idle_is_reported_only_while_stopped) {
    controller_on_idle(f->c, count_idle, f);
    work_on(f, "a");
    end(f, 0, OUT_DONE, 0, NULL);
    controller_stop_intake(f->c); /* idle by then: the caller looks at the tasks in flight */
    run_ms(f, 100);
    assert_int_equal(f->idle, 0);
    work_on(f, "a"); /* leading again */
    assert_int_equal(f->nopen, 1);
    controller_gate(f->c, false);
    end(f, 0, OUT_DONE, 0, NULL);
    controller_gate(f->c, true); /* before the callback */
    run_ms(f, 100);
    assert_int_equal(f->idle, 0);
}

FIXTURE_CASE(cancel_asks_each_task_once) {
    f->cancel_ends = true;
    work_on(f, "a b");
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

FIXTURE_CASE(a_cancelled_task_that_fails_was_interrupted) {
    struct err e = {.kind = ERR_TRANSPORT, .errnum = -EIO, .msg = "connection closed"};
    work_on(f, "a");
    controller_gate(f->c, false);
    controller_cancel(f->c);
    controller_cancel(f->c);
    assert_int_equal(f->cancelled, 1);
    end(f, 0, OUT_RETRY, 0, &e);
    metrics_are(f, "controller_runtime_reconcile_errors_total{} 0|handover_reconciles_interrupted_total{} 1");
    assert_int_equal(controller_pending(f->c), 1);
}

static void freed(struct fixture *f, bool ends) {
    f->cancel_ends = ends;
    work_on(f, "a b c");
    controller_free(f->c);
    f->c = NULL;
    assert_int_equal(f->cancelled, 2);
    metrics_are(f, "controller_runtime_active_workers{} 0");
    run_ms(f, 100);
    assert_int_equal(f->started, 2);
}

FIXTURE_CASE(freeing_cancels) {
    freed(f, false);
}

FIXTURE_CASE(freeing_allows_the_tasks_to_end) {
    freed(f, true);
}

CASES("control/controller_drain")
