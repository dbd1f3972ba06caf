/* A step that has passed waits for checks of the target's own, a URL and a condition: all of them say pass, and it goes on; one says
 * fail, and it is rolled back. What says wait, or nothing, is asked again until the deadline. The answers come from the edge
 * (observed.check), which asks what plan.ask says. */
#include "plan/plan_ctx.h"
#include <stdio.h>

static const char *asked_of(const struct spec *spec, int k) {
    return k == CHECK_URL ? spec->check : spec->check_query;
}

bool plan_has_checks(const struct state *s, const struct spec *spec) {
    return (spec->check || spec->check_query) && s->checked != s->step + 1;
}

void plan_forget_checks(struct state *s) {
    for (int k = 0; k < CHECKS; k++) state_check_clear(&s->check[k]);
    s->check_ns = 0;
}

bool plan_begin_checks(struct plan_ctx *c) {
    char text[400];
    plan_forget_checks(c->s);
    c->s->check_ns = c->now;
    plan_waits_for_checks(c, text);
    return false;
}

/* What was said in answer to another question is no answer to this one. */
static struct state_check *check_of(struct plan_ctx *c, int k) {
    struct state_check *x = &c->s->check[k];
    const char *text = asked_of(c->spec, k);
    uint64_t of = text ? check_question(c->s, text) : 0;
    if (x->of != of) {
        state_check_clear(x);
        x->of = of;
    }
    return text ? x : NULL;
}

bool plan_take_answers(struct plan_ctx *c) {
    for (int k = 0; k < CHECKS; k++) {
        const struct check_answer *a = c->o->check[k];
        struct state_check *x = check_of(c, k);
        if (!x || !a || a->of != x->of || x->says == CHECK_PASS) continue;
        free(x->message);
        x->message = xstrdup_null(a->message);
        x->says = a->says;
        x->at_ns = a->at_ns;
        if (x->asked < INT32_MAX) x->asked++;
        x->next_ns = c->now + check_backoff_ns(c->spec->soak_ns, x->asked);
        const char *name = state_check_name((enum check_kind)k), *said = x->message ? x->message : "";
        if (a->says == CHECK_PASS)
            plan_event(c, EV_CHECK_PASSED, "step %u of %zu: %s says pass%s%s", c->s->step + 1,
                       c->spec->nsteps, name, *said ? ": " : "", said);
        if (a->says == CHECK_FAIL)
            return plan_roll_back(c, ENDED_FAILED, "%s says fail%s%s", name, *said ? ": " : "", said);
    }
    return false;
}

static void ask(struct plan_ctx *c, int k, const struct state_check *x) {
    bool early = c->now < x->next_ns && x->next_ns - c->now <= check_backoff_ns(c->spec->soak_ns, x->asked);
    if (early)
        plan_revisit(c, x->next_ns);
    else
        c->plan->ask[k] = x->of; /* also by a clock that was set back */
}

/* Not when it is asked again: each other text is a write of the target's annotation. */
static void say(int k, const struct state_check *x, char ret[400]) {
    const char *name = state_check_name((enum check_kind)k), *said = x->message ? x->message : "";
    if (x->says == CHECK_SILENT)
        snprintf(ret, 400, "%s gives no answer, which is no verdict: %.200s", name, said);
    else if (k == CHECK_QUERY)
        snprintf(ret, 400, "%s does not hold", name);
    else
        snprintf(ret, 400, "%s says wait%s%.200s", name, *said ? ": " : "", said);
}

bool plan_waits_for_checks(struct plan_ctx *c, char ret[400]) {
    struct state *s = c->s;
    const struct state_check *speaks = NULL;
    bool waits = false;
    snprintf(ret, 400, "its checks have not answered");
    for (int k = 0; k < CHECKS; k++) {
        const struct state_check *x = check_of(c, k);
        if (!x || x->says == CHECK_PASS) continue;
        waits = true;
        ask(c, k, x);
        if (x->says == CHECK_NOTHING || speaks) continue;
        speaks = x;
        say(k, x, ret);
    }
    if (!waits) {
        s->check_ns = 0;
        s->checked = s->step + 1;
    }
    if (!speaks) {
        plan_unhold(c);
        return waits;
    }
    plan_end_trial(c); /* it may last: stable leads meanwhile */
    plan_hold(c, speaks->says == CHECK_SILENT ? HOLD_NO_ANSWER : HOLD_CHECK, TEXT_CAUSE, "%s", ret);
    return true;
}
