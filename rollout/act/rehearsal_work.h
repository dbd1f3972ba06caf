/* The rehearsal of one target: stable's template, the reports of its pods, the ConfigMap that keeps them. */
#ifndef ROLLOUT_REHEARSAL_WORK_H
#define ROLLOUT_REHEARSAL_WORK_H
#include "act/controller.h"

/* What is known by now, and a key for one that may begin. */
void rehearsal_work_offer(struct rollout *r, struct target *t, struct observed *o);
/* What the plan wants is asked for, in the background. */
void rehearsal_work_ask(struct rollout *r, struct target *t, const struct observed *o, const struct plan *p);
int64_t rehearsal_work_due_in(const struct rollout *r,
                              const struct target *t); /* a report; TIME_NEVER: none */
/* What its pods have reported so far; NULL: nothing yet, or it is over. */
const struct rehearsal_report *rehearsal_work_last(const struct target *t);
/* A step of kind STEP_REPORT was carried out; raw: the answer, empty of a deletion. Or it has failed: it is looked at anew. */
void rehearsal_work_wrote(struct target *t, struct slice raw);
void rehearsal_work_failed(struct target *t);
void rehearsal_work_drop(struct target *t);
#endif
