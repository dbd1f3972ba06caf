/* From what was read to what the plan looks at. */
#ifndef ROLLOUT_VIEW_H
#define ROLLOUT_VIEW_H
#include "observe/reads.h"
#include "observe/objects.h"

struct target_snapshot {
    struct obs_target target;
    bool has_target;
    struct obs_rs *rs;
    size_t nrs;
    struct obs_pod *pods;
    const cJSON **pod_items; /* the same pods as JSON; borrowed from the reads */
    size_t npods;
};
/* 0, or what was not as it should be; ret is filled as far as it goes and is freed with target_snapshot_free() in any
 * case. */
int target_snapshot_make(const struct reads *r, const char *target_uid /* of the state, NULL: none */,
                         struct target_snapshot *ret, struct err *err);
void target_snapshot_free(struct target_snapshot *v);
#endif
