/* Back: the harm is stopped first, the version is remembered, stable never stopped. And the trial that ends
 * without a verdict. */
#include "plan/plan_ctx.h"

bool plan_roll_back(struct plan_ctx *c, enum ended how, const char *fmt, ...) {
    struct state *s = c->s;
    va_list ap;
    va_start(ap, fmt);
    cleanup_free char *text = plan_text(fmt, ap);
    va_end(ap);
    s->repair = s->pause_asked = false;
    if (s->phase == PHASE_REHEARSING && how != ENDED_ABORTED) plan_count(c, PM_REHEARSALS, "failed", 1);
    plan_end_rollout(c, how, "%s", text);
    state_quarantine_add(s, s->hash, c->now, text);
    plan_event(c, EV_ROLLING_BACK, "%s: %s", s->image, text);
    return plan_enter(c, PHASE_ROLLING_BACK, "%s is being rolled back: %s", s->image, text);
}

/* The canary at zero, with the reason on it: it stays as a record of the quarantine. True when nothing of it
 * runs. */
static bool canary_stopped(struct plan_ctx *c) {
    const struct obs_rs *rs = plan_canary_of(c, c->s->hash);
    plan_remove_other_canaries(c);
    if (!rs) return true;
    if (rs->replicas > 0 || !rs->quarantined) plan_step_quarantine(c, rs, c->s->reason ? c->s->reason : "");
    return rs->replicas == 0 && rs->st_replicas == 0 && !plan_canary_dies(c, rs);
}

bool plan_phase_rolling_back(struct plan_ctx *c) {
    struct state *s = c->s;
    bool stopped = canary_stopped(c); /* the harm first, whatever else is not known yet */
    if (!c->o->known) return false;
    enum held_back back = plan_enforce_paused(c);
    if (back == BACK_MOVED) return true;
    plan_revisit(c, c->now + POLL_NS);
    if (!plan_slice_is_back(c) || !stopped || plan_has_rehearsal(c) || back != BACK_OK ||
        !plan_is_held_back(c))
        return false;
    bool serves = c->t->st_available >= c->t->replicas;
    plan_event(c, EV_ROLLED_BACK, "%s was rolled back: %s; %s %s; to retry: %s", s->image, s->reason,
               s->stable_name, serves ? "is in service" : "is being restored",
               plan_command(c, ACTION_RETRY).text);
    return plan_enter(c, PHASE_ROLLED_BACK, "%s was rolled back: %s", s->image, s->reason);
}

bool plan_phase_rolled_back(struct plan_ctx *c) {
    struct state *s = c->s;
    enum held_back back = plan_enforce_paused(c);
    if (back == BACK_MOVED) return true;
    if (!c->o->known) return false;
    if (!plan_same_hash(c->t->hash, s->hash)) return plan_cancel_rollout(c, "the template changed");
    if (!state_quarantined(s, s->hash, NULL)) return plan_cancel_rollout(c, "it is no longer in quarantine");
    if (!c->spec && !c->leaving) return plan_hold(c, HOLD_CONFIG, TEXT_NEWS, "%s", plan_config_error(c));
    if (s->hold == HOLD_CONFIG) plan_unhold(c);
    if (!canary_stopped(c)) plan_revisit(c, c->now + POLL_NS);
    return false;
}

bool plan_cancel_rollout(struct plan_ctx *c, const char *fmt, ...) {
    struct state *s = c->s;
    va_list ap;
    va_start(ap, fmt);
    cleanup_free char *text = plan_text(fmt, ap);
    va_end(ap);
    bool trial = state_on_trial(s) || s->phase == PHASE_PROMOTING;
    if (trial) {
        plan_end_rollout(c, ENDED_CANCELLED, "%s", text);
        plan_event(c, EV_ROLLOUT_CANCELLED, "the rollout of %s is cancelled: %s", s->image, text);
    }
    s->repair = s->pause_asked = false;
    return plan_enter(c, PHASE_CANCELLING, "the canary is being removed: %s", text);
}

bool plan_phase_cancelling(struct plan_ctx *c) {
    if (!c->o->known) return false;
    enum held_back back = plan_enforce_paused(c);
    if (back == BACK_MOVED) return true;
    bool away = plan_canary_teardown(c, true);
    if (!plan_slice_is_back(c) || back != BACK_OK || !away || !plan_is_held_back(c)) {
        plan_revisit(c, c->now + POLL_NS);
        return false;
    }
    plan_clear_rollout(c->s);
    return plan_enter(c, PHASE_STABLE, "%s is in service", c->s->stable_name);
}
