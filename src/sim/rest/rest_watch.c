/* Watches of a type: what a change looks like through a selector, and how it is sent to many at the price of
 * one. */
#include "rest/rest_watch.h"
#include <inttypes.h>
#include <stdio.h>

enum { PIECE = 64 << 10 };
#define LAST_BOOKMARK_NS (2 * NS_PER_S) /* before the end of a watch, as the API server does */

struct watch {
    struct list link;
    struct sim_exchange *x;
    struct resource_table *table;
    char *ns; /* NULL: all */
    struct matcher match;
    struct render render;
    bool bookmarks, columns_sent, last_sent;
    uint64_t from; /* events up to this version are not for this watch */
    int64_t end, next_bookmark;
    struct due due;
    char *target, *agent;
};

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

static void show(struct sim *s, struct watch *w, struct event *e) {
    enum event_type type = EV_ADDED;
    bool old = false;
    if (!seen_as(w, e, &type, &old)) return;
    if (w->render.form == FORM_TABLE &&
        !w->columns_sent) { /* the first Table names its columns: of this watch alone */
        struct buf b = BUF(SIZE_MAX - 1);
        w->columns_sent = true;
        write_frame(s, w->table->type, type, old ? old_at_rv(e, w->table->type) : e->doc, w->render, true,
                    &b);
        exchange_body(w->x, buf_slice(&b));
        buf_free(&b);
        return;
    }
    exchange_body(w->x, frame_of(s, w, e, type, old));
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

static void too_old(struct api_status *f, uint64_t rv, uint64_t floor) {
    api_status_set(f, 410, "Expired", "too old resource version: %" PRIu64 " (%" PRIu64 ")", rv, floor);
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

static void bookmark(struct watch *w, uint64_t rv, bool initial_end) {
    struct buf b = BUF(64 << 10);
    buf_adds(&b, "{\"type\":\"BOOKMARK\",\"object\":");
    render_bookmark(w->table->type, w->render, rv, initial_end, &b);
    buf_adds(&b, "}\n");
    exchange_body(w->x, buf_slice(&b));
    buf_free(&b);
}

static void plan(struct sim *s, struct watch *w) {
    int64_t at = w->end;
    if (w->bookmarks && w->next_bookmark < at) at = w->next_bookmark;
    sim_due_cancel(s, &w->due);
    sim_due_at(s, &w->due, at);
}

static void on_due(struct sim *s, struct due *d) {
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
    bookmark(w, s->rv, false);
    if (x->over) return;
    w->next_bookmark = s->now + s->cfg.bookmark_ns;
    if (s->now < w->end - LAST_BOOKMARK_NS && w->next_bookmark > w->end - LAST_BOOKMARK_NS) {
        w->next_bookmark = w->end - LAST_BOOKMARK_NS;
    }
    plan(s, w);
}

/* ---- the start ---- */
static void send_state(struct call *c, struct watch *w) {
    struct history_snapshot p = {0};
    struct buf b = BUF(SIZE_MAX - 1);
    const struct history_range range = {.ns = w->ns};
    if (history_snapshot_take(c->s, w->table, c->s->rv, &range, &p) < 0)
        return; /* never: the present is always known */
    for (size_t i = 0; i < p.n && !c->x->over; i++) {
        struct matcher_cache cache = {0};
        bool fits = matcher_fits(&w->match, p.v[i], &cache);
        matcher_cache_free(&cache);
        if (!fits) continue;
        bool columns = w->render.form == FORM_TABLE && !w->columns_sent;
        w->columns_sent = true;
        write_frame(c->s, w->table->type, EV_ADDED, p.v[i], w->render, columns, &b);
        if (b.n < PIECE) continue;
        exchange_body(c->x, buf_slice(&b));
        buf_clear(&b);
    }
    if (!c->x->over) exchange_body(c->x, buf_slice(&b));
    buf_free(&b);
    history_snapshot_free(&p);
}

static void send_history(struct call *c, struct watch *w, uint64_t to) {
    struct resource_table *h = w->table;
    for (size_t i = 0; i < h->count && !c->x->over; i++) {
        struct event e = *history_at(h, i);
        if (e.rv > to) break; /* made by a callback just now: the flush shows it */
        if (e.rv <= w->from) continue;
        e.frames = NULL;
        json_doc_ref(e.doc);
        if (e.old) json_doc_ref(e.old);
        show(c->s, w, &e);
        rest_watch_frames_free(&e);
        json_doc_unref(e.doc);
        json_doc_unref(e.old);
    }
}

static int64_t duration(struct call *c, struct api_status *f) {
    const char *text = request_uri_param(&c->t, "timeoutSeconds");
    int64_t seconds = 0;
    if (text && text[0] && slice_i64(slice_of(text), &seconds) < 0) {
        return api_status_set(f, 400, "BadRequest", "strconv.ParseInt: parsing \"%s\": invalid syntax", text);
    }
    if (seconds > 0) return (seconds < INT64_C(30) * 86400 ? seconds : INT64_C(30) * 86400) * NS_PER_S;
    return c->s->cfg.min_watch_ns + (int64_t)rng_below(&c->s->rng, (uint64_t)c->s->cfg.min_watch_ns);
}

struct start {
    uint64_t rv;
    bool state;    /* begins with what there is */
    bool end_mark; /* then the bookmark that says so */
};

static int choose_start(struct call *c, struct start *ret) {
    const char *rv = request_uri_param(&c->t, "resourceVersion");
    int r = rest_version(rv, &ret->rv, &c->f);
    if (r < 0) return r;
    ret->state = ret->rv == 0;
    if (!request_uri_param(&c->t, "sendInitialEvents")) return 0;
    if (c->s->cfg.watch_list == SIM_WATCH_LIST_REFUSE) {
        static const struct sim_type options = {"meta.k8s.io", "v1", "listoptions", "ListOptions", "", "",
                                                .custom = true};
        api_status_cause(
            &c->f, "FieldValueForbidden", "sendInitialEvents",
            "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is "
            "enabled");
        return api_status_invalid(&c->f, &options, "");
    }
    if (c->s->cfg.watch_list == SIM_WATCH_LIST_SERVE) {
        bool wanted = request_uri_flag(&c->t, "sendInitialEvents");
        ret->state = wanted;
        ret->end_mark = wanted && request_uri_flag(&c->t, "allowWatchBookmarks");
        if (!wanted && !ret->rv) ret->rv = c->s->rv;
    }
    return 0;
}

static struct watch *watch_new(struct call *c, const struct render *r, struct matcher *m, int64_t lasts) {
    struct watch *w = xcalloc(1, sizeof *w);
    *w = (struct watch){.x = c->x,
                        .table = resource_table_of(c->s, c->type),
                        .ns = xstrdup_null(c->ns),
                        .match = *m,
                        .render = *r,
                        .bookmarks = request_uri_flag(&c->t, "allowWatchBookmarks"),
                        .target = slice_dup(c->req->target),
                        .agent = slice_dup(c->req->user_agent)};
    *m = (struct matcher){0};
    w->end = c->s->now + lasts;
    w->next_bookmark = c->s->now + c->s->cfg.bookmark_ns;
    if (w->next_bookmark > w->end - LAST_BOOKMARK_NS && w->end - LAST_BOOKMARK_NS > c->s->now) {
        w->next_bookmark = w->end - LAST_BOOKMARK_NS;
    }
    w->due.fn = on_due;
    list_init(&w->link);
    c->x->watch = w;
    return w;
}

static void begin(struct call *c, struct watch *w, const struct start *st) {
    struct sim_exchange *x = c->x;
    exchange_head(x, 200, "application/json", -1);
    if (!st->state && st->rv < w->table->floor) {
        cleanup_api_status struct api_status f;
        api_status_init(&f);
        too_old(&f, st->rv, w->table->floor + 1);
        send_error(x, &f);
        return;
    }
    /* What is not yet flushed reaches this watch with its history or its state, not once more. */
    w->from = st->state ? c->s->rv : st->rv;
    uint64_t shown = c->s->rv > w->from ? c->s->rv : w->from, now = c->s->rv;
    if (st->state) {
        send_state(c, w);
        if (!x->over && st->end_mark) bookmark(w, now, true);
    } else {
        send_history(c, w, now);
    }
    if (x->over) return;
    w->from = shown;
    list_push(&w->table->watches, &w->link);
    plan(c->s, w);
}

int rest_watch_serve(struct call *c) {
    struct render r = {0};
    struct matcher m = {0};
    struct start st = {0};
    int ret = render_choose(c->req->accept, request_uri_param(&c->t, "includeObject"), &r, &c->f);
    if (ret == 0) ret = choose_start(c, &st);
    int64_t lasts = ret == 0 ? duration(c, &c->f) : 0;
    if (lasts < 0) ret = (int)lasts;
    if (ret == 0) {
        ret = matcher_parse(c->type, request_uri_param(&c->t, "labelSelector"),
                            request_uri_param(&c->t, "fieldSelector"), &m, &c->f);
    }
    if (ret == 0) begin(c, watch_new(c, &r, &m, lasts), &st);
    matcher_free(&m);
    return ret;
}
