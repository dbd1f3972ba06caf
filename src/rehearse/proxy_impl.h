/* What the files of the proxy share: proxy.c (life, kubeconfig), proxy_groups.c (who serves which API group), proxy_work.c (one request of
 * the operator: who asks, what, and who answers), proxy_call.c (answers that are held whole), proxy_stream.c (what is passed on as it
 * comes), proxy_list.c, proxy_watch.c, proxy_ask.c (one request to the API server: the only place where one is sent). */
#ifndef PROXY_IMPL_H
#define PROXY_IMPL_H
#include "base/list.h"
#include "kube/splitter.h"
#include "rehearse/proxy.h"

struct names { /* owned, sorted by strcmp, each once */
    char **v;
    size_t n, cap;
};
void proxy_names_add(struct names *s, struct slice name);
bool proxy_names_has(const struct names *s, struct slice name);
void proxy_names_free(struct names *s);

struct group_reader;
struct proxy {
    struct world *w;
    struct log *log;
    struct kube_config *config;
    struct metric_family *counted;
    struct overlay *overlay;
    struct http_listener *listener;
    char *listen, *token;
    struct buf ca;
    struct names forced; /* of the options */
    struct names local, remote;
    bool aggregates; /* the API server knows APIServices */
    struct group_reader *reader;
    int64_t groups_read_ns; /* boot time of the last attempt */
    struct list works;
    unsigned holds; /* mutations wait */
    uint64_t requests;
    int64_t last_change_ns; /* wall time, as proxy_last_change_ns() */
    void (*ready)(void *ctx, const struct err *err);
    void *ready_ctx;
};
struct gate_groups proxy_groups(const struct proxy *p); /* borrowed */

/* ---- asking the API server ---- */
struct ask;
struct ask_cb {
    void (*head)(void *ctx, int status, const struct http_headers *h);
    enum http_pull (*body)(void *ctx, struct slice data); /* after the head; HTTP_HOLD only on LANE_WATCH */
    void (*end)(void *ctx, const struct err *err);        /* once, last */
};
struct ask_spec {
    const struct upstream *u; /* borrowed until the end */
    const struct http_exchange
        *as; /* on whose behalf; borrowed until the end; NULL: as the configuration says */
    enum http_lane lane;
    int64_t total_ns; /* 0: none */
    size_t body_cap;  /* 0: none */
};
/* Never a callback inside this call. Refreshes credentials of our own once. */
struct ask *proxy_ask(struct proxy *p, const struct ask_spec *s, const struct ask_cb *cb, void *ctx);
void proxy_ask_resume(struct ask *a); /* after HTTP_HOLD */
void proxy_ask_cancel(struct ask *a); /* no callback after it; allowed in callbacks; NULL is fine */
/* The session's own token, which stands for the configuration's identity? */

/* ---- API groups ---- */
/* done: once, not inside this call. err: the groups are as before. */
struct group_reader *proxy_read_groups(struct proxy *p, void (*done)(struct proxy *p, const struct err *err));
void proxy_read_groups_cancel(struct group_reader *r); /* NULL is fine */

/* ---- one request of the operator ---- */
enum { ANSWER_CAP = 8 << 20, UNSENT_MAX = 512 << 10, UNSENT_MIN = 128 << 10, SEND_AT = 32 << 10 };
struct work {
    struct list node; /* in proxy.works */
    struct proxy *p;
    struct http_exchange *x;
    bool waits; /* for the API groups to be read again */
    bool held;  /* by proxy_hold() */
    struct gate_request r;
    struct upstream u;
    struct ask *ask;
    /* The API server's answer, so far. */
    int status;
    char type[128];
    struct buf kept;           /* Retry-After and Warnings, which go on */
    struct http_headers extra; /* slices of kept */
    struct buf body;           /* of what is held whole */
    /* A mutation. */
    struct overlay_write *write;
    struct overlay_step step;
    /* A list, a watch. */
    bool begun; /* the answer has */
    struct splitter split;
    struct overlay_list *list;
    struct overlay_watch *watch;
    struct split_list whole; /* of a list that has come */
    struct buf out;
    bool broken, followed /* an item stands in the list */;
    struct timer *timer; /* a watch that has no end from the server */
};
void proxy_work_start(struct proxy *p, struct http_exchange *x);
/* The answer, whole; k is gone after these. */
void proxy_answer(struct work *k, int status, struct slice json);
void proxy_answer_status(struct work *k, int status, const char *message);
void proxy_answer_err(struct work *k, const struct err *err); /* no answer of the API server */
void proxy_cut(struct work *k);                               /* an answer that has begun and cannot go on */
void proxy_end(struct work *k);                               /* one that has begun is whole */
/* The head of the API server's answer, and the beginning of ours with it. */
void proxy_take_head(struct work *k, int status, const struct http_headers *h);
void proxy_begin(struct work *k);
/* Sends what stands in k->out, if it is worth it or `all`. */
void proxy_send(struct work *k, bool all);
/* Too much is unsent: hold; fn is called when there is room. */
bool proxy_too_much(struct work *k, world_fn fn);

/* Each that waits goes on: go_on is false of those that do not, and may end others. */
void proxy_resume(struct proxy *p, bool (*go_on)(struct work *k));
void proxy_call(struct work *k);   /* get, review, mutation */
void proxy_stream(struct work *k); /* what is passed on as it is */
void proxy_list(struct work *k);
void proxy_watch(struct work *k);
#endif
