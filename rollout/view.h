/* From what was read to what the plan looks at. */
#ifndef ROLLOUT_VIEW_H
#define ROLLOUT_VIEW_H
#include "reads.h"
#include "rollout/plan.h"

struct view {
    struct obs_target target;
    bool has_target;
    struct obs_rs *rs;
    size_t nrs;
    struct obs_pod *pods;
    const cJSON **pod_items; /* the same pods as JSON; borrowed from the reads */
    size_t npods;
    struct spec spec;
    bool has_spec; /* opted in */
    struct err spec_err;
};
/* 0, or what was not as it should be; ret is filled as far as it goes and is freed with view_free() in any
 * case. */
int view_make(const struct reads *r, const char *target_uid /* of the state, NULL: none */, struct view *ret,
              struct err *err);
void view_free(struct view *v);
#endif
