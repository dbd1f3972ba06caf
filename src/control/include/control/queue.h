/* The work queue, pure: keys, deduplicated, one worker per key at a time, priorities with FIFO inside,
 * delayed adds, per-key exponential backoff, a token bucket. Time (boot ns) and randomness are arguments. No
 * allocation for keys known. */
#ifndef CONTROL_QUEUE_H
#define CONTROL_QUEUE_H
#include "base/buf.h"
#include "base/rand.h"
#include "base/time.h"

/* Any number between QUEUE_PRIO_MIN and QUEUE_PRIO_MAX is a priority, the highest is served first; others are
 * clamped. */
enum {
    PRIO_LOW = -100 /* initial lists and resyncs */,
    PRIO_NORMAL = 0,
    PRIO_RESTORED = 50,
    PRIO_INTERRUPTED = 100
};
enum { QUEUE_PRIO_MIN = -128, QUEUE_PRIO_MAX = 127 };
enum { QUEUE_KEY_MAX = 1024 /* bytes; a longer key is refused */, QUEUE_QUICK_MAX = 8 };
struct queue_limits {
    int64_t base_ns, max_ns; /* backoff: base * 2^failures, at most max. 0: 5 ms, 1000 s */
    double jitter;           /* +/- share of the backoff, 0..1; default 0.1, negative: none */
    double rate, burst;      /* token bucket for queue_retry(): 10/s, 100. Negative rate: none */
    size_t max_keys;         /* 0: 1,000,000 */
    size_t max_idle; /* keys without work that stay known, and as many more for their failures; 0: 16,384 */
};
struct queue;
struct queue *queue_new(const struct queue_limits *lim); /* NULL: all defaults */
void queue_free(struct queue *q);
/* at_ns <= now: at once. The earliest time and the highest priority of a key win. False: shutting down or
 * full. */
bool queue_add(struct queue *q, struct slice key, int prio, int64_t at_ns, int64_t now_ns);
/* The next key that may be worked on; it is `processing` until queue_done(). False: none is ready now. The
 * slice is valid until then. */
bool queue_get(struct queue *q, int64_t now_ns, struct slice *ret_key);
void queue_done(struct queue *q, struct slice key, int64_t now_ns); /* queued again if added meanwhile */
/* Counts a failure and adds the key after its backoff, the bucket and at least min_delay_ns. Returns the
 * delay. Call it between queue_get() and queue_done(). The key keeps its priority, but no more than
 * PRIO_NORMAL: it had its turn. */
int64_t queue_retry(struct queue *q, struct slice key, int64_t min_delay_ns, int64_t now_ns, uint64_t rnd);
/* The same for a conflict, which is no failure: soon (base * 2^conflicts), without the bucket. Negative: that
 * was the QUEUE_QUICK_MAXth in a row, nothing was added; take it for a failure. */
int64_t queue_retry_quick(struct queue *q, struct slice key, int64_t now_ns, uint64_t rnd);
void queue_forget(struct queue *q, struct slice key); /* no failures any more */
unsigned queue_failures(const struct queue *q, struct slice key);
void queue_set_failures(struct queue *q, struct slice key, unsigned n); /* after a restore */
int64_t queue_next_ns(const struct queue *q); /* when the next delayed key becomes ready; TIME_NEVER */
size_t queue_ready(const struct queue *q, int64_t now_ns), queue_delayed(const struct queue *q),
    queue_processing(const struct queue *q);
void queue_shutdown(struct queue *q); /* adds are refused; gets go on until it is empty */
struct queue_item {
    struct slice key;
    enum { QI_PROCESSING, QI_READY, QI_DELAYED, QI_IDLE /* only failures are remembered */ } state;
    bool dirty; /* processing and added again */
    int prio;
    int64_t at_ns; /* delayed: when */
    unsigned failures;
    int64_t since_ns; /* ready: since when; processing: since when it had been ready */
};
/* In this order: processing by start, ready in the order of service, delayed by time, idle. fn must not touch
 * the queue. */
void queue_each(const struct queue *q, void (*fn)(void *ctx, const struct queue_item *it), void *ctx);
/* The first max of them at most, in a time that depends on max alone. Returns how many. */
size_t queue_first(const struct queue *q, size_t max, void (*fn)(void *ctx, const struct queue_item *it),
                   void *ctx);
size_t queue_unfinished(const struct queue *q); /* how many queue_each() tells */
/* As queue_get(), telling more of the key. */
bool queue_get_item(struct queue *q, int64_t now_ns, struct queue_item *ret);

/* As client-go counts: an add is a key that becomes ready (or is added again while processing), a retry is an
 * add for later. */
struct queue_stats {
    uint64_t adds, retries, refused;
    size_t known; /* keys held in memory */
};
void queue_stats(const struct queue *q, struct queue_stats *ret);
size_t queue_depth(const struct queue *q, int64_t now_ns); /* ready, or processing and added again */
#endif
