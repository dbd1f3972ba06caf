/* From a Deployment of its own to one that is held back, and watching it there: Idle, Adopting, Stable. */
#include "plan/plan_ctx.h"
#include "plan/spec_hint.h"
#include <stdio.h>

/* Its state was lost (the ConfigMap was deleted) while we held it: our mark tells it from a user's pause. */
static bool was_ours(const struct plan_ctx *c) {
    return plan_bears_mark(c->t);
}

/* Lost with the state is what it knew; the status, which goes with each phase, knows whether there was one. */
bool plan_never_adopted(const struct plan_ctx *c) {
    const char *status = c->t->status;
    bool idle = c->o->state_known == STATE_READ || !status || !strncmp(status, "Idle", 4);
    return c->s->phase == PHASE_IDLE && !c->s->stable_uid && c->t->deadline_s != HELD_DEADLINE && idle;
}

static const struct obs_rs *stable_of(const struct plan_ctx *c) {
    const struct obs_rs *last = NULL;
    size_t n = plan_count_active(c, &last);
    if (n == 1) return last;
    return n == 0 && c->t->replicas == 0 ? plan_own_of(c, c->t->hash) : NULL;
}

/* The canaries kept at zero remember what was rolled back. */
static void restore_quarantine(struct plan_ctx *c) {
    for (size_t i = 0; i < c->o->nrs; i++) {
        const struct obs_rs *r = &c->o->rs[i];
        if (r->canary && r->quarantined && r->hash[0])
            state_quarantine_add(c->s, r->hash, c->now, r->quarantined);
    }
}

/* We had it at zero, for a trial of mode leader: plan_keep_replicas() brings it back, and its controller has to see that. */
static bool at_zero(struct plan_ctx *c) {
    bool ours = c->t->replicas == 0 && plan_replicas_marked(c);
    bool starts = c->t->replicas > 0 && !plan_spec_observed(c) && plan_count_active(c, NULL) == 0;
    if (!ours && !starts) return false;
    plan_revisit(c, c->now + POLL_NS);
    return true;
}

static int64_t deadline_of(const struct obs_target *t) {
    return t->deadline_s >= 0 && t->deadline_s < HELD_DEADLINE ? t->deadline_s : DEFAULT_DEADLINE_S;
}

static bool recover(struct plan_ctx *c) {
    if (at_zero(c)) return false;
    const struct obs_rs *rs = stable_of(c);
    if (!rs || !rs->hash[0]) {
        plan_revisit(c, c->now + 10 * POLL_NS);
        return plan_hold(
            c, HOLD_NO_ACTIVE, TEXT_FOLLOWS,
            "the state was lost and %zu ReplicaSets run, so the stable one is not known; it is the one "
            "that is left when the others are scaled to zero: kubectl scale replicaset/NAME -n %s "
            "--replicas=0",
            plan_count_active(c, NULL), c->t->ns);
    }
    plan_take_stable(c, rs);
    c->s->deadline_s = deadline_of(c->t);
    c->s->paused = true;
    restore_quarantine(c);
    plan_event(c, EV_STATE_LOST, "the ConfigMap of the state was deleted; %s runs and is recorded as stable",
               rs->name);
    return plan_enter(c, PHASE_STABLE, "%s is stable; the state was lost and made anew", rs->name);
}

#define WAITING "Waiting for the current rollout to complete before adopting the %s"

/* Not adopted before its own rollout is through; what that waits for is named in the cluster's words. */
static bool wait_for_native(struct plan_ctx *c) {
    const struct obs_rs *rs = c->o->known ? plan_own_of(c, c->t->hash) : NULL;
    struct pods_cause cause = {0};
    bool late = plan_rollout_stands_still(c->t);
    if (late && !c->o->known) return false; /* its pods say why */
    if (rs && late) plan_pods_cause(c, rs, "new pods", rs->replicas, c->s->since_ns, &cause);
    if (cause.hold == HOLD_NONE && c->t->failure)
        snprintf(cause.text, sizeof cause.text, "%s", c->t->failure);
    if (!late && !c->t->failure) return plan_hold(c, HOLD_ROLLOUT, TEXT_NEWS, WAITING, plan_kind(c));
    return plan_hold(c, HOLD_ROLLOUT, TEXT_CAUSE,
                     WAITING "; it does not progress (%s): kubectl describe %s/%s -n %s", plan_kind(c),
                     *cause.text ? cause.text : c->t->progressing, c->t->kind->word, c->t->name, c->t->ns);
}

