/* The controller: takes keys from the queue while the gate is open, up to the worker limit, and hands them to
 * the reconciler as tasks. How a task ends is in task.c, the checkpoint in controller_state.c. */
#include "controller_impl.h"

enum { STARTS_PER_TURN = 32 }; /* then the loop gets a chance: a lease renewal may be waiting */

int64_t controller_after(int64_t now_ns, int64_t delay_ns) {
    int64_t at;
    if (delay_ns <= 0) return now_ns;
    return __builtin_add_overflow(now_ns, delay_ns, &at) ? TIME_NEVER : at;
}

void controller_kick(struct controller *c) {
    if (c->kicked) return;
    c->kicked = true;
    c->kicked_ns = world_boot_ns(c->world);
    timer_at(c->pump, c->kicked_ns);
}

static unsigned workers(const struct controller *c) {
    return c->fixed_workers ? c->fixed_workers : autolimit_get(&c->limit);
}

static void start(struct controller *c, const struct queue_item *item, int64_t now_ns) {
    struct task *t = xcalloc(1, sizeof *t);
    *t = (struct task){.c = c, .key = item->key, .start_ns = now_ns};
    list_push(&c->tasks, &t->link);
    c->inflight++;
    controller_metrics_started(&c->metrics, now_ns - item->since_ns);
    /* With the line of its end: which process worked on which key and when, to compare the logs of two. */
    LOG_EVENT(c->log, LOG_DEBUG, "ReconcileStarted", "reconcile started",
              LF_STR("controller", c->metrics.name), LF_SLICE("key", t->key));
    c->r->start(c->self, t->key, t); /* t may be gone after it */
}

static void report_idle(struct controller *c) {
    bool idle = c->went_idle && !c->inflight && !controller_running(c);
    c->went_idle = false;
    if (idle && c->idle_fn) c->idle_fn(c->idle_ctx); /* may free c */
}

static void on_pump(void *ctx) {
    struct controller *c = ctx;
    int64_t now = world_boot_ns(c->world);
    if (c->kicked) autolimit_lag(&c->limit, now - c->kicked_ns, now);
    c->kicked = false;
    struct queue_item item;
    for (int n = 0; n < STARTS_PER_TURN && controller_running(c) && c->inflight < workers(c); n++) {
        if (!queue_get_item(c->queue, now, &item)) break;
        start(c, &item, now);
    }
    if (controller_running(c) && c->inflight < workers(c) && !c->kicked) { /* else the end of a task kicks */
        if (queue_ready(c->queue, now)) {
            controller_kick(c);
        } else {
            timer_at(c->pump, queue_next_ns(c->queue));
        }
    }
    report_idle(c);
}

static void collect(void *ctx) {
    struct controller *c = ctx;
    int64_t now = world_boot_ns(c->world);
    struct controller_gauges g = {.depth = queue_depth(c->queue, now),
                                  .dead = dead_letters_count(c->dead_letters),
                                  .limit = workers(c)};
    queue_stats(c->queue, &g.queue);
    list_each(it, &c->tasks) {
        int64_t age = now - container_of(it, struct task, link)->start_ns;
        g.unfinished_ns += age;
        if (age > g.longest_ns) g.longest_ns = age;
    }
    controller_metrics_collect(&c->metrics, &g);
}

struct controller *controller_new(struct world *w, struct log *log, struct metrics *m, const char *name,
                                  const struct reconciler *r, void *self,
                                  const struct controller_limits *lim) {
    static const struct controller_limits none;
    if (!lim) lim = &none;
    struct controller *c = xcalloc(1, sizeof *c);
    c->world = w;
    c->log = log;
    c->r = r;
    c->self = self;
    c->queue = queue_new(&lim->queue);
    c->dead_letters = dead_letters_new(lim->max_dead_letters ? lim->max_dead_letters : 1000);
    c->fixed_workers = lim->workers;
    c->max_retries = lim->max_retries;
    c->retry_after_max_ns = lim->queue.max_ns > 0 ? lim->queue.max_ns : 1000 * NS_PER_S;
    autolimit_init(&c->limit, lim->max_workers ? lim->max_workers : 64);
    list_init(&c->tasks);
    c->pump = timer_new(w, on_pump, c);
    controller_metrics_init(&c->metrics, m, name);
    metrics_on_collect(m, collect, c);
    return c;
}

void controller_cancel(struct controller *c) {
    while (!list_empty(&c->tasks)) {
        struct task *t = container_of(c->tasks.next, struct task, link);
        if (t->cancelled) return; /* all of them: they stand at the end */
        t->cancelled = true;
        list_remove(&t->link);
        list_push(&c->tasks, &t->link);
        c->r->cancel(c->self, t); /* any task may be gone after it */
    }
}

void controller_free(struct controller *c) {
    if (!c) return;
    c->open = false;
    c->idle_fn = NULL;
    controller_cancel(c);
    metrics_off_collect(c->metrics.m, collect, c);
    metric_add(c->metrics.active, -(double)c->inflight);
    list_each_safe(it, next, &c->tasks) free(container_of(it, struct task, link));
    timer_free(c->pump);
    queue_free(c->queue);
    dead_letters_free(c->dead_letters);
    controller_metrics_free(&c->metrics);
    free(c);
}

void controller_add(struct controller *c, struct slice key, int prio, int64_t delay_ns) {
    int64_t now = world_boot_ns(c->world);
    if (!queue_add(c->queue, key, prio, controller_after(now, delay_ns), now)) {
        if (!c->refused) {
            LOG_EVENT(c->log, LOG_ERROR, "WorkQueueFull", "work queue full; keys are refused",
                      LF_STR("controller", c->metrics.name), LF_SLICE("key", key));
        }
        c->refused = true;
        return;
    }
    c->refused = false;
    if (controller_running(c)) controller_kick(c);
}

void controller_gate(struct controller *c, bool open) {
    c->open = open;
    if (!open) return;
    c->stopped = false;
    controller_metrics_open(&c->metrics);
    controller_kick(c);
}

void controller_stop_intake(struct controller *c) {
    c->stopped = true;
}

size_t controller_inflight(const struct controller *c) {
    return c->inflight;
}

size_t controller_pending(const struct controller *c) {
    return queue_ready(c->queue, INT64_MIN) +
           queue_delayed(c->queue); /* what is due and still among the delayed counts once */
}

void controller_on_idle(struct controller *c, world_fn fn, void *ctx) {
    c->idle_fn = fn;
    c->idle_ctx = ctx;
}
