/* Counters of pods to deltas of tracks. */
#include "judge/evidence.h"
#include "base/time.h"
#include <errno.h>
#include <math.h>

#define SAME_START_S 2
#define COUNT_MAX    (UINT64_C(1) << 53) /* where doubles and JSON numbers end to be exact */

uint64_t evidence_count(double v) {
    return !(v > 0) || isinf(v) ? 0 : v >= (double)COUNT_MAX ? COUNT_MAX : (uint64_t)v;
}

void evidence_begin(struct evidence *e, int64_t began_wall_ns) {
    evidence_free(e);
    e->began_ns = began_wall_ns;
}

void evidence_free(struct evidence *e) {
    if (!e) return;
    free(e->pod);
    *e = (struct evidence){0};
}

void evidence_copy(const struct evidence *from, struct evidence *ret) {
    *ret = *from;
    ret->cap = 0;
    ret->pod = from->n ? xgrow(NULL, &ret->cap, from->n, sizeof *ret->pod) : NULL;
    if (from->n) memcpy(ret->pod, from->pod, from->n * sizeof *ret->pod);
}

static struct evidence_pod *find(struct evidence *e, struct slice uid) {
    for (size_t i = 0; i < e->n; i++) {
        if (slice_eqs(uid, e->pod[i].uid)) return &e->pod[i];
    }
    return NULL;
}

/* A place for a new pod. A pod that is only not listed for a moment must not be forgotten: as a newcomer its
 * whole history would count again. So the places of absent pods are used last, the longest absent first. The
 * canary's pods come before stable's: many of these are as good as all of them. */
static struct evidence_pod *place(struct evidence *e, enum track track) {
    if (e->n < EVIDENCE_MAX_PODS) {
        e->pod = xgrow(e->pod, &e->cap, e->n + 1, sizeof *e->pod);
        return &e->pod[e->n++];
    }
    struct evidence_pod *worst = NULL, *stable = NULL;
    for (size_t i = 0; i < e->n; i++) {
        if (e->pod[i].unseen && (!worst || e->pod[i].unseen > worst->unseen)) worst = &e->pod[i];
        if (e->pod[i].track == TRACK_STABLE) stable = &e->pod[i];
    }
    return worst || track == TRACK_STABLE ? worst : stable;
}

static struct evidence_pod *of_sample(struct evidence *e, const struct pod_sample *s) {
    struct evidence_pod *p = find(e, s->uid);
    if (!p) {
        p = s->uid.n && s->uid.n < sizeof p->uid ? place(e, s->track) : NULL;
        if (!p) {
            e->refused++;
            return NULL;
        }
        *p = (struct evidence_pod){.restarts = s->restarts, .track = s->track};
        memcpy(p->uid, s->uid.p, s->uid.n);
        /* A pod since the rollout began: all of its counts are news, from zero. Creation times are whole
         * seconds. */
        p->based = s->track == TRACK_CANARY || s->created_ns >= e->began_ns - e->began_ns % NS_PER_S;
    }
    return p;
}

/* Has another process begun while we watched? A restart may be that of a container which counts nothing, and
 * the list of pods may be older than the page: when the process began settles it, where the page has it. It
 * is counted from clocks that are adjusted, so alone it proves nothing. */
static bool another_process(const struct evidence_pod *p, const struct pod_sample *s) {
    bool restarted = p->restarts != s->restarts;
    if (!(p->started_s > 0) || !(s->started_s > 0)) return restarted;
    return fabs(p->started_s - s->started_s) > SAME_START_S && (restarted || s->total < p->total);
}

static uint64_t capped(uint64_t a, uint64_t b) {
    return a > COUNT_MAX || b > COUNT_MAX - a ? COUNT_MAX : a + b;
}

static uint64_t since(uint64_t was, uint64_t is) {
    return is < was ? is : is - was; /* less than before: a reset */
}

struct moment {
    int64_t now_ns, start_ns;
    uint64_t errors[TRACKS]; /* of this round, beyond their total as well */
};

/* So many errors after its start are retries of what failed then. */
static uint64_t explained(struct evidence_pod *p, const struct moment *m, uint64_t errors) {
    int64_t age = m->now_ns - p->young_ns;
    uint64_t doublings = 1;
    for (int64_t by = 2 * m->start_ns; by <= age && doublings < 64; by *= 2) doublings++;
    uint64_t granted = p->retried * doublings, left = granted > p->forgiven ? granted - p->forgiven : 0;
    uint64_t n = errors < left ? errors : left;
    p->forgiven += n;
    return n;
}

