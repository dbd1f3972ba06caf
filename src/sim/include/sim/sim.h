/* The embedded API server: a request goes in, an answer comes out, no sockets. Holds objects in memory,
 * serves the REST verbs, watches and discovery, runs a Deployment, a ReplicaSet and a StatefulSet controller, a garbage
 * collector and pods that behave as scripted. Pure: time comes from sim_advance(), randomness from the
 * seed. */
#ifndef SIM_SIM_H
#define SIM_SIM_H
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

struct sim;
/* Whose manners the server has where they differ: /version, and what a watch with sendInitialEvents=true and
 * resourceVersionMatch gets. */
enum sim_release {
    SIM_RELEASE_1_20, /* 422, since resourceVersionMatch is forbidden for a watch: 1.19 to 1.26 */
    SIM_RELEASE_1_18, /* the parameters are not known (a later server behind a proxy that loses them, too) */
    SIM_RELEASE_1_33, /* 422: the feature is off */
    SIM_RELEASE_1_37, /* initial events, then the bookmark annotated k8s.io/initial-events-end */
};
struct sim_config {
    uint64_t seed;
    int64_t wall_ns;      /* the time at the start */
    size_t history;       /* watch events kept per resource before a start version is 410 Gone; 0: 1000 */
    int64_t bookmark_ns;  /* between bookmarks of a watch that allows them; 0: 60 s */
    int64_t pod_start_ns; /* from created to running; 0: 300 ms. An image's script may say otherwise */
    int64_t min_watch_ns; /* a watch without timeoutSeconds lasts this long to twice this; 0: 30 min */
    /* Objects kept parsed between calls; 0: 4096. Tests set 1 to find code that keeps a tree too long. */
    size_t trees;
    enum sim_release release;
};
struct sim *sim_new(const struct sim_config *cfg);
void sim_free(struct sim *s); /* open exchanges end with their `end` (cut) */

/* Moves time (never backwards) and runs all that is due up to then. */
void sim_advance(struct sim *s, int64_t wall_ns);
/* The same in slices, so that requests are served in between: stops after so many rounds of what is due.
 * True: all was done. False: the sim's time stands before wall_ns, sim_next_ns() says that there is something
 * due. */
bool sim_advance_some(struct sim *s, int64_t wall_ns, int rounds);
int64_t sim_next_ns(const struct sim *s); /* when sim_advance() has to be called next; TIME_NEVER */
int64_t sim_now_ns(const struct sim *s);

/* fn is called after each call into the sim but sim_advance(): sim_next_ns() may have changed. One at a
 * time. */
void sim_on_change(struct sim *s, void (*fn)(void *ctx), void *ctx);

struct sim_request {
    struct slice method, target /* path?query */, content_type, accept, authorization, body;
    struct slice user_agent; /* the field manager where the query names none: up to the first '/' */
};
struct sim_exchange;
struct sim_cb {
    /* retry_after_s: -1 for none */
    void (*head)(void *ctx, int status, const char *content_type, int retry_after_s);
    void (*body)(void *ctx, struct slice data);
    void (*end)(void *ctx, bool cut); /* last; cut: the connection broke in the middle */
    /* May be NULL: bytes handed to body() that have not left yet. A long list waits while they are many. */
    size_t (*unsent)(void *ctx);
    /* May be NULL: before head(), the text of a Warning header. */
    void (*warning)(void *ctx, struct slice text);
};
/* Answered inside the call (then NULL is returned), or later from within sim_advance() or another
 * sim_handle() (watches, injected latency, silence): then the exchange is returned, valid until its end.
 * Before anything runs inside the sim, call sim_advance() with the present time. */
struct sim_exchange *sim_handle(struct sim *s, const struct sim_request *req, const struct sim_cb *cb,
                                void *ctx);
void sim_leave(struct sim_exchange *x); /* the client has disconnected: no callback any more */

/* ---- what tests and the demo do beside REST; the same is reachable by POST /sim/... (see
 * docs/reference/sim.md) ---- */
