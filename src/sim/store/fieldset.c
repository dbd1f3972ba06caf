/* Sets of field paths, and the little of a schema that they need. */
#include "store/fieldset.h"
#include "store/core.h"

/* ---- what is known of types ---- */
static const struct {
    const char *field, *keys; /* keys "": a set */
} lists[] = {
    {"containers", "name"},
    {"initContainers", "name"},
    {"ephemeralContainers", "name"},
    {"env", "name"},
    {"volumes", "name"},
    {"volumeMounts", "mountPath"},
    {"volumeDevices", "devicePath"},
    {"imagePullSecrets", "name"},
    {"hostAliases", "ip"},
    {"conditions", "type"},
    {"secrets", "name"},
    {"podIPs", "ip"},
    {"addresses", "type"},
    {"topologySpreadConstraints", "topologyKey,whenUnsatisfiable"},
};
/* Maps that are one value: a selector with a key less is another selector. */
static const char *const atomic_maps[] = {"selector",      "nodeSelector",    "fieldRef",
                                          "secretKeyRef",  "configMapKeyRef", "resourceFieldRef",
                                          "labelSelector", "nodeAffinity"};

static const struct schema_shape *custom_shape(const struct sim_type *t, const char *field) {
    for (size_t i = 0; t->shapes && field && i < t->shapes->n; i++) {
        if (!strcmp(t->shapes->v[i].field, field)) return &t->shapes->v[i];
    }
    return NULL;
}

enum shape fieldset_shape_of(const struct sim_type *t, const char *field, const cJSON *value, bool in_meta,
                             const char **ret_keys) {
    *ret_keys = NULL;
    const struct schema_shape *known = in_meta ? NULL : custom_shape(t, field);
    if (known && cJSON_IsArray(value) == (known->shape != SHAPE_ATOMIC)) {
        *ret_keys = known->keys;
        return known->shape;
    }
    if (cJSON_IsObject(value)) {
        for (size_t i = 0; field && !t->custom && !in_meta && i < ARRAY_LEN(atomic_maps); i++) {
            if (!strcmp(field, atomic_maps[i])) return SHAPE_ATOMIC;
        }
        return SHAPE_MAP;
    }
    if (!cJSON_IsArray(value) || !field) return SHAPE_ATOMIC;
    if (in_meta) {
        if (!strcmp(field, "finalizers")) return SHAPE_SET;
        *ret_keys = "uid";
        return !strcmp(field, "ownerReferences") ? SHAPE_KEYED : SHAPE_ATOMIC;
    }
    if (t->custom) return SHAPE_ATOMIC;
    if (!strcmp(field, "ports")) {
        *ret_keys = type_is(t, "", "services") ? "port,protocol" : "containerPort,protocol";
        return type_is(t, "", "endpoints") ? SHAPE_ATOMIC : SHAPE_KEYED;
    }
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (strcmp(field, lists[i].field) != 0) continue;
        *ret_keys = lists[i].keys;
        return SHAPE_KEYED;
    }
    return SHAPE_ATOMIC;
}

char *fieldset_item_key(const cJSON *item, enum shape shape, const char *keys) {
    struct buf b = BUF(64 << 10);
    if (shape == SHAPE_SET) {
        buf_adds(&b, "v:");
        json_tree_print(item, &b);
        return buf_take(&b);
    }
    struct slice rest = slice_of(keys), one;
    buf_adds(&b, "k:{");
    for (bool first = true; rest.n; first = false) {
        slice_cut(rest, ',', &one, &rest);
        cleanup_free char *name = slice_dup(one);
        const cJSON *v = json_get(item, name);
        buf_addf(&b, "%s\"%s\":", first ? "" : ",", name);
        if (v && !cJSON_IsObject(v) && !cJSON_IsArray(v)) {
            json_tree_print(v, &b);
        } else if (!strcmp(name, "protocol") && cJSON_IsObject(item)) {
            buf_adds(&b, "\"TCP\""); /* its default takes part in the key */
        } else {
            buf_free(&b);
            return NULL;
        }
    }
    buf_addc(&b, '}');
    return buf_take(&b);
}

cJSON *fieldset_item_find(const cJSON *list, const char *key, enum shape shape, const char *keys) {
    for (cJSON *c = list ? list->child : NULL; c; c = c->next) {
        cleanup_free char *have = fieldset_item_key(c, shape, keys);
        if (have && !strcmp(have, key)) return c;
    }
    return NULL;
}

