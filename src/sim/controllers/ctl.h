/* What the controllers of the embedded API server share: their state, the list of what is to be looked at and
 * when, and helpers to read and write objects. Private to the controllers.
 *
 * Every object that somebody may have to look at again has a struct ctl_obj. It stands at most once in a heap
 * ordered by the time of the next look; a controller looks at the whole object and does the next step, as the
 * real ones do. */
#ifndef SIM_CTL_H
#define SIM_CTL_H
#include "api/meta.h"
#include "api/selector.h"
#include "base/hash.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/rand.h"
#include "base/time.h"
#include "controllers/script.h"
#include "store/store.h"

enum {
    CTL_MAX_PODS = 100000,  /* more are refused, as a quota would */
    CTL_MAX_EVENTS = 20000, /* the oldest go first */
    CTL_BURST = 500,        /* pods that a ReplicaSet makes or deletes in one look */
};

enum ctl_kind { CK_OTHER, CK_DEPLOYMENT, CK_REPLICASET, CK_STATEFULSET, CK_POD, CK_EVENT, CK_COUNT };

struct ctl_ns; /* a namespace's lists of owners and orphans */
struct pod_proc;

struct ctl_obj {
    struct heap_node due;
    int64_t at;         /* valid while in the heap */
    uint64_t seq;       /* earlier asked, earlier served */
    struct list all;    /* of struct ctl */
    struct list in_ns;  /* of struct ctl_ns, by kind */
    struct list orphan; /* of struct ctl_ns: no controller */
    struct sim_obj *o;
    enum ctl_kind kind;
    bool seen;               /* is this not the first change? */
    bool gc;                 /* owners or finalizers to be looked at */
    bool mine;               /* the kind's controller is to look */
    char *owner;             /* uid of the controller at the last change, or NULL */
    uint64_t labels, owners; /* hashes of what they were at the last change */
    /* of Deployments, ReplicaSets and StatefulSets; NULL when it selects nothing or is not understood */
    struct selector *sel;
    char tmpl[11]; /* hash of spec.template, valid for tmpl_generation */
    int64_t tmpl_generation;
    struct pod_proc *pod;
};

struct ctl {
    struct sim *s;
    struct heap due;
    uint64_t seq;
    struct ctl_obj *looking; /* whose look it is now */
    struct list all;
    struct list events; /* CK_EVENT in the order of their last write, through in_ns */
    size_t nevents, npods;
    struct ctl_ns *ns;
    struct pod_proc *ips; /* by address */
    uint32_t next_ip;
    const struct sim_type *deployments, *replicasets, *statefulsets, *revisions, *pods, *event_type, *leases,
        *nodes, *quotas;
    int64_t delay_ns, jitter_ns; /* how long a controller takes to notice a change */
    bool stopped;                /* the controller manager is down; pods keep running */
    struct scripts scripts;
    const struct sim_runtime *rt;
    void *rt_ctx;
};

struct ctl *ctl_of(struct sim *s);
/* ctl_obj of an object, NULL if it has none (yet). */
struct ctl_obj *ctl_obj_of(struct sim_obj *o);
void ctl_at(struct ctl *c, struct ctl_obj *co, int64_t at); /* look not later than at */
void ctl_wake(struct ctl *c, struct ctl_obj *co);           /* reconcile soon, as after a watch event */
/* Calls fn for each object of a kind in the namespace: those without a controller, or all. fn may change the
 * list. */
void ctl_each_orphan(struct ctl *c, const char *ns, enum ctl_kind kind,
                     void (*fn)(void *ctx, struct ctl_obj *co), void *ctx);
void ctl_each(struct ctl *c, const char *ns, enum ctl_kind kind, void (*fn)(void *ctx, struct ctl_obj *co),
              void *ctx);

/* ---- the controllers: one reconcile of one object, which may have been removed afterwards ---- */
void deployment_sync(struct ctl *c, struct ctl_obj *co);
void replicaset_sync(struct ctl *c, struct ctl_obj *co);
void statefulset_sync(struct ctl *c, struct ctl_obj *co);
void pod_sync(struct ctl *c, struct ctl_obj *co);
bool gc_sync(struct ctl *c, struct ctl_obj *co); /* false: the object is gone */
void gc_removed(struct ctl *c, struct sim_obj *o);
bool gc_concerns(const cJSON *json); /* does it have owners, or finalizers of the garbage collector? */

/* Would the API server take this Pod of a controller? Its image's script may refuse it, and the ResourceQuotas of the namespace
 * (`pods`, `count/pods`). 0, or a negative errno and err (403) in the words of a real one. */
int pod_admission(struct ctl *c, const char *ns, const cJSON *pod, struct err *err);
void pod_forget(struct ctl *c, struct pod_proc *p);
void pod_rescript_all(struct ctl *c); /* the scripts have changed */
struct ctl_obj *pod_by_ip(struct ctl *c, struct slice ip);

/* ---- adoption.c: which of the objects that match a selector belong to an owner ---- */
struct sim_objs {
    struct sim_obj **v;
    size_t n, cap;
};
/* Appends the children of type kind (CK_REPLICASET or CK_POD) of owner: adopts matching orphans, releases
 * what matches no more. An owner that is being deleted does neither, and has only what matches. */
void adoption_claim(struct ctl *c, struct ctl_obj *owner, enum ctl_kind kind, struct sim_objs *ret);
void sim_objs_add(struct sim_objs *l, struct sim_obj *o);
void sim_objs_free(struct sim_objs *l);
#define cleanup_sim_objs __attribute__((cleanup(sim_objs_free)))

/* ---- ctl_util.c ---- */
cJSON *ctl_copy(struct ctl *c, struct sim_obj *o);        /* to be changed and put */
cJSON *ctl_copy_status(struct ctl *c, struct sim_obj *o); /* as much of it as a change of status needs */
int ctl_put(struct ctl *c, struct sim_obj *o, cJSON *json, enum store_part part); /* json is taken */
void ctl_json_set(cJSON *obj, const char *key, cJSON *value); /* replaces or adds; value is taken */
void ctl_json_set_str(cJSON *obj, const char *key, const char *value);
void ctl_json_set_i64(cJSON *obj, const char *key, int64_t value);
void ctl_json_set_bool(cJSON *obj, const char *key, bool value);
/* the object at a path of names separated by '/', made where missing */
cJSON *ctl_json_make(cJSON *obj, const char *path);
void ctl_json_del(cJSON *obj, const char *key);
void ctl_json_set_time(cJSON *obj, const char *key, int64_t wall_ns); /* whole seconds */
int64_t ctl_json_time(const cJSON *obj, const char *key);             /* 0 if absent or not a time */
int64_t ctl_now(const struct ctl *c);
cJSON *ctl_owner_ref(struct sim_obj *owner); /* a controller reference */
/* An int or a percentage of total, rounded up or down; not below 0. def: for absent values. */
int64_t ctl_int_or_percent(const cJSON *v, int64_t total, bool up, int64_t def);
/* Counts and reports what happened to o as a Kubernetes Event. type "Normal" or "Warning". */
void ctl_event(struct ctl *c, struct sim_obj *o, const char *component, const char *type, const char *reason,
               const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* The hash of spec.template, the label pod-template-hash left out: equal for templates that mean the same. */
const char *ctl_template_hash(struct ctl *c, struct ctl_obj *co);
uint64_t ctl_json_hash(const cJSON *v); /* of its text; 0 for NULL */
#endif
