/* One plan: the state as it is, what a user asked, one phase after the other until none moves, then the
 * write and its effects in their order. */
#include "plan/plan_ctx.h"

/* A chain of phases without waiting is short; this only stops a fault from going round for ever. */
enum { MAX_MOVES = 16 };
#define DAMAGED_NS (30 * NS_PER_S)
#define NEWBORN_NS (60 * NS_PER_S)

static bool (*const phases[PHASES])(struct plan_ctx *) = {
    [PHASE_IDLE] = plan_phase_idle,
    [PHASE_ADOPTING] = plan_phase_adopting,
    [PHASE_STABLE] = plan_phase_stable,
    [PHASE_REHEARSING] = plan_phase_rehearsing,
    [PHASE_STARTING] = plan_phase_canary,
    [PHASE_SOAKING] = plan_phase_canary,
    [PHASE_PROMOTING] = plan_phase_promoting,
    [PHASE_FINISHING] = plan_phase_finishing,
    [PHASE_ROLLING_BACK] = plan_phase_rolling_back,
    [PHASE_ROLLED_BACK] = plan_phase_rolled_back,
    [PHASE_CANCELLING] = plan_phase_cancelling,
    [PHASE_RELEASING] = plan_phase_unmanage,
};

int32_t plan_canary_replicas(int32_t stable, unsigned percent) {
    if (stable <= 0 || percent == 0) return 0;
    if (percent >= 50) return stable;
    int64_t n = ((int64_t)stable * percent + (100 - percent) - 1) / (100 - percent);
    return (int32_t)(n > stable ? stable : n);
}

/* Harm is stopped first, what gives something back or away comes after; the order of the kinds in the enum is
 * not that. */
static int rank(enum step_kind k) {
    static const int ranks[] = {
        [STEP_STATE] = 0,     [STEP_RS] = 1,           [STEP_TARGET] = 2,    [STEP_POD_DELETE] = 2,
        [STEP_RS_DELETE] = 3, [STEP_CANARY] = 4,       [STEP_REHEARSAL] = 4, [STEP_REPORT] = 4,
        [STEP_LEASE] = 5,     [STEP_STATE_DELETE] = 6, [STEP_OBJECTS] = 7};
    return ranks[k];
}

static void order(struct plan *p) {
    for (size_t i = 1; i < p->nsteps; i++) {
        struct step s = p->step[i];
        size_t k = i;
        for (; k > 0 && rank(p->step[k - 1].kind) > rank(s.kind); k--) p->step[k] = p->step[k - 1];
        p->step[k] = s;
    }
}

static bool rolling(enum phase p) { /* what must come to its end before the target may leave */
    return p == PHASE_ROLLING_BACK || p == PHASE_PROMOTING || p == PHASE_FINISHING || p == PHASE_RELEASING;
}

static bool start_leaving(struct plan_ctx *c) {
    struct state *s = c->s;
    if (!c->leaving || rolling(s->phase)) return false;
    if (s->phase == PHASE_IDLE && !s->stable_uid && plan_bears_mark(c->t) && !plan_never_adopted(c))
        return false; /* recover first */
    if (state_on_trial(s)) plan_end_rollout(c, ENDED_CANCELLED, "the %s is no longer managed", plan_kind(c));
    return plan_enter(c, PHASE_RELEASING, "the %s is being released; the canary is being removed",
                      plan_kind(c));
}

static void drop_steps(struct plan *p) {
    for (; p->nsteps; p->nsteps--) {
        free(p->step[p->nsteps - 1].name);
        free(p->step[p->nsteps - 1].ns);
        free(p->step[p->nsteps - 1].uid);
        free(p->step[p->nsteps - 1].body);
    }
}

static void run(struct plan_ctx *c) {
    struct plan *p = c->plan;
    plan_find_stable(c);
    plan_user_commands(c);
    const struct target_patch asked = c->patch;
    for (int i = 0; i < MAX_MOVES; i++) {
        /* Effects are those of the last phase only: what an earlier one wanted may be what this one undoes. */
        drop_steps(p);
        c->patch = asked;
        p->look_again_ns = TIME_NEVER;
        p->scrape_ns = 0;
        p->probe_quiet = p->policy_failed = c->giving = c->keeps_slice = c->keeps_rehearsal = false;
        p->order = ORDER_NONE;
        memset(p->ask, 0, sizeof p->ask);
        memset(&p->rehearse, 0, sizeof p->rehearse);
        if (!start_leaving(c) && !phases[c->s->phase](c)) break;
    }
}

/* How often the evidence is written: five times in a soak, at most once a minute. */
static int64_t evidence_ns(const struct plan_ctx *c) {
    int64_t fifth = c->s->param.soak_ns / 5;
    return fifth < NS_PER_S ? NS_PER_S : fifth < 60 * NS_PER_S ? fifth : 60 * NS_PER_S;
}

