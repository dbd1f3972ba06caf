/* Holding the target back: paused, or at rest under the policy (hold_way.c), and no ReplicaSet of its own runs but stable's. Every
 * phase that holds asks for it each time; an unpause or another version's start by another client is undone here. */
#include "plan/plan_ctx.h"

void plan_pause(struct plan_ctx *c, bool checked) {
    plan_follow_deadline(c);
    c->s->paused = true;
    c->patch.any = true;
    c->patch.checked = c->patch.checked || checked;
    c->patch.paused = PAUSED_SET;
    if (plan_by_policy(c))
        c->patch.mark = MARK_SET;
    else if (!plan_is_set(c))
        c->patch.deadline_s = HELD_DEADLINE;
    c->patch.why = plan_is_set(c) ? "hold by the partition" : "pause";
}

#define UNPAUSED_NS (3600 * NS_PER_S)

/* A manifest with the field, applied again and again, is not a user's resume: it is named. The count is written, so
 * the time of the last one is kept only to the minute. */
static void count_unpause(struct plan_ctx *c) {
    struct state *s = c->s;
    if (c->now - s->unpaused_ns > UNPAUSED_NS) s->unpaused = 0;
    if (s->unpaused < STATE_UNPAUSED_OFTEN && ++s->unpaused == STATE_UNPAUSED_OFTEN)
        plan_event(c, EV_PAUSED_FIELD_CONFLICT,
                   "a manifest sets %s: another client has taken the pause away %u times; remove %s from "
                   "the manifest, or have its tool ignore the field (Argo CD: ignoreDifferences, %s)",
                   c->t->kind->field, s->unpaused, c->t->kind->field, c->t->kind->pointer);
    if (s->unpaused < STATE_UNPAUSED_OFTEN || c->now - s->unpaused_ns > 60 * NS_PER_S)
        s->unpaused_ns = c->now;
}

static void keep_deadline(struct plan_ctx *c) {
    struct state *s = c->s;
    bool set = c->t->deadline_s == HELD_DEADLINE || c->patch.deadline_s == HELD_DEADLINE;
    if (set || s->pds_restored >= PLAN_MAX_RESTORED) return;
    if (c->t->deadline_s >= 0) s->deadline_s = c->t->deadline_s;
    s->pds_restored++;
    c->patch.any = true;
    c->patch.deadline_s = HELD_DEADLINE;
    if (!c->patch.why) c->patch.why = "progressDeadlineSeconds while held";
}

/* Another version than stable runs, is complete, and stable is at zero: it is in service. Undoing that would stop
 * pods that serve. */
enum held_back plan_accept(struct plan_ctx *c, const struct obs_rs *rs, const char *why) {
    struct state *s = c->s;
    bool trial = plan_same_hash(s->hash, rs->hash);
    if (!trial) {
        plan_clear_rollout(s);
        memcpy(s->hash, rs->hash, sizeof s->hash);
        s->image = xstrdup(c->t->image);
    }
    state_quarantine_remove(s, rs->hash);
    plan_take_stable(c, rs);
    s->unjudged = true;
    plan_end_rollout(c, ENDED_UNMANAGED, "%s, and the version was in service before that could be undone",
                     why);
    plan_event(c, EV_UNMANAGED_ROLLOUT,
               "%s is in service without a verdict: %s; to go back, set the former image", c->t->image, why);
    plan_enter(c, PHASE_FINISHING, "%s is in service without a verdict", c->t->image);
    return BACK_MOVED;
}

/* In these phases it was our unpausing that let another template in. */
static bool ours_to_undo(const struct plan_ctx *c) {
    enum phase p = c->s->phase;
    return p == PHASE_CANCELLING || p == PHASE_ROLLING_BACK || p == PHASE_FINISHING;
}

static enum held_back others_run(struct plan_ctx *c, const struct obs_rs *last) {
    const struct obs_target *t = c->t;
    plan_revisit(c, c->now + POLL_NS);
    bool stable_runs = c->stable && c->stable->replicas > 0;
    if (!t->paused || !plan_spec_observed(c))
        return BACK_BUSY; /* first the controller has to stop moving them; at rest it is stable that it restores */
    if (stable_runs) {
        plan_step_scale_checked(c, c->stable, c->stable->replicas, "check that stable still runs");
        for (size_t i = 0; i < c->o->nrs; i++) {
            const struct obs_rs *r = &c->o->rs[i];
            if (plan_is_active(c, r) && r != c->stable)
                plan_step_scale(c, r, 0, "the other version to zero; the controller restores stable");
        }
        return BACK_BUSY;
    }
    /* Never scale down the only active ReplicaSet: first stable's has to run again. */
    if (plan_same_hash(last->hash, t->hash) && plan_native_complete(c)) {
        if (!ours_to_undo(c) || (!c->stable && !c->s->stable_template))
            return plan_accept(c, last, "another client unpaused the Deployment");
        plan_step_detach(c, last, "take the version that was not judged out of the Deployment");
        if (!c->stable) return BACK_BUSY;
    }
    if (!c->stable && plan_restore_stable(c)) return BACK_BUSY;
    if (!c->stable) {
        plan_hold(c, HOLD_NO_ACTIVE, TEXT_KEPT,
                  "stable's ReplicaSet %s was deleted and another version is starting; that one is in "
                  "service when it is "
                  "complete",
                  c->s->stable_name);
        return BACK_BUSY;
    }
    if (t->replicas > 0)
        plan_step_scale_checked(c, c->stable, t->replicas,
                                "stable runs again, before the other version goes");
    return BACK_BUSY;
}

