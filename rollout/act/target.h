/* What a process remembers of one target between two reconciles. All of it can be lost: the facts are in its
 * ConfigMap. */
#ifndef ROLLOUT_TARGET_H
#define ROLLOUT_TARGET_H
#include "act/evidence_points.h"
#include "observe/slice_caches.h"
#include "plan/plan.h"
#include <uthash.h>

struct reconcile;
struct round;
struct check_work;
struct rehearsal_work;
struct target_view;
enum target_proof {
    PROOF_NONE,
    PROOF_SHOWN,
    PROOF_DENIED, /* it is not in effect for it */
};
struct target_policy { /* act/policy_proof.h */
    char id[11];       /* which policy it is about */
    enum target_proof proof;
    bool settled;   /* shown when that had settled */
    int64_t due_ns; /* boot: when the question is asked again */
};
/* What is shown of a state between two reconciles. */
struct target_face {
    enum phase phase;
    enum hold hold;
    int64_t hold_ns;
    bool adopted;
    char *stable, *image, *policy; /* state.stable_name, image, policy */
};
/* What the rounds of scrapes of one rollout are compared with. */
struct target_rounds {
    char hash[11];
    int64_t began_ns;            /* state.began_ns of that rollout */
    struct signals_pods signals; /* for the signals beside errors */
    struct switchback turns;     /* mode leader: stable's looks that wait for one of the canary's */
};
struct target {
    char *key, *ns, *name; /* name: the id (workload.h) */
    struct state
        *state;     /* with the evidence of the rounds since it was written; NULL: none held, or at rest */
    char *state_rv; /* of the ConfigMap that `state` belongs to; NULL: none known */
    struct target_face face; /* of that version, at rest too */
    bool confirmed;          /* this process wrote that version of it */
    bool clash;              /* a ConfigMap of that name is there and not in our caches: it has to be read */
    enum own_pod own;        /* is this process a pod of it? */
    bool own_looked;         /* its pods were there to be looked at, before anything depends on that */
    enum obs_need holds;     /* what is held of the caches of its namespace */
    struct target_rounds rounds; /* of the present rollout */
    int64_t scraped_ns;          /* wall: of the last round, for the plan */
    int64_t round_ns;            /* boot: of the same, for the next one; 0: none yet */
    int64_t scrape_every_ns;
    int64_t
        source_every_ns; /* Prometheus's own scrapes of its pods: more often there is nothing new; 0: not it */
    struct round *round;  /* its scrapes; NULL: none were needed yet */
    uint64_t round_taken; /* number of the last of its rounds that was looked at */
    int64_t looked_ns;    /* boot: when that was */
    char *trouble;
    bool history_known;
    uint64_t history_errors, history_total;
    struct evidence_points *points; /* of the same rounds, for the page; NULL: none yet */
    struct quiet_row quiet[TRACKS];
    bool probe;
    enum track probe_track;
    bool crowd_reported;    /* that there are more pods than the evidence has places */
    char *last_error;       /* said once, not at every retry */
    struct refusal refused; /* the last write that was refused */
    char *refused_text;     /* the server's words; NULL: none was */
    unsigned refused_times; /* in a row */
    int64_t taken_ns;       /* boot: when the canary's name was last found taken; 0: never */
    struct target_policy policy;
    bool given_up;               /* ended with a terminal error: looked at again now and then */
    struct foreign_lease *lease; /* of another namespace; NULL: none is asked for */
    struct slice_cache *objects; /* of the slice that its state has; NULL: none */
    struct slice_sum slice;      /* of these, when it was last looked at */
    bool none_labelled;          /* by the word of the server, and nothing was labelled since */
    /* The newest change of phase that was reported; known: there may be none. Not known: this leader has not looked yet. */
    struct state_change told;
    bool told_known;
    struct target_view *view;         /* what the page shows of it; NULL: nobody has looked */
    struct rehearsal_work *rehearsal; /* its rehearsal, as it is looked after; NULL: none is */
    struct check_work *checks;        /* its checks that are asked; NULL: none */
    struct reconcile *reconcile;      /* in flight; NULL if none */
    UT_hash_handle hh;
};
void target_view_free(struct target *t);                          /* act/view.c */
struct target *target_get(struct target **all, struct slice key); /* made on first use */
void target_forget(struct target **all, struct target *t);        /* not while a reconcile is in flight */
void target_hold_state(struct target *t, const struct state *s, const char *rv); /* copies */
/* The state that is there: the one that is held if that is this version of it. read: the ConfigMap, read; NULL: rec is what the cache has,
 * NULL if there is none. */
enum known_state target_take_state(struct target *t, const cJSON *read, const struct store_rec *rec,
                                   const char **ret_rv, struct err *ret_err);
/* Between two reconciles, nothing being measured: what its ConfigMap says need not be held parsed as well (half of what a target
 * takes), and is read again from the cache when it is looked at. */
void target_rest(struct target *t);
void target_refused(struct target *t, enum step_kind kind, const char *text);
void target_refused_no_more(struct target *t, enum step_kind kind); /* if it is what was refused last */
void target_rounds_move(struct target_rounds *from,
                        struct target_rounds *to); /* to is empty, and from then */
void target_rounds_free(struct target_rounds *r);
void target_match_rounds(struct target *t); /* of another rollout than its state's: they begin anew */
#endif
