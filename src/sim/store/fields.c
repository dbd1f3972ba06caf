/* Walks a body beside the names that its type has. */
#include "store/fields.h"
#include "store/core.h"
#include "store/schema.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- notes ---- */
static void note(char **v, size_t *n, struct slice path) {
    if (*n < FIELD_NOTES) v[(*n)++] = slice_dup_text(path, 300);
}

void field_notes_unknown(struct field_notes *n, struct slice path) {
    if (n) note(n->unknown, &n->nunknown, path);
}

void field_notes_free(struct field_notes *n) {
    for (size_t i = 0; i < n->nunknown; i++) free(n->unknown[i]);
    for (size_t i = 0; i < n->ntwice; i++) free(n->twice[i]);
    *n = (struct field_notes){0};
}

void fields_path_member(struct buf *path, const char *name) {
    buf_addf(path, "%s%.200s", path->n ? "." : "", name);
}

void fields_path_item(struct buf *path, int i) {
    buf_addf(path, "[%d]", i);
}

void fields_path_cut(struct buf *path, size_t n) {
    path->n = n;
    if (path->p) path->p[n] = '\0';
}

static void drop(cJSON *v, cJSON *member) {
    cJSON_Delete(cJSON_DetachItemViaPointer(v, member));
}

/* ---- given twice ---- */
struct named {
    cJSON *member;
    size_t at;
};

static int by_name(const void *a, const void *b) {
    const struct named *x = a, *y = b;
    int c = strcmp(x->member->string, y->member->string);
    return c ? c : x->at < y->at ? -1 : 1;
}

static void drop_twice_here(cJSON *v, struct buf *path, struct field_notes *notes) {
    size_t n = 0, at = path->n;
    for (const cJSON *c = v->child; c; c = c->next) n++;
    if (n < 2) return;
    struct named *all = xcalloc(n, sizeof *all);
    n = 0;
    for (cJSON *c = v->child; c; c = c->next, n++) all[n] = (struct named){c, n};
    qsort(all, n, sizeof *all, by_name);
    for (size_t i = 0; i + 1 < n; i++) {
        if (strcmp(all[i].member->string, all[i + 1].member->string) != 0) continue;
        fields_path_member(path, all[i].member->string);
        if (notes) note(notes->twice, &notes->ntwice, buf_slice(path));
        fields_path_cut(path, at);
        drop(v, all[i].member);
    }
    free(all);
}

static void drop_twice(cJSON *v, struct buf *path, struct field_notes *notes) {
    if (!cJSON_IsObject(v) && !cJSON_IsArray(v)) return;
    if (cJSON_IsObject(v)) drop_twice_here(v, path, notes);
    int i = 0;
    size_t at = path->n;
    for (cJSON *c = v->child; c; c = c->next, i++) {
        if (cJSON_IsArray(v)) {
            fields_path_item(path, i);
        } else {
            fields_path_member(path, c->string);
        }
        drop_twice(c, path, notes);
        fields_path_cut(path, at);
    }
}

void fields_drop_twice(cJSON *v, struct field_notes *notes) {
    struct buf path = BUF(1 << 20);
    drop_twice(v, &path, notes);
    buf_free(&path);
}

/* ---- built-in types ---- */
/* True: names has it; *ret_type is what is below it, empty if that is not known. */
static bool find(const char *names, const char *name, struct slice *ret_type) {
    struct slice rest = slice_of(names), word, have;
    while (rest.n) {
        slice_cut(rest, ' ', &word, &rest);
        slice_cut(word, ':', &have, ret_type);
        if (slice_eqs(have, name)) return true;
    }
    return false;
}

static void walk(struct slice type, cJSON *v, struct buf *path, struct field_notes *notes) {
    const char *names = type.n ? field_names_of(type) : NULL;
    if (!names) return;
    size_t at = path->n;
    int i = 0;
    if (cJSON_IsArray(v)) {
        for (cJSON *c = v->child; c; c = c->next, i++) {
            fields_path_item(path, i);
            walk(type, c, path, notes);
            fields_path_cut(path, at);
        }
        return;
    }
    if (!cJSON_IsObject(v)) return;
    for (cJSON *c = v->child, *next; c; c = next) {
        struct slice below = {0};
        next = c->next;
        fields_path_member(path, c->string);
        if (find(names, c->string, &below)) {
            walk(below, c, path, notes);
        } else {
            field_notes_unknown(notes, buf_slice(path));
            drop(v, c);
        }
        fields_path_cut(path, at);
    }
}

void fields_drop_in_meta(cJSON *meta, struct buf *path, struct field_notes *notes) {
    walk(SL("ObjectMeta"), meta, path, notes);
}

void fields_drop(const struct sim_type *t, cJSON *obj, struct field_notes *notes) {
    const char *kind = json_str(obj, "kind");
    if (!kind || strcmp(kind, t->kind) != 0) return;
    struct buf path = BUF(1 << 20);
    if (t->custom) {
        schema_prune(t->schema, obj, &path, notes);
    } else if (field_names_of(slice_of(t->kind))) {
        walk(slice_of(t->kind), obj, &path, notes);
    } else { /* what is beside its metadata is not known */
        cJSON *meta = json_tree_get(obj, "metadata");
        fields_path_member(&path, "metadata");
        if (meta) fields_drop_in_meta(meta, &path, notes);
    }
    buf_free(&path);
}
