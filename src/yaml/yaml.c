/* See yaml/yaml.h. libyaml's events are made into a tree here, since its own documents search their anchors one by
 * one. */
#include "yaml/yaml.h"
#include "arena.h"
#include "base/mem.h"
#include "names.h"
#include "scalar.h"
#include <errno.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    enum yaml_keys keys;
    struct err *err;
    struct arena arena;
    struct names anchors;         /* at: index in anchored */
    struct yaml_value **anchored; /* NULL: not complete yet */
    size_t nanchored, cap_anchored;
    size_t made; /* values without those of aliases */
};

static int bad(struct reader *r, size_t line, const char *what) {
    return err_set(r->err, ERR_CONFIG, -EINVAL, "line %zu: %s", line, what);
}

static int next_event(struct reader *r, yaml_event_t *e) {
    if (yaml_parser_parse(&r->parser, e)) return 0;
    const yaml_parser_t *p = &r->parser;
    return err_set(r->err, ERR_CONFIG, -EINVAL, "line %zu: %s%s%s", p->problem_mark.line + 1,
                   p->context ? p->context : "", p->context ? ": " : "",
                   p->problem ? p->problem : "cannot be read");
}

static size_t line_of(const yaml_event_t *e) {
    return e->start_mark.line + 1;
}

/* ---- values ---- */

static struct yaml_value *value_new(struct reader *r, const yaml_event_t *e, enum yaml_type type) {
    struct yaml_value *v = arena_alloc(&r->arena, sizeof *v);
    *v = (struct yaml_value){.type = type, .line = line_of(e), .values = 1, .bytes = 2};
    return v;
}

/* v has another value below it. */
static int account(struct reader *r, struct yaml_value *v, const struct yaml_value *below, size_t key) {
    v->values += below->values;
    v->bytes += below->bytes + key + 4;
    if (v->depth < below->depth + 1) v->depth = below->depth + 1;
    if (v->depth >= YAML_DEPTH) return bad(r, v->line, "nested too deeply");
    if (v->values > YAML_VALUES || v->bytes > YAML_JSON_CAP)
        return bad(r, v->line, "document contains excessive aliasing");
    return 0;
}

static void anchor(struct reader *r, const unsigned char *name, struct yaml_value *v) {
    if (!name) return;
    struct name *e = names_of(&r->anchors, arena_copy(&r->arena, slice_of((const char *)name)));
    if (!v || e->at == SIZE_MAX) {
        e->at = r->nanchored;
        r->anchored = xgrow(r->anchored, &r->cap_anchored, r->nanchored + 1, sizeof(struct yaml_value *));
        r->anchored[r->nanchored++] = v;
    } else {
        r->anchored[e->at] = v;
    }
}

static int alias(struct reader *r, const yaml_event_t *e, struct yaml_value **ret) {
    struct slice name = slice_of((const char *)e->data.alias.anchor);
    struct name *found = names_of(&r->anchors, arena_copy(&r->arena, name));
    if (found->at == SIZE_MAX) return bad(r, line_of(e), "found undefined alias");
    *ret = r->anchored[found->at];
    return *ret ? 0 : bad(r, line_of(e), "an anchor's value contains itself");
}

/* ---- scalars ---- */

static bool tag_is(const char *tag, const char *name) {
    return tag && strncmp(tag, "tag:yaml.org,2002:", 18) == 0 && strcmp(tag + 18, name) == 0;
}

/* The type that an explicit tag asks for; LIST: none of those that JSON has. */
static enum yaml_type tagged(const char *tag) {
    return tag_is(tag, "null")                          ? YAML_IS_NULL
           : tag_is(tag, "bool")                        ? YAML_IS_BOOL
           : tag_is(tag, "int") || tag_is(tag, "float") ? YAML_IS_NUMBER
                                                        : YAML_IS_STRING;
}

static int scalar(struct reader *r, const yaml_event_t *e, struct yaml_value **ret) {
    struct slice text = slice_make((const char *)e->data.scalar.value, e->data.scalar.length);
    const char *tag = (const char *)e->data.scalar.tag;
    bool plain = !tag && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct yaml_value *v = value_new(r, e, YAML_IS_STRING);
    struct buf json = BUF(1024);
    if (slice_has(text, '\0')) return bad(r, line_of(e), "control characters are not allowed");
    if (tag_is(tag, "binary")) return bad(r, line_of(e), "!!binary is not supported");
    v->text = arena_copy(&r->arena, text);
    if (plain || tagged(tag) != YAML_IS_STRING) v->type = scalar_resolve(v->text, &json);
    v->json = arena_copy(&r->arena, buf_slice(&json));
    buf_free(&json);
    if (!plain && v->type != tagged(tag)) return bad(r, v->line, "a value that its tag does not allow");
    if (v->type == YAML_IS_LIST) return bad(r, v->line, "a number that JSON does not have");
    v->bytes = 2 + (v->text.n > v->json.n ? v->text.n : v->json.n);
    *ret = v;
    return 0;
}

