/* Which client reads a page next, and which read has to give way: a fair share of the slots for each namespace, and within it
 * for each target. A read that timed out before (suspect) gets half of the slots at most. Pure: time is an argument. */
#ifndef ROLLOUT_SCRAPE_SLOTS_H
#define ROLLOUT_SCRAPE_SLOTS_H
#include "base/list.h"
#include "base/time.h"

#define SCRAPE_QUANTUM_NS NS_PER_S /* a read keeps its slot for so long, whatever waits */

/* Of a namespace, of a target. A turn costs as much time as its slot was held: the tag is the time up to which its turns
 * are paid for, and the lowest one is next. */
struct slot_share {
    unsigned held;
    int64_t tag_ns, cost_ns; /* cost: what a turn took lately, expected of those that it has now */
};
struct slot_client { /* a target */
    struct slot_share *ns, own;
    struct list waiting; /* in slots.waiting */
    bool fresh, suspect; /* it has pods of this kind to ask */
};
struct slot_use { /* a read in the air */
    struct slot_client *client;
    struct list node; /* in slots.used, the oldest first */
    int64_t since_ns;
    bool suspect;
};
struct scrape_slots {
    unsigned max, held, suspects;
    struct list waiting, used;
};
void scrape_slots_init(struct scrape_slots *s, unsigned max);
void scrape_slots_client(struct slot_client *c, struct slot_share *ns);
/* Sets what the client waits for; neither: it waits no more. */
void scrape_slots_wait(struct scrape_slots *s, struct slot_client *c, bool fresh, bool suspect,
                       int64_t now_ns);
/* The client whose turn it is, and which kind; NULL: none. ret_victim: this read must be given up first, or NULL.
 * Without a turn, ret_again_ns is when to look again (boot time), or TIME_NEVER: when something ends. */
struct slot_client *scrape_slots_next(struct scrape_slots *s, int64_t now_ns, bool *ret_suspect,
                                      struct slot_use **ret_victim, int64_t *ret_again_ns);
void scrape_slots_take(struct scrape_slots *s, struct slot_use *u, struct slot_client *c, bool suspect,
                       int64_t now_ns);
void scrape_slots_give(struct scrape_slots *s, struct slot_use *u, int64_t now_ns);
#endif
