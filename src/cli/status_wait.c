/* How a rollout ended; see status_wait.h. */
#include "status_wait.h"
#include "target_ref.h"

static bool same(const char *a, const char *b) {
    return a[0] && strcmp(a, b) == 0;
}

/* What does not end by itself, or by the deadline. */
bool status_wait_held(const struct status_row *r) {
    struct signals_param p;
    struct signals_report signals;
    switch (r->state.hold) {
    case HOLD_CONFIG:
    case HOLD_NAME_CONFLICT:
    case HOLD_USER_PAUSED:
    case HOLD_NO_ACTIVE:
    case HOLD_PAUSED_BY_USER:
    case HOLD_APPROVAL:
    case HOLD_INCONCLUSIVE:
    case HOLD_REFUSED:
    case HOLD_STUCK: return true;
    case HOLD_SIGNAL:
        if (!plan_signals_param(&r->state, &r->spec, &p)) return true;
        signals_verdict(&r->state.signals, &p, &signals);
        return signals.does == SIGNAL_HOLD;
    default:
        return false; /* causes from outside, an outage, missing metrics: they end, or the deadline comes */
    }
}

static enum wait_outcome of_state(const struct status_row *r, const char *hash, char **why) {
    const struct state *s = &r->state;
    const char *message = s->message ? s->message : "";
    if (s->phase == PHASE_STABLE && same(hash, s->stable_hash)) {
        *why = xasprintf("promoted: %s", message);
        return WAIT_PROMOTED;
    }
    if (s->phase == PHASE_ROLLED_BACK && same(hash, s->hash)) {
        *why = xasprintf("rolled back: %s", s->reason ? s->reason : message);
        return WAIT_ROLLED_BACK;
    }
    if (r->problem.kind == ERR_CONFIG) {
        *why = xasprintf("held: %s", r->problem.msg);
        return WAIT_HELD;
    }
    const char *hold = hold_name(s->hold);
    bool held = status_wait_held(r);
    *why = xasprintf("%s%s%s%s: %s", held ? "held: " : "", phase_name(s->phase), *hold ? ", " : "", hold,
                     message);
    return held ? WAIT_HELD : WAIT_GOES_ON;
}

enum wait_outcome status_wait(const struct status_report *report, const struct status_spec *spec,
                              char hash[11], char **ret_why) {
    if (!report->n) {
        *ret_why = xasprintf("there is no %s in namespace %s", target_ref(spec->name).text, spec->ns);
        return WAIT_FAILED;
    }
    const struct status_row *r = &report->rows[0];
    bool unreadable = !r->has_state && (r->problem.kind == ERR_FORBIDDEN || r->problem.kind == ERR_AUTH);
    if (!r->opted_in || unreadable) {
        *ret_why = xasprintf("%s", r->opted_in ? r->problem.msg
                                               : "Handover does not guard it: no annotation " HANDOVER_PREFIX
                                                 "canary-percent");
        return WAIT_FAILED;
    }
    if (!hash[0]) memcpy(hash, r->target.hash, sizeof r->target.hash);
    if (!same(hash, r->target.hash)) {
        *ret_why =
            xasprintf("held: another template (%s) has superseded the one that was waited for", r->image);
        return WAIT_HELD;
    }
    if (r->has_state) return of_state(r, hash, ret_why);
    if (r->problem.kind == ERR_CONFIG) {
        *ret_why = xasprintf("held: %s", r->problem.msg);
        return WAIT_HELD;
    }
    *ret_why = xstrdup("waits to be adopted");
    return WAIT_GOES_ON;
}