static void count(struct evidence_pod *p, struct moment *m, enum track track, uint64_t errors, uint64_t total,
                  struct evidence_delta *d) {
    int64_t age = p->young_ns ? m->now_ns - p->young_ns : INT64_MAX;
    if (age < m->start_ns) {
        if (age >= m->start_ns / 2) p->retried = capped(p->retried, errors);
        d->start_errors[track] = capped(d->start_errors[track], errors);
        d->start_total[track] = capped(d->start_total[track], total);
        return;
    }
    uint64_t retries = p->retried && m->start_ns ? explained(p, m, errors) : 0;
    d->retried[track] = capped(d->retried[track], retries);
    m->errors[track] = capped(m->errors[track], errors - retries);
    d->total[track] = capped(d->total[track], total > retries ? total - retries : 0);
}

static void take(struct evidence *e, const struct pod_sample *s, struct moment *m, struct evidence_delta *d) {
    struct evidence_pod *p = of_sample(e, s);
    if (!p || s->terminating || !s->scraped || !s->present) return;
    d->pods[s->track]++;
    bool another = another_process(p, s);
    if (another) { /* counters from zero */
        p->errors = p->total = p->retried = p->forgiven = 0;
        p->based = true;
    }
    /* Its first numbers, all of them news: it has just begun, or, a standby until now, begun to lead. */
    if (p->based && p->total == 0 && (another || !p->started)) p->young_ns = m->now_ns;
    p->started = true;
    p->restarts = s->restarts;
    p->started_s = isfinite(s->started_s) ? s->started_s : 0;
    if (p->based) count(p, m, s->track, since(p->errors, s->errors), since(p->total, s->total), d);
    p->based = true;
    p->errors = s->errors < COUNT_MAX ? s->errors : COUNT_MAX;
    p->total = s->total < COUNT_MAX ? s->total : COUNT_MAX;
}

void evidence_round(struct evidence *e, int64_t now_wall_ns, int64_t start_ns, const struct pod_sample *s,
                    size_t n, struct evidence_delta *ret) {
    struct moment m = {.now_ns = now_wall_ns, .start_ns = start_ns};
    *ret = (struct evidence_delta){0};
    e->refused = 0;
    e->rounds++;
    for (size_t i = 0; i < e->n; i++) {
        if (e->pod[i].unseen < UINT32_MAX) e->pod[i].unseen++;
    }
    for (size_t i = 0; i < n; i++) { /* before any newcomer looks for a place */
        struct evidence_pod *p = find(e, s[i].uid);
        if (p) p->unseen = 0;
    }
    for (int track = TRACKS - 1; track >= 0; track--) {
        for (size_t i = 0; i < n; i++)
            if ((int)s[i].track == track) take(e, &s[i], &m, ret);
    }
    for (int t = 0; t < TRACKS; t++) {
        /* The two series are incremented at slightly different moments: an error may be seen before its
         * reconcile. */
        uint64_t all = capped(e->carry[t], m.errors[t]);
        ret->total[t] = capped(ret->total[t], 0);
        ret->errors[t] = all < ret->total[t] ? all : ret->total[t];
        if (ret->start_errors[t] > ret->start_total[t]) ret->start_errors[t] = ret->start_total[t];
        e->carry[t] = all - ret->errors[t];
        e->errors[t] = capped(e->errors[t], ret->errors[t]);
        e->total[t] = capped(e->total[t], ret->total[t]);
        e->dry[t] = ret->pods[t] ? 0 : e->dry[t] + (e->dry[t] < UINT32_MAX);
    }
    bool works = ret->total[TRACK_CANARY] + ret->start_total[TRACK_CANARY] > 0;
    bool still = ret->pods[TRACK_CANARY] && !works;
    if (works) e->still_rounds = e->still_stable = 0;
    if (still) e->still_rounds = capped(e->still_rounds, 1);
    if (still) e->still_stable = capped(e->still_stable, ret->total[TRACK_STABLE]);
}

void evidence_history(const struct pod_sample *s, size_t n, enum track track, uint64_t *ret_errors,
                      uint64_t *ret_total) {
    uint64_t errors = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i].track != track || s[i].terminating || !s[i].scraped || !s[i].present) continue;
        errors = capped(errors, s[i].errors);
        total = capped(total, s[i].total);
    }
    *ret_errors = errors < total ? errors : total;
    *ret_total = total;
}
