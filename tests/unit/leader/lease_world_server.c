/* The API server of the lease's world: it carries out what arrives, answers or not, and checks every write.
 */
#include "lease_world_impl.h"

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

void watch_send(struct w *w, int i, const struct lease_rec *rec) {
    struct cand *c = &w->c[i];
    int64_t at = w->now + delay(w);
    if (at < c->watch_at) at = c->watch_at; /* a stream keeps its order */
    c->watch_at = at;
    struct ev *e = ev_new(E_WATCH, c, i);
    e->id = c->watch_gen;
    e->rec = *rec;
    post(w, e, at);
}

void changed(struct w *w) {
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

void arrive(struct w *w, const struct ev *e) {
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
