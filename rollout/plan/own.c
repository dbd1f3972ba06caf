/* Handover's own Deployment: a target in mode leader whose leader has to survive the canary's trials. Stable is not scaled to zero: the
 * leader names the canary in the release of its Lease, and goes on as the guardian, which carries this plan on while the canary leads
 * everything else. The canary's end gives the Lease back, as in any trial. */
#include "plan/own.h"
#include "plan/plan_ctx.h"

enum { CUT_OFTEN = 2 }; /* trials that the canary has not ended itself */
/* Once may be an API server that was away, or a leader that died before its release. */
enum { OFTEN_NOT_TAKEN = 3 };
/* A trial is over by itself so long after its end: then its guardians are dead, and the canary is the leader that there is. */
#define UNGUARDED_NS (600 * NS_PER_S)

bool plan_is_own_target(const struct plan_ctx *c) {
    return c->o->own != OWN_NONE;
}

bool plan_own_mode(struct plan_ctx *c) {
    bool other = c->spec->mode == MODE_REPLICAS || c->spec->mode == MODE_OBJECTS;
    if (!other || !plan_is_own_target(c)) return true;
    return plan_hold(
        c, HOLD_CONFIG, TEXT_NEWS,
        "annotation mode: read \"%s\"; the canary of Handover itself leads by turns: allowed are "
        "\"leader\" and \"auto\"",
        c->spec->mode == MODE_REPLICAS ? "replicas" : "objects");
}

char **plan_own_env(const struct plan_ctx *c) {
    static char mark[] = OWN_TRACK "=" OWN_TRACK_CANARY;
    char **was = c->spec ? c->spec->canary_env : NULL;
    size_t n = 0;
    while (was && was[n]) n++;
    char **env = xcalloc(n + 2, sizeof *env);
    for (size_t i = 0; i < n; i++) env[i] = was[i];
    env[n] = mark;
    return env;
}

static const struct obs_pod *ready_canary(const struct plan_ctx *c) {
    for (size_t i = 0; i < c->o->npods; i++) {
        const struct obs_pod *p = &c->o->pods[i];
        bool fits = strlen(p->name) < sizeof c->plan->yield.pod && strlen(p->uid) < sizeof c->plan->yield.uid;
        if (p->track == TRACK_CANARY && p->ready && !p->terminating && !p->finished && fits) return p;
    }
    return NULL;
}

void plan_own_yield(struct plan_ctx *c) {
    const struct obs_pod *p = ready_canary(c);
    c->giving = true;
    if (!p || c->o->own != OWN_STABLE) return;
    memcpy(c->plan->yield.pod, p->name, strlen(p->name) + 1);
    memcpy(c->plan->yield.uid, p->uid, strlen(p->uid) + 1);
    c->plan->yield.until_ns = c->now + plan_lead_ns(c->s, c->spec->soak_ns) + UNGUARDED_NS;
}

bool plan_own_takes(struct plan_ctx *c, const struct obs_lease *l) {
    enum track held;
    c->giving = true;
    if (!plan_holder(c, l, &held) || held != TRACK_STABLE) return false;
    if (l->acquired_ns <= c->s->trial.since_ns) { /* stable has not given it up yet */
        plan_own_yield(c);
        return false;
    }
    if (++c->s->trial.disturbed >= OFTEN_NOT_TAKEN)
        return plan_roll_back(c, ENDED_FAILED,
                              "%u times the canary was ready and did not take Lease %s, which named it",
                              c->s->trial.disturbed, l->name);
    plan_trial_next(c, TRIAL_STANDBY);
    return false;
}

/* An API server that does not answer, or a node that is lost, cuts a good version's trial as well: not twice in a row, as a rule. */
enum own_end plan_own_end(struct plan_ctx *c) {
    uint32_t *cut = &c->s->trial.disturbed;
    if (!plan_is_own_target(c)) return OWN_END_GOOD;
    if (!c->o->own_leads) return OWN_END_UNSEEN;
    if (!c->o->trial_fault) {
        *cut = 0;
        return OWN_END_GOOD;
    }
    if (c->o->trial_cut && ++*cut < CUT_OFTEN) return OWN_END_CUT;
    (void)plan_roll_back(c, ENDED_FAILED, "trial %u: %s", c->s->trial.n, c->o->trial_fault);
    return OWN_END_BAD;
}

/* Nothing of stable's can lead any more, and the canary does: without this its own fix would wait for ever. */
bool plan_own_orphan(struct plan_ctx *c) {
    if (c->o->own != OWN_CANARY) return false;
    for (size_t i = 0; i < c->o->npods; i++)
        if (c->o->pods[i].track == TRACK_STABLE && c->o->pods[i].ready && !c->o->pods[i].finished) {
            c->s->shrink_ns = 0;
            return false;
        }
    int64_t soak = plan_soak_ns(c, NULL);
    if (!c->s->shrink_ns) c->s->shrink_ns = c->now; /* and not for a moment, as when a node is drained */
    if (plan_soaked_ns(c) < soak || c->now - c->s->shrink_ns < PLAN_PATIENCE_NS) return false;
    return plan_promote(c, "no pod of stable is ready to lead, and the canary has led for %d s",
                        (int)(plan_soaked_ns(c) / NS_PER_S));
}

static bool is_named(const struct obs_pod *p, const char *named) {
    size_t n = strlen(p->name);
    return strncmp(named, p->name, n) == 0 && named[n] == '_' && strcmp(named + n + 1, p->uid) == 0;
}

bool plan_guards_own(const struct observed *o, const char *pod, const char *named) {
    const struct obs_pod *best = NULL;
    for (size_t i = 0; i < o->npods; i++) {
        const struct obs_pod *p = &o->pods[i];
        if (p->track != TRACK_STABLE || p->terminating || p->finished) continue;
        if (p->ready && is_named(p, named)) return strcmp(p->name, pod) == 0;
        bool better = !best || (p->ready != best->ready ? p->ready : strcmp(p->name, best->name) < 0);
        if (better) best = p;
    }
    return !best || strcmp(best->name, pod) == 0;
}
