/* A world in simulated time for the lease machine: one API server with one Lease, 2 to 5 candidates (in test_lease_schedules.c),
 * and a network, clocks and an operating system that misbehave as a seed says. The same seed replays the same run. */
#ifndef TEST_LEASE_WORLD_H
#define TEST_LEASE_WORLD_H
#include "../case.h"
#include "base/heap.h"
#include "base/rand.h"
#include "leader/lease.h"

struct lease_run {
    char broken[200]; /* which invariant broke and when; "": none */
    unsigned events, leads, released, dead, expired, lost, renewals, requests, pauses, trials, orphans;
    int64_t worst_gap_ns; /* after the last fault: until somebody led */
};

enum { CANDS = 5, HISTORY = 16, CERTS = 64 };

#define MS         NS_PER_MS
#define SEC        NS_PER_S
#define FAULTS_END (70 * SEC)
/* A crash or a deadline just before the end of the faults, then: the expiry by the slowest clock, a read and
 * a write. */
#define ORPHAN     (20 * SEC) /* as lease_config.orphan_ns */
#define STABLE_FOR (25 * SEC)
enum ev_kind {
    E_ARRIVE,
    E_ANSWER,
    E_TIMEOUT,
    E_WAKE,
    E_WATCH,
    E_WATCH_CUT,
    E_WATCH_OPEN,
    E_DRAINED,
    E_GIVE_UP,
    E_CERT,
    E_RESUME,
    E_START,
    E_HEAL,
    E_FAULT,
    E_CALM
};

enum ev_req { R_GET, R_PUT, R_POST };

struct ev {
    struct heap_node node;
    int64_t at;
    uint64_t seq;
    enum ev_kind kind;
    int cand;
    unsigned inc; /* incarnation of the candidate; others do not concern it */
    uint64_t id;  /* request, wake generation, watch generation */
    enum ev_req req;
    enum lease_event answer;
    struct lease_rec rec;
};

struct cand {
    struct lease *l;
    char id[LEASE_ID_MAX];
    unsigned inc;
    bool alive, paused, partitioned, working, stopping, watch_open, drained_due;
    double rate;
    int64_t boot_off, wall_off, watch_at;
    uint64_t req, wake_gen, watch_gen;
    struct ev *backlog[256];
    unsigned nbacklog;
};

struct w {
    struct rng rng;
    bool trace, calm;
    int64_t now;
    uint64_t seq, rv;
    struct heap q;
    bool present;
    struct lease_rec cur, hist[HISTORY];
    unsigned nhist;
    int n;
    struct cand c[CANDS];
    int canary;         /* the candidate that is one; -1: none */
    int64_t written_at; /* the last write of a candidate */
    int64_t last_term, top_transitions, latency, slow_share;
    char certs[CERTS][64];
    unsigned ncerts;
    int64_t led_at;
    struct lease_run *r;
};

static __attribute__((format(printf, 2, 3))) void say(struct w *w, const char *fmt, ...) {
    if (!w->trace) return;
    va_list ap;
    va_start(ap, fmt);
    printf("%9.4f ", (double)w->now / 1e9);
    vprintf(fmt, ap);
    putchar('\n');
    va_end(ap);
}

static __attribute__((format(printf, 2, 3))) void broken(struct w *w, const char *fmt, ...) {
    if (w->r->broken[0]) return;
    va_list ap;
    va_start(ap, fmt);
    int n = snprintf(w->r->broken, sizeof(w->r->broken), "at %.4f s: ", (double)w->now / 1e9);
    vsnprintf(w->r->broken + n, sizeof(w->r->broken) - (size_t)n, fmt, ap);
    va_end(ap);
    say(w, "BROKEN %s", w->r->broken);
}

static int64_t upto(struct w *w, int64_t ns) {
    return (int64_t)rng_below(&w->rng, (uint64_t)ns + 1);
}

static bool chance(struct w *w, unsigned percent) {
    return rng_below(&w->rng, 100) < percent;
}

static bool before(const struct heap_node *a, const struct heap_node *b) {
    const struct ev *x = container_of((struct heap_node *)(uintptr_t)a, struct ev, node);
    const struct ev *y = container_of((struct heap_node *)(uintptr_t)b, struct ev, node);
    return x->at != y->at ? x->at < y->at : x->seq < y->seq;
}

static struct ev *ev_new(enum ev_kind kind, const struct cand *c, int cand) {
    struct ev *e = xmalloc(sizeof(*e));
    memset(e, 0, offsetof(struct ev, rec));
    e->kind = kind;
    e->cand = cand;
    e->inc = c ? c->inc : 0;
    return e;
}

static void post(struct w *w, struct ev *e, int64_t at) {
    e->at = at;
    e->seq = w->seq++;
    heap_insert(&w->q, &e->node);
}

static void post_in(struct w *w, enum ev_kind kind, int cand, int64_t delay) {
    post(w, ev_new(kind, cand < 0 ? NULL : &w->c[cand], cand), w->now + delay);
}

/* A message's way: mostly quick, sometimes slow, at times so late that nobody waits for it any more. */
static int64_t delay(struct w *w) {
    int64_t d = w->latency / 2 + upto(w, w->latency);
    if (w->calm) return d;
    if ((int64_t)rng_below(&w->rng, 1000) < w->slow_share) d += upto(w, chance(w, 20) ? 30 * SEC : 2 * SEC);
    return d;
}

