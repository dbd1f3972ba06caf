/* Taking canaries away: harm at once, a healthy one in a quiet moment. */
#include "plan/plan_ctx.h"

bool plan_quiet_enough(struct plan_ctx *c, enum track track) {
    struct state *s = c->s;
    int64_t quiet_ns = c->spec ? c->spec->quiet_ns : 10 * NS_PER_S;
    if (!s->shrink_ns) s->shrink_ns = c->now;
    bool quiet = c->o->quiet[track] == QUIET_NOW, over = c->now - s->shrink_ns >= quiet_ns;
    if (!quiet && !over) {
        c->plan->probe_quiet = true;
        c->plan->probe_track = track;
        plan_revisit(c, s->shrink_ns + quiet_ns);
        return false;
    }
    s->shrink_ns = 0;
    plan_count(c, PM_QUIET, quiet ? "quiet" : "waited_out", 1);
    return true;
}

static bool has_live_pods(const struct plan_ctx *c, const struct obs_rs *rs) {
    for (size_t i = 0; i < c->o->npods; i++) {
        const struct obs_pod *p = &c->o->pods[i];
        if (p->rs_uid && !strcmp(p->rs_uid, rs->uid) && p->ready && !p->terminating) return true;
    }
    return false;
}

static bool stable_serves(const struct plan_ctx *c) {
    int32_t want = c->t->replicas;
    return c->t->st_available >= want && (want == 0 || (c->stable && c->stable->st_available >= want));
}

#define DIES_NS (60 * NS_PER_S)

/* A leader's end is waited for, so that its Lease can be released in its stead; not for ever: its node may be lost. */
bool plan_canary_dies(struct plan_ctx *c, const struct obs_rs *rs) {
    if (!plan_by_turns(c->s) || c->now - c->s->since_ns >= DIES_NS) return false;
    for (size_t i = 0; i < c->o->npods; i++)
        if (c->o->pods[i].rs_uid && !strcmp(c->o->pods[i].rs_uid, rs->uid)) return true;
    return false;
}

/* One canary nearer to its end. */
static void wind_one(struct plan_ctx *c, const struct obs_rs *rs, bool gracefully) {
    plan_revisit(c, c->now + POLL_NS);
    if (rs->deleting) return;
    if (rs->detached && !stable_serves(c)) return; /* it serves until stable does */
    if (rs->replicas == 0 && rs->st_replicas == 0) {
        if (plan_canary_dies(c, rs)) return;
        plan_step_rs_delete(c, rs, "delete the canary");
    } else if (rs->replicas > 0 &&
               (!gracefully || !has_live_pods(c, rs) || plan_quiet_enough(c, TRACK_CANARY))) {
        if (rs->detached && c->stable)
            plan_step_scale_checked(c, c->stable, c->stable->replicas, "check that stable still runs");
        plan_step_scale(c, rs, 0, "canary to zero");
    }
}

bool plan_canary_teardown(struct plan_ctx *c, bool gracefully) {
    if (!c->o->known) return false;
    for (size_t i = 0; i < c->o->nrs; i++) {
        if (c->o->rs[i].canary) wind_one(c, &c->o->rs[i], gracefully);
    }
    return !plan_any_canary(c) && !plan_has_rehearsal(c);
}

/* In phases that know at most one canary: what another rollout has left behind. */
void plan_remove_other_canaries(struct plan_ctx *c) {
    for (size_t i = 0; i < c->o->nrs; i++) {
        const struct obs_rs *r = &c->o->rs[i];
        if (r->canary && (r->detached || !plan_same_hash(r->hash, c->s->hash))) wind_one(c, r, false);
    }
}
