/* See item_stream.h. */
#include "item_stream.h"
#include <errno.h>

enum { SLICE = 128 << 10, PENDING_CAP = 256 << 20 };

struct item_stream {
    struct kube *k;
    struct item_stream_cb cb;
    void *ctx;
    const char *what; /* of the exchange's spec */
    enum split_mode mode;
    int64_t idle_ns;
    struct splitter splitter;
    struct exchange *x;
    struct timer *turn; /* runs while a slice is due */
    struct timer *idle;
    struct buf pending;       /* taken from the connection, not worked off */
    size_t pending_pos, used; /* used: bytes worked off in this turn */
    struct err stop;          /* why reading has ended */
    struct err end_err;       /* of the exchange, with ended */
    bool ended, cancelled;
    unsigned depth; /* of callbacks, in which we may be cancelled */
};

static void destroy(struct item_stream *s) {
    splitter_free(&s->splitter);
    buf_free(&s->pending);
    free(s);
}

void item_stream_cancel(struct item_stream *s) {
    if (!s || s->cancelled) return;
    s->cancelled = true;
    exchange_cancel(s->x);
    timer_free(s->turn);
    timer_free(s->idle);
    if (!s->depth) destroy(s);
}

/* ---- the end ---- */

static void read_end(struct item_stream *s, struct split_list *ret, struct err *e) {
    if (e->kind) return;
    if (s->mode == SPLIT_LIST) {
        if (splitter_list(&s->splitter, ret, e) < 0) {
            err_wrap(e, "%s", s->what);
        } else if (!ret->rv[0]) {
            err_set(e, ERR_PROTOCOL, -EPROTO, "%s: a list without resourceVersion", s->what);
        }
    } else if (splitter_finish(&s->splitter, e) < 0) {
        e->kind = ERR_TRANSPORT; /* the connection was cut, the bytes were not bad */
        err_wrap(e, "%s", s->what);
    }
}

static void complete(struct item_stream *s) {
    struct err e = s->stop.kind ? s->stop : s->end_err;
    struct split_list list = {0};
    void (*end)(void *, struct err *, const struct split_list *) = s->cb.end;
    void *ctx = s->ctx;
    bool is_list = s->mode == SPLIT_LIST;
    read_end(s, &list, &e);
    item_stream_cancel(s);
    end(ctx, &e, is_list && !e.kind ? &list : NULL);
    split_list_free(&list);
}

static void on_end(void *ctx, const struct err *err, struct slice status_body, bool sent) {
    struct item_stream *s = ctx;
    (void)status_body, (void)sent;
    s->x = NULL;
    s->ended = true;
    s->end_err = err ? *err : (struct err){0};
    if (!timer_active(s->turn)) complete(s);
}

static void on_idle(void *ctx) {
    struct item_stream *s = ctx;
    err_set(&s->stop, ERR_TIMEOUT, -ETIMEDOUT, "%s: no byte for %d s", s->what, (int)(s->idle_ns / NS_PER_S));
    complete(s);
}

/* ---- bytes ---- */

/* False: cancelled meanwhile, the stream is gone. */
static bool consume(struct item_stream *s, struct slice data) {
    enum split_event ev;
    struct slice item;
    s->depth++;
    while (!s->cancelled && !s->stop.kind && (ev = splitter_next(&s->splitter, &data, &item)) != SPLIT_MORE) {
        if (ev == SPLIT_ITEM) {
            struct err e = {0};
            if (s->cb.item(s->ctx, item, &e) < 0) s->stop = e;
        } else if (ev == SPLIT_BROKEN && s->mode == SPLIT_WATCH) {
            s->cb.broken(s->ctx, splitter_why(&s->splitter));
        } else if (ev == SPLIT_BROKEN) {
            err_set(&s->stop, ERR_PROTOCOL, -EPROTO, "%s: not a list: %s", s->what,
                    splitter_why(&s->splitter));
        }
    }
    s->depth--;
    if (!s->cancelled) return true;
    if (!s->depth) destroy(s);
    return false;
}

static void want_turn(struct item_stream *s) {
    if (!timer_active(s->turn)) timer_in(s->turn, 0);
}

static void on_head(void *ctx, const struct http_headers *h) {
    struct item_stream *s = ctx;
    (void)h;
    if (s->cb.head) s->cb.head(s->ctx);
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct item_stream *s = ctx;
    if (s->idle_ns) timer_in(s->idle, s->idle_ns);
    if (s->cb.bytes && !s->stop.kind) {
        struct err e = {0};
        if (s->cb.bytes(s->ctx, data.n, &e) < 0) s->stop = e;
    }
    bool behind = s->pending.n > s->pending_pos || timer_active(s->turn) || s->stop.kind;
    size_t now = behind ? 0 : SLICE - s->used < data.n ? SLICE - s->used : data.n;
    if (!s->stop.kind && buf_add(&s->pending, slice_make(data.p + now, data.n - now)) < 0)
        err_set(&s->stop, ERR_PROTOCOL, -ENOBUFS, "%s: more bytes at once than can be held", s->what);
    if (now && !consume(s, slice_make(data.p, now))) return HTTP_MORE;
    s->used += now;
    if (s->used < SLICE && !s->pending.n && !s->stop.kind) return HTTP_MORE;
    want_turn(s);
    return HTTP_HOLD;
}

/* The next slice, or the end of the answer, or on with the connection. */
static void work(void *ctx) {
    struct item_stream *s = ctx;
    s->used = 0;
    if (!s->stop.kind && s->pending.n) {
        size_t left = s->pending.n - s->pending_pos, n = left < SLICE ? left : SLICE;
        struct slice part = slice_make(s->pending.p + s->pending_pos, n);
        s->pending_pos += n;
        if (!consume(s, part)) return;
    }
    if (!s->stop.kind && s->pending_pos < s->pending.n) {
        want_turn(s);
        return;
    }
    buf_clear(&s->pending);
    s->pending_pos = 0;
    if (s->pending.cap > SLICE) buf_free(&s->pending);
    if (s->stop.kind || s->ended) {
        complete(s);
    } else if (s->x) {
        exchange_resume(s->x);
    }
}

struct item_stream *item_stream_start(struct kube *k, const struct exchange_spec *spec, enum split_mode mode,
                                      int64_t idle_ns, const struct item_stream_cb *cb, void *ctx) {
    static const struct exchange_cb exchange = {.body = on_body, .end = on_end, .head = on_head};
    struct item_stream *s = xcalloc(1, sizeof *s);
    s->k = k;
    s->cb = *cb;
    s->ctx = ctx;
    s->what = spec->what;
    s->mode = mode;
    s->idle_ns = idle_ns;
    splitter_init(&s->splitter, mode, 0);
    buf_init(&s->pending, PENDING_CAP);
    s->turn = timer_new(k->w, work, s);
    s->idle = timer_new(k->w, on_idle, s);
    if (idle_ns) timer_in(s->idle, idle_ns);
    s->x = exchange_start(k, spec, &exchange, s);
    return s;
}