/* How pods of an image behave; the last script whose pattern (fnmatch) fits the image counts. JSON, all
 * members optional: {"image":"*:bad", "startMs":300, "ready":true, "crashAfterMs":0, "crashes":0 (how often;
 * 0 = for ever when crashAfterMs), "terminateMs":50, "errorRate":0.3, "reconcilesPerSecond":20,
 * "errorRateAfterMs":0 (the rate starts then), "busy":0.2 (share of time with active workers), "depth":0,
 * "refused":"violates PodSecurity ..." (its pods are not made),
 * "metrics":"controller-runtime"|"none"|"garbage"|"http500"|"slow", "leaderElection":false (only the holder
 * of its Lease reconciles), ...}: all of them in docs/reference/sim.md.
 * {"controllers":{"delayMs":1,"jitterMs":2,"stopped":false}}: the pace of the controllers. */
int sim_script(struct sim *s, struct slice json, struct err *err);
/* A fault for requests to come. JSON: {"match":{"method":"PUT","path":"fnmatch of the
 * path","query":"substring"}, "count":N (-1 for ever), "probability":1.0, "latencyMs":0, "status":429,
 * "retryAfter":1, "body":"...", "cutAfterBytes":N, "dropBefore":true (lost before it was carried out),
 * "dropAfter":true (carried out, answer lost), "silent":true (never answered; an open watch sends nothing any
 * more)}; {"clear":true} forgets all faults. */
int sim_fault(struct sim *s, struct slice json, struct err *err);
/* Forgets the watch history, so that every watch from an old version gets 410; open watches end with an ERROR
 * event 410. */
void sim_compact(struct sim *s);
uint64_t sim_requests(const struct sim *s); /* requests handled so far */
/* Objects to begin with: YAML documents, or JSON, one value or one per line; Lists are taken apart, missing
 * namespaces made, what exists is replaced. uid, creationTimestamp and status are kept where given, so that
 * what sim_dump() wrote comes back as it was. err says which document was refused; those before it stay. */
int sim_load(struct sim *s, struct slice text, struct err *err);
/* All objects, one JSON value per line, those that others need first. */
void sim_dump(const struct sim *s, void (*write)(void *ctx, struct slice text), void *ctx);
/* Prints the object as JSON or returns -ENOENT; group "" for core. For tests. */
int sim_peek(const struct sim *s, const char *resource, const char *ns, const char *name, struct buf *out);

/* ---- pods from the inside: for a simulated network, and for processes that are the test's own ---- */
/* GET of path at a pod's address. 0, -EHOSTUNREACH (no such pod) or -ECONNREFUSED; *ret_type is a literal;
 * the answer is to come *ret_delay_ns later. */
int sim_pod_get(struct sim *s, struct slice ip, int port, struct slice path, int *ret_status,
                const char **ret_type, int64_t *ret_delay_ns, struct buf *body);
/* Containers whose image's script says "external": true are run by the runtime. start: the container runs
 * from now on (again); term: it is asked to stop; kill: it has to be gone now, and reports its end, or the
 * pod has been removed by force. Called from within the sim: start or stop nothing heavy inside, and call no
 * sim_ function, but do it on the next turn. */
struct sim_runtime {
    void (*start)(void *ctx, const char *ns, const char *pod, const char *container);
    void (*term)(void *ctx, const char *ns, const char *pod, const char *container, int64_t grace_ns);
    void (*kill)(void *ctx, const char *ns, const char *pod, const char *container);
};
/* rt is kept; before any such pod is made */
void sim_set_runtime(struct sim *s, const struct sim_runtime *rt, void *ctx);
/* What such a process does, as its kubelet sees it. -ENOENT: no such pod or container, or it does not run. */
int sim_container_ready(struct sim *s, const char *ns, const char *pod, const char *container, bool ready);
int sim_container_exit(struct sim *s, const char *ns, const char *pod, const char *container, int exit_code,
                       struct slice message);
#endif
