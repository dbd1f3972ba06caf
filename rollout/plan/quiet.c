/* Quiet moments; see quiet.h. */
#include "plan/quiet.h"

#define PATIENCE_NS (5 * NS_PER_S) /* for an operator that has nothing to do for hours */
#define FRESH_NS    NS_PER_S       /* what an older look has found says nothing of now */
#define IN_A_ROW_NS (2 * NS_PER_S) /* looks further apart may have had work between them */

void quiet_look(struct quiet_row *r, enum quiet found, int64_t at_ns) {
    bool in_a_row = at_ns - r->last_ns < IN_A_ROW_NS;
    if (r->last != QUIET_UNKNOWN && at_ns <= r->last_ns) return;
    if (found != QUIET_NOW) {
        *r = (struct quiet_row){.last = found, .last_ns = at_ns};
        return;
    }
    if (r->last != QUIET_NOW || !in_a_row)
        *r = (struct quiet_row){.from_ns = at_ns, .began = r->last == QUIET_BUSY && in_a_row};
    r->last = QUIET_NOW;
    r->last_ns = at_ns;
    r->looks++;
}

enum quiet quiet_now(const struct quiet_row *r, int64_t now_ns, int64_t quiet_ns) {
    if (now_ns - r->last_ns >= FRESH_NS) return QUIET_UNKNOWN;
    if (r->last != QUIET_NOW) return r->last;
    int64_t patience_ns = quiet_ns / 2 < PATIENCE_NS ? quiet_ns / 2 : PATIENCE_NS;
    bool begins = r->began && r->looks > 1, lasts = r->last_ns - r->from_ns >= patience_ns;
    return begins || lasts ? QUIET_NOW : QUIET_BUSY;
}
