/* Listening sockets, and the round before the loop sleeps: what was written during an iteration leaves in one
 * piece, and requests that had to wait for their turn on a connection are looked at outside of their
 * owners' calls. */
#include "server.h"
#include <errno.h>
#include <limits.h>

static void round_before_sleep(uv_prepare_t *handle) {
    struct net *n = handle->data;
    struct list now;
    list_init(&now);
    while (!list_empty(&n->dirty)) {
        struct list *first = n->dirty.next;
        list_remove(first);
        list_push(&now, first);
    }
    while (!list_empty(&now)) {
        struct conn *c = container_of(now.next, struct conn, dirty);
        list_remove(&c->dirty);
        conn_service(c);
    }
    if (list_empty(&n->dirty)) uv_idle_stop(&n->busy);
}

static void keep_awake(uv_idle_t *handle) {
    (void)handle;
}

void server_dirty(struct conn *c) {
    if (c->closed || !list_empty(&c->dirty)) return;
    list_push(&c->net->dirty, &c->dirty);
    if (!uv_is_active((uv_handle_t *)&c->net->busy)) uv_idle_start(&c->net->busy, keep_awake);
}

enum { KEPT = 16 * 1024, SPARE_MAX = 1 << 20 };

void server_written(struct net *n, struct buf *b) {
    buf_clear(b);
    for (size_t i = 0; i < ARRAY_LEN(n->spare) && b->cap > KEPT && b->cap <= SPARE_MAX; i++) {
        if (n->spare[i].p) continue;
        n->spare[i] = (struct buf){.p = b->p, .cap = b->cap};
        *b = BUF(b->max);
    }
    if (b->cap > KEPT) buf_free(b);
}

void server_lend(struct net *n, struct buf *b) {
    for (size_t i = 0; i < ARRAY_LEN(n->spare) && !b->p; i++) {
        if (!n->spare[i].p || n->spare[i].cap > b->max) continue;
        b->p = n->spare[i].p;
        b->cap = n->spare[i].cap;
        n->spare[i] = (struct buf){0};
    }
}

void server_init(struct net *n) {
    list_init(&n->listeners);
    list_init(&n->dirty);
    uv_prepare_init(loop_uv(n->loop), &n->prepare);
    uv_idle_init(loop_uv(n->loop), &n->busy);
    n->prepare.data = n->busy.data = n;
    n->handles += 2;
    uv_prepare_start(&n->prepare, round_before_sleep);
}

static void free_listener(uv_handle_t *handle) {
    struct listener *l = handle->data;
    struct net *n = l->net;
    server_tls_free(l->tls);
    free(l);
    net_handle_closed(n);
}

static void close_listener(struct http_listener *base) {
    struct listener *l = container_of(base, struct listener, base);
    list_remove(&l->node);
    uv_close((uv_handle_t *)&l->tcp, free_listener);
    while (!list_empty(&l->conns)) conn_gone(container_of(l->conns.next, struct conn, node));
}

void server_close(struct net *n) {
    list_each_safe(it, tmp, &n->listeners) {
        struct listener *l = container_of(it, struct listener, node);
        list_each(c, &l->conns) {
            struct conn *conn = container_of(c, struct conn, node);
            if (conn->x) exchange_free(conn->x);
            conn->x = NULL;
        }
        close_listener(&l->base);
    }
}

/* What a connection is kept for; the lowest goes first. */
static int worth(const struct conn *c) {
    if (c->phase == CONN_HANDLING) return INT_MAX;
    if (conn_unsent(c) > 0) return 3;
    if (c->phase == CONN_READING && c->in.begun) return 2;
    return c->phase == CONN_READING && !c->used ? 1 : 0;
}

bool listener_make_room(struct listener *l) {
    struct conn *least = NULL;
    list_each(it, &l->conns) { /* in the order of their last activity */
        struct conn *c = container_of(it, struct conn, node);
        if (!least || worth(c) < worth(least)) least = c;
    }
    if (!least || least->phase == CONN_HANDLING) return false;
    conn_close(least);
    return true;
}

void listener_bound_unsent(struct listener *l, size_t n) {
    while (l->limits.total_cap) {
        struct conn *most = NULL;
        size_t sum = n;
        list_each(it, &l->conns) {
            struct conn *c = container_of(it, struct conn, node);
            if (c->broken) continue;
            sum += conn_unsent(c);
            if (conn_unsent(c) > (most ? conn_unsent(most) : 0)) most = c;
        }
        if (sum <= l->limits.total_cap || !most) return;
        most->broken = true; /* the next round calls the owner: never inside a call on an exchange */
        server_dirty(most);
    }
}

