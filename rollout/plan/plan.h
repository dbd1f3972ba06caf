/* The heart: from all that is seen of one target and the time to the next steps. A pure function: the same
 * input gives the same plan. Every plan writes the new state down before its effects, every effect may be
 * repeated, and each plan looks at everything afresh: killed after any API write, the next leader reaches the
 * same end.
 *
 * The edge's duties:
 *  - one plan at a time per target; do not plan from caches that lag behind our own last write to an object;
 *  - carry the steps out in order, stop at the first error, then observe and plan again (conflicts: at once);
 *  - after STEP_STATE: adopt plan.next as the state, with the resourceVersion of the answer; then send the
 * Events and count the metrics of the plan (none of them before, so that a repeated plan does not repeat
 * them). A plan without a state to write has Events only of a damaged state or of a release: they go out
 * after its last step. An Event that claims an effect is part of the plan that sees it, which is the next one
 * after the plan that brings it about;
 *  - while plan.scrape_ns > 0, scrape the pods at that interval and call plan_feed() after each round; then
 * plan again. */
#ifndef ROLLOUT_PLAN_H
#define ROLLOUT_PLAN_H
#include "api/gvr.h"
#include "judge/signals_pods.h"
#include "judge/switchback.h"
#include "observe/dead_pods.h"
#include "observe/objects.h"
#include "plan/check.h"
#include "plan/events.h"
#include "plan/object_slice.h"
#include "plan/quiet.h"
#include "plan/state.h"

/* MutatingAdmissionPolicy handover-hold: the API server itself pauses and marks the target in the write that changes its template. */
enum hold_policy {
    POLICY_UNKNOWN, /* not known yet whether it is in effect for this target: held as it was */
    POLICY_ABSENT,  /* it is not: held by spec.paused at all times */
    POLICY_HOLDS,   /* shown to be: not paused at rest */
};
enum step_kind {
    STEP_STATE, /* create or merge-patch the ConfigMap */
    STEP_STATE_DELETE,
    STEP_TARGET,    /* merge-patch the Deployment or StatefulSet */
    STEP_CANARY,    /* create the canary's ReplicaSet */
    STEP_REHEARSAL, /* create one of a rehearsal's */
    STEP_REPORT,    /* what a rehearsal found, into its ConfigMap */
    STEP_RS,        /* merge-patch a ReplicaSet (scale, annotate) */
    STEP_RS_DELETE,
    STEP_POD_DELETE, /* of a StatefulSet: its controller makes it again */
    STEP_LEASE,      /* merge-patch a Lease that a dead process holds */
    STEP_OBJECTS,    /* labels of objects (plan.order); no step, but refused like one */
};
/* A write that the API server has refused (403, 422, 500: RBAC, quota, admission), and not only once. */
struct refusal {
    enum step_kind kind;
    const char *text; /* which write, and the server's words */
};
/* The objects that the state's slice is cut from, and the canary's pods, whatever they are controlled by. */
struct slice_seen {
    bool known;          /* all of them are in sum */
    bool absent;         /* the API server has no such resource (any more) */
    bool verified;       /* the server has said that none is labelled, and none was since */
    const char *trouble; /* why they are not known, and what can be done; NULL: they will be */
    struct slice_sum sum;
    int64_t boot_ns; /* when this was seen; the clock of sum.youngest_ns */
    uint32_t pods;   /* of a canary of this target that may be alive */
    const char *pod; /* one of them */
};
/* What the pods of a rehearsal have reported: what the new version would do and stable's would not. */
struct rehearsal_report {
    uint64_t run;    /* plan_rehearsal_run() of these pods */
    int64_t read_ns; /* wall clock: when they were asked */
    char digest[17];
    char *line;
    bool empty;
    bool full; /* not whole: the sidecar has reached a limit */
    bool idle; /* the new version has asked its sidecar for nothing: it has another way */
    uint64_t count[REPORT_KINDS];
    struct buf text; /* the whole, as it is to be kept */
};
/* The ConfigMap with the report of the last rehearsal. */
enum report_map { MAP_UNKNOWN, MAP_ABSENT, MAP_OURS, MAP_FOREIGN /* nothing of ours, and left alone */ };
struct rehearsal_seen {
    const char *image;   /* of Handover itself; NULL: not known (yet) */
    const char *groups;  /* API groups of CustomResourceDefinitions, one a line; NULL: not known yet */
    int minor;           /* of the API server, Kubernetes 1.MINOR; -1: not known yet */
    const char *trouble; /* why one of these is not known; NULL: it will be */
    const char *tmpl;    /* stable's, as text; NULL: not known yet, or it cannot be had */
    bool no_tmpl;        /* it cannot be had */
    const struct rehearsal_report *report; /* the last one; NULL: none */
    const char *report_trouble;            /* why the last one could not be read; NULL: it could */
    enum report_map map;
    const char *map_rv, *map_trouble; /* map_trouble: why it cannot be looked at; NULL: it can */
    char map_digest[17];              /* of the report in it */
    uint64_t map_run;                 /* ... and that report's run; 0: not known */
};
enum own_pod { OWN_NONE, OWN_STABLE, OWN_CANARY };
struct observed {
    const char *name;                /* the target's id (workload.h); also when it does not exist any more */
    const struct obs_target *target; /* NULL: it does not exist (any more) */
    /* ReplicaSets and Pods below are complete, as far as plan_needs() asks for them. False: nothing is changed but what a
     * pause needs. Canaries are complete in either case. */
    bool known;
    const struct obs_rs
        *rs; /* all with an owner reference to the target (or, when it is gone, to state's target_uid) */
    size_t nrs;
    const struct obs_pod *pods; /* of those ReplicaSets */
    size_t npods;
    /* Those of a rehearsal, which are in neither of these: complete as canaries are, their pods with the others. */
    const struct obs_rs *rehearsals;
    size_t nrehearsals;
    const struct obs_pod *rehearsal_pods;
    size_t nrehearsal_pods;
    char rehearsal_key[33]; /* for one that begins now: random hex digits; "" where none can begin */
    const struct rehearsal_seen *rehearsal; /* NULL: the last plan asked for nothing of it */

