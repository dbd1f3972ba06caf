/* The inside of an election: election.c runs the lease machine, checkpoint_io.c the checkpoint's flow,
 * checkpoint_gc.c deletes parts that no checkpoint names, election_holder.c watches for the holder's death
 * certificate, election_access.c finds out whether the Lease can be written. */
#ifndef LEADER_ELECTION_IMPL_H
#define LEADER_ELECTION_IMPL_H
#include "base/log.h"
#include "checkpoint_flow.h"
#include "kube/informer.h"
#include "lease_access.h"
#include "leader/election.h"
#include "leader/lease_object.h"

/* Callbacks that are due, each on a turn of its own, in this order. */
enum notice {
    NOTICE_LEAD,
    NOTICE_LATE_WORK,
    NOTICE_RENEWED,
    NOTICE_ORDERS,
    NOTICE_TRIAL,
    NOTICE_LOST,
    NOTICE_OVER
};

/* One request for one ConfigMap of a checkpoint: to read, to write, to delete. */
struct part_op {
    struct election *e;
    struct kube_op *op;
    size_t i;
};

struct election {
    struct kube *kube;
    char *ns, *name, *termination_log;
    char id[IDENTITY_MAX];
    struct election_cb cb;
    void *ctx;
    struct lease *lease;
    struct informer *watch;
    struct kube_op *get_op, *write_op;
    bool creating;                       /* the write under way is a POST */
    bool stopping;                       /* election_stop() */
    bool watching;                       /* as the machine knows it */
    bool renew_wanted, renew_sent;       /* by election_renew_now(); the write under way answers it */
    bool running, write_failed, drained; /* see election_run() */
    struct timer *tick, *turn;

    unsigned notices;                                  /* a bit for each enum notice that is due */
    int64_t lead_gap_ns, lead_wall_ns, before_wall_ns; /* as election_lead() */
    enum lease_reason lead_reason, lost_reason, over_reason;
    bool renewed_ok;
    bool from_trial, unusable; /* as election_lead() */
    int64_t told_trial_us;     /* as the last call of cb.trial() had it */

    bool led;                   /* lead() was called */
    struct buf last;            /* as the predecessor left it */
    struct buf orders, carried; /* as they stand on the Lease; the last ones that were carried out */

    /* May the Lease be written? */
    struct lease_access access;
    struct log_limit read_failures, write_failures;
    struct kube_op *dry_run_op;
    struct timer *dry_run_tick;
    struct metric *writable;
    struct metric_family *errors;

    /* Checkpoints. */
    struct checkpoint_flow flow;
    struct timer *flow_tick;
    struct buf taken;                 /* what stood on the record when we contested */
    int64_t taken_term;               /* its leaseTransitions */
    struct checkpoint_reader *reader; /* the predecessor's; NULL: none */
    bool own_sent;                    /* the write under way has our own work */
    struct checkpoint *saving;        /* the last one, while its parts are written */
    bool saving_begins;               /* FLOW_EV_SAVING is due */
    struct buf final;                 /* the annotation that goes with the release */
    bool final_ready;
    struct part_op parts[CHECKPOINT_READ_MAX];
    bool collected; /* the garbage collection of parts has begun */
    struct kube_op *gc_op;
    struct buf leftover; /* their names, each with a blank behind it */
    size_t leftover_pos;

    /* The holder's pod. */
    struct informer *pod_watch;
    char pod_holder[IDENTITY_MAX]; /* the identity whose pod is watched; "": none */
    struct timer *pod_turn;
    struct log_limit pod_failures;

    struct metric *status, *gap, *slowpath;
    struct metric_family *takeovers;
};

/* election.c */
void election_dead(struct election *e, struct slice holder);
void election_notify(struct election *e, enum notice what);
struct lease_in election_input(struct election *e,
                               enum lease_event ev);               /* with the time and a random number */
void election_step(struct election *e, const struct lease_in *in); /* an event from outside */
void election_event(struct election *e, enum lease_event ev);
void election_answer_renewal(struct election *e, bool ok); /* if election_renew_now() waits for it */
void election_run(struct election *e);                     /* takes the events that came of effects */

/* election_requests.c */
enum {
    NOTE_MAX = 256 << 10 /* what the API allows for all annotations of an object */,
    ORDERS_MAX = 64 << 10
};
void election_get(struct election *e, int64_t timeout_ns);
void election_write(struct election *e, const struct lease_out *out);

/* election_access.c */
void election_access_metrics(struct election *e, struct metrics *m);
/* A request for the Lease was answered; err NULL: it succeeded. */
void election_access_answer(struct election *e, enum lease_request r, const struct err *err);
void election_access_look(struct election *e); /* after each step: is a dry run due? */
void election_access_tick(void *ctx);
void election_access_free(struct election *e);

/* checkpoint_io.c */
/* The annotation for a write; false: it stays as it is. */
bool checkpoint_io_note(struct election *e, const struct lease_out *out, struct buf *value);
void checkpoint_io_acquired(struct election *e); /* LEASE_LEAD */
void checkpoint_io_feed(struct election *e, const struct flow_event *ev);
void checkpoint_io_tick(void *ctx);
void checkpoint_io_free(struct election *e);

/* checkpoint_gc.c */
#define PART_LABEL "handover.dev/checkpoint" /* of a ConfigMap that is a part; the value is "part" */
enum { LEFTOVER_MAX = 64 << 10 };            /* bytes of names; what is more is left to the next leader */
void checkpoint_gc_once(struct election *e);
void checkpoint_gc_free(struct election *e);

/* election_holder.c */
void election_holder_look(struct election *e); /* after each step: is another pod to be watched? */
void election_holder_turn(void *ctx);
#endif
