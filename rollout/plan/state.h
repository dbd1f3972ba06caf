/* What is remembered of a target: the ConfigMap obs_state_name(), owned by the target. Two documents in its
 * data: facts  what another version of Handover must be able to read: stable's ReplicaSet, the originals of
 * what we changed, the quarantine. A frozen format ("version": 1): members may be added, none changes its
 * meaning. state  the rollout in progress: phase, step, evidence, judge, history. Unknown members (of a later
 * version) are carried through a read and a write. A damaged document is an error: then nothing is changed
 * and the plan holds. Times are wall clock ns in memory (0: not set), RFC 3339 in the text. Pure. */
#ifndef ROLLOUT_STATE_H
#define ROLLOUT_STATE_H
#include "judge/counts.h"
#include "judge/judge.h"
#include "judge/signals.h"
#include "plan/spec.h"

enum {
    STATE_VERSION = 1,
    STATE_MAX_QUARANTINE = 20,
    STATE_MAX_HISTORY = 10,
    STATE_MAX_CONSUMED = 16,
    STATE_UNPAUSED_OFTEN = 4, /* counted no further: a manifest sets the field */
    STATE_MAX_TEMPLATE = 96 * 1024,
    STATE_MAX_TEXT = 256 * 1024
};
#define STATE_FINALIZER HANDOVER_PREFIX "slice" /* of its ConfigMap, as long as objects may be labelled */

enum phase {
    PHASE_IDLE,       /* opted in, not yet held back: `hold` says what is waited for */
    PHASE_ADOPTING,   /* stable and the originals are written down; the patch that pauses comes next */
    PHASE_STABLE,     /* held back and watched for a new template */
    PHASE_REHEARSING, /* the new version runs without writing anything, and what it would write is looked at */
    PHASE_STARTING,   /* learning stable's rate, making the canary, waiting until it is ready */
    PHASE_SOAKING,    /* step i is watched and judged */
    PHASE_PROMOTING,  /* unpaused: the native rolling update runs */
    PHASE_FINISHING,  /* it is complete: pause again, canary away */
    PHASE_ROLLING_BACK, /* canary to zero; in the middle of a promotion also the native update is undone */
    PHASE_ROLLED_BACK,  /* quarantined: spec stays new and paused, stable serves */
    PHASE_CANCELLING, /* the rollout ended without a verdict (template changed): canary away, then stable again */
    PHASE_RELEASING, /* canary away, give back what we changed, forget the target */
    PHASES
};
/* Why a phase does not move on. HOLD_NONE while it does. */
enum hold {
    HOLD_NONE,
    HOLD_CONFIG, /* an annotation is wrong */
    HOLD_NAME_CONFLICT, /* the name of the state's ConfigMap or of the canary is taken by an object that is not ours */
    HOLD_USER_PAUSED,    /* another client paused the Deployment before it was adopted, or in the middle */
    HOLD_ROLLOUT,        /* the Deployment's own rollout is not complete yet */
    HOLD_CONFLICT,       /* we and the Deployment controller do not agree whether the template is new */
    HOLD_ZERO,           /* the target is scaled to zero: nothing to compare with */
    HOLD_NO_ACTIVE,      /* paused and no ReplicaSet runs: the alarm */
    HOLD_UNMANAGED,      /* another client unpaused or started another version: being undone */
    HOLD_NOT_READY,      /* canary pods are not ready yet, or not any more */
    HOLD_UNSCHEDULABLE,  /* pods find no node */
    HOLD_NOT_CREATED,    /* pods cannot be created: quota, admission */
    HOLD_IMAGE,          /* their image cannot be pulled, and no registry says that it does not exist */
    HOLD_NOT_STARTED,    /* on a node, and a ConfigMap, a Secret, a volume or the network is missing */
    HOLD_DISRUPTED,      /* evicted, preempted, refused by their node, or their node does not answer */
    HOLD_WRITE_REFUSED,  /* the API server refuses what is to be written next */
    HOLD_NO_DATA,        /* no metrics from the canary or from stable */
    HOLD_STALLED,        /* the canary reconciles nothing any more, and stable does */
    HOLD_SIGNAL,         /* a signal beside errors speaks against the canary */
    HOLD_SHARED,         /* both versions fail: an outage is not a verdict */
    HOLD_PAUSED_BY_USER, /* annotation pause */
    HOLD_APPROVAL, /* a step has passed, or a rehearsal would change too much: a person has to let the rollout go on */
    HOLD_CHECK,        /* a step has passed, and a check of the target's own says: wait */
    HOLD_NO_ANSWER,    /* ... or it gives no answer */
    HOLD_INCONCLUSIVE, /* the deadline is over without a verdict and on-inconclusive is pause */
    HOLD_REFUSED,      /* the release is refused: it would ship a version that is not in service */
    HOLD_STUCK,        /* a promotion does not move and cannot be undone */
    HOLDS
};
enum ended { /* of a rollout, in the history */
             ENDED_PROMOTED,
             ENDED_FAILED,       /* by the judge, or the health of the canary's pods */
             ENDED_ABORTED,      /* annotation abort */
             ENDED_INCONCLUSIVE, /* deadline, on-inconclusive: rollback */
             ENDED_STUCK,        /* the promotion did not complete */
             ENDED_CANCELLED,    /* the template changed, or the target was released */
             ENDED_UNMANAGED,    /* in service without a verdict: another client unpaused the Deployment */
             ENDEDS
};

