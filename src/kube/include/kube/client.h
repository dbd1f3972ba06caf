/* Calls to the API server: one call, one answer, errors classified. Retries what is safe to retry, waits as
 * Retry-After says. */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H
#include "api/gvr.h"
#include "api/meta.h"
#include "base/metrics.h"
#include "kube/config.h"

struct kube;
struct kube *kube_new(struct world *w, struct kube_config *cfg, struct log *log, struct metrics *metrics);
void kube_free(struct kube *k); /* cancels what is open without callbacks; informers are closed before */
struct world *kube_world(struct kube *k);
struct log *kube_log(struct kube *k);
struct metrics *kube_metrics(struct kube *k);
/* Who asks: the field manager of mutations that name none, and the User-Agent. Literals. Without it "handover" and
 * "handover/VERSION", as whom Handover itself is known: no other program has reason to be taken for it. */
void kube_identify(struct kube *k, const char *manager, const char *agent);

/* The mutation fence: asked before a mutating call is started and again when its bytes are about to leave.
 * NULL: open. */
struct kube_fence {
    bool (*held)(void *ctx);
    void *ctx;
};
void kube_set_fence(struct kube *k, struct kube_fence f);

enum kube_verb {
    KUBE_GET,
    KUBE_LIST,
    KUBE_CREATE,
    KUBE_UPDATE,
    KUBE_PATCH_MERGE,
    KUBE_PATCH_JSON,
    KUBE_PATCH_STRATEGIC,
    KUBE_APPLY, /* server-side; the body may be YAML */
    KUBE_DELETE
};
struct kube_ref {
    const struct gvr *gvr;
    struct slice ns, name; /* LIST: name empty; ns empty: all namespaces */
    struct slice sub;      /* subresource: "status", "scale", "proxy/metrics", or empty */
};
/* So many requests at once have a connection each, or streams on one that is not full: nothing waits behind them. */
enum { KUBE_CROWD = 8 };
struct kube_spec {
    enum kube_verb verb;
    struct kube_ref ref;
    struct slice body;           /* JSON; copied. For DELETE: DeleteOptions or empty */
    struct slice labels, fields; /* selectors, for LIST */
    unsigned limit;              /* of objects, for LIST; 0: none */
    const char *path;            /* instead of ref: a raw path, e.g. "/version"; NULL normally */
    enum http_lane lane;         /* LANE_LEASE or LANE_CALL */
    bool urgent;                 /* on LANE_URGENT while KUBE_CROWD others are on LANE_CALL */
    int64_t timeout_ns;          /* for the whole call with its retries; 0: 30 s */
    size_t body_cap;             /* of the answer; 0: 8 MiB */
    bool no_retry;               /* one attempt only: the caller decides */
    bool unfenced;               /* a mutation that the fence does not hold back: the lease itself */
    bool dry_run;                /* a mutation that the server checks and does not carry out (dryRun=All) */
    bool metadata_only;          /* ask for PartialObjectMetadata */
    const char *manager;         /* of a mutation: its field manager, copied; NULL: see kube_identify() */
};
/* err NULL: it worked, raw is the answer (valid during the callback). raw may also be there with an err (a
 * Status). */
typedef void (*kube_done)(void *ctx, const struct err *err, struct slice raw);
struct kube_op;
/* Exactly one callback, never inside this call. A 409 on update is ERR_CONFLICT and never retried here. What
 * is retried: 429 and 503 with Retry-After, 5xx and lost connections of GET/LIST (and of others when nothing
 * was sent yet), 401 once with fresh credentials. An answer that was lost after a mutation was sent ends with
 * ERR_TIMEOUT or ERR_TRANSPORT: it may have been executed. */
struct kube_op *kube_call(struct kube *k, const struct kube_spec *spec, kube_done done, void *ctx);
void kube_cancel(struct kube_op *op); /* no callback after it; invalid once done was called; NULL is fine */
/* A mutation that may be at the server by now: cancelled, it may still be carried out, at any later time. */
bool kube_in_the_air(const struct kube_op *op);

/* A page that is read as it passes by: in one attempt on LANE_SCRAPE, of which nothing is kept here. */
struct kube_scrape {
    const char *url;    /* whole: without our credentials and client certificate */
    const char *path;   /* with url NULL: a raw path of the API server (a pod's proxy), as kube_call() goes */
    struct slice token; /* of url: sent as bearer token; may be empty */
    bool tls_insecure;  /* of url: the target's explicit opt-out */
    struct slice ca;    /* of url: PEM, borrowed until the end; empty: the system's certificates */
    struct slice
        form; /* of url: a question, sent as a form with POST, to be answered with JSON; copied; empty: a GET */
    int64_t timeout_ns; /* 0: 30 s */
};
struct kube_scrape_cb {
    /* The next piece of an answer of 2xx, any cut, 32 MiB in all. Negative with err: no more of it is
     * read, and done follows with that err. Must not cancel. */
    int (*chunk)(void *ctx, struct slice piece, struct err *err);
    kube_done done; /* as of kube_call(); raw only of a failure's Status */
    /* Before the first piece; may be NULL. framed: by its length or chunks, so that done without an error says that the
     * page is whole; else a connection that closes early looks the same as one that closes at the end. */
    void (*head)(void *ctx, struct slice content_type, bool framed);
};
struct kube_op *kube_scrape(struct kube *k, const struct kube_scrape *spec, const struct kube_scrape_cb *cb,
                            void *ctx);
#endif
