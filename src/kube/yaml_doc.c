/* See yaml_doc.h. libyaml limits the nesting itself (1000), and an alias is a reference here, never a copy.
 */
#include "yaml_doc.h"
#include <errno.h>
#include <stdio.h>

enum { JSON_DEPTH = 32 };

int yaml_doc_load(struct yaml_doc *d, struct slice text, const char *file, struct err *err) {
    *d = (struct yaml_doc){.file = file};
    yaml_parser_t p;
    if (!yaml_parser_initialize(&p)) abort(); /* out of memory only */
    yaml_parser_set_input_string(&p, (const unsigned char *)(text.p ? text.p : ""), text.n);
    int ok = yaml_parser_load(&p, &d->doc), r = 0;
    if (ok) {
        d->loaded = true;
    } else {
        r = err_set(err, ERR_CONFIG, -EINVAL, "%s:%zu: not YAML: %s%s%s", file, p.problem_mark.line + 1,
                    p.context ? p.context : "", p.context ? ": " : "",
                    p.problem ? p.problem : "cannot be read");
    }
    yaml_parser_delete(&p);
    return r;
}

void yaml_doc_free(struct yaml_doc *d) {
    if (d && d->loaded) yaml_document_delete(&d->doc);
    if (d) d->loaded = false;
}

static yaml_node_t *node_at(struct yaml_doc *d, int node) {
    return node > 0 ? yaml_document_get_node(&d->doc, node) : NULL;
}

static struct slice text_of(const yaml_node_t *n) {
    return slice_make((const char *)n->data.scalar.value, n->data.scalar.length);
}

