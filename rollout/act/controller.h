/* The rollout controller's inside, shared by rollout.c and pass.c. */
#ifndef ROLLOUT_IMPL_H
#define ROLLOUT_IMPL_H
#include "kube/events.h"
#include "kube/informer.h"
#include "rollout/rollout.h"
#include "act/scrape.h"
#include "act/target.h"

struct rollout {
    struct kube *kube;
    struct rollout_options opt;
    char *ns, *instance, *token_file;
    struct controller *controller;
    struct reconciler reconciler;
    struct kube_events *events;
    struct informer *deployments, *pods;
    struct target *targets;
    struct timer *revisit; /* targets that ended with a terminal error are looked at again now and then */
    world_fn on_synced;
    void *on_synced_ctx;
    char *trouble;
    struct scrape_slots slots;
    struct metric_family *scrapes; /* handover_scrapes_total{result} */
};
/* Tells a person once: an Event on the target and a log line. */
void rollout_tell(struct rollout *r, const struct target *t, const struct obs_target *about,
                  enum plan_reason reason, const char *message);
#endif
