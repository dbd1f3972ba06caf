/* An intrusive binary heap. Invariant: v[i]->pos == i + 1, and no element is before its parent (i - 1) / 2.
 */
#include "base/heap.h"
#include "base/mem.h"

void heap_init(struct heap *h, bool (*before)(const struct heap_node *, const struct heap_node *)) {
    *h = (struct heap){.before = before};
}

void heap_free(struct heap *h) {
    if (!h) return;
    for (size_t i = 0; i < h->n; i++) h->v[i]->pos = 0;
    free(h->v);
    *h = (struct heap){.before = h->before};
}

static void place(struct heap *h, size_t i, struct heap_node *node) {
    h->v[i] = node;
    node->pos = i + 1;
}

static size_t up(struct heap *h, size_t i, struct heap_node *node) {
    while (i > 0 && h->before(node, h->v[(i - 1) / 2])) {
        place(h, i, h->v[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(h, i, node);
    return i;
}

static void down(struct heap *h, size_t i, struct heap_node *node) {
    for (;;) {
        size_t kid = 2 * i + 1;
        if (kid >= h->n) break;
        if (kid + 1 < h->n && h->before(h->v[kid + 1], h->v[kid])) kid++;
        if (!h->before(h->v[kid], node)) break;
        place(h, i, h->v[kid]);
        i = kid;
    }
    place(h, i, node);
}

void heap_insert(struct heap *h, struct heap_node *node) {
    h->v = xgrow(h->v, &h->cap, h->n + 1, sizeof(struct heap_node *));
    h->n++;
    up(h, h->n - 1, node);
}

void heap_update(struct heap *h, struct heap_node *node) {
    if (!node->pos) return;
    down(h, up(h, node->pos - 1, node), node);
}

void heap_remove(struct heap *h, struct heap_node *node) {
    if (!node->pos) return;
    size_t i = node->pos - 1;
    struct heap_node *last = h->v[--h->n];
    node->pos = 0;
    if (last == node) return;
    down(h, up(h, i, last), last);
}
