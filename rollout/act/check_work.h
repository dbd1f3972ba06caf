/* The checks that the plan of one target asks for: the question in words, and the answer for the next plan. */
#ifndef ROLLOUT_CHECK_WORK_H
#define ROLLOUT_CHECK_WORK_H
#include "act/controller.h"

void check_work_offer(const struct target *t, struct observed *o); /* the answers that have come */
/* The plan has looked at them, and asks. An answer that it could not write down is asked for again. */
void check_work_ask(struct rollout *r, struct target *t, const struct observed *o, const struct plan *p);
void check_work_drop(struct target *t);
#endif
