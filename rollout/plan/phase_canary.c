/* The canary phase: the canary starts, is watched step by step, is judged. Nothing here goes forward without
 * evidence, and nothing here goes back without a verdict. */
#include "api/template.h"
#include "base/json_raw.h"
#include "plan/plan_ctx.h"
#include <stdio.h>

/* So long a stable without metrics is asked for its history, before the default rate is taken. */
#define LEARN_NS (30 * NS_PER_S)
#define TAKEN_NS (30 * NS_PER_S)             /* between tries to create a canary whose name is taken */
enum { DRY_ROUNDS = 3, STALLED_ROUNDS = 3 }; /* without numbers, before it is reported */

int64_t plan_scrape_interval(int64_t soak_ns) {
    int64_t ns = soak_ns / 60;
    return ns < NS_PER_S ? NS_PER_S : ns > 15 * NS_PER_S ? 15 * NS_PER_S : ns;
}

int64_t plan_deadline_at(const struct plan_ctx *c) {
    int64_t rehearses = c->s->phase == PHASE_REHEARSING ? c->spec->rehearse_ns : 0;
    return c->s->began_ns + c->s->shift_ns + plan_outside_ns(c) + c->spec->deadline_ns + rehearses;
}

/* The judge's parameters: theta is fixed before the canary's first event, the rest follows the annotations. */
bool plan_learn(struct plan_ctx *c) {
    struct state *s = c->s;
    if (!c->spec) return false;
    s->param.psi0 = c->spec->max_regression;
    s->param.min_events = c->spec->min_events;
    int64_t least, soak = plan_soak_ns(c, &least);
    judge_param_soak(&s->param, soak);
    if (c->spec->min_soak_ns >= 0 && c->spec->min_soak_ns <= soak)
        s->param.min_soak_ns = c->spec->min_soak_ns;
    if (s->param.min_soak_ns < least) s->param.min_soak_ns = least;
    int64_t every = plan_scrape_interval(soak);
    s->param.soak_looks = (uint64_t)(soak / every);
    s->param.deadline_looks = (uint64_t)(c->spec->deadline_ns / every);
    if (s->learned) return true;
    if (!c->spec->auto_rate) {
        s->param.theta = c->spec->max_error_rate;
    } else if (c->o->history_known) {
        s->learned_errors = c->o->history_errors;
        s->learned_total = c->o->history_total;
        s->param.theta = judge_auto_theta(s->learned_errors, s->learned_total);
    } else if (c->now - s->since_ns < LEARN_NS) {
        plan_revisit(c, s->since_ns + LEARN_NS);
        return false;
    }
    s->learned = true;
    if (c->spec->auto_rate && s->phase != PHASE_REHEARSING) {
        plan_event(c, EV_BASELINE_MEASURED,
                   "tolerated error rate %.3g %%: stable had %llu errors of %llu reconciles",
                   100 * s->param.theta, (unsigned long long)s->learned_errors,
                   (unsigned long long)s->learned_total);
    }
    return true;
}

/* The name may be ours for a moment still: what we deleted is on its way out, or the cache is behind. */
static bool name_taken(struct plan_ctx *c) {
    for (size_t i = 0; i < c->o->nrs; i++)
        if (c->o->rs[i].deleting && c->s->canary && !strcmp(c->o->rs[i].name, c->s->canary)) return false;
    if (!c->o->canary_taken) return false;
    plan_hold(c, HOLD_NAME_CONFLICT, TEXT_KEPT,
              "ReplicaSet %s has the canary's name and is not the one that Handover makes; the rollout "
              "starts when it is "
              "gone: kubectl delete replicaset/%s -n %s",
              c->s->canary, c->s->canary, c->t->ns);
    c->no_manifest = true;
    plan_revisit(c, c->now + TAKEN_NS);
    return true;
}

/* The canary's manifest, and what it is known by from now on; false: it cannot be made, held. */
static bool make_manifest(struct plan_ctx *c, int32_t want, struct buf *b) {
    struct slice tmpl;
    struct err e = {0};
    struct spec spec = *c->spec; /* borrowed */
    cleanup_free char **env = plan_is_own_target(c) ? plan_own_env(c) : NULL;
    if (env) spec.canary_env = env;
    if (canary_manifest(c->t, &spec, want, b, &e) < 0) {
        plan_hold(c, HOLD_CONFIG, TEXT_NEWS, "%s", e.msg);
        c->no_manifest = true;
        return false;
    }
    return json_raw_at(buf_slice(b), "spec/template", &tmpl) && template_hash(tmpl, c->s->made, NULL) == 0;
}

