/* The objects: created, replaced, deleted, each with its event, and their trees kept only while they are
 * used. */
#include "store/core.h"
#include "store/crd.h"
#include "api/meta.h"
#include <errno.h>
#include <stdio.h>

/* ---- trees ---- */
static void cool(struct sim *s, struct sim_obj *o) {
    if (!o->json) return;
    cJSON_Delete(o->json);
    o->json = NULL;
    list_remove(&o->in->hot);
    s->nhot--;
}

void sim_store_trim(struct sim *s, size_t keep) {
    while (s->nhot > keep) cool(s, container_of(s->hot.next, struct obj_inner, hot)->obj);
}

cJSON *sim_store_json(struct sim *s, struct sim_obj *o) {
    if (o->json) {
        list_remove(&o->in->hot);
        list_push(&s->hot, &o->in->hot);
        return o->json;
    }
    char version[128];
    o->json = json_doc_parse(o->in->doc, type_api_version(o->type, version), o->type->kind);
    list_push(&s->hot, &o->in->hot);
    if (++s->nhot > SIM_MANY_TREES) sim_store_trim(s, SIM_MANY_TREES / 2);
    return o->json;
}

static void set_tree(struct sim *s, struct sim_obj *o, cJSON *tree) {
    cool(s, o);
    o->json = tree;
    list_push(&s->hot, &o->in->hot);
    s->nhot++;
}

/* ---- reading ---- */
struct sim_obj *sim_store_get(struct sim *s, const struct sim_type *t, const char *ns, const char *name) {
    struct index_node *n = index_find(&resource_table_of(s, t)->index, t->namespaced ? ns : "", name);
    if (!n) return NULL;
    sim_store_json(s, n->obj);
    return n->obj;
}

void sim_store_each(struct sim *s, const struct sim_type *t, const char *ns,
                    bool (*fn)(void *ctx, struct sim_obj *o), void *ctx) {
    struct index *x = &resource_table_of(s, t)->index;
    cleanup_free char *only = xstrdup_null(ns);
    struct index_node *n = ns ? index_from(x, ns, "", 1) : x->head[0];
    while (n && (!only || strcmp(n->obj->ns, only) == 0)) {
        uint64_t changes = x->changes;
        cleanup_free char *at_ns = xstrdup(n->obj->ns), *at_name = xstrdup(n->obj->name);
        sim_store_json(s, n->obj);
        if (!fn(ctx, n->obj)) return;
        n = changes == x->changes ? n->next[0] : index_from(x, at_ns, at_name, 0);
    }
}

/* ---- writing ---- */
static void changed(struct sim *s, struct sim_obj *o) {
    s->dirty = true;
    if (type_is(o->type, "", "namespaces") && obj_deleting(o->json)) namespace_gc_wake(s, true);
    if (type_is(o->type, "", "events")) namespace_gc_wake(s, false);
    if (crd_is(o->type)) {
        crd_stored(s, o);
        if (obj_deleting(o->json)) namespace_gc_wake(s, true);
    }
    ctl_changed(s, o);
}

static int check_room(struct sim *s, struct api_status *f) {
    if (s->objects < SIM_MAX_OBJECTS && s->text < SIM_MAX_TEXT) return 0;
    return api_status_set(f, 500, "InternalError", "etcdserver: mvcc: database space exceeded");
}

static int too_large(struct api_status *f) {
    return api_status_set(f, 413, "RequestEntityTooLarge", "Request entity too large: limit is %d",
                          SIM_MAX_OBJECT);
}

static int check_namespace(struct sim *s, const struct sim_type *t, const char *ns, const char *name,
                           struct api_status *f) {
    if (!t->namespaced) return 0;
    const struct sim_type *nst = sim_type_find("", "namespaces");
    struct sim_obj *o = sim_store_get(s, nst, "", ns);
    if (!o) return api_status_not_found(f, nst, ns);
    if (!obj_deleting(o->json)) return 0;
    char why[400];
    snprintf(why, sizeof why,
             "unable to create new content in namespace %.253s because it is being terminated", ns);
    return api_status_forbidden(f, t, name ? name : "", why);
}

static void new_namespace(cJSON *obj) {
    cJSON *list = cJSON_CreateArray(), *word = cJSON_CreateString("kubernetes");
    if (!list || !word) abort();
    cJSON_AddItemToArray(list, word);
    json_tree_set(json_tree_child(obj, "spec"), "finalizers", list);
    json_tree_set_str(json_tree_child(obj, "status"), "phase", "Active");
}

/* What is said by default, and by the server itself. */
static void fill_in(struct sim *s, const struct sim_type *t, const cJSON *old, cJSON *obj,
                    struct api_status *f) {
    if (t->custom) {
        schema_default(t->schema, obj);
    } else {
        sim_defaults(t, obj);
    }
    if (crd_is(t)) crd_prepare(s, old, obj, f);
}

