/* An intrusive binary heap of pointers: O(log n) insert, remove of any element, and update. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H
#include <stdbool.h>
#include <stddef.h>

struct heap_node {
    size_t pos; /* 1-based place in the heap, 0 when in none */
};
struct heap {
    struct heap_node **v;
    size_t n, cap;
    bool (*before)(const struct heap_node *a, const struct heap_node *b); /* strict order */
};
void heap_init(struct heap *h, bool (*before)(const struct heap_node *, const struct heap_node *));
void heap_free(struct heap *h); /* not the nodes */
void heap_insert(struct heap *h, struct heap_node *node);
void heap_remove(struct heap *h, struct heap_node *node); /* no-op when not in the heap */
void heap_update(struct heap *h, struct heap_node *node); /* its order has changed */
static inline struct heap_node *heap_min(const struct heap *h) {
    return h->n ? h->v[0] : NULL;
}
#endif
