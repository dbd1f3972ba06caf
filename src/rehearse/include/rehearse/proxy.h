/* The API server that an operator in a rehearsal sees: a TLS listener, and behind it the real one by dry runs (the edge of gate.h,
 * upstream.h and overlay.h). It has no rights of its own: what it asks is asked as the operator's identity. */
#ifndef REHEARSE_PROXY_H
#define REHEARSE_PROXY_H
#include "base/log.h"
#include "base/metrics.h"
#include "kube/config.h"
#include "rehearse/overlay.h"
#include "world/http_server.h"

struct proxy_options {
    const char *listen;         /* NULL: "127.0.0.1:0" */
    struct kube_config *config; /* the cluster, and as whom; borrowed, outlives the proxy */
    /* The bearer token that stands for config's identity: the operator gets this one, which no API server knows, and never the
     * cluster's. NULL: made by randomness. Another token is passed on as it is (an operator that acts as others), none is 401. */
    const char *token;
    struct overlay_limits limits;
    const char *const *
        local_groups; /* API groups that honour dry runs beside the built-in ones and CustomResourceDefinitions that
                                        the identity can find; NULL-terminated; NULL: none */
};
struct proxy;
/* Asks the server what it is (version, which groups are aggregated), then listens and calls ready, or ready with err. Not inside this call. */
int proxy_start(struct world *w, struct log *log, struct metrics *metrics, const struct proxy_options *opt,
                void (*ready)(void *ctx, const struct err *err), void *ctx, struct proxy **ret,
                struct err *err);
void proxy_stop(struct proxy *p); /* NULL is fine; cuts what is open */
int proxy_port(const struct proxy *p);
struct slice proxy_ca(const struct proxy *p); /* PEM: the certificate that the operator is to trust */
const char *proxy_token(const struct proxy *p);
struct overlay *proxy_overlay(struct proxy *p);
/* A kubeconfig with the proxy as its only cluster, ns as the context's namespace. */
int proxy_kubeconfig(const struct proxy *p, const char *ns, struct buf *out);
/* Wall time of the last request that could change anything, or of the first request; 0: none yet. A list that has come and a watch
 * that begins count as well: an operator acts on what it has read. What "quiet" means is the caller's. */
int64_t proxy_last_change_ns(const struct proxy *p);
/* From now on mutations wait, until as many releases: what was written before has the time to come about live, so that a report made then has
 * nothing in which its live self is merely a moment later. */
void proxy_hold(struct proxy *p);
void proxy_release(struct proxy *p);
uint64_t proxy_requests(const struct proxy *p);
#endif
