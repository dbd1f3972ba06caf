/* What happens next to a target, and when; see explain.h. It says what rollout/plan/ would do, in the order in which that looks. */
#include "explain.h"
#include "target_ref.h"
#include "base/time.h"
#include <stdio.h>

struct next {
    const struct status_row *r;
    const struct state *s;
    int64_t now;
    struct explain_next *to;
    size_t n;
};

static void add(struct next *x, int64_t at_ns, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void add(struct next *x, int64_t at_ns, const char *fmt, ...) {
    va_list ap;
    if (x->n == EXPLAIN_NEXT) return;
    struct explain_next *to = &x->to[x->n++];
    to->at_ns = at_ns;
    va_start(ap, fmt);
    (void)vsnprintf(to->text, sizeof to->text, fmt, ap);
    va_end(ap);
}

struct command {
    char text[560];
};

static struct command command(const struct next *x, enum spec_action a) {
    struct command c;
    (void)snprintf(c.text, sizeof c.text, "handover %s %s -n %s", spec_action_name(a),
                   target_ref(x->r->name).text, x->r->ns);
    return c;
}

/* What a pass of this step leads to. */
static void then(const struct next *x, char ret[80]) {
    const struct spec *spec = &x->r->spec;
    if (!x->s->check_ns && x->s->hold != HOLD_APPROVAL && plan_has_checks(x->s, spec))
        (void)snprintf(ret, 80, "then its checks are asked (check, check-query)");
    else if (x->s->hold != HOLD_APPROVAL && plan_gated(x->s, spec))
        (void)snprintf(ret, 80, "then a person is asked (pause in canary-percent)");
    else if (x->s->step + 1 < spec->nsteps)
        (void)snprintf(ret, 80, "then step %u of %zu, %u %%", x->s->step + 2, spec->nsteps,
                       spec->step[x->s->step + 1]);
    else
        (void)snprintf(ret, 80, "then it is promoted");
}

static void deadline(struct next *x) {
    const struct spec *spec = &x->r->spec;
    struct signals_param p;
    struct signals_report signals = {.does = SIGNAL_OFF};
    if (plan_signals_param(x->s, spec, &p)) signals_verdict(&x->s->signals, &p, &signals);
    static const char *const does[] = {
        [INCONCLUSIVE_PAUSE] = "held, and a person decides",
        [INCONCLUSIVE_ROLLBACK] = "rolled back",
        [INCONCLUSIVE_PROMOTE] = "promoted, if nothing speaks against it",
    };
    static const char *const name[] = {"pause", "rollback", "promote"};
    int64_t at = plan_deadline(x->s, spec, x->now);
    enum spec_inconclusive then_does = spec->on_inconclusive;
    if (x->s->check_ns && then_does == INCONCLUSIVE_PROMOTE) then_does = INCONCLUSIVE_PAUSE;
    if (signals.does == SIGNAL_DEADLINE)
        add(x, at, "at the deadline: rolled back, unless signal %s has ended", signal_name(signals.which));
    else
        add(x, at, "at the deadline, without a verdict: %s (on-inconclusive: %s)", does[then_does],
            name[spec->on_inconclusive]);
}

static void passing(struct next *x) {
    const struct state *s = x->s;
    struct judge_report r;
    char after[80];
    then(x, after);
    if (!s->soak_from_ns || !status_evidence(s, x->now, &r)) {
        add(x, 0, "it is watched for %llds when all its pods are ready; %s",
            (long long)(s->param.soak_ns / NS_PER_S), after);
        return;
    }
    if (s->trial.step != TRIAL_NONE && s->trial.step != TRIAL_LEADS) {
        add(x, 0,
            "the canary leads after stable's turn; it passes when it has led for %llds altogether, and the "
            "evidence suffices; %s",
            (long long)(s->param.soak_ns / NS_PER_S), after);
        return;
    }
    int64_t from = x->now - state_watched_ns(s, x->now);
    int64_t early = from + s->param.min_soak_ns, soaked = from + s->param.soak_ns;
    if (x->now < early && early < soaked)
        add(x, early,
            "passes no earlier than this, the minimum soak's end, and then with clear evidence alone; %s",
            after);
    if (x->now < soaked)
        add(x, soaked, "passes at this moment, the soak's end, if the evidence suffices by then; %s", after);
    else if (r.more)
        add(x, 0, "the soak is over: passes with %llu more clean reconciles; %s", (unsigned long long)r.more,
            after);
    else
        add(x, 0, "the soak is over: passes when nothing speaks against it any more; %s", after);
}

static void checks(struct next *x) {
    char after[80];
    then(x, after);
    for (int k = 0; k < CHECKS; k++) {
        const struct state_check *c = &x->s->check[k];
        const char *name = state_check_name((enum check_kind)k);
        if (!c->of || c->says == CHECK_PASS) continue;
        if (c->says == CHECK_NOTHING)
            add(x, 0, "%s is being asked; %s", name, after);
        else
            add(x, c->next_ns, "%s is asked again; %s", name, after);
    }
    deadline(x);
}

/* Held in a trial: what ends it. */
static void held(struct next *x) {
    switch (x->s->hold) {
    case HOLD_PAUSED_BY_USER:
        add(x, 0, "goes on when a person says so: %s", command(x, ACTION_RESUME).text);
        return; /* the deadline is put off */
    case HOLD_APPROVAL: {
        char after[80];
        if (x->s->phase == PHASE_REHEARSING) {
            add(x, 0, "a person approves what it would change, then its canary starts: %s",
                command(x, ACTION_APPROVE).text);
            add(x, 0, "or promotes it at once: %s", command(x, ACTION_PROMOTE).text);
            add(x, 0, "or rolls it back: %s", command(x, ACTION_ABORT).text);
            return;
        }
        then(x, after);
        add(x, 0, "a person lets it go on, %s: %s", after, command(x, ACTION_RESUME).text);
        add(x, 0, "or promotes it at once: %s", command(x, ACTION_PROMOTE).text);
        add(x, 0, "or rolls it back: %s", command(x, ACTION_ABORT).text);
        return;
    }
    case HOLD_CHECK:
    case HOLD_NO_ANSWER: checks(x); return;
    case HOLD_INCONCLUSIVE:
        add(x, 0, "a person decides. Another deadline: %s", command(x, ACTION_RESUME).text);
        add(x, 0, "or promote it: %s", command(x, ACTION_PROMOTE).text);
        add(x, 0, "or roll it back: %s", command(x, ACTION_ABORT).text);
        return;
    case HOLD_SIGNAL:
        add(x, 0, "goes on when the signal ends. If it is meant: %s", command(x, ACTION_PROMOTE).text);
        add(x, 0, "if it is not: %s", command(x, ACTION_ABORT).text);
        break;
    case HOLD_STALLED:
        add(x, 0, "goes on when the canary reconciles again. To roll it back: %s",
            command(x, ACTION_ABORT).text);
        break;
    case HOLD_CONFIG: add(x, 0, "goes on when the annotation is mended"); return;
    case HOLD_UNSCHEDULABLE:
    case HOLD_NOT_CREATED:
    case HOLD_IMAGE:
    case HOLD_NOT_STARTED:
    case HOLD_DISRUPTED:
    case HOLD_WRITE_REFUSED:
        add(x, 0, "goes on by itself when the cause is gone; this time does not count against the deadline");
        break;
    default: add(x, 0, "goes on by itself when the reason is gone"); break;
    }
    deadline(x);
}

static void trial(struct next *x) {
    if (x->r->problem.kind) {
        add(x, 0, "goes on when the annotation is mended");
    } else if (x->s->hold != HOLD_NONE) {
        held(x);
    } else if (x->s->check_ns) {
        checks(x);
    } else {
        if (!x->s->learned) add(x, 0, "the canary is made when stable's error rate is known");
        passing(x);
        deadline(x);
    }
}

static void rehearsing(struct next *x) {
    const struct spec *spec = &x->r->spec;
    const char *then = spec_has_limits(spec)
                           ? "then its canary, unless it changes more than max-changes allows"
                           : "then its canary";
    if (x->r->problem.kind) {
        add(x, 0, "goes on when the annotation is mended");
    } else if (x->s->hold != HOLD_NONE) {
        held(x);
    } else if (x->s->rehearsal.over) {
        add(x, 0, "its canary starts when the pods of the rehearsal are gone");
    } else if (!x->s->rehearsal.from_ns) {
        add(x, 0, "it is rehearsed for %llds when its pods are ready; %s",
            (long long)(spec->rehearse_ns / NS_PER_S), then);
        deadline(x);
    } else {
        add(x, x->s->rehearsal.from_ns + spec->rehearse_ns, "the rehearsal ends; %s", then);
    }
}

static void promoting(struct next *x) {
    if (x->s->hold == HOLD_PAUSED_BY_USER)
        add(x, 0, "goes on when a person says so: %s", command(x, ACTION_RESUME).text);
    else if (x->s->repair)
        add(x, 0, "held back again when stable's ReplicaSet exists again");
    else
        add(x, 0,
            "in service when the Deployment controller has replaced all pods; rolled back if that stands "
            "still for %lld s. To go back: %s",
            (long long)(x->s->deadline_s >= 0 && x->s->deadline_s < INT32_MAX ? x->s->deadline_s : 600),
            command(x, ACTION_ABORT).text);
}

static void at_rest(struct next *x) {
    const struct status_row *r = x->r;
    if (strcmp(r->target.hash, x->s->stable_hash) == 0)
        add(x, 0, "nothing, until spec.template changes: that starts a canary");
    else if (x->s->hold != HOLD_NONE)
        add(x, 0, "a rollout of spec.template begins when the reason to hold is gone");
    else
        add(x, 0, "a rollout of spec.template begins");
}

static void without_state(struct next *x) {
    if (!x->r->opted_in)
        add(x, 0,
            "nothing: Handover leaves this Deployment alone. To have it guarded: kubectl annotate "
            "%s -n %s " HANDOVER_PREFIX "canary-percent=10",
            target_ref(x->r->name).text, x->r->ns);
    else if (x->r->problem.kind)
        add(x, 0, "nothing is changed until this is mended");
    else
        add(x, 0, "Handover adopts it: it pauses the Deployment once its own rollout is complete");
}

size_t explain_next(const struct status_row *r, int64_t now_wall_ns, struct explain_next ret[EXPLAIN_NEXT]) {
    struct next x = {.r = r, .s = &r->state, .now = now_wall_ns, .to = ret};
    if (!r->has_state) {
        without_state(&x);
        return x.n;
    }
    switch (r->state.phase) {
    case PHASE_REHEARSING: rehearsing(&x); break;
    case PHASE_STARTING:
    case PHASE_SOAKING: trial(&x); break;
    case PHASE_PROMOTING: promoting(&x); break;
    case PHASE_STABLE: at_rest(&x); break;
    case PHASE_ROLLED_BACK:
        add(&x, 0, "nothing, until spec.template changes. To try this version again: %s",
            command(&x, ACTION_RETRY).text);
        add(&x, 0, "to put it into service all the same: %s", command(&x, ACTION_PROMOTE).text);
        break;
    case PHASE_ROLLING_BACK: add(&x, 0, "RolledBack, when the canary is gone and stable serves"); break;
    case PHASE_FINISHING:
    case PHASE_CANCELLING: add(&x, 0, "Stable, when the canary is gone"); break;
    case PHASE_RELEASING: add(&x, 0, "the Deployment is given back as it was, and forgotten"); break;
    case PHASE_IDLE:
    case PHASE_ADOPTING: add(&x, 0, "held back and watched, when its own rollout is complete"); break;
    case PHASES: break;
    }
    return x.n;
}
