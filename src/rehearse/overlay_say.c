/* What watches get: changes of the overlay at once, with versions from which a watch can go on. */
#include "overlay_impl.h"

void overlay_say(struct overlay_watch *w, const char *type, struct slice object) {
    buf_clear(&w->out);
    buf_addf(&w->out, "{\"type\":\"%s\",\"object\":", type);
    buf_add(&w->out, object);
    buf_adds(&w->out, "}\n");
    if (!w->out.full) w->emit(w->ctx, buf_slice(&w->out));
}

static struct overlay_resume *set_of(const struct overlay *o, uint64_t filter, struct overlay_version v) {
    struct rng mix = {filter ^ v.live << 20 ^ v.change};
    return &o->resume[rng_below(&mix, OVERLAY_RESUMES / OVERLAY_RESUME_WAYS) * OVERLAY_RESUME_WAYS];
}

struct overlay_resume *overlay_resume(const struct overlay *o, uint64_t filter, struct overlay_version v) {
    struct overlay_resume *r = set_of(o, filter, v);
    for (size_t i = 0; i < OVERLAY_RESUME_WAYS; i++) {
        if (r[i].progress && r[i].filter == filter && r[i].at.live == v.live && r[i].at.change == v.change)
            return &r[i];
    }
    return NULL;
}

/* A change is out of order with the server's events: a watch that goes on from it asks the server from where this one stood. Of
 * several with the same filter that is the one that was the furthest behind. */
static void remember(struct overlay_watch *w, struct overlay_version v) {
    if (!v.change || !w->progress) return;
    struct overlay_resume *r = overlay_resume(w->o, w->filter.hash, v),
                          *set = set_of(w->o, w->filter.hash, v);
    if (r ? r->progress <= w->progress : v.live == w->progress) return;
    struct overlay_resume *oldest = set;
    for (size_t i = 1; i < OVERLAY_RESUME_WAYS; i++) {
        if (set[i].age < oldest->age) oldest = &set[i];
    }
    *(r ? r : oldest) = (struct overlay_resume){
        .filter = w->filter.hash, .at = v, .progress = w->progress, .age = ++w->o->resumes};
}

static void given(struct overlay_watch *w, struct overlay_version v) {
    remember(w, v);
    if (v.live > w->given.live || (v.live == w->given.live && v.change > w->given.change)) w->given = v;
}

/* An object of the overlay, or of the server in a form of its own: with version v. */
void overlay_say_object(struct overlay_watch *w, const char *type, struct slice object, bool whole,
                        struct overlay_version v) {
    buf_clear(&w->text);
    if (whole && w->filter.partial) {
        struct buf b = BUF(OVERLAY_BODY_MAX + 4096);
        overlay_partial(&b, object, w->filter.partial_version);
        overlay_object(&w->text, buf_slice(&b), v);
        buf_free(&b);
    } else {
        overlay_object(&w->text, object, v);
    }
    given(w, v);
    if (!w->text.full) overlay_say(w, type, buf_slice(&w->text));
}

void overlay_say_entry(struct overlay_watch *w, const char *type, const struct overlay_entry *e) {
    overlay_say_object(w, type, overlay_slice(e->text), true, e->rv);
}

/* ---- what changes here ---- */
void overlay_tell(struct overlay_entry *e, struct slice old, struct slice text) {
    list_each(at, &e->res->watches) {
        struct overlay_watch *w = container_of(at, struct overlay_watch, link);
        if (w->dead || !overlay_filter_place(&w->filter, e)) continue;
        bool before = overlay_filter_match(&w->filter, old), now = overlay_filter_match(&w->filter, text);
        if (now) overlay_say_entry(w, before ? "MODIFIED" : "ADDED", e);
        if (!now && before) overlay_say_object(w, "DELETED", old, true, e->rv);
    }
}

bool overlay_shown(const struct overlay_watch *w, const struct overlay_entry *e) {
    return e->state == ENTRY_PRESENT && overlay_filter_match(&w->filter, overlay_slice(e->text));
}

/* May the live object be selected, of which only metadata may be known? */
static bool selects(const struct overlay_filter *f, const struct overlay_entry *e, struct slice live) {
    return overlay_filter_match(f, live) || (live.n && e->dim && f->fields);
}

enum overlay_passed overlay_passed_to(const struct overlay_watch *w, const struct overlay_entry *e,
                                      uint64_t rv, struct slice base, struct slice live) {
    bool ahead = w->progress && w->progress >= rv; /* the server has said all up to there */
    if (selects(&w->filter, e, live)) return ahead ? PASSED_UNSURE : PASSED_SAID;
    bool said = !live.n && rv && !ahead && e->based && overlay_filter_match(&w->filter, base);
    return said ? PASSED_SAID : PASSED_GONE;
}

void overlay_tell_passed(struct overlay_entry *e, uint64_t rv, struct slice live,
                         const struct overlay_watch *but) {
    struct overlay_version at = {rv > e->rv.live ? rv : e->rv.live, e->change};
    list_each(it, &e->res->watches) {
        struct overlay_watch *w = container_of(it, struct overlay_watch, link);
        if (w->dead || w == but || !overlay_filter_place(&w->filter, e) || !overlay_shown(w, e)) continue;
        /* Unsure: had the live object been there for a watch that is beyond that version, it would have dropped the entry. */
        if (overlay_passed_to(w, e, rv, overlay_slice(e->base), live) != PASSED_SAID)
            overlay_say_object(w, "DELETED", overlay_slice(e->text), true, at);
    }
}
