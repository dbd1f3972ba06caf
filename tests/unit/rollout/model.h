/* A small model of what surrounds the plan: a Deployment with its controller, ReplicaSets, pods, the
 * ConfigMap, and an edge that observes, scrapes, plans and applies. Objects go through their JSON text, as in
 * life. One tick is a second. */
#ifndef TEST_ROLLOUT_MODEL_H
#define TEST_ROLLOUT_MODEL_H
#include "api/rfc3339.h"
#include "api/template.h"
#include "base/rand.h"
#include "base/time.h"
#include "plan/plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

enum { MAX_RS = 24, MAX_PODS = 160, VERSIONS = 10 };
#define T0 (INT64_C(1795457793) * NS_PER_S)

/* What is wrong with a version whose reconciles succeed. */
enum sign { SOUND, WRITES_MUCH, PANICS };
/* How a version's pods behave. */
enum behaviour {
    GOOD,
    FAILS /* every reconcile */,
    CRASHES,
    NO_IMAGE,
    NO_REGISTRY /* it does not answer */,
    NEVER_READY,
    UNSCHEDULABLE,
    SILENT /* no metrics */,
    STANDBY,
    IDLE /* ready, metrics, no work */,
    HANGS /* after some reconciles */,
    GATED /* the scheduler is kept from it */,
    NO_CONFIG /* a ConfigMap is missing */,
    NO_VOLUME /* it is not mounted */,
    NODE_LOST /* it was ready, and its node does not answer */,
    EVICTED /* again and again */,
    NEVER_LEADS /* it does not contest the Lease */
};

