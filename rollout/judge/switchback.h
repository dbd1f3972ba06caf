/* Two versions that take turns, as a leader does: what stable did in its turn is put beside what the canary does in its own, look
 * by look, the oldest first, so that the judge compares as many looks of both. In memory only: after a change of Handover's leader the
 * next turn of stable's fills it again. Pure. */
#ifndef ROLLOUT_SWITCHBACK_H
#define ROLLOUT_SWITCHBACK_H
#include "judge/counts.h"
#include "judge/signals.h"

enum { SWITCHBACK_LOOKS = 64 }; /* the newest ones are kept */
struct switchback_look;
struct switchback { /* zero: empty */
    struct switchback_look *look;
    struct signals_look *signal;
    size_t first, n, signals_first, signals;
};
void switchback_free(struct switchback *b); /* leaves it empty */
/* One look, as it was counted. Stable's turn: it is kept, and false: there is nothing to judge. The canary's: stable's half of d and by
 * becomes that of the oldest look kept, nothing where there is none. by: counts_round()'s, names of them. */
bool switchback_take(struct switchback *b, bool canary, struct evidence_delta *d, struct counts_delta *by,
                     size_t names);
bool switchback_take_signals(struct switchback *b, bool canary, struct signals_look *l);
#endif
