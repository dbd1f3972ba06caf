/* The memory of one document. */
#ifndef YAML_ARENA_H
#define YAML_ARENA_H
#include "base/list.h"
#include "base/slice.h"

struct arena {
    struct list chunks;
    size_t used; /* of the last chunk */
};
void arena_init(struct arena *a);
void arena_free(struct arena *a);
void *arena_alloc(struct arena *a, size_t n); /* zeroed */
struct slice arena_copy(struct arena *a, struct slice s);
#endif
