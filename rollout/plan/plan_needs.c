/* What a decision about a target has to be made from. At rest (held and in service, or rolled back) the Deployment's own
 * status says that nothing has moved, and neither its ReplicaSets nor its Pods are looked at. */
#include "plan/plan_ctx.h"
#include <stdio.h>

static bool has_action(const struct obs_target *t) {
    for (int a = 0; a < ACTION_N; a++) {
        char key[64];
        snprintf(key, sizeof key, HANDOVER_PREFIX "%s", spec_action_name((enum spec_action)a));
        if (json_get(t->annotations, key)) return true;
    }
    return false;
}

static bool managed(const struct observed *o) {
    bool spec_ok = o->spec && (!o->spec_err || o->spec_err->kind == ERR_NONE);
    return spec_ok && !o->release && !has_action(o->target);
}

/* The controller has seen the spec, and all Pods are of one version: of the template's, or none of it is. */
static bool settled(const struct obs_target *t, bool of_template) {
    if (t->observed_generation < t->generation) return false;
    if (t->replicas > 0 && t->st_replicas == 0) return false;
    return t->st_updated == (of_template ? t->st_replicas : 0);
}

static bool canaries_stopped(const struct observed *o, bool kept) {
    for (size_t i = 0; i < o->nrs; i++) {
        const struct obs_rs *r = &o->rs[i];
        if (!r->canary) continue;
        if (!kept || r->replicas > 0 || r->st_replicas > 0 || !r->quarantined ||
            !plan_same_hash(r->hash, o->state->hash))
            return false;
    }
    return true;
}

static bool at_rest(const struct observed *o) {
    const struct state *s = o->state;
    const struct obs_target *t = o->target;
    if (!managed(o) || s->replicas >= 0 || plan_by_objects(s) || s->hold != HOLD_NONE || !s->stable_uid)
        return false;
    bool policy = plan_way_is_policy(o, s), open = policy && s->phase == PHASE_STABLE;
    if (open ? s->paused || t->paused : !s->paused || !t->paused) return false;
    if (t->held && s->phase == PHASE_STABLE) return false; /* to be taken off */
    if (!s->target_uid || strcmp(s->target_uid, t->uid) != 0) return false;
    if (obs_is_set(t) && (!t->current || strcmp(t->current, s->stable_uid) != 0)) return false;
    /* Stable's template is to be recorded (stable_template.c) before its ReplicaSet can be deleted. */
    bool stables = plan_same_hash(t->hash, s->stable_hash);
    if (stables && t->history == 0 && !s->stable_template && strlen(t->tmpl) <= STATE_MAX_TEMPLATE)
        return false;
    bool held = t->deadline_s == HELD_DEADLINE || obs_is_set(t);
    bool held_deadline = open ? !held : policy || held || s->pds_restored >= PLAN_MAX_RESTORED;
    if (!held_deadline || (t->history < PLAN_SAFE_HISTORY && !s->stable_template)) return false;
    if (s->phase == PHASE_STABLE)
        return plan_same_hash(t->hash, s->stable_hash) && settled(t, true) && canaries_stopped(o, false);
    return s->phase == PHASE_ROLLED_BACK && plan_same_hash(t->hash, s->hash) &&
           state_quarantined(s, s->hash, NULL) && settled(t, false) && canaries_stopped(o, true);
}

/* Not ours yet: only a Deployment that is complete by its own account, or that bears our mark, is adopted. */
static enum obs_need before_adoption(const struct obs_target *t) {
    bool ours = plan_bears_mark(t);
    bool complete = t->observed_generation >= t->generation && t->st_updated == t->replicas &&
                    t->st_replicas == t->replicas && t->st_available == t->replicas && plan_one_revision(t);
    if (ours || (complete && !t->paused)) return NEED_REPLICASETS;
    return plan_rollout_stands_still(t) ? NEED_PODS : NEED_TARGET; /* to say why */
}

static enum obs_need needs_of_phase(const struct observed *o) {
    if (o->state_known == STATE_ABSENT) return before_adoption(o->target);
    if (o->state_known != STATE_READ) return NEED_TARGET;
    switch (o->state->phase) {
    case PHASE_IDLE: return before_adoption(o->target);
    case PHASE_STABLE: return at_rest(o) ? NEED_TARGET : NEED_REPLICASETS;
    case PHASE_ROLLED_BACK: /* stable's pods that cannot come back are named */
        if (o->target->st_available < o->target->replicas) return NEED_PODS;
        return at_rest(o) ? NEED_TARGET : NEED_REPLICASETS;
    case PHASE_REHEARSING:
    case PHASE_STARTING:
    case PHASE_SOAKING:
    case PHASE_PROMOTING: return NEED_PODS;
    default: return NEED_REPLICASETS;
    }
}

/* The pods of a StatefulSet say which revisions run. */
static enum obs_need needs_of_kind(const struct observed *o) {
    enum obs_need need = needs_of_phase(o);
    return obs_is_set(o->target) && need == NEED_REPLICASETS ? NEED_PODS : need;
}

enum obs_need plan_needs(const struct observed *o) {
    if (!o->target || o->target->deleting) return NEED_TARGET;
    bool trial = o->state_known == STATE_READ && state_on_trial(o->state) &&
                 o->state->phase != PHASE_REHEARSING && o->spec && o->spec->mode != MODE_REPLICAS;
    return trial || plan_assists(o) ? NEED_LEASES : needs_of_kind(o);
}

bool plan_asks_policy(const struct observed *o) {
    if (!o->target || o->target->deleting || !o->spec || o->release || obs_is_set(o->target))
        return false; /* it knows Deployments alone */
    if (o->state_known == STATE_READ && o->state->stable_uid) return true;
    bool fresh = o->state_known == STATE_ABSENT || o->state_known == STATE_READ;
    return fresh && before_adoption(o->target) == NEED_REPLICASETS;
}

const char *plan_lease_name(const struct observed *o) {
    if (o->state_known == STATE_READ && o->state->trial.lease) return o->state->trial.lease;
    return o->spec ? o->spec->lease : NULL;
}
