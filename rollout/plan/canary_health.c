/* The health of the canary's pods: a guard beside the judge, since a pod that crashes is not scraped. What
 * has its cause outside the new version (pods_cause.c; stable has the same trouble) holds and does not condemn. */
#include "plan/plan_ctx.h"
#include <stdio.h>

/* CrashLoopBackOff comes after two crashes; one restart alone may be a blip (a webhook's certificate, a race
 * at the start). */
enum { MAX_CRASHES = 2 };
/* Crashes of both versions so near to each other have one cause: the API server was away, a lease was lost. */
#define NEAR_NS (600 * NS_PER_S)
/* Readiness that lasts this long is believed; flapping faster counts as not ready all the while. */
#define CALM_NS (60 * NS_PER_S)

static bool of_canary(const struct plan_ctx *c, const struct obs_pod *p) {
    const struct obs_rs *rs = plan_canary_of(c, c->s->hash);
    return rs && p->rs_uid && !strcmp(p->rs_uid, rs->uid) && !p->terminating && !p->finished;
}

/* Has stable this very trouble? Its restarts of long ago do not count. */
static bool stable_crashes(const struct plan_ctx *c, const struct obs_pod *canary) {
    int64_t at = canary->crashed_ns ? canary->crashed_ns : c->now;
    for (size_t i = 0; i < c->o->npods; i++) {
        const struct obs_pod *p = &c->o->pods[i];
        if (p->track != TRACK_STABLE || p->terminating || p->finished) continue;
        if (p->loops && !p->ready) return true;
        if (p->crashed_ns && p->crashed_ns >= at - NEAR_NS && p->crashed_ns <= at + NEAR_NS) return true;
    }
    return false;
}

static bool stable_has_no_image(const struct plan_ctx *c) {
    for (size_t i = 0; i < c->o->npods; i++) {
        const struct obs_pod *p = &c->o->pods[i];
        if (p->track == TRACK_STABLE && !p->terminating && !p->finished && !p->ready && p->no_image)
            return true;
    }
    return false;
}

/* How often stable's pods crashed before they came up, however long ago. */
static uint32_t crashes_to_start(const struct plan_ctx *c) {
    uint32_t most = 0;
    for (size_t i = 0; i < c->o->npods; i++) {
        const struct obs_pod *p = &c->o->pods[i];
        if (p->track == TRACK_STABLE && p->ready && p->start_crashes > most) most = p->start_crashes;
    }
    return most;
}

static const char *kind(const struct plan_ctx *c) {
    return c->in_rehearsal ? "rehearsal" : "canary";
}

static enum health fatal_one(const struct plan_ctx *c, const struct obs_pod *p, char why[300]) {
    if (p->cause == CAUSE_DISRUPTED) return HEALTH_READY; /* what ends while it is evicted does not crash */
    const char *detail = p->trouble ? p->trouble : p->waiting ? p->waiting : "no reason given";
    if (p->no_image && !plan_guards(c, GUARD_IMAGE)) return HEALTH_READY;
    if (p->no_image) { /* a registry was asked and does not have it: nothing outside can mend that */
        snprintf(why, 300, "%s pod %.80s cannot get its image (%.150s)", kind(c), p->name, detail);
        return stable_has_no_image(c) ? HEALTH_SHARED : HEALTH_BAD;
    }
    if (!plan_guards(c, GUARD_CRASHES)) return HEALTH_READY;
    uint32_t times = p->loops && !p->crashes ? 1 : p->crashes;
    if (!p->loops && times < MAX_CRASHES) return HEALTH_READY;
    if (times <= crashes_to_start(c) && c->now <= p->created_ns + OBS_START_NS)
        return HEALTH_READY; /* as stable did */
    snprintf(why, 300, "%s pod %.80s crashed %u time%s (%.120s)", kind(c), p->name, times,
             times == 1 ? "" : "s", p->crash ? p->crash : detail);
    if (!stable_crashes(c, p)) return HEALTH_BAD;
    return p->loops ? HEALTH_SHARED : HEALTH_READY; /* it came back, as stable did: the trial goes on */
}

/* Pods that are over by themselves, by restart rules of their containers: more of them than there are pods, and one has failed
 * twice. */
