/* The signals beside errors, in the canary phase: what they do, what people read of them. */
#include "plan/plan_ctx.h"

/* With another annotation wrong, as this one says; with this one wrong nobody knows what is wanted, and none speaks. */
bool plan_signals_param(const struct state *s, const struct spec *spec, struct signals_param *ret) {
    signals_param_default(ret);
    if (!spec || !spec->signals_ok) return false;
    memcpy(ret->does, spec->signal, sizeof ret->does);
    ret->soak_looks = s->param.soak_looks;
    ret->alpha = s->param.alpha;
    return true;
}

void plan_signals(const struct plan_ctx *c, struct signals_report *ret) {
    struct signals_param p;
    *ret = (struct signals_report){.does = SIGNAL_OFF};
    if (plan_signals_param(c->s, c->o->spec, &p)) signals_verdict(&c->s->signals, &p, ret);
}

bool plan_hold_for_signal(struct plan_ctx *c, const struct signals_report *r) {
    const char *then = r->does == SIGNAL_DEADLINE ? "; rolled back at the deadline unless it ends" : "";
    return plan_hold(c, HOLD_SIGNAL, TEXT_CAUSE, "%s: %s%s; if that is meant: %s; if not: %s",
                     signal_name(r->which), r->why, then, plan_command(c, ACTION_PROMOTE).text,
                     plan_command(c, ACTION_ABORT).text);
}

bool plan_signal_at_deadline(struct plan_ctx *c, const struct signals_report *r, bool stalled) {
    return plan_roll_back(c, ENDED_FAILED, "%s%s: %s, until the deadline",
                          stalled ? "the canary has stopped reconciling while stable reconciles; " : "",
                          signal_name(r->which), r->why);
}

void plan_report_absent_signals(struct plan_ctx *c) {
    struct signals_param p;
    cleanup_buf struct buf names = BUF(400);
    if (c->s->signals.reported || !plan_signals_param(c->s, c->o->spec, &p) ||
        c->s->signals.looks < SIGNALS_REPORT_LOOKS)
        return;
    c->s->signals.reported = true;
    if (signals_absent(&c->s->signals, &p, &names))
        plan_event(c, EV_SIGNALS_UNAVAILABLE,
                   "these signals do not count, the pods have no metrics for them: %s", buf_str(&names));
}
