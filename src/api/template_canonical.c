/* The canonical text of a pod template: members sorted, strings unescaped and escaped again in one way,
 * numbers by value, quantities by amount, and without what the API server leaves out of what it stores. */
#include "template_canonical.h"
#include "quantity_amount.h"

struct member {
    struct slice key; /* unescaped */
    struct slice value;
    char *owned; /* key's memory where it needed unescaping */
    size_t index;
};
struct members {
    struct member *v;
    size_t n, cap;
};
/* Value as it stands at place, appended to out; nothing at all where the member key counts as absent. */
static void member(struct buf *out, struct slice key, struct slice value, enum place place);

/* Members whose empty object the API server does not tell from an absent one: maps with omitempty, and
 * structs that are no pointers (k8s.io/api/core/v1). All others mean something: emptyDir, namespaceSelector,
 * securityContext, ... */
static bool empty_is_absent(struct slice key) {
    static const char *const names[] = {"annotations", "labels",       "limits",          "matchLabels",
                                        "metadata",    "nodeSelector", "options",         "overhead",
                                        "requests",    "resources",    "volumeAttributes"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (slice_eqs(key, names[i])) return true;
    }
    return false;
}

static enum place place_below(enum place place, struct slice key) {
    switch (place) {
    case PLACE_ROOT:
        if (slice_eqs(key, "metadata")) return PLACE_ROOT_METADATA;
        break;
    case PLACE_ROOT_METADATA: return slice_eqs(key, "labels") ? PLACE_ROOT_LABELS : PLACE_PLAIN;
    case PLACE_RESOURCES:
        if (slice_eqs(key, "limits") || slice_eqs(key, "requests")) return PLACE_RESOURCE_LIST;
        break;
    case PLACE_RESOURCE_LIST: return PLACE_QUANTITY;
    case PLACE_EMPTY_DIR:
        if (slice_eqs(key, "sizeLimit")) return PLACE_QUANTITY;
        break;
    case PLACE_RESOURCE_FIELD:
        if (slice_eqs(key, "divisor")) return PLACE_QUANTITY;
        break;
    default: break;
    }
    if (slice_eqs(key, "resources"))
        return PLACE_RESOURCES; /* of containers, pods and volume claim templates */
    if (slice_eqs(key, "overhead")) return PLACE_RESOURCE_LIST;
    if (slice_eqs(key, "emptyDir")) return PLACE_EMPTY_DIR;
    if (slice_eqs(key, "resourceFieldRef")) return PLACE_RESOURCE_FIELD;
    return PLACE_PLAIN;
}

static int by_key(const void *a, const void *b) {
    const struct member *x = a, *y = b;
    int c = slice_cmp(x->key, y->key);
    return c ? c : (x->index > y->index) - (x->index < y->index);
}

/* The members that count, sorted by key, of duplicates the last. */
static void members_of(struct slice obj, enum place place, struct members *ret) {
    struct members m = {0};
    struct json_raw_it it = json_raw_each(obj);
    while (json_raw_next(&it)) {
        struct member one = {.key = slice_make(it.key.p + 1, it.key.n - 2), .value = it.value, .index = m.n};
        if (slice_has(one.key, '\\')) {
            struct buf text = BUF(it.key.n);
            (void)json_raw_unescape(it.key, &text); /* cannot fail: the text was checked, and only shrinks */
            size_t n = text.n;
            one.owned = buf_take(&text);
            one.key = slice_make(one.owned, n);
        }
        m.v = xgrow(m.v, &m.cap, m.n + 1, sizeof *m.v);
        m.v[m.n++] = one;
    }
    if (m.n > 1) qsort(m.v, m.n, sizeof *m.v, by_key);
    size_t kept = 0;
    for (size_t i = 0; i < m.n; i++) {
        bool again = i + 1 < m.n && slice_eq(m.v[i].key, m.v[i + 1].key);
        /* The label that the Deployment controller adds to a ReplicaSet's template, and nothing else of ours.
         */
        bool hash = place == PLACE_ROOT_LABELS && slice_eqs(m.v[i].key, "pod-template-hash");
        /* How a ControllerRevision says that the template replaces the set's. */
        bool directive = place == PLACE_ROOT && slice_eqs(m.v[i].key, "$patch");
        if (again || hash || directive) {
            free(m.v[i].owned);
        } else {
            m.v[kept++] = m.v[i];
        }
    }
    m.n = kept;
    *ret = m;
}

static void members_free(struct members *m) {
    for (size_t i = 0; i < m->n; i++) free(m->v[i].owned);
    free(m->v);
    *m = (struct members){0};
}

static void amount(struct buf *out, quantity_amount v) {
    char digits[48];
    size_t at = sizeof digits;
    bool neg = v < 0;
    do {
        int d = (int)(v % 10);
        digits[--at] = (char)('0' + (d < 0 ? -d : d));
        v /= 10;
    } while (v);
    if (neg) digits[--at] = '-';
    buf_add(out, slice_make(digits + at, sizeof digits - at));
}

/* A quantity is written as a string or, in whole numbers, as a number: 1 = "1" = "1000m". What has no exact
 * amount is compared as text. */
static void quantity(struct buf *out, struct slice text) {
    quantity_amount v;
    buf_addc(out, 'q');
    if (quantity_amount_of(text, &v) == 0) {
        amount(out, v);
    } else {
        buf_add_json(out, text);
    }
}

static void string(struct buf *out, struct slice raw, enum place place) {
    if (!slice_has(raw, '\\') && place != PLACE_QUANTITY) {
        buf_add(out, raw); /* nothing in it needs an escape: already as buf_add_json() writes it */
        return;
    }
    cleanup_buf struct buf text = BUF(raw.n);
    (void)json_raw_unescape(raw, &text);
    if (place == PLACE_QUANTITY) {
        quantity(out, buf_slice(&text));
    } else {
        buf_add_json(out, buf_slice(&text));
    }
}

static void object(struct buf *out, struct slice value, enum place place) {
    struct members m;
    members_of(value, place, &m);
    buf_addc(out, '{');
    for (size_t i = 0; i < m.n; i++) member(out, m.v[i].key, m.v[i].value, place);
    buf_addc(out, '}');
    members_free(&m);
}

void canonical_value(struct buf *out, struct slice value, enum place place) {
    struct json_raw_it it;
    switch (json_raw_type(value)) {
    case JR_OBJECT: object(out, value, place); break;
    case JR_ARRAY:
        buf_addc(out, '[');
        it = json_raw_each(value);
        while (json_raw_next(&it)) {
            canonical_value(out, it.value, PLACE_PLAIN);
            buf_addc(out, ',');
        }
        buf_addc(out, ']');
        break;
    case JR_STRING: string(out, value, place); break;
    case JR_NUMBER:
        if (place == PLACE_QUANTITY) {
            quantity(out, value);
        } else {
            (void)json_raw_number_canonical(value, out);
        }
        break;
    default: buf_add(out, value); break;
    }
}

static void member(struct buf *out, struct slice key, struct slice value, enum place place) {
    if (json_raw_type(value) == JR_NULL) return;
    size_t before = out->n;
    buf_add_json(out, key);
    buf_addc(out, ':');
    size_t start = out->n;
    canonical_value(out, value, place_below(place, key));
    struct slice text = slice_make(out->p + start, out->n - start);
    if (!out->full && (slice_eqs(text, "[]") || (slice_eqs(text, "{}") && empty_is_absent(key)))) {
        out->n = before;
        out->p[before] = '\0';
    } else {
        buf_addc(out, ',');
    }
}
