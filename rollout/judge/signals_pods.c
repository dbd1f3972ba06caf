/* Pages of pods to looks. */
#include "judge/signals_pods.h"
#include "base/mem.h"
#include "base/time.h"
#include <math.h>

#define SAME_START_S  2
#define RENEWAL_NS    (2 * NS_PER_S) /* a leader writes its Lease so often, by client-go's defaults */
#define RENEWALS_HELD 3              /* and no more are saved up */

void signals_pods_free(struct signals_pods *p) {
    free(p->pod);
    *p = (struct signals_pods){0};
}

/* ---- one page ---- */

static const enum prom_what of_page[COUNTERS] = {
    [COUNTER_TOTAL] = PROM_TOTAL,       [COUNTER_WRITES] = PROM_WRITES,
    [COUNTER_PANICS] = PROM_PANICS,     [COUNTER_WEBHOOKS] = PROM_WEBHOOKS,
    [COUNTER_REQUESTS] = PROM_REQUESTS, [COUNTER_WEBHOOK_FAILURES] = PROM_WEBHOOK_FAILURES,
    [COUNTER_REFUSED] = PROM_REFUSED,
};
/* A series with no such code or method yet is at zero where the one of all requests is there. */
static enum prom_what shown_by(enum signals_counter c) {
    switch (c) {
    case COUNTER_WRITES:
    case COUNTER_REFUSED: return PROM_REQUESTS;
    case COUNTER_WEBHOOK_FAILURES: return PROM_WEBHOOKS;
    default: return of_page[c];
    }
}

static uint64_t at_most(const struct prom_times *t, double bound, bool *ret_there) {
    for (size_t i = 0; i < t->n; i++)
        if (t->le[i] >= bound && t->le[i] <= bound) {
            *ret_there = true;
            return evidence_count(t->count[i]);
        }
    return 0;
}

static void read_counters(const struct prom_page *page, double bound, struct signals_pod *ret) {
    for (int c = 0; c < COUNTERS; c++) {
        if (c == COUNTER_TIMED || c == COUNTER_SLOW) continue;
        if (!page->v[shown_by((enum signals_counter)c)].present) continue;
        ret->has |= UINT64_C(1) << c;
        ret->count[c] = evidence_count(page->v[of_page[c]].value);
    }
    const struct prom_times *t = &page->times;
    bool there = false;
    uint64_t fast = at_most(t, bound, &there), all = t->n ? evidence_count(t->count[t->n - 1]) : 0;
    if (!there || !(bound > 0) || fast > all) return;
    ret->has |= UINT64_C(1) << COUNTER_TIMED | UINT64_C(1) << COUNTER_SLOW;
    ret->count[COUNTER_TIMED] = all;
    ret->count[COUNTER_SLOW] = all - fast;
}

/* ---- what it did since ---- */

static bool another_process(const struct signals_pod *was, const struct signals_pod *is) {
    if (is->count[COUNTER_TOTAL] < was->count[COUNTER_TOTAL]) return true;
    if (was->started_s > 0 && is->started_s > 0) return fabs(was->started_s - is->started_s) > SAME_START_S;
    return was->restarts != is->restarts;
}

static bool delta(const struct signals_pod *was, const struct signals_pod *is, enum signals_counter c,
                  uint64_t *ret) {
    uint64_t bit = UINT64_C(1) << c;
    *ret = 0;
    if (!(was->has & bit) || !(is->has & bit)) return false;
    *ret = is->count[c] >= was->count[c] ? is->count[c] - was->count[c] : is->count[c];
    return true;
}

static void add_pair(struct signals_counts *to, bool there, uint64_t x, uint64_t n) {
    if (!there) return;
    to->present = true;
    to->x += x;
    to->n += n;
}

/* Writes of a leader's Lease have nothing to do with its reconciles, and look like any other write. */
static uint64_t without_renewals(struct signals_pod *is, int64_t elapsed_ns, uint64_t writes) {
    const int64_t held = RENEWALS_HELD * RENEWAL_NS;
    if (!is->led) return writes;
    is->lease_ns += elapsed_ns < INT64_MAX / 4 ? elapsed_ns : 0;
    uint64_t due = (uint64_t)(is->lease_ns / RENEWAL_NS), by = writes < due ? writes : due;
    is->lease_ns -= (int64_t)by * RENEWAL_NS;
    if (is->lease_ns > held) is->lease_ns = held;
    return writes - by;
}

static void compare(const struct signals_pod *was, struct signals_pod *is, enum track t, bool settled,
                    struct signals_look *l) {
    uint64_t total, x, n;
    if (!delta(was, is, COUNTER_TOTAL, &total)) return;
    if (t == TRACK_CANARY) l->canary_all += total;
    bool there = delta(was, is, COUNTER_WRITES, &x);
    x = without_renewals(is, is->read_ns - was->read_ns, x);
    if (!settled) return;
    l->pods[t]++;
    l->total[t] += total;
    add_pair(&l->pair[PAIR_WRITES][t], there, x, total);
    there = delta(was, is, COUNTER_SLOW, &x) && delta(was, is, COUNTER_TIMED, &n);
    if (there) add_pair(&l->pair[PAIR_SLOW][t], true, x < n ? x : n, n);
    there = delta(was, is, COUNTER_PANICS, &x);
    add_pair(&l->pair[PAIR_PANICS][t], there, x, total);
    there = delta(was, is, COUNTER_WEBHOOK_FAILURES, &x) && delta(was, is, COUNTER_WEBHOOKS, &n);
    if (there) add_pair(&l->pair[PAIR_WEBHOOKS][t], true, x < n ? x : n, n);
    there = delta(was, is, COUNTER_REFUSED, &x) && delta(was, is, COUNTER_REQUESTS, &n);
    if (there) add_pair(&l->pair[PAIR_API][t], true, x < n ? x : n, n);
}

