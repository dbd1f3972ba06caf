/* What each Event claims. One that claims an effect of Handover's is held against the model's cluster at the moment at which it is
 * sent: a write that was not answered yet, or was refused, must not be announced. */
#include "model.h"

static bool held_back(const struct model *m, const char *message) {
    (void)message;
    return m->paused || m->edge.policy != POLICY_ABSENT;
}
static bool unpaused(const struct model *m, const char *message) {
    (void)message;
    return !m->paused;
}
static bool canary_runs(const struct model *m, const char *message) {
    (void)message;
    return m_running(m, m->version, true) > 0;
}
static bool in_service(const struct model *m, const char *message) {
    (void)message;
    return m_running(m, m->version, false) >= m->replicas;
}
/* Of the version that is named. */
static bool canary_stopped(const struct model *m, const char *message) {
    int version = -1;
    assert_int_equal(sscanf(message, "op:v%d", &version), 1);
    for (int i = 0; i < MAX_RS; i++) {
        const struct mrs *r = &m->rs[i];
        if (r->there && m_is_canary(r) && !r->detached && r->version == version && r->replicas > 0)
            return false;
    }
    return m->paused;
}
static bool given_back(const struct model *m, const char *message) {
    (void)message;
    return m->deadline_s != 2147483647 && !m_annotation(m, "status") && !m_annotation(m, "held");
}
/* In a trial nothing has to be done for it. */
static bool stands_still(const struct model *m, const char *message) {
    return !strstr(message, "Promoting") || m->paused;
}
static bool goes_on(const struct model *m, const char *message) {
    return !strstr(message, "Promoting") || !m->paused;
}

static bool canary_leads(const struct model *m, const char *message) {
    bool canary = false;
    (void)message;
    return m_leader(m, &canary) >= 0 && canary;
}

static bool canary_has_objects(const struct model *m, const char *message) {
    (void)message;
    return m_owned(m, OWNER_CANARY) > 0 && !m_owned(m, OWNER_NONE);
}
static bool stable_has_all_objects(const struct model *m, const char *message) {
    (void)message;
    return !m_owned(m, OWNER_CANARY) && !m_owned(m, OWNER_NONE);
}

static bool report_kept(const struct model *m, const char *message) {
    return m->map.there && strstr(message, m->map.digest);
}

/* NULL: it reports a decision, or what was seen, and claims no effect. */
static bool (*const claims[EV_HELD])(const struct model *m, const char *message) = {
    [EV_ADOPTED] = held_back,
    [EV_REHEARSED] = report_kept,
    [EV_SOAKING] = canary_runs,
    [EV_PROMOTING] = unpaused,
    [EV_PROMOTED] = in_service,
    [EV_REPAIRED] = in_service,
    [EV_ROLLED_BACK] = canary_stopped,
    [EV_QUARANTINED] = canary_stopped,
    [EV_PAUSED] = stands_still,
    [EV_RESUMED] = goes_on,
    [EV_RELEASED] = given_back,
    [EV_TRIAL] = canary_leads,
    [EV_SLICE_MOVED] = canary_has_objects,
    [EV_SLICE_RETURNED] = stable_has_all_objects,
};

bool m_claims_nothing(enum plan_reason r) {
    static const enum plan_reason decisions[] = {
        EV_HELD_BY_POLICY,    EV_HELD_BY_PAUSE,         EV_ROLLOUT_STARTED,
        EV_BASELINE_MEASURED, EV_CHECK_PASSED,          EV_STEP_PASSED,
        EV_SUPERSEDED,        EV_ROLLOUT_CANCELLED,     EV_ROLLING_BACK,
        EV_ACTION_IGNORED,    EV_UNMANAGED_ROLLOUT,     EV_REPAIRING,
        EV_STATE_LOST,        EV_PAUSED_FIELD_CONFLICT, EV_STATE_DAMAGED,
        EV_RECONCILE_FAILED,  EV_SIGNALS_UNAVAILABLE,   EV_LEASE_RELEASED,
        EV_LEADER_MODE,       EV_WITHIN_WINDOW,         EV_RETRIED,
        EV_APPROVED};
    for (size_t i = 0; i < ARRAY_LEN(decisions); i++)
        if (decisions[i] == r) return true;
    return r >= EV_HELD; /* why it does not move on */
}

bool m_claims_an_effect(enum plan_reason r) {
    return r < EV_HELD && claims[r];
}

void m_check_claim(const struct model *m, enum plan_reason r, const char *message) {
    if (m->moved || m->cache || r >= EV_HELD || !claims[r]) return; /* it was so when it was looked at */
    if (claims[r](m, message)) return;
    fail_msg("Event %s before its effect: %s; %s, %s", plan_reason_name(r), message,
             m->paused ? "paused" : "not paused", m->state ? m->state : "no state");
}
