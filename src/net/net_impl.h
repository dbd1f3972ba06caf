/* What the files of src/net share. The client: net.c (life), lane.c (libcurl's multi interface on libuv),
 * request.c (one request from start to end), curl_options.c (its options), tls.c (certificates), curl_error.c (words for
 * what went wrong). */
#ifndef NET_IMPL_H
#define NET_IMPL_H
#include "base/list.h"
#include "net/net.h"
#include <curl/curl.h>
#include <uv.h>

struct lane {
    struct net *net;
    enum http_lane id;
    CURLM *multi;
    uv_idle_t idle;      /* active while expired or todo ask for a turn: I/O is polled between two turns */
    struct timer *timer; /* libcurl's next timeout, if later than now */
    bool expired;        /* libcurl asked for a timeout of 0 ms */
    struct list todo;    /* requests with work that must not be done inside libcurl's callbacks */
    struct list requests;
    struct list ready; /* sockets that wait for their turn, on a lane with a budget */
    size_t budget;     /* bytes of answers that one turn may handle; 0: no limit */
    size_t handled;    /* in this turn */
    bool ready_first;  /* in this turn */
};

struct net {
    struct loop *loop;
    struct world *world;
    struct lane lanes[LANE_COUNT];
    CURLSH *share;         /* TLS sessions and names, for all lanes */
    struct list tls;       /* struct tls_mat */
    struct list listeners; /* struct listener */
    struct list dirty;     /* struct conn with something to write or to parse before the loop sleeps */
    uv_prepare_t prepare;
    uv_idle_t busy; /* active while dirty is not empty after a round, so that the loop does not sleep */
    char scratch[64 * 1024]; /* what the server reads into */
    char plain[16 * 1024];   /* what TLS says of it */
    struct buf spare[2];     /* memory of answers that were written, for the next ones */
    int handles;             /* libuv handles that are not closed yet: the memory goes with the last one */
    int (*no_start)(struct world *, const struct http_spec *, const struct http_client_cb *, void *,
                    struct http_req **, struct err *);
    int (*no_listen)(struct world *, const char *, const struct http_limits *, http_handler, void *,
                     struct http_listener **, struct err *);
};

struct net *net_of(struct world *w);
void net_handle_closed(struct net *n); /* from the close callback of a handle that was counted in handles */

/* TLS material as libcurl's blobs borrow it: kept while a request uses it, shared by those with the same
 * content. */
struct tls_mat {
    struct list node; /* in net.tls */
    size_t refs;
    uint64_t id;
    char *ca, *cert, *key, *server_name; /* NULL: none */
    size_t nca, ncert, nkey;
    bool insecure;
};
struct tls_mat *tls_get(struct net *n, const struct http_tls *tls); /* NULL stays NULL */
void tls_put(struct tls_mat *m);

/* The head of an answer while it arrives line by line. */
struct head {
    struct buf text;
    struct {
        size_t name, nname, value, nvalue; /* places in text */
    } at[HTTP_MAX_HEADERS];
    size_t n;
    int status;
    bool done;
};

struct request {
    struct http_req base;
    struct lane *lane;
    struct list node; /* in lane.requests */
    struct list todo; /* in lane.todo */
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    struct tls_mat *tls;
    struct timer *deadline;
    struct http_client_cb cb; /* all NULL once cancelled */
    void *ctx;
    bool (*may_send)(void *ctx);
    void *may_send_ctx;

    char *method, *url /* as libcurl gets it */, *shown /* without query and user */, *host;
    char *body;
    size_t nbody;
    size_t cap, received; /* of the answer's body */
    size_t wire;          /* bytes of the whole answer, as libcurl read them */
    size_t lines;         /* of all its heads and trailers */
    int64_t total_ns, connect_ns;
    struct head *head; /* while it arrives */
    int status;        /* of the answer, 0 before its head is complete */
    CURLcode result;   /* when finished */

    bool idempotent; /* may be sent again by libcurl on its own when a reused connection turns out dead */
    bool added;      /* is in the multi */
    bool sent;       /* its bytes may have left */
    bool cancelled;  /* no callbacks any more: to be removed as soon as we are outside of libcurl */
    bool held;       /* the receiver wants no more for now */
    bool paused;     /* libcurl holds bytes back for us */
    bool resumes;    /* what libcurl held back is being delivered: it was counted when it came, not handled */
    bool finished;   /* the end is held back until the receiver resumes */
    bool fenced, resend, too_large, odd_head, flooded; /* why we ended it ourselves */
    char text[CURL_ERROR_SIZE];
};

int request_start(struct world *w, const struct http_spec *spec, const struct http_client_cb *cb, void *ctx,
                  struct http_req **ret, struct err *err);
void request_work(struct request *r);                  /* what it was put on todo for; may free it */
void request_finished(struct request *r, CURLcode rc); /* libcurl is done with it; may free it */
void request_free(struct request *r);                  /* without callbacks */

void lane_init(struct net *n, struct lane *l, enum http_lane id);
void lane_close(struct lane *l);
void lane_todo(struct request *r);
bool lane_http2(const struct lane *l);
bool lane_spent(const struct lane *l); /* the turn is over: nothing more is to be handled in it */

/* Sets all options; -errno and err if the URL or a header is not usable. */
int curl_options_set(struct request *r, const struct http_spec *spec, struct err *err);

/* What went wrong with a request, in the words of the interface. */
struct curl_error {
    CURLcode code;
    int os_errno;     /* 0 if unknown */
    const char *text; /* libcurl's words, may be empty */
    const char *method, *url, *host;
    bool sent;
    int64_t connect_ns;
};
void curl_error_explain(const struct curl_error *f, struct err *ret);

/* The server. */
int listener_open(struct world *w, const char *addr, const struct http_limits *limits, http_handler fn,
                  void *ctx, struct http_listener **ret, struct err *err);
#endif