/* ---- sets ---- */
static cJSON *new_set(void) {
    cJSON *v = cJSON_CreateObject();
    if (!v) abort();
    return v;
}

bool fieldset_empty(const cJSON *set) {
    return !set || !set->child;
}

const cJSON *fieldset_child(const cJSON *set, const char *key) {
    return json_get(set, key);
}

void fieldset_add(cJSON *set, const cJSON *more) {
    for (const cJSON *m = more ? more->child : NULL; m; m = m->next) {
        cJSON *have = json_tree_get(set, m->string);
        if (have) {
            fieldset_add(have, m);
        } else {
            json_tree_set(set, m->string, json_tree_dup(m));
        }
    }
}

void fieldset_take(cJSON *set, const cJSON *less) {
    for (const cJSON *l = less ? less->child : NULL; l; l = l->next) {
        cJSON *have = json_tree_get(set, l->string);
        if (!have) continue;
        bool was_leaf = !have->child;
        if (l->child && !was_leaf) fieldset_take(have, l);
        if (!l->child || (!was_leaf && !have->child)) json_tree_set(set, l->string, NULL);
    }
}

/* ---- of objects ---- */
static cJSON *set_of(const struct sim_type *t, const char *field, const cJSON *v, bool in_meta);

static void add_member(const struct sim_type *t, const cJSON *m, bool in_meta, cJSON *set) {
    cleanup_free char *key = xasprintf("f:%s", m->string);
    json_tree_append(set, key, set_of(t, m->string, m, in_meta));
}

static cJSON *set_of(const struct sim_type *t, const char *field, const cJSON *v, bool in_meta) {
    const char *keys = NULL;
    enum shape shape = fieldset_shape_of(t, field, v, in_meta, &keys);
    cJSON *set = new_set();
    if (shape == SHAPE_MAP) {
        for (const cJSON *m = v->child; m; m = m->next) add_member(t, m, in_meta, set);
    } else if (shape == SHAPE_KEYED || shape == SHAPE_SET) {
        for (const cJSON *i = v->child; i; i = i->next) {
            cleanup_free char *key = fieldset_item_key(i, shape, keys);
            if (!key) continue;
            cJSON *below = cJSON_IsObject(i) ? set_of(t, NULL, i, false) : new_set();
            if (shape == SHAPE_KEYED) json_tree_set(below, ".", new_set());
            json_tree_set(set, key, below);
        }
    }
    return set;
}

static bool server_owned(const char *key) {
    static const char *const mine[] = {"name",
                                       "namespace",
                                       "uid",
                                       "resourceVersion",
                                       "generation",
                                       "creationTimestamp",
                                       "selfLink",
                                       "managedFields",
                                       "deletionTimestamp",
                                       "deletionGracePeriodSeconds"};
    for (size_t i = 0; i < ARRAY_LEN(mine); i++) {
        if (!strcmp(key, mine[i])) return true;
    }
    return false;
}

static bool counts(const struct sim_type *t, const char *key, enum store_part part) {
    if (!strcmp(key, "apiVersion") || !strcmp(key, "kind")) return false;
    bool status = !strcmp(key, "status");
    if (part == STORE_STATUS) return status || !strcmp(key, "metadata");
    return !status || !t->has_status;
}

cJSON *fieldset_of(const struct sim_type *t, const cJSON *obj, enum store_part part) {
    cJSON *set = new_set();
    for (const cJSON *m = obj->child; m; m = m->next) {
        if (!counts(t, m->string, part)) continue;
        if (strcmp(m->string, "metadata") != 0) {
            add_member(t, m, false, set);
            continue;
        }
        cJSON *below = new_set();
        for (const cJSON *k = m->child; k; k = k->next) {
            if (!server_owned(k->string)) add_member(t, k, true, below);
        }
        if (below->child) {
            json_tree_set(set, "f:metadata", below);
        } else {
            cJSON_Delete(below);
        }
    }
    return set;
}

/* ---- differences ---- */

static void diff_value(const struct sim_type *t, const char *field, const cJSON *a, const cJSON *b,
                       bool in_meta, const char *key, cJSON *changed, cJSON *removed);

static void diff_map(const struct sim_type *t, const cJSON *a, const cJSON *b, bool in_meta, cJSON *changed,
                     cJSON *removed) {
    for (const cJSON *m = b->child; m; m = m->next) {
        cleanup_free char *key = xasprintf("f:%s", m->string);
        diff_value(t, m->string, json_get(a, m->string), m, in_meta, key, changed, removed);
    }
    for (const cJSON *m = a->child; m; m = m->next) {
        if (json_get(b, m->string)) continue;
        cleanup_free char *key = xasprintf("f:%s", m->string);
        json_tree_set(removed, key, new_set());
    }
}