static void create(struct plan_ctx *c, int32_t want) {
    cleanup_buf struct buf b = BUF(8 << 20);
    if (name_taken(c) || !make_manifest(c, want, &b)) return;
    struct step *s =
        plan_step_add(c, STEP_CANARY, VERB_CREATE, &gvr_replicasets, c->s->canary, "create the canary");
    if (!s) return;
    s->exists_ok = true;
    s->body = buf_take(&b);
}

/* As many canary pods as the step wants; true when that is so. */
static bool ensure_canary(struct plan_ctx *c, int32_t want) {
    cleanup_buf struct buf b = BUF(8 << 20);
    if (!c->s->made[0] && !make_manifest(c, want, &b))
        return false; /* before any that is there is believed */
    const struct obs_rs *rs = plan_canary_of(c, c->s->hash);
    if (want > 0 && !plan_slice_lets_start(c, rs)) return false;
    if (!rs) {
        c->s->soak_from_ns = 0; /* deleted: this step is watched anew */
        create(c, want);
        plan_revisit(c, c->now + POLL_NS);
        return false;
    }
    if (rs->replicas == want) {
        if (!plan_by_turns(c->s) && !plan_by_objects(c->s))
            c->s->shrink_ns = 0; /* else it may be stable's quiet moment that is waited for */
        return true;
    }
    plan_revisit(c, c->now + POLL_NS);
    if (rs->replicas < want)
        plan_step_scale(c, rs, want, "scale the canary");
    else if (rs->st_ready == 0 || plan_quiet_enough(c, TRACK_CANARY))
        plan_step_scale(c, rs, want, "scale the canary down");
    return rs->replicas > want; /* more pods than wanted are no reason to wait */
}

static bool advance(struct plan_ctx *c, const struct judge_report *r) {
    struct state *s = c->s;
    bool last = s->step + 1 >= c->spec->nsteps, gated = plan_gated(s, c->spec),
         checks = plan_has_checks(s, c->spec);
    if ((gated || checks || !last) && s->opened != s->step + 1 && s->checked != s->step + 1)
        plan_event(c, EV_STEP_PASSED, "step %u of %zu (%u %%) passed: %s", s->step + 1, c->spec->nsteps,
                   s->percent, r->why);
    if (checks) return plan_begin_checks(c);
    if (gated) return plan_stop_at_gate(c);
    if (last) return plan_promote(c, "%s", r->why);
    s->step++;
    s->percent = c->spec->step[s->step];
    s->soak_from_ns = 0;
    plan_forget_checks(s);
    s->trial.led_ns = 0;
    s->trial.since_ns = c->now;
    judge_next_step(&s->judge);
    return plan_enter_described(c, PHASE_SOAKING);
}

/* Only what a scrape at or after the deadline has shown counts: a Handover that was down does not condemn at
 * its start. */
bool plan_past_deadline(struct plan_ctx *c) {
    plan_revisit(c, plan_deadline_at(c));
    return c->now >= plan_deadline_at(c) && c->o->scraped_ns >= plan_deadline_at(c);
}

bool plan_on_deadline(struct plan_ctx *c, bool healthy, const char *why) {
    switch (c->spec->on_inconclusive) {
    case INCONCLUSIVE_ROLLBACK:
        return plan_roll_back(c, ENDED_INCONCLUSIVE, "the deadline is over without a verdict: %s", why);
    case INCONCLUSIVE_PROMOTE:
        if (healthy)
            return plan_promote(c, "the deadline is over without a verdict (%s), on-inconclusive: promote",
                                why);
        break; /* a canary that is not even ready is not promoted */
    case INCONCLUSIVE_PAUSE: break;
    }
    if (c->s->hold != HOLD_INCONCLUSIVE) plan_count(c, PM_ROLLOUTS, "inconclusive_held", 1);
    return plan_hold(
        c, HOLD_INCONCLUSIVE, TEXT_KEPT,
        "the deadline is over without a verdict (%s); for another deadline: %s, or promote, abort, retry",
        why, plan_command(c, ACTION_RESUME).text);
}

