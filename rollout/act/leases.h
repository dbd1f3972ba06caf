/* The Leases that a plan is to see: those of the target's namespace, or the one of another that is named. */
#ifndef ROLLOUT_LEASES_H
#define ROLLOUT_LEASES_H
#include "act/controller.h"
#include "observe/snapshot.h"

/* Into the snapshot, and what is known of them into o; after the target's pods. What it takes hold of is the target's. */
void leases_see(struct rollout *r, struct target *t, struct observed *o, struct target_snapshot *snap);
#endif
