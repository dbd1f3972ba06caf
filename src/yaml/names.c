/* See names.h. */
#include "names.h"
#include "base/mem.h"
#include <stdint.h>

static struct name *place(const struct names *t, struct slice key) {
    size_t i = (size_t)slice_hash(key, 0) & (t->cap - 1);
    while (t->v[i].key.p && !slice_eq(t->v[i].key, key)) i = (i + 1) & (t->cap - 1);
    return &t->v[i];
}

struct name *names_of(struct names *t, struct slice key) {
    if (t->n * 2 >= t->cap) {
        struct names big = {.n = t->n, .cap = t->cap ? t->cap * 2 : 16};
        big.v = xcalloc(big.cap, sizeof *big.v);
        for (size_t i = 0; i < t->cap; i++) {
            if (t->v[i].key.p) *place(&big, t->v[i].key) = t->v[i];
        }
        free(t->v);
        *t = big;
    }
    struct name *e = place(t, key);
    if (e->key.p) return e;
    *e = (struct name){key, SIZE_MAX};
    t->n++;
    return e;
}

void names_free(struct names *t) {
    free(t->v);
    *t = (struct names){0};
}
