/* The controller's part of the checkpoint: everything unfinished, in the order in which a successor should
 * take it. */
#include "controller_impl.h"

/* A checkpoint was written by another machine with another clock: a restored key is reconciled within this,
 * whatever its time says. */
#define RESTORED_DELAY_MAX_NS (3600 * NS_PER_S)

enum round { ROUND_ALL, ROUND_INTERRUPTED, ROUND_REST };
struct visit {
    void (*fn)(void *ctx, const struct key_state *k);
    void *ctx;
    enum round round;
    int64_t now_ns, wall_ns;
};

static void visit_item(void *ctx, const struct queue_item *it) {
    const struct visit *t = ctx;
    bool interrupted = (it->state == QI_READY || it->state == QI_DELAYED) && it->prio >= PRIO_INTERRUPTED;
    if (t->round != ROUND_ALL && interrupted != (t->round == ROUND_INTERRUPTED)) return;
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

static void visit_dead_letter(void *ctx, const struct dead_letter *l) {
    const struct visit *t = ctx;
    struct key_state k = {.key = l->key,
                          .kind = KEY_DEAD,
                          .at_wall_ns = l->since_wall_ns,
                          .failures = l->failures,
                          .reason = l->reason};
    t->fn(t->ctx, &k);
}

static struct visit visit_of(const struct controller *c, enum round round,
                             void (*fn)(void *ctx, const struct key_state *k), void *ctx) {
    return (struct visit){.fn = fn,
                          .ctx = ctx,
                          .round = round,
                          .now_ns = world_boot_ns(c->world),
                          .wall_ns = world_wall_ns(c->world)};
}

void controller_snapshot(const struct controller *c, void (*fn)(void *ctx, const struct key_state *k),
                         void *ctx) {
    struct visit t = visit_of(c, ROUND_INTERRUPTED, fn, ctx);
    queue_each(c->queue, visit_item, &t);
    t.round = ROUND_REST;
    queue_each(c->queue, visit_item, &t);
    dead_letters_each(c->dead_letters, visit_dead_letter, &t);
}

size_t controller_snapshot_first(const struct controller *c, size_t max,
                                 void (*fn)(void *ctx, const struct key_state *k), void *ctx) {
    struct visit t = visit_of(c, ROUND_ALL, fn, ctx);
    size_t n = queue_first(c->queue, max, visit_item, &t);
    dead_letters_each(c->dead_letters, visit_dead_letter, &t);
    return queue_unfinished(c->queue) - n;
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
        controller_put_dead_letter(c, k->key, k->reason, k->failures, k->at_wall_ns);
        break;
    }
    if (controller_running(c)) controller_kick(c);
}

void controller_dead_retry(struct controller *c, struct slice key) {
    if (!dead_letters_has(c->dead_letters, key)) return;
    queue_forget(c->queue, key);
    controller_add(c, key, PRIO_NORMAL, 0);
    dead_letters_remove(c->dead_letters, key); /* last: the key may be the letter's own */
}

void controller_dead_drop(struct controller *c, struct slice key) {
    dead_letters_remove(c->dead_letters, key);
}
