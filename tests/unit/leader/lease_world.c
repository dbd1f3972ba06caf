/* The world that the lease machine is run in: its events, its faults, one run of it. */
#include "lease_world_impl.h"

void say(struct w *w, const char *fmt, ...) {
    if (!w->trace) return;
    va_list ap;
    va_start(ap, fmt);
    printf("%9.4f ", (double)w->now / 1e9);
    vprintf(fmt, ap);
    putchar('\n');
    va_end(ap);
}

void broken(struct w *w, const char *fmt, ...) {
    if (w->r->broken[0]) return;
    va_list ap;
    va_start(ap, fmt);
    int n = snprintf(w->r->broken, sizeof(w->r->broken), "at %.4f s: ", (double)w->now / 1e9);
    vsnprintf(w->r->broken + n, sizeof(w->r->broken) - (size_t)n, fmt, ap);
    va_end(ap);
    say(w, "BROKEN %s", w->r->broken);
}

int64_t upto(struct w *w, int64_t ns) {
    return (int64_t)rng_below(&w->rng, (uint64_t)ns + 1);
}

bool chance(struct w *w, unsigned percent) {
    return rng_below(&w->rng, 100) < percent;
}

static bool before(const struct heap_node *a, const struct heap_node *b) {
    const struct ev *x = container_of((struct heap_node *)(uintptr_t)a, struct ev, node);
    const struct ev *y = container_of((struct heap_node *)(uintptr_t)b, struct ev, node);
    return x->at != y->at ? x->at < y->at : x->seq < y->seq;
}

struct ev *ev_new(enum ev_kind kind, const struct cand *c, int cand) {
    struct ev *e = xmalloc(sizeof(*e));
    memset(e, 0, offsetof(struct ev, rec));
    e->kind = kind;
    e->cand = cand;
    e->inc = c ? c->inc : 0;
    return e;
}

void post(struct w *w, struct ev *e, int64_t at) {
    e->at = at;
    e->seq = w->seq++;
    heap_insert(&w->q, &e->node);
}

void post_in(struct w *w, enum ev_kind kind, int cand, int64_t delay) {
    post(w, ev_new(kind, cand < 0 ? NULL : &w->c[cand], cand), w->now + delay);
}

/* A message's way: mostly quick, sometimes slow, at times so late that nobody waits for it any more. */
int64_t delay(struct w *w) {
    int64_t d = w->latency / 2 + upto(w, w->latency);
    if (w->calm) return d;
    if ((int64_t)rng_below(&w->rng, 1000) < w->slow_share) d += upto(w, chance(w, 20) ? 30 * SEC : 2 * SEC);
    return d;
}

int64_t boot(const struct w *w, const struct cand *c) {
    return c->boot_off + (int64_t)((double)w->now * c->rate);
}

/* ---- the invariants ---- */

void check(struct w *w) {
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
