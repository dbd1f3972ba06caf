/* Is the policy in effect for this very target (its binding may select others), and does it know Handover? Shown by a question that the
 * API server answers and does not carry out: a dry run of a write with another template, without pause and mark, that names itself as a
 * question. What comes back is paused and marked by a policy that is in effect, and the mark says whether Handover's own
 * writes are let alone. */
#ifndef ROLLOUT_POLICY_PROOF_H
#define ROLLOUT_POLICY_PROOF_H
#include "act/controller.h"

/* What the plan is to believe of this target. *ret_id: which policy. */
enum hold_policy policy_proof_known(const struct rollout *r, const struct target *t, const char **ret_id);
/* Is the question to be asked (again)? */
bool policy_proof_due(const struct rollout *r, struct target *t);
/* done: the answer is in the target. Never inside this call. */
struct kube_op *policy_proof_ask(struct rollout *r, const struct obs_target *target, kube_done done,
                                 void *ctx);
/* In done: takes the answer. */
void policy_proof_answer(const struct rollout *r, struct target *t, const struct err *err, struct slice raw);
#endif
