/* One look of the Deployment controller: the Deployment and its ReplicaSets as read, shared by its steps. */
#ifndef SIM_DEPLOYMENT_H
#define SIM_DEPLOYMENT_H
#include "controllers/ctl.h"

#define ANN_REVISION         "deployment.kubernetes.io/revision"
#define ANN_REVISION_HISTORY "deployment.kubernetes.io/revision-history"
#define ANN_DESIRED          "deployment.kubernetes.io/desired-replicas"
#define ANN_MAX              "deployment.kubernetes.io/max-replicas"
#define LABEL_HASH           "pod-template-hash"

struct rs {
    struct sim_obj *o;
    int64_t created;                    /* whole seconds, as in the object */
    int64_t spec;                       /* spec.replicas */
    int64_t replicas, ready, available; /* status */
    int64_t desired, max;               /* annotations; -1: absent */
    int64_t revision;                   /* 0: absent */
    bool deleting, failing;             /* failing: it could not create pods */
};

struct dep {
    struct ctl *c;
    struct ctl_obj *co;
    struct sim_obj *o;
    const char *name;                                 /* the object's */
    int64_t generation, replicas, surge, unavailable; /* limits as numbers of pods */
    int64_t deadline_s;                               /* -1: none */
    int64_t history;                                  /* -1: unlimited */
    int64_t min_ready_s;
    bool paused, recreate, deleting;
    struct rs *v; /* all its ReplicaSets, oldest first, the same second by name */
    size_t n;
    struct rs *new; /* the one of the present template, or NULL; in v */
};

/* deployment_rs.c */
/* adopts the ReplicaSets and finds the new one */
int deployment_read(struct dep *d, struct ctl *c, struct ctl_obj *co);
void deployment_free(struct dep *d);
int64_t deployment_rs_sum_spec(const struct dep *d, bool old_only);
/* Brings the new ReplicaSet's revision and annotations up to date, makes it where it is missing and create is
 * set, and notes the revision on the Deployment. False: something was written that has to be looked at
 * afresh. */
bool deployment_sync_revision(struct dep *d, bool create);
/* Sets spec.replicas and the annotations that go with it; reports an Event. True if spec.replicas changed. */
bool deployment_rs_scale(struct dep *d, struct rs *r, int64_t to);
/* Deletes old ReplicaSets beyond revisionHistoryLimit. d->v is not valid afterwards. */
void deployment_cleanup(struct dep *d);

/* deployment_scale.c: sums without side effects */
void deployment_limits(const cJSON *spec, struct dep *d);
/* how large the new one may be now; current: its spec */
int64_t deployment_new_rs_replicas(const struct dep *d, int64_t current);
/* The sizes in proportion (want[i] for v[i]) when several ReplicaSets are active and the total has to
 * change. */
void deployment_proportional(const struct dep *d, int64_t *want);

/* deployment_status.c */
enum dep_status {
    DEP_STATUS_ONLY /* paused, scaled or deleted: no judgement of progress */,
    DEP_STATUS_ROLLOUT
};
void deployment_write_status(struct dep *d, enum dep_status how);
void deployment_paused_condition(struct dep *d);
bool deployment_complete(const struct dep *d); /* by the status as written last */
void deployment_condition(struct dep *d, const char *type, const char *status, const char *reason,
                          const char *fmt, ...) __attribute__((format(printf, 5, 6)));
#endif
