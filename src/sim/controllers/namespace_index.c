/* The controllers' index of a namespace, so that adoption looks only at orphans and waking only at possible
 * owners. */
#include "controllers/namespace_index.h"
#include <uthash.h>

struct ctl_ns {
    char *name;
    struct list all[CK_COUNT], orphans[CK_COUNT];
    UT_hash_handle hh;
};

struct ctl_ns *namespace_index_of(struct ctl *c, const char *name) {
    struct ctl_ns *n;
    HASH_FIND_STR(c->ns, name, n);
    if (n) return n;
    n = xcalloc(1, sizeof *n);
    n->name = xstrdup(name);
    for (size_t i = 0; i < CK_COUNT; i++) {
        list_init(&n->all[i]);
        list_init(&n->orphans[i]);
    }
    HASH_ADD_KEYPTR(hh, c->ns, n->name, strlen(n->name), n);
    return n;
}

void namespace_index_free(struct ctl *c) {
    struct ctl_ns *n = c->ns;
    HASH_CLEAR(hh, c->ns); /* the table; the entries still know their next */
    while (n) {
        struct ctl_ns *next = n->hh.next;
        free(n->name);
        free(n);
        n = next;
    }
}

struct list *namespace_index_all(struct ctl_ns *n, enum ctl_kind kind) {
    return &n->all[kind];
}

struct list *namespace_index_orphans(struct ctl_ns *n, enum ctl_kind kind) {
    return &n->orphans[kind];
}

void ctl_each(struct ctl *c, const char *ns, enum ctl_kind kind, void (*fn)(void *ctx, struct ctl_obj *co),
              void *ctx) {
    list_each_safe(it, tmp, namespace_index_all(namespace_index_of(c, ns), kind))
        fn(ctx, container_of(it, struct ctl_obj, in_ns));
}

void ctl_each_orphan(struct ctl *c, const char *ns, enum ctl_kind kind,
                     void (*fn)(void *ctx, struct ctl_obj *co), void *ctx) {
    list_each_safe(it, tmp, namespace_index_orphans(namespace_index_of(c, ns), kind))
        fn(ctx, container_of(it, struct ctl_obj, orphan));
}
