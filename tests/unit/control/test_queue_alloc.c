/* A key that is known costs no allocation. The linker puts the functions below in the place of malloc and its
 * like. */
#include "../case.h"
#include "control/queue.h"

void *__real_malloc(size_t n), *__real_calloc(size_t n, size_t size), *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n), *__wrap_calloc(size_t n, size_t size), *__wrap_realloc(void *p, size_t n);
static size_t calls;

void *__wrap_malloc(size_t n) {
    return calls++, __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size) {
    return calls++, __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n) {
    return calls++, __real_realloc(p, n);
}

enum { KEYS = 5000 };
static char keys[KEYS][16];

/* Every key through every state. */
static void round_of(struct queue *q, int64_t now) {
    struct slice key;
    for (size_t i = 0; i < KEYS; i++) {
        queue_add(q, slice_of(keys[i]), i % 3 ? PRIO_LOW : PRIO_NORMAL, now + (i % 2 ? 50 : 0), now);
        queue_add(q, slice_of(keys[i]), PRIO_NORMAL, now + 20, now);
    }
    for (size_t i = 0; queue_get(q, now + 100, &key); i++) {
        if (i % 7 == 0) queue_add(q, key, PRIO_NORMAL, now, now + 100);
        if (i % 5 == 0) queue_retry(q, key, 0, now + 100, i);
        if (i % 5 != 0) queue_forget(q, key);
        queue_done(q, key, now + 100);
        if (i > 3 * KEYS) break;
    }
    while (queue_next_ns(q) != TIME_NEVER && queue_get(q, now + NS_PER_S, &key))
        queue_done(q, key, now + NS_PER_S);
}

CASE(known_keys_allocate_nothing) {
    struct queue *q = queue_new(&(struct queue_limits){.base_ns = 100, .max_ns = 1000, .rate = -1});
    for (int i = 0; i < KEYS; i++) snprintf(keys[i], sizeof keys[i], "ns/name-%d", i);
    round_of(q, 0);
    size_t before = calls;
    assert_true(before > KEYS); /* they are counted */
    for (int64_t r = 1; r < 5; r++) round_of(q, r * 10 * NS_PER_S);
    assert_int_equal(calls, before);
    queue_free(q);
}

CASES("control/queue_alloc")
