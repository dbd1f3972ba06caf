/* A version that is good goes into service: the native rolling update under a deadline of its own, then held
 * again. */
#include "plan/plan_ctx.h"
#include <stdio.h>

bool plan_promote(struct plan_ctx *c, const char *fmt, ...) {
    struct state *s = c->s;
    va_list ap;
    va_start(ap, fmt);
    cleanup_free char *text = plan_text(fmt, ap);
    va_end(ap);
    s->ending = ENDED_PROMOTED;
    plan_set_text(&s->reason, "%s", text);
    s->repair = s->window = s->pause_asked = false;
    if (c->t->paused && c->t->held) s->paused = true; /* by the policy, a moment ago */
    s->pause_ns = 0;
    s->best_updated = s->best_available = 0;
    s->least_old = c->t->replicas;
    s->progress_ns = c->now;
    return plan_enter(c, PHASE_PROMOTING, "%s is being rolled out: %s", s->image, text);
}

bool plan_promote_waiting(struct plan_ctx *c, const char *why) {
    struct state *s = c->s;
    plan_clear_rollout(s);
    /* NOLINTNEXTLINE(clang-analyzer-*): an array is never NULL, though slice_of() asks */
    memcpy(s->hash, c->t->hash, sizeof s->hash);
    s->image = xstrdup(c->t->image);
    s->began_ns = c->now;
    return plan_promote(c, "%s", why);
}

/* Our unpause is seen: the native update runs from now on, and its deadline counts. */
static void unpaused(struct plan_ctx *c) {
    struct state *s = c->s;
    s->paused = false;
    s->progress_ns = c->now;
    if (s->repair)
        plan_event(c, EV_REPAIRING,
                   "stable's ReplicaSet %s was deleted; the Deployment is unpaused until its controller has "
                   "made it again",
                   s->stable_name);
    else if (s->pause_ns)
        plan_event(c, EV_RESUMED, "resumed by %s in phase %s", plan_who(c, ACTION_RESUME).text,
                   phase_name(s->phase));
    else
        plan_event(c, EV_PROMOTING, "%s: %s", s->image ? s->image : s->hash, s->reason ? s->reason : "");
    s->pause_ns = 0;
}

/* The best seen so far: a pod that comes and goes is no progress. */
static void track_progress(struct plan_ctx *c) {
    struct state *s = c->s;
    int32_t updated = c->t->st_updated, old = c->t->st_replicas - c->t->st_updated;
    const struct obs_rs *rs = plan_own_of(c, c->t->hash);
    int32_t available = rs ? rs->st_available : 0;
    if (updated <= s->best_updated && available <= s->best_available && old >= s->least_old) return;
    if (updated > s->best_updated) s->best_updated = updated;
    if (available > s->best_available) s->best_available = available;
    if (old < s->least_old) s->least_old = old < 0 ? 0 : old;
    s->progress_ns = c->now;
}

static bool complete(struct plan_ctx *c) {
    struct state *s = c->s;
    const struct obs_rs *rs = plan_own_of(c, c->t->hash);
    if (!rs || !plan_native_complete(c)) return false;
    const struct obs_rs *last = NULL;
    size_t active = plan_count_active(c, &last);
    if (active > 1 || (active == 1 && last != rs)) return false;
    bool back = plan_same_hash(rs->hash, s->stable_hash);
    plan_take_stable(c, rs);
    s->paused = !plan_by_policy(c); /* from here on we hold it again */
    s->pause_asked = false;
    if (s->repair) {
        plan_event(c, EV_REPAIRED, "stable's ReplicaSet %s runs again", rs->name);
        return plan_enter(c, PHASE_FINISHING, "stable's ReplicaSet runs again");
    }
    state_quarantine_remove(s, rs->hash);
    if (back) {
        plan_end_rollout(c, ENDED_CANCELLED, "the template was put back while it was rolled out");
        plan_event(c, EV_ROLLOUT_CANCELLED, "%s is in service again", c->t->image);
    } else {
        cleanup_free char *why = xstrdup(s->reason ? s->reason : "");
        plan_end_rollout(c, ENDED_PROMOTED, "%s", why);
        plan_event(c, EV_PROMOTED, "%s is in service: %s", c->t->image, why);
    }
    return plan_enter(c, PHASE_FINISHING, "%s is in service; the canary is being removed", c->t->image);
}

/* Another template while the native update runs would go out unjudged: paused at once, whatever of it runs by now
 * (it may be everywhere, when no Handover was there to see it). What serves again is stable, or the version that
 * was just judged good where stable is at zero already; the other template gets its canary then. */
static bool superseded(struct plan_ctx *c) {
    struct state *s = c->s;
    const struct obs_rs *judged = s->repair ? NULL : plan_own_of(c, s->hash);
    bool stable_runs = c->stable && c->stable->replicas > 0;
    bool keep = !stable_runs && judged;
    if (keep) plan_take_stable(c, judged);
    if (!s->repair)
        plan_end_rollout(c, keep ? ENDED_PROMOTED : ENDED_CANCELLED,
                         "a newer template (%s) superseded it while it was rolled out", c->t->image);
    plan_event(c, EV_SUPERSEDED,
               "the template changed to %s while %s was being rolled out; it will be rolled out as a canary "
               "first",
               c->t->image, s->image ? s->image : "stable");
    s->repair = false;
    return plan_enter(c, PHASE_CANCELLING, "a newer template (%s) supersedes it", c->t->image);
}

