/* The trials of mode leader. Stable leads; the canary is ready and stands by. At a moment without work stable goes to zero, so that
 * none of its pods can take the Lease, the canary takes it, and at once stable is back as a standby: from then on the canary's end is
 * all it takes to go back. After its turn the canary ends, and stable leads again. */
#include "plan/plan_ctx.h"
#include "api/rfc3339.h"

/* The canary did not come to lead so often: it will be so again, and each time costs stable its leader. */
enum { OFTEN_DISTURBED = 3 };
#define SETTLE_NS (10 * NS_PER_S) /* a scale of ours and another client's may cross */
/* Beside the duration of the Lease: for stable's end within its grace period, and for client-go's polls. */
#define TAKE_NS (60 * NS_PER_S)

void plan_trial_next(struct plan_ctx *c, enum trial_step step) {
    struct trial *t = &c->s->trial;
    t->step = step;
    t->since_ns = c->now;
    c->s->shrink_ns = 0;
    char text[300];
    if (c->s->hold != HOLD_NONE) return;
    plan_describe_phase(c, text);
    plan_set_text(&c->s->message, "%s", text);
}

static bool until(struct plan_ctx *c, int64_t at_ns) {
    plan_revisit(c, at_ns);
    return c->now >= at_ns;
}

static bool begin_trial(struct plan_ctx *c, const struct obs_lease *l) {
    struct state *s = c->s;
    s->trial.n++;
    s->evidence.dry[TRACK_CANARY] = 0; /* as a standby it had no numbers */
    plan_trial_next(c, TRIAL_LEADS);
    char until[32];
    rfc3339_seconds(c->now + plan_lead_ns(s, c->spec->soak_ns), until);
    if (plan_is_own_target(c))
        plan_event(c, EV_TRIAL, "trial %u of %s: %s leads by Lease %s until %s, and %s guards it", s->trial.n,
                   s->image, plan_holder_name(c, l), l->name, until, c->o->own_name);
    else
        plan_event(c, EV_TRIAL, "trial %u of %s: the canary leads by Lease %s", s->trial.n, s->image,
                   l->name);
    return false;
}

static bool stands_by(struct plan_ctx *c, const struct obs_lease *l) {
    struct state *s = c->s;
    enum track held;
    if (plan_judge(c, false)) return true;
    if (plan_past_deadline(c)) { /* its signals and its stalls count, too */
        if (plan_judge(c, true)) return true;
        if (!c->own_passes) return false; /* else one more trial decides */
    }
    bool known = plan_holder(c, l, &held), leads = known && held == TRACK_STABLE;
    if (known && !leads) return begin_trial(c, l); /* stable's leader has ended by itself */
    if (plan_leave_turns(c)) return false;
    bool whole =
        c->stable && c->t->replicas > 0 && c->stable->st_ready >= c->t->replicas && plan_spec_observed(c);
    plan_revisit(c, c->now + POLL_NS);
    if (!leads || !whole) return false;
    int64_t from =
        l->acquired_ns > s->trial.since_ns && l->acquired_ns <= c->now ? l->acquired_ns : s->trial.since_ns;
    if (!until(c, from + plan_turn_ns(s, c->spec->soak_ns))) return false;
    if (s->trial.disturbed >= OFTEN_DISTURBED)
        return plan_hold(
            c, HOLD_CONFLICT, TEXT_KEPT,
            "%u times stable has given Lease %s up, and the canary did not come to lead: another "
            "client scales the Deployment up (have it leave spec.replicas alone), the canary is "
            "not ready without stable, or stable does not end; then: %s",
            s->trial.disturbed, l->name, plan_command(c, ACTION_RETRY).text);
    if (plan_is_own_target(c)) { /* it drains before it gives its Lease up */
        plan_trial_next(c, TRIAL_GIVING);
        plan_own_yield(c);
        return false;
    }
    if (!plan_way_back_is_clear(c) || !plan_quiet_enough(c, TRACK_STABLE)) return false;
    s->replicas = c->t->replicas;
    c->giving = true;
    plan_trial_next(c, TRIAL_GIVING);
    return false;
}

static bool stable_runs(const struct plan_ctx *c) {
    for (size_t i = 0; i < c->o->npods; i++)
        if (c->o->pods[i].track == TRACK_STABLE && !c->o->pods[i].finished) return true;
    return false;
}

