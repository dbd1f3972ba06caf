/* The way from "stop" to the exit, as a pure state machine: named phases under a deadline. What is in flight
 * runs on uncancelled as long as there is time, the lease is renewed all the while, and it is released only
 * once the work has stopped. docs/reference/drain.md has the table of signals and exit codes. */
#ifndef LEADER_DRAIN_H
#define LEADER_DRAIN_H
#include "base/err.h"
#include "base/time.h"

struct drain_config {
    int64_t grace_ns;   /* terminationGracePeriodSeconds of the pod; 0: 30 s */
    int64_t reserve_ns; /* of it, kept for cancelling and releasing; 0: a sixth, at least 1 s, at most 5 s and
                           half of it */
};
int drain_config_check(struct drain_config *cfg, struct err *err);

enum drain_phase {
    DRAIN_RUNNING,
    DRAIN_CHECKPOINT_EARLY, /* intake is shut, a checkpoint is being written: eviction leaves 2 s whatever the
                               grace */
    DRAIN_INTAKE_CLOSED,    /* that is done; waiting for the intake to be shut, where this takes time */
    DRAIN_FINISHING,        /* what is in flight runs on */
    DRAIN_CANCELLING,       /* asked to stop; what ends now is marked interrupted */
    DRAIN_RELEASING, /* nothing of ours mutates any more; one write gives the lease and the checkpoint away */
    DRAIN_DONE,
};
enum { DRAIN_PHASES = DRAIN_DONE + 1 };
const char *drain_phase_name(enum drain_phase p); /* "checkpoint-early" */

enum drain_event {
    DRAIN_EV_TICK,
    DRAIN_EV_SIGNAL, /* SIGTERM, SIGINT, or a caller that wants to stop: the first begins, the second cancels,
                        the third exits */
    DRAIN_EV_LOST,   /* the lease is lost: mutating is over, so is the work */
    DRAIN_EV_CHECKPOINTED, /* the early checkpoint was written, or cannot be */
    DRAIN_EV_CLOSED,       /* the intake is shut: nothing new starts */
    DRAIN_EV_IDLE,         /* inflight has changed */
    DRAIN_EV_RELEASED,     /* the lease is no longer ours, or never was */
    DRAIN_EV_NOT_RELEASED, /* it may still be ours and nothing more can be done about it */
    DRAIN_EV_DEADLINE, /* the process is killed in left_ns from now; never lengthens the drain, and has no effect before
                          the first signal */
};
struct drain_in {
    enum drain_event ev;
    int64_t boot_ns;
    bool leading;    /* since LEASE_LEAD */
    size_t inflight; /* reconciles that have not ended */
    int64_t left_ns; /* DRAIN_EV_DEADLINE */
};
/* What is to be done, in this order. The values are bits, so that a set of them can be compared. */
enum drain_effect {
    DRAIN_NOT_READY = 1,    /* /readyz fails; LEASE_EV_STOP for the lease machine */
    DRAIN_CLOSE_INTAKE = 2, /* start nothing new; answer with DRAIN_EV_CLOSED (at once is fine) */
    DRAIN_CHECKPOINT = 4,   /* write a checkpoint now; answer with DRAIN_EV_CHECKPOINTED */
    DRAIN_CANCEL = 8,       /* ask what is in flight to stop */
    DRAIN_RELEASE = 16,     /* LEASE_EV_DRAINED for the lease machine; answer with RELEASED or NOT_RELEASED */
    DRAIN_ABANDON = 32,     /* LEASE_EV_GIVE_UP for the lease machine */
    DRAIN_EXIT = 64,        /* with `exit_code`; once, last */
};
enum { DRAIN_EFFECTS = 7 };
/* What is worth a line in the log. */
enum drain_log {
    DRAIN_LOG_NONE,
    DRAIN_LOG_HURRY,        /* the second signal */
    DRAIN_LOG_FORCED,       /* the third signal */
    DRAIN_LOG_CANCEL_LOST,  /* work is cancelled since the lease is lost */
    DRAIN_LOG_CANCEL_LATE,  /* work is cancelled since time is up */
    DRAIN_LOG_STUCK,        /* cancelled work does not end: no release */
    DRAIN_LOG_NO_TIME,      /* no time left for the release */
    DRAIN_LOG_NOT_RELEASED, /* the release was refused */
};
enum drain_exit {
    DRAIN_X_CLEAN = 0, /* all work ended by itself, the lease is free */
    DRAIN_X_CUT =
        3, /* work was cancelled, its keys are in the checkpoint as interrupted; the lease is free */
    DRAIN_X_STUCK =
        4, /* work would not end: the lease was not released, a certificate or the expiry frees it */
    DRAIN_X_NOT_RELEASED = 5, /* the lease could not be released (API server unreachable): as above */
    DRAIN_X_LOST = 6,         /* stopped because the lease was lost or could not be renewed */
}; /* never 255: that is what a lost shim gives, and proves nothing (certificate.h) */
struct drain_out {
    enum drain_effect effects[DRAIN_EFFECTS]; /* each at most once */
    size_t neffects;
    enum drain_phase phase;
    int64_t spent_ns[DRAIN_PHASES]; /* time spent in each phase that this step left, else 0 */
    int64_t wake_ns;                /* boot time of the next DRAIN_EV_TICK at the latest; TIME_NEVER */
    int exit_code;
    enum drain_log log;
};

struct drain {
    struct drain_config cfg;
    enum drain_phase phase;
    int64_t phase_ns, began_ns;
    int64_t cancel_ns, stuck_ns, end_ns,
        kill_ns; /* work is cancelled; given up; release given up; we are killed */
    size_t inflight;
    unsigned signals;
    bool leading, lost, cut, stuck, closed, checkpointed, released, exited;
    unsigned effects; /* of the step being made */
};
void drain_init(struct drain *d, const struct drain_config *checked);
/* Another grace period, as learnt from the pod. Only before the drain begins; no-op later. */
void drain_config_set(struct drain *d, const struct drain_config *checked);
void drain_step(struct drain *d, const struct drain_in *in, struct drain_out *ret);
int64_t drain_left_ns(const struct drain *d,
                      int64_t boot_ns); /* until it must have exited; TIME_NEVER while running */
#endif
