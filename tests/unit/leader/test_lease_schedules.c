/* Thousands of random schedules of the lease machine in simulated time. LEASE_SEED=N replays one with a
 * trace, LEASE_SCHEDULES=N runs that many. */
#include "lease_world.h"

/* ---- a candidate: feeds its machine, carries out what comes of it, drains, crashes, pauses ---- */

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

static void send_req(struct w *w, int i, const struct lease_out *out, bool write) {
    struct cand *c = &w->c[i];
    w->r->requests++;
    struct ev *e = ev_new(E_ARRIVE, c, i);
    e->id = ++c->req;
    e->req = !write ? R_GET : out->write.create ? R_POST : R_PUT;
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
    for (size_t k = 0; k < out.neffects; k++) {
        switch (out.effects[k]) {
        case LEASE_LEAD: on_lead(w, i, &out); break;
        case LEASE_RENEWED: w->r->renewals++; break;
        case LEASE_STOP_WORK:
            say(w, "%d.%u stops work: %s", i, c->inc, lease_reason_name(out.reason));
            w->r->lost++;
            if (!c->drained_due) post_in(w, E_DRAINED, i, upto(w, 500 * MS));
            c->drained_due = true;
            break;
        case LEASE_GET:
        case LEASE_WRITE: send_req(w, i, &out, out.effects[k] == LEASE_WRITE); break;
        case LEASE_EXIT: stop_process(w, i, lease_reason_name(out.reason)); return;
        }
    }
    c->wake_gen++;
    if (out.wake_ns == TIME_NEVER) return;
    int64_t in_ns = (int64_t)((double)(out.wake_ns - boot(w, c)) / c->rate) + 1;
    if (in_ns < 0) in_ns = 0;
    struct ev *e = ev_new(E_WAKE, c, i);
    e->id = c->wake_gen;
    post(w, e, w->now + in_ns + upto(w, MS));
}

static void feed_ev(struct w *w, int i, enum lease_event ev) {
    feed(w, i, (struct lease_in){.ev = ev});
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
    struct lease_config cfg = {.identity = c->id, .canary = i == w->canary, .orphan_ns = ORPHAN};
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
    say(w, "%d.%u is asked to stop%s", i, c->inc, leads ? ", leading" : "");
    unsigned inc = c->inc;
    if (leads && w->canary >= 0 && i != w->canary && chance(w, 50)) {
        char pod[64];
        snprintf(pod, sizeof pod, "pod-%d_uid", w->canary);
        say(w, "%d.%u is to yield to %s", i, c->inc, pod);
        feed(w, i,
             (struct lease_in){.ev = LEASE_EV_YIELD, .holder = slice_of(pod), .until_us = w->now / 1000 + 1});
    }
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

/* Runs one schedule. trace: prints what happens. False: broken. */
static bool run(uint64_t seed, bool trace, struct lease_run *ret) {
    *ret = (struct lease_run){0};
    struct w *w = xcalloc(1, sizeof(*w));
    w->r = ret;
    w->trace = trace;
    w->rng.s = seed;
    w->last_term = w->top_transitions = w->led_at = -1;
    heap_init(&w->q, before);
    w->n = 2 + (int)rng_below(&w->rng, 4);
    w->canary = chance(w, 50) ? w->n - 1 : -1;
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

CASE(schedules) {
    const char *one = getenv("LEASE_SEED"), *many = getenv("LEASE_SCHEDULES");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1, n = one ? 1 : many ? strtoull(many, NULL, 10) : 2000;
    struct lease_run sum = {0}, r;
    for (uint64_t seed = from; seed < from + n; seed++) {
        if (!run(seed, one != NULL, &r)) fail_seed(seed, "%s (LEASE_SEED replays it)", r.broken);
        sum.events += r.events;
        sum.leads += r.leads;
        sum.released += r.released;
        sum.dead += r.dead;
        sum.expired += r.expired;
        sum.lost += r.lost;
        sum.renewals += r.renewals;
        sum.requests += r.requests;
        sum.pauses += r.pauses;
        sum.trials += r.trials;
        sum.orphans += r.orphans;
        if (r.worst_gap_ns > sum.worst_gap_ns) sum.worst_gap_ns = r.worst_gap_ns;
    }
    print_message("%lu schedules: %u events, %u requests, %u leads (%u after a release, %u by certificate, "
                  "%u by expiry), %u lost, "
                  "%u renewals, %u pauses, %u trials, %u times a canary in nobody's place; a leader again "
                  "%.1f s after the last fault at the latest\n",
                  (unsigned long)n, sum.events, sum.requests, sum.leads, sum.released, sum.dead, sum.expired,
                  sum.lost, sum.renewals, sum.pauses, sum.trials, sum.orphans,
                  (double)sum.worst_gap_ns / 1e9);
    if (one) return;
    /* A schedule in which nothing happens proves nothing. */
    assert_true(sum.released > n && sum.dead > n / 10 && sum.expired > n / 10 && sum.lost > n / 10 &&
                sum.pauses > n / 10 && sum.trials > n / 10 && sum.orphans > 0);
}

CASES("leader/lease_schedules")
