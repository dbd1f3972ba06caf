/* What a step that has passed waits for before the rollout goes on: a person's word, as in canary-percent: "5,pause,50". */
#include "plan/plan_ctx.h"

bool plan_gated(const struct state *s, const struct spec *spec) {
    return (spec->pause_after >> s->step & 1U) && s->opened != s->step + 1;
}

static bool hold_at_gate(struct plan_ctx *c) {
    const struct state *s = c->s;
    return plan_hold(c, HOLD_APPROVAL, TEXT_KEPT, "step %u of %zu (%u %%) has passed; to go on: %s",
                     s->step + 1, c->spec->nsteps, s->percent, plan_command(c, ACTION_RESUME).text);
}

bool plan_stop_at_gate(struct plan_ctx *c) {
    if (!plan_gated(c->s, c->spec)) return false;
    c->s->gate_ns = c->now;
    return hold_at_gate(c);
}

void plan_leave_gate(struct plan_ctx *c) {
    struct state *s = c->s;
    if (c->now > s->gate_ns) s->shift_ns += c->now - s->gate_ns;
    s->gate_ns = 0;
    if (s->hold == HOLD_APPROVAL) plan_unhold(c);
}

bool plan_waits_at_gate(struct plan_ctx *c) {
    if (!c->s->gate_ns) return false;
    if (plan_gated(c->s, c->spec)) {
        if (c->s->hold != HOLD_APPROVAL) hold_at_gate(c);
        return true;
    }
    plan_leave_gate(c); /* the annotation asks for nobody any more */
    return false;
}
