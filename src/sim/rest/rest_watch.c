/* Watches of a type: what a change looks like through a selector, and how it is sent to many at the price of
 * one. */
#include "rest/watch_impl.h"
#include <inttypes.h>

#define LAST_BOOKMARK_NS (2 * NS_PER_S) /* before the end of a watch, as the API server does */

struct slice rest_watch_target(const struct watch *w) {
    return slice_of(w->target);
}

struct slice rest_watch_agent(const struct watch *w) {
    return slice_of(w->agent);
}

/* ---- events as text ---- */
struct frame {
    struct frame *next;
    struct render render;
    enum event_type type;
    bool old; /* of the state before */
    struct buf text;
};
struct frames {
    struct frame *all;
    struct matcher_cache now, was;
    struct json_doc *old_at_rv; /* the state before, under the event's version */
};

void rest_watch_frames_free(struct event *e) {
    struct frames *fs = e->frames;
    if (!fs) return;
    e->frames = NULL;
    for (struct frame *f = fs->all, *next; f; f = next) {
        next = f->next;
        buf_free(&f->text);
        free(f);
    }
    matcher_cache_free(&fs->now);
    matcher_cache_free(&fs->was);
    json_doc_unref(fs->old_at_rv);
    free(fs);
}

static const char *const type_names[] = {"ADDED", "MODIFIED", "DELETED"};

static void write_frame(const struct sim *s, const struct sim_type *t, enum event_type type,
                        const struct json_doc *d, struct render r, bool columns, struct buf *out) {
    buf_addf(out, "{\"type\":\"%s\",\"object\":", type_names[type]);
    render_one(s, t, d, r, columns, out);
    buf_adds(out, "}\n");
}

/* An object that leaves a selector is deleted for that watch: as it was, but at the version of the change. */
static struct json_doc *old_at_rv(struct event *e, const struct sim_type *t) {
    struct frames *fs = e->frames;
    if (!fs->old_at_rv) {
        char version[128];
        cleanup_json cJSON *v = json_doc_parse(e->old, type_api_version(t, version), t->kind);
        object_meta_set_rv(v, e->rv);
        fs->old_at_rv = json_doc_new(v, e->old->ns, e->old->name, e->rv, SIZE_MAX - 1);
    }
    return fs->old_at_rv;
}

static struct slice frame_of(struct sim *s, struct watch *w, struct event *e, enum event_type type,
                             bool old) {
    for (struct frame *f = e->frames->all; f; f = f->next) {
        if (f->type == type && f->old == old && render_same(f->render, w->render)) return buf_slice(&f->text);
    }
    struct frame *f = xcalloc(1, sizeof *f);
    *f = (struct frame){e->frames->all, w->render, type, old, BUF(SIZE_MAX - 1)};
    e->frames->all = f;
    struct json_doc *d = old ? old_at_rv(e, w->table->type) : e->doc;
    write_frame(s, w->table->type, type, d, w->render, false, &f->text);
    return buf_slice(&f->text);
}

/* What the event is for this watch; false: nothing. */
static bool seen_as(struct watch *w, struct event *e, enum event_type *ret_type, bool *ret_old) {
    if (e->rv <= w->from) return false;
    if (w->ns && strcmp(w->ns, e->doc->ns) != 0) return false;
    if (!e->frames) e->frames = xcalloc(1, sizeof *e->frames);
    bool now = e->type != EV_DELETED && matcher_fits(&w->match, e->doc, &e->frames->now);
    bool was = e->old && matcher_fits(&w->match, e->old, &e->frames->was);
    if (!now && !was) return false;
    *ret_old = !now && e->type != EV_DELETED;
    *ret_type = now && was ? EV_MODIFIED : now ? EV_ADDED : EV_DELETED;
    return true;
}

void watch_write(struct sim *s, struct watch *w, enum event_type type, const struct json_doc *d,
                 struct buf *out) {
    bool columns = w->render.form == FORM_TABLE && !w->columns_sent;
    w->columns_sent = true;
    write_frame(s, w->table->type, type, d, w->render, columns, out);
}

void watch_append(struct sim *s, struct watch *w, struct event *e, struct buf *out) {
    enum event_type type = EV_ADDED;
    bool old = false;
    if (seen_as(w, e, &type, &old)) watch_write(s, w, type, old ? old_at_rv(e, w->table->type) : e->doc, out);
}

