/* The lease machine's state, shared by what it observes (lease_observe.c) and what it decides (lease.c). */
#ifndef LEADER_LEASE_STATE_H
#define LEADER_LEASE_STATE_H
#include "leader/lease.h"

enum lease_state { S_STANDBY, S_LEADING, S_LOST, S_CLOSING, S_OVER };
enum lease_pending { P_NONE, P_GET, P_WRITE };
enum { LEASE_SENT = 8 };

struct lease {
    struct lease_config cfg;
    char id[LEASE_ID_MAX];
    enum lease_state state;
    int64_t now_ns; /* never goes back, whatever the caller says */
    uint64_t rnd;

    /* What is known of the Lease. */
    bool known, absent; /* known: rec is something that stood there once; absent: it was deleted since, or
                           never was */
    bool heard;         /* a first answer has come, be it that there is none */
    struct lease_rec rec;
    struct buf raw;
    int64_t observed_ns;     /* when rec was first seen as it stands; expiry counts from here */
    int64_t held_until_ns;   /* absent: when the last holder's fence is shut for certain */
    int64_t max_term;        /* the highest transitions ever seen: terms only grow, even over a deletion */
    int64_t heard_ns;        /* when anything was last heard of it */
    int64_t sighted_ns;      /* since then, without a gap of a lease's duration in which nothing was */
    int64_t absent_ns;       /* absent: when that was first seen */
    char dead[LEASE_ID_MAX]; /* the identity that has a death certificate; "": none */
    int64_t dead_ns;         /* when it was shown */
    bool must_read;          /* what is known may be wrong: read before anything is decided on it */
    bool unresolved;         /* and so because a write of ours may or may not have been executed */
    bool reread;             /* a hint came while a GET was under way: its answer may be older */

    /* Requests. */
    enum lease_pending pending;
    enum lease_write_kind writing;
    int64_t decided_ns;         /* the write's decision */
    char base_rv[LEASE_RV_MAX]; /* the version that the write was decided on; "" for a POST */
    char get_rv[LEASE_RV_MAX];  /* what was known when the GET was sent */
    struct {
        int64_t renew_us, at_ns;
    } sent[LEASE_SENT]; /* our last writes by the renewTime in them: no two are equal */
    unsigned nsent;
    int64_t wait_ns, reported_ns; /* no request before these: our own backoff; the server's Retry-After */
    unsigned fails, conflicts;    /* in a row */
    bool watch_up;
    int64_t poll_ns; /* standby: when to read although nothing was heard */
    int64_t warm_ns; /* standby: when to read although the watch delivers */

    /* We. */
    bool ready, stopping, shut; /* shut: the fence, for good */
    bool renew_now, released;   /* released: a release was sent at least once */
    int64_t renewed_ns; /* decision of the last write of ours that is known to be executed; -1: none */
    int64_t next_renew_ns, term;
    int64_t before_us; /* renewTime of the record that our acquisition takes the place of */
    enum lease_reason claim, lost;
    int64_t claim_seen_ns;    /* last sign of the predecessor; -1: none */
    char yield[LEASE_ID_MAX]; /* who is to be named by the release; "": nobody */
    int64_t yield_us;
    bool from_trial;    /* our acquisition ends a trial, or is one */
    bool contested;     /* since it may be taken */
    enum lease_log log; /* in this step, as is */
    unsigned effects;
    bool renewed;
};

/* lease_trial.c */
/* For how long this candidate leaves a lease that may be taken for this reason to others. */
int64_t lease_patience(const struct lease *l, enum lease_reason claim);
/* The successor and the trial that a write of this kind is to leave there. */
void lease_mark_trial(const struct lease *l, enum lease_write_kind kind, struct lease_rec *rec);

/* lease_observe.c */
void lease_observe_record(struct lease *l, const struct lease_rec *rec, struct slice raw, bool watched);
void lease_observe_absent(struct lease *l, bool watched);
void lease_observe_written(struct lease *l, const struct lease_rec *rec, struct slice raw);
/* Is a newer version known than the last write was decided on? Then it was executed before that, or never
 * will be. */
bool lease_moved_on(const struct lease *l);
void lease_observe_doubt(struct lease *l); /* the write under way may have been executed, or may be yet */
bool lease_is_ours(const struct lease *l);
/* May it be taken now, and why; else when at the earliest (TIME_NEVER: not by the passing of time). */
enum lease_reason lease_claimable(const struct lease *l, int64_t *ret_when_ns);
int64_t lease_jittered(const struct lease *l, int64_t ns); /* 50..100 % of ns */
#endif
