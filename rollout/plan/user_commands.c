/* User commands: annotations whose value is the template's hash, carried out once, reported, removed. */
#include "plan/plan_ctx.h"
#include <stdio.h>

bool plan_accepts(const struct state *s, const char *hash, enum spec_action a) {
    bool waits = s->phase == PHASE_STABLE && s->stable_uid && !plan_same_hash(hash, s->stable_hash);
    switch (a) {
    case ACTION_PROMOTE: return state_on_trial(s) || s->phase == PHASE_ROLLED_BACK || waits;
    case ACTION_PAUSE: return state_on_trial(s) || s->phase == PHASE_PROMOTING;
    case ACTION_RESUME:
        return s->pause_asked || (state_on_trial(s) && (s->hold == HOLD_INCONCLUSIVE || s->gate_ns));
    case ACTION_ABORT: return state_on_trial(s) || (s->phase == PHASE_PROMOTING && !s->repair);
    case ACTION_RETRY: return state_on_trial(s) || s->phase == PHASE_ROLLED_BACK;
    case ACTION_APPROVE: return s->phase == PHASE_REHEARSING && s->rehearsal.over;
    case ACTION_RELEASE: return true; /* seen by plan_is_forced() */
    case ACTION_N: break;
    }
    return false;
}

struct who plan_who(const struct plan_ctx *c, enum spec_action a) {
    static const char cli[] = "handover-cli";
    struct who r = {"a user"};
    char key[64];
    snprintf(key, sizeof key, HANDOVER_PREFIX "%s", spec_action_name(a));
    const char *manager = json_str(c->t->managers, key);
    if (!manager || !json_get(c->t->annotations, key) || strcmp(manager, cli) == 0) return r;
    if (strncmp(manager, cli, sizeof cli - 1) == 0 && manager[sizeof cli - 1] == ':' && manager[sizeof cli])
        snprintf(r.text, sizeof r.text, "%s", manager + sizeof cli);
    else
        snprintf(r.text, sizeof r.text, "a user (%s)", manager);
    return r;
}

static bool act_promote(struct plan_ctx *c) {
    struct state *s = c->s;
    if (s->phase != PHASE_STABLE) {
        state_quarantine_remove(s, s->hash);
        return plan_promote(c, "by %s", plan_who(c, ACTION_PROMOTE).text);
    }
    cleanup_free char *why = xasprintf("by %s, without a canary", plan_who(c, ACTION_PROMOTE).text);
    return plan_promote_waiting(c, why);
}

static bool act_pause(struct plan_ctx *c) {
    struct state *s = c->s;
    if (s->pause_asked) return true; /* since then */
    s->pause_asked = true;
    s->pause_ns = c->now;
    if (state_on_trial(s)) /* a promotion is paused when the Deployment is */
        plan_event(c, EV_PAUSED, "paused by %s in phase %s", plan_who(c, ACTION_PAUSE).text,
                   phase_name(s->phase));
    return true;
}

static bool act_resume(struct plan_ctx *c) {
    struct state *s = c->s;
    if (s->pause_asked) {
        s->pause_asked = false;
        if (!state_on_trial(s)) return true; /* it is resumed when the Deployment is unpaused */
        if (c->now > s->pause_ns && !s->gate_ns) s->shift_ns += c->now - s->pause_ns;
        s->pause_ns = 0;
        if (s->hold == HOLD_PAUSED_BY_USER) plan_unhold(c);
    } else if (s->gate_ns) {
        s->opened = s->step + 1;
        plan_leave_gate(c);
    } else if (c->spec) {
        s->shift_ns = c->now > s->began_ns ? c->now - s->began_ns : 0; /* another deadline from now on */
        plan_unhold(c);
    } else {
        return false;
    }
    plan_event(c, EV_RESUMED, "resumed by %s in phase %s", plan_who(c, ACTION_RESUME).text,
               phase_name(s->phase));
    return true;
}

static bool act_retry(struct plan_ctx *c) {
    state_quarantine_remove(c->s, c->s->hash);
    if (!state_on_trial(c->s)) /* else the rollout that is cancelled is reported */
        plan_event(c, EV_RETRIED, "%s asked for a retry of %s", plan_who(c, ACTION_RETRY).text,
                   c->s->image ? c->s->image : c->s->hash);
    return plan_cancel_rollout(c, "%s asked for a retry", plan_who(c, ACTION_RETRY).text);
}

static bool act_approve(struct plan_ctx *c) {
    struct state_rehearsal *r = &c->s->rehearsal;
    memcpy(r->approved, r->digest, sizeof r->approved);
    plan_event(c, EV_APPROVED, "what the rehearsal of %s found is approved by %s: %s", c->s->image,
               plan_who(c, ACTION_APPROVE).text, r->line ? r->line : r->digest);
    return true;
}

static bool carry_out(struct plan_ctx *c, enum spec_action a) {
    if (!plan_accepts(c->s, c->t->hash, a)) return false;
    switch (a) {
    case ACTION_PROMOTE: return act_promote(c);
    case ACTION_PAUSE: return act_pause(c);
    case ACTION_RESUME: return act_resume(c);
    case ACTION_ABORT:
        return plan_roll_back(c, ENDED_ABORTED, "aborted by %s", plan_who(c, ACTION_ABORT).text);
    case ACTION_RETRY: return act_retry(c);
    case ACTION_APPROVE: return act_approve(c);
    case ACTION_RELEASE: return true;
    case ACTION_N: break;
    }
    return false;
}