/* ---- lists and maps ---- */

static int compose(struct reader *r, yaml_event_t *e, size_t depth, struct yaml_value **ret);

/* The value that begins with the next event; *ret NULL: the list or map has ended. */
static int next_value(struct reader *r, size_t depth, struct yaml_value **ret) {
    yaml_event_t e;
    *ret = NULL;
    int rc = next_event(r, &e);
    if (rc < 0) return rc;
    if (e.type != YAML_SEQUENCE_END_EVENT && e.type != YAML_MAPPING_END_EVENT)
        rc = compose(r, &e, depth, ret);
    yaml_event_delete(&e);
    return rc;
}

static int list(struct reader *r, struct yaml_value *v, size_t depth) {
    struct yaml_value **items = NULL, *item = NULL;
    size_t cap = 0;
    int rc;
    while ((rc = next_value(r, depth, &item)) == 0 && item && (rc = account(r, v, item, 0)) == 0) {
        items = xgrow(items, &cap, v->n + 1, sizeof(struct yaml_value *));
        items[v->n++] = item;
    }
    if (rc == 0 && v->n) {
        struct yaml_value **own = arena_alloc(&r->arena, v->n * sizeof(struct yaml_value *));
        memcpy(own, items, v->n * sizeof(struct yaml_value *));
        v->items = own;
    }
    free(items);
    return rc;
}

struct map {
    struct reader *r;
    struct yaml_value *v;
    struct yaml_member *members;
    size_t cap;
    struct names names; /* at: index in members */
};

static int add(struct map *m, struct slice key, struct yaml_value *value) {
    int rc = account(m->r, m->v, value, key.n);
    if (rc < 0) return rc;
    m->members = xgrow(m->members, &m->cap, m->v->n + 1, sizeof *m->members);
    m->members[m->v->n++] = (struct yaml_member){key, value};
    return 0;
}

/* "<<": the members of another map, where this one has none of that name; or of a list of maps. */
static int merge(struct map *m, const struct yaml_value *from, bool in_list) {
    int rc = 0;
    if (from->type == YAML_IS_LIST && !in_list) {
        for (size_t i = 0; i < from->n && rc == 0; i++) rc = merge(m, from->items[i], true);
        return rc;
    }
    if (from->type != YAML_IS_MAP)
        return bad(m->r, from->line, "map merge requires map or sequence of maps as the value");
    for (size_t i = 0; i < from->n && rc == 0; i++) {
        struct name *e = names_of(&m->names, from->members[i].key);
        if (e->at != SIZE_MAX) continue;
        e->at = m->v->n;
        rc = add(m, from->members[i].key, from->members[i].value);
    }
    return rc;
}

static int own_member(struct map *m, const struct yaml_value *key, struct yaml_value *value) {
    struct slice name = key->type == YAML_IS_BOOL || key->type == YAML_IS_NUMBER ? key->json : key->text;
    struct name *e = names_of(&m->names, name);
    if (e->at == SIZE_MAX) {
        e->at = m->v->n;
        return add(m, name, value);
    }
    if (m->r->keys == YAML_UNIQUE_KEYS) {
        return err_set(m->r->err, ERR_CONFIG, -EINVAL, "line %zu: key \"%.*s\" already set in map", key->line,
                       (int)(name.n < 100 ? name.n : 100), name.p);
    }
    m->members[e->at].value = value;
    return account(m->r, m->v, value, name.n);
}

static int map(struct reader *r, struct yaml_value *v, size_t depth) {
    struct map m = {.r = r, .v = v};
    struct yaml_value **merges = NULL, *key = NULL, *value = NULL;
    size_t nmerges = 0, cap = 0;
    int rc;
    while ((rc = next_value(r, depth, &key)) == 0 && key) {
        value = NULL;
        if (key->type == YAML_IS_LIST || key->type == YAML_IS_MAP) {
            rc = bad(r, key->line, "a key that is no scalar");
        } else {
            rc = next_value(r, depth, &value);
            if (rc == 0 && !value) rc = bad(r, key->line, "a key without a value");
        }
        if (rc < 0 || !value) break;
        if (slice_eqs(key->text, "<<")) {
            merges = xgrow(merges, &cap, nmerges + 1, sizeof(struct yaml_value *));
            merges[nmerges++] = value;
        } else if ((rc = own_member(&m, key, value)) < 0) {
            break;
        }
    }
    for (size_t i = 0; i < nmerges && rc == 0; i++) rc = merge(&m, merges[i], false);
    if (rc == 0 && v->n) {
        struct yaml_member *own = arena_alloc(&r->arena, v->n * sizeof *own);
        memcpy(own, m.members, v->n * sizeof *own);
        v->members = own;
    }
    free(merges);
    free(m.members);
    names_free(&m.names);
    return rc;
}

