/* The rollout controller's inside, shared by the files of act/. */
#ifndef ROLLOUT_IMPL_H
#define ROLLOUT_IMPL_H
#include "kube/events.h"
#include "observe/caches.h"
#include "observe/foreign_leases.h"
#include "observe/policy_watch.h"
#include "rollout/rollout.h"
#include "act/check.h"
#include "act/rehearsal.h"
#include "act/scrape.h"
#include "act/target.h"

struct rollout {
    struct kube *kube;
    struct rollout_options opt;
    char *ns, *instance;
    struct controller *controller;
    struct reconciler reconciler;
    struct kube_events *events;
    struct caches *caches;
    struct slice_caches *slices;
    struct foreign_leases *leases;
    struct policy_watch *policy;
    struct target *targets;
    struct timer *revisit; /* targets that ended with a terminal error are looked at again now and then */
    world_fn on_synced;
    void *on_synced_ctx;
    int64_t changes_since_ns; /* wall: rollout_changes_since() */
    struct scraper *scraper;
    struct checks *checks;
    struct rehearsals *rehearsals;
    bool stopping;
    enum rollout_part part;
    char *trial_fault; /* NULL: none */
    bool trial_cut;
    char *guardian;
};
/* An Event on the target and a log line. uid: of the Deployment; NULL: it does not exist, no Event. related: NULL for none. */
void rollout_report(struct rollout *r, const struct target *t, const char *uid,
                    const struct event_ref *related, enum plan_reason reason, const char *message);
void rollout_forget(struct rollout *r, struct target *t); /* not while a reconcile is in flight */
/* act/changes.c: tells the changes of a state that is written which were not told before; the first time those since
 * changes_since_ns. */
void rollout_tell_changes(const struct rollout *r, struct target *t, const struct state *s);
#endif
