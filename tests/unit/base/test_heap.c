/* The heap against a naive model: random schedules of insert, remove, update and taking the least. */
#include "../case.h"
#include "base/heap.h"
#include "base/mem.h"
#include "base/rand.h"

enum { NODES = 40, STEPS = 300, SCHEDULES = 3000 };

struct item {
    struct heap_node node;
    int rank, id;
};

static const struct item *item_of(const struct heap_node *n) {
    return (const struct item *)(const void *)((const char *)n - offsetof(struct item, node));
}

static bool before(const struct heap_node *a, const struct heap_node *b) {
    const struct item *x = item_of(a), *y = item_of(b);
    return x->rank != y->rank ? x->rank < y->rank : x->id < y->id;
}

static const struct item *least(const struct item *v) {
    const struct item *best = NULL;
    for (int i = 0; i < NODES; i++) {
        if (v[i].node.pos && (!best || before(&v[i].node, &best->node))) best = &v[i];
    }
    return best;
}

static void one_schedule(uint64_t seed) {
    struct rng r = {seed};
    struct item v[NODES];
    struct heap h;
    size_t n = 0;
    heap_init(&h, before);
    for (int i = 0; i < NODES; i++) v[i] = (struct item){.id = i};
    for (int step = 0; step < STEPS; step++) {
        struct item *it = &v[rng_below(&r, NODES)];
        switch (rng_below(&r, 4)) {
        case 0:
        case 1:
            if (it->node.pos) break;
            it->rank = (int)rng_below(&r, 10);
            heap_insert(&h, &it->node);
            n++;
            break;
        case 2:
            n -= it->node.pos != 0;
            heap_remove(&h, &it->node); /* also of one that is not in it */
            assert_int_equal(it->node.pos, 0);
            break;
        default:
            it->rank = (int)rng_below(&r, 10);
            heap_update(&h, &it->node);
            break;
        }
        const struct item *want = least(v);
        if (heap_min(&h) != (want ? &want->node : NULL) || h.n != n)
            fail_msg("seed %llu step %d", (unsigned long long)seed, step);
    }
    for (const struct item *want; (want = least(v)); n--) {
        if (heap_min(&h) != &want->node) fail_msg("seed %llu while emptying", (unsigned long long)seed);
        heap_remove(&h, heap_min(&h));
    }
    assert_int_equal(h.n, 0);
    heap_free(&h);
}

CASE(random_schedules) {
    for (uint64_t seed = 1; seed <= SCHEDULES; seed++) one_schedule(seed);
}

CASE(free_lets_nodes_go) {
    struct item a = {.id = 1};
    struct heap h;
    heap_init(&h, before);
    assert_null(heap_min(&h));
    heap_insert(&h, &a.node);
    heap_free(&h);
    assert_int_equal(a.node.pos, 0);
    heap_insert(&h, &a.node); /* and may be used again */
    assert_ptr_equal(heap_min(&h), &a.node);
    heap_free(&h);
    heap_free(NULL);
}

CASES("base/heap")