struct state_quarantine {
    char hash[11];
    int64_t at_ns;
    char *reason;
};
struct state_history {
    char hash[11];
    enum ended ended;
    int64_t began_ns, ended_ns;
    uint64_t errors, total; /* canary's */
    char *image, *reason;
};
/* A change of phase. */
enum { STATE_CHANGES = 6 };
struct state_change {
    enum phase phase; /* that was entered */
    int64_t at_ns;
    char hash[11]; /* of the template on trial; "" if none */
};
struct state_consumed {
    enum spec_action action;
    char *value;
    bool removing; /* the annotation is still to be taken off the target */
};

/* A trial of the canary as the leader. Stable and the canary lead by turns, so that both are measured, whatever the hour of the
 * day does. */
enum trial_step {
    TRIAL_NONE,      /* mode replicas */
    TRIAL_STANDBY,   /* stable leads, the canary stands by */
    TRIAL_GIVING,    /* stable goes to zero and gives its Lease up, for the canary */
    TRIAL_LEADS,     /* the canary leads, stable is back and stands by */
    TRIAL_RETURNING, /* the canary ends, stable takes the Lease again */
    TRIAL_STEPS
};
struct trial {
    enum trial_step step;
    char *lease;      /* name of the Lease that both contest; NULL in mode replicas */
    int64_t lease_ns; /* its duration, as its holder has it */
    int64_t since_ns; /* of the step, wall clock */
    int64_t led_ns;   /* how long the canary has led, in trials of this step of the rollout that are over */
    uint32_t n;       /* trials of this rollout, the present one too */
    uint32_t
        disturbed; /* of these, how often another client has scaled stable up again before the canary led */
};

/* Mode objects: the objects that the canary has. Written down before the first label is: the next leader knows which objects may
 * bear one, until none does. */
enum slice_stage {
    SLICE_NONE,      /* nothing is labelled */
    SLICE_TAKING,    /* objects are taken from stable: they have no owner */
    SLICE_SETTLING,  /* stable is to see that, and to be quiet */
    SLICE_PASSING,   /* they become the canary's */
    SLICE_HELD,      /* the canary has what it is to have */
    SLICE_RETURNING, /* the canary is dead: all become stable's again */
    SLICE_STAGES
};
struct state_slice {
    char *resource;      /* "widgets.v1.example.com"; NULL: not in mode objects, and nothing is labelled */
    char *ns, *selector; /* NULL: all */
    enum slice_stage stage;
    int64_t since_ns;       /* of the stage, wall clock */
    uint32_t total, canary; /* objects, and those of the canary, when this stage began */
};

/* A check of a target's own, of a step that has passed: annotations check, check-query. What it said last. */
enum check_kind { CHECK_URL, CHECK_QUERY, CHECKS };
enum check_says {
    CHECK_NOTHING, /* not asked yet */
    CHECK_PASS,
    CHECK_FAIL,
    CHECK_WAIT,
    CHECK_SILENT, /* no answer: never a verdict */
    CHECK_SAYS
};
struct state_check {
    enum check_says says;
    char *message;          /* in its words, or why there is no answer; NULL: none */
    uint64_t of;            /* check_question(); 0: none yet */
    int64_t at_ns, next_ns; /* when it said so; not asked again before */
    uint32_t asked;         /* so many answers */
};

