/* What the tests of src/net share: a loop with net installed, a client that records, sockets that speak byte
 * by byte. */
#ifndef NET_KIT_H
#define NET_KIT_H
#include "../check.h"
#include "base/mem.h"
#include "net/net.h"
#include <uv.h>

struct kit {
    struct loop *l;
    struct world *w;
    struct net *n;
    struct http_listener *server;
    int port;
    struct timer *guard;
    struct timer *timer; /* for the test */
    char url[64];        /* http://127.0.0.1:PORT */
    bool late;
};
struct kit *kit_new(void);
void kit_free(struct kit *k);
/* A case of case.h with a kit of its own, k. */
#define NET_CASE(name) CASE_OF(struct kit, k, kit_new(), kit_free, name)
void kit_run(struct kit *k); /* until kit_stop(); fails the test after 20 s */
void kit_stop(void *k);
void kit_turns(struct kit *k, int n);                /* n iterations of the loop */
const char *kit_at(struct kit *k, const char *path); /* the server's URL of it, until the next call */
void kit_serve(struct kit *k, http_handler fn, void *ctx, const struct http_limits *limits);

/* A recorded request. */
struct call {
    struct kit *k;
    struct http_req *r; /* NULL once it has ended */
    int heads, ends, status;
    struct err err; /* kind ERR_NONE: it ended well */
    struct buf body;
    char type[64];  /* Content-Type */
    size_t hold_at; /* HTTP_HOLD when this much of the body is there; 0: never */
    bool held;      /* body came while it was held: an error of the client */
    void (*on_head)(struct call *c);
    void (*on_body)(struct call *c);
    void (*on_end)(struct call *c);
    void *extra;
};
#define SPEC(lane_, method_, url_, ...)                                                                      \
    (&(struct http_spec){.lane = (lane_), .method = (method_), .url = (url_), ##__VA_ARGS__})
void call_init(struct call *c, struct kit *k);
int call_try(struct call *c, const struct http_spec *spec);
void call_start(struct call *c, const struct http_spec *spec);
void call_wait(struct call *c);                                         /* until it has ended */
void call_do(struct call *c, const struct http_spec *spec);             /* start, wait */
void call_open(struct call *c, enum http_lane lane, const char *url);   /* a GET */
void call_get(struct call *c, enum http_lane lane, const char *url);    /* the same to its end */
void call_ok(const struct call *c, int status, const char *body);       /* that it ended well, with this */
void call_failed(const struct call *c, enum err_kind kind, int errnum); /* asserts how it ended */
void call_free(struct call *c);
/* One that is freed at the end of its scope. */
#define CALL(name, k)                                                                                        \
    __attribute__((cleanup(call_free))) struct call name;                                                    \
    call_init(&name, k)

/* A socket of its own that sends what the test says. */
struct raw {
    struct kit *k;
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct buf in;
    bool connected, eof, reset, closed;
    void (*on_data)(struct raw *r); /* of a served one */
    void *extra;
    struct raw *next;
};
void raw_connect(struct raw *r, struct kit *k, int port);
/* One that is closed at the end of its scope. */
#define RAW(name, k, port)                                                                                   \
    __attribute__((cleanup(raw_close))) struct raw name;                                                     \
    raw_connect(&name, k, port)
void raw_send(struct raw *r, struct slice data);
void raw_sends(struct raw *r, const char *text);
void raw_shutdown(struct raw *r);
bool raw_until(struct raw *r, const char *text); /* false: the connection ended before */
void raw_until_eof(struct raw *r);
/* Sends text; text comes back at last, or (NULL) the end does. */
void raw_says(struct raw *r, const char *text, const char *last);
void raw_close(struct raw *r);
void raw_reset(struct raw *r);
void raw_stop(struct raw *r);  /* reads no more */
void raw_go_on(struct raw *r); /* and again */

/* A listening socket whose connections do what on_data says. */
struct raw_server {
    struct raw socket; /* first; on_data and extra: of the connections */
    int port, accepted;
    char url[40]; /* http://127.0.0.1:PORT/x */
    struct raw *first;
};
void raw_serve(struct raw_server *s, struct kit *k, void (*on_data)(struct raw *r), void *extra);
void raw_server_close(struct raw_server *s);
/* One that is closed at the end of its scope. */
#define RAW_SERVER(name, k, on_data, extra)                                                                  \
    __attribute__((cleanup(raw_server_close))) struct raw_server name;                                       \
    raw_serve(&name, k, on_data, extra)
#endif