static bool failed_for_good(const struct plan_ctx *c, int32_t want, char why[300]) {
    const struct obs_rs *rs = plan_canary_of(c, c->s->hash);
    int32_t n = 0;
    for (size_t i = 0; i < c->o->npods && rs; i++) {
        const struct obs_pod *p = &c->o->pods[i];
        bool over = p->finished && !p->terminating && p->cause == CAUSE_NONE;
        if (!over || !p->rs_uid || strcmp(p->rs_uid, rs->uid) != 0) continue;
        n++;
        snprintf(why, 300, "%d %s pods failed (%.150s)", n, kind(c), p->crash ? p->crash : "no reason given");
    }
    return n > want && plan_guards(c, GUARD_CRASHES);
}

/* The worst of the canary's pods: a crash that both versions share does not hide one of the canary's own. */
static enum health fatal(const struct plan_ctx *c, int32_t want, char why[300]) {
    enum health worst = HEALTH_READY;
    if (failed_for_good(c, want, why)) return HEALTH_BAD;
    for (size_t i = 0; i < c->o->npods && worst != HEALTH_BAD; i++) {
        char text[300] = "";
        enum health h = of_canary(c, &c->o->pods[i]) ? fatal_one(c, &c->o->pods[i], text) : HEALTH_READY;
        if (h == HEALTH_READY || h == worst) continue;
        worst = h;
        memcpy(why, text, sizeof text);
    }
    return worst;
}

static void track_readiness(struct plan_ctx *c, bool ready) {
    struct state *s = c->s;
    if (!ready) {
        if (!s->unready_ns) s->unready_ns = c->now;
        s->ready_ns = 0;
        plan_revisit(c, c->now + POLL_NS);
    } else if (s->unready_ns) {
        if (!s->ready_ns) s->ready_ns = c->now;
        if (c->now - s->ready_ns >= CALM_NS) s->unready_ns = s->ready_ns = 0;
    }
}

/* Its own progress deadline, but never so long that the rollout's deadline comes first. */
static int64_t ready_limit(const struct plan_ctx *c) {
    int64_t limit = plan_original_deadline(c->s) * NS_PER_S;
    int64_t half = c->spec ? c->spec->deadline_ns / 2 : limit;
    return half < limit ? half : limit;
}

/* Its time to become ready counts from its start: what kept it from starting is not its own. */
static enum health not_ready_by_itself(struct plan_ctx *c, const struct obs_pod *p, char *why, size_t size) {
    int64_t since = p->started_ns > c->s->unready_ns ? p->started_ns : c->s->unready_ns;
    snprintf(why, size, "%s pod %.80s is not ready%s%.150s", kind(c), p->name, p->trouble ? ": " : "",
             p->trouble ? p->trouble : "");
    if (c->now - since <= ready_limit(c) || !plan_guards(c, GUARD_READINESS)) return HEALTH_WAITING;
    return c->t->st_ready < c->t->replicas ? HEALTH_SHARED : HEALTH_BAD;
}

enum health plan_canary_health(struct plan_ctx *c, int32_t want, struct pods_cause *ret) {
    char why[300] = "";
    const struct obs_rs *rs = plan_canary_of(c, c->s->hash);
    enum health h = fatal(c, want, why);
    if (h != HEALTH_READY) {
        *ret = (struct pods_cause){0};
        snprintf(ret->text, sizeof ret->text, "%s", why);
        return h;
    }
    plan_pods_cause(c, rs, c->in_rehearsal ? "rehearsal pods" : "canary pods", want,
                    c->s->unready_ns ? c->s->unready_ns : c->now, ret);
    if (!rs && c->o->refused && c->o->refused->kind == STEP_CANARY)
        ret->hold = HOLD_WRITE_REFUSED, ret->at_once = true; /* named where all refusals are */
    bool ok = rs && ret->ready >= want;
    track_readiness(c, ok);
    if (ok) return HEALTH_READY;
    if (ret->hold != HOLD_NONE) return HEALTH_OUTSIDE;
    if (plan_was_outside(c)) { /* over: from here on it is the pods' own time */
        c->s->unready_ns = c->now;
        plan_unhold(c);
    }
    return ret->own ? not_ready_by_itself(c, ret->own, ret->text, sizeof ret->text) : HEALTH_WAITING;
}
