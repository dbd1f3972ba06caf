/* A list that is handed out item by item while it arrives: pages, a bounded piece of work in a turn of the loop,
 * caps on bytes and items. Nothing of it is kept here. */
#ifndef KUBE_LIST_H
#define KUBE_LIST_H
#include "kube/client.h"

struct kube_list_spec {
    const struct gvr *gvr;
    struct slice ns;             /* empty: all namespaces */
    struct slice labels, fields; /* selectors */
    bool metadata_only;          /* PartialObjectMetadata */
    bool from_cache;             /* as the server's cache has it (resourceVersion 0), which may be old */
    int64_t timeout_ns;          /* for all pages and attempts; 0: 120 s */
    size_t max_bytes;            /* in all; 0: 256 MiB; more ends the list with an error that says so */
    size_t max_items;            /* the same; 0: 100,000 */
    bool no_retry;               /* one attempt only: the caller decides */
};
struct kube_list_cb {
    /* raw: the object's text, *obj: its tree, without managedFields. Both are valid during the call; a tree may be
     * kept by setting *obj to NULL. Negative with err: the list ends with that err. May cancel the list. */
    int (*item)(void *ctx, struct slice raw, cJSON **obj, struct err *err);
    /* What item() was given does not count: the list is read anew from its first item. */
    void (*restart)(void *ctx);
    /* Once, last. err NULL: the list was whole; rv: its resourceVersion, else "". */
    void (*done)(void *ctx, const struct err *err, const char *rv);
};
struct kube_list;
/* Never a callback inside this call. Tries again what is worth it, as kube_call() does. */
struct kube_list *kube_list(struct kube *k, const struct kube_list_spec *spec, const struct kube_list_cb *cb,
                            void *ctx);
void kube_list_cancel(
    struct kube_list *l); /* no callback after it; invalid once done() was called; NULL is fine */
#endif