static bool takes(struct plan_ctx *c, const struct obs_lease *l) {
    struct state *s = c->s;
    enum track held;
    plan_revisit(c, c->now + POLL_NS);
    if (plan_holder(c, l, &held) && held == TRACK_CANARY) return begin_trial(c, l);
    if (plan_is_own_target(c)) return plan_own_takes(c, l);
    bool set = c->t->replicas > 0, late = c->now - s->trial.since_ns > SETTLE_NS;
    if (set && (late || plan_replicas_marked(c))) { /* by another client, after us: it is obeyed */
        s->trial.disturbed++;
        plan_trial_next(c, TRIAL_STANDBY);
        return false;
    }
    bool ends = stable_runs(c);
    if (ends)
        s->shrink_ns = 0;
    else if (!s->shrink_ns)
        s->shrink_ns = c->now; /* what is dead is released, or expires */
    c->giving = ends ? c->now - s->trial.since_ns <= TAKE_NS + l->duration_ns
                     : c->now - s->shrink_ns <= PLAN_PATIENCE_NS + l->duration_ns;
    if (c->giving) return false;
    if (ends) { /* a pod of stable's that does not end */
        plan_trial_next(c, TRIAL_STANDBY);
        s->trial.disturbed++;
        return false;
    }
    return plan_roll_back(c, ENDED_FAILED,
                          "the canary was ready and did not take Lease %s, which stable had given up",
                          l->name);
}

/* Of Handover's own the guardian is, which asks. */
static bool stable_is_back(const struct plan_ctx *c) {
    return c->o->own == OWN_STABLE ||
           (c->t->replicas > 0 && c->stable && c->stable->st_ready >= c->t->replicas);
}

static bool leads(struct plan_ctx *c, const struct obs_lease *l) {
    struct state *s = c->s;
    enum track held;
    plan_revisit(c, c->now + POLL_NS);
    bool known = plan_holder(c, l, &held);
    bool back = stable_is_back(c);
    if (plan_judge(c, back && known && held == TRACK_CANARY) || plan_own_orphan(c)) return true;
    if (!back && plan_past_deadline(c)) return plan_on_deadline(c, false, "stable's pods are not ready");
    int64_t led = plan_soaked_ns(c);
    if (known && held == TRACK_STABLE) { /* lost; more than once is a signal */
        s->trial.led_ns = led;
        plan_trial_next(c, TRIAL_STANDBY);
        return false;
    }
    int64_t end = s->trial.since_ns + plan_lead_ns(s, c->spec->soak_ns);
    if (!back || !until(c, end)) return false;
    if (c->o->scraped_ns < end && !until(c, end + PLAN_PATIENCE_NS)) return false; /* one look at all of it */
    s->trial.led_ns = led;
    plan_trial_next(c, TRIAL_RETURNING);
    return false;
}

/* The canary is scaled down, in a quiet moment (phase_canary.c: none is wanted), and made again for the next trial. */
static bool returns(struct plan_ctx *c, const struct obs_lease *l) {
    enum track held;
    plan_revisit(c, c->now + POLL_NS);
    if (plan_judge(c, false)) return true;
    const struct obs_rs *rs = plan_canary_of(c, c->s->hash);
    bool gone = !rs || (rs->replicas == 0 && rs->st_replicas == 0);
    if (!gone || !plan_holder(c, l, &held) || held != TRACK_STABLE)
        return plan_past_deadline(c) && c->now - c->s->trial.since_ns > PLAN_PATIENCE_NS + l->duration_ns &&
               plan_on_deadline(c, false, "stable has not taken the Lease again");
    enum own_end own = plan_own_end(c);
    if (own == OWN_END_UNSEEN) return false;
    if (own == OWN_END_BAD || (own == OWN_END_GOOD && plan_is_own_target(c) && plan_judge(c, true)))
        return true;
    plan_trial_next(c, TRIAL_STANDBY);
    return false;
}

bool plan_take_turns(struct plan_ctx *c) {
    static bool (*const steps[TRIAL_STEPS])(struct plan_ctx * c,
                                            const struct obs_lease *l) = {[TRIAL_STANDBY] = stands_by,
                                                                          [TRIAL_GIVING] = takes,
                                                                          [TRIAL_LEADS] = leads,
                                                                          [TRIAL_RETURNING] = returns};
    const struct obs_lease *l = plan_lease(c);
    if (l) return steps[c->s->trial.step](c, l);
    plan_revisit(c, c->now + POLL_NS);
    if (plan_judge(c, false)) return true;
    if (plan_past_deadline(c)) return plan_on_deadline(c, false, "its Lease is not there");
    return c->now - c->s->trial.since_ns > PLAN_PATIENCE_NS &&
           plan_hold(c, HOLD_NO_DATA, TEXT_KEPT, "Lease %s of mode leader is not there, or cannot be read",
                     c->s->trial.lease);
}

void plan_end_trial(struct plan_ctx *c) {
    struct trial *t = &c->s->trial;
    const struct obs_lease *l = t->step == TRIAL_STANDBY || t->step == TRIAL_GIVING ? plan_lease(c) : NULL;
    enum track held;
    bool slipped = l && plan_holder(c, l, &held) && held == TRACK_CANARY; /* it took it meanwhile */
    if ((t->step != TRIAL_LEADS && !slipped) || !stable_is_back(c)) return;
    if (!slipped) t->led_ns = plan_soaked_ns(c);
    plan_trial_next(c, TRIAL_RETURNING);
}