/* The rehearsal of this rollout, annotation rehearse. Outlives its phase, so that the report's line can be shown. */
struct state_rehearsal {
    char key[33];  /* who knows it may read the reports of its pods; "": no rehearsal */
    bool for_eyes; /* state_write() says null for the key: what is printed is not read back */
    uint64_t
        run; /* which pods these are, and how often their sidecars were started: another one begins anew; 0: none yet */
    int64_t from_ns;  /* they have rehearsed since; 0: not yet */
    char digest[17];  /* of the report, when the time was over; "": not known yet */
    char *line;       /* and what that says in a line */
    bool empty, full; /* nothing would be changed; it is not the whole */
    bool alone;       /* without a control, for want of stable's template */
    uint64_t count[REPORT_KINDS];
    bool over;         /* the report is kept in its ConfigMap: the pods go */
    char approved[17]; /* the digest that a person has approved; "" none */
};

struct state {
    /* -- facts -- */
    char *target_uid; /* the Deployment that this is about; another uid: a namesake, start anew */
    char *stable_name, *stable_uid; /* its ReplicaSet; NULL before adoption */
    char stable_hash[11];
    char *stable_template; /* its text; NULL unless its ReplicaSet may be deleted behind our back */
    bool unjudged;         /* it went into service without a verdict, by another client's unpause */
    bool paused;           /* it is paused by us or the API server's policy, and not by another client */
    char *policy; /* held by this policy (observed.policy_id), and not paused at rest; NULL: by spec.paused */
    int64_t deadline_s; /* progressDeadlineSeconds before us; -1: not known */
    int32_t partition;  /* of a StatefulSet, its users' own, while ours stands there; -1: not known */
    int32_t replicas;   /* spec.replicas before we changed it; -1: we did not */
    struct state_quarantine *quarantine;
    size_t nquarantine;
    /* -- the rollout -- */
    enum phase phase;
    int64_t since_ns; /* of the phase */
    enum hold hold;
    int64_t hold_ns;
    char *message;       /* one line for users: of the phase or of the hold; also the target's annotation
                              `status` */
    uint32_t unpaused;   /* how often another client took our pause away, each within an hour of the last */
    int64_t unpaused_ns; /* the last one */
    uint32_t
        pds_restored; /* how often another client put progressDeadlineSeconds back; we yield after a few */

    char hash[11]; /* the template on trial, promoted or rolled back; "" if none */
    char *canary;  /* name of its ReplicaSet */
    char
        made[11]; /* hash of the template that it was made with; "": not made yet, or by an earlier version */
    char *image;  /* for messages */
    uint32_t step;        /* index into the steps */
    uint8_t percent;      /* of this step, as asked */
    int64_t began_ns;     /* of the rollout */
    int64_t soak_from_ns; /* this step is watched since; 0: not yet */
    int64_t shift_ns;     /* time that does not count against the deadline (annotation pause) */
    int64_t unready_ns;   /* canary pods are not ready since; forgotten after a minute of readiness */
    int64_t ready_ns;     /* ... and ready again since */
    int64_t shrink_ns;    /* waiting for a quiet moment since */
    bool pause_asked;     /* annotation pause */
    int64_t pause_ns;     /* ... at that time */
    int64_t gate_ns;      /* this step has passed then, and waits for a person's word since; 0: it does not */
    uint32_t opened;      /* the step after which a person has let it go on, counted from 1; 0: none */
    int64_t check_ns;     /* this step has passed then, and waits for its checks since; 0: it does not */
    uint32_t checked;     /* the step whose checks have passed, counted from 1; 0: none */
    struct state_check check[CHECKS];
    bool was_ready;    /* the canary was ready once in this rollout */
    enum ended ending; /* ROLLING_BACK, CANCELLING, PROMOTING, FINISHING: what goes to the history */
    char *reason;      /* and why */
    bool learned;      /* judge parameters are fixed */
    uint64_t learned_errors, learned_total;
    /* promotion: the best seen so far, so that flapping pods do not count as progress */
    int32_t best_updated, best_available, least_old;
    int64_t progress_ns;
    bool window; /* PROMOTING what was in service before, within the rollback window */
    bool repair; /* PROMOTING stable's own template, to bring back a deleted ReplicaSet */

