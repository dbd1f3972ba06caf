/* A candidate of the lease's world: it feeds its machine, carries out what comes of it, drains, crashes,
 * pauses. */
#include "lease_world_impl.h"

void feed_ev(struct w *w, int i, enum lease_event ev) {
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

void feed(struct w *w, int i, struct lease_in in) {
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

void watch_connect(struct w *w, int i) {
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

void start(struct w *w, int i) {
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

void drain(struct w *w, int i) {
    struct cand *c = &w->c[i];
    if (c->stopping) return;
    c->stopping = true;
    bool leads = lease_leading(c->l);
    say(w, "%d.%u is asked to stop%s", i, c->inc, leads ? ", leading" : "");
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

void drained(struct w *w, int i) {
    struct cand *c = &w->c[i];
    unsigned inc = c->inc;
    c->working = false;
    feed_ev(w, i, LEASE_EV_DRAINED);
    if (c->inc == inc) post_in(w, E_GIVE_UP, i, 500 * MS + upto(w, 20 * SEC));
}

/* ---- faults ---- */

void crash(struct w *w, int i) {
    struct cand *c = &w->c[i];
    if (chance(w, 60) && w->ncerts < CERTS) {
        memcpy(w->certs[w->ncerts], c->id, 64);
        struct ev *e = ev_new(E_CERT, NULL, -1);
        e->id = w->ncerts++;
        post(w, e, w->now + 100 * MS + upto(w, SEC));
    }
    stop_process(w, i, "crashes");
}

void pause_one(struct w *w, int i) {
    w->c[i].paused = true;
    w->r->pauses++;
    say(w, "%d.%u is paused", i, w->c[i].inc);
    post_in(w, E_RESUME, i, upto(w, chance(w, 50) ? 40 * SEC : 12 * SEC));
}

void resume(struct w *w, int i) {
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
