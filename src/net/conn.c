/* One connection of the server: reads requests one after the other, hands each to the handler, writes what it
 * answers. */
#include "server.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

enum { PENDING_CAP = 64 * 1024, PENDING_ROUND = 32 };
#define LINGER_NS (2 * NS_PER_S)

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret);
static void on_readable(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

size_t conn_unsent(const struct conn *c) {
    return c->out.n + (c->tls ? conn_tls_wire(c->tls)->n : 0) +
           uv_stream_get_write_queue_size((const uv_stream_t *)&c->tcp);
}

static void free_conn(uv_handle_t *handle) {
    struct conn *c = handle->data;
    struct net *n = c->net;
    http_in_free(&c->in);
    buf_free(&c->pending);
    buf_free(&c->out);
    conn_tls_free(c->tls);
    free(c);
    net_handle_closed(n);
}

static void forget(struct conn *c) {
    c->closed = true;
    list_remove(&c->node);
    list_remove(&c->dirty);
    c->listener->nconns--;
    timer_free(c->timer);
    c->timer = NULL;
}

void conn_close(struct conn *c) {
    if (c->closed) return;
    forget(c);
    uv_close((uv_handle_t *)&c->tcp, free_conn);
}

void conn_gone(struct conn *c) {
    struct exchange *x = c->x;
    c->x = NULL;
    conn_close(c);
    if (!x) return;
    x->c = NULL;
    if (!x->gone) return; /* the owner of x still answers it; nothing is sent */
    x->gone(x->gone_ctx);
    exchange_free(x);
}

/* What is to leave next; last: it is all. */
static struct buf *to_write(struct conn *c, bool last) {
    if (!c->tls) return &c->out;
    struct buf *wire = conn_tls_wire(c->tls);
    if (c->out.n > 0) server_lend(c->net, wire);
    conn_tls_seal(c->tls, &c->out, last);
    server_written(c->net, &c->out);
    return wire;
}

void conn_cut(struct conn *c, bool reset) {
    c->x = NULL;
    if (c->closed) return;
    if (reset) {
        forget(c);
        if (uv_tcp_close_reset(&c->tcp, free_conn) < 0) uv_close((uv_handle_t *)&c->tcp, free_conn);
        return;
    }
    struct buf *out = to_write(c, false);
    if (out->n > 0) {
        uv_buf_t b = uv_buf_init(out->p, (unsigned)(out->n < INT32_MAX ? out->n : INT32_MAX));
        (void)uv_try_write((uv_stream_t *)&c->tcp, &b,
                           1); /* what there was before the cut, as far as it goes */
    }
    conn_close(c);
}

static void set_timer(struct conn *c, int64_t ns) {
    c->unsent_then = conn_unsent(c);
    timer_in(c->timer, ns);
}

static void on_shut(uv_shutdown_t *req, int status) {
    struct conn *c = req->data;
    if (status < 0 && !c->closed) conn_close(c);
}

/* All has been handed to the kernel: says that no more will come, then waits for the other side to have seen
 * it. */
static void linger(struct conn *c) {
    c->phase = CONN_LINGERING;
    buf_free(&c->pending);
    c->shutdown.data = c;
    if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shut) < 0) {
        conn_close(c);
        return;
    }
    if (c->stalled) uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_readable);
    c->stalled = false;
    set_timer(c, LINGER_NS);
}

struct leftover {
    uv_write_t req;
    char *data;
};

static void on_written(uv_write_t *req, int status) {
    struct leftover *w = container_of(req, struct leftover, req);
    struct conn *c = req->data;
    free(w->data);
    free(w);
    if (c->closed) return;
    if (status < 0) c->broken = true;
    if (c->broken || (c->phase == CONN_FLUSHING && conn_unsent(c) == 0) || (c->x && c->x->room))
        server_dirty(c);
}

