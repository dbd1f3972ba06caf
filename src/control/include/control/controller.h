/* A controller: a queue, N asynchronous reconciles at once, retries by error class, dead letters, metrics. */
#ifndef CONTROL_CONTROLLER_H
#define CONTROL_CONTROLLER_H
#include "base/log.h"
#include "base/metrics.h"
#include "control/queue.h"
#include "world/world.h"

struct task; /* one reconcile in flight */
enum outcome {
    OUT_DONE,  /* failures forgotten */
    OUT_AFTER, /* done, reconciled again after_ns later; failures forgotten */
    /* Failed: backoff by the error's class (src/control/error_class.h) and Retry-After. A conflict is tried again
     * soon and counts no failure; fenced or cancelled is OUT_INTERRUPTED; what only the user can mend (config,
     * forbidden, notfound, rejected) is OUT_TERMINAL. */
    OUT_RETRY,
    /* Moved to the dead-letter queue, and not tried again until the key is added anew. The letter stays until a
     * later try succeeds, or it is retried or dropped by command. */
    OUT_TERMINAL,
    OUT_INTERRUPTED, /* cancelled in the middle: first in line for the next leader */
};
struct reconciler {
    void (*start)(void *self, struct slice key,
                  struct task *t);              /* must lead to task_finish(t), now or later */
    void (*cancel)(void *self, struct task *t); /* stop soon: task_finish(t, OUT_INTERRUPTED) follows */
};
struct slice task_key(const struct task *t);
void task_set_data(struct task *t, void *data); /* the reconciler's own */
void *task_data(const struct task *t);
bool task_cancelled(const struct task *t);
void task_finish(struct task *t, enum outcome out, int64_t after_ns,
                 const struct err *err); /* exactly once */

struct controller_limits {
    struct queue_limits queue;
    /* At once; 0: auto, up to max_workers: grows with the queue, shrinks on 429, timeouts and loop lag. */
    unsigned workers;
    unsigned max_workers; /* 0: 64 */
    /* Failures of a key after which it is a dead letter; 0: never. Errors of the server (connection, TLS, timeout,
     * 401, 429, 502..504) are no reason. */
    unsigned max_retries;
    size_t max_dead_letters; /* dead letters kept, oldest dropped first and counted; 0: 1000 */
};
struct controller;
/* name: the label `controller`/`name` of its metrics. It starts gated (nothing is worked on). */
struct controller *controller_new(struct world *w, struct log *log, struct metrics *m, const char *name,
                                  const struct reconciler *r, void *self,
                                  const struct controller_limits *lim);
/* Tasks in flight are cancelled; their task_finish() is still allowed until then. Not from inside the
 * reconciler's calls. */
void controller_free(struct controller *c);
void controller_add(struct controller *c, struct slice key, int prio, int64_t delay_ns);
/* open: leading (also again, after a drain). Closed: nothing new is started; tasks in flight go on. */
void controller_gate(struct controller *c, bool open);
void controller_stop_intake(
    struct controller *c); /* drain: no new starts, adds are still remembered for the checkpoint */
size_t controller_inflight(const struct controller *c), controller_pending(const struct controller *c);
/* Called when the last task in flight ends while gated or stopped, on a later turn. Nothing in flight at that
 * moment: no call, so look at controller_inflight() first. fn may free the controller. */
void controller_on_idle(struct controller *c, world_fn fn, void *ctx);
void controller_cancel(struct controller *c); /* asks every task in flight to stop */

/* For the checkpoint, in the order interrupted, in flight, queued, delayed, failures, dead, which is the order in
 * which a successor takes them. The slices are valid during fn, which must not touch the controller. */
struct key_state {
    struct slice key;
    enum key_kind { KEY_INTERRUPTED, KEY_INFLIGHT, KEY_QUEUED, KEY_DELAYED, KEY_FAILURES, KEY_DEAD } kind;
    int prio;
    int64_t at_wall_ns; /* delayed: when; dead: since when */
    unsigned failures;
    struct slice reason; /* dead: why */
};
void controller_snapshot(const struct controller *c, void (*fn)(void *ctx, const struct key_state *k),
                         void *ctx);
/* For a checkpoint that has room for max keys: the dead letters, and the first max of the others in the order
 * in flight, interrupted, queued, delayed, failures; the time it takes depends on max and the number of dead
 * letters alone. Returns how many keys are missing. (A delayed key that was interrupted counts as delayed
 * here.) */
size_t controller_snapshot_first(const struct controller *c, size_t max,
                                 void (*fn)(void *ctx, const struct key_state *k), void *ctx);
void controller_restore(struct controller *c, const struct key_state *k); /* before the gate opens */
void controller_dead_retry(struct controller *c, struct slice key),
    controller_dead_drop(struct controller *c, struct slice key);
#endif
