/* Server-side apply: the applied configuration is merged, what its manager applied before and now leaves out
 * is removed unless somebody else owns it too, and a field of somebody else's that would change is a
 * conflict. */
#include "rest/apply.h"
#include "rest/field_validation.h"
#include "store/managed_fields.h"
#include <errno.h>

/* ---- merge ---- */
static void merge_value(const struct sim_type *t, cJSON *into, const char *field, const cJSON *v,
                        bool in_meta);

static void merge_map(const struct sim_type *t, cJSON *into, const cJSON *from, bool in_meta) {
    for (const cJSON *m = from->child; m; m = m->next) merge_value(t, into, m->string, m, in_meta);
}

static void merge_list(const struct sim_type *t, cJSON *into, const cJSON *from, enum shape shape,
                       const char *keys) {
    for (const cJSON *i = from->child; i; i = i->next) {
        cleanup_free char *key = fieldset_item_key(i, shape, keys);
        cJSON *have = key ? fieldset_item_find(into, key, shape, keys) : NULL;
        if (!have) {
            cJSON_AddItemToArray(into, json_tree_dup(i));
        } else if (cJSON_IsObject(have) && cJSON_IsObject(i)) {
            merge_map(t, have, i, false);
        }
    }
}

static void merge_value(const struct sim_type *t, cJSON *into, const char *field, const cJSON *v,
                        bool in_meta) {
    const char *keys = NULL, *had = NULL;
    cJSON *have = json_tree_get(into, field);
    enum shape shape = fieldset_shape_of(t, field, v, in_meta, &keys);
    if (!have || shape == SHAPE_ATOMIC || fieldset_shape_of(t, field, have, in_meta, &had) != shape) {
        json_tree_set(into, field, json_tree_dup(v));
    } else if (shape == SHAPE_MAP) {
        merge_map(t, have, v, in_meta);
    } else {
        merge_list(t, have, v, shape, keys);
    }
}

static void merge_object(const struct sim_type *t, cJSON *into, const cJSON *config, enum store_part part) {
    for (const cJSON *m = config->child; m; m = m->next) {
        bool status = !strcmp(m->string, "status") && t->has_status;
        if (!strcmp(m->string, "metadata")) {
            merge_map(t, json_tree_child(into, "metadata"), m, true);
        } else if (status == (part == STORE_STATUS)) {
            merge_value(t, into, m->string, m, false);
        }
    }
}

/* ---- walking a set beside values ---- */
/* The member or item that a key of a set stands for. */
static cJSON *step(const struct sim_type *t, cJSON *v, const char *field, bool in_meta, const char *key) {
    const char *keys = NULL;
    if (!v) return NULL;
    if (!strncmp(key, "f:", 2)) return json_tree_get(v, key + 2);
    enum shape shape = fieldset_shape_of(t, field, v, in_meta, &keys);
    return shape == SHAPE_KEYED || shape == SHAPE_SET ? fieldset_item_find(v, key, shape, keys) : NULL;
}

static const char *field_of(const char *key) {
    return !strncmp(key, "f:", 2) ? key + 2 : NULL;
}

/* ".spec.containers[name="app"].image" */
static void add_step(struct buf *path, const char *key) {
    if (!strncmp(key, "f:", 2)) {
        buf_addf(path, ".%s", key + 2);
    } else if (!strncmp(key, "k:", 2)) {
        cleanup_json cJSON *k = json_tree_parse(slice_of(key + 2), NULL);
        buf_addc(path, '[');
        for (const cJSON *c = k ? k->child : NULL; c; c = c->next) {
            buf_addf(path, "%s%s=", c == k->child ? "" : ",", c->string);
            json_tree_print(c, path);
        }
        buf_addc(path, ']');
    } else {
        buf_addf(path, "[=%s]", key + 2);
    }
}

/* ---- conflicts ---- */
struct conflict {
    const struct sim_type *t;
    const cJSON *mine; /* the set applied now */
    cJSON *live, *merged;
    bool force;
    struct api_status *f;
    const char *who;     /* the other manager, as the message names it */
    bool named;          /* in the list of several already */
    struct buf one, all; /* what is said of one conflict, and of several */
    size_t n;
};

