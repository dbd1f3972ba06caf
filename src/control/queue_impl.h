/* What the queue's files share: its node and its lists. Private.
 * Invariant: a node is in exactly one of band[] (READY), delayed (DELAYED), processing, and clean or
 * remembered (IDLE). */
#ifndef CONTROL_QUEUE_IMPL_H
#define CONTROL_QUEUE_IMPL_H
#include "base/heap.h"
#include "base/list.h"
#include "control/queue.h"
#include "ratelimit.h"

#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

enum { BANDS = QUEUE_PRIO_MAX - QUEUE_PRIO_MIN + 1, BAND_WORDS = BANDS / 64 };
#define NOT_DUE INT64_MIN

struct node {
    UT_hash_handle hh;
    struct list link;     /* in a band, processing, clean or remembered */
    struct heap_node due; /* in delayed */
    int64_t at_ns;        /* DELAYED: when. PROCESSING and again: when */
    int64_t since_ns;     /* READY: since when. PROCESSING: since when it had been */
    int64_t again_ns;     /* PROCESSING and again: since when it is due, NOT_DUE if it was added for later */
    uint64_t seq;         /* DELAYED: FIFO among those of the same instant */
    int16_t prio, again_prio;
    unsigned failures;
    uint8_t state, quick; /* quick: conflicts in a row */
    bool again;           /* PROCESSING: added meanwhile */
    uint16_t len;
    char key[];
};

struct queue {
    struct queue_limits lim;
    struct node *table;
    uint64_t hash_seed;
    struct list band[BANDS];   /* ready keys, a FIFO for each priority */
    uint64_t used[BAND_WORDS]; /* the bit of each band that is not empty */
    struct heap delayed;
    struct list processing, clean, remembered; /* the last two: idle keys, longest idle first */
    size_t nready, nprocessing, nclean, nremembered, nknown;
    uint64_t seq;
    struct bucket bucket;
    bool shutdown;
    uint64_t adds, retries, refused;
};

static inline struct node *queue_of_link(const struct list *l) {
    return container_of(l, struct node, link);
}
void queue_describe(const struct node *n, struct queue_item *ret);
struct node *queue_find(const struct queue *q, struct slice key); /* NULL if not known */
/* The key's node, made if it is new: then it is idle and in no list. NULL: no room. */
struct node *queue_intern(struct queue *q, struct slice key);
void queue_park(struct queue *q, struct node *n);   /* to the idle keys */
void queue_unpark(struct queue *q, struct node *n); /* out of them; no-op for one in no list */
void queue_drop_keys(struct queue *q);
#endif
