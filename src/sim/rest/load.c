/* Objects from a file, and into one. */
#include "store/core.h"
#include "rest/event_view.h"
#include "rest/rest.h"
#include "store/fields.h"
#include "api/meta.h"
#include "base/json_raw.h"
#include <errno.h>

struct load {
    struct sim *s;
    size_t n; /* objects so far */
};

static int make_namespace(struct sim *s, const char *name, struct api_status *f) {
    const struct sim_type *t = sim_type_find("", "namespaces");
    if (sim_store_get(s, t, "", name)) return 0;
    cJSON *ns = cJSON_CreateObject();
    json_tree_set_str(json_tree_child(ns, "metadata"), "name", name);
    sim_object_set_type(t, ns);
    return sim_object_create(s, t, "", ns, false, NULL, NULL, f);
}

/* The status of what was dumped; what only wants to exist has none, and the controllers find one. */
static int load_status(struct sim *s, struct sim_obj *o, const cJSON *status, struct api_status *f) {
    if (!status || !status->child || !o->type->has_status) return 0;
    cJSON *obj = json_tree_dup(o->json);
    json_tree_set(obj, "status", json_tree_dup(status));
    return sim_object_put(s, o, obj, STORE_STATUS, false, NULL, f);
}

static int load_one(struct load *l, cJSON *taken, struct api_status *f) {
    cleanup_json cJSON *obj = taken;
    const char *kind = json_str_or(obj, "kind", ""), *version = json_str_or(obj, "apiVersion", "");
    const struct sim_type *t = type_by_kind(l->s, version, kind);
    if (t && !strcmp(t->group, EVENT_VIEW_GROUP)) {
        event_view_take(obj, f); /* which cannot fail for one of this version */
        t = sim_type_find("", "events");
    }
    if (!t)
        return api_status_set(f, 400, "BadRequest", "no matches for kind \"%.80s\" in version \"%.80s\"",
                              kind, version);
    cleanup_json cJSON *status = json_tree_dup(json_obj(obj, "status"));
    cleanup_free char *ns =
        xstrdup(t->namespaced ? json_str_or(json_obj(obj, "metadata"), "namespace", "default") : "");
    cleanup_free char *name = xstrdup_null(json_str(json_obj(obj, "metadata"), "name"));
    int r = t->namespaced ? make_namespace(l->s, ns, f) : 0;
    if (r < 0) return r;
    struct sim_obj *o = name ? sim_store_get(l->s, t, ns, name) : NULL;
    cJSON *given = obj;
    obj = NULL;
    fields_drop(t, given, NULL);
    json_tree_set(json_tree_child(given, "metadata"), "resourceVersion", NULL);
    if (o) {
        json_tree_set(json_tree_child(given, "metadata"), "uid", NULL);
        r = sim_object_put(l->s, o, given, STORE_MAIN, false, NULL, f);
        o = r < 0 ? NULL : sim_store_get(l->s, t, ns, name);
    } else {
        r = sim_object_create(l->s, t, ns, given, false, &o, NULL, f);
    }
    if (r == 0 && o) r = load_status(l->s, o, status, f);
    if (r == 0) l->n++;
    sim_store_trim(l->s, l->s->cfg.trees); /* a long file is one call: trees must not pile up until its end */
    return r;
}

static int load_doc(void *ctx, cJSON *doc, struct api_status *f) {
    cleanup_json cJSON *v = doc;
    if (cJSON_IsNull(v)) return 0; /* nothing between two "---" */
    if (!cJSON_IsObject(v)) return api_status_set(f, 400, "BadRequest", "an object is expected");
    cJSON *items = json_tree_get(v, "items");
    const char *kind = json_str_or(v, "kind", "");
    if (!cJSON_IsArray(items) || !slice_ends(slice_of(kind), SL("List"))) {
        doc = v;
        v = NULL;
        return load_one(ctx, doc, f);
    }
    int r = 0;
    while (items->child && r == 0) {
        cJSON *item = cJSON_DetachItemViaPointer(items, items->child);
        if (!cJSON_IsObject(item)) {
            cJSON_Delete(item);
            return api_status_set(f, 400, "BadRequest", "an item of a List is an object");
        }
        /* Items of a typed list do not name their kind. */
        if (!json_str(item, "kind") && strlen(kind) > 4) {
            cleanup_free char *one = slice_dup(slice_make(kind, strlen(kind) - 4));
            json_tree_set_str(item, "kind", one);
            json_tree_set_str(item, "apiVersion", json_str_or(v, "apiVersion", ""));
        }
        r = load_one(ctx, item, f);
    }
    return r;
}

static int load_lines(struct load *l, struct slice text, struct api_status *f) {
    int r = 0;
    while (text.n && r == 0) {
        struct slice line, rest;
        struct err err = {0};
        slice_cut(text, '\n', &line, &rest);
        text = rest;
        line = slice_trim(line);
        if (!line.n) continue;
        cJSON *v = json_tree_parse(line, &err);
        r = v ? load_doc(l, v, f) : api_status_set(f, 400, "BadRequest", "%s", err.msg);
    }
    return r;
}

/* JSON is YAML, but faster and exact by its own reader. */
static int load_text(struct load *l, struct slice text, struct api_status *f) {
    struct slice t = slice_trim(text), line, rest;
    if (!t.n || t.p[0] != '{') return rest_yaml_each(text, load_doc, l, f);
    if (json_raw_check(t, NULL) == 0) return load_doc(l, json_tree_parse_checked(t), f);
    slice_cut(t, '\n', &line, &rest);
    return json_raw_check(slice_trim(line), NULL) == 0 ? load_lines(l, t, f)
                                                       : rest_yaml_each(text, load_doc, l, f);
}

int sim_load(struct sim *s, struct slice text, struct err *err) {
    cleanup_api_status struct api_status f;
    api_status_init(&f);
    struct load l = {.s = s};
    sim_enter(s);
    s->loading = true;
    int r = load_text(&l, text, &f);
    s->loading = false;
    sim_exit(s);
    if (r == 0) return 0;
    api_status_to_err(&f, err);
    return err_wrap(err, "after %zu objects", l.n);
}

void sim_dump(const struct sim *s, void (*write)(void *ctx, struct slice text), void *ctx) {
    char version[128];
    for (size_t i = 0; i < s->ntables; i++) { /* namespaces come first */
        const struct resource_table *h = s->tables[i];
        for (const struct index_node *n = h->index.head[0]; n; n = n->next[0]) {
            struct buf b = BUF(SIZE_MAX - 1);
            json_doc_write(n->obj->in->doc, type_api_version(h->type, version), h->type->kind, &b);
            buf_addc(&b, '\n');
            write(ctx, buf_slice(&b));
            buf_free(&b);
        }
    }
}
