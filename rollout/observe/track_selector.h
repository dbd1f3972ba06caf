/* The words by which an operator leaves some of its objects to another one: the label selector
 * `handover.dev/track notin (canary,moving)`, or `handover.dev/track!=canary,handover.dev/track!=moving`, in the arguments, the
 * command or the environment of a template's containers. Pure. */
#ifndef ROLLOUT_TRACK_SELECTOR_H
#define ROLLOUT_TRACK_SELECTOR_H
#include "base/buf.h"

#define TRACK_SELECTOR_STABLE "handover.dev/track notin (canary,moving)"
#define TRACK_SELECTOR_CANARY "handover.dev/track=canary"

/* How often the words stand in this template's text, which has passed json_raw_check(). out: the template with the canary's words in
 * their place, every other byte as it was; NULL: counted only. */
size_t track_selector_replace(struct slice tmpl, struct buf *out);
#endif
