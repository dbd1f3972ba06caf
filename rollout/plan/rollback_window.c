/* Back to a version that was in service: without a trial, if it is one of the last few before stable and nothing has been said against
 * it since. The history says so, which has each version that Handover has put into service or seen going there. */
#include "plan/plan_ctx.h"

static bool went_into_service(const struct state_history *h) {
    return h->ended == ENDED_PROMOTED || h->ended == ENDED_UNMANAGED;
}

static bool is_of(const struct state_history *h, const char *hash) {
    return plan_same_hash(hash, h->hash);
}

/* The last that was said of it, other than that a trial of it was not ended. */
static const struct state_history *last_word(const struct state *s, const char *hash) {
    for (size_t i = 0; i < s->nhistory; i++)
        if (s->history[i].ended != ENDED_CANCELLED && is_of(&s->history[i], hash)) return &s->history[i];
    return NULL;
}

/* Behind the entry with which stable came into service first: what is there is older. What stable came back from is not. */
static size_t before_stable(const struct state *s) {
    size_t ret = s->nhistory;
    for (size_t i = 0; i < s->nhistory; i++)
        if (went_into_service(&s->history[i]) && is_of(&s->history[i], s->stable_hash)) ret = i + 1;
    return ret;
}

unsigned plan_versions_back(const struct state *s, const char *hash) {
    const struct state_history *last = last_word(s, hash);
    if (!last || last->ended != ENDED_PROMOTED || state_quarantined(s, hash, NULL)) return 0;
    unsigned back = 0;
    size_t from = before_stable(s);
    for (size_t i = from; i < s->nhistory; i++) {
        bool again = !went_into_service(&s->history[i]);
        for (size_t k = from; k < i && !again; k++)
            again = went_into_service(&s->history[k]) && is_of(&s->history[k], s->history[i].hash);
        back += !again;
        if (!again && is_of(&s->history[i], hash)) return back;
    }
    return 0;
}

/* Stable may be in service again, and the history not know for how long: its ReplicaSet does. */
static bool is_older(const struct plan_ctx *c) {
    const struct obs_rs *rs = plan_own_of(c, c->t->hash);
    return rs && c->stable && rs->created_ns < c->stable->created_ns;
}

bool plan_take_back(struct plan_ctx *c) {
    unsigned back = plan_versions_back(c->s, c->t->hash);
    if (!back || back > c->spec->rollback_window || !is_older(c)) return false;
    plan_promote_waiting(c, "within the rollback window");
    c->s->window = true;
    plan_event(c, EV_WITHIN_WINDOW,
               "%s goes back into service without a trial: it was promoted before, %u version%s back "
               "(annotation rollback-window: %u)",
               c->t->image, back, back == 1 ? "" : "s", c->spec->rollback_window);
    return true;
}
