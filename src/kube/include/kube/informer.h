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
    const char *name;            /* for logs and metrics; informers of the same name share their series */
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
void informer_free(struct informer *inf); /* stops; no callback after it; allowed in callbacks */
/* The server's answer to a write of ours: the store has it at once, without waiting for the watch; change() is
 * called as for a watched event (initial: false). An answer older than the record, or than what the watch has
 * brought, is ignored. raw: the whole object, of this informer's kind and namespace, that matches its
 * selectors. Refused with -EINVAL: an object of another kind or namespace; by an informer of metadata only, what is no
 * PartialObjectMetadata. Not from within change(). */
int informer_wrote(struct informer *inf, struct slice raw, struct err *err);
/* Our delete was executed: the record with this uid goes, and earlier versions of the object do not come back.
 * An object that a finalizer or a grace period holds comes back, or stays, until its DELETED event. Not from within change(). */
void informer_deleted(struct informer *inf, struct slice ns, struct slice name, struct slice uid);
bool informer_synced(const struct informer *inf);
const struct store *informer_store(const struct informer *inf);
int64_t informer_seen_ns(
    const struct informer *inf); /* boot time of the last byte from the server, 0 if none: is it alive? */
#endif
