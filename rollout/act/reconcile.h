/* One reconcile of one target: read, scrape if it is time, plan, carry out. */
#ifndef ROLLOUT_PASS_H
#define ROLLOUT_PASS_H
#include "control/controller.h"
#include "act/controller.h"
#include "act/target.h"

void reconcile_start(struct rollout *r, struct target *t, struct task *task); /* leads to task_finish() */
/* No further step: task_finish() follows, at once unless a mutation is in the air, whose answer is waited
 * for. */
void reconcile_cancel(struct reconcile *p);
void reconcile_drop(struct reconcile *p); /* as a crash: task_finish(OUT_INTERRUPTED) at once */
#endif
