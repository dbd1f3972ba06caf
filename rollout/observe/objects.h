/* What the plan looks at, read from plain API objects. The edge keeps these as its informers' projections.
 * Pure. */
#ifndef ROLLOUT_OBSERVE_H
#define ROLLOUT_OBSERVE_H
#include "base/err.h"
#include "base/json.h"
#include "base/time.h"
#include "observe/workload.h"

#define HANDOVER_PREFIX "handover.dev/"

/* The pods of a canary bear TRACK and TEMPLATE besides the target's own labels; its ReplicaSet bears TARGET
 * and TEMPLATE, and neither TRACK nor a label of the target: it must not match the target's selector, nor one
 * that is meant for pods. */
#define LABEL_TRACK    HANDOVER_PREFIX "track"    /* "canary" */
#define LABEL_TEMPLATE HANDOVER_PREFIX "template" /* the template's hash */
#define LABEL_TARGET   HANDOVER_PREFIX "target"   /* the target's uid */
/* The only label of a rehearsal's pods, HASH or HASH-control, and on their ReplicaSets beside TARGET: no canaries, whatever else they bear. */
#define LABEL_REHEARSAL HANDOVER_PREFIX "rehearsal"
#define REHEARSAL_SIDECAR                                                                                    \
    "handover-rehearsal" /* the container of ours in them, and what it has in its environment */
#define REHEARSAL_KEY  "HANDOVER_REHEARSAL_KEY"
#define STATE_LABEL    "app.kubernetes.io/managed-by=handover" /* of the ConfigMaps that keep states */
#define LABEL_POD_HASH "pod-template-hash"                     /* the Deployment controller's */
/* On a ReplicaSet that was the target's own and was taken out of its Deployment: it runs until stable does. */
#define ANNOTATION_DETACHED HANDOVER_PREFIX "detached"
/* On a target whose spec.replicas is 0 by our doing: the number before; for the case that the state is lost. */
#define ANNOTATION_REPLICAS HANDOVER_PREFIX "replicas"
/* On a target that is paused until Handover says otherwise: MutatingAdmissionPolicy handover-hold sets it with the pause and keeps
 * both, whatever others write. Handover sets it where it pauses a target of which that policy is in effect. */
#define ANNOTATION_HELD  HANDOVER_PREFIX "held"
#define ANNOTATION_PROBE HANDOVER_PREFIX "probe" /* of a dry run that asks whether that policy is in effect */
/* On a Lease: the targets of other namespaces that may name it, NAMESPACE/NAME, by comma. */
#define ANNOTATION_TARGETS     HANDOVER_PREFIX "targets"
#define ANNOTATION_DIGEST      HANDOVER_PREFIX "digest"      /* on the ConfigMap of a rehearsal's report */
#define ANNOTATION_RUN         HANDOVER_PREFIX "run"         /* ... and of which pods that is */
#define ANNOTATION_QUARANTINED HANDOVER_PREFIX "quarantined" /* on the canary's ReplicaSet: why */

/* What has to be seen for a decision about a target; each includes those before it: the Deployment with its state and
 * its canaries, the ReplicaSets of its namespace, the Pods of its namespace, the Leases of its namespace. */
enum obs_need { NEED_TARGET, NEED_REPLICASETS, NEED_PODS, NEED_LEASES, NEEDS };

enum track { TRACK_STABLE, TRACK_CANARY, TRACKS };

/* A StatefulSet is held by this partition: no pod has an ordinal like that. */
#define HELD_PARTITION INT32_MAX

/* The Deployment or StatefulSet. */
struct obs_target {
    const struct workload *kind;
    char *ns, *name, *uid, *rv;
    char *id; /* workload.h */
    bool deleting;
    int64_t created_ns; /* wall clock; 0 when it is not given */
    int64_t generation, observed_generation;
    int32_t replicas;  /* spec; 1 when absent */
    bool paused, held; /* paused: of a StatefulSet, that partition is HELD_PARTITION; held: ANNOTATION_HELD */
    int64_t deadline_s; /* spec.progressDeadlineSeconds; -1 when absent */
    bool recreate;      /* strategy Recreate */
    int32_t history;    /* spec.revisionHistoryLimit: so many old ReplicaSets at zero are kept */
    int32_t st_replicas, st_updated, st_ready, st_available;
    /* Of a StatefulSet */
    int32_t partition;
    char *current, *update; /* its ControllerRevisions by status, by name; NULL: not told yet */
    char current_hash[11];  /* of current's template, where it was read; "" otherwise */
    char *claims;           /* the names of its volumeClaimTemplates, a JSON array; NULL: it has none */
    char *unfit;            /* why it cannot be a target; NULL: it can */
    char *selector, *tmpl;  /* raw JSON text of spec.selector and spec.template, byte for byte */
    char hash[11];          /* template_hash(tmpl) */
    char *image;            /* of the first container, for messages */
    char *status;           /* annotation handover.dev/status; NULL if absent */
    char *progressing;      /* reason of the condition Progressing; NULL if absent */
    char *failure; /* why its controller cannot make a ReplicaSet or Pods, by its conditions; NULL: it can */
    cJSON *annotations; /* NULL if none */
    cJSON *
        managers; /* which field manager has set those that are user commands, by key; NULL: none, or not given */
};
static inline bool obs_is_set(const struct obs_target *t) { /* a StatefulSet */
    return t->kind == &workload_statefulset;
}
/* What a ReplicaSet of a rehearsal runs: the new version, or beside it stable's. */
enum rehearsed { REHEARSED_NONE, REHEARSED_NEW, REHEARSED_CONTROL };
/* A ReplicaSet that has an owner reference with the target's uid: the target's own ones and our canaries. Of a StatefulSet, instead
 * of its own ones, its revisions (objects_stateful.c): name and uid are the ControllerRevision's name. */
