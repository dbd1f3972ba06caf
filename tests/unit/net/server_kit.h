/* What the tests of the HTTP server share: one application, one raw connection. */
#ifndef TEST_SERVER_KIT_H
#define TEST_SERVER_KIT_H
#include "kit.h"

struct app {
    struct kit *k;
    int requests, gone, rooms;
    struct http_exchange *open[8]; /* those of /later */
    int nopen;
    const struct http_headers *extra;
    char seen[64];
};

static inline void on_gone(void *ctx) {
    struct app *a = ctx;
    a->gone++;
    loop_stop(a->k->l);
}

static inline void app(void *ctx, struct http_exchange *x) {
    struct app *a = ctx;
    a->requests++;
    struct slice t = http_x_target(x);
    snprintf(a->seen, sizeof a->seen, "%.*s", SLF(t));
    if (slice_eqs(t, "/later")) {
        a->open[a->nopen++] = x;
        http_on_gone(x, on_gone, a);
        loop_stop(a->k->l);
    } else if (slice_eqs(t, "/unwatched")) {
        a->open[a->nopen++] = x;
        loop_stop(a->k->l);
    } else if (slice_eqs(t, "/stream")) {
        http_reply_begin(x, 200, "text/plain", a->extra);
        http_reply_send(x, SL("ab"));
        http_reply_send(x, SL("c"));
        http_reply_end(x);
    } else if (slice_eqs(t, "/abort")) {
        http_reply_begin(x, 200, "text/plain", NULL);
        http_reply_send(x, SL("partial"));
        http_reply_abort(x);
    } else if (slice_eqs(t, "/204")) {
        http_reply(x, 204, NULL, SL("never shown"));
    } else if (slice_eqs(t, "/close")) {
        struct http_listener *l = a->k->server;
        a->k->server = NULL;
        http_listener_close(l);
        http_reply(x, 200, NULL, SL("late"));
    } else {
        http_reply(x, 200, "text/plain", http_x_body(x));
    }
}

#define GET(path)   "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK(n, body) "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " n "\r\n\r\n" body

static inline void dial(struct raw *r, struct app *a, struct kit *k, const struct http_limits *limits) {
    *a = (struct app){.k = k};
    kit_serve(k, app, a, limits);
    raw_connect(r, k, k->port);
}
/* A request that is not answered yet. */
static inline struct http_exchange *later(struct app *a, struct raw *r) {
    int n = a->nopen;
    raw_sends(r, GET("/later"));
    while (a->nopen == n) kit_run(a->k);
    return a->open[n];
}
/* An application and a connection to it, which is closed at the end of its scope. */
#define DIAL(r, a, k, limits)                                                                                \
    struct app a;                                                                                            \
    __attribute__((cleanup(raw_close))) struct raw r;                                                        \
    dial(&r, &a, k, limits)

#endif
