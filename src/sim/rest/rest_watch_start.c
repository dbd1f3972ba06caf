/* How a watch begins: with what there is, or with what has happened since a version. It is sent as fast as the
 * client reads; what happens meanwhile is held in the history and follows, then the watch joins the others. */
#include "rest/list_options.h"
#include "rest/watch_impl.h"

static int64_t duration(struct call *c, int64_t seconds) {
    const int64_t longest = INT64_C(30) * 86400;
    if (seconds > 0) return (seconds < longest ? seconds : longest) * NS_PER_S;
    return c->s->cfg.min_watch_ns + (int64_t)rng_below(&c->s->rng, (uint64_t)c->s->cfg.min_watch_ns);
}

/* ---- pieces ---- */
static bool more_state(struct sender *sender, struct buf *out) {
    struct watch *w = container_of(sender, struct watch, sender);
    if (w->next == w->state.n) return false;
    struct json_doc *d = w->state.v[w->next++];
    struct matcher_cache cache = {0};
    if (matcher_fits(&w->match, d, &cache)) watch_write(sender->x->s, w, EV_ADDED, d, out);
    matcher_cache_free(&cache);
    return true;
}

static bool more_history(struct sender *sender, struct buf *out) {
    struct watch *w = container_of(sender, struct watch, sender);
    struct resource_table *h = w->table;
    size_t i = history_after(h, w->from);
    if (w->from < h->floor || i == h->count) return false;
    struct event e = *history_at(h, i);
    e.frames = NULL;
    watch_append(sender->x->s, w, &e, out);
    rest_watch_frames_free(&e);
    w->from = w->hold.rv = e.rv;
    return true;
}

/* From here on it is shown what happens, with all others. */
static void join(struct sender *sender) {
    struct watch *w = container_of(sender, struct watch, sender);
    struct sim *s = w->x->s;
    if (w->from < w->table->floor) {
        watch_too_old(w, w->from);
    } else if (history_after(w->table, w->from) < w->table->count) {
        sender_run(sender); /* a callback has just changed something */
    } else {
        list_remove(&w->hold.link);
        w->starting = false;
        if (w->from < s->rv) w->from = s->rv;
        list_push(&w->table->watches, &w->link);
        watch_plan(s, w);
    }
}

static void run_history(struct watch *w) {
    w->sender.more = more_history;
    w->sender.end = join;
    sender_run(&w->sender);
}

static void state_sent(struct sender *sender) {
    struct watch *w = container_of(sender, struct watch, sender);
    struct sim_exchange *x = w->x;
    history_snapshot_free(&w->state);
    if (w->end_mark) watch_bookmark(w, w->from, true);
    if (!x->over) run_history(w);
}

/* ---- the start ---- */
static struct watch *watch_new(struct call *c, const struct render *r, struct matcher *m,
                               const struct list_options *o) {
    struct watch *w = xcalloc(1, sizeof *w);
    *w = (struct watch){.x = c->x,
                        .table = resource_table_of(c->s, c->type),
                        .ns = xstrdup_null(c->ns),
                        .match = *m,
                        .render = *r,
                        .bookmarks = o->bookmarks,
                        .end_mark = o->end_mark,
                        .from = o->state ? c->s->rv : o->rv,
                        .due = {.fn = watch_on_due},
                        .starting = true,
                        .target = slice_dup(c->req->target),
                        .agent = slice_dup(c->req->user_agent)};
    *m = (struct matcher){0};
    w->end = c->s->now + duration(c, o->timeout_s);
    w->next_bookmark = c->s->now + c->s->cfg.bookmark_ns;
    watch_early_bookmark(w, c->s->now);
    list_init(&w->link);
    sender_init(&w->sender, c->x, more_state, state_sent);
    w->hold.rv = w->from;
    list_push(&w->table->holds, &w->hold.link);
    c->x->watch = w;
    return w;
}

static void begin(struct call *c, struct watch *w, bool state) {
    exchange_head(c->x, 200, "application/json", -1);
    if (!state && w->from < w->table->floor) {
        watch_too_old(w, w->from);
        return;
    }
    watch_plan(c->s, w);
    if (!state) {
        run_history(w);
        return;
    }
    const struct history_range range = {.ns = w->ns};
    history_snapshot_take(c->s, w->table, c->s->rv, &range, &w->state); /* the present is always known */
    sender_run(&w->sender);
}

int rest_watch_serve(struct call *c) {
    struct render r = {0};
    struct matcher m = {0};
    struct list_options o = {0};
    int ret = rest_render(c, &r);
    if (ret == 0) ret = list_options_read(c, true, &o);
    if (ret == 0) ret = rest_matcher(c, &m);
    if (ret == 0) begin(c, watch_new(c, &r, &m, &o), o.state);
    matcher_free(&m);
    return ret;
}
