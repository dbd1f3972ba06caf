/* YAML as Kubernetes reads it (YAML 1.1's plain scalars, anchors, merge keys), made into JSON trees. */
#include "rest/rest.h"
#include <errno.h>
#include <uthash.h>
#include <yaml.h>

enum { MAX_DEPTH = 200, MAX_NODES = 500000 };

struct reader {
    yaml_document_t *doc;
    size_t nodes; /* made so far: aliases may multiply them */
    struct api_status *f;
};

static int bad(struct api_status *f, const char *what) {
    return api_status_set(f, 400, "BadRequest", "error converting YAML to JSON: yaml: %s", what);
}

static bool one_of(const char *s, const char *const *words) {
    for (; *words; words++) {
        if (!strcmp(s, *words)) return true;
    }
    return false;
}

static bool integer(const char *s, double *ret) {
    const char *p = s + (*s == '-' || *s == '+');
    int base = 10;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'o' || p[1] == 'b')) {
        base = p[1] == 'x' ? 16 : p[1] == 'o' ? 8 : 2;
        p += 2;
    } else if (p[0] == '0' && p[1]) {
        base = 8;
    }
    if (!*p || *p == '-' || *p == '+' || *p == ' ') return false;
    char *end = NULL;
    errno = 0;
    unsigned long long v = strtoull(p, &end, base);
    if (*end || errno) return false;
    *ret = *s == '-' ? -(double)v : (double)v;
    return true;
}

static bool decimal(const char *s) {
    bool digit = false;
    for (const char *p = s; *p; p++) {
        if (*p >= '0' && *p <= '9')
            digit = true;
        else if (!strchr("+-.eE", *p))
            return false;
    }
    char *end = NULL;
    if (digit) strtod(s, &end);
    return digit && !*end;
}

static cJSON *number(const char *text, double v) {
    /* JSON's own notation keeps its text, so that long numbers stay exact. */
    cJSON *n = json_tree_parse(slice_of(text), NULL);
    if (!n || !cJSON_IsNumber(n)) {
        cJSON_Delete(n);
        n = cJSON_CreateNumber(v);
    }
    return n;
}

static cJSON *plain(const char *s) {
    static const char *const null_words[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", "y",  "Y",  "yes",
                                      "Yes",  "YES",  "on",   "On", "ON", NULL};
    static const char *const no[] = {"false", "False", "FALSE", "n",   "N",   "no",
                                     "No",    "NO",    "off",   "Off", "OFF", NULL};
    double v = 0;
    if (one_of(s, null_words)) return cJSON_CreateNull();
    if (one_of(s, yes)) return cJSON_CreateTrue();
    if (one_of(s, no)) return cJSON_CreateFalse();
    if (integer(s, &v)) return number(s, v);
    if (decimal(s)) return number(s, strtod(s, NULL));
    return cJSON_CreateString(s);
}

static int convert(struct reader *r, int index, int depth, cJSON **ret);

static int scalar(struct reader *r, const yaml_node_t *n, cJSON **ret) {
    const char *s = (const char *)n->data.scalar.value;
    if (memchr(s, '\0', n->data.scalar.length)) return bad(r->f, "control characters are not allowed");
    const char *tag = (const char *)n->tag;
    bool is_plain = n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (!tag || !strcmp(tag, YAML_STR_TAG));
    *ret = is_plain ? plain(s) : cJSON_CreateString(s);
    if (!*ret) abort();
    return 0;
}

static int key_text(struct reader *r, int index, char **ret) {
    const yaml_node_t *n = yaml_document_get_node(r->doc, index);
    if (!n || n->type != YAML_SCALAR_NODE) return bad(r->f, "a key that is no scalar");
    if (memchr(n->data.scalar.value, 0, n->data.scalar.length))
        return bad(r->f, "control characters are not allowed");
    *ret = xstrdup((const char *)n->data.scalar.value);
    return 0;
}

/* The keys of one mapping: cJSON would look at all members for each of them. */
struct key {
    UT_hash_handle hh;
    char text[];
};

static void keys_free(struct key **set) {
    struct key *k, *tmp;
    HASH_ITER(hh, *set, k, tmp) {
        HASH_DEL(*set, k);
        free(k);
    }
}

/* False: it was there already. */
static bool keys_add(struct key **set, const char *text) {
    struct key *k;
    size_t n = strlen(text);
    HASH_FIND(hh, *set, text, n, k);
    if (k) return false;
    k = xcalloc(1, sizeof *k + n + 1);
    memcpy(k->text, text, n);
    HASH_ADD_KEYPTR(hh, *set, k->text, n, k);
    return true;
}