/* What the kernel does not take now goes to libuv's queue with its memory. */
static void flush(struct conn *c) {
    struct buf *out = to_write(c, c->phase == CONN_FLUSHING);
    size_t done = 0;
    if (out->n == 0) return;
    if (uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) == 0) {
        uv_buf_t b = uv_buf_init(out->p, (unsigned)(out->n < INT32_MAX ? out->n : INT32_MAX));
        int r = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
        if (r < 0 && r != UV_EAGAIN) {
            c->broken = true;
            return;
        }
        if (r > 0) done = (size_t)r;
    }
    if (done < out->n) {
        struct leftover *w = xcalloc(1, sizeof *w);
        size_t left = out->n - done;
        w->data = buf_take(out);
        w->req.data = c;
        uv_buf_t parts[64];
        unsigned nparts = 0;
        for (size_t at = done; left > 0 && nparts < ARRAY_LEN(parts);
             nparts++) { /* a buffer's length is an int for writev */
            size_t n = left < (1u << 30) ? left : (1u << 30);
            parts[nparts] = uv_buf_init(w->data + at, (unsigned)n);
            at += n;
            left -= n;
        }
        if (uv_write(&w->req, (uv_stream_t *)&c->tcp, parts, nparts, on_written) < 0) {
            free(w->data);
            free(w);
            c->broken = true;
        }
    } else {
        server_written(c->net, out);
    }
}

static void refuse(struct conn *c, int status, const char *why) {
    exchange_refuse(&c->out, status, why);
    c->phase = CONN_FLUSHING;
    set_timer(c, c->listener->limits.idle_ns);
    server_dirty(c);
}

/* A whole request: to the handler, which may answer at once. */
static void handle(struct conn *c) {
    c->phase = CONN_HANDLING;
    timer_stop(c->timer);
    c->x = exchange_new(c);
    c->listener->fn(c->listener->ctx, &c->x->base);
}

/* Bytes for the request that is arriving; how many it took. At most one request is handled. */
static size_t take(struct conn *c, struct slice data) {
    bool begun = c->in.begun;
    size_t used = http_in_feed(&c->in, data);
    if (!begun && c->in.begun) set_timer(c, c->listener->limits.header_ns);
    if (c->in.refused) {
        refuse(c, c->in.refused, c->in.why);
    } else if (c->in.complete) {
        handle(c);
    } else if (c->in.want_continue) {
        c->in.want_continue = false;
        buf_adds(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
        server_dirty(c);
    }
    return used;
}

void conn_answered(struct conn *c, bool keep_alive) {
    c->x = NULL;
    if (c->closed) return;
    c->used = true;
    c->phase = keep_alive ? CONN_READING : CONN_FLUSHING;
    list_remove(&c->node);
    list_push(&c->listener->conns, &c->node);
    set_timer(c, c->listener->limits.idle_ns);
    server_dirty(c);
}

static void keep_for_later(struct conn *c, struct slice data) {
    if (c->closed || c->phase > CONN_HANDLING || data.n == 0) return;
    buf_add(&c->pending,
            data); /* has room: reading stops above the cap, and there is room for one more read */
    if (c->pending.n >= PENDING_CAP) {
        uv_read_stop((uv_stream_t *)&c->tcp);
        c->stalled = true;
    }
    if (c->phase == CONN_READING) server_dirty(c);
}

/* The client has sent all it will. While it waits for an answer this means that it left: a client that
 * half-closes and still listens gets those answers only that the handler gives at once. */
static void on_eof(struct conn *c) {
    c->eof = true;
    uv_read_stop((uv_stream_t *)&c->tcp);
    if (c->phase == CONN_HANDLING) {
        conn_gone(c);
    } else if (c->phase == CONN_LINGERING) {
        conn_close(c);
    } else {
        server_dirty(c);
    }
}

/* Bytes of requests. False: no more of them are wanted. */
static bool arrived(struct conn *c, struct slice data) {
    if (c->phase == CONN_READING && c->pending.n == 0) {
        size_t used = take(c, data);
        data = slice_make(data.p + used, data.n - used);
    }
    keep_for_later(c, data);
    return !c->closed && c->phase <= CONN_HANDLING;
}

static void arrived_sealed(struct conn *c, struct slice data) {
    enum tls_end end = conn_tls_open(c->tls, data, arrived, c);
    if (c->closed) return;
    if (conn_tls_wire(c->tls)->n > 0) server_dirty(c);
    if (end == TLS_EOF) {
        on_eof(c);
    } else if (end == TLS_PLAIN) {
        conn_tls_free(c->tls);
        c->tls = NULL;
        refuse(c, 400, "a request without TLS to a server that speaks TLS");
    } else if (end == TLS_BROKEN && c->x) {
        conn_gone(c);
    } else if (end == TLS_BROKEN && c->phase == CONN_READING) {
        c->phase = CONN_FLUSHING; /* an alert, maybe */
        set_timer(c, c->listener->limits.idle_ns);
        server_dirty(c);
    }
}

static void on_readable(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    struct conn *c = stream->data;
    if (n == UV_EOF) {
        on_eof(c);
    } else if (n < 0) {
        conn_gone(c);
    } else if (c->phase <= CONN_HANDLING) {
        struct slice data = slice_make(buf->base, (size_t)n);
        if (c->tls) {
            arrived_sealed(c, data);
        } else {
            (void)arrived(c, data);
        }
    }
}

/* One buffer for all connections: libuv fills it and calls on_readable at once. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret) {
    struct conn *c = handle->data;
    (void)suggested;
    *ret = uv_buf_init(c->net->scratch, sizeof c->net->scratch);
}

/* Requests that came while another one was being handled; a few in each round, so that others get their turn.
 */
static void take_pending(struct conn *c) {
    for (int i = 0; i < PENDING_ROUND && c->phase == CONN_READING && !c->closed && c->taken < c->pending.n;
         i++)
        c->taken += take(c, slice_make(c->pending.p + c->taken, c->pending.n - c->taken));
    if (c->closed || c->phase > CONN_HANDLING) return;
    if (c->taken == c->pending.n) {
        buf_free(&c->pending);
        c->taken = 0;
    }
    if (c->phase == CONN_READING && c->pending.n > 0) server_dirty(c);
    if (!c->stalled || c->eof || c->pending.n > 0) return;
    c->stalled = false;
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_readable);
}