struct mrs {
    bool there, canary, detached; /* detached: was the target's own, is a canary's kind of ReplicaSet now */
    enum rehearsed rehearsed;     /* canary, too, in that it is not the target's own */
    int of;                       /* of a rehearsal: the version whose rollout it belongs to */
    char name[64], uid[32], quarantined[200];
    int rv, version, replicas;
    int64_t created;
    char made[11];     /* of a canary: the hash of its template */
    char failure[300]; /* ReplicaFailure: why its first pod in a row was refused */
};
struct mpod {
    bool there, ready, terminating;
    int ended; /* the tick at which it was evicted; it stays in the API; 0: it was not */
    char uid[32];
    int crashed, began; /* the ticks of its last crash and of the start of what crashed; 0: never */
    int started;        /* the tick at which its container was first started; 0: not yet */
    int rs, born, left; /* left: ticks until a terminating pod is gone */
    uint32_t restarts, sidecar_restarts;
    uint64_t errors, total;
};
/* The Lease by which the pods elect a leader, who alone works, as client-go does it without releasing. */
struct mlease {
    char holder[128]; /* the identity; "" when it was released */
    int acquired, renewed, rv;
    int leaderless;        /* ticks without a leader at work, since there first was one */
    int leaders[VERSIONS]; /* ticks in which a pod of the version led */
};
/* An object that the operator works on, in mode objects. */
struct mobject {
    bool there, never, first, deleting;
    int serial, rv;
    enum slice_owner owner;
    int uid;   /* of the target that it is labelled for */
    int moved; /* the tick of its last change of owner */
};
enum { MAX_OBJECTS = 40 };
struct model {
    int tick, serial;
    bool by_objects;
    bool unselective;                                      /* stable's template has no selector */
    bool objects_come;                                     /* and go, at random */
    struct mobject object[MAX_OBJECTS], seen[MAX_OBJECTS]; /* seen: by the edge */
    int labels;                                            /* written so far */
    int ownerless;                                         /* ticks that objects had no owner, all together */
    bool elects;
    bool own;          /* it is Handover itself: a release names the canary, which contests nothing else */
    bool own_stays;    /* the leader cannot release */
    const char *fault; /* what was wrong at the end of the last trial; NULL: nothing */
    int named;         /* the tick of the release that has named the canary; 0: none */
    struct mlease lease;
    int zero;       /* ticks for which spec.replicas was 0 by our doing */
    int grace;      /* ticks for which a pod that terminates goes on; 0: it ends soon */
    int users;      /* spec.replicas as a user has last set it; -1: none has */
    bool own_lease; /* canaries hold another Lease, of their own */
    bool no_lease;  /* Leases cannot be read */
    bool policy;    /* the API server has handover-hold in effect */
    int policies;   /* so often it was installed */
    bool older;     /* the process is of a version that does not know it */
    struct rng rng;
    /* a StatefulSet: the version of its current revision, the one that its status names as the update revision */
    bool set;
    int partition, current, told;
    /* the Deployment */
    bool exists, deleting, paused;
    int uid, rv, generation, observed, replicas, version, st_updated, st_replicas, st_available, st_ready;
    int64_t deadline_s;
    int64_t created; /* wall clock, ns; 0: not given */
    bool recreate;
    int history; /* spec.revisionHistoryLimit */
    cJSON *annotations;
    struct mrs rs[MAX_RS];
    struct mpod pod[MAX_PODS];
    /* the ConfigMap */
    char *facts, *state;
    int cm_rv;
    const char *no_pods; /* what the API server says to new pods, of canaries; NULL: they are made */
    bool none_at_all;    /* and to those of the Deployment as well */
    int quota;           /* so many pods, those that terminate too; 0: any number */
    const char *refuses; /* what it says to writes of kind refused_kind; NULL: they are carried out */
    enum step_kind refused_kind;
    char *taken; /* a ReplicaSet of this name is there that is not in the list */
    enum behaviour behaviour[VERSIONS];
    enum sign sign[VERSIONS];
    bool outage; /* every reconcile of every version fails */
    char hash[VERSIONS][11];
    /* the edge: one process's memory */
    struct {
        bool held;
        enum hold_policy policy;
        char policy_id[16];
        struct state s;
        struct signals_pods signals;
        struct switchback turns;
        int rv;
        int64_t scraped_ns, scrape_every_ns, round_began_ns;
        bool history_known, probe, confirmed;
        struct dead_pods dead;
        int taken_tick; /* 0: never */
        struct refusal refused;
        int refused_times;
        uint64_t history_errors, history_total;
        int64_t look_again_ns;
        struct rehearsal_report report; /* the last that was read */
        bool means, maps, reports;      /* what the last plan wanted */
        int64_t until_ns;
        uint64_t asking[CHECKS]; /* a check's question, until the next pass */
        bool verified;           /* that nothing is labelled */
        int since[MAX_OBJECTS];  /* the tick at which this process saw that it has no owner; 0: it has one */
    } edge;
    /* a rehearsal */
    bool staged[2];          /* its pods behave otherwise than their versions: the new one, the control */
    enum behaviour stage[2]; /* ... so */
    uint64_t finds[REPORT_KINDS];
    bool finds_idle, finds_cut_off; /* no request was made; the report is not whole */
    bool mute;                      /* its sidecars do not answer */
    bool no_template;               /* stable's cannot be had */
    int minor;                      /* of Kubernetes; 0: it is not known */
    const char *lacks;              /* why there is no image of Handover; NULL: there is one */
    struct {
        bool there, foreign;
        char digest[17], of[11]; /* ... of the template with this hash */
        uint64_t run;
        int rv;
    } map;                        /* the report's ConfigMap */
    enum check_says says[CHECKS]; /* what a check of the target's answers; CHECK_NOTHING: not yet */
    const char *check_words;
    int asked_checks[CHECKS]; /* questions so far */
    bool release, force;
    enum quiet quiet;
    const char *hostile; /* what objects, pods and pages say of themselves; NULL: nothing strange */
    double started_s;    /* of every page: when its process began; 0: not told */
    /* what the tests look at */
    int fail_at; /* the step at which the process dies: before it (even) or after it (odd); -1: never */
    int steps;   /* carried out so far */
    int refused; /* writes so far */
    int crashes;
    char events[16384]; /* their reasons */
    char said[1200];    /* the last one's message */
    int plans, writes;
    /* between the steps of a plan; false: the answer was lost (the step may have been carried out). NULL:
     * nothing happens */
    bool (*between)(struct model *m, bool after);
    bool moved; /* the world has changed since it was observed: a race that no precondition covers is forgiven
                 */
    bool asked[VERSIONS]; /* a person asked for its promotion, or forced it otherwise */
    int doze;             /* the process looks at every doze-th tick only; 0: at each */
    unsigned lag;         /* an informer catches up at every lag-th look, on average */
    struct model *cache;  /* what the edge sees, possibly of a while ago; NULL: the present */
    bool direct;          /* many runs: fill what is observed without the way through JSON, and plan once */
};

