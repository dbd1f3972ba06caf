/* What the files of sim_core share: the sim itself, its tables of objects, their history, and timers. The
 * order of things: a change makes an event in its table's history; events go to the watches when the
 * outermost call into the sim ends (rest_watch_flush), so that no callback ever runs in the middle of a
 * change. */
#ifndef SIM_CORE_H
#define SIM_CORE_H
#include "store/json_doc.h"
#include "store/api_status.h"
#include "store/index.h"
#include "store/schema.h"
#include "store/store.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/rand.h"

enum {
    SIM_MAX_CUSTOM = 256,      /* custom types, those included that were there and have gone */
    SIM_MAX_OBJECTS = 1000000, /* of all types together */
    SIM_MAX_EXCHANGES = 20000, /* open at a time */
    SIM_MAX_BODY = 3 << 20,    /* of a request */
    SIM_MAX_OBJECT = 2 << 20,  /* text of one object (etcd takes 1.5 MiB of its denser encoding) */
    SIM_MANY_TREES = 20000,    /* parsed at a time within one call */
};
#define SIM_MAX_TEXT ((size_t)4 << 30) /* text of all objects */

/* A thing that is due at some time. */
struct due {
    struct heap_node node;
    int64_t at;
    uint64_t seq;                             /* asked earlier, served earlier */
    void (*fn)(struct sim *s, struct due *d); /* taken out of the heap before the call */
};

enum event_type { EV_ADDED, EV_MODIFIED, EV_DELETED };
/* An event as it goes over the wire, by form: made once, shared by all watches; see rest_watch.c. */
struct frames;
struct event {
    uint64_t rv;
    enum event_type type;
    /* After and before. EV_ADDED: no old; EV_DELETED: doc is the last state under the new version. */
    struct json_doc *doc, *old;
    struct frames *frames;
};

/* All objects of a type. */
struct resource_table {
    const struct sim_type *type;
    struct sim_type custom; /* what type points to when it is not built in */
    cJSON *schema;          /* of it */
    struct schema_shapes shapes;
    bool
        retired; /* its definition has gone: found no more, and out of the tables when the outermost call ends */
    struct index index;
    struct event *history; /* a ring: the newest `count` events from `first` on */
    size_t first, count, cap;
    size_t fresh;   /* of them, the newest, not yet shown to the watches */
    uint64_t floor; /* events up to this version have been forgotten */
    struct list watches;
    struct list *cursor; /* the next watch to be shown the event at hand; NULL when none is shown */
    struct list holds;   /* of struct history_hold */
};

/* The writer, for metadata.managedFields. */
struct writer {
    char name[129];          /* the manager of a request */
    const char *manager;     /* NULL: a controller's default */
    const char *subresource; /* "" or "status", "scale" */
    bool apply;              /* a server-side apply: apply.c keeps the record of a live object itself, */
    const cJSON *set;        /* a new one gets this set */
};

struct obj_inner {
    struct sim_obj *obj;
    struct json_doc *doc;
    struct index_node *node;
    struct list hot; /* in sim.hot while the tree is there */
    char *uid;
    struct owner_link *owners;
    size_t nowners;
    struct uid_node *by_uid;
    bool going; /* in the middle of its removal */
};

struct faults;
struct request_log;
struct sim {
    struct sim_config cfg;
    struct rng rng;
    int64_t now;
    uint64_t rv, requests;
    struct resource_table **tables;
    size_t ntables;
    struct resource_table **buried; /* retired, without objects: lists that still go out look at them */
    size_t nburied;
    char **words; /* the names of custom types, for as long as the sim is there */
    size_t nwords;
    size_t objects, text; /* how many, and bytes of their text */
    struct list hot;      /* parsed objects, coldest first */
    size_t nhot;
    struct uid_node *uids;
    struct owner_set *owners;
    uint64_t link_seq, link_changes; /* of owner_index.c */
    struct heap dues;
    uint64_t due_seq;
    struct list exchanges;
    size_t nexchanges;
    struct list ended;  /* exchanges to be freed when the outermost call ends */
    struct list paused; /* senders whose client reads slowly */
    struct list pins;   /* states that lists in pages go on from, last used last */
    size_t npins;
    uint64_t list_steps; /* objects that lists have looked at: for tests of what a page costs */
    int depth;           /* nested calls into the sim */
    bool dirty;          /* the controllers have something to look at */
    bool fresh;          /* some table has events not yet shown */
    bool closing, advancing;
    struct writer writer;
    struct due namespace_gc; /* namespaces being deleted, old Events */
    int64_t next_sweep;
    bool loading; /* objects keep the uid that they come with */
    void (*on_change)(void *ctx);
    void *on_change_ctx;
    struct faults *faults;
    struct request_log *log;
    void *ctl;
    struct sim *me; /* for the interface's const functions that ask the controllers */
};

