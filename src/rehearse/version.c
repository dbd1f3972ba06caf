/* resourceVersions with room for the overlay's changes behind them. */
#include "rehearse/version.h"
#include "base/json_raw.h"
#include <errno.h>

static bool any(struct slice v) {
    return !v.n || slice_eqs(v, "0");
}

int version_out(struct buf *out, struct slice live, unsigned change) {
    if (any(live)) return buf_add(out, live);
    if (change > VERSION_CHANGES) return -ERANGE;
    buf_add(out, live);
    return buf_addf(out, "%0*u", VERSION_DIGITS, change);
}

int version_in(struct slice v, struct slice *ret_live, unsigned *ret_change) {
    if (any(v)) {
        *ret_live = v;
        *ret_change = 0;
        return 0;
    }
    if (v.n <= VERSION_DIGITS || v.p[0] == '0') return -EINVAL;
    struct slice live = slice_make(v.p, v.n - VERSION_DIGITS);
    unsigned change = 0;
    for (size_t i = 0; i < live.n; i++) { /* digits, but for API servers of others */
        if (live.p[i] <= 0x20 || live.p[i] >= 0x7f || live.p[i] == '"' || live.p[i] == '\\') return -EINVAL;
    }
    for (size_t i = live.n; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9') return -EINVAL;
        change = change * 10 + (unsigned)(v.p[i] - '0');
    }
    *ret_live = live;
    *ret_change = change;
    return 0;
}

int version_precondition(struct slice v, struct slice *ret_live, unsigned *ret_change) {
    struct slice rest = v;
    if (version_in(v, ret_live, ret_change) == 0) return 0;
    slice_digits(&rest);
    if (!v.n || v.p[0] == '0' || rest.n) return -EINVAL;
    *ret_live = v;
    *ret_change = 0;
    return 0;
}

/* Where an object has its version. Of each name the first: objects come from the API server, which gives none twice. */
struct place {
    struct slice meta;  /* from its first byte on; p NULL: there is no such member */
    struct slice value; /* of the version, with its quotes; p NULL: there is none */
    bool object;        /* is meta an object? */
};

static struct place find(struct slice raw) {
    struct place at = {.object = false};
    struct json_raw_it it = json_raw_each(raw);
    while (it.object && !at.meta.p && json_raw_key(&it)) {
        if (slice_eqs(it.key, "\"metadata\"")) at.meta = it.value;
    }
    at.object = json_raw_type(at.meta) == JR_OBJECT;
    it = json_raw_each(at.meta);
    while (at.object && !at.value.p && json_raw_next(&it)) {
        if (slice_eqs(it.key, "\"resourceVersion\"")) at.value = it.value;
    }
    return at;
}

static bool text_of(const struct place *at, struct slice *ret) {
    struct slice v = at->value;
    if (v.n < 2 || v.p[0] != '"' || v.p[v.n - 1] != '"') return false;
    *ret = slice_make(v.p + 1, v.n - 2);
    return true;
}

bool version_find(struct slice raw, struct slice *ret) {
    struct place at = find(raw);
    return text_of(&at, ret);
}

/* The whole value of a metadata that is no object. */
static struct slice measured(struct slice raw) {
    struct json_raw_it it = json_raw_each(raw);
    while (json_raw_next(&it)) {
        if (slice_eqs(it.key, "\"metadata\"")) break;
    }
    return it.value;
}

static struct slice until(struct slice whole, const char *p) {
    return slice_make(whole.p, (size_t)(p - whole.p));
}

static struct slice from(struct slice whole, const char *p) {
    return slice_make(p, whole.n - (size_t)(p - whole.p));
}

static int add_value(struct buf *out, const char *before, struct slice live, unsigned change) {
    buf_adds(out, before);
    int r = version_out(out, live, change);
    int e = buf_addc(out, '"');
    return r < 0 ? r : e;
}

/* Behind the bracket that opens obj, which lies in raw. */
static int insert(struct buf *out, struct slice raw, struct slice obj, bool metadata, struct slice live,
                  unsigned change) {
    struct json_raw_it it = json_raw_each(obj);
    const char *at = it.p;
    buf_add(out, until(raw, at));
    if (metadata) buf_adds(out, "\"metadata\":{");
    int r = add_value(out, "\"resourceVersion\":\"", live, change);
    if (metadata) buf_addc(out, '}');
    if (json_raw_next(&it)) buf_addc(out, ',');
    int e = buf_add(out, from(raw, at));
    return r < 0 ? r : e;
}

int version_rewrite(struct buf *out, struct slice raw, struct slice live, unsigned change) {
    struct place at = find(raw);
    struct slice own = {0};
    if (!json_raw_each(raw).object) return -EINVAL;
    text_of(&at, &own);
    if (!live.n) live = own;
    if (!live.n) return buf_add(out, raw);
    if (!at.meta.p) return insert(out, raw, raw, true, live, change);
    if (at.object && !at.value.p) return insert(out, raw, at.meta, false, live, change);
    struct slice value = at.object ? at.value : measured(raw); /* null, say: an object takes its place */
    buf_add(out, until(raw, value.p));
    int r = add_value(out, at.object ? "\"" : "{\"resourceVersion\":\"", live, change);
    if (!at.object) buf_addc(out, '}');
    int e = buf_add(out, from(raw, value.p + value.n));
    return r < 0 ? r : e;
}
