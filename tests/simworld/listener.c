/* The HTTP server of a host: listeners, and exchanges with the clients that reach them over the simulated
 * network. */
#include "internal.h"
#include <errno.h>
#include <stdio.h>

struct listener {
    struct http_listener base;
    struct list all, exchanges;
    struct host *host;
    struct http_limits limits;
    http_handler fn;
    void *ctx;
    int port;
    bool local_only, deaf; /* deaf: its process has died */
    size_t open;
};
struct exchange {
    struct http_exchange base;
    struct list all;
    struct listener *listener;
    struct link *link; /* NULL: the client has gone */
    char *method, *target, *body, *head;
    world_fn gone_fn, room_fn;
    void *gone_ctx, *room_ctx;
    size_t room_below;
    struct ev gone, room;
};

static struct exchange *exchange_of(struct http_exchange *x) {
    return container_of(x, struct exchange, base);
}

static void exchange_free(struct exchange *x) {
    ev_cancel(x->listener->host->sw, &x->gone);
    ev_cancel(x->listener->host->sw, &x->room);
    list_remove(&x->all);
    x->listener->open--;
    free(x->method);
    free(x->target);
    free(x->body);
    free(x->head);
    free(x);
}

/* ---- answering ---- */

static void detach(struct exchange *x) {
    struct link *l = x->link;
    x->link = NULL;
    if (l) l->hx = NULL;
}

static void op_begin(struct http_exchange *base, int status, const char *type,
                     const struct http_headers *extra) {
    struct exchange *x = exchange_of(base);
    if (x->link) link_head(x->link, status, type, -1, extra);
}

static void tell_gone(struct exchange *x) {
    if (x->gone_fn && x->listener->host->alive)
        ev_at(x->listener->host->sw, &x->gone, x->listener->host->sw->now, EV_FIRST);
}

static void op_send(struct http_exchange *base, struct slice data) {
    struct exchange *x = exchange_of(base);
    struct link *l = x->link;
    if (!l) return;
    link_body(l, data);
    if (l->unread <= x->listener->limits.send_cap) return;
    detach(x); /* too slow a reader */
    link_break(l, -ECONNRESET, "connection reset by peer");
    tell_gone(x);
}

static void op_end(struct http_exchange *base) {
    struct exchange *x = exchange_of(base);
    struct link *l = x->link;
    detach(x);
    if (l) link_end(l, false);
    exchange_free(x);
}

static void op_reply(struct http_exchange *base, int status, const char *type, struct slice body) {
    struct exchange *x = exchange_of(base);
    if (x->link) {
        link_head(x->link, status, type, -1, NULL);
        link_body(x->link, body);
    }
    op_end(base);
}

static void op_abort(struct http_exchange *base) {
    struct exchange *x = exchange_of(base);
    struct link *l = x->link;
    detach(x);
    if (l) link_end(l, true);
    exchange_free(x);
}

static void op_on_gone(struct http_exchange *base, world_fn fn, void *ctx) {
    struct exchange *x = exchange_of(base);
    x->gone_fn = fn;
    x->gone_ctx = ctx;
    if (!x->link) tell_gone(x);
}

static bool has_room(const struct exchange *x) {
    return x->room_fn && x->link && x->link->unread < x->room_below;
}

void listener_read(struct link *l) {
    struct exchange *x = l->hx;
    if (has_room(x) && x->listener->host->alive && !ev_pending(&x->room))
        ev_at(x->listener->host->sw, &x->room, x->listener->host->sw->now, EV_ANY);
}

static void op_on_room(struct http_exchange *base, size_t below, world_fn fn, void *ctx) {
    struct exchange *x = exchange_of(base);
    x->room_fn = fn;
    x->room_ctx = ctx;
    x->room_below = below;
    if (x->link) listener_read(x->link);
}

static void room(struct ev *e) {
    struct exchange *x = container_of(e, struct exchange, room);
    if (!has_room(x)) return; /* more has been sent meanwhile */
    world_fn fn = x->room_fn;
    x->room_fn = NULL;
    fn(x->room_ctx);
}

static size_t op_unsent(const struct http_exchange *base) {
    const struct exchange *x = container_of(base, const struct exchange, base);
    return x->link ? x->link->unread : 0;
}

static const struct http_x_ops x_table = {.reply = op_reply,
                                          .begin = op_begin,
                                          .send = op_send,
                                          .end = op_end,
                                          .abort = op_abort,
                                          .on_gone = op_on_gone,
                                          .on_room = op_on_room};

static void gone(struct ev *e) {
    struct exchange *x = container_of(e, struct exchange, gone);
    x->gone_fn(x->gone_ctx);
    exchange_free(x);
}

void listener_left(struct link *l) {
    struct exchange *x = l->hx;
    detach(x);
    tell_gone(x);
}

/* ---- arriving ---- */

static struct listener *find(const struct host *h, int port) {
    list_each(it, &h->listeners) {
        struct listener *l = container_of(it, struct listener, all);
        if (l->port == port && !l->deaf) return l;
    }
    return NULL;
}

