/* What the controller's files share. Private. */
#ifndef CONTROL_CONTROLLER_IMPL_H
#define CONTROL_CONTROLLER_IMPL_H
#include "autolimit.h"
#include "base/list.h"
#include "control/controller.h"
#include "controller_metrics.h"
#include "dead_letters.h"

struct task {
    struct controller *c;
    struct list link; /* in c->tasks */
    struct slice key; /* the queue's: valid until queue_done() */
    int64_t start_ns;
    void *data;
    bool cancelled;
};

struct controller {
    struct world *world;
    struct log *log;
    const struct reconciler *r;
    void *self;
    struct queue *queue;
    struct dead_letters *dead_letters;
    unsigned fixed_workers, max_retries;
    int64_t retry_after_max_ns;
    struct autolimit limit; /* used unless fixed_workers */
    struct list tasks;      /* in flight; those asked to cancel come last */
    size_t inflight;
    bool open, stopped;
    struct timer *pump; /* starts what is ready; set to the next delayed key otherwise */
    bool kicked;        /* the pump is set to run on the next turn, since kicked_ns */
    int64_t kicked_ns;
    bool went_idle; /* the last task ended while not running; on_idle has not been told */
    world_fn idle_fn;
    void *idle_ctx;
    bool refused; /* said already that the queue is full */
    struct controller_metrics metrics;
};
static inline bool controller_running(const struct controller *c) {
    return c->open && !c->stopped;
}
void controller_kick(struct controller *c);                 /* the pump runs on the next turn */
int64_t controller_after(int64_t now_ns, int64_t delay_ns); /* the sum, or TIME_NEVER */
void controller_put_dead_letter(struct controller *c, struct slice key, struct slice reason,
                                unsigned failures, int64_t since_wall_ns);
#endif
