/* When a person's word applies, its value, what became of it; see action.h. Pure. */
#include "action.h"
#include "target_ref.h"
#include "api/rfc3339.h"
#include <errno.h>

static void allowed(const struct status_row *r, struct buf *out) {
    for (int a = 0; a < ACTION_RELEASE; a++)
        if (plan_accepts(&r->state, r->target.hash, (enum spec_action)a))
            buf_addf(out, "%s%s", out->n ? ", " : "", spec_action_name((enum spec_action)a));
}

/* Of a rollout that waits for no approval: what it does instead. */
static void nothing_to_approve(const struct status_row *r, struct err *err) {
    const struct state *s = &r->state;
    const struct target_ref ref = target_ref(r->name);
    const char *message = s->message ? s->message : "";
    cleanup_buf struct buf words = BUF(400);
    allowed(r, &words);
    if (s->hold == HOLD_APPROVAL)
        err_set(err, ERR_CONFIG, -EINVAL,
                "%s: no report of a rehearsal waits for an approval: it is a step that waits, for `handover "
                "resume %s -n %s`: %s",
                ref.text, ref.text, r->ns, message);
    else
        err_set(err, ERR_CONFIG, -EINVAL,
                "%s: no report of a rehearsal waits for an approval in phase %s%s%s: %s; allowed now: %s",
                ref.text, phase_name(s->phase), s->hold ? ", held: " : "", s->hold ? hold_name(s->hold) : "",
                message, words.n ? buf_str(&words) : "nothing");
}

static bool may_approve(const struct status_row *r, const char *digest, struct err *err) {
    const struct state *s = &r->state;
    cleanup_buf struct buf over = BUF(4096);
    bool waits = plan_accepts(s, r->target.hash, ACTION_APPROVE) &&
                 (s->hold == HOLD_APPROVAL || plan_exceeds(s, &r->spec, &over));
    if (!waits) {
        nothing_to_approve(r, err);
        return false;
    }
    if (!digest || strcmp(digest, s->rehearsal.digest) == 0) return true;
    const struct target_ref ref = target_ref(r->name);
    err_set(err, ERR_CONFIG, -EINVAL,
            "%s: the report that waits for an approval is %s, not %s: %s; to see it: handover diff %s -n %s",
            ref.text, s->rehearsal.digest, digest, s->rehearsal.line ? s->rehearsal.line : "", ref.text,
            r->ns);
    return false;
}

bool action_applies(const struct status_row *r, enum spec_action a, const char *digest, struct err *err) {
    const struct state *s = &r->state;
    cleanup_buf struct buf words = BUF(400);
    if (!r->has_state) {
        err_set(err, ERR_CONFIG, -ENOENT, "%s: %s", target_ref(r->name).text,
                r->problem.kind ? r->problem.msg
                : r->opted_in   ? "Handover has not adopted it yet"
                                : "Handover leaves it alone: it has no annotation " HANDOVER_PREFIX
                                "canary-percent");
        return false;
    }
    bool ours = strcmp(s->hash, r->target.hash) == 0 || s->phase == PHASE_STABLE;
    if (!ours) {
        err_set(err, ERR_CONFIG, -EBUSY,
                "%s: its template has just changed, and Handover is in phase %s of the one "
                "before; try again",
                target_ref(r->name).text, phase_name(s->phase));
        return false;
    }
    if (a == ACTION_APPROVE) return may_approve(r, digest, err);
    if (plan_accepts(s, r->target.hash, a)) return true;
    allowed(r, &words);
    err_set(err, ERR_CONFIG, -EINVAL, "%s: there is nothing to %s in phase %s%s%s; allowed now: %s",
            target_ref(r->name).text, spec_action_name(a), phase_name(s->phase), s->hold ? ", held: " : "",
            s->hold ? hold_name(s->hold) : "", words.n ? buf_str(&words) : "nothing");
    return false;
}

char *action_value(const struct status_row *r, enum spec_action a, int64_t now_wall_ns) {
    char at[40];
    rfc3339_micro(now_wall_ns, at);
    return xasprintf("%s@%s", a == ACTION_APPROVE ? r->state.rehearsal.digest : r->target.hash, at);
}

static bool had_effect(const struct state *s, const char *hash, enum spec_action a, int64_t before_ns) {
    bool in_service = strcmp(s->stable_hash, hash) == 0;
    switch (a) {
    case ACTION_PROMOTE: return s->phase == PHASE_PROMOTING || s->phase == PHASE_FINISHING || in_service;
    case ACTION_PAUSE: return s->pause_asked;
    case ACTION_RESUME: return !s->pause_asked && s->hold != HOLD_PAUSED_BY_USER;
    case ACTION_ABORT: return s->phase == PHASE_ROLLING_BACK || s->phase == PHASE_ROLLED_BACK;
    case ACTION_RETRY: return s->began_ns != before_ns || s->phase == PHASE_CANCELLING;
    case ACTION_APPROVE: /* hash: the digest. Or the limits were raised meanwhile, and it was not needed */
        return strcmp(s->rehearsal.approved, hash) == 0 ||
               (state_on_trial(s) && s->phase != PHASE_REHEARSING && strcmp(s->rehearsal.digest, hash) == 0);
    case ACTION_RELEASE:
    case ACTION_N: break;
    }
    return false;
}

enum action_outcome action_outcome(const struct status_row *r, enum spec_action a, const char *value,
                                   int64_t before_ns) {
    cleanup_free char *hash = slice_dup(spec_action_hash(value));
    if (!r->has_state || !state_consumed(&r->state, a, value)) return ACTION_WAITING;
    return had_effect(&r->state, hash, a, before_ns) ? ACTION_ACCEPTED : ACTION_REFUSED;
}
