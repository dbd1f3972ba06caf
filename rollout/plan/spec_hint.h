/* Annotations that are not known, and which one may be meant: a misspelt one has no effect, and nobody notices. Pure. */
#ifndef ROLLOUT_SPEC_HINT_H
#define ROLLOUT_SPEC_HINT_H
#include "base/buf.h"
#include "base/json.h"

/* name: without its prefix, as are those that are returned. */
bool spec_hint_known(const char *name);
/* The known one that differs in one or two letters, or by two that have changed places; NULL: none does. */
const char *spec_hint_meant(const char *name);
/* Appends "handover.dev/sok is not known: is handover.dev/soak meant?" for each such annotation, a few at most; of those that nothing
 * is like only with others. False: nothing was added. */
bool spec_hint_add(const cJSON *annotations, bool others, struct buf *out);
#endif
