/* What goes out in pieces, as fast as the client reads it: long lists, and the state that a watch begins with. */
#ifndef SIM_SENDER_H
#define SIM_SENDER_H
#include "rest/exchange.h"

struct sender {
    struct sim_exchange *x;
    /* Appends what comes next. False: that was all (appended or not), and end() is called once it has been
     * handed out. The sender may be closed in exchange_body(), but not in more(). */
    bool (*more)(struct sender *s, struct buf *out);
    void (*end)(struct sender *s);
    struct list paused; /* in sim.paused, while the client reads slowly */
    struct due due;     /* ... and when to look again, if nothing else happens */
};
void sender_init(struct sender *s, struct sim_exchange *x, bool (*more)(struct sender *s, struct buf *out),
                 void (*end)(struct sender *s));
/* Sends what the client takes now; the rest follows by itself. Once, after the head. */
void sender_run(struct sender *s);
void sender_close(struct sender *s);
void sender_resume(struct sim *s); /* those whose client has caught up */
#endif
