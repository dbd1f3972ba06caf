/* Annotations that are not known, and which one may be meant: a misspelt one has no effect, and nobody notices. Pure. */
#ifndef ROLLOUT_SPEC_HINT_H
#define ROLLOUT_SPEC_HINT_H
#include "base/buf.h"
#include "base/json.h"

/* Appends "handover.dev/sok is not known: is handover.dev/soak meant?" for each such annotation, a few at most; of those that nothing
 * is like only with others. False: nothing was added. */
bool spec_hint_add(const cJSON *annotations, bool others, struct buf *out);
/* Of the names that known() gives, up to NULL, the one that differs in one or two letters, or by two that have changed places; NULL: none
 * does, or it is one of them. */
const char *spec_hint_nearest(const char *name, const char *(*known)(size_t i));
#endif