/* Nothing is wrong with it, and nothing will move by itself. Without the counts: one Event. */
static void say_too_few(const struct plan_ctx *c, char ret[400]) {
    bool none = c->s->judge.all.nc == 0, turns = plan_by_turns(c->s);
    snprintf(ret, 400, "the canary %s; annotation min-events asks for %llu%s",
             none ? "has reconciled nothing" : "has done too few reconciles for a verdict",
             (unsigned long long)c->s->param.min_events,
             none && !turns
                 ? ". Does it stand by for a lease that it shares with stable? Annotations canary-args or "
                   "canary-env give it one of its own, then: retry"
                 : "");
}

static bool too_few(const struct plan_ctx *c) {
    return c->s->judge.all.nc < c->s->param.min_events || c->s->judge.step_nc == 0;
}

/* Its counters stand still while stable works: hung, however good its past is. */
static bool stalled(const struct plan_ctx *c) {
    const struct evidence *e = &c->s->evidence;
    return e->still_rounds >= STALLED_ROUNDS && e->still_stable >= c->s->param.min_events;
}

static void say_stalled(const struct plan_ctx *c, bool ends, char ret[400]) {
    snprintf(ret, 400, "the canary has stopped reconciling while stable reconciles; %s by: %.200s",
             ends ? "it is rolled back at the deadline unless it reconciles again, or now"
                  : "it is not promoted until it reconciles again, or rolled back",
             plan_command(c, ACTION_ABORT).text);
}

static bool no_verdict(struct plan_ctx *c, enum verdict v, const char *why,
                       const struct signals_report *signals) {
    const struct evidence *e = &c->s->evidence;
    bool works = !plan_by_turns(c->s) || c->s->trial.step == TRIAL_LEADS; /* else it stands by */
    bool dry = works && c->o->scraped_ns && e->dry[TRACK_CANARY] >= DRY_ROUNDS;
    bool few = v == VERDICT_INCONCLUSIVE && too_few(c);
    char text[400] = "";
    if (few) say_too_few(c, text);
    if (dry)
        snprintf(text, sizeof text, "no metrics: %.380s",
                 c->o->scrape_trouble ? c->o->scrape_trouble : "the canary gave none");
    const struct judge_test *all = &c->s->judge.all;
    bool worked = all->nc + all->start_nc >= c->s->param.min_events; /* in its first moments, too */
    bool stands = v != VERDICT_WATCHING && !dry && (!few || worked) && stalled(c);
    bool ends = signals->does == SIGNAL_DEADLINE && v != VERDICT_HOLD; /* the deadline ends what it sees */
    if (stands) say_stalled(c, ends, text);
    if (plan_past_deadline(c)) {
        bool bad = stands || v == VERDICT_HOLD || signals->doubt;
        if (ends) return plan_signal_at_deadline(c, signals, stands);
        return plan_on_deadline(c, !bad, *text ? text : signals->doubt ? signals->why : why);
    }
    if (v == VERDICT_HOLD) return plan_hold(c, HOLD_SHARED, TEXT_KEPT, "%s", why);
    if (stands) return plan_hold(c, HOLD_STALLED, TEXT_CAUSE, "%s", text);
    if (signals->does != SIGNAL_OFF && !dry) return plan_hold_for_signal(c, signals);
    if (dry || few) return plan_hold(c, HOLD_NO_DATA, few ? TEXT_NEWS : TEXT_KEPT, "%s", text);
    plan_unhold(c);
    return false;
}

