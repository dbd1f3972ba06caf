/* The rollout controller: watches the annotated Deployments, carries out the plan of each. The edge around
 * plan.h. */
#ifndef ROLLOUT_ROLLOUT_H
#define ROLLOUT_ROLLOUT_H
#include "control/controller.h"
#include "kube/client.h"

struct rollout_options {
    const char *ns;          /* serve this namespace only; NULL: all */
    const char *instance;    /* who we are, in Events */
    int64_t scrape_ns;       /* between rounds of scrapes; 0: as the plan says */
    unsigned workers;        /* 0: auto */
    unsigned target_metrics; /* of so many targets /metrics has series of their own, at most 500; 0: none */
    bool proxy;              /* metrics through the API server's pod proxy: outside of the cluster */
    /* The bearer token for https metrics pages, see act/metrics_token.h: of this ServiceAccount, which may do nothing
     * else, for this audience; without it, or where that is forbidden, from this file. All may be NULL. */
    const char *token_ns, *token_account, *token_audience, *token_file;
    bool token_insecure; /* also to pages whose certificate is not verified */
    /* A Prometheus server for targets that ask for it (borrowed): its URL, files with a CA's certificates and a bearer
     * token; may targets have queries of their own? NULL: none. */
    const char *prometheus, *prometheus_ca, *prometheus_token;
    bool prometheus_own_queries;
    /* Hosts that the annotation check may name (a list as of --check-hosts, checked), a file with a CA's certificates for them
     * (borrowed). NULL: none, the system's. */
    const char *check_hosts, *check_ca;
    /* A target has changed its phase: the state that says so is written. Of what a predecessor may not have told anybody, once
     * more (rollout_changes_since()). key: NAMESPACE/NAME. NULL: nobody wants to know. */
    void (*changed)(void *ctx, const char *key, const char *uid, const char *phase, int64_t at_wall_ns,
                    const char *hash);
    void *changed_ctx;
    /* This process is a container of this Pod, which may be one of a target: then that is Handover's own Deployment. NULL: it is
     * in no Pod. */
    const char *pod_ns, *pod_name, *pod_uid;
    /* Its plan: the lease is to go to the processes of this Pod, which are on trial until then. Not inside a call of this header. */
    void (*yield)(void *ctx, const char *pod, const char *uid, int64_t until_wall_ns);
    void *yield_ctx;
    const char *rehearse_image; /* of Handover, for the sidecars of rehearsals; NULL: that of its own Pod */
    struct rollout_memory *memory; /* of the one before in this process, which is taken over; NULL */
};
struct rollout;
int rollout_new(struct kube *k, const struct rollout_options *opt, struct rollout **ret, struct err *err);
void rollout_start(struct rollout *r); /* the caches: before leading, so that a standby is warm */
bool rollout_synced(const struct rollout *r);
void rollout_on_synced(struct rollout *r, world_fn fn, void *ctx);
struct controller *rollout_controller(struct rollout *r); /* gate, drain, checkpoint */
/* All targets known, again: on becoming the leader, because what happened before was not worked on. */
void rollout_add_all(struct rollout *r);
/* While a new version of Handover itself leads on trial, it leaves its own Deployment to a guardian of the version in service, which
 * has to do with nothing else. */
enum rollout_part { ROLLOUT_ALL, ROLLOUT_ALL_BUT_OWN, ROLLOUT_OWN };
/* What is newly its part is looked at. guardian: of the pods that might, this one is to, "POD_UID" (copied). */
void rollout_take_part(struct rollout *r, enum rollout_part part, const char *guardian);
/* What this process remembers of stable's last turn, for the rollout controller that follows in it, as its guardian; NULL: nothing. */
struct rollout_memory;
struct rollout_memory *rollout_remember(struct rollout *r);
void rollout_memory_free(struct rollout_memory *m);
/* What was wrong when the canary's trial as the leader had ended, in words (copied); NULL: nothing. cut: it had not ended it itself. */
void rollout_trial_fault(struct rollout *r, const char *fault, bool cut);
void rollout_stopping(struct rollout *r); /* SIGTERM: reads of metrics pages are cancelled */
void rollout_free(struct rollout *r);
/* For /status.json and tests: one JSON object a target. */
void rollout_describe(const struct rollout *r, struct buf *out);
/* On becoming the leader: also the changes since then are reported, by the predecessor's clock; TIME_NEVER: it has reported them all. */
void rollout_changes_since(struct rollout *r, int64_t wall_ns);
/* What the state says of a change of phase now, as JSON members with their commas: the message, the hold, the image, while the phase
 * lasts; of an ended rollout its result. */
void rollout_change_words(const struct rollout *r, struct slice key, int64_t at_wall_ns, struct buf *out);
/* For the page. row: a JSON object for a target, valid during fn, the most urgent first, at most max of them; key: NAMESPACE/NAME.
 * Counts: of all of them. A standby has none. */
void rollout_view(const struct rollout *r, size_t max,
                  void (*fn)(void *ctx, const char *key, struct slice row), void *ctx);
void rollout_view_end(const struct rollout *r); /* nobody looks any more: what is kept for it goes */
void rollout_view_counts(const struct rollout *r, struct buf *out);
/* Why the caches are not what they should be; empty when all is well. */
const char *rollout_trouble(const struct rollout *r);
#endif
