/* The rounds of scrapes of one target, in the background (scrape.h): they hold no worker, and the target is reconciled
 * again when one has ended. The reconcile then takes the result: evidence into the state, and whether the canary is
 * quiet. */
#ifndef ROLLOUT_ROUND_H
#define ROLLOUT_ROUND_H
#include "act/controller.h"

struct round;
/* Starts a round, unless one is running or none is due. The Pods are copied. */
void round_start(struct rollout *r, struct target *t, const struct spec *spec, const struct obs_pod *pods,
                 size_t n);
/* In a reconcile: what an ended round has found goes into the target. pods: as they are now; reads of those that are
 * going away end at once. */
void round_take(struct rollout *r, struct target *t, const struct obs_pod *pods, size_t n);
/* ns until a round or a look for a quiet moment is due; TIME_NEVER: none is wanted, or the end of the one that runs
 * reconciles by itself. */
int64_t round_due_in(const struct rollout *r, const struct target *t);
void round_drop(struct target *t); /* as if there had never been one */
#endif
