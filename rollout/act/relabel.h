/* Writes the labels of a batch of objects, several at once: a part of a reconcile, which ends with it. */
#ifndef ROLLOUT_RELABEL_H
#define ROLLOUT_RELABEL_H
#include "kube/client.h"
#include "observe/slice_object.h"

enum { RELABEL_BATCH = 64, RELABEL_AT_ONCE = 8 };
struct relabel;
struct relabel_cb {
    /* A label is written: the answer's object. */
    void (*written)(void *ctx, struct slice raw);
    /* Exactly once, never inside relabel_start(); then relabel_end(). err: the first one that is more than a conflict or an object that is
     * gone; the other objects were written all the same. any: at least one was. */
    void (*done)(void *ctx, const struct err *err, bool any);
};
struct relabel *relabel_new(struct kube *k, const struct gvr *gvr, const char *target_uid,
                            const struct relabel_cb *cb, void *ctx);
/* One more object; false: the batch is full. rv: what the decision rests on. */
bool relabel_add(struct relabel *b, const char *ns, const char *name, const char *uid, const char *rv,
                 enum slice_owner owner);
bool relabel_empty(const struct relabel *b);
void relabel_start(struct relabel *b); /* not empty */
/* No further write. True: done() follows, with the answers to those that may be at the server by now. False: relabel_end() may
 * follow at once. */
bool relabel_stop(struct relabel *b);
void relabel_end(struct relabel *b); /* frees it; cancels what is open; NULL is fine */
#endif
