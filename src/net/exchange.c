/* One request and its answer. Nothing is written here: answers go to the connection's buffer, which is
 * written before the loop sleeps, so that a failing write never calls back inside a call on the
 * exchange. */
#include "server.h"

static struct exchange *from(struct http_exchange *base) {
    return container_of(base, struct exchange, base);
}

void exchange_free(struct exchange *x) {
    http_in_free(&x->in);
    free(x);
}

static bool is_head(const struct exchange *x) {
    return slice_eqs(x->base.method, "HEAD");
}

static void add_status(struct buf *out, int status) {
    buf_addf(out, "HTTP/1.1 %d %s\r\n", status, http_status_text(status));
}

/* Values come from the program, but may carry something that came from outside: a line break would begin a
 * new header. */
static void add_header(struct buf *out, struct slice name, struct slice value) {
    if (!http_is_token(name)) return;
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < ' ' && value.p[i] != '\t') return;
    buf_add(out, name);
    buf_adds(out, ": ");
    buf_add(out, value);
    buf_adds(out, "\r\n");
}

static void add_connection(const struct exchange *x, struct buf *out) {
    if (!x->in.keep_alive) {
        buf_adds(out, "Connection: close\r\n");
    } else if (x->in.parser.http_minor == 0) {
        buf_adds(out, "Connection: keep-alive\r\n");
    }
}

static bool status_has_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

void exchange_refuse(struct buf *out, int status, const char *why) {
    add_status(out, status);
    buf_addf(out, "Content-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
             strlen(why) + 1, why);
}

/* The end for x, whose answer stands in the connection's buffer. */
static void finish(struct exchange *x) {
    struct conn *c = x->c;
    bool keep_alive = x->in.keep_alive;
    exchange_free(x);
    if (c) conn_answered(c, keep_alive);
}

static void reply(struct http_exchange *base, int status, const char *content_type, struct slice body) {
    struct exchange *x = from(base);
    if (x->c && !x->c->closed) {
        struct buf *out = &x->c->out;
        listener_bound_unsent(x->c->listener, body.n);
        add_status(out, status);
        if (content_type) add_header(out, SL("Content-Type"), slice_of(content_type));
        if (status_has_body(status)) buf_addf(out, "Content-Length: %zu\r\n", body.n);
        add_connection(x, out);
        buf_adds(out, "\r\n");
        if (status_has_body(status) && !is_head(x)) buf_add(out, body);
    }
    finish(x);
}

static void begin(struct http_exchange *base, int status, const char *content_type,
                  const struct http_headers *extra) {
    struct exchange *x = from(base);
    if (!x->c || x->c->closed || x->begun) return;
    struct buf *out = &x->c->out;
    x->begun = true;
    x->bodyless = is_head(x) || !status_has_body(status);
    x->chunked = x->in.parser.http_minor > 0;
    if (!x->chunked && !x->bodyless)
        x->in.keep_alive = false; /* HTTP/1.0: the end of the body is the end of the connection */
    add_status(out, status);
    if (content_type) add_header(out, SL("Content-Type"), slice_of(content_type));
    for (size_t i = 0; extra && i < extra->n; i++) add_header(out, extra->v[i].name, extra->v[i].value);
    if (x->chunked && status_has_body(status)) buf_adds(out, "Transfer-Encoding: chunked\r\n");
    add_connection(x, out);
    buf_adds(out, "\r\n");
    server_dirty(x->c);
}

static void send_part(struct http_exchange *base, struct slice data) {
    struct exchange *x = from(base);
    if (!x->c || x->c->closed || x->c->broken || x->bodyless || data.n == 0) return;
    if (data.n > x->c->listener->limits.send_cap ||
        conn_unsent(x->c) > x->c->listener->limits.send_cap - data.n) {
        x->c->broken = true; /* a slow reader: the next round tells the owner */
        server_dirty(x->c);
        return;
    }
    listener_bound_unsent(x->c->listener, data.n);
    if (x->c->broken) return;
    struct buf *out = &x->c->out;
    server_lend(x->c->net, out);
    if (x->chunked) buf_addf(out, "%zx\r\n", data.n);
    buf_add(out, data);
    if (x->chunked) buf_adds(out, "\r\n");
    server_dirty(x->c);
}

static void end(struct http_exchange *base) {
    struct exchange *x = from(base);
    if (x->c && !x->c->closed && x->chunked && !x->bodyless) buf_adds(&x->c->out, "0\r\n\r\n");
    finish(x);
}

static void abort_it(struct http_exchange *base) {
    struct exchange *x = from(base);
    struct conn *c = x->c;
    bool reset = x->begun && !x->chunked; /* a plain close would look like the end of the answer */
    exchange_free(x);
    if (c) conn_cut(c, reset);
}

static void on_gone(struct http_exchange *base, world_fn fn, void *ctx) {
    struct exchange *x = from(base);
    x->gone = fn;
    x->gone_ctx = ctx;
}

static void on_room(struct http_exchange *base, size_t below, world_fn fn, void *ctx) {
    struct exchange *x = from(base);
    x->room = fn;
    x->room_ctx = ctx;
    x->room_below = below;
    if (x->c) server_dirty(x->c);
}

static size_t unsent(const struct http_exchange *base) {
    const struct exchange *x = (const struct exchange *)(const void *)base; /* its first member */
    return x->c && !x->c->closed ? conn_unsent(x->c) : 0;
}

struct exchange *exchange_new(struct conn *c) {
    static const struct http_x_ops ops = {reply, begin, send_part, end, abort_it, on_gone, on_room};
    struct exchange *x = xcalloc(1, sizeof *x);
    x->c = c;
    x->in = c->in;
    http_in_init(&c->in, c->listener->limits.body_cap);
    x->base.ops = &ops;
    x->base.unsent = unsent;
    x->base.method = http_in_method(&x->in);
    x->base.target = http_in_target(&x->in);
    x->base.body = buf_slice(&x->in.body);
    http_in_headers(&x->in, &x->base.headers);
    return x;
}