/* The policy knows an opted-in Deployment, and not whether it was adopted. What runs and is whole is worth holding the new
 * template back for; anything else goes on as it would without us. */
static bool held_too_soon(struct plan_ctx *c) {
    const struct obs_rs *rs = stable_of(c);
    bool whole = rs && c->t->replicas > 0 && rs->replicas == c->t->replicas &&
                 rs->st_available == c->t->replicas && c->t->st_replicas == c->t->replicas;
    if (!plan_spec_observed(c)) {
        plan_revisit(c, c->now + POLL_NS);
        return plan_hold(c, HOLD_ROLLOUT, TEXT_NEWS, WAITING, plan_kind(c));
    }
    if (!whole || !c->spec) {
        plan_unpause(c, "not adopted yet: its own rollout goes on");
        return plan_hold(c, HOLD_ROLLOUT, TEXT_NEWS, WAITING, plan_kind(c));
    }
    plan_take_stable(c, rs);
    c->s->deadline_s = deadline_of(c->t);
    c->s->paused = true;
    return plan_enter(c, PHASE_ADOPTING, "%s is in service", rs->name);
}

bool plan_phase_idle(struct plan_ctx *c) {
    const struct obs_target *t = c->t;
    bool never = was_ours(c) && plan_never_adopted(c);
    if (was_ours(c) && !(never && plan_is_set(c)))
        return c->o->known && (never ? held_too_soon(c) : recover(c));
    if (c->leaving) return false;
    if (!c->spec) return plan_hold(c, HOLD_CONFIG, TEXT_NEWS, "%s", plan_config_error(c));
    if (t->paused && plan_is_set(c)) return plan_hold_for_partition(c, "adopted");
    if (t->paused) {
        return plan_hold(c, HOLD_USER_PAUSED, TEXT_KEPT,
                         "the Deployment is paused by another client; it is adopted after: kubectl rollout "
                         "resume deployment/%s -n %s",
                         t->name, t->ns);
    }
    if (!plan_native_complete(c)) return wait_for_native(c);
    if (!c->o->known) return false;
    const struct obs_rs *rs = stable_of(c);
    if (!rs) {
        plan_revisit(c, c->now + POLL_NS);
        return t->replicas ? wait_for_native(c)
                           : plan_hold(c, HOLD_ZERO, TEXT_KEPT,
                                       "the %s is scaled to zero and has no %s; it is "
                                       "adopted when it is scaled up",
                                       plan_kind(c), plan_is_set(c) ? "revision" : "ReplicaSet");
    }
    if (!plan_same_hash(rs->hash, t->hash)) {
        return plan_hold(c, HOLD_CONFLICT, TEXT_KEPT,
                         "the %s controller reports the rollout as complete, but the template of %s "
                         "is not the %s's; nothing is changed until they agree",
                         plan_kind(c), rs->name, plan_kind(c));
    }
    plan_take_stable(c, rs);
    c->s->deadline_s = deadline_of(t);
    c->s->paused = !plan_by_policy(c);
    c->s->partition = t->partition;
    return plan_enter(c, PHASE_ADOPTING, "%s is in service", t->image);
}

/* The pause is seen, or the policy does without: now it is held back, and not when that was written down. */
static bool adopted(struct plan_ctx *c) {
    bool same = plan_same_hash(c->t->hash, c->s->stable_hash); /* or an update has come right behind it */
    const char *what = same ? c->t->image : c->s->stable_name;
    plan_note_way(c);
    if (!c->t->paused) c->s->paused = false;
    cleanup_buf struct buf hint = BUF(1024);
    bool misspelt = spec_hint_add(c->t->annotations, false, &hint);
    plan_event(c, EV_ADOPTED,
               "%s is stable (%s); image updates are held%s and rolled out as a canary first%s%s", what,
               c->s->stable_name, c->t->paused ? "" : " by the API server", misspelt ? "; " : "",
               buf_str(&hint));
    return plan_enter(c, PHASE_STABLE, "%s is in service", what);
}