    const struct spec *spec;    /* as parsed from target's annotations; NULL if it is not opted in */
    const struct err *spec_err; /* kind != ERR_NONE (or NULL): what is wrong with it */
    bool release;               /* `handover release`: let go although the annotation is there */
    bool force_release;         /* even where spec is not the version in service */

    enum known_state state_known;
    const struct state
        *state;           /* with the evidence of the scrapes since it was written; NULL unless STATE_READ */
    const char *state_rv; /* of its ConfigMap; NULL if absent */
    /* This process has written the state that it looks at. Otherwise the cache may be behind what the last leader wrote:
     * then the state is written, with its resourceVersion, before any other effect. */
    bool state_confirmed;
    const struct err *state_err;
    enum hold_policy policy;
    const char *policy_id; /* which one, in which version, in a few letters; for POLICY_HOLDS */
    bool canary_taken; /* the canary could not be created within the last half minute: its name was taken */
    const struct refusal *refused; /* of this process; NULL: none */

    /* the last round of scrapes in this process (of this rollout); 0: none yet */
    int64_t scraped_ns;
    const char
        *scrape_trouble; /* why the last round gave nothing for a track, in words; NULL: it gave something */
    bool
        history_known; /* max-error-rate auto: stable's cumulative counters were read after the rollout began */
    uint64_t history_errors, history_total;
    enum quiet quiet[TRACKS];

    const struct obs_lease
        *leases; /* of the target's namespace that Pods hold; none unless plan_needs() asks for them */
    size_t nleases;
    const char *
        lease_trouble; /* why a Lease of another namespace cannot be seen; NULL: it can, or none is asked for */
    const struct dead_pods *dead;             /* NULL: none is known */
    const struct slice_seen *slice;           /* NULL: the state has none */
    const struct check_answer *check[CHECKS]; /* that have come since the last plan; NULL: none */
    /* The target is Handover's own Deployment, of which this process is a pod; trial_fault: what was wrong when the canary's last
     * trial as the leader had ended, NULL: nothing, or none has; trial_cut: that may come from outside, too. */
    enum own_pod own;
    const char *own_name; /* of that pod; NULL: OWN_NONE */
    const char *trial_fault;
    bool trial_cut;
    bool own_leads; /* this process leads: a guardian does not know how a trial has ended */
};

