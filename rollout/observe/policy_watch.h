/* MutatingAdmissionPolicy handover-hold and its binding: are they there? Where the API server has the type (discovery), both are watched;
 * where it does not, or they may not be read, that is asked again once a minute. That they are there does not say that they are in effect
 * for a target (act/policy_proof.h). */
#ifndef ROLLOUT_POLICY_WATCH_H
#define ROLLOUT_POLICY_WATCH_H
#include "kube/client.h"

#define POLICY_NAME "handover-hold"
/* API servers follow a policy by a watch of their own, a second or two behind, each of them. */
#define POLICY_SETTLE_NS (15 * NS_PER_S)

enum policy_there {
    POLICY_NOT_LOOKED, /* not known yet */
    POLICY_NOT_THERE,
    POLICY_THERE,
};
struct policy_watch;
/* changed: there or not, another version, or settled. Not inside a call of this header. */
struct policy_watch *policy_watch_new(struct kube *k, world_fn changed, void *ctx);
void policy_watch_free(struct policy_watch *w);
void policy_watch_start(struct policy_watch *w);
enum policy_there policy_watch_there(const struct policy_watch *w);
const char *
policy_watch_id(const struct policy_watch *w); /* of both, in these versions; "" where they are not there */
/* Long enough there for every API server to follow it. */
bool policy_watch_settled(const struct policy_watch *w);
#endif