static void keep_filled(cJSON *set, const char *key, cJSON *below) {
    if (below->child)
        json_tree_set(set, key, below);
    else
        cJSON_Delete(below);
}

static void diff_list(const struct sim_type *t, const cJSON *a, const cJSON *b, enum shape shape,
                      const char *keys, cJSON *changed, cJSON *removed) {
    for (const cJSON *i = b->child; i; i = i->next) {
        cleanup_free char *key = fieldset_item_key(i, shape, keys);
        if (!key) continue;
        const cJSON *was = fieldset_item_find(a, key, shape, keys);
        if (was && cJSON_IsObject(i) && cJSON_IsObject(was)) {
            cJSON *c = new_set(), *r = new_set();
            diff_map(t, was, i, false, c, r);
            keep_filled(changed, key, c);
            keep_filled(removed, key, r);
        } else if (!was) {
            cJSON *below = cJSON_IsObject(i) ? set_of(t, NULL, i, false) : new_set();
            if (shape == SHAPE_KEYED) json_tree_set(below, ".", new_set());
            json_tree_set(changed, key, below);
        }
    }
    for (const cJSON *i = a->child; i; i = i->next) {
        cleanup_free char *key = fieldset_item_key(i, shape, keys);
        if (key && !fieldset_item_find(b, key, shape, keys)) json_tree_set(removed, key, new_set());
    }
}

static void diff_value(const struct sim_type *t, const char *field, const cJSON *a, const cJSON *b,
                       bool in_meta, const char *key, cJSON *changed, cJSON *removed) {
    if (a && json_tree_equal(a, b)) return;
    const char *keys = NULL, *was_keys = NULL;
    enum shape shape = fieldset_shape_of(t, field, b, in_meta, &keys);
    enum shape was = a ? fieldset_shape_of(t, field, a, in_meta, &was_keys) : SHAPE_ATOMIC;
    if (!a || shape != was || shape == SHAPE_ATOMIC) {
        json_tree_set(changed, key, set_of(t, field, b, in_meta));
        return;
    }
    cJSON *c = new_set(), *r = new_set();
    if (shape == SHAPE_MAP) {
        diff_map(t, a, b, in_meta, c, r);
    } else {
        diff_list(t, a, b, shape, keys, c, r);
    }
    keep_filled(changed, key, c);
    keep_filled(removed, key, r);
}

/* The object without unowned fields. */
static cJSON *own_part(const cJSON *obj) {
    cJSON *v = new_set();
    for (const cJSON *m = obj->child; m; m = m->next) {
        if (!strcmp(m->string, "apiVersion") || !strcmp(m->string, "kind") || !strcmp(m->string, "metadata"))
            continue;
        cJSON *ref = cJSON_CreateNull();
        if (!ref) abort();
        *ref = (cJSON){.type = m->type | cJSON_IsReference,
                       .child = m->child,
                       .valuestring = m->valuestring,
                       .valueint = m->valueint,
                       .valuedouble = m->valuedouble};
        json_tree_set(v, m->string, ref);
    }
    return v;
}

static void diff_metadata(const struct sim_type *t, const cJSON *a, const cJSON *b, cJSON *changed,
                          cJSON *removed) {
    cleanup_json cJSON *x = new_set(), *y = new_set();
    static const char *const kept[] = {"labels", "annotations", "finalizers", "ownerReferences",
                                       "generateName"};
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        if (json_get(a, kept[i])) json_tree_set(x, kept[i], json_tree_dup(json_get(a, kept[i])));
        if (json_get(b, kept[i])) json_tree_set(y, kept[i], json_tree_dup(json_get(b, kept[i])));
    }
    diff_value(t, NULL, x, y, true, "f:metadata", changed, removed);
}

void fieldset_diff(const struct sim_type *t, const cJSON *a, const cJSON *b, cJSON **ret_changed,
                   cJSON **ret_removed) {
    cJSON *changed = new_set(), *removed = new_set();
    cleanup_json cJSON *x = own_part(a), *y = own_part(b);
    diff_map(t, x, y, false, changed, removed);
    diff_metadata(t, json_obj(a, "metadata"), json_obj(b, "metadata"), changed, removed);
    *ret_changed = changed;
    *ret_removed = removed;
}