static void report(struct conflict *c, const char *path) {
    api_status_cause(c->f, "FieldManagerConflict", path, "conflict with %s", c->who);
    if (c->n++ == 0) buf_addf(&c->one, "conflict with %s: %s", c->who, path);
    if (!c->named) buf_addf(&c->all, "%sconflicts with %s:", c->all.n ? "\n" : "", c->who);
    c->named = true;
    buf_addf(&c->all, "\n- %s", path);
}

/* At a path that both sets hold. */
static void compare(struct conflict *c, const cJSON *mine, const cJSON *other, cJSON *live, cJSON *merged,
                    const char *field, bool in_meta, struct buf *path, cJSON *lost) {
    for (const cJSON *m = mine->child; m; m = m->next) {
        const cJSON *o = fieldset_child(other, m->string);
        if (!o || !strcmp(m->string, ".")) continue;
        cJSON *a = step(c->t, live, field, in_meta, m->string),
              *b = step(c->t, merged, field, in_meta, m->string);
        size_t n = path->n;
        bool meta = in_meta || (path->n == 0 && !strcmp(m->string, "f:metadata"));
        add_step(path, m->string);
        if (m->child && o->child) {
            cJSON *below = cJSON_CreateObject();
            compare(c, m, o, a, b, field_of(m->string), meta, path, below);
            if (below && below->child) {
                json_tree_set(lost, m->string, below);
            } else {
                cJSON_Delete(below);
            }
        } else if (!a || !b || !json_tree_equal(a, b)) {
            if (!c->force) report(c, buf_str(path));
            json_tree_set(lost, m->string, cJSON_CreateObject());
        }
        path->n = n;
        if (path->p) path->p[n] = '\0';
    }
}

static void check_other(void *ctx, const cJSON *entry, cJSON *set) {
    struct conflict *c = ctx;
    struct buf path = BUF(64 << 10);
    cleanup_json cJSON *lost = cJSON_CreateObject();
    /* An applier is known by name, an updater by its apiVersion as well. */
    bool update = !strcmp(json_str_or(entry, "operation", ""), "Update");
    cleanup_free char *who =
        xasprintf("\"%s\"%s%s", json_str_or(entry, "manager", ""), update ? " using " : "",
                  update ? json_str_or(entry, "apiVersion", "") : "");
    c->who = who;
    c->named = false;
    compare(c, c->mine, set, c->live, c->merged, NULL, false, &path, lost);
    buf_free(&path);
    if (c->force) fieldset_take(set, lost);
}

/* ---- what is no longer applied ---- */
struct others {
    cJSON *sets; /* of all other managers, united */
};

static void unite(void *ctx, const cJSON *entry, cJSON *set) {
    (void)entry;
    fieldset_add(((struct others *)ctx)->sets, set);
}

static void remove_step(cJSON *v, cJSON *child) {
    if (v && child) cJSON_Delete(cJSON_DetachItemViaPointer(v, child));
}

static void prune(const struct sim_type *t, cJSON *v, const char *field, bool in_meta, const cJSON *had,
                  const cJSON *has, const cJSON *others) {
    for (const cJSON *h = had->child; h; h = h->next) {
        if (!strcmp(h->string, ".")) continue;
        cJSON *child = step(t, v, field, in_meta, h->string);
        if (!child) continue;
        const cJSON *still = has ? fieldset_child(has, h->string) : NULL;
        const cJSON *theirs = others ? fieldset_child(others, h->string) : NULL;
        bool meta = in_meta || (!field && !strcmp(h->string, "f:metadata"));
        bool item = strncmp(h->string, "f:", 2) != 0;
        if (h->child) prune(t, child, field_of(h->string), meta, h, still, theirs);
        if (still || theirs) continue;
        if (!h->child || item || ((cJSON_IsObject(child) || cJSON_IsArray(child)) && !child->child))
            remove_step(v, child);
    }
}

