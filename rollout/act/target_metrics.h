/* Gauges of the targets, computed when /metrics is read. */
#ifndef ROLLOUT_TARGET_METRICS_H
#define ROLLOUT_TARGET_METRICS_H
#include "act/target.h"
#include "base/metrics.h"

enum { TARGET_METRICS_MAX = 500 };
/* handover_targets by phase; of at most max targets series of their own, those first that do not just run: held, rolled back, on
 * trial. */
void target_metrics_collect(struct metrics *m, const struct target *all, size_t max);
#endif
