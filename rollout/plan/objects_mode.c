/* Mode objects: for an operator that takes a label selector, what the canary gets is a share of the objects. Which ones is decided in
 * object_slice.c; here is when: taken from stable when the canary is ready, passed to it when stable is quiet, given back when the
 * canary is dead. */
#include "observe/track_selector.h"
#include "plan/plan_ctx.h"

/* The last look at stable's pods may be a second old, and has to be one of when stable had let go. */
#define YOUNGEST_NS (SLICE_SETTLE_NS + NS_PER_S)
#define TAKING_NS   (30 * NS_PER_S) /* of objects that keep coming */
#define REFILL_NS   (10 * NS_PER_S) /* between the passages of objects that come during a soak */
#define DEAD_NS     (NS_PER_S)      /* caches of pods and ReplicaSets are two */
#define ABSENT_NS   (30 * NS_PER_S) /* a kind that is not there may be being replaced */
#define ELECT_NS    (15 * NS_PER_S) /* for a canary to take a Lease of its own */
#define IDLE_NS     (60 * NS_PER_S)
#define ENDS_NS     (120 * NS_PER_S) /* a canary's pod that is to end, before it is reported */

static void enter(struct plan_ctx *c, enum slice_stage stage) {
    struct state_slice *l = &c->s->slice;
    const struct slice_seen *seen = c->o->slice;
    if (l->stage == stage) return;
    l->stage = stage;
    l->since_ns = c->now;
    if (seen && seen->known) {
        l->total = seen->sum.total;
        l->canary = seen->sum.canary;
    }
    if (stage == SLICE_SETTLING) c->s->shrink_ns = 0;
}

void plan_begin_slice(struct plan_ctx *c) {
    struct state_slice *l = &c->s->slice;
    if (c->spec->mode != MODE_OBJECTS || l->resource) return;
    *l = (struct state_slice){.resource = xstrdup(c->spec->objects),
                              .ns = xstrdup_null(c->spec->objects_ns),
                              .selector = xstrdup_null(c->spec->objects_selector)};
}

bool plan_mode_changed(struct plan_ctx *c) {
    if (!c->spec || (c->spec->mode == MODE_OBJECTS) == plan_by_objects(c->s)) return false;
    return plan_cancel_rollout(c, "the annotation mode asks for another mode");
}

static uint32_t labelled(const struct plan_ctx *c) {
    return c->o->slice->sum.moving + c->o->slice->sum.canary;
}

/* All objects are seen, and counted for this step. */
static bool seen(struct plan_ctx *c) {
    const struct slice_seen *o = c->o->slice;
    plan_revisit(c, c->now + POLL_NS);
    return o && o->known && o->sum.percent == c->s->percent;
}

static bool refused(struct plan_ctx *c, const char *why) {
    plan_hold(c, HOLD_CONFIG, TEXT_CAUSE, "mode objects: %s", why);
    c->no_manifest = true;
    return false;
}

bool plan_slice_lets_start(struct plan_ctx *c, const struct obs_rs *rs) {
    const struct slice_seen *o = c->o->slice;
    if (!plan_by_objects(c->s) || (rs && rs->replicas > 0)) return true;
    if (!c->stable) return false;
    if (!c->stable->selects)
        return refused(
            c, "stable would go on with the canary's objects, since its own template does not say "
               "\"" TRACK_SELECTOR_STABLE
               "\"; put that into service first, with handover.dev/mode: replicas or by: handover promote");
    if (!seen(c)) return o && o->trouble ? refused(c, o->trouble) : false;
    if (o->sum.others)
        return refused(
            c, "objects bear the label handover.dev/track of another target's rollout, or of nobody's: two "
               "targets may not have "
               "objects in common; else take it off: kubectl label RESOURCE NAME handover.dev/track-");
    if (labelled(c)) return false; /* plan_keep_slice() takes the labels off first */
    enter(c, SLICE_NONE);
    return true;
}

/* ---- the Lease, of which the canary needs one of its own ---- */

static void leases(const struct plan_ctx *c, const char *ret[TRACKS]) {
    for (size_t i = 0; i < c->o->nleases; i++) {
        enum track held;
        if (plan_holder(c, &c->o->leases[i], &held)) ret[held] = c->o->leases[i].name;
    }
}

