/* The rollouts' metrics: registered at zero, so that a rate sees their first event; the plan says what to
 * count. */
#ifndef ROLLOUT_METRICS_H
#define ROLLOUT_METRICS_H
#include "base/metrics.h"
#include "plan/plan.h"

void rollout_metrics_register(struct metrics *m);
void rollout_metrics_add(struct metrics *m, const struct plan_metric *what);
#endif
