#include "lease_world.h"
#include "base/heap.h"
#include "base/rand.h"
#include "leader/lease.h"
#include <stdarg.h>
#include <stdio.h>

enum { CANDS = 5, HISTORY = 16, CERTS = 64 };
#define MS         NS_PER_MS
#define SEC        NS_PER_S
#define FAULTS_END (70 * SEC)
/* A crash or a deadline just before the end of the faults, then: the expiry by the slowest clock, a read and
 * a write. */
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
    bool present;
    struct lease_rec rec;
};

struct cand {
    struct lease *l;
    char id[LEASE_ID_MAX];
    unsigned inc;
    bool alive, paused, partitioned, working, stopping, watch_open, drained_due;
    double rate;
    int64_t boot_off, wall_off, watch_at, ready_at;
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
    int64_t last_term, top_transitions, latency, slow_share;
    char certs[CERTS][64];
    unsigned ncerts;
    int64_t led_at;
    struct lease_run *r;
};

static void say(struct w *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct w *w, const char *fmt, ...) {
    if (!w->trace) return;
    va_list ap;
    va_start(ap, fmt);
    printf("%9.4f ", (double)w->now / 1e9);
    vprintf(fmt, ap);
    putchar('\n');
    va_end(ap);
}

static void broken(struct w *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void broken(struct w *w, const char *fmt, ...) {
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
    }
}

/* ---- the server ---- */

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

/* ---- the candidates ---- */

static void start(struct w *w, int i);
static void feed(struct w *w, int i, struct lease_in in);

static void feed_ev(struct w *w, int i, enum lease_event ev) {
    feed(w, i, (struct lease_in){.ev = ev});
}

static void stop_process(struct w *w, int i, const char *how) {
    struct cand *c = &w->c[i];
    say(w, "%d.%u %s", i, c->inc, how);
    c->alive = c->working = c->paused = false;
    lease_free(c->l);
    c->l = NULL;
    for (unsigned k = 0; k < c->nbacklog; k++) free(c->backlog[k]);
    c->nbacklog = 0;
    c->inc++;
    post_in(w, E_START, i, w->calm ? 100 * MS : 100 * MS + upto(w, chance(w, 30) ? 30 * SEC : 3 * SEC));
}

static void send_req(struct w *w, int i, const struct lease_out *out) {
    struct cand *c = &w->c[i];
    w->r->requests++;
    struct ev *e = ev_new(E_ARRIVE, c, i);
    e->id = ++c->req;
    e->req = out->act & LEASE_GET ? R_GET : out->write.create ? R_POST : R_PUT;
    e->rec = out->write.rec;
    struct ev *t = ev_new(E_TIMEOUT, c, i);
    t->id = e->id;
    t->req = e->req;
    post(w, t, w->now + (int64_t)((double)out->timeout_ns / c->rate));
    if (!w->calm && (chance(w, 2) || (c->partitioned && chance(w, 90)))) { /* lost before it was executed */
        free(e);
        return;
    }
    if (!w->calm && chance(w, 2)) { /* a proxy sends it again, sooner or much later */
        struct ev *d = ev_new(E_ARRIVE, c, i);
        *d = *e;
        d->node.pos = 0;
        post(w, d, w->now + delay(w) + upto(w, chance(w, 30) ? 25 * SEC : SEC));
    }
    post(w, e, w->now + delay(w));
}

static void on_lead(struct w *w, int i, const struct lease_out *out) {
    struct cand *c = &w->c[i];
    say(w, "%d.%u leads, term %ld, %s", i, c->inc, (long)out->term, lease_reason_name(out->reason));
    if (out->term <= w->last_term)
        broken(w, "%d leads in term %ld after %ld", i, (long)out->term, (long)w->last_term);
    if (c->stopping) broken(w, "%d leads although it is to stop", i);
    w->last_term = out->term;
    c->working = true;
    w->r->leads++;
    w->r->released += out->reason == LEASE_R_RELEASED;
    w->r->dead += out->reason == LEASE_R_DEAD;
    w->r->expired += out->reason == LEASE_R_EXPIRED;
}

