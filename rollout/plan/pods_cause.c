/* What keeps the pods of a ReplicaSet away that is not their version's doing: a quota, an admission policy, the scheduler, a
 * registry, a missing volume, an eviction. It is named with the cluster's own words, the phase holds for it, and it is never a
 * verdict: there is no evidence in pods that never ran. */
#include "plan/plan_ctx.h"
#include <stdio.h>

#define RECENT_NS (60 * NS_PER_S) /* an eviction so long before the pods were missed explains that they are */

/* How each is held for and said. */
static const struct {
    enum hold hold;
    const char *what;
} causes[CAUSES] = {
    [CAUSE_UNSCHEDULABLE] = {HOLD_UNSCHEDULABLE, "find no node"},
    [CAUSE_IMAGE] = {HOLD_IMAGE, "cannot get their image"},
    [CAUSE_NOT_STARTED] = {HOLD_NOT_STARTED, "cannot be started"},
    [CAUSE_DISRUPTED] = {HOLD_DISRUPTED, "are disrupted"},
};

bool plan_hold_is_outside(enum hold h) {
    if (h == HOLD_NOT_CREATED || h == HOLD_WRITE_REFUSED) return true;
    for (int i = CAUSE_NONE + 1; i < CAUSES; i++)
        if (causes[i].hold == h) return true;
    return false;
}

bool plan_was_outside(const struct plan_ctx *c) {
    const struct state *was = c->o->state;
    return was && was->hold != HOLD_WRITE_REFUSED && plan_hold_is_outside(was->hold) &&
           was->phase == c->s->phase;
}

static int64_t held_ns(const struct state *was, int64_t now) {
    if (!plan_hold_is_outside(was->hold)) return 0;
    int64_t from =
        was->unready_ns > was->hold_ns - PLAN_PATIENCE_NS ? was->unready_ns : was->hold_ns - PLAN_PATIENCE_NS;
    if (from > was->hold_ns || !was->unready_ns) from = was->hold_ns;
    return now > from ? now - from : 0;
}

int64_t plan_outside_ns(const struct plan_ctx *c) {
    const struct state *was = c->o->state;
    return was && was->began_ns == c->s->began_ns ? held_ns(was, c->now) : 0;
}

int64_t plan_deadline(const struct state *s, const struct spec *spec, int64_t now_wall_ns) {
    int64_t since = s->gate_ns ? s->gate_ns : s->pause_ns; /* a gate is reached before it is paused at it */
    int64_t paused = (s->gate_ns || s->pause_asked) && now_wall_ns > since ? now_wall_ns - since : 0;
    int64_t rehearses = s->phase == PHASE_REHEARSING ? spec->rehearse_ns : 0;
    return s->began_ns + s->shift_ns + held_ns(s, now_wall_ns) + paused + spec->deadline_ns + rehearses;
}

