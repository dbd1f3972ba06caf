/* Counters of pods to deltas of tracks. */
#include "judge/evidence.h"
#include "base/time.h"
#include <errno.h>
#include <math.h>

#define SAME_START_S 2

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

size_t evidence_place(const struct evidence *e, struct slice uid) {
    size_t i = 0;
    while (i < e->n && !slice_eqs(uid, e->pod[i].uid)) i++;
    return i;
}

static struct evidence_pod *find(struct evidence *e, struct slice uid) {
    size_t at = evidence_place(e, uid);
    return at < e->n ? &e->pod[at] : NULL;
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
        p->count.based = s->track == TRACK_CANARY || s->created_ns >= e->began_ns - e->began_ns % NS_PER_S;
    }
    return p;
}

/* Has another process begun while we watched? A restart may be that of a container which counts nothing, and
 * the list of pods may be older than the page: when the process began settles it, where the page has it. It
 * is counted from clocks that are adjusted, so alone it proves nothing. */
static bool another_process(const struct evidence_pod *p, const struct pod_sample *s) {
    bool restarted = p->restarts != s->restarts;
    if (!(p->started_s > 0) || !(s->started_s > 0)) return restarted;
    return fabs(p->started_s - s->started_s) > SAME_START_S && (restarted || s->total < p->count.n);
}

/* Of a round, by track. */
struct sums {
    struct counter_news of[TRACKS];
    uint32_t pods[TRACKS];
};

static void take(struct evidence *e, const struct pod_sample *s, int64_t now_ns, int64_t start_ns,
                 struct sums *ret) {
    struct evidence_pod *p = of_sample(e, s);
    if (!p || s->terminating || !s->scraped || !s->present) return;
    ret->pods[s->track]++;
    bool another = another_process(p, s);
    if (another) p->count = (struct counter){.based = true}; /* counters from zero */
    /* Its first numbers, all of them news: it has just begun, or, a standby until now, begun to lead. */
    if (p->count.based && p->count.n == 0 && (another || !p->started)) p->young_ns = now_ns;
    p->started = true;
    p->restarts = s->restarts;
    p->started_s = isfinite(s->started_s) ? s->started_s : 0;
    struct counter_age age = {p->young_ns ? now_ns - p->young_ns : INT64_MAX, start_ns};
    counter_read(&p->count, age, s->errors, s->total, &ret->of[s->track]);
}

static void add_up(struct evidence *e, struct sums *sums, struct evidence_delta *ret) {
    for (int t = 0; t < TRACKS; t++) {
        struct counter_news *of = &sums->of[t];
        counter_settle(&e->carry[t], of);
        ret->errors[t] = of->x;
        ret->total[t] = of->n;
        ret->retried[t] = of->retried;
        ret->start_errors[t] = of->start_x;
        ret->start_total[t] = of->start_n;
        ret->pods[t] = sums->pods[t];
        e->errors[t] = counter_add(e->errors[t], of->x);
        e->total[t] = counter_add(e->total[t], of->n);
        e->dry[t] = ret->pods[t] ? 0 : e->dry[t] + (e->dry[t] < UINT32_MAX);
    }
}

void evidence_round(struct evidence *e, int64_t now_wall_ns, int64_t start_ns, const struct pod_sample *s,
                    size_t n, struct evidence_delta *ret) {
    struct sums sums = {0};
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
            if ((int)s[i].track == track) take(e, &s[i], now_wall_ns, start_ns, &sums);
    }
    add_up(e, &sums, ret);
    bool works = ret->total[TRACK_CANARY] + ret->start_total[TRACK_CANARY] > 0;
    bool still = ret->pods[TRACK_CANARY] && !works;
    if (works) e->still_rounds = e->still_stable = 0;
    if (still) e->still_rounds = counter_add(e->still_rounds, 1);
    if (still) e->still_stable = counter_add(e->still_stable, ret->total[TRACK_STABLE]);
}

void evidence_history(const struct pod_sample *s, size_t n, enum track track, uint64_t *ret_errors,
                      uint64_t *ret_total) {
    uint64_t errors = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i].track != track || s[i].terminating || !s[i].scraped || !s[i].present) continue;
        errors = counter_add(errors, s[i].errors);
        total = counter_add(total, s[i].total);
    }
    *ret_errors = errors < total ? errors : total;
    *ret_total = total;
}