static void feed(struct w *w, int i, struct lease_in in) {
    struct cand *c = &w->c[i];
    struct lease_out out;
    in.boot_ns = boot(w, c);
    in.wall_ns = INT64_C(1700000000) * SEC + w->now + c->wall_off;
    in.rnd = rng_next(&w->rng);
    lease_step(c->l, &in, &out);
    if (out.act & LEASE_LEAD) on_lead(w, i, &out);
    w->r->renewals += (out.act & LEASE_RENEWED) != 0;
    if (out.act & LEASE_STOP_WORK) {
        say(w, "%d.%u stops work: %s", i, c->inc, lease_reason_name(out.reason));
        w->r->lost++;
        if (!c->drained_due) post_in(w, E_DRAINED, i, upto(w, 500 * MS));
        c->drained_due = true;
    }
    if (out.act & (LEASE_GET | LEASE_WRITE)) send_req(w, i, &out);
    if (out.act & LEASE_EXIT) {
        stop_process(w, i, lease_reason_name(out.reason));
        return;
    }
    c->wake_gen++;
    if (out.wake_ns == TIME_NEVER) return;
    int64_t in_ns = (int64_t)((double)(out.wake_ns - boot(w, c)) / c->rate) + 1;
    if (in_ns < 0) in_ns = 0;
    struct ev *e = ev_new(E_WAKE, c, i);
    e->id = c->wake_gen;
    post(w, e, w->now + in_ns + upto(w, MS));
}

static void watch_connect(struct w *w, int i) {
    struct cand *c = &w->c[i];
    c->watch_gen++;
    c->watch_open = true;
    c->watch_at = w->now;
    feed(w, i, (struct lease_in){.ev = LEASE_EV_WATCH, .on = true});
    if (!c->alive || !w->nhist) return;
    /* The list may come from a cache that lags; the stream goes on from there. */
    unsigned back = !w->calm && chance(w, 30) ? (unsigned)rng_below(&w->rng, 4) : 0;
    if (back >= w->nhist) back = w->nhist - 1;
    for (unsigned k = w->nhist - 1 - back; k < w->nhist; k++) watch_send(w, i, &w->hist[k % HISTORY]);
}

static void start(struct w *w, int i) {
    struct cand *c = &w->c[i];
    struct cand fresh = {.inc = c->inc, .rate = c->rate, .req = c->req, .watch_gen = c->watch_gen};
    fresh.boot_off = upto(w, 1000000 * SEC);
    fresh.wall_off = upto(w, 7200 * SEC) - 3600 * SEC;
    *c = fresh;
    snprintf(c->id, sizeof(c->id), "pod-%d_uid_%u", i, c->inc);
    struct lease_config cfg = {.identity = c->id};
    lease_config_check(&cfg, NULL);
    c->l = lease_new(&cfg);
    c->alive = true;
    say(w, "%d.%u starts", i, c->inc);
    feed_ev(w, i, LEASE_EV_TICK);
    feed(w, i, (struct lease_in){.ev = LEASE_EV_READY, .on = true});
    for (unsigned k = w->ncerts > 4 ? w->ncerts - 4 : 0; k < w->ncerts && chance(w, 50); k++) {
        feed(w, i, (struct lease_in){.ev = LEASE_EV_DEAD, .holder = slice_of(w->certs[k])});
    }
    post_in(w, E_WATCH_OPEN, i, upto(w, 50 * MS));
}

static void drain(struct w *w, int i) {
    struct cand *c = &w->c[i];
    if (c->stopping) return;
    c->stopping = true;
    bool leads = lease_leading(c->l);
    say(w, "%d.%u is told to stop%s", i, c->inc, leads ? ", leading" : "");
    unsigned inc = c->inc;
    feed_ev(w, i, LEASE_EV_STOP);
    if (c->inc != inc) return;
    if (c->working && !c->drained_due) {
        post_in(w, E_DRAINED, i, upto(w, chance(w, 30) ? 15 * SEC : 300 * MS));
        c->drained_due = true;
    } else if (!c->working) {
        post_in(w, E_GIVE_UP, i, 5 * SEC + upto(w, 5 * SEC));
    }
}

static void drained(struct w *w, int i) {
    struct cand *c = &w->c[i];
    unsigned inc = c->inc;
    c->working = false;
    feed_ev(w, i, LEASE_EV_DRAINED);
    if (c->inc == inc) post_in(w, E_GIVE_UP, i, 500 * MS + upto(w, 20 * SEC));
}