static void show(struct sim *s, struct watch *w, struct event *e) {
    enum event_type type = EV_ADDED;
    bool old = false;
    if (w->render.form == FORM_TABLE && !w->columns_sent) { /* its first, with columns, is its own */
        struct buf b = BUF(SIZE_MAX - 1);
        watch_append(s, w, e, &b);
        exchange_body(w->x, buf_slice(&b));
        buf_free(&b);
    } else if (seen_as(w, e, &type, &old)) {
        exchange_body(w->x, frame_of(s, w, e, type, old));
    }
}

void rest_watch_flush(struct sim *s, struct resource_table *h) {
    if (h->cursor) return; /* asked for from within a callback: the outer one goes on */
    while (h->fresh) {
        size_t i = h->count - h->fresh;
        /* The ring may grow while callbacks run, so that the event is worked on as a copy. */
        struct event e = *history_at(h, i);
        for (h->cursor = h->watches.next; h->cursor != &h->watches;) {
            struct watch *w = container_of(h->cursor, struct watch, link);
            h->cursor = h->cursor->next; /* rest_watch_close() moves it on when that one goes */
            if (!w->x->quiet) show(s, w, &e);
        }
        h->cursor = NULL;
        rest_watch_frames_free(&e);
        h->fresh--;
    }
    history_trim(s, h);
}

/* ---- ends and bookmarks ---- */
void rest_watch_close(struct sim_exchange *x) {
    struct watch *w = x->watch;
    if (!w) return;
    x->watch = NULL;
    sim_due_cancel(x->s, &w->due);
    if (w->table->cursor == &w->link) w->table->cursor = w->link.next;
    list_remove(&w->link);
    sender_close(&w->sender);
    list_remove(&w->hold.link);
    history_snapshot_free(&w->state);
    matcher_free(&w->match);
    free(w->ns);
    free(w->target);
    free(w->agent);
    free(w);
}

static void send_error(struct sim_exchange *x, const struct api_status *f) {
    struct buf b = BUF(64 << 10);
    buf_adds(&b, "{\"type\":\"ERROR\",\"object\":");
    api_status_write(f, &b);
    buf_adds(&b, "}\n");
    exchange_body(x, buf_slice(&b));
    buf_free(&b);
    exchange_end(x, false);
}

void watch_too_old(struct watch *w, uint64_t rv) {
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    api_status_set(&f, 410, "Expired", "too old resource version: %" PRIu64 " (%" PRIu64 ")", rv,
                   w->table->floor + 1);
    send_error(w->x, &f);
}

void rest_watch_expire(struct sim *s, struct resource_table *h) {
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    api_status_set(&f, 410, "Expired", "The resourceVersion for the provided watch is too old.");
    list_each_safe(it, tmp, &h->watches) {
        struct watch *w = container_of(it, struct watch, link);
        if (!w->x->quiet) send_error(w->x, &f);
    }
    (void)s;
}

void watch_bookmark(struct watch *w, uint64_t rv, bool initial_end) {
    struct buf b = BUF(64 << 10);
    buf_adds(&b, "{\"type\":\"BOOKMARK\",\"object\":");
    render_bookmark(w->table->type, w->render, rv, initial_end, &b);
    buf_adds(&b, "}\n");
    exchange_body(w->x, buf_slice(&b));
    buf_free(&b);
}

void watch_early_bookmark(struct watch *w, int64_t now) {
    int64_t last = w->end - LAST_BOOKMARK_NS;
    if (now < last && w->next_bookmark > last) w->next_bookmark = last;
}

void watch_plan(struct sim *s, struct watch *w) {
    int64_t at = w->end;
    if (w->bookmarks && !w->starting && w->next_bookmark < at) at = w->next_bookmark;
    sim_due_cancel(s, &w->due);
    sim_due_at(s, &w->due, at);
}

void watch_on_due(struct sim *s, struct due *d) {
    struct watch *w = container_of(d, struct watch, due);
    struct sim_exchange *x = w->x;
    if (s->now >= w->end) {
        exchange_end(x, false);
        return;
    }
    if (w->table->fresh) { /* a bookmark must not overtake an event */
        rest_watch_flush(s, w->table);
        if (x->over) return;
    }
    watch_bookmark(w, s->rv, false);
    if (x->over) return;
    w->next_bookmark = s->now + s->cfg.bookmark_ns;
    watch_early_bookmark(w, s->now);
    watch_plan(s, w);
}