static bool due(const struct plan_ctx *c) { /* the evidence */
    return c->plan->scrape_ns > 0 && c->now - c->s->written_ns >= evidence_ns(c);
}

bool plan_has_step(const struct plan *p, enum step_kind kind) {
    for (size_t i = 0; i < p->nsteps; i++)
        if (p->step[i].kind == kind) return true;
    return kind == STEP_OBJECTS && p->order != ORDER_NONE;
}

bool plan_stops_harm(const struct plan *p) {
    return p->next && p->next->phase == PHASE_ROLLING_BACK;
}

/* What this plan writes besides state and status, for a phase to go on. */
static bool wants(const struct plan_ctx *c, enum step_kind kind) {
    return kind == STEP_TARGET ? c->patch.any : kind != STEP_STATE && plan_has_step(c->plan, kind);
}

static bool wants_anything(const struct plan_ctx *c) {
    return c->patch.any || c->plan->nsteps > 0 || c->plan->order != ORDER_NONE;
}

/* The API server refuses what is to be written next: that is why nothing moves, and it is tried again and again. Held for until the
 * write is carried out, or is not wanted any more. */
static void hold_for_refusal(struct plan_ctx *c) {
    struct state *s = c->s;
    const struct state *was = c->o->state;
    const struct refusal *r = c->o->refused;
    bool had = was && was->hold == HOLD_WRITE_REFUSED && was->phase == s->phase && was->message;
    bool resuming = s->hold == HOLD_PAUSED_BY_USER && !s->pause_asked;
    bool first =
        s->hold == HOLD_NONE || s->hold == HOLD_UNMANAGED || resuming || plan_hold_is_outside(s->hold);
    if (first && r && wants(c, r->kind))
        plan_hold(c, HOLD_WRITE_REFUSED, TEXT_CAUSE, "the API server refuses a write: %s", r->text);
    else if (first && had && !r && wants_anything(c))
        plan_hold(c, HOLD_WRITE_REFUSED, TEXT_KEPT, "%s", was->message); /* not tried again yet */
    else if (s->hold == HOLD_WRITE_REFUSED)
        plan_unhold(c);
}

/* For so long something outside kept the canary away: a deadline that counted it would make a verdict of it. */
static void count_time_outside(struct plan_ctx *c) {
    bool trial = state_on_trial(c->s);
    int64_t ns = plan_outside_ns(c);
    if (trial && !plan_hold_is_outside(c->s->hold) && c->s->shift_ns < INT64_MAX / 4 - ns)
        c->s->shift_ns += ns;
}

static void finish(struct plan_ctx *c, bool fresh) {
    struct plan *p = c->plan;
    bool going = false;
    for (size_t i = 0; i < p->nsteps; i++) going = going || p->step[i].kind == STEP_STATE_DELETE;
    plan_keep_replicas(c);
    plan_keep_slice(c);
    plan_sweep_rehearsals(c);
    plan_name_stables_cause(c);
    hold_for_refusal(c);
    plan_report_hold(c);
    count_time_outside(c);
    plan_lease_assist(c);
    bool news = fresh || !state_same(c->o->state, c->s) || due(c);
    plan_step_target(c);
    bool confirm = (p->nsteps > 0 || p->order != ORDER_NONE) && !c->o->state_confirmed;
    if (!going && (news || confirm)) {
        c->s->written_ns = c->now;
        c->s->generation = c->t->generation;
        plan_step_state(c);
    }
    if (!going && !news) {
        while (p->nevents) free(p->event[--p->nevents].message); /* nothing is new */
        p->nmetrics = 0;
        if (p->scrape_ns) plan_revisit(c, c->s->written_ns + evidence_ns(c));
    }
    order(p);
}

/* The target was ours and its state is lost: our mark is still on it. */
static bool lost(const struct observed *o) {
    const char *status = o->target->status;
    return o->state_known == STATE_ABSENT && plan_bears_mark(o->target) && status &&
           strncmp(status, "Idle", 4) != 0;
}

static void drop_status(struct plan_ctx *c) { /* of a target that has left */
    for (size_t i = 0; i < c->o->nrs; i++) {  /* seen only now: its creation was not answered */
        const struct obs_rs *r = &c->o->rs[i];
        if (r->canary && !r->deleting)
            plan_step_rs_delete(c, r, "delete the canary of a target that has left");
    }
    plan_sweep_rehearsals(c);
    if (c->t->status) {
        c->patch.any = c->patch.drop_status = true;
        c->patch.why = "take the status off";
    }
    if (c->t->held) { /* by the policy, in the write that took it out of our hands before it was adopted */
        c->patch.any = c->patch.checked = true;
        c->patch.paused = c->t->paused ? PAUSED_DROP : PAUSED_KEEP;
        c->patch.mark = MARK_DROP;
        c->patch.why = "not ours: its own rollout goes on";
    }
    if (c->patch.any) plan_step_target(c);
    c->plan->watch = false;
    c->plan->forget = c->plan->nsteps == 0;
}

