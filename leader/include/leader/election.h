/* Runs the lease machine on a real Lease: requests on a lane of their own, a watch on the Lease, a watch on
 * the holder's pod for its death certificate. The edge around lease.h. */
#ifndef LEADER_ELECTION_H
#define LEADER_ELECTION_H
#include "kube/client.h"
#include "leader/certificate.h"
#include "leader/checkpoint.h"
#include "leader/lease.h"

struct election_config {
    const char *ns, *name;                /* of the Lease */
    struct identity id;                   /* see identity_make() */
    int64_t lease_ns, renew_ns, retry_ns; /* 0: defaults */
    bool canary;                          /* lease_config.canary */
    int64_t orphan_ns;                    /* lease_config.orphan_ns */
    const char *termination_log;          /* gets the identity before we contest; NULL: none */
};
struct election_cb {
    /* Leading, with the fence open. work: what the predecessor left, NULL if nothing usable; valid during the
     * call, which must not free the election. Parts in ConfigMaps are waited for, for a few seconds. Not
     * called at all if the lease is lost or a stop is wanted before; then the predecessor's work stays where
     * it is. */
    void (*lead)(void *ctx, int64_t term, enum lease_reason reason, struct checkpoint_reader *work);
    /* Further work of the predecessor, from a part that could be read only now. As lead(). May be NULL. */
    void (*late_work)(void *ctx, struct checkpoint_reader *work);
    /* The fence is shut: stop, and call election_drained() when nothing runs any more. */
    void (*lost)(void *ctx, enum lease_reason reason);
    /* Nothing more will happen: released, or never held, or could not be released. Once, last. */
    void (*over)(void *ctx, enum lease_reason reason);
    /* A renewal (final: the release) is about to be written: adds the work in hand. NULL: no checkpoints. May
     * be called inside a call of this header and must call none. Not before lead() was. */
    void (*work)(void *ctx, bool final, struct checkpoint *to);
    /* The renewal that election_renew_now() asked for was written, or could not be. May be NULL. */
    void (*renewed)(void *ctx, bool ok);
    /* A person has put orders on the Lease (LEASE_ANNOTATION_ORDERS), while leading. They are carried out in this call, and taken
     * away by the next renewal, whose checkpoint has what has become of them; by a leader that dies before, they are carried out
     * by its successor, so twice at worst. May be NULL. */
    void (*orders)(void *ctx, struct slice text);
    /* The release is about to be written: adds what is to be kept of this process's end (LEASE_ANNOTATION_DRAIN), in at most
     * ELECTION_LAST_MAX bytes. As work(). May be NULL. */
    void (*last)(void *ctx, struct buf *to);
    /* election_trial_until() has changed, whichever process leads. May be NULL. */
    void (*trial)(void *ctx);
};
enum { ELECTION_LAST_MAX = 4096 };
struct election;
/* cfg is checked (ERR_CONFIG). No callback inside any call of this header. */
int election_new(struct kube *k, const struct election_config *cfg, const struct election_cb *cb, void *ctx,
                 struct election **ret, struct err *err);
void election_free(struct election *e); /* as a crash: nothing is sent */
void election_start(struct election *e);
void election_ready(struct election *e, bool ready); /* may contest: the caches are warm */
void election_renew_now(struct election *e);         /* a checkpoint is wanted on the server now */
void election_stop(struct election *e); /* acquire no more; a leader goes on renewing until drained */
/* Nothing of ours mutates any more: a large checkpoint is written, the fence shuts, the lease is released.
 * parts_ns: how long the writing of parts may take at most, 0: 3 s; after that the most important keys go
 * with the Lease. */
void election_drained(struct election *e, int64_t parts_ns);
/* Before election_stop(), while leading: the release is to name the processes of this pod, which are on trial until then. */
void election_yield(struct election *e, const char *pod, const char *uid, int64_t until_wall_ns);
/* Until when a new version is on trial, by the Lease as last seen; wall clock, 0: none is. */
int64_t election_trial_until(const struct election *e);
const char *election_guardian(const struct election *e); /* "POD_UID" of who has named it; "": nobody */
void election_give_up(struct election *e);               /* no time left: over() as things are */

bool election_may_mutate(const struct election *e); /* the fence, at this moment */
bool election_leading(const struct election *e);
/* How this process came to lead, the last time: since when (wall clock; 0: never yet), and how long nobody did, as far as is
 * known (-1: it is not). */
struct election_lead {
    enum lease_reason reason;
    int64_t since_wall_ns, gap_ns;
    int64_t before_wall_ns; /* the predecessor's last renewal, by its clock; 0: there was none */
    bool from_trial;        /* a trial was under way */
    bool unusable;          /* the predecessor's checkpoint, or a part of it */
};
struct election_lead election_lead(const struct election *e);
int64_t election_term(const struct election *e);
/* Has the API server shown that this process may write the Lease? Otherwise why says what is wrong. */
bool election_writable(const struct election *e, struct buf *why);
struct slice
election_last(const struct election *e); /* what the one that released it had to add; valid while leading */
const char *election_identity(const struct election *e);
const char *election_holder(const struct election *e); /* as last seen; "" nobody or not known */
#endif