static void take_off(struct plan_ctx *c, enum spec_action a) {
    c->patch.any = c->patch.checked = true; /* another value by now is another command */
    c->patch.drop_action[a] = true;
    if (!c->patch.why) c->patch.why = "remove the action annotation";
}

/* Ours to take off once; a manifest that puts it back is left alone, its value has had its effect. */
static void forget_absent(struct plan_ctx *c, enum spec_action a, const char *present) {
    for (size_t i = 0; i < c->s->nconsumed; i++) {
        struct state_consumed *x = &c->s->consumed[i];
        if (x->action == a && x->removing && (!present || strcmp(x->value, present) != 0))
            x->removing = false;
    }
}

/* How a value is remembered: as it stands, if it could be one of ours; else a printable beginning of it. */
static char *remembered(const char *value) {
    char *text = slice_dup_text(slice_of(value), SPEC_ACTION_MAX);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
    return text;
}

/* The template has just changed, and what is on trial, was rolled back or is on its way is not what the command means. Its phase is
 * about to end. */
static bool of_another(const struct plan_ctx *c) {
    const struct state *s = c->s;
    enum phase p = s->phase;
    if (plan_same_hash(s->hash, c->t->hash)) return false;
    if (state_on_trial(s) || p == PHASE_ROLLED_BACK) return true;
    bool passing =
        p == PHASE_PROMOTING || p == PHASE_FINISHING || p == PHASE_ROLLING_BACK || p == PHASE_CANCELLING;
    return passing && !plan_same_hash(s->stable_hash, c->t->hash);
}

/* An approval may come with the template, from a pipeline that has rehearsed it before: it waits for the report that it names. */
static bool before_its_report(const struct plan_ctx *c) {
    const struct state *s = c->s;
    bool waits = s->phase == PHASE_STABLE && s->stable_uid && !plan_same_hash(c->t->hash, s->stable_hash);
    return waits || (s->phase == PHASE_REHEARSING && !s->rehearsal.over);
}

/* It was not needed: what it approves has led to this canary. */
static bool is_late(const struct plan_ctx *c, const char *value) {
    return state_on_trial(c->s) && slice_eqs(spec_action_hash(value), c->s->rehearsal.digest);
}

/* What its value has to begin with; NULL: anything, there is nothing to hold it against. */
static const char *wanted(const struct plan_ctx *c, enum spec_action a) {
    if (a != ACTION_APPROVE) return c->t->hash;
    return plan_accepts(c->s, c->t->hash, a) ? c->s->rehearsal.digest : NULL;
}

static void ignore(struct plan_ctx *c, enum spec_action a, const char *key, const char *value) {
    if (a == ACTION_APPROVE)
        plan_event(
            c, EV_ACTION_IGNORED,
            "%s: \"%.80s\" is not the digest of this rehearsal's report, which is %s; for that one: %s", key,
            value, c->s->rehearsal.digest, plan_command(c, a).text);
    else
        plan_event(c, EV_ACTION_IGNORED,
                   "%s: \"%.80s\" is not the hash of the present template; for that one: %s", key, value,
                   plan_command(c, a).text);
}

static void take_one(struct plan_ctx *c, enum spec_action a) {
    char key[64];
    snprintf(key, sizeof key, HANDOVER_PREFIX "%s", spec_action_name(a));
    const cJSON *read = json_get(c->t->annotations, key);
    cleanup_free char *value = read ? remembered(json_str_or(c->t->annotations, key, "")) : NULL;
    forget_absent(c, a, value);
    if (!value) return;
    bool allowed = !strcmp(value, json_str_or(c->t->annotations, key, ""));
    struct state_consumed *done = state_consumed(c->s, a, value);
    if (done) {
        if (done->removing) take_off(c, a);
        return;
    }
    if (a == ACTION_RELEASE && !c->leaving) return; /* it counts once canary-percent is gone */
    if (a == ACTION_APPROVE && before_its_report(c)) return;
    const char *want = wanted(c, a);
    if (want && (!allowed || !slice_eqs(spec_action_hash(value), want))) {
        state_consume(c->s, a, value)->removing = false;
        ignore(c, a, key, value);
        return;
    }
    if (a != ACTION_RELEASE && of_another(c))
        return; /* the phase follows the template, and then it is the command's turn */
    bool acted = carry_out(c, a) || (a == ACTION_APPROVE && is_late(c, value));
    state_consume(c->s, a, value);
    take_off(c, a);
    if (!acted)
        plan_event(c, EV_ACTION_IGNORED, "%s: there is nothing to %s in phase %s", key, spec_action_name(a),
                   phase_name(c->s->phase));
}

void plan_user_commands(struct plan_ctx *c) {
    for (int a = 0; a < ACTION_N && c->o->known; a++) take_one(c, (enum spec_action)a);
}

bool plan_is_forced(const struct plan_ctx *c) {
    for (size_t i = 0; i < c->s->nconsumed; i++) {
        const struct state_consumed *x = &c->s->consumed[i];
        if (x->action == ACTION_RELEASE && slice_eqs(spec_action_hash(x->value), c->t->hash)) return true;
    }
    return c->o->force_release;
}