/* ---- faults ---- */

static void crash(struct w *w, int i) {
    struct cand *c = &w->c[i];
    if (chance(w, 60) && w->ncerts < CERTS) {
        memcpy(w->certs[w->ncerts], c->id, 64);
        struct ev *e = ev_new(E_CERT, NULL, -1);
        e->id = w->ncerts++;
        post(w, e, w->now + 100 * MS + upto(w, SEC));
    }
    stop_process(w, i, "crashes");
}

static void pause_one(struct w *w, int i) {
    w->c[i].paused = true;
    w->r->pauses++;
    say(w, "%d.%u is paused", i, w->c[i].inc);
    post_in(w, E_RESUME, i, upto(w, chance(w, 50) ? 40 * SEC : 12 * SEC));
}

static void resume(struct w *w, int i) {
    struct cand *c = &w->c[i];
    say(w, "%d.%u goes on", i, c->inc);
    c->paused = false;
    check(w); /* what if it mutated before it looked at anything? */
    int64_t at = w->now;
    for (unsigned k = 0; k < c->nbacklog; k++) {
        at += upto(w, 200 * NS_PER_US);
        post(w, c->backlog[k], at);
    }
    c->nbacklog = 0;
}

static void fault(struct w *w) {
    post_in(w, E_FAULT, -1, upto(w, 9 * SEC));
    int i = (int)rng_below(&w->rng, (uint64_t)w->n);
    struct cand *c = &w->c[i];
    if (chance(w, 50)) { /* most of it should happen to the leader */
        for (int k = 0; k < w->n; k++) {
            if (w->c[k].alive && lease_leading(w->c[k].l)) c = &w->c[i = k];
        }
    }
    if (!c->alive || c->paused) return;
    switch (rng_below(&w->rng, 7)) {
    case 0: crash(w, i); break;
    case 1: pause_one(w, i); break;
    case 2:
    case 3: drain(w, i); break;
    case 4:
        c->partitioned = true;
        say(w, "%d.%u is cut off", i, c->inc);
        post_in(w, E_HEAL, i, upto(w, 25 * SEC));
        /* fall through */
    case 5: /* the watch is cut; noticed late */
        c->watch_gen++;
        c->watch_open = false;
        post_in(w, E_WATCH_CUT, i, upto(w, chance(w, 50) ? 10 * SEC : 100 * MS));
        break;
    default:
        if (w->present) {
            changed(w); /* somebody edits a label */
            say(w, "server: edited -> %s", w->cur.rv);
        }
    }
}

static void calm(struct w *w) {
    say(w, "no more faults");
    w->calm = true;
    for (int i = 0; i < w->n; i++) {
        w->c[i].partitioned = false;
        if (w->c[i].paused) resume(w, i);
        if (!w->c[i].alive) post_in(w, E_START, i, 100 * MS);
        if (w->c[i].alive && !w->c[i].watch_open) post_in(w, E_WATCH_OPEN, i, SEC);
    }
}

/* ---- running ---- */

static void answer(struct w *w, const struct ev *e) {
    struct cand *c = &w->c[e->cand];
    if (e->id != c->req) return; /* nobody waits for it any more */
    c->req++;
    feed(w, e->cand, (struct lease_in){.ev = e->answer, .rec = &e->rec});
}

static void timed_out(struct w *w, const struct ev *e) {
    struct cand *c = &w->c[e->cand];
    if (e->id != c->req) return;
    c->req++;
    feed_ev(w, e->cand, e->req == R_GET ? LEASE_EV_READ_FAILED : LEASE_EV_UNKNOWN);
}

static void certificate(struct w *w, const struct ev *e) {
    for (int i = 0; i < w->n; i++) {
        if (!w->c[i].alive || w->c[i].paused) continue;
        feed(w, i, (struct lease_in){.ev = LEASE_EV_DEAD, .holder = slice_of(w->certs[e->id])});
    }
}

