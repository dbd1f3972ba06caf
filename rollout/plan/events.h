/* The reasons of all Events that the rollout controller sends: one table, from which docs/reference/events.md is
 * checked. A hold is an Event, too, whose reason is the hold's name. */
#ifndef ROLLOUT_EVENTS_H
#define ROLLOUT_EVENTS_H
#include "plan/state.h"

enum plan_reason {
    EV_ADOPTED,
    EV_HELD_BY_POLICY,
    EV_HELD_BY_PAUSE,
    EV_ROLLOUT_STARTED,
    EV_REHEARSED,
    EV_APPROVED,
    EV_BASELINE_MEASURED,
    EV_SIGNALS_UNAVAILABLE,
    EV_SOAKING,
    EV_STEP_PASSED,
    EV_CHECK_PASSED,
    EV_WITHIN_WINDOW,
    EV_PROMOTING,
    EV_PROMOTED,
    EV_SUPERSEDED,
    EV_ROLLOUT_CANCELLED,
    EV_ROLLING_BACK,
    EV_ROLLED_BACK,
    EV_QUARANTINED,
    EV_PAUSED,
    EV_RESUMED,
    EV_RETRIED,
    EV_ACTION_IGNORED,
    EV_UNMANAGED_ROLLOUT,
    EV_PAUSED_FIELD_CONFLICT,
    EV_REPAIRING,
    EV_REPAIRED,
    EV_STATE_LOST,
    EV_STATE_DAMAGED,
    EV_RELEASED,
    EV_LEADER_MODE,
    EV_TRIAL,
    EV_LEASE_RELEASED,
    EV_SLICE_MOVED,
    EV_SLICE_RETURNED,
    EV_RECONCILE_FAILED,
    EV_HELD, /* EV_HELD + h: the hold h, which is not HOLD_NONE */
    EV_N = EV_HELD + HOLDS
};
const char *plan_reason_name(enum plan_reason r);
bool plan_reason_warning(enum plan_reason r);
const char *plan_reason_action(enum plan_reason r); /* what Handover does about it, for the Event */
#endif