static int prepare_create(struct sim *s, const struct sim_type *t, const char *ns, cJSON *obj,
                          struct api_status *f) {
    int r = validate_types(t, obj, f);
    if (r == 0) r = object_meta_create(s, t, ns, obj, f);
    if (r < 0) return r;
    /* A node reports itself whole; of all others the status is the controllers' to say. */
    if (t->has_status && !type_is(t, "", "nodes")) json_tree_set(obj, "status", NULL);
    if (type_is(t, "", "namespaces")) new_namespace(obj);
    fill_in(s, t, NULL, obj, f);
    r = check_namespace(s, t, ns, obj_name(obj), f);
    if (r == 0) r = validate(t, obj, NULL, f);
    if (r < 0) return r;
    managed_fields_record(s, t, NULL, obj, STORE_MAIN);
    return 0;
}

static struct sim_obj *put_in(struct sim *s, const struct sim_type *t, const char *ns, cJSON *tree,
                              struct json_doc *doc) {
    struct resource_table *h = resource_table_of(s, t);
    struct sim_obj *o = xcalloc(1, sizeof *o);
    o->type = t;
    o->ns = xstrdup(t->namespaced ? ns : "");
    o->name = xstrdup(obj_name(tree));
    o->rv = doc->rv;
    o->in = xcalloc(1, sizeof *o->in);
    o->in->obj = o;
    o->in->doc = doc;
    o->in->uid = xstrdup(obj_uid(tree));
    list_init(&o->in->hot);
    set_tree(s, o, tree);
    o->in->node = index_insert(&h->index, o);
    owner_index_uid_add(s, o);
    owner_index_set(s, o);
    s->objects++;
    s->text += doc->n;
    history_add(s, h, EV_ADDED, json_doc_ref(doc), NULL);
    return o;
}

int sim_object_create(struct sim *s, const struct sim_type *t, const char *ns, cJSON *obj, bool dry,
                      struct sim_obj **ret, struct json_doc **ret_doc, struct api_status *f) {
    cleanup_json cJSON *tree = obj;
    int r = check_room(s, f);
    if (r == 0) r = prepare_create(s, t, ns, tree, f);
    if (r < 0) return r;
    const char *where = t->namespaced ? ns : "";
    if (index_find(&resource_table_of(s, t)->index, where, obj_name(tree)))
        return api_status_exists(f, t, obj_name(tree));
    if (!dry) object_meta_set_rv(tree, s->rv + 1);
    struct json_doc *doc = json_doc_new(tree, where, obj_name(tree), s->rv + 1, SIM_MAX_OBJECT);
    if (!doc) return too_large(f);
    if (ret_doc) *ret_doc = json_doc_ref(doc);
    if (dry) {
        json_doc_unref(doc);
        return 0;
    }
    s->rv++;
    struct sim_obj *o = put_in(s, t, where, tree, doc);
    tree = NULL;
    changed(s, o);
    if (ret) *ret = o;
    return 0;
}

/* Replaces the tree and records the event. tree is taken only on success. */
static int commit(struct sim *s, struct sim_obj *o, cJSON *tree, struct api_status *f) {
    object_meta_set_rv(tree, s->rv + 1);
    struct json_doc *doc = json_doc_new(tree, o->ns, o->name, s->rv + 1, SIM_MAX_OBJECT);
    if (!doc) return too_large(f);
    s->rv++;
    s->text += doc->n - o->in->doc->n;
    history_add(s, resource_table_of(s, o->type), EV_MODIFIED, json_doc_ref(doc), o->in->doc);
    o->in->doc = doc;
    o->rv = doc->rv;
    set_tree(s, o, tree);
    owner_index_set(s, o);
    return 0;
}

/* Only the status (and annotations) of what came counts: the rest is as it was. */
static cJSON *status_only(const struct sim_type *t, const cJSON *old, cJSON *obj) {
    cJSON *tree = json_tree_dup(old), *meta = json_tree_child(tree, "metadata");
    const cJSON *want = json_obj(obj, "metadata");
    static const char *const checked[] = {"resourceVersion", "uid", "managedFields"};
    for (size_t i = 0; i < ARRAY_LEN(checked); i++) {
        const cJSON *v = json_get(want, checked[i]);
        if (v || i < 2) json_tree_set(meta, checked[i], json_tree_dup(v));
    }
    if (!t->custom) json_tree_set(meta, "annotations", json_tree_dup(json_get(want, "annotations")));
    json_tree_set(tree, "status", json_tree_dup(json_get(obj, "status")));
    cJSON_Delete(obj);
    return tree;
}

