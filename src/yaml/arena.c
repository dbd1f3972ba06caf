/* See arena.h. */
#include "arena.h"
#include "base/mem.h"
#include <stddef.h>

enum { CHUNK = 64 << 10 };

struct chunk {
    struct list node;
    size_t size;
    max_align_t data[];
};

void arena_init(struct arena *a) {
    list_init(&a->chunks);
    a->used = 0;
}

void arena_free(struct arena *a) {
    list_each_safe(it, next, &a->chunks) free(container_of(it, struct chunk, node));
    arena_init(a);
}

void *arena_alloc(struct arena *a, size_t n) {
    n = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct chunk *last = list_empty(&a->chunks) ? NULL : container_of(a->chunks.prev, struct chunk, node);
    if (!last || last->size - a->used < n) {
        size_t size = n > CHUNK ? n : CHUNK;
        last = xcalloc(1, sizeof *last + size);
        last->size = size;
        list_push(&a->chunks, &last->node);
        a->used = 0;
    }
    void *p = (char *)last->data + a->used;
    a->used += n;
    return p;
}

struct slice arena_copy(struct arena *a, struct slice s) {
    char *p = arena_alloc(a, s.n + 1);
    if (s.n) memcpy(p, s.p, s.n);
    return slice_make(p, s.n);
}
