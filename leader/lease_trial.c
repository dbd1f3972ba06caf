/* Trials of a new version of the program itself: the leader's release names the canary, which leads until it is asked to end. A canary
 * that is not named leaves the lease to the version in service; but where nobody of that takes it for long, it does, so that a version
 * that cannot lead any more does not keep its own fix away. */
#include "lease_state.h"
#include <stdio.h>

/* As the successor? */
static bool is_named(const struct lease *l) {
    size_t n = strlen(l->rec.successor);
    return n && strncmp(l->id, l->rec.successor, n) == 0 && l->id[n] == '_';
}

/* A third of a lease: the named one watches it, and takes it within milliseconds or not at all. */
int64_t lease_patience(const struct lease *l, enum lease_reason claim) {
    bool released = claim == LEASE_R_RELEASED;
    if (released && is_named(l)) return 0;
    if (l->cfg.canary) return l->cfg.orphan_ns;
    return released && l->rec.successor[0] ? l->cfg.lease_ns / 3 : 0;
}

void lease_mark_trial(const struct lease *l, enum lease_write_kind kind, struct lease_rec *rec) {
    bool yields = kind == LEASE_RELEASE && l->yield[0];
    bool tried = l->cfg.canary && (kind != LEASE_ACQUIRE || is_named(l) || lease_is_ours(l));
    memcpy(rec->successor, yields ? l->yield : "", yields ? sizeof rec->successor : 1);
    const char *nonce = strrchr(l->id, '_');
    if (yields && nonce)
        snprintf(rec->guardian, sizeof rec->guardian, "%.*s", (int)(nonce - l->id), l->id);
    else if (yields || !tried)
        rec->guardian[0] = '\0';
    rec->trial_us = yields ? l->yield_us : tried ? rec->trial_us : 0;
}
