/* Leader election on a Kubernetes Lease as a pure state machine: what was seen, answered or asked for goes
 * in, what to send and what to become comes out. No clock, no randomness, no I/O. docs/design.md "Leadership"
 * gives the reasons.
 *
 * Safety rests on three things. Every write carries the resourceVersion of the record it was decided on, so
 * that a write that is late, repeated or based on old news is refused by the server. The fence lasts renew_ns
 * from the moment the last executed renewal was *decided*, which is before it was sent; nobody else takes an
 * unreleased lease before lease_ns have passed since it *saw* that renewal, which is after it was executed:
 * only the rates of the clocks matter. And a write whose outcome is not known (timed out, conflict, 5xx) is
 * resolved by reading the Lease before anything else is written. */
#ifndef LEADER_LEASE_H
#define LEADER_LEASE_H
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

enum { LEASE_ID_MAX = 512, LEASE_RV_MAX = 64, LEASE_UID_MAX = 64, LEASE_RAW_MAX = 2 << 20 };

struct lease_config {
    const char *identity; /* ours, copied; see certificate.h */
    int64_t lease_ns, renew_ns,
        retry_ns; /* 0: 15 s, 10 s, 2 s. lease > renew > 1.2 * retry; lease in whole seconds */
    /* A new version of this program on trial: it contests only where lease_rec.successor names it. */
    bool canary;
    int64_t orphan_ns; /* or where nobody has taken the lease for so long since anybody might; 0: 60 s */
};
/* Fills in the defaults and checks; the message says what was read and what is allowed. */
int lease_config_check(struct lease_config *cfg, struct err *err);

/* What election reads and writes of a Lease; lease_object.h translates. */
struct lease_rec {
    char uid[LEASE_UID_MAX], rv[LEASE_RV_MAX];
    char holder[LEASE_ID_MAX];    /* "": released */
    int64_t duration_ns;          /* leaseDurationSeconds; 0: absent */
    int64_t acquire_us, renew_us; /* microseconds since 1970, as MicroTime has them; 0: absent */
    int64_t transitions;
    /* Trials of a new version (docs/reference/checkpoint.md). successor: "POD_UID", whose processes are to take the lease next, "":
     * none is named. guardian: the same of who has named them. trial_us: a trial is under way until then, wall clock; 0: none is. */
    char successor[LEASE_ID_MAX], guardian[LEASE_ID_MAX];
    int64_t trial_us;
};

enum lease_event {
    LEASE_EV_TICK,        /* time has passed; any other event does as well */
    LEASE_EV_SEEN,        /* rec, raw: by the watch (watched), or the answer to LEASE_GET */
    LEASE_EV_ABSENT,      /* deleted (watched), or LEASE_GET answered 404 */
    LEASE_EV_READ_FAILED, /* LEASE_GET failed */
    LEASE_EV_WRITTEN,     /* LEASE_WRITE succeeded; rec, raw: the answer */
    LEASE_EV_CONFLICT,    /* 409; also 404 of an update: read again */
    LEASE_EV_FAILED,      /* certainly not executed, may work later */
    LEASE_EV_REFUSED,     /* certainly not executed, will not work as things are (404 of a create, 422) */
    LEASE_EV_UNKNOWN,     /* timed out, connection lost, 5xx: may have been executed, or may be yet */
    LEASE_EV_DEAD,        /* holder: this identity is certainly dead, see certificate.h. Remembered */
    LEASE_EV_WATCH,       /* on: the watch delivers, or no longer */
    LEASE_EV_READY, /* on: may contest (caches are warm), or not; off at first. A leader is not affected */
    LEASE_EV_RENEW, /* the next renewal is wanted now (a checkpoint to be written); no-op when not leading */
    LEASE_EV_YIELD, /* holder, until_us: the release is to name this successor, for a trial until then */
    LEASE_EV_STOP,  /* never acquire any more. A leader goes on renewing until LEASE_EV_DRAINED */
    LEASE_EV_DRAINED, /* nothing of ours mutates any more: the fence shuts for good, the lease is released */
    LEASE_EV_GIVE_UP, /* no time left: exit as things are */
};
/* The event for a LEASE_WRITE that failed with e. create: it was a POST. */
enum lease_event lease_event_of(const struct err *e, bool create);

