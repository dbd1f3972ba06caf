/* Reconciles that fail: backoff, conflicts, and the dead letters. */
#include "../case.h"
#include "controller_kit.h"

FIXTURE_CASE(a_failure_backs_off) {
    controller_gate(f->c, true);
    assert_int_equal(fail_with(f, ERR_SERVER, 0), 1);
    assert_int_equal(fail_with(f, ERR_NONE, 0), 2);
    assert_int_equal(fail_with(f, ERR_TRANSPORT, 0), 4);
    assert_int_equal(fail_with(f, ERR_THROTTLED, 250), 250); /* Retry-After is a minimum */
    assert_int_equal(fail_with(f, ERR_THROTTLED, 1), 16);
    metrics_are(f, "controller_runtime_reconcile_errors_total{} 5|"
                   "controller_runtime_terminal_reconcile_errors_total{} 0|workqueue_retries_total{} 5");
    end(f, 0, OUT_DONE, 0, NULL);
    assert_int_equal(fail_with(f, ERR_SERVER, 0), 1); /* success forgets */
}

LIMITED_CASE(retry_after_has_a_bound, .queue = {.base_ns = NS_PER_MS, .max_ns = MS(5000), .jitter = -1},
             .workers = 1) {
    controller_gate(f->c, true);
    assert_int_equal(fail_with(f, ERR_THROTTLED, INT64_MAX), 5000);
}

FIXTURE_CASE(a_conflict_is_retried_quickly_and_is_no_error) {
    controller_gate(f->c, true);
    for (int i = 0; i < QUEUE_QUICK_MAX - 1; i++) assert_int_equal(fail_with(f, ERR_CONFLICT, 0), 1 << i);
    metrics_are(f, "controller_runtime_reconcile_errors_total{} 0");
    fail_with(f, ERR_CONFLICT, 0); /* but not for ever */
    metrics_are(f, "controller_runtime_reconcile_errors_total{} 1");
}

static int64_t dead_since; /* of the last of them */

static void see_dead(void *ctx, const struct key_state *k) {
    if (k->kind != KEY_DEAD) return;
    buf_addf(ctx, "%.*s: %.*s, %u; ", SLF(k->key), SLF(k->reason), k->failures);
    dead_since = k->at_wall_ns;
}

/* The dead letters are "key: reason, failures; "... */
static void dead_are(struct fixture *f, const char *want) {
    cleanup_buf struct buf is = BUF(4096);
    controller_snapshot(f->c, see_dead, &is);
    assert_string_equal(buf_str(&is), want);
}

FIXTURE_CASE(a_terminal_error_is_a_dead_letter_at_once) {
    controller_gate(f->c, true);
    run_ms(f, 77);
    assert_int_equal(fail_with(f, ERR_FORBIDDEN, 0), -1);
    dead_are(f, "a: broken, 1; ");
    int64_t since = dead_since;
    assert_true(since > 1767225600 * NS_PER_S && since < 1767225601 * NS_PER_S);
    metrics_are(f, "controller_runtime_terminal_reconcile_errors_total{} 1|"
                   "controller_runtime_reconcile_errors_total{} 1|handover_dead_letters{} 1");
    work_on(f, "a"); /* anew */
    assert_int_equal(f->nopen, 1);
    end(f, 0, OUT_TERMINAL, 0, NULL);
    run_ms(f, 600000);
    assert_int_equal(f->nopen, 0);
    dead_are(f, "a: reconcile failed, 1; ");
    assert_int_equal(dead_since, since); /* since the first time */
    work_on(f, "a");
    end(f, 0, OUT_DONE, 0, NULL);
    dead_are(f, "");
    metrics_are(f, "handover_dead_letters{} 0");
}

LIMITED_CASE(exhausted_retries_are_a_dead_letter_unless_the_server_is_out, .queue = PLAIN, .workers = 1,
             .max_retries = 3) {
    controller_gate(f->c, true);
    for (int i = 0; i < 10; i++) assert_int_not_equal(fail_with(f, ERR_TRANSPORT, 0), -1);
    end(f, 0, OUT_DONE, 0, NULL);
    assert_int_equal(fail_with(f, ERR_SERVER, 0), 1);
    assert_int_equal(fail_with(f, ERR_SERVER, 0), 2);
    assert_int_equal(fail_with(f, ERR_SERVER, 0), -1);
    dead_are(f, "a: broken, 3; ");
    metrics_are(f, "controller_runtime_terminal_reconcile_errors_total{} 0");
    controller_dead_retry(f->c, SL("a"));
    dead_are(f, "");
    run_ms(f, 0);
    assert_int_equal(f->nopen, 1);
    assert_int_equal(fail_with(f, ERR_SERVER, 0), 1); /* with all its tries */
}

LIMITED_CASE(dead_letters_are_retried_dropped_and_bounded, .queue = PLAIN, .max_dead_letters = 2) {
    f->at_once = true;
    f->outcome = OUT_TERMINAL;
    work_on(f, "a b c");
    dead_are(f, "b: reconcile failed, 1; c: reconcile failed, 1; ");
    metrics_are(f, "handover_dead_letters_dropped_total{} 1");
    f->started = 0;
    controller_dead_retry(f->c, SL("a")); /* no longer among them */
    controller_dead_retry(f->c, SL("unknown"));
    run_ms(f, 100);
    assert_int_equal(f->started, 0);
    controller_dead_drop(f->c, SL("c"));
    controller_dead_drop(f->c, SL("unknown"));
    dead_are(f, "b: reconcile failed, 1; ");
}

CASES("control/controller_failure")
