/* Two objects, field by field, in one order whatever the order of their members. */
#include "api/quantity.h"
#include "base/hash.h"
#include "base/json_raw.h"
#include "base/utf8.h"
#include "report_impl.h"

enum { DEPTH = 64, PATH_WORK = 64 << 10, SEGMENT = 200 };

struct walk {
    struct row *row;
    const struct report_limits *limits;
    struct buf path;
    bool secret, crd;
};
/* Where a value stands. */
struct place {
    struct slice key; /* of the member, or of the list */
    enum hide hide;
    bool quantity; /* a number or string here is a quantity */
    bool element;  /* of the list of that key */
    unsigned depth;
};
static void compare(struct walk *w, struct slice from, struct slice to, struct place at);

/* ---- paths ---- */

static bool path_is(const struct walk *w, const char *path) {
    return slice_eqs(buf_slice(&w->path), path);
}

static bool path_below(const struct walk *w, const char *path) {
    size_t n = strlen(path);
    return w->path.n >= n && memcmp(w->path.p, path, n) == 0 &&
           (w->path.n == n || w->path.p[n] == '.' || w->path.p[n] == '[');
}

static bool plain(struct slice key) {
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                    c == '-';
        if (!word) return false;
    }
    return key.n > 0;
}

static void add_bracket(struct walk *w, struct slice key) {
    buf_addc(&w->path, '[');
    struct slice cut = utf8_cut(key, SEGMENT);
    for (size_t i = 0; i < cut.n; i++) {
        if (cut.p[i] == ']' || cut.p[i] == '\\') buf_addc(&w->path, '\\');
        buf_addc(&w->path, cut.p[i]);
    }
    if (cut.n < key.n) buf_addf(&w->path, "...%016llx", (unsigned long long)slice_hash(key, 0));
    buf_addc(&w->path, ']');
}

static void add_key(struct walk *w, struct slice key) {
    if (!plain(key) || key.n > SEGMENT) {
        add_bracket(w, key);
        return;
    }
    if (w->path.n) buf_addc(&w->path, '.');
    buf_add(&w->path, key);
}

static void cut_path(struct walk *w, size_t n) {
    w->path.n = n;
    w->path.full = false;
    if (w->path.p) w->path.p[n] = '\0';
}

static char *path_text(const struct walk *w) {
    struct slice all = buf_slice(&w->path);
    if (all.n <= REPORT_NAME) return slice_dup(all);
    cleanup_free char *begin = slice_dup(utf8_cut(all, REPORT_NAME - 24));
    return xasprintf("%s...%016llx", begin, (unsigned long long)slice_hash(all, 0));
}

/* ---- what is no change, and what moves by itself ---- */