/* ---- the request ---- */
static int check_config(struct call *c, cJSON *config) {
    const char *manager = request_uri_param(&c->t, "fieldManager");
    static const struct sim_type options = {"meta.k8s.io", "v1", "patchoptions", "PatchOptions", "", "",
                                            .custom = true};
    if (!cJSON_IsObject(config)) return api_status_set(&c->f, 400, "BadRequest", "the body is not an object");
    if (!manager || !manager[0]) {
        api_status_cause(&c->f, "FieldValueRequired", "fieldManager",
                         "Required value: is required for apply patch");
        return api_status_invalid(&c->f, &options, "");
    }
    const cJSON *meta = json_obj(config, "metadata");
    if (json_get(meta, "managedFields"))
        return api_status_set(&c->f, 400, "BadRequest", "metadata.managedFields must be nil");
    int r = field_validation_applied(c, config);
    if (r == 0) r = validate_types(c->type, config, &c->f);
    if (r < 0) return r;
    meta = json_obj(config, "metadata");
    const char *name = json_str(meta, "name");
    if (name && strcmp(name, c->name) != 0) {
        return api_status_set(&c->f, 400, "BadRequest",
                              "the name of the object (%.253s) does not match the name on the URL (%s)", name,
                              c->name);
    }
    json_tree_set_str(json_tree_child(config, "metadata"), "name", c->name);
    return 0;
}

static int apply_new(struct call *c, cJSON *config, cJSON *set) {
    struct json_doc *d = NULL;
    c->s->writer.set = set;
    int r =
        sim_object_create(c->s, c->type, c->ns ? c->ns : "", json_tree_dup(config), c->dry, NULL, &d, &c->f);
    if (r < 0) return r;
    r = rest_answer(c, 201, d);
    json_doc_unref(d);
    return r;
}

static int resolve(struct call *c, const cJSON *live, cJSON *merged, struct manager m, const cJSON *set) {
    cleanup_json cJSON *before = json_tree_dup(live);
    struct conflict k = {.t = c->type,
                         .mine = set,
                         .live = before,
                         .merged = merged,
                         .force = request_uri_flag(&c->t, "force"),
                         .f = &c->f,
                         .one = BUF(64 << 10),
                         .all = BUF(64 << 10)};
    managed_fields_others(merged, m, check_other, &k);
    int r = 0;
    if (k.n == 1)
        r = api_status_set(&c->f, 409, "Conflict", "Apply failed with 1 conflict: %s", buf_str(&k.one));
    if (k.n > 1)
        r = api_status_set(&c->f, 409, "Conflict", "Apply failed with %zu conflicts: %s", k.n,
                           buf_str(&k.all));
    buf_free(&k.one);
    buf_free(&k.all);
    return r;
}

static int apply_live(struct call *c, struct sim_obj *o, const cJSON *config, cJSON *set,
                      enum store_part part) {
    struct manager m = {c->s->writer.manager, "Apply", c->sub};
    cleanup_json cJSON *merged = json_tree_dup(o->json);
    merge_object(c->type, merged, config, part);
    int r = resolve(c, o->json, merged, m, set);
    if (r < 0) return r;
    const cJSON *had = managed_fields_find(merged, m);
    struct others all = {cJSON_CreateObject()};
    cleanup_json cJSON *sets = all.sets;
    managed_fields_others(merged, m, unite, &all);
    cleanup_json cJSON *old_set = json_tree_dup(had);
    if (old_set) prune(c->type, merged, NULL, false, old_set, set, sets);
    managed_fields_set(c->s, c->type, merged, m, json_tree_dup(set));
    cJSON *given = merged;
    merged = NULL;
    struct json_doc *d = NULL;
    r = sim_object_put(c->s, o, given, part, c->dry, &d, &c->f);
    if (r < 0) return r;
    r = rest_answer(c, 200, d);
    json_doc_unref(d);
    return r;
}

int apply_serve(struct call *c, cJSON *config) {
    enum store_part part = strcmp(c->sub, "status") ? STORE_MAIN : STORE_STATUS;
    if (!c->type->custom && cJSON_IsObject(config)) sim_object_set_type(c->type, config);
    int r = check_config(c, config);
    if (r < 0) return r;
    c->s->writer.apply = true;
    cleanup_json cJSON *set = fieldset_of(c->type, config, part);
    struct sim_obj *o = sim_store_get(c->s, c->type, c->ns ? c->ns : "", c->name);
    if (!o && c->sub[0]) return api_status_not_found(&c->f, c->type, c->name);
    return o ? apply_live(c, o, config, set, part) : apply_new(c, config, set);
}