/* Nothing is changed but our own annotation: what is there must not be written over. The Event goes with a change of
 * it: one, whichever leader. */
static void unusable(struct plan_ctx *c, bool foreign) {
    struct state said;
    state_init(&said);
    c->s = &said;
    cleanup_free char *name = obs_state_name(c->t->id);
    const char *why = c->o->state_err ? c->o->state_err->msg : "";
    if (foreign)
        plan_set_text(
            &said.message,
            "ConfigMap %s is not Handover's (%s), so there is no place for the state and nothing is done; "
            "keep its content under another name, or rename the %s",
            name, why, plan_kind(c));
    else
        plan_set_text(&said.message, "ConfigMap %s is damaged, nothing is done: %s", name, why);
    said.hold = foreign ? HOLD_NAME_CONFLICT : HOLD_CONFIG;
    plan_step_target(c);
    if (c->plan->nsteps && foreign)
        plan_event(c, EV_HELD + HOLD_NAME_CONFLICT, "%s", said.message);
    else if (c->plan->nsteps)
        plan_event(c, EV_STATE_DAMAGED,
                   "%s; repair it, or have the %s adopted anew: kubectl delete configmap/%s -n %s",
                   said.message, plan_kind(c), name, c->t->ns);
    plan_revisit(c, c->now + DAMAGED_NS); /* a foreign one is not watched */
    c->s = NULL;
    state_free(&said);
}

/* Its first rollout is under way, as that of every new Deployment: nothing to write down, or to tell, unless it takes
 * long. */
static bool newborn(const struct plan_ctx *c) {
    const struct obs_target *t = c->t;
    return c->s->phase == PHASE_IDLE && c->s->hold == HOLD_ROLLOUT && t->created_ns && !c->patch.any &&
           c->now >= t->created_ns && c->now < t->created_ns + NEWBORN_NS && !t->failure &&
           !plan_rollout_stands_still(t);
}

/* What was planned is not done. */
static void withdraw(struct plan_ctx *c) {
    struct plan *p = c->plan;
    drop_steps(p);
    while (p->nevents) free(p->event[--p->nevents].message);
    p->nmetrics = 0;
    state_free(c->s);
    free(c->s);
    c->s = p->next = NULL;
}

static void with_target(struct plan_ctx *c) {
    const struct observed *o = c->o;
    if (o->target->deleting) { /* the garbage collector takes what is ours with it, but for labels */
        if (o->state && plan_by_objects(o->state)) plan_without_target(c);
        return;
    }
    bool leaving = !o->spec || o->release;
    bool nothing = o->state_known == STATE_ABSENT && !lost(o);
    if (leaving && (nothing || o->state_known == STATE_FOREIGN)) {
        drop_status(c);
        return;
    }
    if (o->state_known == STATE_DAMAGED || o->state_known == STATE_FOREIGN) {
        unusable(c, o->state_known == STATE_FOREIGN);
        return;
    }
    if (o->state_known == STATE_READ && o->state->target_uid &&
        strcmp(o->state->target_uid, o->target->uid) != 0) {
        plan_step_state_delete(c); /* of a namesake that is gone */
        return;
    }
    bool fresh = o->state_known == STATE_ABSENT;
    if (fresh && !o->known && plan_needs(o) != NEED_TARGET) return; /* nothing to write down yet */
    c->leaving = leaving;
    c->spec = !leaving && (!o->spec_err || o->spec_err->kind == ERR_NONE) ? o->spec : NULL;
    c->s = c->plan->next = xcalloc(1, sizeof *c->s);
    if (fresh) {
        state_init(c->s);
        c->s->target_uid = xstrdup(o->target->uid);
        c->s->since_ns = c->now;
    } else {
        state_copy(o->state, c->s);
    }
    run(c);
    if (fresh && newborn(c)) {
        withdraw(c);
        plan_revisit(c, c->t->created_ns + NEWBORN_NS);
        return;
    }
    plan_keep_stable_template(c);
    finish(c, fresh);
}

void plan_make(const struct observed *o, int64_t now_wall_ns, struct plan *ret) {
    *ret = (struct plan){.look_again_ns = TIME_NEVER, .watch = true};
    struct plan_ctx c = {.o = o, .t = o->target, .plan = ret, .patch = {.deadline_s = -1, .replicas = -1}};
    c.now = now_wall_ns - now_wall_ns % NS_PER_US; /* as the text keeps it */
    if (o->state_known == STATE_UNKNOWN) return;
    if (o->target)
        with_target(&c);
    else
        plan_without_target(&c);
}

void plan_free(struct plan *p) {
    if (!p) return;
    drop_steps(p);
    for (size_t i = 0; i < p->nevents; i++) free(p->event[i].message);
    if (p->next) state_free(p->next);
    free(p->next);
    *p = (struct plan){0};
}