/* What every write changes, or what identifies the object. */
static bool ignored(const struct walk *w) {
    static const char *const paths[] = {"apiVersion",
                                        "kind",
                                        "metadata.managedFields",
                                        "metadata.resourceVersion",
                                        "metadata.generation",
                                        "metadata.uid",
                                        "metadata.creationTimestamp",
                                        "metadata.selfLink",
                                        "metadata.deletionTimestamp",
                                        "metadata.deletionGracePeriodSeconds",
                                        "metadata.name",
                                        "metadata.namespace",
                                        "metadata.generateName"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        if (path_is(w, paths[i])) return true;
    /* What is made anew has no status yet. */
    return w->row->change == ROW_RECREATED && path_is(w, "status");
}

static bool moves(const struct walk *w, struct slice from, struct slice to, struct place at) {
    if (!from.n || !to.n || path_below(w, "spec.template")) return false;
    if (report_is_time(from) && report_is_time(to)) return true;
    return slice_ends(at.key, SL("esourceVersion")) ||
           (slice_eqs(at.key, "observedGeneration") && path_below(w, "status"));
}

/* Only here is "1" the same as "1000m": elsewhere it may be a version, or any text. */
static bool holds_quantities(struct slice key) {
    static const char *const maps[] = {"limits",      "requests", "overhead", "capacity",
                                       "allocatable", "hard",     "used",     "allocatedResources"};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        if (slice_eqs(key, maps[i])) return true;
    return false;
}
static bool is_quantity(struct slice key) {
    return slice_eqs(key, "sizeLimit") || slice_eqs(key, "divisor") || slice_eqs(key, "averageValue");
}

static struct slice present(struct slice v) {
    return v.n && json_raw_type(v) == JR_NULL ? (struct slice){0} : v;
}

static bool same_quantity(struct slice from, struct slice to) {
    int c;
    struct slice v[2] = {from, to};
    for (int i = 0; i < 2; i++) {
        enum json_raw_type t = json_raw_type(v[i]);
        if (t == JR_STRING)
            v[i] = slice_make(v[i].p + 1, v[i].n - 2);
        else if (t != JR_NUMBER)
            return false;
    }
    return quantity_cmp(v[0], v[1], &c) == 0 && c == 0;
}

static bool same_scalar(struct slice from, struct slice to, struct place at) {
    enum json_raw_type a = json_raw_type(from), b = json_raw_type(to);
    if (at.quantity && same_quantity(from, to)) return true;
    if (a != b) return false;
    if (a == JR_NUMBER) return json_raw_number_eq(from, to);
    if (a != JR_STRING) return slice_eq(from, to);
    size_t n, m;
    cleanup_free char *x = report_unescaped(from, &n), *y = report_unescaped(to, &m);
    return slice_eq(slice_make(x, n), slice_make(y, m));
}

/* ---- one field ---- */

static char *shown(const struct walk *w, struct slice value, struct place at) {
    if (!value.n) return NULL;
    cleanup_buf struct buf all = BUF(REPORT_VALUE_WORK);
    report_value(&all, value, at.key, &(struct shown){.hide = at.hide});
    struct slice cut = utf8_cut(buf_slice(&all), w->limits->value);
    return xasprintf("%.*s%s", (int)cut.n, cut.p, cut.n < all.n ? "..." : "");
}

static void identify(const struct walk *w, struct slice value, struct place at, char ret[17]) {
    ret[0] = '\0';
    if (!value.n) return;
    cleanup_buf struct buf all = BUF(REPORT_VALUE_WORK);
    report_value(
        &all, value, at.key,
        &(struct shown){.hide = at.hide, .own = w->row->generate ? w->row->name : NULL, .same = true});
    report_id(buf_slice(&all), ret);
}

static enum field_effect effect(const struct walk *w, struct slice from, struct slice to) {
    struct slice path = buf_slice(&w->path), served = {0};
    if (w->row->restart.kind && path_below(w, "spec.template")) return EFFECT_RESTART;
    if (w->row->stop.pods && (path_is(w, "spec.replicas") || path_is(w, "spec.suspend"))) return EFFECT_STOP;
    if (path_below(w, "metadata.finalizers") && from.n && !to.n) return EFFECT_FINALIZER;
    if (!w->crd || !path_below(w, "spec.versions")) return EFFECT_NONE;
    if (slice_ends(path, SL("].served")) && slice_eqs(from, "true")) return EFFECT_UNSERVED;
    bool gone = from.n && !to.n && slice_ends(path, SL("]"));
    return gone && json_raw_get(from, SL("served"), &served) && slice_eqs(served, "true") ? EFFECT_UNSERVED
                                                                                          : EFFECT_NONE;
}

static void add(struct walk *w, struct slice from, struct slice to, struct place at) {
    struct row *r = w->row;
    struct field f = {.moves = moves(w, from, to, at), .effect = effect(w, from, to)};
    identify(w, to, at, f.id);
    if (r->n < w->limits->fields) {
        f.path = path_text(w);
        f.from = shown(w, from, at);
        f.to = shown(w, to, at);
        r->field = xgrow(r->field, &r->cap, r->n + 1, sizeof *r->field);
        r->field[r->n++] = f;
    } else if (!f.moves) {
        cleanup_buf struct buf chain = BUF(PATH_WORK + 128);
        buf_addf(&chain, "%s %s ", r->more.id, f.id);
        buf_add(&chain, buf_slice(&w->path));
        report_id(buf_slice(&chain), r->more.id);
        r->more.fields++;
        r->more.effects |= 1U << f.effect;
    }
}

/* ---- walking ---- */

static struct place below(const struct walk *w, struct place at, struct slice key) {
    struct place p = {.key = key, .depth = at.depth + 1, .hide = report_hide(at.hide, key)};
    p.quantity = is_quantity(key) || holds_quantities(at.key);
    bool data = slice_eqs(key, "data") || slice_eqs(key, "stringData");
    if (w->secret && at.depth == 0 && data) p.hide = HIDE_ALL;
    return p;
}

/* Both sorted by key: calls each pair that has a key in common, or one alone. */
static void merge(struct walk *w, const struct members *a, const struct members *b, struct place at,
                  bool list, bool secret) {
    size_t n = w->path.n;
    for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
        int c = i == a->n ? 1 : j == b->n ? -1 : slice_cmp(a->v[i].key, b->v[j].key);
        struct slice key = c <= 0 ? a->v[i].key : b->v[j].key;
        struct slice from = c <= 0 ? a->v[i++].value : (struct slice){0};
        struct slice to = c >= 0 ? b->v[j++].value : (struct slice){0};
        struct place p = at;
        if (list) {
            add_bracket(w, key);
            p.depth++;
            p.element = true;
        } else {
            add_key(w, key);
            p = below(w, at, key);
            if (secret && slice_eqs(key, "value")) p.hide = HIDE_ALL;
        }
        if (!ignored(w)) compare(w, from, to, p);
        cut_path(w, n);
    }
}

static bool named_secret(const struct members *m) {
    for (size_t i = 0; i < m->n; i++) {
        bool names = slice_eqs(m->v[i].key, "name") || slice_eqs(m->v[i].key, "key");
        if (names && json_raw_type(m->v[i].value) == JR_STRING && report_secret_name(m->v[i].value))
            return true;
    }
    return false;
}