enum step_verb { VERB_CREATE, VERB_PATCH_MERGE, VERB_DELETE };
struct step {
    enum step_kind kind;
    enum step_verb verb;
    const struct gvr *gvr;
    char *name;     /* of the object */
    char *ns;       /* its namespace; NULL: the target's */
    char *uid;      /* of the object that is deleted; NULL */
    char *body;     /* JSON; holds resourceVersion or uid where a precondition is wanted */
    bool gone_ok;   /* 404 is as good as done */
    bool exists_ok; /* 409 on create: another client was first, observe again */
    bool unpauses;  /* an answer that is still paused is a refusal */
    bool optional;  /* whatever the server answers is as good as done; no answer is not */
    char why[160];
};
struct plan_event {
    enum plan_reason reason;
    char *message;
};
/* handover_rollouts_total{result=...} and the like: added when the state was written. */
struct plan_metric {
    const char *name;  /* static */
    const char *label; /* static value of its only label; NULL: none */
    double value;
};
enum { PLAN_MAX_STEPS = 12, PLAN_MAX_EVENTS = 8, PLAN_MAX_METRICS = 8 };
struct plan {
    struct step step[PLAN_MAX_STEPS];
    size_t nsteps;
    struct plan_event event[PLAN_MAX_EVENTS];
    size_t nevents;
    struct plan_metric metric[PLAN_MAX_METRICS];
    size_t nmetrics;
    struct state *next; /* the state after STEP_STATE (or as it is, when nothing is to be written); NULL when
                           there is none */
    int64_t look_again_ns; /* wall clock; TIME_NEVER: only when something changes */
    int64_t scrape_ns;     /* interval between rounds of scrapes; 0: no scraping */
    bool
        probe_quiet; /* look at the gauges of probe_track's pods several times a second and plan again when it is quiet */
    enum track probe_track;
    enum slice_order
        order; /* for the objects of next's slice, when all steps are carried out; TAKE: next's percent of them */
    bool
        policy_failed; /* in spite of the policy a template is unpaused that should be held: whether it is in effect is to be shown anew */
    /* Of struct rehearsal_seen what is wanted: the means to make its pods; the ConfigMap; reports of the pods of run (0: none), now and
     * then, and one that is asked for at until_ns or later. */
    struct {
        bool means, map;
        uint64_t run;
        int64_t until_ns; /* wall clock */
    } rehearse;
    uint64_t ask[CHECKS]; /* these checks, now, unless they are being asked: check_question(); 0: not */
    /* This process is to give its lease up for the processes of this pod, which are on trial until then, when all steps are carried
     * out; pod "": it is not. */
    struct {
        char pod[254], uid[64];
        int64_t until_ns; /* wall clock */
    } yield;
    bool watch;  /* ReplicaSets and pods of this target are needed: false only when the target is not ours at
                    all */
    bool forget; /* nothing is left to do for this target: drop what is held in memory */
};

/* Metric names. */
#define PM_ROLLOUTS                                                                                          \
    "handover_rollouts_total" /* result: started, promoted, failed, aborted, inconclusive, ... */
#define PM_HOLDS       "handover_rollout_holds_total"      /* reason: as hold_name() */
#define PM_SECONDS     "handover_rollout_duration_seconds" /* a histogram, result */
#define PM_QUIET       "handover_quiet_moments_total"      /* outcome: quiet, waited_out */
#define PM_ASSISTS     "handover_lease_assists_total"
#define PM_REHEARSALS  "handover_rehearsals_total"  /* result: empty, changes, exceeded, failed */
#define PM_SLICE_MOVES "handover_slice_moves_total" /* owner: stable, moving, canary */

/* What of the cluster plan_make() has to see; what is asked for is o without ReplicaSets and Pods but for the canaries. */
enum obs_need plan_needs(const struct observed *o);
/* The Lease that it has to see by name, NAMESPACE/NAME for one of another namespace than the target's; NULL: none. */
const char *plan_lease_name(const struct observed *o);
/* Can it be a target with these annotations? -EINVAL (ERR_CONFIG): what was read, what is allowed. */
int plan_target_fits(const struct obs_target *t, const struct spec *spec, struct err *err);
/* Does it matter to this target whether the policy is in effect for it? */
bool plan_asks_policy(const struct observed *o);
/* Of the pods those that are of the target's ReplicaSets and of its canary, with the track that follows from that;
 * returns how many are left. */
