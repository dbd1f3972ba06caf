/* Reads that are of no objects are passed on byte by byte, and no faster than the operator takes them. */
#include "proxy_impl.h"

static void on_room(void *ctx) {
    struct work *k = ctx;
    if (k->ask) proxy_ask_resume(k->ask);
}

static void on_head(void *ctx, int status, const struct http_headers *h) {
    struct work *k = ctx;
    proxy_take_head(k, status, h);
    proxy_begin(k);
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct work *k = ctx;
    if (k->status >= 400) buf_add(&k->body, data); /* all of it or, where it is too long, a part */
    http_reply_send(k->x, data);
    return proxy_too_much(k, on_room) ? HTTP_HOLD : HTTP_MORE;
}

static void on_end(void *ctx, const struct err *err) {
    struct work *k = ctx;
    k->ask = NULL;
    if (!err) {
        overlay_read_failed(k->p->overlay, &k->r, k->status, buf_slice(&k->body));
        proxy_end(k);
    } else if (k->begun) {
        proxy_cut(k);
    } else {
        proxy_answer_err(k, err);
    }
}

void proxy_stream(struct work *k) {
    static const struct ask_cb cb = {on_head, on_body, on_end};
    if (upstream_read(&k->r, &k->u) < 0) {
        proxy_answer_status(k, 400, "the request cannot be passed on");
        return;
    }
    k->ask = proxy_ask(k->p, &(struct ask_spec){.u = &k->u, .as = k->x, .lane = LANE_WATCH}, &cb, k);
}
