/* The parts of an informer: informer.c asks and listens, informer_objects.c reads what has arrived. */
#ifndef KUBE_INFORMER_IMPL_H
#define KUBE_INFORMER_IMPL_H
#include "item_stream.h"
#include "kube/informer.h"
#include "kube/reflector.h"
#include "log_dedup.h"

struct informer {
    struct kube *k;
    struct informer_spec spec; /* its slices point at copies */
    struct informer_cb cb;
    void *ctx;
    char *name, *ns, *labels, *fields;
    struct store *store;
    struct reflector reflector;
    enum reflector_what doing;
    struct item_stream *stream;
    struct timer *timer; /* of a wait; of a stream that is given up */
    struct buf scratch;  /* an object without the fields that nobody reads */
    char *target, *what;
    bool started, synced, initial, freed, full, changing;
    unsigned depth; /* of callbacks, in which we may be freed */
    int64_t seen_ns, list_began_ns, relist_ns;
    int64_t idle_ns; /* for which a stream may be silent now */
    size_t dropped;  /* by the last list and since, for want of room */
    struct log_dedup reported;
    struct metric *objects, *fulls, *added, *updated, *deleted, *bookmarks, *list_seconds;
    struct metric_family *restarts;
    double counted; /* our part of the gauge objects */
};

/* Everything that may call the user stands between the two; what follows leave() must look at its result. */
void informer_enter(struct informer *inf);
bool informer_leave(struct informer *inf);

/* One item of a list, one event of a watch, or one of a streaming list. May call the user. Negative with err: reading
 * has to end. */
int informer_listed(struct informer *inf, struct slice text, struct err *err);
int informer_event(struct informer *inf, struct slice text, struct err *err);
int informer_initial(struct informer *inf, struct slice text, struct err *err);
void informer_marked(struct informer *inf, const char *rv);  /* by informer_initial(): that was all */
void informer_broken(struct informer *inf, const char *why); /* an event that cannot be read */
void informer_changed(void *ctx, const struct store_rec *old,
                      const struct store_rec *now); /* a store_change */
void informer_count(struct informer *inf);
void informer_set_full(struct informer *inf, bool full);
void informer_behind(struct informer *inf, const char *listed);
void informer_suspect(struct informer *inf, const char *reason); /* gives up the watch for a probe */
void informer_relist_soon(struct informer *inf);

void informer_report(struct informer *inf, const struct err *err); /* trouble */
void informer_works(struct informer *inf);                         /* it is over */
void informer_restarted(struct informer *inf, const char *reason);
#endif
