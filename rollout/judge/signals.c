/* From the looks at both versions to what speaks against the canary while its reconciles succeed. */
#include "judge/signals.h"
#include "judge/counter.h"
#include <math.h>

static const double hot = 1.5;      /* so much more work than a pod of stable is tolerated */
static const double idle = 1.0 / 3; /* and so much less */
static const double most = 3;       /* ln of the most that one look proves by counts */
static const double held =
    9; /* ln of what a bet keeps at most: so it lets go soon when what it saw is over */
static const double long_s = 60;     /* nobody minds a reconcile of that length */
static const double long_times = 10; /* stable's longest */
static const double grown = 1.5;     /* times the memory that it began with */
enum { MIN_WORK = 10, MIN_WAITS = 6, WINDOW = 5, HISTORY = 50 };

static const struct {
    const char *name;
    enum signal_does does;
} signals[SIGNALS] = {
    [SIGNAL_WORK] = {"work", SIGNAL_DEADLINE},     [SIGNAL_STUCK] = {"stuck", SIGNAL_DEADLINE},
    [SIGNAL_WRITES] = {"writes", SIGNAL_HOLD},     [SIGNAL_LATENCY] = {"latency", SIGNAL_DEADLINE},
    [SIGNAL_PANICS] = {"panics", SIGNAL_ROLLBACK}, [SIGNAL_WEBHOOKS] = {"webhooks", SIGNAL_ROLLBACK},
    [SIGNAL_API] = {"api", SIGNAL_ROLLBACK},       [SIGNAL_MEMORY] = {"memory", SIGNAL_HOLD},
    [SIGNAL_OOM] = {"oom", SIGNAL_ROLLBACK},       [SIGNAL_LEADERSHIP] = {"leadership", SIGNAL_ROLLBACK},
};
static const char *const does_names[SIGNAL_DOES] = {"off", "hold", "deadline", "rollback"};

/* How many times stable's rate is tolerated, and the rate below which nobody minds. */
static const struct {
    enum signal of;
    double times, rate;
} pairs[SIGNAL_PAIRS] = {
    [PAIR_WRITES] = {SIGNAL_WRITES, 1.5, 0.01}, [PAIR_SLOW] = {SIGNAL_LATENCY, 2, 0.1},
    [PAIR_PANICS] = {SIGNAL_PANICS, 2, 0.001},  [PAIR_WEBHOOKS] = {SIGNAL_WEBHOOKS, 2, 0.001},
    [PAIR_API] = {SIGNAL_API, 2, 0.001},
};

const char *signal_name(enum signal s) {
    return (size_t)s < SIGNALS ? signals[s].name : "?";
}

const char *signal_does_name(enum signal_does d) {
    return (size_t)d < SIGNAL_DOES ? does_names[d] : "?";
}

enum signal_does signal_default(enum signal s) {
    return (size_t)s < SIGNALS ? signals[s].does : SIGNAL_OFF;
}

void signals_param_default(struct signals_param *p) {
    *p = (struct signals_param){.alpha = 0.01, .soak_looks = 60};
    for (int i = 0; i < SIGNALS; i++) p->does[i] = signals[i].does;
}

static void share_init(struct signals_share *t) {
    judge_dc_init(&t->look);
    judge_dc_init(&t->count);
}

void signals_init(struct signals *s) {
    *s = (struct signals){0};
    share_init(&s->more);
    share_init(&s->less);
    for (int i = 0; i < SIGNAL_PAIRS; i++) {
        share_init(&s->pair[i].versus);
        judge_dc_init(&s->pair[i].over);
    }
    judge_dc_init(&s->memory.grows);
}

static double log_mean(double a, double b) { /* ln((e^a + e^b) / 2) */
    double hi = fmax(a, b), lo = fmin(a, b);
    return (lo == -INFINITY ? hi : hi + log1p(exp(lo - hi))) - log(2);
}

/* ---- the tests ---- */

/* What is beyond is thrown away, but for the part that waits for what comes later. */
static void keep(struct judge_dc *dc) {
    double beyond = judge_dc_log(dc) - held;
    for (int j = 0; j < JUDGE_RATES && beyond > 0; j++) dc->m[j] -= beyond;
}

/* Of n that happened, x were the canary's; tolerated is the share q. */
static void share_feed(struct signals_share *t, double q, uint64_t x, uint64_t n) {
    double gamma = judge_spread_gamma(&t->spread); /* learned before this look */
    if (!(q > 0 && q < 1)) return;
    judge_dc_bet(&t->look, q, x, n);
    judge_dc_add(&t->count, q, gamma, most, x, n);
    judge_spread_add(&t->spread, x, n);
    keep(&t->look);
    keep(&t->count);
}

static double share_log(const struct signals_share *t) {
    return log_mean(judge_dc_log(&t->look), judge_dc_log(&t->count));
}

static double share_of(double canary, double times, double stable) {
    return canary * times / (canary * times + stable);
}

