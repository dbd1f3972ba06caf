/* Pruning, defaults and shapes by a structural schema; schema_validate.c has the rest. */
#include "store/schema.h"
#include "store/core.h"
#include <stdlib.h>

enum { MAX_SHAPES = 256 };

static bool flag(const cJSON *schema, const char *key) {
    return json_bool(schema, key, false);
}

/* The schema of a member; NULL: it has none. *ret_any: it may be there all the same. */
static const cJSON *member_schema(const cJSON *schema, const char *name, bool *ret_any) {
    const cJSON *s = json_obj(json_obj(schema, "properties"), name);
    const cJSON *more = json_get(schema, "additionalProperties");
    *ret_any = cJSON_IsTrue(more) || flag(schema, "x-kubernetes-preserve-unknown-fields");
    return s ? s : cJSON_IsObject(more) ? more : NULL;
}

static bool is_identity(const char *name) {
    return !strcmp(name, "apiVersion") || !strcmp(name, "kind") || !strcmp(name, "metadata");
}

static void prune(const cJSON *schema, cJSON *v, bool whole, struct buf *path, struct field_notes *notes);

static void prune_member(const cJSON *schema, cJSON *v, cJSON *c, bool whole, struct buf *path,
                         struct field_notes *notes) {
    bool any = false;
    const cJSON *s = member_schema(schema, c->string, &any);
    if (whole && is_identity(c->string)) {
        if (!strcmp(c->string, "metadata")) fields_drop_in_meta(c, path, notes);
    } else if (s) {
        prune(s, c, flag(s, "x-kubernetes-embedded-resource"), path, notes);
    } else if (!any) {
        field_notes_unknown(notes, buf_slice(path));
        cJSON_Delete(cJSON_DetachItemViaPointer(v, c));
    }
}

/* whole: an object with apiVersion, kind and metadata */
static void prune(const cJSON *schema, cJSON *v, bool whole, struct buf *path, struct field_notes *notes) {
    size_t at = path->n;
    int i = 0;
    if (cJSON_IsArray(v)) {
        const cJSON *items = json_obj(schema, "items");
        for (cJSON *c = v->child; c; c = c->next, i++) {
            fields_path_item(path, i);
            prune(items, c, flag(items, "x-kubernetes-embedded-resource"), path, notes);
            fields_path_cut(path, at);
        }
        return;
    }
    if (!cJSON_IsObject(v)) return;
    for (cJSON *c = v->child, *next; c; c = next) {
        next = c->next;
        fields_path_member(path, c->string);
        prune_member(schema, v, c, whole, path, notes);
        fields_path_cut(path, at);
    }
}

void schema_prune(const cJSON *schema, cJSON *obj, struct buf *path, struct field_notes *notes) {
    if (schema) prune(schema, obj, true, path, notes);
}

/* ---- defaults ---- */
static void put_defaults(const cJSON *properties, cJSON *v) {
    for (const cJSON *p = properties ? properties->child : NULL; p; p = p->next) {
        const cJSON *def = json_get(p, "default"), *have = json_get(v, p->string);
        bool null = cJSON_IsNull(have) && !flag(p, "nullable"); /* as good as absent */
        if (def && (!have || null)) json_tree_set(v, p->string, json_tree_dup(def));
    }
}

void schema_default(const cJSON *schema, cJSON *v) {
    if (!schema) return;
    if (cJSON_IsArray(v)) {
        for (cJSON *c = v->child; c; c = c->next) schema_default(json_obj(schema, "items"), c);
    } else if (cJSON_IsObject(v)) {
        put_defaults(json_obj(schema, "properties"), v);
        for (cJSON *c = v->child; c; c = c->next) {
            bool any = false;
            schema_default(member_schema(schema, c->string, &any), c);
        }
    }
}

/* ---- shapes ---- */
static char *joined_keys(const cJSON *schema) {
    const cJSON *keys = json_arr(schema, "x-kubernetes-list-map-keys");
    struct buf b = BUF(1024);
    for (const cJSON *k = keys ? keys->child : NULL; k; k = k->next) {
        if (cJSON_IsString(k)) buf_addf(&b, "%s%.100s", b.n ? "," : "", k->valuestring);
    }
    return buf_take(&b);
}

static void add_shape(struct schema_shapes *to, const char *field, enum shape shape, char *keys) {
    to->v = xrealloc(to->v, (to->n + 1) * sizeof(struct schema_shape));
    to->v[to->n++] = (struct schema_shape){xstrdup(field), keys, shape};
}

static void read_shape(const cJSON *schema, const char *field, struct schema_shapes *to) {
    const char *list = json_str_or(schema, "x-kubernetes-list-type", ""),
               *map = json_str_or(schema, "x-kubernetes-map-type", "");
    for (size_t i = 0; i < to->n; i++) {
        if (!strcmp(to->v[i].field, field)) return; /* the first one counts */
    }
    if (to->n == MAX_SHAPES) return;
    if (!strcmp(map, "atomic")) add_shape(to, field, SHAPE_ATOMIC, NULL);
    if (!strcmp(list, "set")) add_shape(to, field, SHAPE_SET, NULL);
    if (strcmp(list, "map") != 0) return;
    char *keys = joined_keys(schema);
    if (keys && keys[0]) {
        add_shape(to, field, SHAPE_KEYED, keys);
    } else {
        free(keys);
    }
}

void schema_shapes_read(const cJSON *schema, struct schema_shapes *to) {
    const cJSON *properties = json_obj(schema, "properties"), *items = json_obj(schema, "items"),
                *more = json_obj(schema, "additionalProperties");
    for (const cJSON *p = properties ? properties->child : NULL; p; p = p->next) {
        read_shape(p, p->string, to);
        schema_shapes_read(p, to);
    }
    if (items) schema_shapes_read(items, to);
    if (more) schema_shapes_read(more, to);
}

void schema_shapes_free(struct schema_shapes *s) {
    for (size_t i = 0; i < s->n; i++) {
        free(s->v[i].field);
        free(s->v[i].keys);
    }
    free(s->v);
    *s = (struct schema_shapes){0};
}