bool plan_phase_adopting(struct plan_ctx *c) {
    const struct obs_rs *last = NULL;
    if (!c->o->known) return false;
    if (c->t->paused) return adopted(c);
    size_t n = plan_count_active(c, &last);
    bool still = c->stable && plan_same_hash(c->stable->hash, c->t->hash) && plan_native_complete(c) &&
                 (n == 0 || (n == 1 && last == c->stable));
    if (!still) { /* another client was quicker than our patch */
        c->s->paused = false;
        return plan_enter(c, PHASE_IDLE, "the %s changed while it was being adopted", plan_kind(c));
    }
    if (plan_by_policy(c)) return adopted(c);
    plan_enforce_paused(c);
    return false;
}

static bool new_template(struct plan_ctx *c) {
    const struct obs_target *t = c->t;
    const struct state_quarantine *q = NULL;
    if (t->st_updated > 0) {
        return plan_hold(
            c, HOLD_CONFLICT, TEXT_FOLLOWS,
            "the template differs from that of %s, but the %s controller counts %d pods as updated; "
            "nothing is changed until they agree",
            c->s->stable_name, plan_kind(c), t->st_updated);
    }
    if (state_quarantined(c->s, t->hash, &q)) {
        plan_clear_rollout(c->s);
        memcpy(c->s->hash, t->hash, sizeof c->s->hash);
        c->s->canary = canary_name(t->id, t->hash);
        c->s->image = xstrdup(t->image);
        plan_set_text(&c->s->reason, "%s", q->reason ? q->reason : "");
        plan_event(c, EV_QUARANTINED,
                   "%s was rolled back before (%s) and is not rolled out again; to retry: %s", t->image,
                   c->s->reason, plan_command(c, ACTION_RETRY).text);
        return plan_enter(c, PHASE_ROLLED_BACK, "%s was rolled back before: %s", t->image, c->s->reason);
    }
    if (plan_take_back(c)) return true;
    if (t->replicas == 0) {
        return plan_hold(c, HOLD_ZERO, TEXT_KEPT,
                         "the %s is scaled to zero; the rollout of %s starts when it is scaled up; "
                         "without a canary: %s",
                         plan_kind(c), t->image, plan_command(c, ACTION_PROMOTE).text);
    }
    if (c->spec->rehearse_ns && !c->o->rehearsal_key[0]) return false; /* the edge has one at the next look */
    plan_begin_rollout(c);
    return true;
}

bool plan_phase_stable(struct plan_ctx *c) {
    const struct obs_target *t = c->t;
    enum held_back back = plan_enforce_paused(c);
    if (back == BACK_MOVED) return true;
    if (!c->o->known) return false;
    if (!c->spec) return plan_hold(c, HOLD_CONFIG, TEXT_NEWS, "%s", plan_config_error(c));
    if (c->spec->rehearse_ns && plan_is_own_target(c))
        return plan_hold(
            c, HOLD_CONFIG, TEXT_NEWS,
            "annotation rehearse: not for Handover itself, whose pods would be taken for ones that lead; "
            "allowed: without it");
    if (c->s->hold == HOLD_CONFIG) plan_unhold(c);
    if (back == BACK_BUSY) return false;
    plan_remove_other_canaries(c);
    if (!plan_spec_observed(c)) { /* its status is of an older spec */
        plan_revisit(c, c->now + POLL_NS);
        return false;
    }
    if (!plan_same_hash(t->hash, c->s->stable_hash)) return t->paused && new_template(c);
    if (t->replicas > 0 && t->st_replicas > 0 && t->st_updated == 0 && t->paused) {
        return plan_hold(
            c, HOLD_CONFLICT, TEXT_KEPT,
            "the template is that of %s, but the %s controller counts no pod as updated; nothing is "
            "changed until they agree",
            c->s->stable_name, plan_kind(c));
    }
    plan_unhold(c);
    plan_lift(c);
    return false;
}
