/* The text of objects. */
#include "store/json_doc.h"
#include "base/json_raw.h"

static void print_metadata(const cJSON *meta, struct buf *out, size_t *at, size_t *n) {
    buf_adds(out, "\"metadata\":{");
    bool first = true;
    for (const cJSON *c = meta ? meta->child : NULL; c; c = c->next) {
        if (!first) buf_addc(out, ',');
        first = false;
        json_tree_print_string(c->string, out);
        buf_addc(out, ':');
        size_t start = out->n;
        json_tree_print(c, out);
        if (strcmp(c->string, "labels") == 0 && c->child) {
            *at = start;
            *n = out->n - start;
        }
    }
    buf_addc(out, '}');
}

struct json_doc *json_doc_new(const cJSON *obj, const char *ns, const char *name, uint64_t rv, size_t max) {
    struct buf b = BUF(max);
    size_t at = 0, n = 0;
    buf_addc(&b, '{');
    print_metadata(json_obj(obj, "metadata"), &b, &at, &n);
    for (const cJSON *c = obj->child; c; c = c->next) {
        if (!strcmp(c->string, "kind") || !strcmp(c->string, "apiVersion") || !strcmp(c->string, "metadata"))
            continue;
        buf_addc(&b, ',');
        json_tree_print_string(c->string, &b);
        buf_addc(&b, ':');
        json_tree_print(c, &b);
    }
    buf_addc(&b, '}');
    if (b.full) {
        buf_free(&b);
        return NULL;
    }
    size_t ns_n = strlen(ns) + 1, name_n = strlen(name) + 1;
    struct json_doc *d = xmalloc(sizeof *d + b.n + ns_n + name_n);
    *d = (struct json_doc){.refs = 1, .rv = rv, .labels_at = at, .labels_n = n, .n = b.n};
    memcpy(d->text, b.p, b.n);
    d->ns = memcpy(d->text + b.n, ns, ns_n);
    d->name = memcpy(d->text + b.n + ns_n, name, name_n);
    buf_free(&b);
    return d;
}

struct json_doc *json_doc_ref(struct json_doc *d) {
    d->refs++;
    return d;
}

void json_doc_unref(struct json_doc *d) {
    if (d && --d->refs == 0) free(d);
}

cJSON *json_doc_parse(const struct json_doc *d, const char *api_version, const char *kind) {
    cJSON *v = json_tree_parse_checked(slice_make(d->text, d->n));
    /* In front, as clients are used to see them. */
    cJSON *a = cJSON_CreateString(api_version), *k = cJSON_CreateString(kind);
    if (!a || !k) abort();
    a->string = xstrdup("apiVersion");
    k->string = xstrdup("kind");
    cJSON *first = v->child, *last = first->prev;
    v->child = k;
    k->next = a;
    a->prev = k;
    a->next = first;
    first->prev = a;
    k->prev = last;
    return v;
}

cJSON *json_doc_labels(const struct json_doc *d) {
    return d->labels_n ? json_tree_parse_checked(slice_make(d->text + d->labels_at, d->labels_n)) : NULL;
}

void json_doc_write(const struct json_doc *d, const char *api_version, const char *kind, struct buf *out) {
    buf_addf(out, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",", kind, api_version);
    buf_add(out, slice_make(d->text + 1, d->n - 1));
}

struct slice json_doc_metadata(const struct json_doc *d) {
    struct slice ret = SL("{}");
    json_raw_at(slice_make(d->text, d->n), "metadata", &ret);
    return ret;
}
