/* See lane_server.h. */
#include "lane_server.h"
#include "net/net.h"
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { ITEM_BYTES = 3200, PER_TURN = 64, AHEAD = 8 << 20 };

struct server {
    struct world *w;
    size_t items;
    bool streams;
};
struct answer {
    struct server *s;
    struct http_exchange *x;
    bool stream; /* a streaming list */
    struct timer *timer;
    size_t at;
    struct buf part;
};

size_t lane_server_bytes(size_t items) {
    return items * ITEM_BYTES;
}

static void add_item(struct buf *b, size_t i, bool stream) {
    size_t from = b->n;
    buf_adds(b, stream ? "{\"type\":\"ADDED\",\"object\":" : i ? "," : "");
    buf_addf(b,
             "{\"metadata\":{\"name\":\"operator-%06zu\",\"namespace\":\"team-%03zu\",\"uid\":\"00000000-"
             "0000-4000-8000-%012zu\","
             "\"resourceVersion\":\"%zu\",\"generation\":3,\"labels\":{\"app\":\"operator\"},\"annotations\":"
             "{\"note\":\"",
             i, i % 500, i, 1000 + i);
    /* As in real lists most of an object is a few long strings and many short members. */
    while (b->n - from < ITEM_BYTES / 2)
        buf_adds(b, "a \\\"quoted\\\" {brace} and [bracket] in last-applied ");
    buf_adds(b, "\"}},\"spec\":{\"replicas\":2,\"template\":{\"spec\":{\"containers\":[{\"name\":\"manager\","
                "\"env\":[");
    for (int k = 0; b->n - from < ITEM_BYTES - 120; k++)
        buf_addf(b, "%s{\"name\":\"VARIABLE_%d\",\"value\":\"value %d\"}", k ? "," : "", k, k);
    buf_adds(b, "]}]}}},\"status\":{\"replicas\":2,\"readyReplicas\":2,\"observedGeneration\":3}}");
    if (stream) buf_adds(b, "}\n");
}

static void free_answer(struct answer *a) {
    timer_free(a->timer);
    buf_free(&a->part);
    free(a);
}

static void begin_or_end(struct answer *a, bool end) {
    if (a->stream && end) {
        buf_adds(&a->part, "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Deployment\",\"metadata\":{"
                           "\"resourceVersion\":\"9\",\"annotations\":{\"k8s.io/initial-events-end\":"
                           "\"true\"}}}}\n");
    } else if (!a->stream) {
        buf_adds(&a->part, end ? "]}\n"
                               : "{\"kind\":\"DeploymentList\",\"apiVersion\":\"apps/v1\",\"metadata\":{"
                                 "\"resourceVersion\":\"9\"},\"items\":[");
    }
}

static void more(void *ctx) {
    struct answer *a = ctx;
    timer_in(a->timer, http_reply_unsent(a->x) > AHEAD ? NS_PER_MS : 0);
    if (http_reply_unsent(a->x) > AHEAD) return; /* as fast as the reader, without holding all of it */
    buf_clear(&a->part);
    if (a->at == 0) begin_or_end(a, false);
    for (int i = 0; i < PER_TURN && a->at < a->s->items; i++) add_item(&a->part, a->at++, a->stream);
    bool last = a->at == a->s->items;
    if (last) begin_or_end(a, true);
    http_reply_send(a->x, buf_slice(&a->part));
    if (!last) return;
    if (a->stream) { /* a watch from here on: nothing ever happens */
        timer_stop(a->timer);
        return;
    }
    http_reply_end(a->x);
    free_answer(a);
}

static void on_gone(void *ctx) {
    free_answer(ctx);
}

static void handle(void *ctx, struct http_exchange *x) {
    struct server *s = ctx;
    if (!slice_eqs(http_x_method(x), "GET")) {
        http_reply(x, 200, "application/json", http_x_body(x));
        return;
    }
    cleanup_free char *target = slice_dup(http_x_target(x));
    bool stream = strstr(target, "sendInitialEvents=") != NULL;
    if (stream && !s->streams) {
        http_reply(x, 422, "application/json", SL("{\"kind\":\"Status\",\"code\":422}"));
        return;
    }
    http_reply_begin(x, 200, "application/json", NULL);
    if (!stream && strstr(target, "watch=")) return; /* nothing ever happens */
    struct answer *a = xcalloc(1, sizeof *a);
    a->s = s;
    a->x = x;
    a->stream = stream;
    a->timer = timer_new(s->w, more, a);
    buf_init(&a->part, 2 * ITEM_BYTES * PER_TURN);
    http_on_gone(x, on_gone, a);
    more(a);
}

static void serve(size_t items, bool streams, int fd) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct loop *l = loop_new();
    net_install(l);
    struct server s = {.w = loop_world(l), .items = items, .streams = streams};
    struct http_limits limits = {.send_cap = 2 * AHEAD};
    struct http_listener *hl;
    struct err err = {0};
    if (http_listen(s.w, "127.0.0.1:0", &limits, handle, &s, &hl, &err) < 0) abort();
    int port = http_listener_port(hl);
    if (write(fd, &port, sizeof port) != (ssize_t)sizeof port) abort();
    loop_run(l);
}

pid_t lane_server_start(size_t items, bool streams, int *ret_port) {
    int fd[2];
    if (pipe(fd) < 0) abort();
    pid_t pid = fork();
    if (pid < 0) abort();
    if (pid == 0) {
        serve(items, streams, fd[1]);
        _exit(0);
    }
    if (read(fd[0], ret_port, sizeof *ret_port) != (ssize_t)sizeof *ret_port) abort();
    close(fd[0]);
    close(fd[1]);
    return pid;
}
