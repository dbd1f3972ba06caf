/* The inside of an election: election.c runs the lease machine, checkpoint_io.c the checkpoints,
 * checkpoint_gc.c what checkpoints have left behind, election_holder.c looks for the holder's death
 * certificate. */
#ifndef LEADER_ELECTION_IMPL_H
#define LEADER_ELECTION_IMPL_H
#include "base/log.h"
#include "kube/informer.h"
#include "lease_access.h"
#include "leader/election.h"
#include "leader/lease_object.h"

/* Callbacks are told on a turn of their own, in the order in which they came up. */
enum told { TELL_LEAD, TELL_LOST, TELL_OVER, TELL_RENEWED, TELL_NOT_RENEWED };
struct tell {
    enum told what;
    enum lease_reason reason;
    int64_t term;
};
enum { TELLS = 8 };

/* One request for one ConfigMap of a checkpoint: to read, to write, to delete. */
struct part_op {
    struct election *e;
    struct kube_op *op;
    size_t i;
    bool patching; /* it was there already */
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
    bool creating;                 /* the write under way is a POST */
    bool stopping;                 /* election_stop() */
    bool watching;                 /* as the machine was told */
    bool renew_wanted, renew_sent; /* by election_renew_now(); the write under way answers it */
    struct timer *tick, *turn;
    struct tell tells[TELLS];
    size_t ntells;

    /* May the Lease be written? */
    struct lease_access access;
    struct log_limit read_failures, write_failures;
    struct kube_op *dry_run_op;
    struct timer *dry_run_tick;
    struct metric *writable;
    struct metric_family *errors;

    /* Checkpoints. */
    struct buf taken;                 /* what stood on the record when we contested */
    int64_t taken_term;               /* its leaseTransitions */
    struct tell lead;                 /* waits for the parts of the predecessor's checkpoint */
    struct checkpoint_reader *reader; /* while its parts are read */
    bool own;                         /* lead() was called: from now on what is written is our own work */
    bool own_sent,
        own_written; /* the write under way has it; it stands on the server: the old parts are of no use */
    struct checkpoint *saving; /* the last one, while its parts are written */
    int64_t save_until_ns;     /* boot time */
    bool save_failed;
    struct buf final; /* the annotation that goes with the release */
    bool final_ready;
    struct part_op parts[CHECKPOINT_PARTS_MAX];
    size_t nparts_open; /* requests under way */
    int64_t old_made;   /* the predecessor's parts, to be deleted; -1: none */
    size_t old_parts;
    bool swept; /* parts that nobody reads any more were looked for */
    struct kube_op *sweep_op;
    struct buf leftover; /* their names, each with a blank behind it */
    size_t leftover_pos;

    /* The holder's pod. */
    struct informer *pod_watch;
    char pod_holder[IDENTITY_MAX]; /* whose pod is watched; "": nobody's */
    struct timer *pod_turn;
    struct log_limit pod_failures;

    struct metric *status, *gap, *slowpath;
    struct metric_family *takeovers;
};

/* election.c */
void election_event(struct election *e, enum lease_event ev);
void election_dead(struct election *e, struct slice holder);
void election_tell_lead(struct election *e, const struct tell *t);

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
/* We are the leader: reads what the predecessor left, then tells. */
void checkpoint_io_lead(struct election *e, const struct lease_out *out);
void checkpoint_io_call_lead(struct election *e, const struct tell *t); /* calls lead() */
void checkpoint_io_renewed(struct election *e);
/* Writes the parts of the last checkpoint if need be, for parts_ns at most, then LEASE_EV_DRAINED. */
void checkpoint_io_final(struct election *e, int64_t parts_ns);
bool checkpoint_io_cancel(
    struct election *e); /* what is under way has no sense any more; true: checkpoint_io_final() was */
void checkpoint_io_lost(struct election *e); /* the fence is shut */
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