static void feed_work(struct signals *s, const struct signals_look *l) {
    double c = l->pods[TRACK_CANARY], o = l->pods[TRACK_STABLE];
    if (!l->pods[TRACK_CANARY] || !l->pods[TRACK_STABLE]) return;
    uint64_t nc = l->total[TRACK_CANARY], ns = l->total[TRACK_STABLE];
    share_feed(&s->more, share_of(c, hot, o), nc, nc + ns);
    if (!l->less) share_feed(&s->less, 1 - share_of(c, idle, o), ns, nc + ns);
    for (int t = 0; t < TRACKS; t++) {
        counter_sum(&s->total[t], l->total[t]);
        counter_sum(&s->podlooks[t], l->pods[t]);
    }
    s->present |= UINT64_C(1) << SIGNAL_WORK;
}

/* Both may work now and then, and never in the same look: then what each did since the last comparison is compared. */
static void compare(struct signals_test *t, double times, const struct signals_counts c[TRACKS]) {
    uint64_t *x = t->gap_x, *n = t->gap_n;
    for (int k = 0; k < TRACKS; k++) {
        counter_sum(&x[k], c[k].x);
        counter_sum(&n[k], c[k].n);
    }
    if (!n[TRACK_CANARY] || !n[TRACK_STABLE]) return;
    share_feed(&t->versus, share_of((double)n[TRACK_CANARY], times, (double)n[TRACK_STABLE]), x[TRACK_CANARY],
               x[TRACK_CANARY] + x[TRACK_STABLE]);
    for (int k = 0; k < TRACKS; k++) x[k] = n[k] = 0;
}

static void feed_pair(struct signals *s, enum signal_pair i, const struct signals_counts c[TRACKS]) {
    struct signals_test *t = &s->pair[i];
    const struct signals_counts *mine = &c[TRACK_CANARY], *other = &c[TRACK_STABLE];
    if (!mine->present || !other->present) return;
    s->present |= UINT64_C(1) << pairs[i].of;
    compare(t, pairs[i].times, c);
    judge_dc_bet(&t->over, pairs[i].rate, mine->x, mine->n);
    for (int k = 0; k < TRACKS; k++) {
        counter_sum(&t->x[k], c[k].x);
        counter_sum(&t->n[k], c[k].n);
    }
}

static double pair_log(const struct signals_test *t) { /* both have to be clear */
    return fmin(share_log(&t->versus), judge_dc_log(&t->over));
}

/* ---- the guards ---- */

static void feed_stuck(struct signals *s, const struct signals_look *l) {
    const struct signals_gauge *mine = &l->longest[TRACK_CANARY], *other = &l->longest[TRACK_STABLE];
    if (other->present && other->value > s->longest[TRACK_STABLE]) s->longest[TRACK_STABLE] = other->value;
    s->longest[TRACK_CANARY] = mine->present ? mine->value : 0;
    const struct signals_gauge *depth = &l->depth[TRACK_CANARY];
    bool waits = depth->present && depth->value > 0;
    if (mine->present || depth->present) s->present |= UINT64_C(1) << SIGNAL_STUCK;
    s->depth = depth->present ? depth->value : 0;
    if (!waits || l->canary_all) s->waits = s->waits_stable = 0;
    if (!waits || l->canary_all) return;
    counter_sum(&s->waits, 1);
    counter_sum(&s->waits_stable, l->total[TRACK_STABLE]);
}

static bool runs_long(const struct signals *s) {
    double longest = s->longest[TRACK_CANARY];
    return longest >= long_s && longest >= long_times * s->longest[TRACK_STABLE];
}

static bool waits_long(const struct signals *s, uint64_t soak_looks) {
    uint64_t fifth = soak_looks / 5;
    return s->waits >= (fifth > MIN_WAITS ? fifth : MIN_WAITS) && s->waits_stable;
}

/* The lowest of a window leaves out what a garbage collector takes back. */
static void feed_memory(struct signals *s, const struct signals_look *l) {
    struct signals_memory *m = &s->memory;
    for (int t = 0; t < TRACKS; t++)
        if (!l->memory[t].present || !(l->memory[t].value > 0)) return;
    s->present |= UINT64_C(1) << SIGNAL_MEMORY;
    for (int t = 0; t < TRACKS; t++)
        if (!m->looks || l->memory[t].value < m->low[t]) m->low[t] = l->memory[t].value;
    if (++m->looks < WINDOW) return;
    double by[TRACKS];
    for (int t = 0; t < TRACKS; t++) {
        by[t] = m->last[t] > 0 ? m->low[t] / m->last[t] : 1;
        if (!(m->first[t] > 0)) m->first[t] = m->low[t];
    }
    if (m->last[TRACK_CANARY] > 0)
        judge_dc_bet(&m->grows, 0.5, by[TRACK_CANARY] > 1 && by[TRACK_CANARY] > by[TRACK_STABLE], 1);
    for (int t = 0; t < TRACKS; t++) m->last[t] = m->low[t];
    m->looks = 0;
}

