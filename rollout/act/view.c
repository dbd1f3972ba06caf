/* What the page shows of each target, as JSON. docs/reference/page.md has its members. */
#include "act/rehearsal_work.h"
#include "api/rfc3339.h"
#include "judge/json_time.h"

/* How soon somebody has to look at it. */
enum rank {
    RANK_INVALID, /* an annotation: nothing goes on */
    RANK_HELD,    /* and somebody may have to do something about it */
    RANK_ROLLS_BACK,
    RANK_ROLLED_BACK,
    RANK_TRIAL,
    RANK_WAITS,
    RANK_RUNS,
    RANKS
};
enum {
    HISTORY_SHOWN = 5,
    CONTROLLERS_SHOWN = 10,
    ROW_CAP = 64 << 10,
    ROWS_MADE = 500 /* at a time, but for those on trial */
};

struct row {
    const struct rollout *r;
    const struct target *t;
    const struct state *s;      /* NULL: none */
    const struct obs_target *o; /* NULL: there is no such Deployment */
    int64_t now;
    struct buf *out;
};

static void text(struct buf *out, const char *key, const char *v) {
    if (!v || !*v) return;
    buf_addf(out, ",\"%s\":", key);
    buf_add_json(out, slice_of(v));
}

/* Three digits: what differs less is the same to a reader, and no reason to send a row again. */
static void figure(struct buf *out, const char *key, double v) {
    buf_addf(out, ",\"%s\":%.3g", key, v > 0 && v < 1e12 ? v : 0.0);
}

static void counts(struct buf *out, const char *key, uint64_t errors, uint64_t total) {
    buf_addf(out, ",\"%s\":[%llu,%llu]", key, (unsigned long long)errors, (unsigned long long)total);
}

static enum rank rank_of(const struct state *s) {
    if (!s) return RANK_WAITS;
    if (s->hold == HOLD_CONFIG) return RANK_INVALID;
    if (s->hold == HOLD_APPROVAL) return RANK_HELD; /* a person is asked */
    if (s->hold != HOLD_NONE && plan_reason_warning((enum plan_reason)(EV_HELD + (int)s->hold)))
        return RANK_HELD;
    switch (s->phase) {
    case PHASE_ROLLING_BACK: return RANK_ROLLS_BACK;
    case PHASE_ROLLED_BACK: return RANK_ROLLED_BACK;
    case PHASE_IDLE:
    case PHASE_ADOPTING: return RANK_WAITS;
    case PHASE_STABLE: return s->hold == HOLD_NONE ? RANK_RUNS : RANK_WAITS;
    default: return RANK_TRIAL;
    }
}

static void add_controllers(const struct row *w) {
    const struct judge *j = &w->s->judge;
    const struct judge_param *param = &w->s->param;
    buf_adds(w->out, ",\"controllers\":[");
    for (size_t i = 0; i < j->n && i < CONTROLLERS_SHOWN; i++) {
        const struct judge_test *c = &j->controller[i];
        struct judge_values v;
        char odds[40];
        judge_test_values(c, param, j->scrapes, &v);
        judge_odds(v.log_e, odds);
        buf_adds(w->out, i ? ",{\"name\":" : "{\"name\":");
        buf_add_json(w->out, slice_of(c->name));
        counts(w->out, "canary", c->ec, c->nc);
        counts(w->out, "stable", c->es, c->ns);
        text(w->out, "odds", c->theta >= 1 ? "not judged by itself" : odds);
        buf_addc(w->out, '}');
    }
    buf_adds(w->out, "]");
}

static void add_evidence(const struct row *w) {
    const struct state *s = w->s;
    struct judge_report rep;
    cleanup_buf struct buf words = BUF(1024);
    if (!plan_report(s, w->now, &rep)) return;
    judge_words(&rep, &words);
    text(w->out, "verdict", verdict_name(rep.verdict));
    text(w->out, "why", rep.why);
    text(w->out, "words", buf_str(&words));
    counts(w->out, "canary", s->judge.all.ec, s->judge.all.nc);
    counts(w->out, "stable", s->judge.all.es, s->judge.all.ns);
    figure(w->out, "tolerated", s->param.theta);
    if (rep.upper < 1) figure(w->out, "upper", rep.upper);
    add_controllers(w);
    buf_adds(w->out, ",\"points\":");
    evidence_points_write(w->t->points, w->out);
}

static void add_signals(const struct row *w, const struct spec *spec) {
    static const char *const states[SIGNAL_STATES] = {"off", "absent", "quiet", "doubt", "speaks"};
    const struct signals *s = &w->s->signals;
    struct signals_param p;
    if (!s->looks || !plan_signals_param(w->s, spec, &p)) return;
    buf_adds(w->out, ",\"signals\":[");
    for (int i = 0; i < SIGNALS; i++) {
        char words[240];
        double log_e;
        enum signal_state state = signals_state(s, &p, (enum signal)i, &log_e);
        buf_addf(w->out, "%s{\"name\":\"%s\",\"state\":\"%s\"", i ? "," : "", signal_name((enum signal)i),
                 states[state]);
        text(w->out, "does", signal_does_name(p.does[i]));
        signals_words(s, (enum signal)i, words);
        if (state != SIGNAL_STATE_OFF && state != SIGNAL_STATE_ABSENT) text(w->out, "words", words);
        buf_addc(w->out, '}');
    }
    buf_addc(w->out, ']');
}

