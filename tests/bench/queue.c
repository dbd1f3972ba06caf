/* What an add, get and done of a known key cost; the peer is tests/bench/queue_peer. Prints "NAME VALUE
 * UNIT". The best of many short tries counts: the others measure what else the machine is doing. */
#include "base/mem.h"
#include "control/queue.h"
#include <stdio.h>
#include <time.h>

enum { KEYS = 1000, ROUNDS = 50, TRIES = 100 };

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void turn(struct queue *q, int64_t at) {
    struct slice key;
    if (!queue_get(q, at, &key)) abort();
    queue_done(q, key, at);
}

/* One key at a time, as in a quiet operator. */
static void one_by_one(struct queue *q, char (*keys)[32]) {
    for (int64_t r = 0; r < ROUNDS; r++) {
        for (size_t i = 0; i < KEYS; i++) {
            queue_add(q, slice_of(keys[i]), PRIO_NORMAL, r, r);
            turn(q, r);
        }
    }
}

/* All keys at once, as after a list. */
static void batch(struct queue *q, char (*keys)[32]) {
    for (int64_t r = 0; r < ROUNDS; r++) {
        for (size_t i = 0; i < KEYS; i++) queue_add(q, slice_of(keys[i]), PRIO_NORMAL, r, r);
        for (size_t i = 0; i < KEYS; i++) turn(q, r);
    }
}

/* Each key for later, in a scattered order, and then all of them in the order of their times. */
static void delayed(struct queue *q, char (*keys)[32]) {
    static int64_t clock_ns;
    for (int64_t r = 0; r < ROUNDS; r++, clock_ns += 2 * KEYS) {
        for (size_t i = 0; i < KEYS; i++)
            queue_add(q, slice_of(keys[i]), PRIO_NORMAL, clock_ns + 1 + (int64_t)(i * 7919 % KEYS), clock_ns);
        for (size_t i = 0; i < KEYS; i++) turn(q, clock_ns + KEYS);
    }
}

static double measure(void (*run)(struct queue *, char (*)[32]), char (*keys)[32]) {
    int64_t best = INT64_MAX;
    struct queue *q = queue_new(NULL);
    for (int t = 0; t < TRIES; t++) {
        int64_t start = now();
        run(q, keys);
        int64_t took = now() - start;
        if (took < best) best = took;
    }
    queue_free(q);
    return (double)best / (KEYS * ROUNDS);
}

int main(void) {
    static char keys[KEYS][32];
    for (int i = 0; i < KEYS; i++) snprintf(keys[i], sizeof keys[i], "default/widget-%05d", i);
    printf("queue_add_get_done_ns %.1f ns\n", measure(one_by_one, keys));
    printf("queue_batch_add_get_done_ns %.1f ns\n", measure(batch, keys));
    printf("queue_delayed_add_get_done_ns %.1f ns\n", measure(delayed, keys));
    return 0;
}