bool listener_there(const struct host *h, int port, bool local) {
    const struct listener *l = h->alive ? find(h, port) : NULL;
    return l && (local || !l->local_only);
}

void listener_arrive(struct link *l) {
    struct listener *s = l->peer->alive ? find(l->peer, l->port) : NULL;
    if (!s || s->open >= s->limits.connections) {
        link_break(l, -ECONNRESET, "connection reset by peer");
        return;
    }
    if (l->nbody > s->limits.body_cap) {
        link_head(l, 413, "text/plain", -1, NULL);
        link_end(l, false);
        return;
    }
    struct exchange *x = xcalloc(1, sizeof *x);
    x->listener = s;
    x->link = l;
    l->hx = x;
    s->open++;
    list_push(&s->exchanges, &x->all);
    ev_init(&x->gone, s->host, "client gone", gone);
    /* The link may end before the exchange: it keeps the texts itself. */
    x->method = l->method;
    x->target = l->target;
    x->body = l->body;
    x->head = l->head;
    l->method = xstrdup(x->method);
    l->target = xstrdup(x->target);
    l->body = l->head = NULL;
    ev_init(&x->room, s->host, "room in an answer's way", room);
    x->base.ops = &x_table;
    x->base.unsent = op_unsent;
    x->base.method = slice_of(x->method);
    x->base.target = slice_of(x->target);
    x->base.body = slice_make(x->body, l->nbody);
    x->base.headers = l->headers;
    l->nbody = 0;
    l->headers.n = 0;
    s->fn(s->ctx, &x->base);
}

/* ---- listeners ---- */

static int op_port(const struct http_listener *base) {
    return container_of(base, const struct listener, base)->port;
}

static void listener_free(struct listener *s, bool tell) {
    list_each_safe(it, tmp, &s->exchanges) {
        struct exchange *x = container_of(it, struct exchange, all);
        struct link *l = x->link;
        detach(x);
        if (l) link_break(l, -ECONNRESET, "connection reset by peer");
        if (tell && x->gone_fn) x->gone_fn(x->gone_ctx);
        exchange_free(x);
    }
    list_remove(&s->all);
    free(s);
}

static void op_close(struct http_listener *base) {
    struct listener *s = container_of(base, struct listener, base);
    trace(s->host->sw, s->host, "closes port %d", s->port);
    listener_free(s, true);
}

int listener_new(struct world *w, const char *addr, const struct http_limits *limits, http_handler fn,
                 void *ctx, struct http_listener **ret, struct err *err) {
    struct host *h = host_of(w);
    const char *colon = strrchr(addr, ':');
    int64_t port = -1;
    if (!colon || slice_i64(slice_of(colon + 1), &port) < 0 || port < 0 || port > 65535)
        return err_set(err, ERR_CONFIG, -EINVAL, "%.100s: not an address to listen on", addr);
    if (port == 0) {
        while (find(h, h->next_port)) h->next_port++;
        port = h->next_port++;
    }
    if (find(h, (int)port))
        return err_set(err, ERR_CONFIG, -EADDRINUSE, "%.100s: address already in use", addr);
    struct listener *s = xcalloc(1, sizeof *s);
    s->base = (struct http_listener){.port = op_port, .close = op_close};
    s->host = h;
    if (limits) s->limits = *limits;
    if (!s->limits.body_cap) s->limits.body_cap = (size_t)3 << 20;
    if (!s->limits.connections) s->limits.connections = 256;
    if (!s->limits.send_cap) s->limits.send_cap = (size_t)16 << 20;
    s->fn = fn;
    s->ctx = ctx;
    s->port = (int)port;
    struct slice ip = slice_make(addr, (size_t)(colon - addr));
    s->local_only = slice_starts(ip, SL("127.")) || slice_eqs(ip, "localhost") || slice_eqs(ip, "[::1]");
    s->deaf = !h->alive;
    list_init(&s->exchanges);
    list_push(&h->listeners, &s->all);
    trace(h->sw, h, "listens on port %d", s->port);
    *ret = &s->base;
    return 0;
}

/* ---- death ---- */

void listener_kill(struct host *h) {
    list_each(it, &h->listeners) {
        struct listener *s = container_of(it, struct listener, all);
        s->deaf = true;
        list_each(xt, &s->exchanges) {
            struct exchange *x = container_of(xt, struct exchange, all);
            ev_cancel(h->sw, &x->gone);
            ev_cancel(h->sw, &x->room);
            struct link *l = x->link;
            detach(x);
            if (l) link_break(l, -ECONNRESET, "connection reset by peer");
        }
    }
    list_each_safe(it, tmp, &h->sw->links) { /* what has not arrived yet finds nobody */
        struct link *l = container_of(it, struct link, all);
        if (l->kind == TO_HOST && l->peer == h && l->req && ev_pending(&l->up))
            link_break(l, -ECONNRESET, "connection reset by peer");
    }
}

void listener_free_all(struct host *h) {
    list_each_safe(it, tmp, &h->listeners) listener_free(container_of(it, struct listener, all), false);
}
