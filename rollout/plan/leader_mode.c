/* Mode leader: for an operator that elects a leader on a Lease, what the canary gets is no share of the pods but of the time. Here is
 * what that comes to for the rest of the plan; the trials themselves are in phase_leader.c. */
#include "plan/plan_ctx.h"

/* The shortest trial, in lease durations: less would measure the start of the canary and not its work. */
enum { SHORTEST_LEASES = 5 };
/* A canary with a Lease of its own takes it within a few polls of client-go's, 2 s each. */
#define CHOOSE_NS (5 * NS_PER_S)
#define SEARCH_NS                                                                                            \
    (60 * NS_PER_S) /* so long a Lease is looked for where the annotation asks for mode leader */

const struct obs_lease *plan_lease(const struct plan_ctx *c) {
    const char *name = c->s->trial.lease;
    for (size_t i = 0; name && i < c->o->nleases; i++)
        if (!strcmp(c->o->leases[i].name, name) && plan_may_lease(c, &c->o->leases[i]))
            return &c->o->leases[i];
    return NULL;
}

bool plan_may_lease(const struct plan_ctx *c, const struct obs_lease *l) {
    struct slice left = slice_of(l->targets), one;
    if (strcmp(l->ns, c->t->ns) == 0) return true;
    cleanup_free char *self = xasprintf("%s/%s", c->t->ns, c->t->name);
    while (left.p) {
        slice_cut(left, ',', &one, &left);
        if (slice_eqs(slice_trim(one), self)) return true;
    }
    return false;
}

/* One of another namespace is named: it has to be seen, and its owner's word. */
static bool foreign_is_there(struct plan_ctx *c) {
    const char *name = c->spec->lease;
    struct slice ns, bare;
    if (!name || !slice_cut(slice_of(name), '/', &ns, &bare)) return true;
    const struct obs_lease *l = c->o->nleases ? c->o->leases : NULL;
    if (l && plan_may_lease(c, l)) {
        if (c->s->hold == HOLD_CONFIG) plan_unhold(c);
        return true;
    }
    plan_revisit(c, c->now + POLL_NS);
    if (c->o->lease_trouble)
        plan_hold(c, HOLD_CONFIG, TEXT_NEWS, "%s", c->o->lease_trouble);
    else if (!l)
        plan_hold(c, HOLD_CONFIG, TEXT_NEWS, "annotation lease: there is no Lease %s", name);
    else
        plan_hold(c, HOLD_CONFIG, TEXT_NEWS,
                  "Lease %s does not say that targets of namespace %s may have it: kubectl annotate "
                  "lease/%.*s -n %.*s " ANNOTATION_TARGETS "=%s/%s",
                  name, c->t->ns, SLF(bare), SLF(ns), c->t->ns, c->t->name);
    return false;
}

static const struct obs_pod *holder(const struct plan_ctx *c, const struct obs_lease *l) {
    for (size_t i = 0; i < c->o->npods; i++)
        if (!c->o->pods[i].finished && obs_lease_held_by(l, c->o->pods[i].name)) return &c->o->pods[i];
    return NULL;
}

bool plan_holder(const struct plan_ctx *c, const struct obs_lease *l, enum track *ret) {
    const struct obs_pod *p = holder(c, l);
    if (p) *ret = p->track;
    return p != NULL;
}

const char *plan_holder_name(const struct plan_ctx *c, const struct obs_lease *l) {
    const struct obs_pod *p = holder(c, l);
    return p ? p->name : "the canary";
}

/* ---- which mode ---- */

/* The Lease that a pod of stable holds, the first by its name. *ret_own: the canary has one. */
static const struct obs_lease *of_stable(const struct plan_ctx *c, bool *ret_own) {
    const struct obs_lease *best = NULL;
    *ret_own = false;
    for (size_t i = 0; i < c->o->nleases; i++) {
        const struct obs_lease *l = &c->o->leases[i];
        enum track held;
        bool other = c->spec->lease && strcmp(c->spec->lease, l->name) != 0;
        if (other || l->coordinated || !plan_may_lease(c, l) || !plan_holder(c, l, &held)) continue;
        *ret_own = *ret_own || held == TRACK_CANARY;
        if (held == TRACK_STABLE && (!best || strcmp(l->name, best->name) < 0)) best = l;
    }
    return best;
}

static void choose(struct plan_ctx *c, const struct obs_lease *l) {
    struct trial *t = &c->s->trial;
    *t = (struct trial){
        .step = TRIAL_STANDBY, .lease = xstrdup(l->name), .lease_ns = l->duration_ns, .since_ns = c->now};
    c->s->soak_from_ns = c->now;
    plan_unhold(c);
    plan_event(
        c, EV_LEADER_MODE,
        "stable and the canary of %s share Lease %s: the canary leads by turns, for its share of the soak",
        c->s->image, l->name);
    plan_enter_described(c, PHASE_SOAKING);
}

