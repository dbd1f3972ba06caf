/* What the tests of the work queue share: one queue, and steps that are played at it. */
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

/* A line of steps, with a blank between; times are in ns, and begin at 0:
 *   50           it is 50 from here on
 *   +a !a        a is added, or refused; +a@70: for the time 70; +a^7: with priority 7
 *   >a >         the next key is a, or there is none; >a@70: it had been ready since 70
 *   /a ~a        a is done; its retry
 *   *a=3 ?a=3    a has failed three times: set, asked for
 *   shutdown     and names of numbers, as ready=2 (next=-1: never) */
static inline bool step(struct queue *q, struct slice word, int64_t *now) {
    struct slice head, value, key, at, prio, got = SL("");
    struct queue_item item = {0};
    struct queue_stats st;
    int64_t n = 0, ready_at = *now, p = PRIO_NORMAL;
    slice_cut(word, '=', &head, &value);
    slice_cut(slice_make(head.p + 1, head.n - 1), '@', &key, &at);
    slice_cut(key, '^', &key, &prio);
    if ((value.n && slice_i64(value, &n) < 0) || (at.n && slice_i64(at, &ready_at) < 0) ||
        (prio.n && slice_i64(prio, &p) < 0))
        return false;
    switch (word.p[0]) {
    case '+':
    case '!': return queue_add(q, key, (int)p, ready_at, *now) == (word.p[0] == '+');
    case '>':
        if (at.n)
            return queue_get_item(q, *now, &item) && slice_eq(item.key, key) && item.since_ns == ready_at;
        return queue_get(q, *now, &got) == (key.n > 0) && slice_eq(got, key);
    case '/': queue_done(q, key, *now); return true;
    case '~': queue_retry(q, key, 0, *now, 0); return true;
    case '*': queue_set_failures(q, key, (unsigned)n); return true;
    case '?': return queue_failures(q, key) == n;
    }
    if (slice_i64(word, now) == 0) return true;
    if (slice_eqs(word, "shutdown")) return queue_shutdown(q), true;
    queue_stats(q, &st);
    const struct {
        const char *name;
        uint64_t is;
    } numbers[] = {{"ready", queue_ready(q, *now)},
                   {"depth", queue_depth(q, *now)},
                   {"delayed", queue_delayed(q)},
                   {"processing", queue_processing(q)},
                   {"next", queue_next_ns(q) == TIME_NEVER ? UINT64_MAX : (uint64_t)queue_next_ns(q)},
                   {"adds", st.adds},
                   {"retries", st.retries},
                   {"refused", st.refused}};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (slice_eqs(head, numbers[i].name)) return numbers[i].is == (uint64_t)n;
    return false;
}

static inline void play(struct queue *q, const char *steps) {
    int64_t now = 0;
    struct slice word, rest = slice_of(steps);
    while (rest.n) {
        slice_cut(rest, ' ', &word, &rest);
        if (!step(q, word, &now)) fail_msg("\"%.*s\" of \"%s\"", SLF(word), steps);
    }
}

struct played {
    const char *what, *steps;
};
/* Each with a queue of its own. */
static inline void play_all(const struct played *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct queue *q = queue_new(&plain);
        print_message("%s\n", p[i].what); /* the last one printed is the one that fails */
        play(q, p[i].steps);
        queue_free(q);
    }
}
#endif