/* One line, in which the names of single pods (NAME-xxxxx) are that of their ReplicaSet: the same cause is the same text. */
static void clean(const char *text, const char *rs, char *ret, size_t size) {
    size_t n = 0, len = strlen(rs);
    for (const char *p = text; *p && n + 1 < size;) {
        if (len && strncmp(p, rs, len) == 0 && p[len] == '-') {
            size_t end = len + 1, keep = len < size - 1 - n ? len : size - 1 - n;
            while ((p[end] >= 'a' && p[end] <= 'z') || (p[end] >= '0' && p[end] <= '9')) end++;
            memcpy(ret + n, rs, keep);
            n += keep;
            p += end;
            continue;
        }
        ret[n++] = (unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p;
        p++;
    }
    ret[n] = '\0';
}

struct look {
    int32_t there, ready, by[CAUSES];
    const struct obs_pod *first[CAUSES]; /* whose text is shown */
    const struct obs_pod *own;           /* runs, and is not ready by itself: the one that does so longest */
    const struct obs_pod *evicted;       /* the last one that went this way */
};

static bool explains(const struct obs_pod *p, int64_t began_ns, int64_t since_ns) {
    return p->cause == CAUSE_DISRUPTED &&
           (p->ended_ns ? p->ended_ns >= since_ns - RECENT_NS : p->created_ns >= began_ns);
}

bool plan_guards(const struct plan_ctx *c, enum spec_guard g) {
    return !c->o->spec || c->o->spec->guard[g];
}

/* An image that does not exist is the version's own trouble, unless a user wants it to be like any other that cannot be pulled. */
static enum obs_cause cause_of(const struct plan_ctx *c, const struct obs_pod *p) {
    return p->no_image && p->cause == CAUSE_NONE && !plan_guards(c, GUARD_IMAGE) ? CAUSE_IMAGE : p->cause;
}

static void look_at(const struct plan_ctx *c, const struct obs_rs *rs, int64_t since_ns, struct look *l) {
    for (size_t i = 0; i < c->o->npods; i++) {
        const struct obs_pod *p = &c->o->pods[i];
        if (!p->rs_uid || strcmp(p->rs_uid, rs->uid) != 0) continue;
        if (p->terminating || p->finished) {
            bool later = !l->evicted || p->ended_ns > l->evicted->ended_ns;
            if (later && explains(p, c->s->began_ns, since_ns)) l->evicted = p;
            continue;
        }
        l->there++;
        l->ready += p->ready;
        if (p->ready) continue;
        enum obs_cause cause = cause_of(c, p);
        if (cause == CAUSE_NONE) {
            if (!l->own || p->started_ns < l->own->started_ns) l->own = p;
            continue;
        }
        l->by[cause]++;
        if (!l->first[cause]) l->first[cause] = p;
    }
}

/* A kubelet before 1.31 says why it could not pull only at the try itself, not while it waits for the next. */
static bool says_nothing(const char *text) {
    return !strncmp(text, "Back-off pulling image", 22) && !strstr(text, "Err");
}

static void name(struct pods_cause *ret, enum hold hold, int32_t n, int32_t want, const char *who,
                 const char *what, const char *rs, const char *text) {
    char cleaned[PLAN_CAUSE_TEXT - 120];
    clean(text ? text : "", rs, cleaned, sizeof cleaned);
    ret->hold = hold;
    ret->follow = says_nothing(cleaned) ? TEXT_KEPT : TEXT_CAUSE;
    snprintf(ret->text, sizeof ret->text, "%d of %d %s %s%s%s", n, want, who, what, *cleaned ? ": " : "",
             cleaned);
}

static void name_pods(struct pods_cause *ret, const struct look *l, enum obs_cause k, int32_t want,
                      const char *who, const char *rs) {
    const struct obs_pod *first = l->first[k];
    name(ret, causes[k].hold, l->by[k], want, who, causes[k].what, rs, first ? first->trouble : NULL);
}

/* The scheduler knows of taints only; the kubelet, which evicted those before them, knows why. */
static void name_unschedulable(struct pods_cause *ret, const struct look *l, int32_t want, const char *who,
                               const char *rs) {
    char what[160], why[100] = "";
    const char *evicted = l->evicted ? l->evicted->trouble : NULL;
    if (!evicted) {
        name_pods(ret, l, CAUSE_UNSCHEDULABLE, want, who, rs);
        return;
    }
    const char *stop = strstr(evicted, ". "); /* its first sentence */
    int n = stop && stop - evicted < 99 ? (int)(stop - evicted) : 99;
    snprintf(why, sizeof why, "%.*s", n, evicted);
    snprintf(what, sizeof what, "find no node since one was ended (%s)", why);
    const struct obs_pod *first = l->first[CAUSE_UNSCHEDULABLE];
    name(ret, HOLD_UNSCHEDULABLE, l->by[CAUSE_UNSCHEDULABLE], want, who, what, rs,
         first ? first->trouble : NULL);
}

void plan_pods_cause(const struct plan_ctx *c, const struct obs_rs *rs, const char *who, int32_t want,
                     int64_t since_ns, struct pods_cause *ret) {
    struct look l = {0};
    *ret = (struct pods_cause){0};
    if (rs) look_at(c, rs, since_ns, &l);
    if (rs && !l.there) { /* its pods are not looked at in every phase; its own numbers are */
        l.there = rs->st_replicas;
        l.ready = rs->st_ready;
    }
    ret->there = l.there;
    ret->ready = l.ready;
    ret->own = l.own;
    const char *rs_name = rs ? rs->name : "";
    bool absent = l.there < want;
    if (l.ready >= want || l.own)
        return; /* what runs and is not ready is its own trouble, whatever the others wait for */
    ret->missing = (absent ? want - l.there : 0) + l.by[CAUSE_UNSCHEDULABLE];
    if (absent && rs && rs->failure) {
        name(ret, HOLD_NOT_CREATED, l.there, want, who, "exist", rs_name, rs->failure);
        ret->at_once = true;
    } else if (l.by[CAUSE_UNSCHEDULABLE]) {
        name_unschedulable(ret, &l, want, who, rs_name);
    } else if (l.by[CAUSE_IMAGE]) {
        name_pods(ret, &l, CAUSE_IMAGE, want, who, rs_name);
        ret->at_once = ret->follow != TEXT_KEPT; /* else its reason was gone before it is reported */
    } else if (l.evicted) {
        name(ret, HOLD_DISRUPTED, l.ready, want, who, "are ready, one was ended", rs_name,
             l.evicted->trouble);
        ret->at_once = true;
    } else if (l.by[CAUSE_NOT_STARTED]) {
        name_pods(ret, &l, CAUSE_NOT_STARTED, want, who, rs_name);
    } else if (l.by[CAUSE_DISRUPTED]) {
        name_pods(ret, &l, CAUSE_DISRUPTED, want, who, rs_name);
    } else if (absent) {
        name(ret, HOLD_NOT_CREATED, l.there, want, who, "exist", rs_name, NULL);
    }
}

bool plan_cause_is_due(struct plan_ctx *c, const struct pods_cause *cause, int64_t since_ns) {
    int64_t at = since_ns + (cause->at_once ? PLAN_PROMPT_NS : PLAN_PATIENCE_NS);
    if (plan_was_outside(c) || c->now > at) return true;
    plan_revisit(c, at + 1000);
    return false;
}

/* Stable is being restored, and its pods cannot come: said in whatever phase that is, and nothing waits for it. */
void plan_name_stables_cause(struct plan_ctx *c) {
    struct state *s = c->s;
    struct pods_cause cause;
    bool restoring = s->phase == PHASE_STABLE || s->phase == PHASE_ROLLING_BACK ||
                     s->phase == PHASE_ROLLED_BACK || s->phase == PHASE_CANCELLING ||
                     s->phase == PHASE_FINISHING;
    if (!restoring || !c->o->known || !c->stable || (s->hold != HOLD_NONE && !plan_hold_is_outside(s->hold)))
        return;
    plan_pods_cause(c, c->stable, "pods of stable", c->t->replicas, s->since_ns, &cause);
    bool seen = plan_needs(c->o) >= NEED_PODS; /* else only what its ReplicaSet says */
    if (cause.hold != HOLD_NONE && (seen || cause.at_once)) {
        if (plan_cause_is_due(c, &cause, s->since_ns))
            plan_hold(c, cause.hold, cause.follow, "%s", cause.text);
    } else if (s->hold != HOLD_WRITE_REFUSED) {
        plan_unhold(c);
    }
}
