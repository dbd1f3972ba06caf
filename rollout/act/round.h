/* A round of scrapes of one target, in the background: it holds no worker, and its target is reconciled again when it has
 * ended. The reconcile then takes the result: evidence into the state, and whether the canary is quiet. */
#ifndef ROLLOUT_ROUND_H
#define ROLLOUT_ROUND_H
#include "act/controller.h"

struct round;
/* Starts a round unless one is under way or waits to be taken. The Pods are copied. */
void round_start(struct rollout *r, struct target *t, const struct spec *spec, const struct obs_pod *pods,
                 size_t n);
/* At the begin of a reconcile: what an ended round has found goes into the target. */
void round_take(struct rollout *r, struct target *t);
/* Is a round due, by the interval of the rollout or to look for a quiet moment? */
bool round_is_due(const struct rollout *r, const struct target *t);
/* ns until the next look for a quiet moment; TIME_NEVER: none is wanted, or the end of a round looks again by itself. */
int64_t round_probe_in(const struct rollout *r, const struct target *t);
void round_drop(struct target *t); /* as if it had never begun */
#endif
