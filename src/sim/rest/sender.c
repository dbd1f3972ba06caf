/* Pieces for a client that may read slowly. */
#include "rest/sender.h"

enum { PIECE = 64 << 10, UNSENT_MAX = 4 << 20 };
#define PAUSE_NS (2 * NS_PER_MS)

static void pause(struct sender *s) {
    list_push(&s->x->s->paused, &s->paused);
    sim_due_at(s->x->s, &s->due, s->x->s->now + PAUSE_NS);
}

void sender_run(struct sender *s) {
    struct sim_exchange *x = s->x;
    struct buf b = BUF(SIZE_MAX - 1);
    /* s is gone once x is over; x itself is there until the call into the sim ends. */
    for (bool on = true; on && !x->over;) {
        if (exchange_unsent(x) > UNSENT_MAX) {
            pause(s);
            break;
        }
        while (on && b.n < PIECE) on = s->more(s, &b);
        exchange_body(x, buf_slice(&b));
        buf_clear(&b);
        if (!on && !x->over) s->end(s);
    }
    buf_free(&b);
}

static void go_on(struct sender *s) {
    sim_due_cancel(s->x->s, &s->due);
    list_remove(&s->paused);
    sender_run(s);
}

static void on_due(struct sim *s, struct due *d) {
    (void)s;
    go_on(container_of(d, struct sender, due));
}

void sender_resume(struct sim *s) {
    struct list ready;
    list_init(&ready);
    list_each_safe(it, tmp, &s->paused) {
        struct sender *one = container_of(it, struct sender, paused);
        if (exchange_unsent(one->x) > UNSENT_MAX) continue;
        list_remove(&one->paused);
        list_push(&ready, &one->paused);
    }
    while (!list_empty(&ready)) go_on(container_of(ready.next, struct sender, paused));
}

void sender_init(struct sender *s, struct sim_exchange *x, bool (*more)(struct sender *s, struct buf *out),
                 void (*end)(struct sender *s)) {
    *s = (struct sender){.x = x, .more = more, .end = end, .due = {.fn = on_due}};
    list_init(&s->paused);
}

void sender_close(struct sender *s) {
    sim_due_cancel(s->x->s, &s->due);
    list_remove(&s->paused);
}