bool plan_judge(struct plan_ctx *c, bool may_advance) {
    struct state *s = c->s;
    struct judge_report r;
    if (!s->learned) return false;
    judge_verdict(&s->judge, &s->param, plan_soaked_ns(c), &r);
    const char *where = s->phase == PHASE_REHEARSING ? "in its rehearsal: " : "";
    if (r.verdict == VERDICT_FAIL) return plan_roll_back(c, ENDED_FAILED, "%s%s", where, r.why);
    struct signals_report signals;
    plan_signals(c, &signals);
    if (signals.does == SIGNAL_ROLLBACK)
        return plan_roll_back(c, ENDED_FAILED, "%s%s: %s", where, signal_name(signals.which), signals.why);
    if (!may_advance) return false;
    plan_report_absent_signals(c);
    bool returned = plan_is_own_target(c) && s->trial.step == TRIAL_RETURNING; /* it was fresh when it led */
    bool fresh = c->o->scraped_ns && (returned || s->evidence.dry[TRACK_CANARY] == 0);
    bool passed = r.verdict == VERDICT_PASS && fresh && !stalled(c) && !signals.doubt;
    if (passed && plan_is_own_target(c) && !returned) {
        plan_unhold(c);
        c->own_passes = true; /* how it gives its Lease back is to be seen, too */
        return false;
    }
    if (passed) return advance(c, &r);
    return no_verdict(c, r.verdict, r.why, &signals);
}

/* Named, and nothing else: no deadline makes a verdict of it. It goes on by itself when the cause is gone. */
static bool held_from_outside(struct plan_ctx *c, const struct pods_cause *cause) {
    const struct obs_rs *rs = plan_canary_of(c, c->s->hash);
    int64_t since = rs && rs->created_ns > c->s->unready_ns ? rs->created_ns : c->s->unready_ns;
    if (!plan_cause_is_due(c, cause, since)) return false;
    bool volume = cause->hold == HOLD_NOT_STARTED || cause->hold == HOLD_UNSCHEDULABLE; /* may be why */
    return plan_hold(c, cause->hold, cause->follow, "%s%s", cause->text,
                     volume ? plan_shared_claim(c).text : "");
}

static bool not_healthy(struct plan_ctx *c, enum health h, const struct pods_cause *cause) {
    struct state *s = c->s;
    if (h == HEALTH_BAD) return plan_roll_back(c, ENDED_FAILED, "%s", cause->text);
    if (h == HEALTH_SHARED)
        return plan_hold(c, HOLD_SHARED, TEXT_KEPT, "%s, and stable's pods are not ready either",
                         cause->text);
    if (h == HEALTH_OUTSIDE) return held_from_outside(c, cause);
    if (plan_past_deadline(c)) return plan_on_deadline(c, false, cause->text);
    if (c->now - s->unready_ns > PLAN_PATIENCE_NS)
        return plan_hold(c, HOLD_NOT_READY, TEXT_KEPT, "%s", cause->text);
    plan_revisit(c, s->unready_ns + PLAN_PATIENCE_NS + 1000);
    return false;
}

/* From "the canary is ready": the time of watching begins. */
static bool begin_soak(struct plan_ctx *c) {
    struct state *s = c->s;
    s->soak_from_ns = c->now;
    s->was_ready = true;
    s->unready_ns = s->ready_ns = 0;
    if (s->phase == PHASE_SOAKING) return false;
    plan_enter_described(c, PHASE_SOAKING);
    plan_event(c, EV_SOAKING, "%s", s->message);
    return true;
}

/* Harm is stopped whatever else holds: a wrong annotation, a user's pause. */
static bool stop_harm(struct plan_ctx *c, enum health h, const char *why) {
    if (h == HEALTH_BAD) return plan_roll_back(c, ENDED_FAILED, "%s", why);
    return plan_judge(c, false);
}

/* Judged meanwhile; the deadline counts, and what has not passed is promoted by none. */
static bool at_checks(struct plan_ctx *c, enum health h, const char *why, const char *waits_for) {
    if (stop_harm(c, h, why)) return true;
    if (!plan_past_deadline(c)) return false;
    memset(c->plan->ask, 0, sizeof c->plan->ask);
    return plan_on_deadline(c, false, waits_for);
}

bool plan_template_moved(struct plan_ctx *c) {
    if (plan_same_hash(c->t->hash, c->s->hash)) return false;
    if (plan_same_hash(c->t->hash, c->s->stable_hash))
        return plan_cancel_rollout(c, "the template is stable's again");
    return plan_cancel_rollout(c, "a newer template (%s) supersedes it", c->t->image);
}

