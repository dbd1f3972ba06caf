/* What the server's files share: listener.c (listening, the round before the loop sleeps), conn.c (one
 * connection), conn_tls.c (its TLS), exchange.c (one request and its answer), http_in.c (parsing). */
#ifndef SERVER_H
#define SERVER_H
#include "http_in.h"
#include "net_impl.h"

struct listener {
    struct http_listener base;
    struct net *net;
    struct list node; /* in net.listeners */
    uv_tcp_t tcp;
    struct http_limits limits; /* tls is not kept */
    struct server_tls *tls;    /* NULL: none */
    http_handler fn;
    void *ctx;
    struct list conns;
    size_t nconns;
    int port;
};

struct exchange {
    struct http_exchange base;
    struct conn *c; /* NULL: the connection has gone, and no on_gone was set: the owner still ends it */
    struct http_in in;
    world_fn gone, room; /* NULL: none */
    void *gone_ctx, *room_ctx;
    size_t room_below;
    bool begun, chunked, bodyless /* HEAD, 204, 304 */;
};

enum conn_phase {
    CONN_READING,  /* a request is awaited or arriving */
    CONN_HANDLING, /* x is being answered */
    CONN_FLUSHING, /* closes when all is written */
    CONN_LINGERING /* our side is shut: what still comes is dropped, so that our last answer is not lost to a
                      reset */
};
struct conn {
    struct list node;  /* in listener.conns */
    struct list dirty; /* in net.dirty */
    struct listener *listener;
    struct net *net;
    uv_tcp_t tcp;
    uv_shutdown_t shutdown;
    struct conn_tls *tls; /* NULL: none */
    struct timer *timer;
    enum conn_phase phase;
    bool used;    /* at least one request has been answered: it is kept alive */
    bool broken;  /* a write failed, or the reader is too slow: to be closed in the next round */
    bool stalled; /* not reading, since pending is full */
    bool eof;     /* the client sends no more */
    bool closed;
    struct http_in in;
    struct exchange *x;
    struct buf pending; /* received beyond the request that is being handled */
    size_t taken;       /* of pending, already looked at */
    struct buf out;     /* written before the loop sleeps; with TLS sealed first */
    size_t unsent_then; /* what was unsent when the timer was set: is there progress? */
};

void server_init(struct net *n);
void server_close(struct net *n);  /* without callbacks */
void server_dirty(struct conn *c); /* it needs conn_service() before the loop sleeps */

/* An answer's buffer was written: it keeps little memory, the rest is lent to the next one that grows. */
void server_written(struct net *n, struct buf *b);
void server_lend(struct net *n, struct buf *b); /* before much is added to it */

/* Closes a connection that can be done without; false: all are being handled. */
bool listener_make_room(struct listener *l);
/* Aborts the slowest readers' answers until n bytes more are within limits.total_cap. */
void listener_bound_unsent(struct listener *l, size_t n);

void conn_accept(struct listener *l);
void conn_service(struct conn *c);
void conn_close(struct conn *c); /* at once; x must have been dealt with */
void conn_gone(struct conn *c);  /* tells x's owner, closes */
size_t conn_unsent(const struct conn *c);
void conn_answered(struct conn *c, bool keep_alive); /* x has ended */
void conn_cut(struct conn *c, bool reset);           /* x was aborted */

struct exchange *exchange_new(struct conn *c); /* takes over the request in c->in */
void exchange_free(struct exchange *x);
/* An answer without a handler: malformed or late requests. */
void exchange_refuse(struct buf *out, int status, const char *why);

/* TLS between the socket and the parser. No bytes of it leave here: what is to be written stands in conn_tls_wire(). */
int server_tls_new(const struct http_server_tls *id, struct server_tls **ret, struct err *err);
void server_tls_free(struct server_tls *s); /* NULL is fine; connections go on */
struct conn_tls *conn_tls_new(struct server_tls *s);
void conn_tls_free(struct conn_tls *t); /* NULL is fine */
enum tls_end {
    TLS_MORE,
    TLS_EOF,    /* the client said that it sends no more */
    TLS_BROKEN, /* not TLS, or not as it is allowed here: an alert may stand in the wire, nothing else follows */
    TLS_PLAIN /* a request without TLS */
};
/* What came from the socket: hands on what it says until take() says false. */
enum tls_end conn_tls_open(struct conn_tls *t, struct slice raw,
                           bool (*take)(struct conn *c, struct slice plain), struct conn *c);
/* All of plain goes into the wire; last: and that nothing more follows. */
void conn_tls_seal(struct conn_tls *t, const struct buf *plain, bool last);
struct buf *conn_tls_wire(struct conn_tls *t);
#endif
