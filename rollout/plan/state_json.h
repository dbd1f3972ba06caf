/* What the writer and the reader of the state share. */
#ifndef ROLLOUT_STATE_JSON_H
#define ROLLOUT_STATE_JSON_H
#include "plan/state.h"

/* How phases, holds and ends stand in the text; `was`: as an earlier version wrote it, read all the same; NULL. */
struct state_name {
    const char *name, *was;
};
extern const struct state_name state_phases[PHASES], state_holds[HOLDS], state_endeds[ENDEDS],
    state_trials[TRIAL_STEPS], state_slices[SLICE_STAGES], state_says[CHECK_SAYS];

/* The member "rehearsal" (state_rehearsal.c). False: it is not what it should be. */
void state_rehearsal_write(const struct state_rehearsal *r, struct buf *out);
bool state_rehearsal_read(const cJSON *obj, struct state_rehearsal *ret);

/* The members that this version knows; what else is in a document is carried through. NULL-terminated. */
extern const char *const facts_members[], *const state_members[];
#endif