bool plan_phase_canary(struct plan_ctx *c) {
    struct state *s = c->s;
    struct pods_cause cause = {0};
    if (plan_template_moved(c) || plan_mode_changed(c)) return true;
    enum held_back back = plan_enforce_paused(c);
    if (back == BACK_MOVED) return true;
    if (!c->o->known) return false;
    plan_remove_other_canaries(c);
    if (c->spec)
        c->plan->scrape_ns = plan_scrape_interval(plan_soak_ns(c, NULL));
    else if (c->o->spec && c->o->spec->metrics_ok)
        c->plan->scrape_ns = 15 * NS_PER_S;
    if (c->spec) {
        if (!plan_learn(c)) return false;
        if (s->step >= c->spec->nsteps)
            s->step = (uint32_t)c->spec->nsteps - 1; /* fewer steps than a moment ago */
        s->percent = c->spec->step[s->step];
    }
    int32_t want = plan_canary_wanted(c);
    bool sized = c->spec && s->learned && ensure_canary(c, want);
    enum health h = s->learned ? plan_canary_health(c, want, &cause) : HEALTH_WAITING;
    const char *why = cause.text;
    if (h == HEALTH_READY && plan_was_outside(c)) plan_unhold(c);
    if (!c->spec)
        return stop_harm(c, h, why) || plan_hold(c, HOLD_CONFIG, TEXT_NEWS, "%s", plan_config_error(c));
    if (s->pause_asked) { /* it may last: stable leads meanwhile */
        plan_end_trial(c);
        return stop_harm(c, h, why) || plan_hold_for_user(c);
    }
    if (back == BACK_BUSY) return stop_harm(c, h, why);
    if (c->no_manifest) return false; /* the canary cannot be made as it stands */
    if (s->hold == HOLD_NAME_CONFLICT && !plan_canary_of(c, s->hash)) return false; /* being tried again */
    bool over = s->hold == HOLD_INCONCLUSIVE && c->now >= plan_deadline_at(c);
    if (over) { /* reported: a user decides */
        plan_end_trial(c);
        return stop_harm(c, h, why);
    }
    char waits_for[400];
    if (s->check_ns && plan_take_answers(c)) return true;
    if (s->check_ns && plan_waits_for_checks(c, waits_for)) return at_checks(c, h, why, waits_for);
    if (plan_waits_at_gate(c)) { /* it may last, too */
        plan_end_trial(c);
        return stop_harm(c, h, why);
    }
    if (s->hold == HOLD_CONFIG || s->hold == HOLD_PAUSED_BY_USER || s->hold == HOLD_INCONCLUSIVE ||
        (s->hold == HOLD_ZERO && plan_replicas(c)))
        plan_unhold(c);
    if (plan_replicas(c) == 0) {
        s->soak_from_ns = 0;
        if (plan_past_deadline(c)) return plan_on_deadline(c, false, "the target is scaled to zero");
        return plan_hold(c, HOLD_ZERO, TEXT_KEPT,
                         "the %s is scaled to zero; the rollout goes on when it is scaled up", plan_kind(c));
    }
    if (h != HEALTH_READY) return plan_judge(c, false) || not_healthy(c, h, &cause);
    if (plan_by_turns(s) && s->hold == HOLD_NOT_READY) plan_unhold(c);
    if (!sized) return plan_judge(c, false);
    if (plan_by_objects(s) && !plan_take_slice(c)) {
        if (plan_judge(c, false)) return true;
        return plan_past_deadline(c) && plan_on_deadline(c, false, "the canary has not got its objects");
    }
    if (plan_slice_is_idle(c)) return true;
    if (!s->soak_from_ns && begin_soak(c)) return true;
    if (s->hold == HOLD_NONE) { /* the numbers of pods follow a scale */
        char text[300];
        plan_describe_phase(c, text);
        plan_set_text(&s->message, "%s", text);
    }
    if (!plan_choose_mode(c))
        return plan_past_deadline(c) && plan_on_deadline(c, false,
                                                         plan_is_set(c) ? "the canary stands by for a Lease"
                                                                        : "mode leader finds no Lease");
    if (plan_by_turns(s)) return plan_take_turns(c);
    plan_revisit(c, s->soak_from_ns + s->param.soak_ns + 1000);
    return plan_judge(c, true);
}
