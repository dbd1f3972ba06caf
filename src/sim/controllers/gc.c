/* The garbage collector: objects whose owners are gone are deleted; foreground deletion waits for its
 * dependents; orphaning removes the owner references. */
#include "controllers/ctl.h"

#define FOREGROUND "foregroundDeletion"
#define ORPHAN     "orphan"

static bool has_finalizer(const cJSON *json, const char *name) {
    const cJSON *list = json_at(json, "metadata/finalizers");
    for (const cJSON *f = list ? list->child : NULL; f; f = f->next)
        if (cJSON_IsString(f) && strcmp(f->valuestring, name) == 0) return true;
    return false;
}

static bool has_owners(const cJSON *json) {
    const cJSON *refs = json_at(json, "metadata/ownerReferences");
    return refs && refs->child;
}

bool gc_concerns(const cJSON *json) {
    return has_owners(json) ||
           (obj_deleting(json) && (has_finalizer(json, FOREGROUND) || has_finalizer(json, ORPHAN)));
}

/* ---- dependents of an owner ---- */

static bool collect(void *ctx, struct sim_obj *o) {
    sim_objs_add(ctx, o);
    return true;
}

static void dependents(struct ctl *c, const char *uid, struct sim_objs *ret) {
    sim_store_owned(c->s, uid, NULL, collect, ret);
}

static const cJSON *ref_to(const cJSON *json, const char *uid) {
    const cJSON *refs = json_at(json, "metadata/ownerReferences");
    for (const cJSON *r = refs ? refs->child : NULL; r; r = r->next)
        if (strcmp(json_str_or(r, "uid", ""), uid) == 0) return r;
    return NULL;
}

static void look_at(struct ctl *c, struct sim_obj *o) {
    struct ctl_obj *co = o->ctl;
    if (!co) return;
    co->gc = true;
    ctl_at(c, co, ctl_now(c) + c->delay_ns);
}

static bool see_dependent(void *ctx, struct sim_obj *o) {
    look_at(ctx, o);
    return true;
}

/* Its dependents are reconciled again, and an owner that waits for its dependents. */
void gc_removed(struct ctl *c, struct sim_obj *o) {
    const cJSON *json = sim_store_json(c->s, o);
    const char *uid = json ? obj_uid(json) : NULL;
    if (!uid) return;
    cleanup_sim_objs struct sim_objs list = {0};
    dependents(c, uid, &list);
    for (size_t i = 0; i < list.n; i++) (void)see_dependent(c, list.v[i]);
    const cJSON *refs = json_at(json, "metadata/ownerReferences");
    for (const cJSON *r = refs ? refs->child : NULL; r; r = r->next) {
        struct sim_obj *owner = sim_store_by_uid(c->s, json_str_or(r, "uid", ""));
        if (owner && owner->ctl && obj_deleting(sim_store_json(c->s, owner))) look_at(c, owner);
    }
}

/* ---- finalizers of the owner ---- */

static cJSON *without_finalizer(struct ctl *c, struct sim_obj *o, const char *name) {
    cJSON *json = ctl_copy(c, o), *meta = ctl_json_make(json, "metadata");
    cJSON *list = cJSON_GetObjectItemCaseSensitive(meta, "finalizers");
    for (cJSON *f = list ? list->child : NULL, *next; f; f = next) {
        next = f->next;
        if (cJSON_IsString(f) && strcmp(f->valuestring, name) == 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(list, f));
    }
    if (list && !list->child) ctl_json_del(meta, "finalizers");
    return json;
}

static void drop_ref(struct ctl *c, struct sim_obj *o, const char *uid) {
    cJSON *json = ctl_copy(c, o), *meta = ctl_json_make(json, "metadata");
    cJSON *refs = cJSON_GetObjectItemCaseSensitive(meta, "ownerReferences");
    for (cJSON *r = refs ? refs->child : NULL, *next; r; r = next) {
        next = r->next;
        if (strcmp(json_str_or(r, "uid", ""), uid) == 0) cJSON_Delete(cJSON_DetachItemViaPointer(refs, r));
    }
    if (refs && !refs->child) ctl_json_del(meta, "ownerReferences");
    (void)ctl_put(c, o, json, STORE_MAIN);
}

