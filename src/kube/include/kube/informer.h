/* List and watch of one resource into a store, with change callbacks. */
#ifndef KUBE_INFORMER_H
#define KUBE_INFORMER_H
#include "kube/client.h"
#include "kube/store.h"

struct informer;
struct informer_spec {
    const struct gvr *gvr;
    struct slice ns;             /* empty: all namespaces */
    struct slice labels, fields; /* selectors */
    bool metadata_only;          /* PartialObjectMetadata */
    struct store_spec store;     /* what is kept of each object, and the indexes */
    size_t max_objects;          /* 0: 1,000,000; more: reported, the rest is not kept */
    const char *name;            /* for logs and metrics */
};
struct informer_cb {
    /* old NULL: added; now NULL: deleted. Records of the store (see kube/store.h), valid during the callback;
     * old is as it was. initial: part of a list rather than a change that was watched. */
    void (*change)(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial);
    void (*synced)(void *ctx); /* the first list is in the store; once; may be NULL */
    void (*trouble)(void *ctx,
                    const struct err *err); /* list or watch failed and will be tried again; may be NULL */
};
int informer_new(struct kube *k, const struct informer_spec *spec, const struct informer_cb *cb, void *ctx,
                 struct informer **ret, struct err *err);
void informer_start(struct informer *inf);
void informer_free(struct informer *inf); /* stops; no callback after it */
bool informer_synced(const struct informer *inf);
const struct store *informer_store(const struct informer *inf);
int64_t informer_seen_ns(
    const struct informer *inf); /* boot time of the last byte from the server, 0 if none: is it alive? */
#endif