static enum held_back nothing_runs(struct plan_ctx *c) {
    const struct obs_target *t = c->t;
    plan_revisit(c, c->now + POLL_NS);
    if (!t->paused || !plan_spec_observed(c)) return BACK_BUSY;
    if (c->stable) { /* scaled from zero: left alone, the controller may pick another ReplicaSet */
        plan_step_scale_checked(c, c->stable, t->replicas, "stable runs again");
        return BACK_BUSY;
    }
    if (!plan_same_hash(t->hash, c->s->stable_hash) && plan_restore_stable(c)) return BACK_BUSY;
    if (plan_same_hash(t->hash, c->s->stable_hash)) {
        bool trial = c->s->phase != PHASE_STABLE;
        if (trial) plan_clear_rollout(c->s);
        c->s->repair = true;
        plan_enter(c, PHASE_PROMOTING, "stable's ReplicaSet was deleted and is being made again");
        c->s->progress_ns = c->now;
        return BACK_MOVED;
    }
    plan_hold(c, HOLD_NO_ACTIVE, TEXT_KEPT,
              "NOTHING RUNS: stable's ReplicaSet %s was deleted and the template is another version's; set "
              "stable's "
              "image again, or promote the new one: %s",
              c->s->stable_name, plan_command(c, ACTION_PROMOTE).text);
    return BACK_BUSY;
}

static void keep_pause(struct plan_ctx *c) {
    if (plan_by_policy(c))
        plan_keep_mark(c);
    else if (!plan_is_set(c))
        keep_deadline(c);
}

static void rest(struct plan_ctx *c) {
    plan_follow_deadline(c);
    c->s->paused = false;
}

static void answer_unpause(struct plan_ctx *c, bool ours, bool taken) {
    if (!ours && taken) count_unpause(c);
    c->plan->policy_failed = c->o->policy == POLICY_HOLDS;
    plan_pause(c, ours);
}

enum held_back plan_enforce_paused(struct plan_ctx *c) {
    const struct obs_rs *last = NULL;
    bool ours =
        c->s->phase == PHASE_ADOPTING || c->s->phase == PHASE_FINISHING; /* not paused yet: nothing to undo */
    bool undoing = c->s->hold == HOLD_UNMANAGED || c->s->hold == HOLD_WRITE_REFUSED;
    bool taken = c->s->paused && !undoing; /* if it is not paused */
    plan_note_way(c);
    bool rests = plan_rests(c);
    if (c->t->paused)
        keep_pause(c);
    else if (rests)
        rest(c);
    else
        answer_unpause(c, ours, taken);
    if (!c->o->known) return BACK_BUSY;
    size_t active = plan_count_active(c, &last);
    enum held_back r = BACK_OK;
    bool set = plan_is_set(c);
    bool other = set ? plan_other_revision(c) : active > 1 || (active == 1 && last != c->stable);
    if (other)
        r = set ? plan_undo_revision(c) : others_run(c, last);
    else if (!set && active == 0 && c->t->replicas > 0)
        r = nothing_runs(c);
    if (r == BACK_MOVED) return r;
    /* Unpaused with the new template: pods of it start at any moment, whether one sees their ReplicaSet yet
     * or not. */
    bool foreign = !ours && !c->t->paused && !plan_same_hash(c->t->hash, c->s->stable_hash);
    if (foreign || other) {
        if (c->s->hold != HOLD_NO_ACTIVE && !ours_to_undo(c)) {
            plan_hold(c, HOLD_UNMANAGED, TEXT_KEPT,
                      "another client %s or started another version; stable is being restored",
                      plan_is_set(c) ? "lowered the StatefulSet's partition" : "unpaused the Deployment");
        }
        plan_revisit(c, c->now + POLL_NS);
        return BACK_BUSY;
    }
    bool was = c->s->hold == HOLD_UNMANAGED || c->s->hold == HOLD_NO_ACTIVE;
    if (r == BACK_OK && was && plan_is_held_back(c)) plan_unhold(c);
    return r;
}
