/* What is answered whole: an object, a review, a mutation with all that its dry run asks. */
#include "proxy_impl.h"

#define CALL_NS (75 * NS_PER_S) /* longer than the API server gives itself */

static void on_head(void *ctx, int status, const struct http_headers *h) {
    struct work *k = ctx;
    proxy_take_head(k, status, h);
    buf_clear(&k->body);
}

static enum http_pull on_body(void *ctx, struct slice data) {
    struct work *k = ctx;
    buf_add(&k->body, data);
    return HTTP_MORE;
}

static void ask(struct work *k, const struct upstream *u, const struct ask_cb *cb) {
    struct ask_spec s = {.u = u, .as = k->x, .lane = LANE_CALL, .total_ns = CALL_NS, .body_cap = ANSWER_CAP};
    buf_clear(&k->body);
    k->status = 0;
    k->extra.n = 0;
    k->ask = proxy_ask(k->p, &s, cb, k);
}

/* ---- an object, a review ---- */

static void answer_read(struct work *k) {
    overlay_read_failed(k->p->overlay, &k->r, k->status, buf_slice(&k->body));
    if (k->r.kind == GATE_REVIEW) {
        proxy_answer(k, k->status, buf_slice(&k->body));
        return;
    }
    int status =
        overlay_get(k->p->overlay, &k->r, world_wall_ns(k->p->w), k->status, buf_slice(&k->body), &k->out);
    proxy_answer(k, status, buf_slice(&k->out));
}

static void on_read(void *ctx, const struct err *err) {
    struct work *k = ctx;
    k->ask = NULL;
    if (err) {
        proxy_answer_err(k, err);
    } else {
        answer_read(k);
    }
}

/* ---- a mutation ---- */

static void on_dry_run(void *ctx, const struct err *err);

static void step(struct work *k) {
    static const struct ask_cb cb = {on_head, on_body, on_dry_run};
    if (k->step.answered) {
        proxy_answer(k, k->step.status, k->step.body);
        return;
    }
    k->p->last_change_ns = world_wall_ns(k->p->w);
    ask(k, k->step.ask, &cb);
}

static void on_dry_run(void *ctx, const struct err *err) {
    struct work *k = ctx;
    k->ask = NULL;
    if (err)
        LOG_EVENT(k->p->log, LOG_WARN, "RehearsalAskFailed", "no answer of the API server to a dry run",
                  LF_ERR(err));
    k->p->last_change_ns = world_wall_ns(k->p->w);
    overlay_write_feed(k->write, world_wall_ns(k->p->w), err ? 0 : k->status,
                       err ? SL("") : buf_slice(&k->body), &k->step);
    step(k);
}

void proxy_hold(struct proxy *p) {
    p->holds++;
}

static bool go_on(struct work *k) {
    if (!k->held) return false;
    k->held = false;
    proxy_call(k);
    return true;
}

void proxy_release(struct proxy *p) {
    if (--p->holds == 0) proxy_resume(p, go_on);
}

void proxy_call(struct work *k) {
    static const struct ask_cb cb = {on_head, on_body, on_read};
    if (gate_mutates(k->r.kind)) {
        k->held = k->p->holds > 0;
        if (k->held) return;
        k->write = overlay_write_begin(k->p->overlay, &k->r, world_wall_ns(k->p->w), &k->step);
        step(k);
    } else if (k->r.kind == GATE_GET && overlay_is_private(&k->r)) {
        answer_read(k);
    } else if (upstream_read(&k->r, &k->u) < 0) {
        proxy_answer_status(k, 400, "the resourceVersion is none of this API server");
    } else {
        ask(k, &k->u, &cb);
    }
}
