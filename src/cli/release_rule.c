/* What becomes of a release, and what asks for it; see release.h. Pure. */
#include "release.h"

enum release_outcome release_outcome(const struct status_row *r, bool forced) {
    if (r->opted_in) return RELEASE_TAKEN_BACK;
    if (!r->managed && !r->has_state) return RELEASE_DONE;
    bool refused = r->has_state && r->state.hold == HOLD_REFUSED && !forced;
    return refused ? RELEASE_REFUSED : RELEASE_WAITING;
}

void release_patch(const struct status_row *r, const char *force, struct buf *out) {
    buf_adds(out, "{\"metadata\":{\"resourceVersion\":");
    buf_add_json(out, slice_of(r->target.rv));
    buf_adds(out, ",\"annotations\":{\"" HANDOVER_PREFIX "canary-percent\":null");
    if (force) {
        buf_addf(out, ",\"" HANDOVER_PREFIX "%s\":", spec_action_name(ACTION_RELEASE));
        buf_add_json(out, slice_of(force));
    }
    buf_adds(out, "}}}");
}