struct obs_rs {
    char *name, *uid, *rv, *owner_uid; /* owner_uid: of the controlling owner; for a canary, of the target */
    char *owner_name; /* the id of the Deployment or StatefulSet among its owners; NULL if there is none */
    bool canary;      /* ours: our labels, owned by the target that they name, controlled by nothing */
    bool detached;    /* a canary that bears ANNOTATION_DETACHED */
    enum rehearsed rehearsed; /* ours as a canary is, and neither a canary nor one of the target's own */
    bool deleting;
    bool observed; /* its controller has seen its spec as it is */
    bool selects;  /* its template leaves labelled objects to others (track_selector.h) */
    int64_t created_ns;
    int32_t replicas, st_replicas, st_ready, st_available;
    char hash[11]; /* of its template; of a canary: LABEL_TEMPLATE, of a rehearsal: LABEL_REHEARSAL's */
    /* Of a canary: the hash of its template as it stands, with our labels and overrides. Of a rehearsal: how the key of its sidecar begins,
     * by which it is known, since the API server adds defaults to what is ours in its template. */
    char made[11];
    char *quarantined; /* ANNOTATION_QUARANTINED; NULL if absent */
    char *failure; /* message of the condition ReplicaFailure when True ("exceeded quota"); NULL otherwise */
};
/* What keeps a Pod from running that is not its version's doing. */
enum obs_cause {
    CAUSE_NONE,
    CAUSE_UNSCHEDULABLE, /* the scheduler finds no node, or something gates it */
    CAUSE_IMAGE,         /* an image cannot be pulled, and no registry says that it does not exist */
    CAUSE_NOT_STARTED, /* on a node, but a ConfigMap, a Secret, a volume, the network or the runtime is missing */
    CAUSE_DISRUPTED, /* evicted, preempted, refused by its node, or its node does not answer */
    CAUSES
};
/* A pod comes up within this time: what crashes sooner after its pod's creation had not. */
#define OBS_START_NS (600 * NS_PER_S)
enum { OBS_MAX_PORTS = 32, OBS_MAX_PATH = 255 };
struct obs_port {
    uint16_t port;
    char name[16]; /* "" if it has none */
};
struct obs_pod {
    char *ns, *name, *uid, *ip; /* ip NULL when it has none yet */
    char *rs_uid,
        *rs_name; /* of its controller; of a StatefulSet's: the name of its ControllerRevision, the set's id */
    enum track track; /* by LABEL_TRACK */
    char hash[11];    /* of a canary: LABEL_TEMPLATE; "" otherwise */
    int64_t created_ns;
    bool terminating, ready, scheduled, finished; /* finished: phase Succeeded or Failed */
    bool host_network;      /* shares its node's addresses: spec.hostNetwork, or podIP is hostIP */
    struct obs_port *ports; /* TCP ports that its containers declare, OBS_MAX_PORTS at most; NULL if none */
    size_t nports;
    uint16_t scrape_port; /* annotations prometheus.io/port, scheme, path; 0: no port */
    bool scrape_https;
    char *scrape_path;      /* NULL: absent, or longer than OBS_MAX_PATH */
    uint32_t restarts;      /* sum over its containers, init containers too */
    uint32_t crashes;       /* of those the ones that are its version's own failures */
    uint32_t start_crashes; /* of these, in its first OBS_START_NS; of a container with two later ones, 0 */
    bool loops;             /* a container that crashed waits for its next start */
    int64_t crashed_ns;     /* when a container last crashed, wall clock; 0: none has */
    char *crash;            /* how: "container m: OOMKilled, exit code 137"; NULL: none has */
    bool oom_killed;        /* the same crash was an OOM kill */
    bool no_image;          /* there is no such image: its name is wrong, or the registry says so */
    enum obs_cause cause;
    int64_t
        started_ns; /* when its containers were started, those that never restarted; 0: none, or not known */
    int64_t ended_ns; /* CAUSE_DISRUPTED: since when; 0: not known */
    /* A process of this Pod that was at work before this moment is dead: each of its containers, sidecars too, has ended at or
     * after it, by the kubelet's word; wall clock of its node. 0: one has not, or it is not certain. */
    int64_t died_ns;
    bool over; /* it is being deleted and all of them have ended: it has no process any more, and gets none */
    bool
        sidecar; /* REHEARSAL_SIDECAR has started, by its startup probe; what else becomes of it is in no number above */
    uint32_t sidecar_restarts;
    char *waiting; /* reason of a waiting container, the worst one: "CrashLoopBackOff"; NULL if none waits */
    char
        *trouble; /* in words, by the scheduler or the kubelet: the cause, why a container waits, how the last
                      one crashed; NULL if none */
};
/* A Lease, by which processes elect their leader. */
struct obs_lease {
    char *ns, *name, *rv;
    char *holder;        /* spec.holderIdentity; "" when nobody holds it */
    int64_t acquired_ns; /* when the holder took it, by the holder's clock; 0: not given */
    int64_t renewed_ns;  /* when it was last renewed, by the same clock; 0: not given */
    int64_t duration_ns; /* how long it is valid without being renewed; 15 s where it is not given */
    bool coordinated;    /* the API server elects (spec.strategy): nobody else names a holder */
    char *targets;       /* ANNOTATION_TARGETS; NULL if absent */
};
/* raw: the object's text, which obj was parsed from. -EINVAL (ERR_PROTOCOL) when it is not what it should be;
 * ret untouched. */
