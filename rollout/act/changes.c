/* Changes of phase, for those who want to know; rollout/rollout.h. */
#include "act/controller.h"

void rollout_changes_since(struct rollout *r, int64_t wall_ns) {
    r->changes_since_ns = wall_ns;
}

static bool same(const struct state_change *a, const struct state_change *b) {
    return a->phase == b->phase && a->at_ns / 1000 == b->at_ns / 1000; /* written in microseconds */
}

/* How many are new: up to the last one that was reported, by itself and not by its time, since a clock may be set back. */
static size_t news(const struct rollout *r, const struct target *t, const struct state *s) {
    size_t n = 0;
    while (n < s->nchanges &&
           (t->told_known ? !same(&s->change[n], &t->told) : s->change[n].at_ns >= r->changes_since_ns))
        n++;
    return n;
}

void rollout_tell_changes(const struct rollout *r, struct target *t, const struct state *s) {
    size_t n = r->opt.changed ? news(r, t, s) : 0;
    while (n-- > 0) { /* the oldest first */
        const struct state_change *v = &s->change[n];
        r->opt.changed(r->opt.changed_ctx, t->key, s->target_uid ? s->target_uid : "", phase_name(v->phase),
                       v->at_ns, v->hash);
    }
    t->told_known = true;
    t->told = s->nchanges ? s->change[0] : (struct state_change){.at_ns = -1};
}

static void text(struct buf *out, const char *key, const char *v) {
    if (!v || !*v) return;
    buf_addf(out, ",\"%s\":", key);
    buf_add_json(out, slice_of(v));
}

void rollout_change_words(const struct rollout *r, struct slice key, int64_t at_wall_ns, struct buf *out) {
    struct slice ns, name;
    key_split(key, &ns, &name);
    cleanup_free char *space = slice_dup(ns), *target = slice_dup(name);
    const struct store_rec *rec = caches_state(r->caches, space, target);
    cleanup_json cJSON *cm = rec ? json_parse(rec->raw, NULL) : NULL;
    struct state s;
    if (!cm || state_take(cm, target, &s, NULL) != STATE_READ) return;
    if (s.since_ns / 1000 == at_wall_ns / 1000) {
        text(out, "message", s.message);
        text(out, "hold", hold_name(s.hold));
        text(out, "image", s.image);
        if (s.nhistory && s.history[0].ended_ns == s.since_ns) {
            text(out, "result", ended_name(s.history[0].ended));
            text(out, "reason", s.history[0].reason);
        }
    }
    state_free(&s);
}