static bool paused_by_others(struct plan_ctx *c) {
    c->plan->look_again_ns = TIME_NEVER;
    if (plan_is_set(c)) return plan_hold_for_partition(c, "complete");
    return plan_hold(
        c, HOLD_USER_PAUSED, TEXT_KEPT,
        "another client paused the Deployment in the middle of the rollout; to go on: kubectl rollout "
        "resume deployment/%s -n %s",
        c->t->name, c->t->ns);
}

/* Goes on after a pause: the time of standing still does not count. */
static void resumed(struct plan_ctx *c) {
    if (c->s->hold != HOLD_PAUSED_BY_USER && c->s->hold != HOLD_USER_PAUSED) return;
    c->s->progress_ns = c->now;
    plan_unhold(c);
}

/* A state is only a text: what it ships is what its own evidence, the policy or a recorded command supports. */
static bool supported(const struct plan_ctx *c) {
    const struct state *s = c->s;
    struct judge_report r;
    for (size_t i = 0; i < s->nconsumed; i++) {
        const struct state_consumed *x = &s->consumed[i];
        if (x->action == ACTION_PROMOTE && slice_eqs(spec_action_hash(x->value), s->hash)) return true;
    }
    if (s->repair) return plan_same_hash(c->t->hash, s->stable_hash);
    if (s->window) return plan_versions_back(s, s->hash) > 0;
    bool policy = c->spec && c->spec->on_inconclusive == INCONCLUSIVE_PROMOTE;
    if (policy && s->began_ns && s->progress_ns - s->began_ns >= c->spec->deadline_ns) return true;
    if (!s->learned) return false;
    judge_verdict(&s->judge, &s->param, s->param.soak_ns, &r);
    return r.verdict == VERDICT_PASS;
}

static bool paused_promotion(struct plan_ctx *c) {
    struct state *s = c->s;
    if (s->pause_asked) {
        c->plan->look_again_ns = TIME_NEVER;
        if (s->hold != HOLD_PAUSED_BY_USER)
            plan_event(c, EV_PAUSED, "paused by %s in phase %s", plan_who(c, ACTION_PAUSE).text,
                       phase_name(s->phase));
        return plan_hold_for_user(c);
    }
    /* Begun, and the policy has paused it: for stable's template again, or for another notation of this one. */
    bool begun = !s->paused;
    if (begun && !c->t->held) return paused_by_others(c);
    bool back = begun && plan_same_hash(c->t->hash, s->stable_hash);
    if (!back && !supported(c)) {
        plan_event(c, EV_STATE_DAMAGED,
                   "the state asks for a promotion of %s that neither a verdict nor a user command supports; "
                   "its rollout "
                   "starts anew",
                   s->image ? s->image : s->hash);
        return plan_cancel_rollout(c, "its promotion is not supported by a verdict");
    }
    plan_unpause(c, "unpause");
    return false;
}

/* The promotion is decided, so the canary's room is the new pods', if they lack it: as many go as are missing, in a quiet moment,
 * and the controller and the scheduler have some time to fill it before more go. */
#define ROOM_NS (10 * NS_PER_S)

static bool make_room(struct plan_ctx *c, int32_t missing) {
    struct state *s = c->s;
    const struct obs_rs *rs = plan_canary_of(c, s->hash);
    if (!rs || rs->replicas == 0) return false;
    plan_revisit(c, s->progress_ns + ROOM_NS + 1000);
    bool going = rs->st_replicas > rs->replicas; /* pods of the last time */
    if (going || c->now - s->progress_ns < ROOM_NS || !plan_quiet_enough(c, TRACK_CANARY)) return false;
    int32_t left = rs->st_replicas > missing ? rs->st_replicas - missing : 0;
    plan_step_scale(c, rs, left, "the canary makes room for the promotion");
    s->progress_ns = c->now;
    return true;
}

/* No pod of the new version is asked for yet. */
static void not_begun(const struct plan_ctx *c, struct pods_cause *ret) {
    const char *why = c->t->failure    ? c->t->failure
                      : c->t->recreate ? "strategy Recreate: the old pods have to be gone first"
                                       : "it may not be running";
    *ret =
        (struct pods_cause){.hold = HOLD_NOT_CREATED, .follow = TEXT_CAUSE, .at_once = c->t->failure != NULL};
    snprintf(ret->text, sizeof ret->text, "the %s controller has not begun: %.400s", plan_kind(c), why);
}

