/* See alone.h. */
#include "simworld/alone.h"
#include "base/mem.h"
#include <stdio.h>

struct alone *alone_of(struct world *w) {
    return container_of(w->ops, struct alone, ops);
}

static bool second(void *ctx) {
    return ++*(int *)ctx > 1;
}

bool alone_step(struct alone *a) {
    int asked = 0;
    uint64_t before = simworld_events(a->sw);
    simworld_run_until(a->sw, second, &asked, 0);
    return simworld_events(a->sw) > before;
}

/* ---- the listener ---- */

struct listener {
    struct http_listener base;
    struct alone *a;
};

static int port_of(const struct http_listener *l) {
    (void)l;
    return 8080;
}

static void close_it(struct http_listener *base) {
    struct listener *l = container_of(base, struct listener, base);
    l->a->listening = false;
    free(l);
}

static int listen_alone(struct world *w, const char *addr, const struct http_limits *lim, http_handler fn,
                        void *ctx, struct http_listener **ret, struct err *err) {
    struct alone *a = alone_of(w);
    (void)lim;
    if (a->listen_error) return err_set(err, ERR_CONFIG, a->listen_error, "cannot listen on %s", addr);
    struct listener *l = xcalloc(1, sizeof *l);
    *l = (struct listener){{port_of, close_it}, a};
    a->handler = fn;
    a->handler_ctx = ctx;
    a->listening = true;
    *ret = &l->base;
    return 0;
}

void alone_init(struct alone *a, uint64_t seed) {
    *a = (struct alone){.sw = simworld_new(seed)};
    a->w = simworld_host(a->sw, "alone", &(struct simhost){.boot_ns = 1000 * NS_PER_S});
    a->ops = *a->w->ops;
    a->ops.http_listen = listen_alone;
    a->w->ops = &a->ops;
}

void alone_free(struct alone *a) {
    simworld_free(a->sw);
}

/* ---- its answers ---- */

static struct alone_answer *answer_of(struct http_exchange *x) {
    return container_of(x, struct alone_answer, x);
}

static void note_header(struct alone_answer *a, const struct http_header *h) {
    buf_addf(&a->raw, "%.*s: %.*s\n", SLF(h->name), SLF(h->value));
    char *into = http_name_eq(h->name, SL("Content-Encoding")) ? a->encoding
                 : http_name_eq(h->name, SL("Vary"))           ? a->vary
                                                               : NULL;
    if (into) snprintf(into, sizeof a->vary, "%.*s", SLF(h->value));
}

static void x_begin(struct http_exchange *x, int status, const char *type, const struct http_headers *extra) {
    struct alone_answer *a = answer_of(x);
    if (a->begun) abort(); /* answered twice */
    a->begun = true;
    a->status = status;
    snprintf(a->content_type, sizeof a->content_type, "%s", type ? type : "");
    for (size_t i = 0; extra && i < extra->n; i++) note_header(a, &extra->v[i]);
}

static void x_send(struct http_exchange *x, struct slice data) {
    struct alone_answer *a = answer_of(x);
    if (!a->begun || a->ended || a->aborted) abort();
    buf_add(&a->body, data);
}

static void x_end(struct http_exchange *x) {
    struct alone_answer *a = answer_of(x);
    if (!a->begun || a->ended || a->aborted) abort();
    a->ended = true;
}

static void x_reply(struct http_exchange *x, int status, const char *type, struct slice body) {
    x_begin(x, status, type, NULL);
    x_send(x, body);
    x_end(x);
}

static void x_abort(struct http_exchange *x) {
    answer_of(x)->aborted = true;
}

static void x_on_gone(struct http_exchange *x, world_fn fn, void *ctx) {
    answer_of(x)->gone = fn;
    answer_of(x)->gone_ctx = ctx;
}

static void x_on_room(struct http_exchange *x, size_t below, world_fn fn, void *ctx) {
    (void)below;
    answer_of(x)->room = fn;
    answer_of(x)->room_ctx = ctx;
}

void alone_request(struct alone *from, struct alone_answer *a, const char *method, const char *target,
                   const struct http_headers *h) {
    alone_send(from, a, method, target, h, SL(""));
}

void alone_send(struct alone *from, struct alone_answer *a, const char *method, const char *target,
                const struct http_headers *h, struct slice body) {
    static const struct http_x_ops ops = {x_reply, x_begin, x_send, x_end, x_abort, x_on_gone, x_on_room};
    *a = (struct alone_answer){.body = BUF(64 << 20), .raw = BUF(65536)};
    a->x.ops = &ops;
    a->x.method = slice_of(method);
    a->x.target = slice_of(target);
    a->x.body = body;
    if (h) a->x.headers = *h;
    from->handler(from->handler_ctx, &a->x);
}

void alone_answer_free(struct alone_answer *a) {
    buf_free(&a->body);
    buf_free(&a->raw);
}
