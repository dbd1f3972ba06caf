/* A small HTTP/1.1 server for the admin port, the embedded API server and the rehearsal. */
#ifndef WORLD_HTTP_SERVER_H
#define WORLD_HTTP_SERVER_H
#include "world/http.h"
#include "world/world.h"

struct http_listener;
struct http_exchange; /* one request and its answer */
/* Whom the server shows itself as: PEM text, borrowed during http_listen(). */
struct http_server_tls {
    struct slice cert /* the server's first; those that lead to a root may follow */, key;
};
struct http_limits {
    size_t body_cap; /* a larger request body is answered 413; 0: 3 MiB */
    /* One more closes the one that has been idle for longest, else the slowest reader; it is closed itself if all
     * are being handled. 0: 256. */
    size_t connections;
    int64_t header_ns; /* time for a request to arrive whole; 0: 30 s */
    int64_t idle_ns;   /* between two requests, or without a byte of the answer that leaves; 0: 120 s */
    size_t
        send_cap; /* unsent bytes of a streaming answer above which it is aborted (slow reader); 0: 16 MiB */
    size_t
        total_cap; /* unsent bytes of all answers above which the slowest readers' are aborted; 0: no limit */
    /* TLS 1.2 or 1.3, within which HTTP/1.1 alone is spoken; a request without TLS is answered 400. The handshake is
     * part of the time of header_ns. NULL: no TLS. */
    const struct http_server_tls *tls;
};
/* Called with the whole request. It must be answered, now or later, exactly once: http_reply() or
 * begin/send/end/abort. */
typedef void (*http_handler)(void *ctx, struct http_exchange *x);

/* addr: "127.0.0.1:8080", "[::]:8080", ":8080" (all), port 0: any free. limits NULL: defaults. */
int http_listen(struct world *w, const char *addr, const struct http_limits *limits, http_handler fn,
                void *ctx, struct http_listener **ret, struct err *err);
int http_listener_port(const struct http_listener *l);
/* Stops listening and aborts what is open: on_gone is called for each exchange not yet ended, before this
 * returns. */
void http_listener_close(struct http_listener *l);

/* The request; valid until the answer has ended. */
struct slice http_x_method(const struct http_exchange *x);
struct slice http_x_target(const struct http_exchange *x); /* path?query, as received */
struct slice http_x_header(const struct http_exchange *x, const char *name);
const struct http_headers *http_x_headers(const struct http_exchange *x); /* all, in their order */
struct slice http_x_body(const struct http_exchange *x);

void http_reply(struct http_exchange *x, int status, const char *content_type,
                struct slice body); /* x is gone */
/* Streaming, chunked. extra may be NULL. */
void http_reply_begin(struct http_exchange *x, int status, const char *content_type,
                      const struct http_headers *extra);
void http_reply_send(struct http_exchange *x, struct slice data); /* copied */
/* Bytes handed to http_reply_send() that have not left yet: who has much to say waits while they are many. 0
 * where nobody counts. */
size_t http_reply_unsent(const struct http_exchange *x);
/* fn: once, when less than `below` is unsent, which it may be already; never inside a call on x. Replaces an earlier
 * fn; not called any more once x has ended or its client has gone. */
void http_on_room(struct http_exchange *x, size_t below, world_fn fn, void *ctx);
void http_reply_end(struct http_exchange *x);   /* x is gone after it */
void http_reply_abort(struct http_exchange *x); /* cuts the connection; x is gone after it */
/* fn: the client left (or the listener closed, or the reader was too slow) before the answer ended; x is gone
 * after fn returns and must not be answered. Never called inside a call on x. Replaces an earlier fn. */
void http_on_gone(struct http_exchange *x, world_fn fn, void *ctx);
#endif