static bool goes_for_good(const struct sim_obj *o, const cJSON *tree) {
    if (!obj_deleting(tree) || object_meta_has_finalizers(tree)) return false;
    if (type_is(o->type, "", "namespaces")) return false;
    return json_i64(json_obj(tree, "metadata"), "deletionGracePeriodSeconds", 0) == 0;
}

/* What a dry run would have stored. */
static int would_be(struct sim_obj *o, const cJSON *tree, struct json_doc **ret_doc, struct api_status *f) {
    struct json_doc *d = json_doc_new(tree, o->ns, o->name, o->rv, SIM_MAX_OBJECT);
    if (!d) return too_large(f);
    if (ret_doc) {
        *ret_doc = d;
    } else {
        json_doc_unref(d);
    }
    return 0;
}

int sim_object_put(struct sim *s, struct sim_obj *o, cJSON *obj, enum store_part part, bool dry,
                   struct json_doc **ret_doc, struct api_status *f) {
    const struct sim_type *t = o->type;
    const cJSON *old = sim_store_json(s, o);
    cleanup_json cJSON *tree = obj;
    int r = validate_types(t, tree, f);
    if (r < 0) return r;
    if (part == STORE_STATUS) {
        tree = status_only(t, old, tree);
    } else if (t->has_status) {
        json_tree_set(tree, "status", json_tree_dup(json_get(old, "status")));
    }
    fill_in(s, t, old, tree, f);
    if (part == STORE_MAIN) hold_policy_admit(s, t, old, tree, dry);
    r = object_meta_update(s, t, old, tree, part, f);
    if (r == 0) r = validate(t, tree, old, f);
    if (r < 0) return r;
    bool same = json_tree_equal(old, tree);
    if (!same) managed_fields_record(s, t, old, tree, part);
    if (dry) return would_be(o, tree, ret_doc, f);
    bool going = false;
    if (!same) {
        going = goes_for_good(o, tree);
        r = commit(s, o, tree, f);
        if (r < 0) return r;
        tree = NULL;
    }
    if (ret_doc) *ret_doc = json_doc_ref(o->in->doc);
    if (same) return 0;
    if (going) {
        sim_store_remove(s, o);
    } else {
        changed(s, o);
    }
    return 0;
}

/* Out of every index, and freed. */
static void forget(struct sim *s, struct resource_table *h, struct sim_obj *o) {
    ctl_removed(s, o);
    cool(s, o);
    owner_index_drop(s, o);
    owner_index_uid_drop(s, o);
    index_remove(&h->index, o->in->node);
    json_doc_unref(o->in->doc);
    free(o->in->uid);
    free(o->in);
    free(o->ns);
    free(o->name);
    free(o);
}

void sim_store_remove(struct sim *s, struct sim_obj *o) {
    if (o->in->going) return; /* the controllers' answer to its own removal */
    o->in->going = true;
    if (crd_is(o->type)) crd_removed(s, o);
    struct resource_table *h = resource_table_of(s, o->type);
    object_meta_set_rv(sim_store_json(s, o), s->rv + 1);
    struct json_doc *last = json_doc_new(o->json, o->ns, o->name, s->rv + 1, SIZE_MAX - 1);
    s->rv++;
    o->rv = s->rv;
    history_add(s, h, EV_DELETED, last, json_doc_ref(o->in->doc));
    s->dirty = true;
    s->objects--;
    s->text -= o->in->doc->n;
    forget(s, h, o);
}

/* ---- the contract with the controllers ---- */
void sim_object_set_type(const struct sim_type *t, cJSON *obj) {
    char version[128];
    if (!cJSON_IsObject(obj)) return;
    if (!json_str(obj, "apiVersion")) json_tree_set_str(obj, "apiVersion", type_api_version(t, version));
    if (!json_str(obj, "kind")) json_tree_set_str(obj, "kind", t->kind);
}

int sim_store_create(struct sim *s, const struct sim_type *t, const char *ns, cJSON *obj,
                     struct sim_obj **ret, struct err *err) {
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    sim_object_set_type(t, obj);
    return sim_object_create(s, t, ns, obj, false, ret, NULL, &f) < 0 ? api_status_to_err(&f, err) : 0;
}

int sim_store_put(struct sim *s, struct sim_obj *o, cJSON *obj, enum store_part part, struct err *err) {
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    sim_object_set_type(o->type, obj);
    return sim_object_put(s, o, obj, part, false, NULL, &f) < 0 ? api_status_to_err(&f, err) : 0;
}

int sim_store_delete(struct sim *s, struct sim_obj *o, const char *policy, int grace_s, struct err *err) {
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    bool gone = false;
    return sim_object_delete(s, o, policy, grace_s, false, &gone, NULL, &f) < 0 ? api_status_to_err(&f, err)
                                                                                : 0;
}