static double memory_log(const struct signals_memory *m) {
    double by = m->first[TRACK_CANARY] > 0 ? m->last[TRACK_CANARY] / m->first[TRACK_CANARY] : 1;
    double other = m->first[TRACK_STABLE] > 0 ? m->last[TRACK_STABLE] / m->first[TRACK_STABLE] : 1;
    return by >= grown * fmax(other, 1) ? judge_dc_log(&m->grows) : 0;
}

void signals_feed(struct signals *s, const struct signals_look *l) {
    if (l->pods[TRACK_CANARY]) counter_sum(&s->looks, 1);
    feed_work(s, l);
    feed_stuck(s, l);
    for (int i = 0; i < SIGNAL_PAIRS; i++) feed_pair(s, (enum signal_pair)i, l->pair[i]);
    feed_memory(s, l);
    for (int t = 0; t < TRACKS; t++) {
        s->oom[t] = l->oom[t];
        counter_sum(&s->lost[t], l->lost[t]);
    }
    s->present |= UINT64_C(1) << SIGNAL_OOM | (uint64_t)l->elects << SIGNAL_LEADERSHIP;
}

double signals_bound(const double *le, const uint64_t *count, size_t n) {
    if (!n || count[n - 1] < HISTORY) return 0;
    for (size_t i = 0; i < n; i++)
        if ((double)count[i] >= 0.95 * (double)count[n - 1]) return isfinite(le[i]) ? le[i] : 0;
    return 0;
}

/* ---- what they say ---- */

static double guard(bool speaks) {
    return speaks ? INFINITY : 0;
}

/* A canary that has hardly begun to work is idle or stands by, and that is no verdict. */
static double work_log(const struct signals *s) {
    return log_mean(share_log(&s->more), s->total[TRACK_CANARY] >= MIN_WORK ? share_log(&s->less) : 0);
}

double signals_log(const struct signals *s, enum signal which, uint64_t soak_looks) {
    switch (which) {
    case SIGNAL_WORK: return work_log(s);
    case SIGNAL_STUCK: return guard(runs_long(s) || waits_long(s, soak_looks));
    case SIGNAL_MEMORY: return memory_log(&s->memory);
    case SIGNAL_OOM: return guard(s->oom[TRACK_CANARY] > s->oom[TRACK_STABLE]);
    case SIGNAL_LEADERSHIP: return guard(s->lost[TRACK_CANARY] >= 2 + s->lost[TRACK_STABLE]);
    default: break;
    }
    for (int i = 0; i < SIGNAL_PAIRS; i++)
        if (pairs[i].of == which) return pair_log(&s->pair[i]);
    return 0;
}

static double limit_of(const struct signals_param *p) {
    int on = 0;
    for (int i = 0; i < SIGNALS; i++) on += p->does[i] != SIGNAL_OFF;
    return log((on ? on : 1) / p->alpha);
}

enum signal_state signals_state(const struct signals *s, const struct signals_param *p, enum signal which,
                                double *ret_log_e) {
    *ret_log_e = 0;
    if (p->does[which] == SIGNAL_OFF) return SIGNAL_STATE_OFF;
    if (!(s->present & UINT64_C(1) << which)) return SIGNAL_STATE_ABSENT;
    *ret_log_e = signals_log(s, which, p->soak_looks);
    if (*ret_log_e >= limit_of(p)) return SIGNAL_STATE_SPEAKS;
    return *ret_log_e >= log(SIGNALS_DOUBT) ? SIGNAL_STATE_DOUBT : SIGNAL_STATE_QUIET;
}

void signals_verdict(const struct signals *s, const struct signals_param *p, struct signals_report *ret) {
    *ret = (struct signals_report){.does = SIGNAL_OFF, .log_e = -INFINITY, .limit = limit_of(p)};
    for (int i = 0; i < SIGNALS; i++) {
        if (p->does[i] == SIGNAL_OFF) continue;
        double e = signals_log(s, (enum signal)i, p->soak_looks);
        enum signal_does does = e >= ret->limit ? p->does[i] : SIGNAL_OFF;
        ret->doubt = ret->doubt || e >= log(SIGNALS_DOUBT);
        /* The one that does most; of those the loudest. */
        if (does < ret->does || (does == ret->does && !(e > ret->log_e))) continue;
        ret->does = does;
        ret->which = (enum signal)i;
        ret->log_e = e;
    }
    if (ret->doubt) signals_words(s, ret->which, ret->why);
}

bool signals_absent(const struct signals *s, const struct signals_param *p, struct buf *out) {
    bool any = false;
    for (int i = 0; i < SIGNALS; i++) {
        if (p->does[i] == SIGNAL_OFF || s->present & UINT64_C(1) << i) continue;
        buf_addf(out, "%s%s", any ? ", " : "", signals[i].name);
        any = true;
    }
    return any;
}