/* Instants, and no spans: those would be others every second. */
static void add_step(const struct row *w, const struct spec *spec) {
    const struct state *s = w->s;
    buf_addf(w->out, ",\"step\":%u,\"steps\":%zu,\"percent\":%u,\"soakSeconds\":%lld", s->step + 1,
             spec->nsteps ? spec->nsteps : 1, s->percent, (long long)(s->param.soak_ns / NS_PER_S));
    if (s->trial.step != TRIAL_NONE) {
        buf_addf(w->out, ",\"turn\":\"%s\",\"trials\":%u,\"ledSeconds\":%lld",
                 state_trial_name(s->trial.step), s->trial.n, (long long)(s->trial.led_ns / NS_PER_S));
        json_time_add(w->out, "turnSince", s->trial.since_ns);
        text(w->out, "lease", s->trial.lease);
    } else {
        json_time_add(w->out, "soakFrom", s->soak_from_ns);
    }
    if (s->slice.resource) {
        text(w->out, "objects", s->slice.resource);
        buf_addf(w->out, ",\"objectsTotal\":%u,\"objectsCanary\":%u", s->slice.total, s->slice.canary);
    }
}

static void add_kinds(struct buf *out, const char *key, const uint64_t v[REPORT_KINDS], uint64_t none) {
    bool any = false;
    buf_addf(out, ",\"%s\":{", key);
    for (int k = 0; k < REPORT_KINDS; k++) {
        if (v[k] == none) continue;
        buf_addf(out, "%s\"%s\":%llu", any ? "," : "", report_kind_name((enum report_kind)k),
                 (unsigned long long)v[k]);
        any = true;
    }
    buf_addc(out, '}');
}

/* Of this rollout: what it has found, by now or in all. */
static void add_rehearsal(const struct row *w, const struct spec *spec) {
    const struct state_rehearsal *x = &w->s->rehearsal;
    const struct rehearsal_report *last = x->over ? NULL : rehearsal_work_last(w->t);
    if (!x->key[0] || !(x->over || w->s->phase == PHASE_REHEARSING)) return;
    buf_addf(w->out, ",\"rehearsal\":{\"over\":%s,\"alone\":%s", x->over ? "true" : "false",
             x->alone ? "true" : "false");
    json_time_add(w->out, "from", x->from_ns);
    if (x->from_ns) json_time_add(w->out, "until", x->from_ns + spec->rehearse_ns);
    text(w->out, "line", x->over ? x->line : last ? last->line : NULL);
    if (x->over || last) add_kinds(w->out, "counts", x->over ? x->count : last->count, 0);
    if (x->over) text(w->out, "digest", x->digest);
    text(w->out, "approved", x->approved);
    add_kinds(w->out, "limits", spec->max_changes, SPEC_ANY);
    buf_addc(w->out, '}');
}

static void add_trial(const struct row *w, const struct spec *spec) {
    const struct state *s = w->s;
    if (!state_on_trial(s) || s->phase == PHASE_REHEARSING) return;
    buf_adds(w->out, ",\"trial\":{\"startedAt\":");
    char at[32];
    rfc3339_seconds(s->began_ns, at);
    buf_add_json(w->out, slice_of(at));
    /* while it is held the deadline may move on with the time */
    if (s->hold == HOLD_NONE) json_time_add(w->out, "deadline", plan_deadline(s, spec, w->now));
    add_step(w, spec);
    add_evidence(w);
    add_signals(w, spec);
    buf_addc(w->out, '}');
}

static void add_history(const struct row *w) {
    const struct state *s = w->s;
    buf_adds(w->out, ",\"history\":[");
    for (size_t i = 0; i < s->nhistory && i < HISTORY_SHOWN; i++) {
        const struct state_history *h = &s->history[i];
        buf_addf(w->out, "%s{\"result\":\"%s\"", i ? "," : "", ended_name(h->ended));
        text(w->out, "image", h->image ? h->image : h->hash);
        text(w->out, "reason", h->reason);
        json_time_add(w->out, "startedAt", h->began_ns);
        json_time_add(w->out, "endedAt", h->ended_ns);
        counts(w->out, "canary", h->errors, h->total);
        buf_addc(w->out, '}');
    }
    buf_addc(w->out, ']');
}

static void add_state(const struct row *w) {
    const struct state *s = w->s;
    json_time_add(w->out, "since", s->since_ns);
    if (s->hold != HOLD_NONE) {
        text(w->out, "hold", hold_name(s->hold));
        json_time_add(w->out, "holdSince", s->hold_ns);
    }
    text(w->out, "message", s->message);
    text(w->out, "heldBy", !s->stable_uid ? NULL : s->policy ? "policy" : "pause");
    cleanup_spec struct spec spec;
    (void)spec_parse(w->o ? w->o->annotations : NULL, &spec, NULL);
    add_rehearsal(w, &spec);
    add_trial(w, &spec);
    add_history(w);
}