/* ---- deletion ---- */
static bool is_gc_finalizer(const cJSON *v) {
    return cJSON_IsString(v) &&
           (!strcmp(v->valuestring, "foregroundDeletion") || !strcmp(v->valuestring, "orphan"));
}

static void set_policy(cJSON *meta, const char *policy) {
    if (!policy) return;
    cJSON *had = json_tree_get(meta, "finalizers"), *list = cJSON_CreateArray();
    if (!list) abort();
    for (const cJSON *c = had ? had->child : NULL; c; c = c->next) {
        if (!is_gc_finalizer(c)) cJSON_AddItemToArray(list, json_tree_dup(c));
    }
    const char *add = !strcmp(policy, "Foreground") ? "foregroundDeletion"
                      : !strcmp(policy, "Orphan")   ? "orphan"
                                                    : NULL;
    if (add) cJSON_AddItemToArray(list, cJSON_CreateString(add));
    if (list->child) {
        json_tree_set(meta, "finalizers", list);
    } else {
        cJSON_Delete(list);
        json_tree_set(meta, "finalizers", NULL);
    }
}

/* How long the object stays on: pods only, and only those that run somewhere. */
static int grace_of(const struct sim_obj *o, const cJSON *obj, int grace_s) {
    if (!type_is(o->type, "", "pods")) return 0;
    const cJSON *spec = json_obj(obj, "spec"), *meta = json_obj(obj, "metadata");
    const char *phase = json_str_or(json_obj(obj, "status"), "phase", "");
    if (!json_str_or(spec, "nodeName", "")[0] || !strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"))
        return 0;
    int64_t usual = json_i64(spec, "terminationGracePeriodSeconds", 30);
    if (usual < 0 || usual > INT64_C(365) * 86400) usual = 30;
    int64_t grace = grace_s < 0 ? usual : grace_s;
    if (obj_deleting(obj)) { /* it may only become shorter */
        int64_t now = json_i64(meta, "deletionGracePeriodSeconds", usual);
        if (grace_s < 0 || grace > now) grace = now;
    }
    return (int)grace;
}

static void mark_deleting(struct sim *s, const struct sim_type *t, const cJSON *old, cJSON *tree, int grace) {
    cJSON *meta = json_tree_child(tree, "metadata");
    int64_t had = json_i64(meta, "deletionGracePeriodSeconds", -1);
    if (obj_deleting(old) && had <= grace) return;
    struct sim at = {.now = s->now + grace * NS_PER_S};
    char when[32];
    sim_time(&at, when);
    json_tree_set_str(meta, "deletionTimestamp", when);
    json_tree_set_num(meta, "deletionGracePeriodSeconds", grace);
    if (!obj_deleting(old) && t->has_generation)
        json_tree_set_num(meta, "generation", json_num(meta, "generation", 0) + 1);
    if (type_is(t, "", "namespaces"))
        json_tree_set_str(json_tree_child(tree, "status"), "phase", "Terminating");
}

int sim_object_delete(struct sim *s, struct sim_obj *o, const char *policy, int grace_s, bool dry,
                      bool *ret_gone, struct json_doc **ret_doc, struct api_status *f) {
    const cJSON *old = sim_store_json(s, o);
    if (type_is(o->type, "", "namespaces") &&
        (!strcmp(o->name, "default") || !strcmp(o->name, "kube-system") || !strcmp(o->name, "kube-public"))) {
        return api_status_forbidden(f, o->type, o->name, "this namespace may not be deleted");
    }
    cleanup_json cJSON *tree = json_tree_dup(old);
    set_policy(json_tree_child(tree, "metadata"), policy);
    int grace = grace_of(o, old, grace_s);
    bool stays = grace > 0 || object_meta_has_finalizers(tree) || type_is(o->type, "", "namespaces");
    if (stays) mark_deleting(s, o->type, old, tree, grace);
    *ret_gone = !stays;
    if (dry) return would_be(o, tree, ret_doc, f);
    bool same = json_tree_equal(old, tree);
    if (stays && !same) {
        int r = commit(s, o, tree, f);
        if (r < 0) return r;
        tree = NULL;
    }
    if (ret_doc) *ret_doc = json_doc_ref(o->in->doc);
    if (!stays) {
        sim_store_remove(s, o);
    } else if (!same) {
        changed(s, o);
    }
    return 0;
}

/* When the sim itself ends: no events. */
void sim_store_free(struct sim *s) {
    for (size_t i = 0; i < s->ntables; i++) {
        struct resource_table *h = s->tables[i];
        while (h->index.head[0]) forget(s, h, h->index.head[0]->obj);
    }
}
