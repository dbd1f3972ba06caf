/* Handover's own Deployment among the targets: whose part it is while a new version of it leads on trial. */
#ifndef ROLLOUT_OWN_PART_H
#define ROLLOUT_OWN_PART_H
#include "act/controller.h"

/* A target that was not looked at yet gets what the controller before this one, in this process, remembers of it. */
void own_part_recall(struct rollout *r, struct target *t);
/* Can this target not be of this process's part, for all that is known without its pods? */
bool own_part_excludes(const struct rollout *r, const struct target *t);
/* What has to be seen at least, to find out whose part it is. */
enum obs_need own_part_needs(const struct rollout *r, const struct target *t, enum obs_need planned);
/* o has the target's pods, as far as known. Sets o->own, o->trial_fault. False: it is another one's part, or not known yet whose. */
bool own_part_is_ours(const struct rollout *r, struct target *t, struct observed *o);
#endif