static void on_candidate(struct w *w, const struct ev *e) {
    struct cand *c = &w->c[e->cand];
    int i = e->cand;
    switch (e->kind) {
    case E_ANSWER: answer(w, e); break;
    case E_TIMEOUT: timed_out(w, e); break;
    case E_WAKE:
        if (e->id == c->wake_gen) feed_ev(w, i, LEASE_EV_TICK);
        break;
    case E_WATCH:
        if (e->id == c->watch_gen)
            feed(w, i, (struct lease_in){.ev = LEASE_EV_SEEN, .watched = true, .rec = &e->rec});
        break;
    case E_WATCH_CUT:
        feed(w, i, (struct lease_in){.ev = LEASE_EV_WATCH});
        if (c->inc == e->inc) post_in(w, E_WATCH_OPEN, i, 100 * MS + upto(w, 5 * SEC));
        break;
    case E_WATCH_OPEN:
        if (c->partitioned)
            post_in(w, E_WATCH_OPEN, i, SEC);
        else if (!c->watch_open)
            watch_connect(w, i);
        break;
    case E_DRAINED: drained(w, i); break;
    default: feed_ev(w, i, LEASE_EV_GIVE_UP); break; /* E_GIVE_UP */
    }
}

static void handle(struct w *w, struct ev *e) {
    struct cand *c = e->cand >= 0 ? &w->c[e->cand] : NULL;
    bool mine = e->kind >= E_ANSWER && e->kind <= E_GIVE_UP;
    if (mine && (!c->alive || c->inc != e->inc)) {
        free(e);
        return;
    }
    if (mine && c->paused) {
        if (c->nbacklog < ARRAY_LEN(c->backlog))
            c->backlog[c->nbacklog++] = e;
        else
            free(e);
        return;
    }
    switch (e->kind) {
    case E_ARRIVE: arrive(w, e); break;
    case E_CERT: certificate(w, e); break;
    case E_RESUME:
        if (c->alive && c->inc == e->inc && c->paused) resume(w, e->cand);
        break;
    case E_START:
        if (!c->alive) start(w, e->cand);
        break;
    case E_HEAL: c->partitioned = false; break;
    case E_FAULT:
        if (!w->calm) fault(w);
        break;
    case E_CALM: calm(w); break;
    default: on_candidate(w, e); break;
    }
    free(e);
}

bool lease_world_run(uint64_t seed, bool trace, struct lease_run *ret) {
    *ret = (struct lease_run){0};
    struct w *w = xcalloc(1, sizeof(*w));
    w->r = ret;
    w->trace = trace;
    w->rng.s = seed;
    w->last_term = w->top_transitions = w->led_at = -1;
    heap_init(&w->q, before);
    w->n = 2 + (int)rng_below(&w->rng, 4);
    w->latency = chance(w, 70) ? 4 * MS : 300 * MS;
    w->slow_share = chance(w, 50) ? 5 : 50;
    for (int i = 0; i < w->n; i++) {
        w->c[i].rate = 0.95 + 0.1 * rng_unit(&w->rng);
        post_in(w, E_START, i, upto(w, chance(w, 50) ? 10 * MS : 20 * SEC));
    }
    post_in(w, E_FAULT, -1, 5 * SEC);
    post_in(w, E_CALM, -1, FAULTS_END);
    struct heap_node *node;
    while ((node = heap_min(&w->q)) && !ret->broken[0]) {
        struct ev *e = container_of(node, struct ev, node);
        if (e->at > FAULTS_END + STABLE_FOR) break;
        heap_remove(&w->q, node);
        w->now = e->at;
        ret->events++;
        handle(w, e);
        check(w);
    }
    if (!ret->broken[0] && w->led_at < 0)
        broken(w, "nobody leads %d s after the last fault", (int)(STABLE_FOR / SEC));
    ret->worst_gap_ns = w->led_at > FAULTS_END ? w->led_at - FAULTS_END : 0;
    while ((node = heap_min(&w->q))) {
        heap_remove(&w->q, node);
        free(container_of(node, struct ev, node));
    }
    heap_free(&w->q);
    for (int i = 0; i < w->n; i++) {
        for (unsigned k = 0; k < w->c[i].nbacklog; k++) free(w->c[i].backlog[k]);
        lease_free(w->c[i].l);
    }
    free(w);
    return !ret->broken[0];
}