int obs_target_read(const struct workload *kind, const cJSON *obj, struct slice raw, struct obs_target *ret,
                    struct err *err);
int obs_rs_read(const cJSON *obj, struct slice raw, struct obs_rs *ret, struct err *err);
int obs_pod_read(const cJSON *obj, struct obs_pod *ret, struct err *err);
int obs_lease_read(const cJSON *obj, struct obs_lease *ret, struct err *err);
void obs_pod_copy(const struct obs_pod *from, struct obs_pod *ret); /* obs_pod_free() */
void obs_target_free(struct obs_target *t);
void obs_rs_free(struct obs_rs *r);
void obs_pod_free(struct obs_pod *p);
void obs_lease_free(struct obs_lease *l);
/* Does a process of the Pod of this name hold the Lease? Identities are a pod's name, or this, an underscore and anything: what
 * client-go's users make of the host name, which is cut for a name that is longer than 63 bytes: then nobody knows. */
bool obs_lease_held_by(const struct obs_lease *l, const char *pod);
/* The name of the Pod that holds it, if the identity is one of these; empty otherwise. */
struct slice obs_lease_pod(const struct obs_lease *l);
struct slice obs_identity_pod(const char *identity); /* the same, of spec.holderIdentity as it stands */

/* Of a StatefulSet: what is its own in spec and status (objects_stateful.c). */
void observe_stateful(const cJSON *obj, struct slice tmpl, struct obs_target *t);
/* Its revisions as if they were ReplicaSets, at most OBS_REVISIONS: the current one first. stable, hash: the revision whose template's hash
 * is known, and that; NULL. pods: of the set, as far as they are seen. Returns how many; obs_rs_free() each. */
enum { OBS_REVISIONS = 8 };
size_t obs_revisions(const struct obs_target *t, const char *stable, const char *hash,
                     const struct obs_pod *pods, size_t npods, struct obs_rs ret[OBS_REVISIONS]);
/* Is the hash of the current revision's template not known, so that its ControllerRevision has to be read? */
bool obs_revision_unknown(const struct obs_target *t, const char *stable);
/* The hash of the template that a ControllerRevision keeps, and that template's text, a part of raw. */
int obs_revision_read(struct slice raw, char ret_hash[11], struct slice *ret_tmpl, struct err *err);

/* Does the target take part at all (canary-percent is there, whatever its value)? */
bool obs_opted_in(const cJSON *annotations);
/* The target's name and a suffix; one that is too long is cut and gets a digest. free(). */
char *obs_name_with(const char *target, const char *suffix);
char *obs_state_name(
    const char *id); /* the ConfigMap with the state: NAME-handover, NAME-statefulset-handover; free() */
/* The target that a canary's ReplicaSet NAME-canary-HASH belongs to, by its name alone: its id; NULL if that is not
 * its name; free(). */
char *obs_canary_target(const char *rs_name);
/* The id of the Deployment or StatefulSet that an object names as an owner; NULL if there is none; free(). */
char *obs_owner_target(const cJSON *obj);

/* The uids of all owners of a ReplicaSet, for the edge's index: calls fn for each. */
void obs_each_owner(const cJSON *obj, void (*fn)(void *ctx, const char *uid), void *ctx);
#endif
