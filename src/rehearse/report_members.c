/* Members of objects in one order, and elements of lists by what tells them apart. */
#include "base/json_raw.h"
#include "report_impl.h"

char *report_unescaped(struct slice raw, size_t *ret_n) {
    struct buf text = BUF(raw.n + 1);
    (void)json_raw_unescape(raw, &text); /* cannot fail: the text was checked */
    *ret_n = text.n;
    char *s = buf_take(&text);
    return s ? s : xstrdup("");
}

static int by_key(const void *a, const void *b) {
    const struct member *x = a, *y = b;
    int c = slice_cmp(x->key, y->key);
    return c ? c : (x->index > y->index) - (x->index < y->index);
}

static void sort(struct members *m) {
    if (m->n > 1) qsort(m->v, m->n, sizeof *m->v, by_key);
}

static struct member *push(struct members *m, struct slice value) {
    m->v = xgrow(m->v, &m->cap, m->n + 1, sizeof *m->v);
    m->v[m->n] = (struct member){.value = value, .index = m->n};
    return &m->v[m->n++];
}

void report_members_of(struct slice value, struct members *ret) {
    struct members m = {0};
    struct json_raw_it it = json_raw_each(value);
    bool object = it.object;
    while (json_raw_next(&it)) {
        struct member *one = push(&m, it.value);
        if (!object) continue;
        one->key = slice_make(it.key.p + 1, it.key.n - 2);
        if (slice_has(one->key, '\\')) {
            one->owned = report_unescaped(it.key, &one->key.n);
            one->key.p = one->owned;
        }
    }
    if (object) {
        sort(&m);
        size_t kept = 0;
        for (size_t i = 0; i < m.n; i++) {
            bool again = i + 1 < m.n && slice_eq(m.v[i].key, m.v[i + 1].key);
            if (again || json_raw_type(m.v[i].value) == JR_NULL)
                free(m.v[i].owned);
            else
                m.v[kept++] = m.v[i];
        }
        m.n = kept;
    }
    *ret = m;
}

void report_members_free(struct members *m) {
    for (size_t i = 0; i < m->n; i++) free(m->v[i].owned);
    free(m->v);
    *m = (struct members){0};
}

/* ---- lists ---- */

/* The members that make up a key, in order of preference. only: of the lists of that name. */
static const struct list_key {
    const char *only, *part[3];
    const char *otherwise; /* of the last part */
} list_keys[] = {
    {"ownerReferences", {"kind", "name", NULL}, NULL},
    {"subjects", {"kind", "namespace", "name"}, NULL},
    {"volumeClaimTemplates", {"metadata/name", NULL, NULL}, NULL},
    {NULL, {"containerPort", "protocol", NULL}, "TCP"},
    {NULL, {"mountPath", NULL, NULL}, NULL},
    {NULL, {"devicePath", NULL, NULL}, NULL},
    {NULL, {"name", NULL, NULL}, NULL},
    {NULL, {"port", "protocol", NULL}, "TCP"},
    {NULL, {"type", NULL, NULL}, NULL},
    {NULL, {"key", NULL, NULL}, NULL},
    {NULL, {"ip", NULL, NULL}, NULL},
    {NULL, {"topologyKey", NULL, NULL}, NULL},
    {NULL, {"id", NULL, NULL}, NULL},
    {NULL, {"metadata/name", NULL, NULL}, NULL},
};

/* The part's text; optional parts may be missing. */
static bool add_part(struct buf *out, const struct list_key *k, size_t i, struct slice element) {
    struct slice v = {0};
    bool there = json_raw_at(element, k->part[i], &v);
    enum json_raw_type t = there ? json_raw_type(v) : JR_NULL;
    if (t == JR_STRING) {
        size_t n;
        cleanup_free char *text = report_unescaped(v, &n);
        buf_add(out, slice_make(text, n));
        return n > 0;
    }
    if (t == JR_NUMBER) return buf_add(out, v) == 0;
    if (t == JR_NULL && i > 0 && k->otherwise) return buf_adds(out, k->otherwise) == 0;
    return t == JR_NULL && k->only && i + 1 < ARRAY_LEN(k->part) && k->part[i + 1]; /* a namespace */
}

static bool key_element(const struct list_key *k, struct member *m) {
    struct buf key = BUF(m->value.n + 64);
    bool ok = json_raw_type(m->value) == JR_OBJECT;
    for (size_t i = 0; ok && i < ARRAY_LEN(k->part) && k->part[i]; i++) {
        size_t n = key.n;
        if (i > 0) buf_addc(&key, '/');
        size_t start = key.n;
        ok = add_part(&key, k, i, m->value);
        if (ok && key.n == start) key.n = n;
    }
    size_t n = key.n;
    m->owned = buf_take(&key);
    m->key = slice_make(m->owned, n);
    return ok && !key.full;
}

/* A list of strings that is a set. */
static bool key_scalar(struct member *m) {
    if (json_raw_type(m->value) != JR_STRING) return false;
    m->owned = report_unescaped(m->value, &m->key.n);
    m->key.p = m->owned;
    return true;
}

/* k NULL: the elements themselves. */
static bool keyed(struct slice list, const struct list_key *k, struct members *ret) {
    struct members m = {0};
    struct json_raw_it it = json_raw_each(list);
    bool ok = true;
    while (ok && json_raw_next(&it)) {
        struct member *one = push(&m, it.value);
        ok = k ? key_element(k, one) : key_scalar(one);
    }
    sort(&m);
    for (size_t i = 1; ok && i < m.n; i++) ok = !slice_eq(m.v[i - 1].key, m.v[i].key);
    if (!ok) report_members_free(&m);
    *ret = m;
    return ok;
}

static bool both(struct slice a, struct slice b, const struct list_key *k, struct members *ret_a,
                 struct members *ret_b) {
    if (!keyed(a, k, ret_a)) return false;
    if (keyed(b, k, ret_b)) return true;
    report_members_free(ret_a);
    return false;
}

bool report_list_keys(struct slice field, struct slice a, struct slice b, struct members *ret_a,
                      struct members *ret_b) {
    *ret_a = *ret_b = (struct members){0};
    if (slice_eqs(field, "finalizers")) return both(a, b, NULL, ret_a, ret_b);
    struct json_raw_it first = json_raw_each(a);
    if (!json_raw_next(&first)) {
        first = json_raw_each(b);
        if (!json_raw_next(&first)) return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(list_keys); i++) {
        const struct list_key *k = &list_keys[i];
        struct slice v;
        if (k->only && !slice_eqs(field, k->only)) continue;
        if (json_raw_at(first.value, k->part[0], &v) && both(a, b, k, ret_a, ret_b)) return true;
    }
    return false;
}