static void largest(struct signals_gauge *to, const struct prom_value *v) {
    if (!v->present) return;
    if (!to->present || v->value > to->value) to->value = v->value;
    to->present = true;
}

static void sum(struct signals_gauge *to, const struct prom_value *v) {
    if (!v->present) return;
    to->present = true;
    to->value += v->value;
}

static const struct signals_pod *find(const struct signals_pods *p, struct slice uid) {
    for (size_t i = 0; i < p->n; i++)
        if (slice_eqs(uid, p->pod[i].uid)) return &p->pod[i];
    return NULL;
}

/* Its first keys are all that there are: a process that still works through them is not compared, for a while. */
static bool has_settled(const struct signals_pod *p, int64_t now_ns, int64_t start_ns) {
    if (!p->young_ns) return true;
    int64_t age = now_ns - p->young_ns;
    return age >= start_ns && (p->drained || age >= 3 * start_ns);
}

struct look_at {
    int64_t now_ns, start_ns;
    double bound;
    uint32_t with_memory[TRACKS];
};

static void take(const struct signals_pods *p, const struct pod_sample *s, struct look_at *at,
                 struct signals_pod *is, struct signals_look *l) {
    const struct signals_pod *was = find(p, s->uid);
    const struct prom_value *v = s->page ? s->page->v : NULL;
    if (was) *is = *was;
    l->oom[s->track] += s->oom;
    if (!v || s->terminating) return;
    if (v[PROM_LEADER].present && s->track == TRACK_CANARY) l->elects = true;
    *is = (struct signals_pod){
        .restarts = s->restarts, .read_ns = at->now_ns, .started_s = v[PROM_START].value};
    memcpy(is->uid, s->uid.p, s->uid.n);
    bool tells = v[PROM_LEADER].present, leads = tells && v[PROM_LEADER].value > 0;
    read_counters(s->page, at->bound, is);
    bool works = v[PROM_TOTAL].present, same = was && was->seen && !another_process(was, is);
    if (was && was->led && ((tells && !leads) || (was->seen && works && !same))) l->lost[s->track]++;
    is->led = leads;
    is->seen = works;
    if (!works) return;
    if (same) {
        is->young_ns = was->young_ns;
        is->drained = was->drained;
        is->lease_ns = was->lease_ns;
    } else if (s->track == TRACK_CANARY || was) {
        is->young_ns = at->now_ns;
    }
    is->drained = is->drained || !v[PROM_DEPTH].present || !(v[PROM_DEPTH].value > 0);
    bool settled = has_settled(is, at->now_ns, at->start_ns);
    if (same) compare(was, is, s->track, settled, l);
    largest(&l->longest[s->track], &v[PROM_LONGEST]);
    sum(&l->depth[s->track], &v[PROM_DEPTH]);
    if (!settled || !v[PROM_MEMORY].present) return;
    sum(&l->memory[s->track], &v[PROM_MEMORY]);
    at->with_memory[s->track]++;
}

void signals_pods_look(struct signals_pods *p, int64_t now_ns, int64_t start_ns, double bound,
                       const struct pod_sample *s, size_t n, struct signals_look *ret) {
    struct look_at at = {.now_ns = now_ns, .start_ns = start_ns, .bound = bound};
    struct signals_pods next = {.bound = bound};
    *ret = (struct signals_look){.elects = false};
    for (size_t i = 0; i < p->n && (bound > p->bound || bound < p->bound); i++)
        p->pod[i].has &= ~(UINT64_C(1) << COUNTER_SLOW);
    if (n) next.pod = xgrow(NULL, &next.cap, n, sizeof *next.pod);
    for (size_t i = 0; i < n; i++) {
        struct signals_pod *is = &next.pod[next.n];
        *is = (struct signals_pod){0};
        if (!s[i].uid.n || s[i].uid.n >= sizeof is->uid) continue;
        memcpy(is->uid, s[i].uid.p, s[i].uid.n);
        take(p, &s[i], &at, is, ret);
        next.n++;
    }
    for (int t = 0; t < TRACKS; t++)
        if (at.with_memory[t]) ret->memory[t].value /= at.with_memory[t];
    signals_pods_free(p);
    *p = next;
}

double signals_pods_bound(const struct pod_sample *s, size_t n) {
    uint64_t count[PROM_MAX_BOUNDS] = {0};
    const struct prom_times *like = NULL;
    for (size_t i = 0; i < n; i++) {
        if (s[i].track != TRACK_STABLE || s[i].terminating || !s[i].page || !s[i].page->times.n) continue;
        const struct prom_times *t = &s[i].page->times;
        if (!like) like = t;
        if (t->n != like->n || memcmp(t->le, like->le, t->n * sizeof t->le[0]) != 0) continue;
        for (size_t k = 0; k < t->n; k++) count[k] += evidence_count(t->count[k]);
    }
    return like ? signals_bound(like->le, count, like->n) : 0;
}