/* "<<": the members of another mapping, where we have none of that name. */
static void merge(cJSON *into, struct key **keys, const cJSON *from) {
    for (const cJSON *c = from->child; c; c = c->next) {
        if (cJSON_IsArray(from))
            merge(into, keys, c);
        else if (keys_add(keys, c->string))
            json_tree_append(into, c->string, json_tree_dup(c));
    }
}

static int members(struct reader *r, const yaml_node_t *n, int depth, cJSON *obj, struct key **keys) {
    cleanup_json cJSON *merges = cJSON_CreateArray();
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
        cleanup_free char *key = NULL;
        cJSON *value = NULL;
        int e = key_text(r, p->key, &key);
        if (e == 0) e = convert(r, p->value, depth, &value);
        if (e < 0) return e;
        if (!strcmp(key, "<<")) {
            cJSON_AddItemToArray(merges, value);
        } else if (!keys_add(keys, key)) {
            cJSON_Delete(value);
            return api_status_set(r->f, 400, "BadRequest",
                                  "error converting YAML to JSON: yaml: key \"%.100s\" already set in map",
                                  key);
        } else {
            json_tree_append(obj, key, value);
        }
    }
    merge(obj, keys, merges);
    return 0;
}

static int mapping(struct reader *r, const yaml_node_t *n, int depth, cJSON *obj) {
    struct key *keys = NULL;
    int e = members(r, n, depth, obj, &keys);
    keys_free(&keys);
    return e;
}

static int sequence(struct reader *r, const yaml_node_t *n, int depth, cJSON *arr) {
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        cJSON *value = NULL;
        int e = convert(r, *i, depth, &value);
        if (e < 0) return e;
        cJSON_AddItemToArray(arr, value);
    }
    return 0;
}

static int convert(struct reader *r, int index, int depth, cJSON **ret) {
    const yaml_node_t *n = yaml_document_get_node(r->doc, index);
    if (!n || depth > MAX_DEPTH) return bad(r->f, "nested too deeply");
    if (++r->nodes > MAX_NODES) return bad(r->f, "document contains excessive aliasing");
    if (n->type == YAML_SCALAR_NODE) return scalar(r, n, ret);
    cleanup_json cJSON *v = n->type == YAML_MAPPING_NODE ? cJSON_CreateObject() : cJSON_CreateArray();
    if (!v) abort();
    int e = n->type == YAML_MAPPING_NODE ? mapping(r, n, depth + 1, v) : sequence(r, n, depth + 1, v);
    if (e < 0) return e;
    *ret = v;
    v = NULL;
    return 0;
}

static int load(yaml_parser_t *p, cJSON **ret, bool *ret_end, struct api_status *f) {
    yaml_document_t doc;
    if (!yaml_parser_load(p, &doc)) {
        return api_status_set(f, 400, "BadRequest", "error converting YAML to JSON: yaml: line %zu: %s",
                              p->problem_mark.line + 1, p->problem ? p->problem : "cannot be read");
    }
    int r = 0;
    *ret_end = !yaml_document_get_root_node(&doc);
    if (!*ret_end) {
        struct reader rd = {.doc = &doc, .f = f};
        r = convert(&rd, 1, 0, ret);
    }
    yaml_document_delete(&doc);
    return r;
}

int yaml_each(struct slice text, int (*fn)(void *ctx, cJSON *doc, struct api_status *f), void *ctx,
              struct api_status *f) {
    yaml_parser_t p;
    if (!yaml_parser_initialize(&p)) abort();
    yaml_parser_set_input_string(&p, (const unsigned char *)(text.p ? text.p : ""), text.n);
    int r = 0;
    for (bool end = false; r == 0 && !end;) {
        cJSON *v = NULL;
        r = load(&p, &v, &end, f);
        if (r == 0 && !end) r = fn(ctx, v, f);
    }
    yaml_parser_delete(&p);
    return r;
}

static int keep_first(void *ctx, cJSON *doc, struct api_status *f) {
    (void)f;
    cJSON **ret = ctx;
    if (*ret) {
        cJSON_Delete(doc);
    } else {
        *ret = doc;
    }
    return 0;
}

int yaml_parse(struct slice text, cJSON **ret, struct api_status *f) {
    cJSON *v = NULL;
    int r = yaml_each(text, keep_first, &v, f);
    if (r == 0 && !v) r = bad(f, "the document is empty");
    if (r < 0) {
        cJSON_Delete(v);
        return r;
    }
    *ret = v;
    return 0;
}