/* It waits, and does nothing, while stable works. */
static bool stands_by(const struct plan_ctx *c) {
    const struct state *s = c->s;
    bool looked =
        s->soak_from_ns && c->o->scraped_ns > s->soak_from_ns && c->now - s->soak_from_ns >= CHOOSE_NS;
    return looked && s->judge.all.ns > 0 && s->judge.all.nc + s->judge.all.start_nc == 0;
}

bool plan_choose_mode(struct plan_ctx *c) {
    bool own;
    if (!plan_own_mode(c)) return false;
    if (plan_by_turns(c->s) || c->spec->mode == MODE_REPLICAS || c->spec->mode == MODE_OBJECTS) return true;
    if (!foreign_is_there(c)) return false;
    const struct obs_lease *l = of_stable(c, &own);
    if (c->spec->mode == MODE_LEADER || plan_is_own_target(c)) {
        if (l) choose(c, l);
        if (l) return true;
        if (c->now - c->s->since_ns >= SEARCH_NS)
            plan_hold(c, HOLD_NO_DATA, TEXT_KEPT,
                      "mode leader: no pod of stable holds %s in namespace %s; annotation lease names it, or "
                      "mode replicas is meant",
                      c->spec->lease ? c->spec->lease : "a Lease", c->t->ns);
        plan_revisit(c, c->now + POLL_NS);
        return false;
    }
    bool overridden =
        c->spec->canary_args || c->spec->canary_env; /* a Lease of its own, which it may not hold yet */
    if (!l || own || overridden) return true;
    plan_revisit(c, c->s->soak_from_ns + CHOOSE_NS);
    if (stands_by(c) && plan_is_set(c))
        return plan_hold(
            c, HOLD_NO_DATA, TEXT_KEPT,
            "the canary stands by for Lease %s, which stable holds, and mode leader is not for StatefulSets; "
            "annotations canary-args or canary-env give it one of its own, then: retry; or promote, abort",
            l->name);
    if (stands_by(c)) choose(c, l);
    return true;
}

/* Chosen by itself, and wrongly: a version may have another Lease, and come to it late. */
bool plan_leave_turns(struct plan_ctx *c) {
    struct trial *t = &c->s->trial;
    bool own = false;
    if (c->spec->mode != MODE_AUTO || c->spec->lease || t->n) return false;
    for (size_t i = 0; i < c->o->nleases && !own; i++) {
        enum track held;
        own = strcmp(c->o->leases[i].name, t->lease) != 0 && plan_holder(c, &c->o->leases[i], &held) &&
              held == TRACK_CANARY;
    }
    if (!own) return false;
    free(t->lease);
    *t = (struct trial){.step = TRIAL_NONE};
    c->s->soak_from_ns = c->now;
    return plan_enter_described(c, PHASE_SOAKING);
}

/* ---- how much, for how long ---- */

int32_t plan_replicas(const struct plan_ctx *c) {
    return c->t->replicas == 0 && c->s->replicas > 0 ? c->s->replicas : c->t->replicas;
}

int32_t plan_canary_wanted(const struct plan_ctx *c) {
    const struct state *s = c->s;
    if (plan_by_objects(s)) return plan_replicas(c) > 0; /* two would both have all of its objects */
    if (!plan_by_turns(s)) return plan_canary_replicas(plan_replicas(c), s->percent);
    return plan_replicas(c) > 0 && s->trial.step != TRIAL_RETURNING;
}

static int64_t shortest(const struct state *s) {
    return SHORTEST_LEASES * s->trial.lease_ns;
}

int64_t plan_soak_ns(const struct plan_ctx *c, int64_t *ret_least_ns) {
    const struct state *s = c->s;
    int64_t soak = c->spec->soak_ns, least = 0;
    if (plan_by_turns(s)) {
        least = shortest(s);
        soak = soak / 100 * s->percent;
        if (soak < least) soak = least;
    }
    if (ret_least_ns) *ret_least_ns = least;
    return soak;
}

/* Watched until the last round of scrapes of this process; before the first one nothing is known of the time gone by. */
int64_t plan_soaked_ns(const struct plan_ctx *c) {
    return state_watched_ns(c->s, c->o->scraped_ns);
}

