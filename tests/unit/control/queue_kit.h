/* What the tests of the work queue share: one queue, keys by name. */
#ifndef TEST_QUEUE_KIT_H
#define TEST_QUEUE_KIT_H
#include "../case.h"
#include "base/mem.h"
#include "control/queue.h"

#define MS(n) ((n)*NS_PER_MS)
static const struct queue_limits plain = {.base_ns = NS_PER_MS, .jitter = -1, .rate = -1};

/* With a queue q of its own. */
#define QUEUE_CASE(name) CASE_OF(struct queue, q, queue_new(&plain), queue_free, name)

static inline bool add(struct queue *q, const char *key, int64_t now) {
    return queue_add(q, slice_of(key), PRIO_NORMAL, now, now);
}

static inline bool add_at(struct queue *q, const char *key, int64_t at, int64_t now) {
    return queue_add(q, slice_of(key), PRIO_NORMAL, at, now);
}

/* The next key has this name ("": there is none). */
static inline void gets(struct queue *q, int64_t now, const char *want) {
    struct slice key = SL("");
    bool got = queue_get(q, now, &key);
    assert_int_equal(got, *want != '\0');
    if (got) assert_true(slice_eqs(key, want));
}

static inline void done(struct queue *q, const char *key, int64_t now) {
    queue_done(q, slice_of(key), now);
}
#endif