size_t plan_own_pods(const struct observed *o, struct obs_pod *pods, size_t n);
/* The pod of each side of state's rehearsal, the one that is to be asked; NULL: none. */
struct rehearsal_pair {
    const struct obs_rs *rs[2]; /* the new version's, the control's */
    const struct obs_pod *pod[2];
};
void plan_rehearsal_pair(const struct observed *o, struct rehearsal_pair *ret);
/* Identifies the pods and the starts of their sidecars: what one of them remembers is lost with it. 0: the new version has none. */
uint64_t plan_rehearsal_run(const struct rehearsal_pair *p);
/* Its pods as a canary's and, of the control, stable's, for the scrapes; returns how many, at most n. Borrowed. */
size_t plan_rehearsal_tracks(const struct observed *o, struct obs_pod *ret, size_t n);
char *plan_report_map(const char *id); /* the ConfigMap's name: NAME-handover-rehearsal; free() */
/* Of the pods of stable that can guard Handover's own rollout while the canary leads, is this the one that does? named: "POD_UID" of
 * the one that is to, while it is ready: it has seen stable's last turn. */
bool plan_guards_own(const struct observed *o, const char *pod, const char *named);
void plan_make(const struct observed *o, int64_t now_wall_ns, struct plan *ret);
bool plan_has_step(const struct plan *p, enum step_kind kind); /* of STEP_OBJECTS: an order */
/* A bad version runs until it is carried out: it goes before all else. */
bool plan_stops_harm(const struct plan *p);
void plan_free(struct plan *p);
#define cleanup_plan __attribute__((cleanup(plan_free)))

/* turns: of this process and rollout, for mode leader. One round of scrapes into the state in memory (not written by itself: plan_make writes it at a change of
 * verdict and once a minute). Only in PHASE_STARTING and later of a rollout; otherwise nothing happens. */
void plan_feed(struct state *s, struct switchback *turns, int64_t now_wall_ns,
               const struct pod_sample *samples, size_t n);
/* The same round for the signals beside errors. pods: of this process and rollout. now_ns: any clock that runs. own: the target is
 * Handover's own Deployment, which is no work of the canary's. */
void plan_feed_signals(struct state *s, struct signals_pods *pods, struct switchback *turns, int64_t now_ns,
                       const struct pod_sample *samples, size_t n, bool own);
/* The verdict as it stands, for `explain`. False when no rollout is being judged. */
bool plan_report(const struct state *s, int64_t now_wall_ns, struct judge_report *ret);
/* When the rollout's deadline comes, as things stand: what keeps pods away from outside and a user's pause do not count. For a rollout
 * that is being judged. */
int64_t plan_deadline(const struct state *s, const struct spec *spec, int64_t now_wall_ns);
/* Does this step, once it has passed, wait for a person's word that it has not got? */
bool plan_gated(const struct state *s, const struct spec *spec);
/* Does this step, once it has passed, wait for checks (annotations check, check-query) that have not passed? */
bool plan_has_checks(const struct state *s, const struct spec *spec);
/* What the signals do in this rollout; false: the annotation is wrong, and none does anything. */
bool plan_signals_param(const struct state *s, const struct spec *spec, struct signals_param *ret);
/* Does the action apply, with a template of this hash in the Deployment? Else it is refused with an Event. */
bool plan_accepts(const struct state *s, const char *hash, enum spec_action a);
/* How many versions before stable this one was in service, 1 the last; 0: it was not promoted, or something has been said against it
 * since. */
unsigned plan_versions_back(const struct state *s, const char *hash);
/* How many canary pods a step wants beside stable's: ceil, so that canary / (stable + canary) >= percent, but
 * never more than stable has (so the share ends at 50 %): a trial must not double the bill more than once. 0
 * when stable is 0. */
int32_t plan_canary_replicas(int32_t stable, unsigned percent);

/* The canary's ReplicaSet as JSON text. The template is the target's, byte for byte, with our labels (and the
 * overrides of canary-args and canary-env in its containers, the nodes of canary-nodes and the volumes of canary-volumes in its spec). -EINVAL (ERR_CONFIG) when the ReplicaSet's own
 * labels would match the target's selector (then its controller would adopt it), or its pods' would not. */
int canary_manifest(const struct obs_target *t, const struct spec *spec, int32_t replicas, struct buf *out,
                    struct err *err);
/* What is more than max-changes allows, "restarts=3 (allowed: 0), deletes=1 (allowed: 0)"; false: nothing. */
bool plan_exceeds(const struct state *s, const struct spec *spec, struct buf *out);
char *canary_name(const char *id,
                  const char *hash); /* NAME-canary-HASH, NAME-statefulset-canary-HASH; free() */
#endif