static int port_of(const struct http_listener *base) {
    return container_of(base, struct listener, base)->port;
}

static void on_connection(uv_stream_t *stream, int status) {
    if (status < 0) return; /* out of descriptors, or the client left already */
    conn_accept(stream->data);
}

/* "host:port", "[host]:port", ":port"; hosts are addresses, or localhost. */
static int parse_addr(const char *addr, struct sockaddr_storage *ret, bool *ret_any, struct err *err) {
    const char *colon = addr ? strrchr(addr, ':') : NULL;
    int64_t port = -1;
    if (!colon || slice_i64(slice_of(colon + 1), &port) < 0 || port < 0 || port > 65535)
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "%s is no address to listen on: host:port, [host]:port or :port", addr ? addr : "");
    struct slice host = slice_make(addr, (size_t)(colon - addr));
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = slice_make(host.p + 1, host.n - 2);
    cleanup_free char *name = slice_dup(slice_eqs(host, "localhost") ? SL("127.0.0.1") : host);
    *ret_any = host.n == 0;
    if (host.n == 0 && uv_ip6_addr("::", (int)port, (struct sockaddr_in6 *)ret) == 0) return 0;
    if (uv_ip4_addr(name, (int)port, (struct sockaddr_in *)ret) == 0) return 0;
    if (uv_ip6_addr(name, (int)port, (struct sockaddr_in6 *)ret) == 0) return 0;
    return err_set(err, ERR_CONFIG, -EINVAL,
                   "%s is no address to listen on: the host must be an IP address or localhost", addr);
}

static int start(struct listener *l, const char *addr, struct err *err) {
    struct sockaddr_storage sa = {0};
    bool any = false;
    int r = parse_addr(addr, &sa, &any, err);
    if (r < 0) return r;
    r = uv_tcp_bind(&l->tcp, (struct sockaddr *)&sa, 0);
    if (r < 0 && any) { /* a machine without IPv6 */
        uint16_t port = ((struct sockaddr_in6 *)&sa)->sin6_port;
        struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = port};
        r = uv_tcp_bind(&l->tcp, (struct sockaddr *)&four, 0);
    }
    if (r == 0) r = uv_listen((uv_stream_t *)&l->tcp, 511, on_connection);
    int len = sizeof sa;
    if (r == 0) r = uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&sa, &len);
    if (r < 0) return err_set(err, ERR_CONFIG, r, "cannot listen on %s: %s", addr, uv_strerror(r));
    l->port = ntohs(sa.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&sa)->sin6_port
                                             : ((struct sockaddr_in *)&sa)->sin_port);
    return 0;
}

int listener_open(struct world *w, const char *addr, const struct http_limits *limits, http_handler fn,
                  void *ctx, struct http_listener **ret, struct err *err) {
    struct net *n = net_of(w);
    struct listener *l = xcalloc(1, sizeof *l);
    l->base = (struct http_listener){port_of, close_listener};
    l->net = n;
    l->fn = fn;
    l->ctx = ctx;
    if (limits) l->limits = *limits;
    l->limits.tls = NULL;
    if (l->limits.body_cap == 0) l->limits.body_cap = 3 << 20;
    if (l->limits.connections == 0) l->limits.connections = 256;
    if (l->limits.header_ns <= 0) l->limits.header_ns = 30 * NS_PER_S;
    if (l->limits.idle_ns <= 0) l->limits.idle_ns = 120 * NS_PER_S;
    if (l->limits.send_cap == 0) l->limits.send_cap = 16 << 20;
    list_init(&l->node);
    list_init(&l->conns);
    uv_tcp_init(loop_uv(n->loop), &l->tcp);
    l->tcp.data = l;
    n->handles++;
    int r = limits && limits->tls ? server_tls_new(limits->tls, &l->tls, err) : 0;
    if (r == 0) r = start(l, addr, err);
    if (r < 0) {
        uv_close((uv_handle_t *)&l->tcp, free_listener);
        return r;
    }
    list_push(&n->listeners, &l->node);
    *ret = &l->base;
    return 0;
}
