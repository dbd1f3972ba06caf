/* What a process remembers of one target between two reconciles. */
#include "act/target.h"
#include "api/meta.h"
#include "base/mem.h"

struct target *target_get(struct target **all, struct slice key) {
    struct target *t = NULL;
    HASH_FIND(hh, *all, key.p, key.n, t);
    if (t) return t;
    struct slice ns, name;
    key_split(key, &ns, &name);
    t = xcalloc(1, sizeof *t);
    t->key = slice_dup(key);
    t->ns = slice_dup(ns);
    t->name = slice_dup(name);
    HASH_ADD_KEYPTR(hh, *all, t->key, key.n, t);
    return t;
}

static void drop_parsed(struct target *t) {
    if (t->state) state_free(t->state);
    free(t->state);
    t->state = NULL;
}

static void face_free(struct target_face *f) {
    free(f->stable);
    free(f->image);
    free(f->policy);
    *f = (struct target_face){0};
}

static void drop_state(struct target *t) {
    drop_parsed(t);
    face_free(&t->face);
    free(t->state_rv);
    t->state_rv = NULL;
    t->confirmed = false;
}

/* Takes s over. */
static void hold(struct target *t, struct state *s, const char *rv) {
    char *copy_rv = xstrdup(rv);
    drop_state(t);
    t->state = xmalloc(sizeof *t->state);
    *t->state = *s;
    t->state_rv = copy_rv;
    t->face = (struct target_face){.phase = s->phase,
                                   .hold = s->hold,
                                   .hold_ns = s->hold_ns,
                                   .adopted = s->stable_uid != NULL,
                                   .stable = xstrdup_null(s->stable_name),
                                   .image = xstrdup_null(s->image),
                                   .policy = xstrdup_null(s->policy)};
}

void target_hold_state(struct target *t, const struct state *s, const char *rv) {
    struct state copy;
    state_copy(s, &copy);
    hold(t, &copy, rv);
}

enum known_state target_take_state(struct target *t, const cJSON *read, const struct store_rec *rec,
                                   const char **ret_rv, struct err *ret_err) {
    *ret_rv = read ? obj_rv(read) : rec ? rec->rv : NULL;
    if (!read && !rec) {
        drop_state(t);
        return STATE_ABSENT;
    }
    bool same = t->state_rv && *ret_rv && strcmp(t->state_rv, *ret_rv) == 0, confirmed = same && t->confirmed;
    if (same && t->state) return STATE_READ;
    drop_state(t);
    cleanup_json cJSON *parsed = read ? NULL : json_parse(rec->raw, ret_err);
    const cJSON *cm = read ? read : parsed;
    struct state s;
    if (!cm) return STATE_DAMAGED;
    enum known_state known = state_take(cm, t->name, &s, ret_err);
    if (known != STATE_READ) return known;
    hold(t, &s, *ret_rv ? *ret_rv : "");
    t->confirmed = confirmed;
    return STATE_READ;
}

void target_rest(struct target *t) {
    if (t->state && !t->round && !state_on_trial(t->state)) drop_parsed(t);
}

void target_refused(struct target *t, enum step_kind kind, const char *text) {
    bool same = text && t->refused_text && t->refused.kind == kind;
    t->refused_times = !text ? 0 : same ? t->refused_times + 1 : 1;
    free(t->refused_text);
    t->refused_text = xstrdup_null(text);
    t->refused = (struct refusal){kind, t->refused_text};
}

void target_refused_no_more(struct target *t, enum step_kind kind) {
    if (t->refused_text && t->refused.kind == kind) target_refused(t, kind, NULL);
}

void target_rounds_free(struct target_rounds *r) {
    signals_pods_free(&r->signals);
    switchback_free(&r->turns);
    *r = (struct target_rounds){0};
}

void target_rounds_move(struct target_rounds *from, struct target_rounds *to) {
    *to = *from;
    *from = (struct target_rounds){0};
}

static void reset_rounds(struct target *t) {
    t->scraped_ns = t->round_ns = t->source_every_ns = 0;
    free(t->trouble);
    t->trouble = NULL;
    t->history_known = t->crowd_reported = false;
    t->history_errors = t->history_total = 0;
    target_rounds_free(&t->rounds);
    evidence_points_free(&t->points);
    for (int k = 0; k < TRACKS; k++) t->quiet[k] = (struct quiet_row){.last = QUIET_UNKNOWN};
    if (!t->state) return;
    memcpy(t->rounds.hash, t->state->hash, sizeof t->rounds.hash);
    t->rounds.began_ns = t->state->began_ns;
}

void target_match_rounds(struct target *t) {
    if (!t->state || t->state->began_ns != t->rounds.began_ns || strcmp(t->state->hash, t->rounds.hash) != 0)
        reset_rounds(t);
}

void target_forget(struct target **all, struct target *t) {
    HASH_DEL(*all, t);
    drop_state(t);
    target_rounds_free(&t->rounds);
    evidence_points_free(&t->points);
    target_view_free(t);
    free(t->trouble);
    free(t->last_error);
    target_refused(t, STEP_STATE, NULL);
    free(t->key);
    free(t->ns);
    free(t->name);
    free(t);
}