/* The native update waits for something outside: the time does not count, and nothing is rolled back for it. */
static bool held_from_outside(struct plan_ctx *c, const struct obs_rs *rs, struct pods_cause *cause) {
    struct state *s = c->s;
    if (rs && (rs->replicas > 0 || c->t->replicas == 0))
        plan_pods_cause(c, rs, "new pods", rs->replicas, s->progress_ns, cause);
    else
        not_begun(c, cause);
    if (cause->hold == HOLD_NONE) {
        if (!plan_was_outside(c)) return false;
        s->progress_ns = c->now;
        plan_unhold(c);
        return false;
    }
    bool room = cause->missing > 0 && (cause->hold == HOLD_NOT_CREATED || cause->hold == HOLD_UNSCHEDULABLE);
    bool made = room && make_room(c, cause->missing); /* what is done has its reason beside it */
    if (!made && !plan_cause_is_due(c, cause, s->progress_ns)) return true;
    bool serves = c->t->st_available >= c->t->replicas; /* else the user may rather have stable back */
    plan_hold(c, cause->hold, cause->follow, "%s; the promotion waits%s%s%s", cause->text,
              room ? ", and the canary makes room for it" : "",
              serves ? "" : "; to go back: ", serves ? "" : plan_command(c, ACTION_ABORT).text);
    return true;
}

/* All that the controller asked for so far is available: what it waits for is not this version. */
static bool controllers_turn(const struct plan_ctx *c, const struct obs_rs *rs) {
    return rs->st_available >= rs->replicas && !plan_same_hash(c->t->hash, c->s->stable_hash);
}

static bool stuck(struct plan_ctx *c) {
    struct state *s = c->s;
    struct pods_cause cause;
    const struct obs_rs *rs = plan_own_of(c, c->t->hash);
    if (held_from_outside(c, rs, &cause)) return false;
    /* The new pods' own time: since they were asked for, and could start. */
    int64_t limit = plan_original_deadline(s) * NS_PER_S, from = s->progress_ns;
    if (rs->created_ns > from) from = rs->created_ns;
    if (cause.own && cause.own->started_ns > from) from = cause.own->started_ns;
    plan_revisit(c, from + limit);
    if (c->now - from < limit) return false;
    if (controllers_turn(c, rs))
        return plan_hold(c, HOLD_STUCK, TEXT_FOLLOWS,
                         "all %d pods that the %s controller has asked for so far are available, and it does "
                         "not go on: kubectl describe %s/%s -n %s",
                         rs->replicas, plan_kind(c), c->t->kind->word, c->t->name, c->t->ns);
    if (s->repair || plan_same_hash(c->t->hash, s->stable_hash)) {
        return plan_hold(c, HOLD_STUCK, TEXT_FOLLOWS,
                         "stable's version does not become available: %d of %d pods", c->t->st_available,
                         c->t->replicas);
    }
    return plan_roll_back(
        c, ENDED_STUCK,
        "no progress for %lld s while it was rolled out (%d of %d pods updated and available)",
        (long long)plan_original_deadline(s), c->s->best_available, c->t->replicas);
}

bool plan_phase_promoting(struct plan_ctx *c) {
    struct state *s = c->s;
    const struct obs_target *t = c->t;
    bool ours = plan_same_hash(t->hash, s->hash), stables = plan_same_hash(t->hash, s->stable_hash);
    if (!c->o->known) { /* after a takeover: what must not go on is stopped before the rest is known */
        if (!ours && !stables && !t->paused) plan_pause(c, false);
        return false;
    }
    plan_revisit(c, c->now + 5 * POLL_NS); /* the Deployment's own status changes with each pod */
    if (!ours && !stables) return superseded(c);
    if (t->paused && s->paused && !ours && !s->repair)
        return plan_cancel_rollout(c, "the template is stable's again"); /* not begun */
    if (t->paused) return paused_promotion(c);
    if (s->pause_asked) { /* spec.paused alone: the update stands still, the deadline is the user's own */
        c->patch.any = true;
        c->patch.paused = PAUSED_SET;
        if (plan_by_policy(c)) c->patch.mark = MARK_SET;
        c->patch.why = "pause the rollout";
        s->paused = true;
        return false;
    }
    if (s->paused) unpaused(c);
    if (!plan_at_partition(c)) resumed(c);
    if (!plan_spec_observed(c)) {
        struct pods_cause cause;
        /* It says that it cannot, and so it never says that it has seen the spec. */
        if (t->failure && !plan_own_of(c, t->hash)) held_from_outside(c, NULL, &cause);
        return false;
    }
    track_progress(c);
    if (complete(c)) return true;
    return plan_at_partition(c) ? plan_hold_for_partition(c, "complete") : stuck(c);
}

bool plan_phase_finishing(struct plan_ctx *c) {
    if (!c->o->known) return false;
    enum held_back back = plan_enforce_paused(c);
    if (back == BACK_MOVED) return true;
    bool away = plan_canary_teardown(c, true);
    if (!plan_slice_is_back(c) || !plan_is_held_back(c) || back != BACK_OK || !away) {
        plan_revisit(c, c->now + POLL_NS);
        return false;
    }
    plan_clear_rollout(c->s);
    return plan_enter_described(c, PHASE_STABLE);
}
