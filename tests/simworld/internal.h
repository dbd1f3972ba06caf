/* Inside of the simulated world: events, hosts, connections. */
#ifndef SIMWORLD_INTERNAL_H
#define SIMWORLD_INTERNAL_H
#include "simworld/simworld.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/time.h"
#include "world/impl.h"

/* ---- events ---- */
struct host;
struct ev {
    struct heap_node node;
    int64_t at;
    uint64_t tie, seq; /* order at the same instant: drawn from the seed, then as asked */
    struct host *host; /* whose turn it is; NULL: the world's */
    struct list held;  /* while its host is frozen */
    void (*fn)(struct ev *e);
    const char *what; /* for the trace */
};
enum ev_order { EV_ANY, EV_FIRST /* before what else is due at that instant, in the order asked */ };
void ev_init(struct ev *e, struct host *h, const char *what, void (*fn)(struct ev *e));
void ev_at(struct simworld *sw, struct ev *e, int64_t at,
           enum ev_order order); /* moves it; TIME_NEVER: none */
void ev_cancel(struct simworld *sw, struct ev *e);
bool ev_pending(const struct ev *e);

/* Notes something in the trace: it counts for the hash, and is printed where somebody listens. */
void trace(struct simworld *sw, const struct host *h, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void trace_bytes(struct simworld *sw, struct slice data); /* into the hash only */

/* ---- the world ---- */
struct net_rule {
    char *from, *to;
    struct simnet net;
};
struct cut_off { /* a partition */
    char *from, *to;
};
struct server {
    struct list all;
    char *name, *url, *ca;
    struct sim *sim;
    int64_t offset_ns;
};
struct simworld {
    struct heap events;
    int64_t now;
    uint64_t seq, hash, count, still; /* still: events since time moved on */
    struct rng rng, user_rng;
    struct list hosts, servers, links, proxies, plans;
    struct net_rule *rules;
    size_t nrules, rules_cap;
    struct cut_off *cuts;
    size_t ncuts, cuts_cap;
    struct server *pods; /* whose pods http:// addresses lead to; NULL */
    int64_t dead_after_ns;
    struct simstats stats;
    unsigned next_ip;
    void (*trace_fn)(void *ctx, const char *line);
    void *trace_ctx;
    void (*request_fn)(void *ctx, const struct simrequest *r);
    void *request_ctx;
    bool (*refuse_fn)(void *ctx, const struct simrequest *r);
    void *refuse_ctx;
    struct list podsets;
    struct host *outside; /* who asks for tests */
    bool running;
};

/* ---- hosts ---- */
struct host {
    struct world world;
    struct simworld *sw;
    struct list all;
    char *name, *ip;
    bool alive, frozen, suspended;
    struct rng rng;
    int64_t start, boot0, drift_ppb, wall_offset, asleep_ns, asleep_since;
    struct list held; /* events that wait for it to thaw */
    struct list timers, defers, reqs, listeners, files, vars, procs;
    struct handler {
        world_fn fn;
        void *ctx;
    } signals[32];
    uint64_t *warm; /* connections kept open, as hashes of lane, origin and TLS material */
    size_t nwarm, warm_cap;
    int next_port;
    int (*spawn)(void *ctx, const struct spawn *s, struct simproc *ret);
    void *spawn_ctx;
    world_fn death;
    void *death_ctx;
    void (*exited)(struct host *h, int code); /* the pods' interest; NULL */
    void *pod;
    int exit_code;
};
struct host *host_of(const struct world *w);
struct host *host_new(struct simworld *sw, const char *name, const struct simhost *opt);
void host_free(struct host *h);
int64_t host_boot(const struct host *h, int64_t true_ns);
int64_t host_true(const struct host *h,
                  int64_t boot_ns); /* the first instant at which its boot clock says so */
extern const struct world_ops host_ops;

/* files.c and procs.c: parts of host_ops, and their ends */
int host_read_file(struct world *w, const char *path, size_t cap, struct buf *ret, struct err *err);
int host_write_file(struct world *w, const char *path, struct slice data, struct err *err);
int64_t host_file_mtime(struct world *w, const char *path);
const char *host_getenv(struct world *w, const char *name);
int host_spawn(struct world *w, const struct spawn *s, struct proc **ret, struct err *err);
void host_files_free(struct host *h);
void host_procs_end(struct host *h); /* nothing of them comes back any more */
void host_procs_free(struct host *h);

/* ---- the network (net.c): what befalls a message ---- */
const struct simnet *net_between(const struct simworld *sw, const char *from, const char *to);
bool net_blocked(const struct simworld *sw, const char *from, const char *to);
int64_t net_latency(struct simworld *sw, const struct simnet *n);
bool net_chance(struct simworld *sw, double p);
struct server *server_by_name(const struct simworld *sw, const char *name);
bool proxy_exists(const struct simworld *sw, const char *url);
void net_free(struct simworld *sw);

/* ---- one request on its way and its answer (link.c) ---- */
enum msg_type { MSG_HEAD, MSG_BODY, MSG_END, MSG_CUT };
struct msg {
    struct list link;
    enum msg_type type;
    int64_t at; /* when it arrives */
    int status;
    char *data; /* body bytes, or the headers' text */
    size_t n;
    struct http_headers headers; /* slices of data */
};
void msg_free(struct msg *m);

enum link_to { TO_SIM, TO_HOST, TO_POD };
struct req;      /* the client's side: client.c */
struct exchange; /* the side of a listening host: listener.c */
struct link {
    struct list all;
    struct simworld *sw;
    struct host *from;
    const char *to; /* the other end's network name */
    enum link_to kind;
    struct server *server; /* TO_SIM, TO_POD */
    struct host *peer;     /* TO_HOST */
    char *address;         /* TO_POD */
    int port;              /* TO_HOST, TO_POD */
    char *method, *target, *body;
    size_t nbody;
    char *head; /* what the headers' slices point into */
    struct http_headers headers;

    struct req *req; /* NULL: the client has gone, or takes no answer (a duplicate) */
    bool arrived;    /* the request has reached the other end */
    bool answered;   /* the far end has nothing more to say */
    bool mute;       /* nothing of the answer gets through */
    bool stalled;    /* a partition is in the way */
    bool up_waits;   /* ... of the request */
    enum simnet_loss loss;
    size_t cut_at, sent; /* cut_at: SIZE_MAX for never */
    struct sim_exchange *x;
    bool sim_done; /* its `end` has come */
    struct exchange *hx;
    struct list down; /* messages on their way to the client */
    size_t unread;    /* bytes in them */
    int64_t last_at;
    struct ev up, leave, dead,
        late; /* arrival; the client's leaving is noticed; the connection dies; a late answer */
    int late_status;
    const char *late_type;
    struct buf late_body;
};
struct link *link_new(struct simworld *sw, struct host *from);
void link_send(struct link *l);    /* the request leaves now */
void link_abandon(struct link *l); /* the client has gone; the link looks after itself */
void link_break(struct link *l, int neg_errno, const char *why); /* both ends see the connection break */
void link_stall(struct link *l);                                 /* a partition begins */
void link_resume(struct link *l);                                /* and ends */
void link_free(struct link *l);
struct msg *link_take(struct link *l);   /* the next message; NULL: none */
int64_t link_next(const struct link *l); /* when it arrives; TIME_NEVER */
/* From the far end, in this order. */
void link_head(struct link *l, int status, const char *content_type, int retry_after_s,
               const struct http_headers *extra);
void link_body(struct link *l, struct slice data);
void link_end(struct link *l, bool cut);

/* client.c */
int client_start(struct world *w, const struct http_spec *spec, const struct http_client_cb *cb, void *ctx,
                 struct http_req **ret, struct err *err);
void client_ready(struct req *r); /* there are messages in its link */
void client_broken(struct req *r, int neg_errno,
                   const char *why); /* no link any more; it ends on its next turn */
void client_kill(struct host *h);    /* no callbacks any more */
void client_free_all(struct host *h);

/* pods.c */
void pods_free(struct simworld *sw); /* before the hosts */

/* listener.c */
int listener_new(struct world *w, const char *addr, const struct http_limits *limits, http_handler fn,
                 void *ctx, struct http_listener **ret, struct err *err);
bool listener_there(const struct host *h, int port, bool local); /* local: asked by the host itself */
void listener_arrive(struct link *l);                            /* the request has come to l->peer */
void listener_left(struct link *l);                              /* its client has gone */
void listener_read(struct link *l);                              /* its client has taken of the answer */
void listener_kill(struct host *h);
void listener_free_all(struct host *h);
#endif
