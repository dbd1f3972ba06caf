/* The controller's part of the checkpoint: everything unfinished, told in the order in which a successor
 * should take it. */
#include "controller_impl.h"

/* A checkpoint is another machine's word, and so is its clock: whatever it says, a restored key is looked at
 * within this. */
#define RESTORED_DELAY_MAX_NS (3600 * NS_PER_S)

struct telling {
    void (*fn)(void *ctx, const struct key_state *k);
    void *ctx;
    bool interrupted; /* this pass tells of those, the other one of the rest */
    int64_t now_ns, wall_ns;
};

static void tell_item(void *ctx, const struct queue_item *it) {
    const struct telling *t = ctx;
    bool interrupted = (it->state == QI_READY || it->state == QI_DELAYED) && it->prio >= PRIO_INTERRUPTED;
    if (interrupted != t->interrupted) return;
    struct key_state k = {.key = it->key, .prio = it->prio, .failures = it->failures};
    switch (it->state) {
    case QI_PROCESSING: k.kind = KEY_INFLIGHT; break;
    case QI_READY: k.kind = KEY_QUEUED; break;
    case QI_DELAYED:
        k.kind = it->at_ns <= t->now_ns ? KEY_QUEUED : KEY_DELAYED;
        if (k.kind == KEY_DELAYED) k.at_wall_ns = controller_after(t->wall_ns, it->at_ns - t->now_ns);
        break;
    case QI_IDLE: k.kind = KEY_FAILURES; break;
    }
    if (interrupted) {
        k.kind = KEY_INTERRUPTED;
        k.at_wall_ns = 0;
    }
    t->fn(t->ctx, &k);
}

static void tell_dead(void *ctx, const struct dead_letter *l) {
    const struct telling *t = ctx;
    struct key_state k = {.key = l->key,
                          .kind = KEY_DEAD,
                          .at_wall_ns = l->since_wall_ns,
                          .failures = l->failures,
                          .reason = l->reason};
    t->fn(t->ctx, &k);
}

void controller_snapshot(const struct controller *c, void (*fn)(void *ctx, const struct key_state *k),
                         void *ctx) {
    struct telling t = {.fn = fn,
                        .ctx = ctx,
                        .interrupted = true,
                        .now_ns = world_boot_ns(c->world),
                        .wall_ns = world_wall_ns(c->world)};
    queue_each(c->queue, tell_item, &t);
    t.interrupted = false;
    queue_each(c->queue, tell_item, &t);
    dead_each(c->dead, tell_dead, &t);
}

static void restore_add(struct controller *c, const struct key_state *k, int prio, int64_t delay_ns) {
    int64_t now = world_boot_ns(c->world);
    if (k->failures) queue_set_failures(c->queue, k->key, k->failures);
    queue_add(c->queue, k->key, prio, controller_after(now, delay_ns), now);
}

static int64_t delay_until(const struct controller *c, int64_t at_wall_ns) {
    int64_t now = world_wall_ns(c->world), delay;
    if (at_wall_ns <= now) return 0;
    if (__builtin_sub_overflow(at_wall_ns, now, &delay) || delay > RESTORED_DELAY_MAX_NS)
        return RESTORED_DELAY_MAX_NS;
    return delay;
}

void controller_restore(struct controller *c, const struct key_state *k) {
    switch (k->kind) {
    case KEY_INTERRUPTED:
    case KEY_INFLIGHT: restore_add(c, k, PRIO_INTERRUPTED, 0); break;
    case KEY_QUEUED: /* before what comes new, but a resync stays behind it */
        restore_add(c, k, k->prio < PRIO_NORMAL ? k->prio : PRIO_RESTORED, 0);
        break;
    case KEY_DELAYED: restore_add(c, k, PRIO_NORMAL, delay_until(c, k->at_wall_ns)); break;
    case KEY_FAILURES: queue_set_failures(c->queue, k->key, k->failures); break;
    case KEY_DEAD:
        if (k->key.n > QUEUE_KEY_MAX) break;
        controller_put_dead(c, k->key, k->reason, k->failures, k->at_wall_ns);
        break;
    }
    if (controller_running(c)) controller_kick(c);
}

void controller_dead_retry(struct controller *c, struct slice key) {
    if (!dead_has(c->dead, key)) return;
    queue_forget(c->queue, key);
    controller_add(c, key, PRIO_NORMAL, 0);
    dead_remove(c->dead, key); /* last: the key may be the letter's own */
}

void controller_dead_drop(struct controller *c, struct slice key) {
    dead_remove(c->dead, key);
}