static void objects(struct walk *w, struct slice from, struct slice to, struct place at) {
    struct members a, b;
    report_members_of(from, &a);
    report_members_of(to, &b);
    merge(w, &a, &b, at, false, named_secret(&a) || named_secret(&b));
    report_members_free(&a);
    report_members_free(&b);
}

static int by_index(const void *a, const void *b) {
    const struct member *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* The keys that both have, in the list's order; other: the other one's, sorted by key. */
static char *common_order(const struct members *m, const struct members *other, size_t *ret_n) {
    struct members common = {.v = xmalloc((m->n + 1) * sizeof *m->v)};
    for (size_t i = 0, j = 0; i < m->n && j < other->n;) {
        int c = slice_cmp(m->v[i].key, other->v[j].key);
        if (c == 0) common.v[common.n++] = m->v[i];
        i += c <= 0;
        j += c >= 0;
    }
    qsort(common.v, common.n, sizeof *common.v, by_index);
    struct buf text = BUF(REPORT_VALUE_WORK);
    buf_addc(&text, '[');
    for (size_t i = 0; i < common.n; i++) {
        if (i) buf_addc(&text, ',');
        buf_add_json(&text, common.v[i].key);
    }
    buf_addc(&text, ']');
    free(common.v);
    *ret_n = text.n;
    return buf_take(&text);
}

/* Another order of the same elements: env and containers in another one are another pod template. */
static void compare_order(struct walk *w, const struct members *a, const struct members *b, struct place at) {
    static const char *const sets[] = {"finalizers", "ownerReferences", "conditions"};
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        if (slice_eqs(at.key, sets[i])) return;
    size_t n, m;
    cleanup_free char *x = common_order(a, b, &n), *y = common_order(b, a, &m);
    if (!slice_eq(slice_make(x, n), slice_make(y, m))) {
        at.key = SL("order");
        at.hide = HIDE_NONE;
        size_t end = w->path.n;
        buf_adds(&w->path, ".(order)");
        add(w, slice_make(x, n), slice_make(y, m), at);
        cut_path(w, end);
    }
}

/* Without what both begin and end with, by index. */
static void indexed(struct walk *w, struct slice from, struct slice to, struct place at) {
    struct members a, b;
    report_members_of(from, &a);
    report_members_of(to, &b);
    size_t begin = 0, end = 0, least = a.n < b.n ? a.n : b.n, n = w->path.n;
    while (begin < least && slice_eq(a.v[begin].value, b.v[begin].value)) begin++;
    while (end < least - begin && slice_eq(a.v[a.n - 1 - end].value, b.v[b.n - 1 - end].value)) end++;
    at.depth++;
    at.element = true;
    for (size_t i = begin; i + end < a.n || i + end < b.n; i++) {
        char place[24];
        struct buf b_ = BUF(sizeof place);
        buf_addf(&b_, "%zu", i);
        add_bracket(w, buf_slice(&b_));
        buf_free(&b_);
        compare(w, i + end < a.n ? a.v[i].value : (struct slice){0},
                i + end < b.n ? b.v[i].value : (struct slice){0}, at);
        cut_path(w, n);
    }
    report_members_free(&a);
    report_members_free(&b);
}

static void lists(struct walk *w, struct slice from, struct slice to, struct place at) {
    struct members a, b;
    if (!report_list_keys(at.key, from, to, &a, &b)) {
        indexed(w, from, to, at);
        return;
    }
    merge(w, &a, &b, at, true, false);
    compare_order(w, &a, &b, at);
    report_members_free(&a);
    report_members_free(&b);
}

/* What is looked into even where the other side has nothing: else a label beside another one would be another field than alone. */
static bool splits(struct slice key) {
    static const char *const maps[] = {"metadata",   "labels",     "annotations",
                                       "data",       "stringData", "status",
                                       "conditions", "finalizers", "ownerReferences"};
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        if (slice_eqs(key, maps[i])) return true;
    return false;
}

static void compare(struct walk *w, struct slice from, struct slice to, struct place at) {
    from = present(from);
    to = present(to);
    if (slice_eq(from, to)) return;
    enum json_raw_type a = json_raw_type(from), b = json_raw_type(to), t = a == JR_INVALID ? b : a;
    bool split = at.depth < 2 || (splits(at.key) && !at.element);
    bool alike = a == b || ((!from.n || !to.n) && split);
    if (at.depth >= DEPTH) alike = false;
    if (alike && t == JR_OBJECT)
        objects(w, from, to, at);
    else if (alike && t == JR_ARRAY && (a == b || at.depth > 1))
        lists(w, from, to, at);
    else if (!from.n || !to.n || !same_scalar(from, to, at))
        add(w, from, to, at);
}

void report_diff(struct row *row, const struct report_limits *limits, struct slice live,
                 struct slice rehearsed) {
    struct walk w = {.row = row,
                     .limits = limits,
                     .path = BUF(PATH_WORK),
                     .secret = report_row_is(row, "", "Secret"),
                     .crd = report_row_is(row, "apiextensions.k8s.io", "CustomResourceDefinition")};
    compare(&w, live, rehearsed, (struct place){0});
    buf_free(&w.path);
}
