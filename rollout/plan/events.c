/* The catalogue of Event reasons. */
#include "plan/events.h"

enum { NORMAL, WARNING };
static const struct {
    const char *name;
    bool warning;
    const char *action;
} reasons[EV_HELD] = {
    [EV_ADOPTED] = {"Adopted", NORMAL, "Adopt"},
    [EV_HELD_BY_POLICY] = {"HeldByPolicy", NORMAL, "Hold"},
    [EV_HELD_BY_PAUSE] = {"HeldByPause", NORMAL, "Hold"},
    [EV_ROLLOUT_STARTED] = {"RolloutStarted", NORMAL, "Trial"},
    [EV_REHEARSED] = {"Rehearsed", NORMAL, "Trial"},
    [EV_APPROVED] = {"Approved", NORMAL, "Trial"},
    [EV_BASELINE_MEASURED] = {"BaselineMeasured", NORMAL, "Trial"},
    [EV_SIGNALS_UNAVAILABLE] = {"SignalsUnavailable", NORMAL, "Trial"},
    [EV_SOAKING] = {"Soaking", NORMAL, "Trial"},
    [EV_STEP_PASSED] = {"StepPassed", NORMAL, "Trial"},
    [EV_CHECK_PASSED] = {"CheckPassed", NORMAL, "Trial"},
    [EV_WITHIN_WINDOW] = {"WithinRollbackWindow", NORMAL, "Promote"},
    [EV_PROMOTING] = {"Promoting", NORMAL, "Promote"},
    [EV_PROMOTED] = {"Promoted", NORMAL, "Promote"},
    [EV_SUPERSEDED] = {"Superseded", WARNING, "Trial"},
    [EV_ROLLOUT_CANCELLED] = {"RolloutCancelled", NORMAL, "Cancel"},
    [EV_ROLLING_BACK] = {"RollingBack", WARNING, "RollBack"},
    [EV_ROLLED_BACK] = {"RolledBack", WARNING, "RollBack"},
    [EV_QUARANTINED] = {"Quarantined", WARNING, "Refuse"},
    [EV_PAUSED] = {"Paused", NORMAL, "Pause"},
    [EV_RESUMED] = {"Resumed", NORMAL, "Resume"},
    [EV_RETRIED] = {"Retried", NORMAL, "Retry"},
    [EV_ACTION_IGNORED] = {"ActionIgnored", WARNING, "Ignore"},
    [EV_UNMANAGED_ROLLOUT] = {"UnmanagedRollout", WARNING, "Observe"},
    [EV_PAUSED_FIELD_CONFLICT] = {"PausedFieldConflict", WARNING, "Hold"},
    [EV_REPAIRING] = {"Repairing", WARNING, "Repair"},
    [EV_REPAIRED] = {"Repaired", NORMAL, "Repair"},
    [EV_STATE_LOST] = {"StateLost", WARNING, "Repair"},
    [EV_STATE_DAMAGED] = {"StateDamaged", WARNING, "Wait"},
    [EV_RELEASED] = {"Released", NORMAL, "Release"},
    [EV_LEADER_MODE] = {"LeaderMode", NORMAL, "Trial"},
    [EV_TRIAL] = {"TrialStarted", NORMAL, "Trial"},
    [EV_LEASE_RELEASED] = {"LeaseReleased", NORMAL, "ReleaseLease"},
    [EV_SLICE_MOVED] = {"SliceMoved", NORMAL, "MoveObjects"},
    [EV_SLICE_RETURNED] = {"SliceReturned", NORMAL, "MoveObjects"},
    [EV_RECONCILE_FAILED] = {"ReconcileFailed", WARNING, "Retry"},
};

/* Holds that are the ordinary course of things, or what a user asked for. */
static bool ordinary(enum hold h) {
    return h == HOLD_ROLLOUT || h == HOLD_USER_PAUSED || h == HOLD_ZERO || h == HOLD_PAUSED_BY_USER ||
           h == HOLD_APPROVAL || h == HOLD_CHECK;
}

const char *plan_reason_name(enum plan_reason r) {
    return r < EV_HELD ? reasons[r].name : hold_name((enum hold)(r - EV_HELD));
}

bool plan_reason_warning(enum plan_reason r) {
    return r < EV_HELD ? reasons[r].warning : !ordinary((enum hold)(r - EV_HELD));
}

const char *plan_reason_action(enum plan_reason r) {
    return r < EV_HELD ? reasons[r].action : "Wait";
}