static int64_t boot(const struct w *w, const struct cand *c) {
    return c->boot_off + (int64_t)((double)w->now * c->rate);
}

/* ---- the invariants ---- */

static void check(struct w *w) {
    int who = -1;
    for (int i = 0; i < w->n; i++) {
        struct cand *c = &w->c[i];
        if (!c->alive || c->paused || !c->l || !lease_may_mutate(c->l, boot(w, c))) continue;
        if (who >= 0) broken(w, "candidates %d and %d may both mutate", who, i);
        who = i;
    }
    if (who >= 0 && w->led_at < 0) w->led_at = w->now;
    if (who < 0) w->led_at = -1;
}

/* A canary takes what names it, or what nobody has taken for long; clocks differ by a tenth at most. */
static void check_canary(struct w *w, const struct ev *e, const struct lease_rec *old, bool was) {
    char pod[64];
    snprintf(pod, sizeof pod, "pod-%d_uid", e->cand);
    bool named = was && !old->holder[0] && strcmp(old->successor, pod) == 0;
    bool orphan = w->now - w->written_at >= ORPHAN / 10 * 9;
    if (!named && !orphan) broken(w, "the canary %s takes the lease unnamed", pod);
    w->r->trials += named;
    w->r->orphans += !named;
}

/* ---- the server: carries out what arrives, answers or not, and checks every write ---- */

static void check_write(struct w *w, const struct ev *e, const struct lease_rec *old, bool was) {
    struct cand *c = &w->c[e->cand];
    const char *holder = was ? old->holder : "";
    char id[64];
    snprintf(id, sizeof(id), "pod-%d_uid_%u", e->cand, e->inc);
    if (!e->rec.holder[0]) {
        if (strcmp(holder, id) != 0) broken(w, "%s released the lease of '%s'", id, holder);
        if (c->inc == e->inc && c->alive && c->working)
            broken(w, "%s released before its work had stopped", id);
    } else if (strcmp(holder, e->rec.holder) != 0) {
        if (e->rec.transitions <= w->top_transitions) {
            broken(w, "%s took term %ld after %ld", id, (long)e->rec.transitions, (long)w->top_transitions);
        }
        w->top_transitions = e->rec.transitions;
        if (e->cand == w->canary) check_canary(w, e, old, was);
    }
    if (e->cand != w->canary && e->rec.holder[0] && (e->rec.successor[0] || e->rec.trial_us))
        broken(w, "%s leads, and the marks of a trial stay", id);
}

static void watch_send(struct w *w, int i, const struct lease_rec *rec) {
    struct cand *c = &w->c[i];
    int64_t at = w->now + delay(w);
    if (at < c->watch_at) at = c->watch_at; /* a stream keeps its order */
    c->watch_at = at;
    struct ev *e = ev_new(E_WATCH, c, i);
    e->id = c->watch_gen;
    e->rec = *rec;
    post(w, e, at);
}

static void changed(struct w *w) {
    snprintf(w->cur.rv, sizeof(w->cur.rv), "%lu", (unsigned long)++w->rv);
    w->hist[w->nhist++ % HISTORY] = w->cur;
    for (int i = 0; i < w->n; i++) {
        if (w->c[i].alive && w->c[i].watch_open) watch_send(w, i, &w->cur);
    }
}

static enum lease_event execute(struct w *w, const struct ev *e) {
    if (e->req == R_GET) return w->present ? LEASE_EV_SEEN : LEASE_EV_ABSENT;
    bool create = e->req == R_POST;
    if (create ? w->present : !w->present || (e->rec.rv[0] && strcmp(e->rec.rv, w->cur.rv) != 0))
        return LEASE_EV_CONFLICT;
    check_write(w, e, &w->cur, w->present);
    char uid[LEASE_UID_MAX];
    memcpy(uid, w->cur.uid, sizeof(uid));
    w->cur = e->rec;
    memcpy(w->cur.uid, uid, sizeof(uid));
    w->present = true;
    w->written_at = w->now;
    changed(w);
    say(w, "server: %d.%u writes holder '%s' term %ld -> %s", e->cand, e->inc, w->cur.holder,
        (long)w->cur.transitions, w->cur.rv);
    return LEASE_EV_WRITTEN;
}

static void arrive(struct w *w, const struct ev *e) {
    struct cand *c = &w->c[e->cand];
    bool faulty = !w->calm && chance(w, 3);
    enum lease_event got;
    if (faulty && chance(w, 50)) {
        got = e->req == R_GET ? LEASE_EV_READ_FAILED
              : chance(w, 70) ? LEASE_EV_FAILED
                              : LEASE_EV_REFUSED; /* 429, 403 */
    } else {
        got = execute(w, e);
        if (faulty && e->req != R_GET) got = LEASE_EV_UNKNOWN; /* a 5xx on the way back */
    }
    bool lost = !w->calm && (chance(w, 2) || (c->partitioned && chance(w, 90)));
    if (lost || c->inc != e->inc) return;
    struct ev *a = ev_new(E_ANSWER, c, e->cand);
    a->id = e->id;
    a->req = e->req;
    a->answer = got;
    a->rec = w->cur;
    post(w, a, w->now + delay(w));
}
#endif