static int compose(struct reader *r, yaml_event_t *e, size_t depth, struct yaml_value **ret) {
    if (depth >= YAML_DEPTH) return bad(r, line_of(e), "nested too deeply");
    if (e->type == YAML_ALIAS_EVENT) return alias(r, e, ret);
    if (++r->made > YAML_VALUES) return bad(r, line_of(e), "more values than are read");
    if (e->type == YAML_SCALAR_EVENT) {
        int rc = scalar(r, e, ret);
        if (rc == 0) anchor(r, e->data.scalar.anchor, *ret);
        return rc;
    }
    bool is_list = e->type == YAML_SEQUENCE_START_EVENT;
    const unsigned char *name = is_list ? e->data.sequence_start.anchor : e->data.mapping_start.anchor;
    struct yaml_value *v = value_new(r, e, is_list ? YAML_IS_LIST : YAML_IS_MAP);
    anchor(r, name, NULL);
    size_t at = r->nanchored - 1;
    int rc = (is_list ? list : map)(r, v, depth + 1);
    if (rc == 0 && name) r->anchored[at] = v;
    if (rc == 0) *ret = v;
    return rc;
}

/* ---- documents ---- */

static void forget_document(struct reader *r) {
    arena_free(&r->arena);
    names_free(&r->anchors);
    free(r->anchored);
    r->anchored = NULL;
    r->nanchored = r->cap_anchored = r->made = 0;
}

int yaml_each(struct slice text, enum yaml_keys keys,
              int (*fn)(void *ctx, const struct yaml_value *doc, struct err *err), void *ctx,
              struct err *err) {
    struct reader r = {.keys = keys, .err = err};
    if (!yaml_parser_initialize(&r.parser)) abort(); /* out of memory only */
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    arena_init(&r.arena);
    int rc = 0;
    for (bool end = false; rc == 0 && !end;) {
        yaml_event_t e;
        struct yaml_value *v = NULL;
        if ((rc = next_event(&r, &e)) < 0) break;
        end = e.type == YAML_STREAM_END_EVENT;
        bool structure = end || e.type == YAML_STREAM_START_EVENT || e.type == YAML_DOCUMENT_START_EVENT ||
                         e.type == YAML_DOCUMENT_END_EVENT;
        if (!structure) rc = compose(&r, &e, 0, &v);
        yaml_event_delete(&e);
        if (rc == 0 && v) {
            rc = fn(ctx, v, err);
            forget_document(&r);
        }
    }
    forget_document(&r);
    yaml_parser_delete(&r.parser);
    return rc;
}

const struct yaml_value *yaml_get(const struct yaml_value *v, const char *key) {
    for (size_t i = 0; v && v->type == YAML_IS_MAP && i < v->n; i++) {
        if (slice_eqs(v->members[i].key, key)) return v->members[i].value;
    }
    return NULL;
}

int yaml_json(const struct yaml_value *v, struct buf *out) {
    switch (v->type) {
    case YAML_IS_NULL: buf_adds(out, "null"); break;
    case YAML_IS_BOOL:
    case YAML_IS_NUMBER: buf_add(out, v->json); break;
    case YAML_IS_STRING: buf_add_json(out, v->text); break;
    case YAML_IS_LIST:
        buf_addc(out, '[');
        for (size_t i = 0; i < v->n && !out->full; i++) {
            if (i) buf_addc(out, ',');
            yaml_json(v->items[i], out);
        }
        buf_addc(out, ']');
        break;
    case YAML_IS_MAP:
        buf_addc(out, '{');
        for (size_t i = 0; i < v->n && !out->full; i++) {
            if (i) buf_addc(out, ',');
            buf_add_json(out, v->members[i].key);
            buf_addc(out, ':');
            yaml_json(v->members[i].value, out);
        }
        buf_addc(out, '}');
        break;
    }
    return out->full ? -ENOBUFS : 0;
}
