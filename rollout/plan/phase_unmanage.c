/* Leaving: what we changed is given back, but never so that a version starts which is not in service. */
#include "plan/plan_ctx.h"
#include "plan/rehearsal.h"

/* The policy may have paused it a moment ago, in the write that took it out of our hands. */
static bool held_by_us(const struct plan_ctx *c) {
    return c->t->paused && (c->s->paused || c->t->held);
}

static void give_back(struct plan_ctx *c) {
    if (!c->t->paused) c->s->paused = false;
    bool ours = held_by_us(c);
    bool deadline = c->t->deadline_s == HELD_DEADLINE;
    c->patch.drop_status = true;
    if (!ours && !deadline && !c->t->held && !c->t->status) return;
    c->patch.any = true;
    c->patch.checked = ours; /* what is unpaused must be what we looked at */
    if (ours) c->patch.paused = PAUSED_DROP;
    if (c->t->held) c->patch.mark = MARK_DROP;
    if (deadline) c->patch.deadline_s = plan_original_deadline(c->s);
    c->patch.why = "give back what was changed";
}

/* Nothing of ours is left on the target. */
static bool given_back(const struct plan_ctx *c) {
    return c->s->replicas < 0 && c->t->deadline_s != HELD_DEADLINE && !c->t->status && !c->t->held &&
           !held_by_us(c);
}

static bool refused(struct plan_ctx *c) {
    return plan_hold(
        c, HOLD_REFUSED, TEXT_KEPT,
        "releasing the %s would start %s, which is not in service (%s is); set the former image, "
        "or force it: %s",
        plan_kind(c), c->t->image, c->s->stable_name ? c->s->stable_name : "another version",
        plan_command(c, ACTION_RELEASE).text);
}

/* Decided, and `repair` says so: from the state that says so, every later look goes on giving back. */
static bool let_go(struct plan_ctx *c, const char *why) {
    struct state *s = c->s;
    s->ending = ENDED_CANCELLED;
    s->repair = true; /* in RELEASING: decided */
    plan_set_text(&s->reason, "%s", why);
    return plan_enter(c, PHASE_RELEASING, "no longer managed: %s", why);
}

bool plan_phase_unmanage(struct plan_ctx *c) {
    struct state *s = c->s;
    if (!c->o->known) return false;
    bool held = held_by_us(c) && s->stable_uid,
         safe = plan_same_hash(c->t->hash, s->stable_hash) || plan_is_forced(c);
    if (s->repair && held && !safe) s->repair = false; /* the template changed before our patch */
    if (s->repair) {
        give_back(c);
        if (given_back(c)) {
            plan_step_state_delete(c);
            plan_event(c, EV_RELEASED, "no longer managed: %s", s->reason ? s->reason : "");
        } else {
            plan_revisit(c, c->now + POLL_NS);
        }
        return false;
    }
    if (!c->leaving) return plan_enter(c, s->stable_uid ? PHASE_CANCELLING : PHASE_IDLE, "managed again");
    plan_revisit(c, c->now + POLL_NS);
    bool away = plan_canary_teardown(c, true);
    if (!plan_slice_is_back(c) || !away || !plan_report_is_gone(c)) return false;
    if (plan_same_hash(c->t->hash, s->stable_hash)) {
        cleanup_free char *why = xasprintf("the version in service is the %s's", plan_kind(c));
        return let_go(c, why);
    }
    if (!held) return let_go(c, "it is not held");
    if (plan_is_forced(c)) return let_go(c, "forced by a user");
    /* A resume is meant now: see held above. Only another ReplicaSet's start is undone. */
    if (plan_enforce_paused(c) == BACK_MOVED) return true;
    refused(c);
    c->plan->look_again_ns = TIME_NEVER;
    return false;
}

/* Its uid comes from the state, which is only a text: another Deployment's canary is that one's. */
static bool rehearsal_left_behind(const struct observed *o, const struct obs_rs *r) {
    if (r->deleting || !o->name) return false;
    if (r->owner_name) return !strcmp(r->owner_name, o->name);
    cleanup_free char *by_name = rehearsal_name(o->name, r->rehearsed, r->hash);
    return !strcmp(by_name, r->name);
}

static bool canary_left_behind(const struct observed *o, const struct obs_rs *r) {
    if (!r->canary || r->deleting || !o->name) return false;
    if (r->owner_name) return !strcmp(r->owner_name, o->name);
    cleanup_free char *by_name = canary_name(o->name, r->hash);
    return !strcmp(by_name, r->name);
}

void plan_without_target(struct plan_ctx *c) {
    const struct observed *o = c->o;
    for (size_t i = 0; i < o->nrs; i++) {
        const struct obs_rs *r = &o->rs[i];
        if (canary_left_behind(o, r)) plan_step_rs_delete(c, r, "the target is gone: delete its canary");
    }
    for (size_t i = 0; i < o->nrehearsals; i++)
        if (rehearsal_left_behind(o, &o->rehearsals[i]))
            plan_step_rs_delete(c, &o->rehearsals[i], "the target is gone: delete what rehearsed it");
    if (o->state &&
        plan_by_objects(o->state)) { /* a finalizer keeps its ConfigMap until nothing is labelled */
        c->s = c->plan->next = xcalloc(1, sizeof *c->s);
        state_copy(o->state, c->s);
        plan_keep_slice(c);
        bool confirm = c->plan->order != ORDER_NONE && !o->state_confirmed;
        if (confirm || !state_same(o->state, c->s)) plan_step_state(c);
        return;
    }
    bool state = o->state_known == STATE_READ || o->state_known == STATE_DAMAGED;
    if (state && o->state_rv && o->name) plan_step_state_delete(c);
    c->plan->forget = c->plan->nsteps == 0;
}