static bool may_work(struct plan_ctx *c) {
    const char *lease[TRACKS] = {NULL};
    const struct obs_rs *rs = plan_canary_of(c, c->s->hash);
    leases(c, lease);
    if (!lease[TRACK_STABLE] || lease[TRACK_CANARY] || c->spec->canary_args || c->spec->canary_env)
        return true;
    if (rs && c->now - rs->created_ns < ELECT_NS) return false;
    return plan_hold(c, HOLD_CONFIG, TEXT_KEPT,
                     "mode objects: the canary waits for Lease %s, which stable holds, and would do nothing "
                     "with its objects; give it one "
                     "of its own, such as handover.dev/canary-args: --leader-election-id=%s-canary, then: %s",
                     lease[TRACK_STABLE], lease[TRACK_STABLE], plan_command(c, ACTION_RETRY).text);
}

bool plan_slice_is_idle(struct plan_ctx *c) {
    const struct state *s = c->s;
    const char *lease[TRACKS] = {NULL};
    if (!plan_by_objects(s) || s->slice.stage != SLICE_HELD || !s->soak_from_ns) return false;
    int64_t since = s->slice.since_ns > s->soak_from_ns ? s->slice.since_ns : s->soak_from_ns;
    if (c->now - since < IDLE_NS || c->o->scraped_ns < since + IDLE_NS) return false;
    leases(c, lease);
    bool works = s->judge.all.nc + s->judge.all.start_nc > 0 || s->judge.all.ns == 0;
    if (works || !lease[TRACK_STABLE] || lease[TRACK_CANARY]) return false;
    return plan_roll_back(c, ENDED_FAILED,
                          "the canary has got %u objects and reconciled none: it waits for a Lease (stable "
                          "holds %s); canary-args or "
                          "canary-env give it one of its own",
                          s->slice.canary, lease[TRACK_STABLE]);
}

/* ---- to the canary ---- */

static bool begin_taking(struct plan_ctx *c) {
    struct state_slice *l = &c->s->slice;
    if (!c->o->slice->sum.take) return false;
    if (c->s->soak_from_ns && l->stage == SLICE_HELD && c->now - l->since_ns < REFILL_NS) {
        plan_revisit(c, l->since_ns + REFILL_NS);
        return false;
    }
    return l->stage == SLICE_HELD || may_work(c);
}

static void settle(struct plan_ctx *c, const struct slice_sum *sum) {
    int64_t age = c->o->slice->boot_ns - sum->youngest_ns;
    c->keeps_slice = true;
    if (sum->moving && age < YOUNGEST_NS) {
        plan_revisit(c, c->now + YOUNGEST_NS - age);
        return;
    }
    if (sum->moving && !plan_quiet_enough(c, TRACK_STABLE)) return;
    enter(c, SLICE_PASSING);
}

static void held(struct plan_ctx *c, const struct slice_sum *sum) {
    bool first = !c->s->soak_from_ns;
    enter(c, SLICE_HELD);
    c->s->slice.total = sum->total;
    c->s->slice.canary = sum->canary;
    if (first)
        plan_event(c, EV_SLICE_MOVED, "%u of %u objects of %s are the canary's (wanted %u %%)", sum->canary,
                   sum->total, c->s->slice.resource, c->s->percent);
}

bool plan_take_slice(struct plan_ctx *c) {
    struct state *s = c->s;
    struct state_slice *l = &s->slice;
    bool watched = s->soak_from_ns != 0;
    if (!seen(c)) {
        c->keeps_slice = l->stage != SLICE_NONE && l->stage != SLICE_HELD;
        return watched;
    }
    const struct slice_sum *sum = &c->o->slice->sum;
    if (!sum->wanted && !labelled(c) && !watched)
        return plan_hold(c, HOLD_NO_DATA, TEXT_CAUSE, "there are no objects of %s for the canary (%u in all)",
                         l->resource, sum->total);
    if (s->hold == HOLD_NO_DATA && !watched) plan_unhold(c);
    if (l->stage == SLICE_NONE || l->stage == SLICE_HELD || l->stage == SLICE_RETURNING) {
        if (begin_taking(c))
            enter(c, SLICE_TAKING);
        else if (sum->moving)
            enter(c, SLICE_SETTLING);
        else if (!sum->take && sum->canary && !watched)
            held(c, sum);
    }
    if (l->stage == SLICE_TAKING && (!sum->take || c->now - l->since_ns > TAKING_NS))
        enter(c, SLICE_SETTLING);
    if (l->stage == SLICE_SETTLING) settle(c, sum);
    if (l->stage == SLICE_PASSING && !sum->moving) held(c, sum);
    c->keeps_slice = l->stage == SLICE_TAKING || l->stage == SLICE_SETTLING || l->stage == SLICE_PASSING;
    if (l->stage == SLICE_TAKING) c->plan->order = ORDER_TAKE;
    if (l->stage == SLICE_PASSING) c->plan->order = ORDER_PASS;
    return watched || (l->stage == SLICE_HELD && !sum->moving && (!sum->take || sum->canary));
}

