/* A watch: the API server's events as the overlay sees them, and the overlay's own as they come. */
#include "proxy_impl.h"
#include <errno.h>

enum { EVENT_MAX = ANSWER_CAP };
#define ALONE_NS                                                                                             \
    (NS_PER_S * 30 * 60) /* a watch that nobody else ends lasts that long, and up to twice as long */

static void emit(void *ctx, struct slice event) {
    struct work *k = ctx;
    http_reply_send(k->x, event);
}

static void open_watch(struct work *k) {
    proxy_begin(k);
    k->watch = overlay_watch_open(k->p->overlay, &k->r, emit, k);
}

static void on_room(void *ctx) {
    struct work *k = ctx;
    if (k->ask) proxy_ask_resume(k->ask);
}

static void on_head(void *ctx, int status, const struct http_headers *h) {
    struct work *k = ctx;
    proxy_take_head(k, status, h);
    if (status != 200) return;
    k->p->last_change_ns = world_wall_ns(k->p->w);
    open_watch(k);
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct work *k = ctx;
    struct slice event;
    enum split_event ev;
    if (k->status != 200) {
        buf_add(&k->body, data);
        return HTTP_MORE;
    }
    while (!k->broken && (ev = splitter_next(&k->split, &data, &event)) != SPLIT_MORE) {
        /* What is no event has been passed on as it is. */
        if (ev == SPLIT_ITEM) (void)overlay_watch_event(k->watch, world_wall_ns(k->p->w), event);
        if (ev == SPLIT_BROKEN) k->broken = true;
    }
    if (k->broken) { /* what was left out is seen when the operator begins anew */
        proxy_cut(k);
        return HTTP_MORE;
    }
    return proxy_too_much(k, on_room) ? HTTP_HOLD : HTTP_MORE;
}

static void on_end(void *ctx, const struct err *err) {
    struct work *k = ctx;
    k->ask = NULL;
    if (!k->begun && err) {
        proxy_answer_err(k, err);
    } else if (!k->begun) {
        overlay_read_failed(k->p->overlay, &k->r, k->status, buf_slice(&k->body));
        proxy_answer(k, k->status, buf_slice(&k->body));
    } else if (err || splitter_finish(&k->split, NULL) < 0) {
        proxy_cut(k);
    } else {
        proxy_end(k);
    }
}

static void on_time(void *ctx) {
    proxy_end(ctx);
}

/* From memory alone. */
static void watch_alone(struct work *k) {
    int64_t seconds = 0, ns = ALONE_NS + (int64_t)(world_rand(k->p->w) % (uint64_t)ALONE_NS);
    if (slice_i64(k->r.timeout, &seconds) == 0 && seconds > 0 && seconds < ns / NS_PER_S)
        ns = seconds * NS_PER_S;
    k->status = 200;
    k->timer = timer_new(k->p->w, on_time, k);
    timer_in(k->timer, ns);
    open_watch(k);
}

static int from_server(struct work *k) {
    cleanup_buf struct buf rv = BUF(256);
    struct gate_request r = k->r;
    int e = overlay_watch_from(k->p->overlay, &k->r, &rv);
    r.rv = buf_slice(&rv);
    return e < 0 ? e : upstream_read(&r, &k->u);
}

void proxy_watch(struct work *k) {
    static const struct ask_cb cb = {on_head, on_body, on_end};
    splitter_init(&k->split, SPLIT_WATCH, EVENT_MAX);
    if (overlay_is_private(&k->r)) {
        watch_alone(k);
    } else if (from_server(k) < 0) {
        proxy_answer_status(k, 400, "the resourceVersion is none of this API server");
    } else {
        k->ask = proxy_ask(k->p, &(struct ask_spec){.u = &k->u, .as = k->x, .lane = LANE_WATCH}, &cb, k);
    }
}