/* Short at first, twice as long each time, the soak at most. */
static int64_t nth(const struct state *s, uint32_t n, int64_t soak_ns) {
    int64_t ns = shortest(s);
    for (uint32_t i = 0; i < n && ns < soak_ns; i++) ns *= 2;
    return ns > soak_ns && soak_ns > shortest(s) ? soak_ns : ns;
}

int64_t plan_lead_ns(const struct state *s, int64_t soak_ns) {
    bool goes_on = s->trial.step == TRIAL_LEADS;
    return nth(s, s->trial.n - (goes_on && s->trial.n ? 1 : 0), soak_ns);
}

/* Before the first trial as long as that; then so long that the canary's share of the time is what the step says, but for the soak
 * at most. */
int64_t plan_turn_ns(const struct state *s, int64_t soak_ns) {
    if (!s->trial.n) return shortest(s);
    int64_t last = nth(s, s->trial.n - 1, soak_ns), percent = s->percent ? s->percent : 1;
    int64_t turn = last / percent * (100 - percent);
    if (turn > soak_ns) turn = soak_ns;
    return turn < last ? last : turn;
}

/* ---- spec.replicas, which is the user's ---- */

int32_t plan_replicas_marked(const struct plan_ctx *c) {
    int64_t n;
    const char *text = json_str(c->t->annotations, ANNOTATION_REPLICAS);
    return text && slice_i64(slice_of(text), &n) == 0 && n > 0 && n <= INT32_MAX ? (int32_t)n : 0;
}

/* Scaled up from zero, the Deployment controller takes the ReplicaSet of the template, else the newest: neither may be another one
 * than stable's. True: none is in the way any more. */
bool plan_way_back_is_clear(struct plan_ctx *c) {
    bool clear = true;
    for (size_t i = 0; i < c->o->nrs && c->stable; i++) {
        const struct obs_rs *r = &c->o->rs[i];
        bool idle = plan_is_own(c, r) && r != c->stable && r->replicas == 0;
        if (!idle || (!plan_same_hash(r->hash, c->t->hash) && r->created_ns < c->stable->created_ns))
            continue;
        clear = false;
        plan_step_rs_delete(c, r,
                            "delete an idle ReplicaSet, which the controller would start in stable's place");
    }
    if (!clear) plan_revisit(c, c->now + POLL_NS);
    return clear;
}

/* A hold, a canary that is not ready, caches that are not complete. What users do is no failure. */
static void give_up(struct plan_ctx *c) {
    struct trial *t = &c->s->trial;
    bool failed = state_on_trial(c->s) && c->spec && !c->s->pause_asked && c->o->known && plan_lease(c);
    t->disturbed += failed && plan_replicas_marked(c);
    t->step = TRIAL_STANDBY;
    t->since_ns = c->now;
}

static void bring_back(struct plan_ctx *c) {
    bool refused = c->o->refused && c->o->refused->kind == STEP_RS_DELETE;
    bool holds = c->s->phase != PHASE_PROMOTING; /* else the new version is to start */
    if (holds && c->o->known && !plan_way_back_is_clear(c) && !refused) return;
    c->patch.any = c->patch.checked = true; /* of the template that was looked at, and of nobody's number */
    c->patch.replicas = c->s->replicas;
    if (!c->patch.why) c->patch.why = "stable is back, and stands by";
}

/* Our zero, and the state has no number: a new leader has seen the target as it was before that write, or the write was under way. */
static void take_mark(struct plan_ctx *c) {
    int32_t n = plan_replicas_marked(c);
    if (n) c->s->replicas = n;
}

void plan_keep_replicas(struct plan_ctx *c) {
    struct state *s = c->s;
    bool trial = state_on_trial(s) && s->trial.step == TRIAL_GIVING && c->giving;
    if (s->trial.step == TRIAL_GIVING && !trial) give_up(c);
    if (s->replicas < 0 && !trial && c->t->replicas == 0) take_mark(c);
    if (s->replicas >= 0 && trial && c->t->replicas > 0) {
        s->replicas = c->t->replicas;
        c->patch.any = c->patch.checked = true; /* the number that is given back is the one that was read */
        c->patch.replicas = 0;
        c->patch.why = "stable gives its Lease up: to zero until the canary leads";
    } else if (s->replicas >= 0 && !trial && c->t->replicas == 0) {
        bring_back(c);
    } else if (!trial) {
        s->replicas = -1; /* back, or as another client has it by now */
    }
    if (c->t->replicas == 0 || c->patch.replicas == 0 || !json_get(c->t->annotations, ANNOTATION_REPLICAS))
        return;
    c->patch.any = c->patch.drop_replicas = true;
    if (!c->patch.why) c->patch.why = "take the number of replicas off";
}
