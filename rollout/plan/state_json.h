/* What the writer and the reader of the state share. */
#ifndef ROLLOUT_STATE_JSON_H
#define ROLLOUT_STATE_JSON_H
#include "plan/state.h"

/* The members that this version knows; what else is in a document is carried through. NULL-terminated. */
extern const char *const facts_members[], *const state_members[];
#endif
