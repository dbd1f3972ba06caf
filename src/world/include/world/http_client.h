/* HTTP requests. Each lane has connections of its own, so that a long list never delays a lease renewal. */
#ifndef WORLD_HTTP_CLIENT_H
#define WORLD_HTTP_CLIENT_H
#include "world/http.h"
#include "world/world.h"

enum http_lane {
    LANE_LEASE,
    LANE_WATCH, /* lists and watches */
    LANE_CALL,
    LANE_URGENT, /* what must not wait behind a crowd on LANE_CALL */
    LANE_SCRAPE,
    LANE_CHECK, /* URLs that annotations name: they may hang, and nothing else waits behind them */
    LANE_COUNT
};
enum http_pull {
    HTTP_MORE,
    HTTP_HOLD /* these bytes were taken, but send no more until http_resume(); not on LANE_CALL and LANE_URGENT */
};

/* TLS material as PEM text, borrowed during http_start() only (the implementation keeps what it needs). Equal
 * material shares connections: `id` must differ whenever the material does (e.g. a counter raised when
 * certificates are re-read). */
struct http_tls {
    uint64_t id;
    struct slice ca;         /* PEM; empty: the system's certificates */
    struct slice cert, key;  /* client certificate, PEM; empty: none */
    const char *server_name; /* overrides the name to be verified and sent as SNI; NULL: the URL's host */
    bool insecure;           /* do not verify: an explicit choice of the user only */
};

struct http_req;
struct http_client_cb {
    void (*head)(void *ctx, int status,
                 const struct http_headers *h);           /* once, before any body; may be NULL */
    enum http_pull (*body)(void *ctx, struct slice data); /* any number of times; may be NULL (dropped) */
    void (*end)(void *ctx, const struct err *err,
                int status); /* exactly once, last; err NULL: the answer is complete */
};
struct http_spec {
    enum http_lane lane;
    const char *method;                 /* "GET", ... */
    const char *url;                    /* http:// or https:// */
    const struct http_headers *headers; /* copied */
    struct slice body;                  /* copied */
    int64_t total_ns;                   /* deadline for the whole request, 0: none (watches) */
    int64_t connect_ns;                 /* 0: the default, 10 s */
    /* A longer body ends with ERR_PROTOCOL/-EFBIG; 0: no cap (the receiver bounds it). What comes beside the body
     * (1xx, heads, trailers, chunk framing) may be 128 KiB and as much again as the body, and 256 lines: more ends in
     * the same way. */
    size_t body_cap;
    const struct http_tls *tls; /* NULL: defaults */
    const char *proxy; /* "http://host:port"; NULL: none (the environment is the caller's business) */
    bool fresh;        /* on a connection of its own that is not kept: after a time-out */
    bool (*may_send)(void *ctx); /* asked at the last moment before the bytes leave, also on a reused
                                    connection; NULL: yes. No: ends with ERR_FENCED */
    void *may_send_ctx;
};
/* 0 and *ret, or a negative errno with err: then no callback will come. No callback inside this call. */
int http_start(struct world *w, const struct http_spec *spec, const struct http_client_cb *cb, void *ctx,
               struct http_req **ret, struct err *err);
void http_resume(struct http_req *r); /* after HTTP_HOLD */
void http_cancel(
    struct http_req *r); /* no callback after it; allowed inside callbacks; r is gone. Invalid after end() */
/* Errors: ERR_TRANSPORT, ERR_TLS, ERR_TIMEOUT, ERR_PROTOCOL, ERR_FENCED. An HTTP status of 4xx/5xx is no
 * error here. Of ERR_TRANSPORT and ERR_TIMEOUT, errnum -ECONNRESET and -ETIMEDOUT say that the request was
 * sent and may have been carried out; with any other errnum nothing has left. Only GET, HEAD and OPTIONS are
 * repeated silently, when a kept connection turns out to be dead. While a receiver holds, the end waits for
 * http_resume(), except for the total deadline. */
#endif
