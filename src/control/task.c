/* Tasks: a reconcile in flight, and what becomes of its key by the way in which it ends. */
#include "controller_impl.h"
#include "error_class.h"
#include <stdio.h>

/* A task that was fenced or cancelled while its controller goes on is tried again, but not in a busy loop:
 * the fence opens with the next good renewal, or the gate closes. */
#define INTERRUPTED_PAUSE_NS (100 * NS_PER_MS)

struct slice task_key(const struct task *t) {
    return t->key;
}

void task_set_data(struct task *t, void *data) {
    t->data = data;
}

void *task_data(const struct task *t) {
    return t->data;
}

bool task_cancelled(const struct task *t) {
    return t->cancelled;
}

static void succeeded(struct controller *c, const struct task *t, enum outcome out, int64_t after_ns,
                      int64_t now_ns) {
    dead_letters_remove(c->dead_letters, t->key);
    queue_forget(c->queue, t->key);
    autolimit_success(&c->limit,
                      c->inflight >= autolimit_get(&c->limit) && queue_ready(c->queue, now_ns) > 0);
    if (out == OUT_AFTER) {
        queue_add(c->queue, t->key, PRIO_NORMAL, controller_after(now_ns, after_ns), now_ns);
        controller_metrics_result(&c->metrics, after_ns > 0 ? RESULT_REQUEUE_AFTER : RESULT_REQUEUE, false);
    } else {
        controller_metrics_result(&c->metrics, RESULT_SUCCESS, false);
    }
}

static void interrupted(struct controller *c, const struct task *t, int64_t now_ns) {
    int64_t pause = controller_running(c) ? INTERRUPTED_PAUSE_NS : 0;
    metric_inc(c->metrics.interrupted);
    queue_add(c->queue, t->key, PRIO_INTERRUPTED, now_ns + pause, now_ns);
    LOG_EVENT(c->log, LOG_DEBUG, "ReconcileInterrupted", "reconcile interrupted",
              LF_STR("controller", c->metrics.name), LF_SLICE("key", t->key));
}

void controller_put_dead_letter(struct controller *c, struct slice key, struct slice reason,
                                unsigned failures, int64_t since_wall_ns) {
    struct dead_letter l = {
        .key = key, .reason = reason, .since_wall_ns = since_wall_ns, .failures = failures};
    if (dead_letters_put(c->dead_letters, &l)) return;
    c->metrics.dropped++;
    LOG_EVENT(c->log, LOG_WARN, "DeadLetterQueueFull", "dead-letter queue full; the oldest key was dropped",
              LF_STR("controller", c->metrics.name));
}

static struct slice reason_of(const struct err *err) {
    return err && err->msg[0] ? slice_of(err->msg) : SL("reconcile failed");
}

static unsigned failures_with_this(const struct controller *c, const struct task *t) {
    unsigned n = queue_failures(c->queue, t->key);
    return n < UINT32_MAX ? n + 1 : n;
}

static void dead_letter(struct controller *c, const struct task *t, struct slice reason, unsigned failures) {
    controller_put_dead_letter(c, t->key, reason, failures, world_wall_ns(c->world));
    queue_forget(c->queue, t->key);
    LOG_EVENT(c->log, LOG_ERROR, "DeadLettered", "moved to the dead-letter queue; retried on the next change",
              LF_STR("controller", c->metrics.name), LF_SLICE("key", t->key), LF_INT("failures", failures),
              LF_SLICE("error", reason));
}

static void retry(struct controller *c, const struct task *t, enum error_class class, const struct err *err,
                  int64_t now_ns) {
    struct slice reason = reason_of(err);
    unsigned failures = failures_with_this(c, t);
    controller_metrics_result(&c->metrics, RESULT_ERROR, false);
    if (class != ERROR_CLASS_OUTAGE && c->max_retries && failures >= c->max_retries) {
        dead_letter(c, t, reason, failures);
        return;
    }
    int64_t wait = err && err->retry_after_ms > 0 ? c->retry_after_max_ns : 0;
    if (wait && err->retry_after_ms < wait / NS_PER_MS) wait = err->retry_after_ms * NS_PER_MS;
    int64_t delay = queue_retry(c->queue, t->key, wait, now_ns, world_rand(c->world));
    bool warn = (failures & (failures - 1)) == 0; /* 1st, 2nd, 4th, ...: an outage must not fill the log */
    LOG_EVENT(c->log, warn ? LOG_WARN : LOG_DEBUG, "ReconcileFailed", "reconcile failed",
              LF_STR("controller", c->metrics.name), LF_SLICE("key", t->key), LF_SLICE("error", reason),
              LF_INT("failures", failures), LF_DUR("retry_in", delay));
}

static void failed(struct controller *c, const struct task *t, const struct err *err, int64_t now_ns) {
    enum error_class class = error_class_of(err);
    if (error_class_is_pressure(err)) autolimit_pressure(&c->limit, now_ns);
    if (t->cancelled && class != ERROR_CLASS_TERMINAL)
        class = ERROR_CLASS_INTERRUPTED; /* the error comes from our own cancelling */
    switch (class) {
    case ERROR_CLASS_INTERRUPTED: interrupted(c, t, now_ns); return;
    case ERROR_CLASS_CONFLICT:
        if (queue_retry_quick(c->queue, t->key, now_ns, world_rand(c->world)) >= 0) {
            controller_metrics_result(&c->metrics, RESULT_REQUEUE, false);
            return;
        }
        break; /* again and again: something is wrong */
    case ERROR_CLASS_TERMINAL:
        controller_metrics_result(&c->metrics, RESULT_ERROR, true);
        dead_letter(c, t, reason_of(err), failures_with_this(c, t));
        return;
    case ERROR_CLASS_RETRY:
    case ERROR_CLASS_OUTAGE: break;
    }
    retry(c, t, class, err, now_ns);
}

void task_finish(struct task *t, enum outcome out, int64_t after_ns, const struct err *err) {
    struct controller *c = t->c;
    int64_t now = world_boot_ns(c->world);
    controller_metrics_ended(&c->metrics, now - t->start_ns);
    LOG_EVENT(c->log, LOG_DEBUG, "ReconcileFinished", "reconcile finished",
              LF_STR("controller", c->metrics.name), LF_SLICE("key", t->key),
              LF_DUR("took", now - t->start_ns));
    switch (out) {
    case OUT_DONE:
    case OUT_AFTER: succeeded(c, t, out, after_ns, now); break;
    case OUT_RETRY: failed(c, t, err, now); break;
    case OUT_TERMINAL:
        controller_metrics_result(&c->metrics, RESULT_ERROR, true);
        dead_letter(c, t, reason_of(err), failures_with_this(c, t));
        break;
    case OUT_INTERRUPTED: interrupted(c, t, now); break;
    }
    queue_done(c->queue, t->key, now);
    list_remove(&t->link);
    free(t);
    c->inflight--;
    c->went_idle = !c->inflight && !controller_running(c);
    if (controller_running(c) || c->went_idle) controller_kick(c);
}