/* True: the finalizer went, and with it perhaps the object. */
static bool orphan(struct ctl *c, struct sim_obj *o, const char *uid) {
    cleanup_sim_objs struct sim_objs list = {0};
    dependents(c, uid, &list);
    for (size_t i = 0; i < list.n; i++) drop_ref(c, list.v[i], uid);
    (void)ctl_put(c, o, without_finalizer(c, o, ORPHAN), STORE_MAIN);
    return true;
}

static bool foreground(struct ctl *c, struct sim_obj *o, const char *uid) {
    cleanup_sim_objs struct sim_objs list = {0};
    dependents(c, uid, &list);
    size_t blocking = 0;
    for (size_t i = 0; i < list.n; i++) {
        const cJSON *json = sim_store_json(c->s, list.v[i]);
        blocking += json_bool(ref_to(json, uid), "blockOwnerDeletion", false);
        if (!obj_deleting(json)) look_at(c, list.v[i]);
    }
    if (blocking > 0) return false;
    (void)ctl_put(c, o, without_finalizer(c, o, FOREGROUND), STORE_MAIN);
    return true;
}

/* ---- owners of a dependent ---- */

struct owners {
    size_t solid, waiting, absent;
};

static struct owners owners_of(struct ctl *c, const struct sim_obj *o, const cJSON *json) {
    struct owners n = {0};
    const cJSON *refs = json_at(json, "metadata/ownerReferences");
    for (const cJSON *r = refs ? refs->child : NULL; r; r = r->next) {
        struct sim_obj *owner = sim_store_by_uid(c->s, json_str_or(r, "uid", ""));
        /* An owner in another namespace is none. */
        if (!owner || (*owner->ns && strcmp(owner->ns, o->ns) != 0)) {
            n.absent++;
            continue;
        }
        const cJSON *oj = sim_store_json(c->s, owner);
        if (obj_deleting(oj) && has_finalizer(oj, FOREGROUND))
            n.waiting++;
        else
            n.solid++;
    }
    return n;
}

/* Some owner is left: only the references to the others go. */
static void drop_dead_refs(struct ctl *c, struct sim_obj *o) {
    cJSON *json = ctl_copy(c, o), *meta = ctl_json_make(json, "metadata");
    cJSON *refs = cJSON_GetObjectItemCaseSensitive(meta, "ownerReferences");
    for (cJSON *r = refs ? refs->child : NULL, *next; r; r = next) {
        next = r->next;
        struct sim_obj *owner = sim_store_by_uid(c->s, json_str_or(r, "uid", ""));
        const cJSON *oj = owner ? sim_store_json(c->s, owner) : NULL;
        bool dead = !owner || (*owner->ns && strcmp(owner->ns, o->ns) != 0) ||
                    (obj_deleting(oj) && has_finalizer(oj, FOREGROUND));
        if (dead) cJSON_Delete(cJSON_DetachItemViaPointer(refs, r));
    }
    (void)ctl_put(c, o, json, STORE_MAIN);
}

static bool see_any(void *ctx, struct sim_obj *o) {
    (void)o;
    *(bool *)ctx = true;
    return false;
}

static bool collect_dependent(struct ctl *c, struct sim_obj *o, const char *uid) {
    const cJSON *json = sim_store_json(c->s, o);
    struct owners n = owners_of(c, o, json);
    if (n.solid > 0) {
        if (n.absent + n.waiting > 0) drop_dead_refs(c, o);
        return true;
    }
    bool parent = false;
    sim_store_owned(c->s, uid, NULL, see_any, &parent);
    const char *policy = has_finalizer(json, ORPHAN)                                ? "Orphan"
                         : has_finalizer(json, FOREGROUND) || (n.waiting && parent) ? "Foreground"
                                                                                    : "Background";
    cleanup_free char *own = xstrdup(uid);
    (void)sim_store_delete(c->s, o, policy, -1, NULL);
    return sim_store_by_uid(c->s, own) != NULL;
}

bool gc_sync(struct ctl *c, struct ctl_obj *co) {
    struct sim_obj *o = co->o;
    const cJSON *json = sim_store_json(c->s, o);
    cleanup_free char *uid = xstrdup(obj_uid(json));
    if (obj_deleting(json)) {
        if (has_finalizer(json, ORPHAN) && orphan(c, o, uid)) return sim_store_by_uid(c->s, uid) != NULL;
        if (has_finalizer(json, FOREGROUND) && foreground(c, o, uid))
            return sim_store_by_uid(c->s, uid) != NULL;
        return true;
    }
    return !has_owners(json) || collect_dependent(c, o, uid);
}