    struct state_rehearsal rehearsal;
    bool
        reported; /* the ConfigMap of a rehearsal's report may be there; outlives the rollout, and goes with the target */
    struct trial trial;       /* mode leader */
    struct state_slice slice; /* mode objects; outlives the rollout until nothing is labelled any more */

    struct judge_param param;
    struct judge judge;
    struct evidence evidence;
    struct counts controllers; /* the same by controller; this process's, not written */
    struct signals signals;
    int64_t
        generation; /* of the Deployment when this state was last written: an older one is a cache that is behind; 0: not known */
    int64_t written_ns; /* when this state was last written, for the once a minute of the evidence */

    struct state_consumed *consumed; /* actions carried out, oldest first */
    size_t nconsumed;
    struct state_history *history; /* newest first */
    size_t nhistory;
    /* The last changes of phase, newest first: what a leader that is killed may not have told anybody yet. */
    struct state_change change[STATE_CHANGES];
    size_t nchanges;
    cJSON *extra_facts, *extra_state; /* members of a later version */
};

/* Is there a canary that is watched, or about to be? A rehearsal comes before it. */
bool state_on_trial(const struct state *s);
/* How long this step has been watched by now; in mode leader, how long the canary has led in it. */
int64_t state_watched_ns(const struct state *s, int64_t now_wall_ns);
void state_init(struct state *s); /* PHASE_IDLE, nothing known */
void state_free(struct state *s);
void state_copy(const struct state *from, struct state *ret);
/* The Deployment is older than the one that this state was written for: what has it comes from a cache that is behind. */
bool state_is_ahead(const struct state *s, const struct obs_target *t);
bool state_same(const struct state *a, const struct state *b); /* as their texts, written_ns apart */
#define cleanup_state __attribute__((cleanup(state_free)))

enum known_state {
    STATE_UNKNOWN, /* not read (yet): nothing is planned */
    STATE_ABSENT,
    STATE_FOREIGN, /* the ConfigMap is not ours: err says why; nothing is changed */
    STATE_DAMAGED, /* err says how: nothing is changed */
    STATE_READ,
};
/* The state of the target of this id from the ConfigMap: only if that bears our label, is owned by the target of
 * that kind and name, and is about that very owner. ret is filled for STATE_READ alone. */
enum known_state state_take(const cJSON *cm, const char *id, struct state *ret, struct err *err);
/* The two documents as text. */
void state_write_facts(const struct state *s, struct buf *out);
void state_write(const struct state *s, struct buf *out);
/* cm: the ConfigMap as parsed. ERR_CONFIG when it is damaged: what, where. ret untouched then. */
int state_read(const cJSON *cm, struct state *ret, struct err *err);

bool state_quarantined(const struct state *s, const char *hash,
                       const struct state_quarantine **ret); /* ret may be NULL */
void state_quarantine_add(struct state *s, const char *hash, int64_t at_ns,
                          const char *reason); /* oldest goes at the cap */
void state_quarantine_remove(struct state *s, const char *hash);
void state_history_add(struct state *s, enum ended ended, int64_t now_ns);
/* NULL: not consumed, or forgotten by now. Valid until the next state_consume(). */
struct state_consumed *state_consumed(const struct state *s, enum spec_action a, const char *value);
/* The entry, new or not; valid until the next one. */
struct state_consumed *state_consume(struct state *s, enum spec_action a, const char *value);

const char *phase_name(enum phase p);             /* "Soaking" */
const char *hold_name(enum hold h);               /* "NoData"; "" for none */
const char *ended_name(enum ended e);             /* "promoted" */
const char *state_trial_name(enum trial_step t);  /* "Leads"; "" for none */
const char *state_slice_name(enum slice_stage s); /* "Taking"; "" for none */
const char *state_check_name(enum check_kind k);  /* "check", "check-query": the annotation */
const char *state_says_name(enum check_says s);   /* "pass"; "" for none */
void state_check_clear(struct state_check *c);
void state_slice_clear(struct state *s);
void state_rehearsal_clear(struct state_rehearsal *r);
#endif