/* Is there room in the answer's way again? Its owner may end it, or close the listener. */
static void tell_room(struct conn *c) {
    struct exchange *x = c->x;
    if (!x || !x->room || conn_unsent(c) >= x->room_below) return;
    world_fn fn = x->room;
    x->room = NULL;
    fn(x->room_ctx);
}

void conn_service(struct conn *c) {
    if (!c->broken) flush(c);
    if (c->broken) {
        conn_gone(c);
        return;
    }
    tell_room(c);
    if (c->closed) return;
    if (c->phase == CONN_READING && c->pending.n > 0) take_pending(c);
    if (c->closed) return;
    if (c->eof && c->phase == CONN_HANDLING) {
        conn_gone(c);
        return;
    }
    if (c->eof && c->phase == CONN_READING && c->pending.n == 0) {
        c->phase = CONN_FLUSHING;
        set_timer(c, c->listener->limits.idle_ns);
        flush(c); /* the end of TLS */
    }
    if (c->phase != CONN_FLUSHING || conn_unsent(c) > 0) return;
    if (c->eof) {
        conn_close(c);
    } else {
        linger(c);
    }
}

static void on_time(void *ctx) {
    struct conn *c = ctx;
    if (c->phase == CONN_READING && c->in.begun) {
        refuse(c, 408, "the request did not arrive in time");
    } else if (c->phase != CONN_LINGERING && conn_unsent(c) > 0 && conn_unsent(c) < c->unsent_then) {
        set_timer(c, c->listener->limits.idle_ns); /* slow, but it reads */
    } else {
        conn_close(c); /* x is none: no timer runs while a request is being handled */
    }
}

void conn_accept(struct listener *l) {
    bool room = l->nconns < l->limits.connections || listener_make_room(l);
    struct conn *c = xcalloc(1, sizeof *c);
    c->listener = l;
    c->net = l->net;
    list_push(&l->conns, &c->node);
    l->nconns++;
    list_init(&c->dirty);
    c->timer = timer_new(l->net->world, on_time, c);
    http_in_init(&c->in, l->limits.body_cap);
    /* TLS may hold a record back, and give it with the next read. */
    buf_init(&c->pending, PENDING_CAP + sizeof l->net->scratch + PENDING_CAP / 2);
    buf_init(&c->out, SIZE_MAX); /* bounded by what the handler answers, and by send_cap while it streams */
    uv_tcp_init(loop_uv(l->net->loop), &c->tcp);
    c->tcp.data = c;
    l->net->handles++;
    if (l->tls) c->tls = conn_tls_new(l->tls);
    if (uv_accept((uv_stream_t *)&l->tcp, (uv_stream_t *)&c->tcp) < 0 || !room) {
        conn_close(c);
        return;
    }
    uv_os_fd_t fd;
    unsigned dead = 30000;
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof dead);
    uv_tcp_keepalive(&c->tcp, 1, 15); /* a client that vanished is noticed though nothing is written to it */
    uv_tcp_nodelay(&c->tcp, 1);
    set_timer(c, l->limits.header_ns);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_readable);
}
