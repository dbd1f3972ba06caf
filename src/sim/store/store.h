/* The object store inside the embedded API server: what the REST side and the controllers share. Every change
 * gets a resourceVersion from one counter and goes to the watches. Private to src/sim. */
#ifndef SIM_STORE_H
#define SIM_STORE_H
#include "sim/sim.h"
#include "base/json.h"

struct schema_shapes;
struct sim_type {
    const char *group, *version, *resource, *kind, *singular;
    const char *short_names; /* "deploy" or "" , separated by ',' */
    bool namespaced, has_status, has_scale;
    bool has_generation; /* metadata.generation is kept; not so for ConfigMaps, Leases, Pods, ... */
    bool custom;         /* registered at run time */
    /* Of a custom one, owned by its table; NULL: nothing is known of its objects. */
    const cJSON *schema;
    const struct schema_shapes *shapes;
};
/* Of the types built in; those registered later belong to one sim: type_at(), type_find(). */
const struct sim_type *sim_type_find(const char *group, const char *resource); /* NULL if not built in */
const struct sim_type *type_at(const struct sim *s, size_t i); /* all of this sim; NULL past the last */
const struct sim_type *type_find(const struct sim *s, const char *group, const char *resource);

struct sim_obj {
    const struct sim_type *type;
    char *ns, *name; /* ns "" for cluster-scoped */
    /* apiVersion, kind, metadata, ...: never changed in place, only by sim_store_put(). NULL while the object
     * is cold: see sim_store_json(). */
    cJSON *json;
    uint64_t rv;
    void *ctl; /* the controllers' own state of this object (pods: their process), freed in ctl_removed() */
    struct obj_inner *in; /* the store's own: text, index, owners */
};
/* Memory: the text of every object is kept, the tree only of those looked at lately (100,000 trees would take
 * 2 GB). o->json is there for what sim_store_get(), sim_store_each(), sim_store_owned(), sim_store_create()
 * and the ctl_ calls hand out, until the controllers return to the sim; a caller that keeps a struct sim_obj *
 * longer than that, or collects very many (more than 10,000) before reading them, asks sim_store_json(o),
 * which parses it again where needed. */
cJSON *sim_store_json(struct sim *s, struct sim_obj *o);
struct sim_obj *sim_store_get(struct sim *s, const struct sim_type *t, const char *ns, const char *name);
/* fn returns false to stop; it may change and delete objects, also the one at hand. ns NULL: all. Order: by
 * ns, name. */
void sim_store_each(struct sim *s, const struct sim_type *t, const char *ns,
                    bool (*fn)(void *ctx, struct sim_obj *o), void *ctx);
/* As sim_store_each() for the objects of type t (NULL: of any type) that name owner_uid in an owner
 * reference; costs only as much as there are of them. Order: oldest first. */
void sim_store_owned(struct sim *s, const char *owner_uid, const struct sim_type *t,
                     bool (*fn)(void *ctx, struct sim_obj *o), void *ctx);
struct sim_obj *sim_store_by_uid(struct sim *s, const char *uid); /* NULL if there is none */

/* obj is taken in any case. Sets uid, creationTimestamp, resourceVersion, generation 1, resolves
 * generateName, applies defaults and validation. err carries http: 409 AlreadyExists, 422, 404 (namespace),
 * ... */
int sim_store_create(struct sim *s, const struct sim_type *t, const char *ns, cJSON *obj,
                     struct sim_obj **ret, struct err *err);
enum store_part { STORE_MAIN /* status of the old object is kept where the type has_status */, STORE_STATUS };
/* Replaces an object. Immutable metadata is kept, generation rises when something outside metadata and status
 * changed; no change at all: nothing happens, no event. If obj has a metadata.resourceVersion that is not the
 * present one: 409. Removes the object for good when it is being deleted and its last finalizer has gone. */
int sim_store_put(struct sim *s, struct sim_obj *o, cJSON *obj, enum store_part part, struct err *err);
/* policy: NULL or "Background", "Foreground", "Orphan". grace_s < 0: the object's default; pods linger for
 * their grace. Foreground and Orphan add the finalizers foregroundDeletion and orphan; the garbage collector
 * does the work and takes them away with sim_store_put(). A pod that lingers is gone when its kubelet says
 * sim_store_delete(grace 0). The contents of a namespace being deleted, and then the namespace, are removed
 * by the store itself. */
int sim_store_delete(struct sim *s, struct sim_obj *o, const char *policy, int grace_s, struct err *err);
void sim_store_remove(struct sim *s, struct sim_obj *o); /* gone now: DELETED event, memory freed */

/* The field manager that the writes from here on are recorded under in metadata.managedFields, until the
 * controllers return to the sim. Without it: "kube-controller-manager", and "kubelet" for the status of pods.
 * manager: a literal. */
void sim_store_as(struct sim *s, const char *manager);
uint64_t sim_rand(struct sim *s);                      /* from the seed */
const struct sim_config *sim_cfg(const struct sim *s); /* with the defaults filled in */

/* ---- implemented by controllers/ ---- */
void *ctl_new(struct sim *s);
void ctl_free(void *ctl);
void *sim_ctl(struct sim *s); /* what ctl_new() returned */
/* after every create and put: mark what has to be looked at again */
void ctl_changed(struct sim *s, struct sim_obj *o);
void ctl_removed(struct sim *s, struct sim_obj *o); /* before the object goes: garbage collection, o->ctl */
void ctl_run(struct sim *s);                        /* to a fixed point at the present time */
int64_t ctl_next_ns(struct sim *s);
int ctl_script(struct sim *s, struct slice json, struct err *err);
/* GET of a pod's proxy: fills status, content type and body; delay_ns > 0: the answer is to come that much
 * later. */
void ctl_pod_proxy(struct sim *s, struct sim_obj *pod, struct slice port, struct slice path, int *ret_status,
                   const char **ret_type, int64_t *ret_delay_ns, struct buf *body);
/* Fields that the API server defaults when missing (Deployment, ReplicaSet, Pod template), in place. */
void sim_defaults(const struct sim_type *t, cJSON *obj);
#endif
