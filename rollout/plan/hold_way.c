/* The two ways in which a target is held back. Where MutatingAdmissionPolicy handover-hold is in effect for it, the API server pauses and
 * marks it in the very write that changes its template, and keeps both until Handover takes them away: so it is paused only while
 * there is something to hold. Else it is paused at all times. */
#include "plan/plan_ctx.h"

#define POLICY_NAME "MutatingAdmissionPolicy handover-hold"

bool plan_way_is_policy(const struct observed *o, const struct state *s) {
    if (o->target && obs_is_set(o->target)) return false;
    return o->policy == POLICY_HOLDS || (o->policy == POLICY_UNKNOWN && s->policy);
}

bool plan_by_policy(const struct plan_ctx *c) {
    return plan_way_is_policy(c->o, c->s);
}

bool plan_rests(const struct plan_ctx *c) {
    return plan_by_policy(c) && plan_same_hash(c->t->hash, c->s->stable_hash);
}

bool plan_is_held_back(const struct plan_ctx *c) {
    return c->t->paused || plan_rests(c);
}

bool plan_bears_mark(const struct obs_target *t) {
    return t->paused && (t->held || t->deadline_s == HELD_DEADLINE || obs_is_set(t));
}

/* A predecessor that does not know the policy pauses at rest, and carries the member through: it says what was shown last. */
void plan_note_way(struct plan_ctx *c) {
    struct state *s = c->s;
    if (plan_is_set(c)) return;
    if (c->o->policy == POLICY_HOLDS) {
        if (s->policy && !strcmp(s->policy, c->o->policy_id)) return;
        if (!s->policy && s->phase != PHASE_ADOPTING)
            plan_event(c, EV_HELD_BY_POLICY,
                       POLICY_NAME
                       " is in effect for it: the API server holds a new template in the write that "
                       "brings it, and the Deployment is not paused at rest");
        free(s->policy);
        s->policy = xstrdup(c->o->policy_id);
    } else if (c->o->policy == POLICY_ABSENT && s->policy) {
        plan_event(c, EV_HELD_BY_PAUSE,
                   POLICY_NAME " is not in effect for it: the Deployment is paused at rest");
        free(s->policy);
        s->policy = NULL;
        plan_pause(c, false);
    }
}

/* It is the user's own all the while, and a promotion goes by it. */
void plan_follow_deadline(struct plan_ctx *c) {
    if (plan_is_set(c) && !c->t->paused) c->s->partition = c->t->partition;
    if (c->t->deadline_s >= 0 && c->t->deadline_s != HELD_DEADLINE) c->s->deadline_s = c->t->deadline_s;
}

/* At rest a pause without a mark may be a user's; with another template it holds that one, and is ours to take away. */
void plan_keep_mark(struct plan_ctx *c) {
    plan_follow_deadline(c);
    bool rests = plan_rests(c);
    if (c->t->held || !rests) c->s->paused = true;
    if (rests || c->t->held || c->o->policy != POLICY_HOLDS) return;
    c->patch.any = true;
    c->patch.mark = MARK_SET;
    if (!c->patch.why) c->patch.why = "mark what is held, for the policy";
}

void plan_unpause(struct plan_ctx *c, const char *why) {
    c->patch.any = c->patch.checked = true;
    c->patch.paused = PAUSED_DROP;
    if (c->t->deadline_s == HELD_DEADLINE) c->patch.deadline_s = plan_original_deadline(c->s);
    if (c->t->held) c->patch.mark = MARK_DROP;
    c->patch.why = why;
}

/* What is left on a target that is not paused, or of a policy that is not in effect. */
static void tidy(struct plan_ctx *c) {
    bool deadline = plan_by_policy(c) && c->t->deadline_s == HELD_DEADLINE;
    if (!deadline && !c->t->held) return;
    c->patch.any = c->patch.checked = true;
    if (deadline) c->patch.deadline_s = plan_original_deadline(c->s);
    if (c->t->held) c->patch.mark = MARK_DROP;
    if (!c->patch.why) c->patch.why = "take off what is not in effect";
}

void plan_lift(struct plan_ctx *c) {
    const struct obs_target *t = c->t;
    /* The controller's own verdict: all pods are of this template. */
    if (!c->stable || t->st_updated != t->st_replicas) return;
    if (!t->paused || !plan_by_policy(c)) {
        tidy(c);
        return;
    }
    if (c->o->policy != POLICY_HOLDS) return;
    if (t->held || c->s->paused) {
        plan_unpause(c, "nothing is held: not paused at rest");
        return;
    }
    plan_hold(
        c, HOLD_USER_PAUSED, TEXT_KEPT,
        "the Deployment is paused by another client; a new template gets its canary all the same, and "
        "is rolled out when that has passed; to end the pause: kubectl rollout resume deployment/%s -n %s",
        t->name, t->ns);
}
