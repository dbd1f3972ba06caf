/* The catalogue of Event reasons. */
#include "plan/events.h"

enum { NORMAL, WARNING };
static const struct {
    const char *name;
    bool warning;
} reasons[EV_HELD] = {
    [EV_ADOPTED] = {"Adopted", NORMAL},
    [EV_HELD_BY_POLICY] = {"HeldByPolicy", NORMAL},
    [EV_HELD_BY_PAUSE] = {"HeldByPause", NORMAL},
    [EV_ROLLOUT_STARTED] = {"RolloutStarted", NORMAL},
    [EV_BASELINE_MEASURED] = {"BaselineMeasured", NORMAL},
    [EV_SIGNALS_UNAVAILABLE] = {"SignalsUnavailable", NORMAL},
    [EV_SOAKING] = {"Soaking", NORMAL},
    [EV_STEP_PASSED] = {"StepPassed", NORMAL},
    [EV_WITHIN_WINDOW] = {"WithinRollbackWindow", NORMAL},
    [EV_PROMOTING] = {"Promoting", NORMAL},
    [EV_PROMOTED] = {"Promoted", NORMAL},
    [EV_SUPERSEDED] = {"Superseded", WARNING},
    [EV_ROLLOUT_CANCELLED] = {"RolloutCancelled", NORMAL},
    [EV_ROLLING_BACK] = {"RollingBack", WARNING},
    [EV_ROLLED_BACK] = {"RolledBack", WARNING},
    [EV_QUARANTINED] = {"Quarantined", WARNING},
    [EV_PAUSED] = {"Paused", NORMAL},
    [EV_RESUMED] = {"Resumed", NORMAL},
    [EV_RETRIED] = {"Retried", NORMAL},
    [EV_ACTION_IGNORED] = {"ActionIgnored", WARNING},
    [EV_UNMANAGED_ROLLOUT] = {"UnmanagedRollout", WARNING},
    [EV_PAUSED_FIELD_CONFLICT] = {"PausedFieldConflict", WARNING},
    [EV_REPAIRING] = {"Repairing", WARNING},
    [EV_REPAIRED] = {"Repaired", NORMAL},
    [EV_STATE_LOST] = {"StateLost", WARNING},
    [EV_STATE_DAMAGED] = {"StateDamaged", WARNING},
    [EV_RELEASED] = {"Released", NORMAL},
    [EV_LEADER_MODE] = {"LeaderMode", NORMAL},
    [EV_TRIAL] = {"TrialStarted", NORMAL},
    [EV_LEASE_RELEASED] = {"LeaseReleased", NORMAL},
    [EV_SLICE_MOVED] = {"SliceMoved", NORMAL},
    [EV_SLICE_RETURNED] = {"SliceReturned", NORMAL},
    [EV_RECONCILE_FAILED] = {"ReconcileFailed", WARNING},
};

/* Holds that are the ordinary course of things, or what a user asked for. */
static bool ordinary(enum hold h) {
    return h == HOLD_ROLLOUT || h == HOLD_USER_PAUSED || h == HOLD_ZERO || h == HOLD_PAUSED_BY_USER ||
           h == HOLD_APPROVAL;
}

const char *plan_reason_name(enum plan_reason r) {
    return r < EV_HELD ? reasons[r].name : hold_name((enum hold)(r - EV_HELD));
}

bool plan_reason_warning(enum plan_reason r) {
    return r < EV_HELD ? reasons[r].warning : !ordinary((enum hold)(r - EV_HELD));
}
