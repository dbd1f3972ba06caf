/* Leaving: what we changed is given back, but never so that a version starts which is not in service. */
#include "plan_impl.h"

static void give_back(struct ctx *c) {
    if (!c->t->paused) c->s->paused = false;
    bool ours = c->t->paused && c->s->paused;
    bool deadline = c->t->deadline_s == HELD_DEADLINE;
    c->patch.drop_status = true;
    if (!ours && !deadline && !c->t->status) return;
    c->patch.any = true;
    c->patch.checked = ours; /* what is unpaused must be what we looked at */
    if (ours) c->patch.paused = PAUSED_DROP;
    if (deadline) c->patch.deadline_s = original_deadline(c->s);
    c->patch.why = "give back what was changed";
}

/* Nothing of ours is left on the target. */
static bool given_back(const struct ctx *c) {
    return c->t->deadline_s != HELD_DEADLINE && !c->t->status && !(c->t->paused && c->s->paused);
}

static bool refused(struct ctx *c) {
    return hold(c, HOLD_REFUSED, false,
                "leaving would start %s, which is not in service (%s is): put that template back, or force "
                "it with annotation " HANDOVER_PREFIX "release: %s",
                c->t->image, c->s->stable_name ? c->s->stable_name : "another version", c->t->hash);
}

/* Decided, and `repair` says so: from the state that says so, every later look goes on giving back. */
static bool let_go(struct ctx *c, const char *why) {
    struct state *s = c->s;
    s->ending = ENDED_WITHDRAWN;
    s->repair = true; /* in LEAVING: decided */
    note(c, false, "Released", "no longer managed: %s", why);
    return go(c, PHASE_LEAVING, "no longer managed: %s", why);
}

bool phase_leaving(struct ctx *c) {
    struct state *s = c->s;
    if (!c->o->known) return false;
    bool held = c->t->paused && s->paused && s->stable_uid,
         safe = same_hash(c->t->hash, s->stable_hash) || is_forced(c);
    if (s->repair && held && !safe) s->repair = false; /* the template changed before our patch */
    if (s->repair) {
        give_back(c);
        if (given_back(c))
            step_state_delete(c);
        else
            look_at(c, c->now + POLL_NS);
        return false;
    }
    if (!c->leaving) return go(c, s->stable_uid ? PHASE_WITHDRAWING : PHASE_IDLE, "managed again");
    look_at(c, c->now + POLL_NS);
    if (!wind_down(c, true)) return false;
    if (!held) return let_go(c, "it is not held back");
    if (same_hash(c->t->hash, s->stable_hash)) return let_go(c, "the version in service is the Deployment's");
    if (is_forced(c)) return let_go(c, "forced");
    /* Whoever resumes it now means it: see held above. Only another ReplicaSet's start is undone. */
    if (hold_back(c) == BACK_MOVED) return true;
    refused(c);
    c->plan->look_again_ns = TIME_NEVER;
    return false;
}

void plan_without_target(struct ctx *c) {
    const struct observed *o = c->o;
    for (size_t i = 0; i < o->nrs; i++) {
        const struct obs_rs *r = &o->rs[i];
        if (r->canary && !r->deleting) step_rs_delete(c, r, "the target is gone: delete its canary");
    }
    bool state = o->state_known == STATE_READ || o->state_known == STATE_DAMAGED;
    if (state && o->state_rv && o->name) step_state_delete(c);
    c->plan->forget = c->plan->nsteps == 0;
}