static bool plain(const yaml_node_t *n) {
    return n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static bool is_null(const yaml_node_t *n) {
    if (n->type != YAML_SCALAR_NODE || !plain(n)) return n->type == YAML_NO_NODE;
    struct slice t = text_of(n);
    return !t.n || slice_eqs(t, "~") || slice_eqs(t, "null") || slice_eqs(t, "Null") || slice_eqs(t, "NULL");
}

int yaml_root(struct yaml_doc *d) {
    yaml_node_t *root = yaml_document_get_root_node(&d->doc);
    return root && !is_null(root) ? 1 : 0;
}

int yaml_get(struct yaml_doc *d, int map, const char *key) {
    yaml_node_t *m = node_at(d, map);
    int found = 0;
    if (!m || m->type != YAML_MAPPING_NODE) return 0;
    for (yaml_node_pair_t *p = m->data.mapping.pairs.start; p < m->data.mapping.pairs.top; p++) {
        yaml_node_t *k = node_at(d, p->key);
        if (k && k->type == YAML_SCALAR_NODE && slice_eqs(text_of(k), key)) found = p->value;
    }
    yaml_node_t *v = node_at(d, found);
    return v && !is_null(v) ? found : 0;
}

static const char *type_name(const yaml_node_t *n) {
    return n->type == YAML_MAPPING_NODE    ? "a mapping"
           : n->type == YAML_SEQUENCE_NODE ? "a list"
                                           : "a plain value";
}

static int wrong(struct yaml_doc *d, const yaml_node_t *n, const char *where, const char *key,
                 const char *want, struct err *err) {
    return err_set(err, ERR_CONFIG, -EINVAL, "%s:%zu: %s%s%s: %s where %s should be", d->file,
                   n->start_mark.line + 1, where, where[0] && key[0] ? "." : "", key, type_name(n), want);
}

int yaml_want_map(struct yaml_doc *d, int node, const char *where, struct err *err) {
    yaml_node_t *n = node_at(d, node);
    return n && n->type != YAML_MAPPING_NODE ? wrong(d, n, where, "", "a mapping", err) : 0;
}

int yaml_want_list(struct yaml_doc *d, int node, const char *where, struct err *err) {
    yaml_node_t *n = node_at(d, node);
    return n && n->type != YAML_SEQUENCE_NODE ? wrong(d, n, where, "", "a list", err) : 0;
}

int yaml_list_at(struct yaml_doc *d, int list, size_t i) {
    yaml_node_t *n = node_at(d, list);
    if (!n || n->type != YAML_SEQUENCE_NODE) return 0;
    size_t len = (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
    return i < len ? n->data.sequence.items.start[i] : 0;
}

int yaml_str(struct yaml_doc *d, int map, const char *key, const char *where, char **ret, struct err *err) {
    yaml_node_t *n = node_at(d, yaml_get(d, map, key));
    if (!n) return 0;
    if (n->type != YAML_SCALAR_NODE) return wrong(d, n, where, key, "a string", err);
    if (slice_has(text_of(n), '\0')) {
        return err_set(err, ERR_CONFIG, -EINVAL, "%s:%zu: %s.%s: holds a NUL character", d->file,
                       n->start_mark.line + 1, where, key);
    }
    free(*ret);
    *ret = slice_dup(text_of(n));
    return 0;
}

static int bool_of(struct slice t) {
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "on"}, *const no[] = {"false", "False",
                                                                                           "FALSE", "no",
                                                                                           "off"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (slice_eqs(t, yes[i])) return 1;
        if (slice_eqs(t, no[i])) return 0;
    }
    return -1;
}

int yaml_bool(struct yaml_doc *d, int map, const char *key, const char *where, bool *ret, struct err *err) {
    yaml_node_t *n = node_at(d, yaml_get(d, map, key));
    if (!n) return 0;
    int v = n->type == YAML_SCALAR_NODE ? bool_of(text_of(n)) : -1;
    if (v < 0) return wrong(d, n, where, key, "true or false", err);
    *ret = v;
    return 0;
}

/* JSON's own numbers only: what else YAML takes for a number stays a string. */
static bool json_number(struct slice t) {
    double v;
    bool starts =
        t.n && (t.p[0] == '-' ? t.n > 1 && t.p[1] >= '0' && t.p[1] <= '9' : t.p[0] >= '0' && t.p[0] <= '9');
    size_t lead = starts && t.p[0] == '-' ? 1 : 0;
    if (!starts || (t.n > lead + 1 && t.p[lead] == '0' && t.p[lead + 1] != '.') || t.p[t.n - 1] == '.')
        return false;
    return slice_f64(t, &v) == 0;
}

static void scalar_json(const yaml_node_t *n, struct buf *out) {
    struct slice t = text_of(n);
    if (plain(n) && (slice_eqs(t, "true") || slice_eqs(t, "false") || json_number(t))) {
        buf_add(out, t);
    } else if (is_null(n)) {
        buf_adds(out, "null");
    } else {
        buf_add_json(out, t);
    }
}

static int json_at(struct yaml_doc *d, int node, struct buf *out, int depth) {
    const yaml_node_t *n = node_at(d, node);
    if (!n) return buf_adds(out, "null");
    if (depth > JSON_DEPTH || out->full) return -EINVAL;
    int r = 0;
    bool first = true;
    if (n->type == YAML_SCALAR_NODE) {
        scalar_json(n, out);
    } else if (n->type == YAML_SEQUENCE_NODE) {
        buf_addc(out, '[');
        for (int *i = n->data.sequence.items.start; i < n->data.sequence.items.top && r == 0;
             i++, first = false) {
            if (!first) buf_addc(out, ',');
            r = json_at(d, *i, out, depth + 1);
        }
        buf_addc(out, ']');
    } else {
        buf_addc(out, '{');
        for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top && r == 0;
             p++, first = false) {
            const yaml_node_t *k = node_at(d, p->key);
            if (!k || k->type != YAML_SCALAR_NODE) return -EINVAL;
            if (!first) buf_addc(out, ',');
            buf_add_json(out, text_of(k));
            buf_addc(out, ':');
            r = json_at(d, p->value, out, depth + 1);
        }
        buf_addc(out, '}');
    }
    return r < 0 || out->full ? -EINVAL : 0;
}

int yaml_json(struct yaml_doc *d, int node, struct buf *out) {
    return json_at(d, node, out, 0);
}
