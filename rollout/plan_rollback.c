/* Back: the harm is stopped first, the version is remembered, stable never stopped. And the trial that ends
 * without a verdict. */
#include "plan_impl.h"

bool roll_back(struct ctx *c, enum ended how, const char *fmt, ...) {
    struct state *s = c->s;
    va_list ap;
    va_start(ap, fmt);
    cleanup_free char *text = formatted(fmt, ap);
    va_end(ap);
    s->repair = s->pause_asked = false;
    end_rollout(c, how, "%s", text);
    state_quarantine_add(s, s->hash, c->now, text);
    note(c, true, "RollingBack", "%s: %s", s->image, text);
    return go(c, PHASE_ROLLING_BACK, "%s is rolled back: %s", s->image, text);
}

/* The canary at zero, with the reason on it: it stays as a record of the quarantine. True when nothing of it
 * runs. */
static bool canary_stopped(struct ctx *c) {
    const struct obs_rs *rs = canary_of(c, c->s->hash);
    remove_other_canaries(c);
    if (!rs) return true;
    if (rs->replicas > 0 || !rs->quarantined) step_quarantine(c, rs, c->s->reason ? c->s->reason : "");
    return rs->replicas == 0 && rs->st_replicas == 0;
}

bool phase_rolling_back(struct ctx *c) {
    struct state *s = c->s;
    if (!c->o->known) return false;
    bool stopped = canary_stopped(c);
    enum held_back back = hold_back(c);
    if (back == BACK_MOVED) return true;
    look_at(c, c->now + POLL_NS);
    if (!stopped || back != BACK_OK || !c->t->paused) return false;
    note(c, true, "RolledBack",
         "%s was rolled back: %s. %s serves; a new template starts a new rollout, annotation " HANDOVER_PREFIX
         "retry: %s tries this one again",
         s->image, s->reason, s->stable_name, s->hash);
    return go(c, PHASE_ROLLED_BACK, "%s was rolled back: %s", s->image, s->reason);
}

bool phase_rolled_back(struct ctx *c) {
    struct state *s = c->s;
    enum held_back back = hold_back(c);
    if (back == BACK_MOVED) return true;
    if (!c->o->known) return false;
    if (!same_hash(c->t->hash, s->hash)) return withdraw(c, "the template is another one");
    if (!state_quarantined(s, s->hash, NULL)) return withdraw(c, "it is tried again");
    if (!c->spec && !c->leaving) return hold(c, HOLD_CONFIG, true, "%s", config_error(c));
    if (s->hold == HOLD_CONFIG) unhold(c);
    if (!canary_stopped(c)) look_at(c, c->now + POLL_NS);
    return false;
}

bool withdraw(struct ctx *c, const char *fmt, ...) {
    struct state *s = c->s;
    va_list ap;
    va_start(ap, fmt);
    cleanup_free char *text = formatted(fmt, ap);
    va_end(ap);
    bool trial = s->phase == PHASE_STARTING || s->phase == PHASE_SOAKING || s->phase == PHASE_PROMOTING;
    if (trial) {
        end_rollout(c, ENDED_WITHDRAWN, "%s", text);
        note(c, false, "Withdrawn", "the trial of %s ends: %s", s->image, text);
    }
    s->repair = s->pause_asked = false;
    return go(c, PHASE_WITHDRAWING, "the canary is taken away: %s", text);
}

bool phase_withdrawing(struct ctx *c) {
    if (!c->o->known) return false;
    enum held_back back = hold_back(c);
    if (back == BACK_MOVED) return true;
    bool away = wind_down(c, true);
    if (back != BACK_OK || !away || !c->t->paused) {
        look_at(c, c->now + POLL_NS);
        return false;
    }
    clear_rollout(c->s);
    return go(c, PHASE_STABLE, "%s is in service", c->s->stable_name);
}