/* sim.c */
void sim_enter(struct sim *s);
void sim_exit(struct sim *s); /* flushes and tidies when the outermost call ends */
void sim_due_at(struct sim *s, struct due *d, int64_t at); /* moves it if it is waiting already */
void sim_due_cancel(struct sim *s, struct due *d);
void sim_time(const struct sim *s, char ret[32]); /* now, as metav1.Time */

/* types.c */
struct resource_table *resource_table_of(struct sim *s, const struct sim_type *t);
/* A custom type as t says: a new one, or what is served from now on in the place of an older one. Strings and the schema
 * are copied. NULL: refused. */
const struct sim_type *types_set(struct sim *s, const struct sim_type *t, struct api_status *f);
const struct sim_type *types_add(struct sim *s, const struct sim_type *t,
                                 struct api_status *f); /* the one that is there, else as types_set() */
bool types_room(const struct sim *s, const char *group, const char *resource); /* for one more, or that one */
void types_retire(struct sim *s, const struct sim_type *t);                    /* with its objects */
void types_bury(struct sim *s); /* what was retired, once its watches have ended */
void types_init(struct sim *s);
void types_free(struct sim *s);
const char *type_api_version(const struct sim_type *t, char ret[128]);    /* "apps/v1" */
const char *type_resource_group(const struct sim_type *t, char ret[160]); /* "deployments.apps" */
const char *type_kind_group(const struct sim_type *t, char ret[160]);     /* "Deployment.apps" */
bool type_is(const struct sim_type *t, const char *group, const char *resource);
/* By what kubectl would call it in a file: apiVersion and kind. */
const struct sim_type *type_by_kind(struct sim *s, const char *api_version, const char *kind);

/* history.c */
/* Takes references. */
void history_add(struct sim *s, struct resource_table *h, enum event_type type, struct json_doc *doc,
                 struct json_doc *old);
const struct event *history_at(const struct resource_table *h, size_t i); /* oldest first */
size_t history_after(const struct resource_table *h,
                     uint64_t rv); /* the first event behind rv; count if none */
/* Somebody has to be shown the events behind rv, and is not yet among the watches: these events stay, up to a
 * second limit, beyond which its rv is below the floor. */
struct history_hold {
    struct list link; /* in resource_table.holds */
    uint64_t rv;
};
/* down to the limit; only events that were shown, and that nobody holds */
void history_trim(struct sim *s, struct resource_table *h);
void history_clear(struct sim *s, struct resource_table *h); /* forgets all, as a compaction does */
void history_free(struct resource_table *h);

void rest_watch_frames_free(struct event *e); /* of rest/rest_watch.c, which makes them */

/* Which part of a state: of a namespace, behind a key, at most so many of those that are kept. */
struct history_range {
    const char *ns;                                    /* NULL: all */
    const char *after_ns, *after_name;                 /* NULL: from the beginning */
    bool (*keep)(void *ctx, const struct json_doc *d); /* NULL: all */
    void *ctx;
    size_t max; /* 0: no limit */
    bool count; /* of what follows as well; else one more is enough to know that there is more */
};
/* The state of a type at a version, as references in order of ns, name. Costs as much as is taken (and
 * counted), wherever in the list it is. -ESTALE: no longer known. */
