/* Watches open and close. What one missed while it was not open is made up by the present states, not by a history: see
 * docs/decisions.md. */
#include "overlay_impl.h"
#include <errno.h>

static bool knows(struct overlay_version v, uint64_t seen, unsigned change) {
    return v.change ? change <= v.change : seen < v.live;
}

static void expire(struct overlay_watch *w) {
    overlay_say(
        w, "ERROR",
        SL("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"
           "\"The resourceVersion for the provided watch is too "
           "old.\",\"reason\":\"Expired\",\"code\":410}"));
    w->dead = true;
}

static bool expired(const struct overlay_watch *w, struct overlay_version v) {
    return w->res->floor.change && !knows(v, w->res->floor.seen, w->res->floor.change);
}

/* The state of e, to a watch that may have been given any state of it before. */
static void say_again(struct overlay_watch *w, const struct overlay_entry *e) {
    struct slice text = overlay_slice(e->text), base = overlay_slice(e->base),
                 first = overlay_slice(e->first);
    struct overlay_version at = {e->rv.live, e->change};
    if (overlay_shown(w, e)) {
        bool known = e->based && overlay_filter_match(&w->filter, base);
        overlay_say_entry(w, known ? "MODIFIED" : "ADDED", e);
    } else if (e->state == ENTRY_PASSED) {
        enum overlay_passed to = overlay_passed_to(w, e, e->base_rv, first, base);
        if (to == PASSED_GONE) overlay_say_object(w, "DELETED", text, true, at);
        if (to == PASSED_UNSURE) expire(w); /* it may have the live object, or ours */
    } else {
        overlay_say_object(w, "DELETED", text, true, at);
    }
}

/* Entries by their last change; what is said does not change the list. */
static void catch_up(struct overlay_watch *w, struct overlay_version v) {
    list_each(at, &w->res->entries) {
        const struct overlay_entry *e = container_of(at, struct overlay_entry, link);
        bool news = !w->dead && !knows(v, e->seen, e->change);
        if (news && overlay_filter_place(&w->filter, e)) say_again(w, e);
    }
}

/* What the server has no event for. */
void overlay_say_extras(struct overlay_watch *w) {
    list_each(at, &w->res->entries) {
        const struct overlay_entry *e = container_of(at, struct overlay_entry, link);
        if (overlay_filter_extra(&w->filter, e)) overlay_say_entry(w, "ADDED", e);
    }
}

int overlay_watch_from(struct overlay *o, const struct gate_request *r, struct buf *out) {
    struct overlay_version v;
    struct overlay_filter f;
    overlay_filter_init(&f, r);
    const struct overlay_resume *at = overlay_version_of(r->rv, &v) ? overlay_resume(o, f.hash, v) : NULL;
    overlay_filter_free(&f);
    if (!at) return buf_add(out, r->rv);
    overlay_version_add(out, (struct overlay_version){at->progress, 0});
    return out->full ? -ENOBUFS : 0;
}

/* No server says that this is all. */
static void initial_private(struct overlay_watch *w, const struct gate_request *r) {
    struct buf b = BUF(4096);
    overlay_say_extras(w);
    buf_addf(&b, "{\"kind\":\"Lease\",\"apiVersion\":\"%.*s/%.*s\",\"metadata\":{\"resourceVersion\":\"",
             SLF(r->group), SLF(r->version));
    overlay_version_add(&b, overlay_now(w->res));
    buf_adds(&b, "\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}");
    overlay_say(w, "BOOKMARK", buf_slice(&b));
    buf_free(&b);
    w->initial = false;
}

struct overlay_watch *overlay_watch_open(struct overlay *o, const struct gate_request *r,
                                         void (*emit)(void *ctx, struct slice event), void *ctx) {
    struct overlay_watch *w = xcalloc(1, sizeof *w);
    struct overlay_version v = {0};
    *w = (struct overlay_watch){.o = o, .emit = emit, .ctx = ctx, .initial = r->initial_events};
    w->out = BUF(OVERLAY_BODY_MAX + 8192);
    w->text = BUF(OVERLAY_BODY_MAX + 4096);
    overlay_filter_init(&w->filter, r);
    list_init(&w->link);
    o->counts.reads++;
    w->res = overlay_res(o, r->group, r->resource);
    if (!w->res) return w;
    list_push(&w->res->watches, &w->link);
    if (!overlay_version_of(r->rv, &v)) return w; /* the server refuses it */
    const struct overlay_resume *at = overlay_resume(o, w->filter.hash, v);
    if (!w->initial) w->progress = at ? at->progress : v.live;
    if (r->initial_events) { /* before the server's bookmark, see overlay_stream.c */
        if (overlay_is_private(r)) initial_private(w, r);
    } else if (!v.live) {
        overlay_say_extras(w);
    } else if (expired(w, v)) {
        expire(w);
    } else {
        catch_up(w, v);
    }
    return w;
}

void overlay_watch_close(struct overlay_watch *w) {
    if (!w) return;
    list_remove(&w->link);
    overlay_filter_free(&w->filter);
    buf_free(&w->out);
    buf_free(&w->text);
    free(w);
}
