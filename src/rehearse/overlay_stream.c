/* The server's events, each as what it is to the operator. */
#include "overlay_impl.h"
#include "base/json_raw.h"
#include <errno.h>

struct event {
    const char *type; /* ADDED, MODIFIED, DELETED */
    struct slice object;
    struct overlay_peek it;
    bool deleted;
};

static void pass(struct overlay_watch *w, const char *type, const struct event *ev) {
    overlay_say_object(w, type, ev->object, false, (struct overlay_version){ev->it.live, 0});
}

/* The live object is not newer than what the overlay was made from: the watch lags behind, or has just come there. */
static void on_old(struct overlay_watch *w, const struct overlay_entry *e, const struct event *ev) {
    if (overlay_shown(w, e)) {
        if (ev->it.live == e->base_rv && e->based)
            overlay_say_entry(w, ev->deleted ? "MODIFIED" : ev->type, e);
    } else if (ev->deleted) { /* an older state may have been given before */
        overlay_say_object(w, "DELETED", ev->object, false, (struct overlay_version){e->rv.live, e->change});
    }
}

/* Not merely from what the watch selects. */
static bool is_gone(const struct overlay_watch *w, const struct event *ev) {
    return ev->deleted && !overlay_filter_selects(&w->filter);
}

static void on_new(struct overlay_watch *w, struct overlay_entry *e, const struct event *ev, int64_t now) {
    bool shown = overlay_shown(w, e);
    if (!e->based && ev->deleted) return; /* of a life before: only the overlay has one now */
    overlay_drop(w->o, e, ev->it.live, ev->deleted ? SL("") : ev->object, w->filter.partial, w, now);
    if (is_gone(w, ev)) overlay_meet_gone(e);
    if (!ev->deleted) pass(w, shown ? "MODIFIED" : "ADDED", ev);
    if (ev->deleted && shown) pass(w, ev->type, ev);
}

/* The live object counts. The first event of it since is of what the operator had been shown, not of the server's last state. */
static void on_passed(struct overlay_watch *w, struct overlay_entry *e, const struct event *ev) {
    bool first = ev->it.live == e->base_rv;
    if (!ev->deleted && !first && ev->it.live <= e->rv.live) return; /* lags behind what was shown */
    overlay_sighted(w->o, e, ev->it.live, ev->deleted ? SL("") : ev->object, w->filter.partial);
    if (is_gone(w, ev)) overlay_meet_gone(e);
    bool was = !e->deleted && overlay_filter_match(&w->filter, overlay_slice(e->text));
    pass(w, ev->deleted || !first ? ev->type : was ? "MODIFIED" : "ADDED", ev);
}

static void on_object(struct overlay_watch *w, const struct event *ev, int64_t now) {
    if (ev->type[0] != 'A') overlay_twin_left(w->o, w->res, &ev->it, ev->deleted, now);
    struct overlay_entry *e = overlay_find(w->o, w->res, ev->it.ns, ev->it.name);
    bool record = e && e->state == ENTRY_DELETED && !e->based && !e->personal;
    if (record && !ev->deleted && ev->it.live <= e->rv.live)
        return; /* of a life that had ended when this one began */
    if (!e || record) {
        if (ev->type[0] == 'A') overlay_twin(w->o, w->res, &ev->it, now);
        pass(w, ev->type, ev);
    } else if (e->personal) {
        if (!overlay_filter_place(&w->filter, e)) pass(w, ev->type, ev);
    } else if (!overlay_filter_place(&w->filter, e)) {
        if (e->state != ENTRY_PASSED) overlay_foreign(w->o, e, slice_of(w->filter.version));
        if (e->state != ENTRY_PASSED && overlay_newer(e, &ev->it, false) && (e->based || !ev->deleted))
            overlay_drop(w->o, e, ev->it.live, SL(""), false, w, now);
        pass(w, ev->type, ev);
    } else if (e->state == ENTRY_PASSED) {
        on_passed(w, e, ev);
    } else if (!overlay_newer(e, &ev->it, false)) {
        on_old(w, e, ev);
    } else {
        on_new(w, e, ev, now);
    }
}

static bool ends_initial(const struct overlay_peek *it) {
    struct slice v;
    return it->annotations.n && json_raw_get(it->annotations, SL("k8s.io/initial-events-end"), &v) &&
           json_raw_string_is(v, SL("true"));
}

static void on_bookmark(struct overlay_watch *w, const struct event *ev) {
    if (w->initial && ends_initial(&ev->it)) {
        overlay_say_extras(w);
        w->initial = false;
    } else if (ev->it.live < w->given.live) {
        return; /* a version that goes back; the next bookmark will do */
    }
    /* All that has changed here has been said. */
    overlay_say_object(w, "BOOKMARK", ev->object, false,
                       (struct overlay_version){ev->it.live, w->res->changes});
}

int overlay_watch_event(struct overlay_watch *w, int64_t now_wall_ns, struct slice raw) {
    static const char *const types[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK"};
    struct json_raw_it it = json_raw_each(raw);
    struct slice type = {0};
    struct event ev = {0};
    if (w->dead) return 0;
    while (it.object && json_raw_next(&it)) {
        if (slice_eqs(it.key, "\"type\"")) type = it.value;
        if (slice_eqs(it.key, "\"object\"")) ev.object = it.value;
    }
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (json_raw_string_is(type, slice_of(types[i]))) ev.type = types[i];
    }
    if (!ev.type || !ev.object.n || !overlay_peek(ev.object, &ev.it) || !ev.it.live || !w->res) {
        buf_clear(&w->out);
        buf_add(&w->out, raw);
        buf_addc(&w->out, '\n');
        if (!w->out.full) w->emit(w->ctx, buf_slice(&w->out));
        return json_raw_string_is(type, SL("ERROR")) ? 0 : -EPROTO;
    }
    ev.deleted = ev.type[0] == 'D';
    overlay_seen(w->res, ev.it.live);
    overlay_writes_notice(w->res, &ev.it);
    if (ev.type[0] == 'B') {
        if (ev.it.live > w->progress && (w->progress || !w->initial)) w->progress = ev.it.live;
        on_bookmark(w, &ev);
    } else {
        on_object(w, &ev, now_wall_ns);
    }
    if (is_gone(w, &ev)) { /* it is gone, and what only the overlay has of it goes, too */
        cleanup_free char *uid = slice_dup(ev.it.uid);
        overlay_cascade(w->o, uid, now_wall_ns);
    }
    /* Behind all that this event has brought about. What there is comes as ADDED, in no order. */
    bool ordered = w->progress || (!w->initial && ev.type[0] != 'A');
    if (ordered && ev.it.live > w->progress) w->progress = ev.it.live;
    overlay_trim(w->o);
    return 0;
}