/* ---- and back ---- */

bool plan_slice_is_back(struct plan_ctx *c) {
    if (!plan_by_objects(c->s)) return true;
    plan_revisit(c, c->now + POLL_NS);
    return false;
}

/* The canary is to end: its ReplicaSets are at zero. */
static bool is_ending(const struct plan_ctx *c) {
    for (size_t i = 0; i < c->o->nrs; i++)
        if (c->o->rs[i].canary && !c->o->rs[i].detached && c->o->rs[i].replicas > 0) return false;
    return true;
}

/* Nothing of a canary runs, and nothing can start one: its ReplicaSet has seen that it is at zero. */
static bool canary_is_dead(const struct plan_ctx *c) {
    for (size_t i = 0; i < c->o->nrs; i++) {
        const struct obs_rs *r = &c->o->rs[i];
        if (r->canary && !r->detached && (r->replicas > 0 || r->st_replicas > 0 || !r->observed))
            return false;
    }
    return c->o->slice && c->o->slice->pods == 0 && !plan_has_step(c->plan, STEP_CANARY);
}

static void canary_lives(struct plan_ctx *c, bool trial) {
    struct state *s = c->s;
    const struct slice_seen *o = c->o->slice;
    bool on_the_way = o && o->known && o->sum.moving > 0 && !c->keeps_slice;
    if (s->slice.stage == SLICE_RETURNING || (on_the_way && s->slice.stage != SLICE_NONE))
        enter(c, SLICE_HELD);
    if (on_the_way) c->plan->order = ORDER_UNTAKE;
    bool late = !trial && is_ending(c) && o && o->pods && c->now - s->since_ns > ENDS_NS;
    if (late && s->hold == HOLD_NONE)
        plan_hold(c, HOLD_DISRUPTED, TEXT_KEPT,
                  "canary pod %s does not end; its objects are stable's again when it has (kubectl get pod "
                  "%s -n %s)",
                  o->pod, o->pod, c->t ? c->t->ns : "");
}

static void all_back(struct plan_ctx *c, bool trial) {
    struct state_slice *l = &c->s->slice;
    bool had = l->stage != SLICE_NONE;
    if (had) plan_event(c, EV_SLICE_RETURNED, "all objects of %s are stable's", l->resource);
    if (trial)
        enter(c, SLICE_NONE);
    else
        state_slice_clear(c->s);
    plan_revisit(c, c->now + POLL_NS);
}

void plan_keep_slice(struct plan_ctx *c) {
    struct state *s = c->s;
    struct state_slice *l = &s->slice;
    const struct slice_seen *o = c->o->slice;
    bool trial = c->t && !c->t->deleting && state_on_trial(s);
    if (!plan_by_objects(s) || c->plan->order != ORDER_NONE) return;
    if (!canary_is_dead(c)) {
        canary_lives(c, trial);
        return;
    }
    plan_revisit(c, c->now + POLL_NS);
    if (l->stage == SLICE_NONE && (!trial || !o->known || !labelled(c))) {
        if (!trial) all_back(c, false);
        return;
    }
    enter(c, SLICE_RETURNING);
    bool gone = o->absent && c->now - l->since_ns >= ABSENT_NS; /* the kind, and all objects with it */
    if (!o->known && !gone) {
        if (o->trouble && s->hold == HOLD_NONE)
            plan_hold(c, HOLD_CONFIG, TEXT_CAUSE, "objects cannot be given back to stable: %s", o->trouble);
        return;
    }
    if (gone || (!labelled(c) && o->verified))
        all_back(c, trial);
    else if (c->now - l->since_ns >= DEAD_NS)
        c->plan->order = labelled(c) ? ORDER_RETURN : ORDER_VERIFY;
}
