/* A skip list of objects by namespace and name. */
#include "store/index.h"
#include "store/store.h"
#include "base/slice.h"

int index_key_cmp(const char *ns1, const char *name1, const char *ns2, const char *name2) {
    int r = strcmp(ns1, ns2);
    return r ? r : strcmp(name1, name2);
}

static unsigned levels_of(const char *ns, const char *name) {
    uint64_t h = slice_hash(slice_of(name), slice_hash(slice_of(ns), 0));
    h = (h ^ (h >> 31)) * 0x9e3779b97f4a7c15ULL; /* FNV's low bits alone are not random enough */
    h ^= h >> 29;
    unsigned n = 1;
    while (n < INDEX_LEVELS && (h & 3) == 0) {
        n++;
        h >>= 2;
    }
    return n;
}

/* links[l]: the pointer at level l that leads to the first node not before the key (or, with after, behind
 * it). */
static void seek(const struct index *x, const char *ns, const char *name, bool after,
                 struct index_node ***links) {
    struct index_node *const *at = NULL; /* the array of next pointers that we stand on; NULL: the head */
    for (int l = INDEX_LEVELS - 1; l >= 0; l--) {
        struct index_node *const *row = at ? at : x->head;
        for (struct index_node *n = row[l]; n; n = row[l]) {
            int c = index_key_cmp(n->obj->ns, n->obj->name, ns, name);
            if (c > 0 || (c == 0 && !after)) break;
            at = n->next;
            row = n->next;
        }
        union {
            struct index_node *const *c;
            struct index_node **m;
        } u = {.c = &row[l]};
        links[l] = u.m;
    }
}

struct index_node *index_from(const struct index *x, const char *ns, const char *name, int at) {
    struct index_node **links[INDEX_LEVELS];
    seek(x, ns, name, !at, links);
    return *links[0];
}

struct index_node *index_find(const struct index *x, const char *ns, const char *name) {
    struct index_node *n = index_from(x, ns, name, 1);
    return n && index_key_cmp(n->obj->ns, n->obj->name, ns, name) == 0 ? n : NULL;
}

struct index_node *index_insert(struct index *x, struct sim_obj *o) {
    struct index_node **links[INDEX_LEVELS];
    seek(x, o->ns, o->name, false, links);
    unsigned levels = levels_of(o->ns, o->name);
    struct index_node *n = xmalloc(sizeof *n + levels * sizeof n->next[0]);
    n->obj = o;
    n->levels = levels;
    for (unsigned l = 0; l < levels; l++) {
        n->next[l] = *links[l];
        *links[l] = n;
    }
    x->n++;
    x->changes++;
    return n;
}

void index_remove(struct index *x, struct index_node *n) {
    struct index_node **links[INDEX_LEVELS];
    seek(x, n->obj->ns, n->obj->name, false, links);
    for (unsigned l = 0; l < n->levels; l++) {
        if (*links[l] == n) *links[l] = n->next[l];
    }
    free(n);
    x->n--;
    x->changes++;
}