struct m_view {
    struct obs_target target;
    struct obs_rs rs[MAX_RS + OBS_REVISIONS];
    struct obs_pod pods[MAX_PODS], own[MAX_PODS]; /* own: borrowed, those that count */
    size_t nrs, npods, nrevisions;
    struct obs_lease lease[2];
    struct slice_seen slice;
    struct check_answer check[CHECKS];
    struct obs_rs rehearsals[MAX_RS];
    struct obs_pod rehearsal_pods[MAX_PODS];
    size_t nrehearsals, nrehearsal_pods;
    struct rehearsal_seen rehearsal;
    char *stable_tmpl, map_rv[16];
    struct spec spec;
    struct err spec_err, state_err;
    bool opted;
    char rv[16];
    struct observed o;
};

enum { OK = 0, CONFLICT = -1, GONE = -2 };

/* ---- model.c ---- */
int64_t m_now(const struct model *m);
char *m_template(int version, bool rs);
void m_annotate(struct model *m, const char *name, const char *value);
const char *m_annotation(const struct model *m, const char *name);
struct model *m_new(uint64_t seed, int replicas); /* not adopted yet; m_free() */
void m_forget(struct model *m);                   /* the process dies */
void m_free(struct model *m);
static inline void m_freep(struct model **m) {
    m_free(*m);
}
#define cleanup_model __attribute__((cleanup(m_freep)))
void m_up_to_date(struct model *m); /* from here on the edge sees the present */
int m_add_rs(struct model *m, int version, bool canary, const char *name, int replicas);
int m_pods(const struct model *m, int rs, bool available);
void m_set(struct model *m, int rs, int replicas);
void m_deployment_controller(struct model *m);
void m_tick(struct model *m);
void m_collect(struct model *m); /* the pods of ReplicaSets that are gone */

/* ---- model_lease.c ---- */
enum { M_LEASE_TICKS = 2 }; /* its duration */
void m_elect(struct model *m);
bool m_leads(const struct model *m, int k);                      /* this pod */
int m_leader(const struct model *m, bool *ret_canary);           /* its version; -1: nobody leads */
void m_read_lease(const struct model *m, struct obs_lease *ret); /* borrowed */
/* The Lease that the canary holds alone; false: it has none. */
bool m_read_own_lease(const struct model *m, struct obs_lease *ret);
void m_lead(struct model *m, bool canary); /* such a pod has the Lease from now on */
int m_patch_lease(struct model *m, const cJSON *body);
/* Pods that elect, adopted at version 0, one has led for a while; soaking: version 1 soaks. */
struct model *m_electing(int replicas, bool soaking);
struct model *m_own(int replicas, bool soaking);     /* of Handover itself */
void m_yield(struct model *m, const struct plan *p); /* if the plan says so */
void m_until_step(struct model *m, enum trial_step want, int ticks);
void m_pod_died(struct model *m, int k);

/* ---- model_stateful.c ---- */
void m_stateful_controller(struct model *m);
int m_patch_partition(struct model *m, const cJSON *strategy);
int m_delete_pod(struct model *m, const char *name, const cJSON *body);
void m_look_at_revisions(const struct model *c, struct m_view *v);
void m_tell_revisions(const struct model *m, struct obs_target *t);
void m_lower(struct model *m, int partition);         /* another client sets the partition */
struct model *m_new_set(uint64_t seed, int replicas); /* not adopted yet */
struct model *m_start_set(int replicas);              /* adopted at version 0 and quiet */