static void add_row(const struct row *w, enum rank rank) {
    const struct target *t = w->t;
    buf_adds(w->out, "{\"namespace\":");
    buf_add_json(w->out, slice_of(t->ns));
    text(w->out, "name", t->name);
    buf_addf(w->out, ",\"rank\":%d,\"phase\":\"%s\"", (int)rank, w->s ? phase_name(w->s->phase) : "Waiting");
    if (w->o) {
        text(w->out, "image", w->o->image);
        buf_addf(w->out, ",\"replicas\":%d,\"ready\":%d", w->o->replicas, w->o->st_ready);
    }
    if (w->s) add_state(w);
    text(w->out, "error", t->last_error);
    buf_addc(w->out, '}');
    if (!w->out->full) return;
    buf_clear(w->out);
    buf_adds(w->out, "{\"namespace\":");
    buf_add_json(w->out, slice_of(t->ns));
    text(w->out, "name", t->name);
    buf_addf(w->out, ",\"rank\":%d,\"phase\":\"%s\"", (int)rank, w->s ? phase_name(w->s->phase) : "Waiting");
    text(w->out, "error", "it has too much to say for the page; see: handover explain");
    buf_addc(w->out, '}');
}

/* ---- rows are made again only if what they show may have changed ---- */

/* of: what its row was made of, by their versions. A row without text is not of a target that is shown. */
struct target_view {
    char *state_rv, *target_rv, *error;
    enum rank rank;
    char *row;
};

void target_view_free(struct target *t) {
    if (!t->view) return;
    free(t->view->state_rv);
    free(t->view->target_rv);
    free(t->view->error);
    free(t->view->row);
    free(t->view);
    t->view = NULL;
}

static bool same(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : !a && !b;
}

static bool is_fresh(const struct target_view *v, const struct target *t, const struct obs_target *o) {
    return v && same(v->state_rv, t->state_rv) && same(v->target_rv, o ? o->rv : NULL) &&
           same(v->error, t->last_error);
}

/* Of one at rest the state is not in memory, perhaps: it is read from the cache. False: there is none that can be read. */
static bool parse(const struct rollout *r, const struct target *t, struct state *ret) {
    const struct store_rec *rec = caches_state(r->caches, t->ns, t->name);
    cleanup_json cJSON *cm = rec ? json_parse(rec->raw, NULL) : NULL;
    return cm && state_take(cm, t->name, ret, NULL) == STATE_READ;
}

static void make_view(const struct rollout *r, struct target *t, const struct obs_target *o,
                      struct buf *out) {
    struct state own;
    const struct state *s = t->state;
    bool read = t->state_rv && !s && parse(r, t, &own);
    struct row w = {
        .r = r, .t = t, .s = read ? &own : s, .o = o, .now = world_wall_ns(kube_world(r->kube)), .out = out};
    enum rank rank = rank_of(w.s);
    target_view_free(t);
    buf_clear(out);
    if (o || w.s) add_row(&w, rank);
    t->view = xcalloc(1, sizeof *t->view);
    *t->view = (struct target_view){.state_rv = xstrdup_null(t->state_rv),
                                    .target_rv = xstrdup_null(o ? o->rv : NULL),
                                    .error = xstrdup_null(t->last_error),
                                    .rank = rank,
                                    .row = out->n ? xstrdup(buf_str(out)) : NULL};
    if (read) state_free(&own);
}

static bool on_trial(const struct target *t) {
    return t->state && state_on_trial(t->state);
}

void rollout_view_counts(const struct rollout *r, struct buf *out) {
    size_t all = 0;
    for (const struct target *t = r->targets; t; t = t->hh.next)
        all += t->state_rv || caches_target(r->caches, t->ns, t->name); /* as rollout_view() */
    buf_addf(out, "{\"targets\":%zu}", all);
}

void rollout_view(const struct rollout *r, size_t max,
                  void (*fn)(void *ctx, const char *key, struct slice row), void *ctx) {
    cleanup_buf struct buf out = BUF(ROW_CAP);
    unsigned left = ROWS_MADE;
    for (struct target *t = r->targets; t; t = t->hh.next) {
        const struct obs_target *o = caches_target(r->caches, t->ns, t->name);
        bool changes = on_trial(t); /* with each round of scrapes */
        if (!changes && (is_fresh(t->view, t, o) || !left)) continue;
        make_view(r, t, o, &out);
        left -= !changes;
    }
    for (int rank = 0; rank < RANKS; rank++) {
        for (const struct target *t = r->targets; t && max; t = t->hh.next) {
            if (!t->view || !t->view->row || t->view->rank != (enum rank)rank) continue;
            fn(ctx, t->key, slice_of(t->view->row));
            max--;
        }
    }
}

void rollout_view_end(const struct rollout *r) {
    for (struct target *t = r->targets; t; t = t->hh.next) target_view_free(t);
}