struct history_snapshot {
    struct json_doc **v;
    size_t n, cap;
    size_t more; /* objects of the range that follow: 0, 1 where there are any, or their number */
};
int history_snapshot_take(struct sim *s, struct resource_table *h, uint64_t rv,
                          const struct history_range *range, struct history_snapshot *ret);
/* The same out of a snapshot of all of the type. */
void history_snapshot_cut(struct sim *s, const struct history_snapshot *all,
                          const struct history_range *range, struct history_snapshot *ret);
void history_snapshot_free(struct history_snapshot *p);

/* pins.c: states of a type that are kept for the pages of lists, for as long as etcd would keep them. */
/* NULL: the version is no longer known. */
const struct history_snapshot *pin_take(struct sim *s, struct resource_table *h, uint64_t rv);
const struct history_snapshot *pin_find(struct sim *s, const struct resource_table *h, uint64_t rv);
void pins_drop(struct sim *s); /* all, as a compaction does */

/* store.c: as store.h, with the reason as it goes to the client. obj is taken. ret_doc (may be NULL): a
 * reference to what was, or on a dry run would be, stored. */
int sim_object_create(struct sim *s, const struct sim_type *t, const char *ns, cJSON *obj, bool dry,
                      struct sim_obj **ret, struct json_doc **ret_doc, struct api_status *f);
int sim_object_put(struct sim *s, struct sim_obj *o, cJSON *obj, enum store_part part, bool dry,
                   struct json_doc **ret_doc, struct api_status *f);
/* *ret_gone: it was removed for good; then ret_doc is its last state. */
int sim_object_delete(struct sim *s, struct sim_obj *o, const char *policy, int grace_s, bool dry,
                      bool *ret_gone, struct json_doc **ret_doc, struct api_status *f);
/* fills in apiVersion and kind where they are missing */
void sim_object_set_type(const struct sim_type *t, cJSON *obj);
void sim_store_trim(struct sim *s, size_t keep); /* drops the trees of the coldest */
void sim_store_free(struct sim *s);

/* owner_index.c */
void owner_index_uid_add(struct sim *s, struct sim_obj *o);
void owner_index_uid_drop(struct sim *s, struct sim_obj *o);
void owner_index_set(struct sim *s, struct sim_obj *o); /* from its tree */
void owner_index_drop(struct sim *s, struct sim_obj *o);
void owner_index_free(struct sim *s);

/* object_meta.c: metadata of a new object, and of an update. In place; old NULL on create. */
int object_meta_create(struct sim *s, const struct sim_type *t, const char *ns, cJSON *obj,
                       struct api_status *f);
int object_meta_update(struct sim *s, const struct sim_type *t, const cJSON *old, cJSON *obj,
                       enum store_part part, struct api_status *f);
void object_meta_set_rv(cJSON *obj, uint64_t rv);
bool object_meta_has_finalizers(const cJSON *obj);

/* validate.c and its neighbours */
void validate_workload(const struct sim_type *t, const cJSON *obj, const cJSON *old, struct api_status *f);
void validate_pod(const cJSON *obj, const cJSON *old, struct api_status *f);
void validate_labels(const cJSON *labels, const char *field, struct api_status *f);
int validate(const struct sim_type *t, const cJSON *obj, const cJSON *old, struct api_status *f);
/* The types of what is decoded before anything is validated: 400, and times brought into the server's
 * form. */
int validate_types(const struct sim_type *t, cJSON *obj, struct api_status *f);

/* hold_policy.c: MutatingAdmissionPolicy handover-hold on an update that is about to be stored. */
void hold_policy_admit(struct sim *s, const struct sim_type *t, const cJSON *old, cJSON *obj, bool dry);

/* managed_fields.c: metadata.managedFields after a write by s->writer. */
void managed_fields_record(struct sim *s, const struct sim_type *t, const cJSON *old, cJSON *obj,
                           enum store_part part);

/* namespace_gc.c */
void namespace_gc_wake(struct sim *s, bool now);
void namespace_gc_run(struct sim *s, struct due *d);
#endif