/* ---- model_pod.c ---- */
void m_read_pod(const struct model *m, int k, struct obs_pod *ret);

/* ---- model_policy.c ---- */
struct m_write { /* of a user, on the Deployment */
    int version;
    bool opted, held;
};
struct m_write m_write_begin(const struct model *m);
void m_write_end(struct model *m, const struct m_write *was, bool template);
void m_install(struct model *m, bool there);
void m_learn_policy(struct model *m);
void m_observe_policy(const struct model *m, struct m_view *v);
void m_take_policy(const struct model *m, struct state *s);
struct model *m_start_by_policy(int replicas); /* adopted at version 0 under the policy, and quiet */

/* ---- model_look.c ---- */
enum { SEEN_TARGET = 1, SEEN_OWNED = 2, SEEN_STATE = 4, SEEN_ALL = 7 };
void m_rs_rv(const struct model *m, int rs, char ret[32]); /* it changes with the status, too */
void m_see(struct model *m, unsigned what); /* brings these of the caches up to date; makes them at first */
void m_view_free(struct m_view *v);
struct m_view *m_observe(struct model *m);
void m_know_state(struct model *m); /* the edge reads the state, if it has another */

/* ---- model_objects.c ---- */
struct model *m_by_objects(uint64_t seed, int objects); /* not adopted yet; 20 % of them */
struct model *m_by_objects_soaking(void);               /* version 1 soaks, with 8 of 40 objects */
void m_add_object(struct model *m);
bool m_see_objects(struct model *m, const struct state *s,
                   struct slice_seen *ret); /* false: the state has none */
/* What the plan orders, a few objects at a time; true: something was written. */
bool m_label(struct model *m, const struct plan *p);
int m_owned(const struct model *m, enum slice_owner owner);
void m_check_objects(struct model *m); /* each tick: no object has two owners */

/* ---- model_check.c ---- */
void m_answer_checks(struct model *m, struct m_view *v);
void m_ask_checks(struct model *m, const struct plan *p);

/* ---- model_rehearsal.c ---- */
static inline bool m_is_canary(const struct mrs *r) {
    return r->canary && !r->rehearsed;
}
enum behaviour m_behaviour(const struct model *m, int rs);
int m_create_rehearsal(struct model *m, const struct step *s, const cJSON *body);
int m_apply_report(struct model *m, const struct step *s, const cJSON *body);
void m_observe_rehearsal(struct model *m, struct m_view *v); /* its ReplicaSets and pods are there */
void m_ask_rehearsal(struct model *m, const struct plan *p);
int m_rehearsals(const struct model *m); /* so many ReplicaSets */

/* ---- model_edge.c ---- */
struct mrs *m_find_rs(struct model *m, const char *name);
int m_active(const struct model *m);
bool m_pass(struct model *m);
void m_settle(struct model *m);
void m_run(struct model *m, int ticks);
const struct state *m_s(struct model *m);
int m_phase(struct model *m);
void m_until(struct model *m, enum phase want, int ticks);
void m_image(struct model *m, int version);
void m_user_paused(struct model *m, bool paused);
void m_scale(struct model *m, int replicas);
void m_act(struct model *m, const char *action, int version);
int m_running(const struct model *m, int version, bool canary);
bool m_event(const struct model *m, const char *reason);
void m_begin(struct model *m);         /* until it is adopted and quiet */
struct model *m_start(int replicas);   /* adopted at version 0 and quiet */
struct model *m_soaking(int replicas); /* version 1 soaks for a minute */
void m_assert_all(struct model *m, int version, int n);

/* ---- scene.c ---- */
void m_play(struct model *m, const char *steps); /* see scene.h */
/* ---- model_claims.c ---- */
bool m_claims_nothing(enum plan_reason r);
bool m_claims_an_effect(enum plan_reason r);
/* Fails when an Event of this reason would claim an effect that has not come about. */
void m_check_claim(const struct model *m, enum plan_reason r, const char *message);

#endif
