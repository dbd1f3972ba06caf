/* Adoption and release: a controller owns what its selector matches and no other controller owns. */
#include "controllers/statefulset.h"

struct adoption {
    struct ctl *c;
    struct ctl_obj *owner;
    const char *uid; /* the owner's */
    struct sim_objs *out;
    struct sim_objs release, adopt; /* written after the walks: writing changes the lists walked over */
};

static bool matches(struct adoption *w, const cJSON *json) {
    const struct ctl_obj *owner = w->owner; /* a StatefulSet's pods have its name as well */
    bool named = owner->kind != CK_STATEFULSET || statefulset_ordinal(owner->o->name, obj_name(json)) >= 0;
    return named && owner->sel && selector_match(owner->sel, json_at(json, "metadata/labels"));
}

static bool see_child(void *ctx, struct sim_obj *o) {
    struct adoption *w = ctx;
    const cJSON *json = sim_store_json(w->c->s, o);
    const char *uid = json_str(obj_controller(json), "uid");
    if (!uid || strcmp(uid, w->uid) != 0)
        return true; /* an owner, but not its controller: an orphan, see below */
    sim_objs_add(matches(w, json) ? w->out : &w->release, o);
    return true;
}

static void see_orphan(void *ctx, struct ctl_obj *co) {
    struct adoption *w = ctx;
    const cJSON *json = sim_store_json(w->c->s, co->o);
    if (!obj_deleting(json) && matches(w, json)) sim_objs_add(&w->adopt, co->o);
}

static void drop_ref(cJSON *meta, const char *uid) {
    cJSON *refs = cJSON_GetObjectItemCaseSensitive(meta, "ownerReferences");
    for (cJSON *r = refs ? refs->child : NULL, *next; r; r = next) {
        next = r->next;
        const char *u = json_str(r, "uid");
        if (u && strcmp(u, uid) == 0) cJSON_Delete(cJSON_DetachItemViaPointer(refs, r));
    }
    if (refs && !refs->child) ctl_json_del(meta, "ownerReferences");
}

static void release(struct adoption *w, struct sim_obj *o) {
    cJSON *json = ctl_copy(w->c, o);
    drop_ref(ctl_json_make(json, "metadata"), w->uid);
    (void)ctl_put(w->c, o, json, STORE_MAIN);
}

static bool adopt(struct adoption *w, struct sim_obj *o) {
    cJSON *json = ctl_copy(w->c, o), *meta = ctl_json_make(json, "metadata");
    drop_ref(meta, w->uid); /* references are merged by uid: one without `controller` becomes one with it */
    cJSON *refs = cJSON_GetObjectItemCaseSensitive(meta, "ownerReferences");
    if (!cJSON_IsArray(refs)) {
        refs = cJSON_CreateArray();
        ctl_json_set(meta, "ownerReferences", refs);
    }
    cJSON_AddItemToArray(refs, ctl_owner_ref(w->owner->o));
    return ctl_put(w->c, o, json, STORE_MAIN) == 0;
}

void adoption_claim(struct ctl *c, struct ctl_obj *owner, enum ctl_kind kind, struct sim_objs *ret) {
    const cJSON *json = sim_store_json(c->s, owner->o);
    struct adoption w = {.c = c, .owner = owner, .uid = obj_uid(json), .out = ret};
    cleanup_free char *uid = xstrdup(w.uid); /* survives a re-parse of the owner */
    w.uid = uid;
    const struct sim_type *type = kind == CK_POD ? c->pods : c->replicasets;
    sim_store_owned(c->s, uid, type, see_child, &w);
    if (!obj_deleting(json)) {
        ctl_each_orphan(c, owner->o->ns, kind, see_orphan, &w);
        for (size_t i = 0; i < w.release.n; i++) release(&w, w.release.v[i]);
        for (size_t i = 0; i < w.adopt.n; i++)
            if (adopt(&w, w.adopt.v[i])) sim_objs_add(ret, w.adopt.v[i]);
    }
    sim_objs_free(&w.release);
    sim_objs_free(&w.adopt);
}