struct lease_in {
    enum lease_event ev;
    bool watched, on;
    int64_t boot_ns, wall_ns;    /* CLOCK_BOOTTIME and CLOCK_REALTIME of this moment */
    uint64_t rnd;                /* any random number, for jitter */
    const struct lease_rec *rec; /* LEASE_EV_SEEN, LEASE_EV_WRITTEN */
    struct slice
        raw; /* the object's text, at most LEASE_RAW_MAX; copied. Renewals keep what others wrote in it */
    struct slice holder;    /* LEASE_EV_DEAD; LEASE_EV_YIELD: lease_rec.successor */
    int64_t until_us;       /* LEASE_EV_YIELD: lease_rec.trial_us */
    int64_t retry_after_ns; /* with a failure: the server asks to wait this long; a leader waits at most
                               retry_ns */
};

/* What is to be done, in the order of the list that a step returns: RENEWED, LEAD, STOP_WORK, EXIT, GET,
 * WRITE. The values are bits, so that a set of them can be compared. */
enum lease_effect {
    LEASE_GET =
        1, /* read the Lease (not from a cache: no resourceVersion); answer with SEEN, ABSENT or READ_FAILED */
    LEASE_WRITE =
        2, /* send `write`; answer with WRITTEN .. UNKNOWN. A LEASE_GET under way is cancelled, unanswered */
    LEASE_LEAD = 4, /* this process is the leader, of `term`; once */
    LEASE_STOP_WORK =
        8, /* mutate no more (the fence is shut already), drain, answer with LEASE_EV_DRAINED; once */
    LEASE_EXIT = 16,    /* nothing more to do; once, last */
    LEASE_RENEWED = 32, /* a renewal was executed; `renewed_at` says when it was decided */
};
enum { LEASE_EFFECTS = 6 };
enum lease_write_kind { LEASE_ACQUIRE, LEASE_RENEW, LEASE_RELEASE };
enum lease_reason {
    LEASE_R_NONE,
    /* LEAD: why the lease could be taken */
    LEASE_R_ABSENT,
    LEASE_R_RELEASED,
    LEASE_R_EXPIRED,
    LEASE_R_DEAD,
    /* STOP_WORK */
    LEASE_R_TAKEN,    /* another candidate holds it */
    LEASE_R_DEADLINE, /* not renewed by the renew deadline */
    /* EXIT: TAKEN, or */
    LEASE_R_GIVEN_BACK,   /* we released it */
    LEASE_R_NOT_HELD,     /* we did not hold it */
    LEASE_R_NOT_RELEASED, /* it may still name us: the successor waits for a certificate or the expiry */
};
const char *lease_reason_name(enum lease_reason r); /* "released": for metrics labels and logs */

/* What is worth a line in the log. */
enum lease_log {
    LEASE_LOG_NONE,
    LEASE_LOG_CONTEST,  /* the lease may be taken: the first attempt since it may */
    LEASE_LOG_RECREATE, /* the Lease was deleted under us: made again */
    LEASE_LOG_GIVE_UP,  /* LEASE_EV_GIVE_UP, and it may still name us */
};
struct lease_out {
    enum lease_effect effects[LEASE_EFFECTS]; /* each at most once */
    size_t neffects;
    struct {
        enum lease_write_kind kind;
        bool create;          /* POST; else PUT with rec.rv as precondition */
        struct lease_rec rec; /* as it is to stand there; uid and rv "" when create */
    } write;
    int64_t timeout_ns; /* for the GET or WRITE */
    int64_t wake_ns;    /* boot time of the next LEASE_EV_TICK at the latest; TIME_NEVER */
    int64_t term;       /* LEAD */
    int64_t before_us;  /* LEAD: the predecessor's last renewTime; 0: there was none */
    int64_t gap_ns;     /* LEAD: since the last sign of the predecessor was seen; -1: there was none */
    bool from_trial;    /* LEAD: a trial was under way */
    int64_t renewed_at; /* RENEWED: boot ns of the step that decided on that write */
    enum lease_reason reason;
    enum lease_log log;
};

struct lease;
struct lease *lease_new(const struct lease_config *checked);
void lease_free(struct lease *l);
/* At most one GET or WRITE is under way at a time, and each is answered by exactly one event (but for the
 * cancelled GET). */
void lease_step(struct lease *l, const struct lease_in *in, struct lease_out *ret);

/* The fence: may a mutation leave at this moment? */
bool lease_may_mutate(const struct lease *l, int64_t boot_ns);
int64_t lease_fence_ns(
    const struct lease *l); /* boot time at which the fence shuts unless renewed; 0 if it is shut */
bool lease_leading(const struct lease *l);                 /* LEAD was said, STOP_WORK and DRAINED were not */
bool lease_over(const struct lease *l);                    /* EXIT was said */
int64_t lease_term(const struct lease *l);                 /* ours; -1 before we ever led */
const struct lease_rec *lease_last(const struct lease *l); /* as last seen; NULL: never seen, or absent */
struct slice lease_raw(const struct lease *l);             /* its text; empty if it came without */
#endif
