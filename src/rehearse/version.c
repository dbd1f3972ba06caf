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

/* The first member of that name: objects come from the API server, which gives none twice. */
static bool member(struct slice obj, const char *quoted, struct slice *ret) {
    struct json_raw_it it = json_raw_each(obj);
    while (it.object && json_raw_next(&it)) {
        if (!slice_eqs(it.key, quoted)) continue;
        *ret = it.value;
        return true;
    }
    return false;
}

/* The value with its quotes. */
static bool find_value(struct slice raw, struct slice *ret) {
    struct slice meta;
    return member(raw, "\"metadata\"", &meta) && member(meta, "\"resourceVersion\"", ret);
}

bool version_find(struct slice raw, struct slice *ret) {
    struct slice v;
    if (!find_value(raw, &v) || v.n < 2 || v.p[0] != '"' || v.p[v.n - 1] != '"') return false;
    *ret = slice_make(v.p + 1, v.n - 2);
    return true;
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
    struct slice meta, value, own = {0};
    if (!json_raw_each(raw).object) return -EINVAL;
    version_find(raw, &own);
    if (!live.n) live = own;
    if (!live.n) return buf_add(out, raw);
    if (!member(raw, "\"metadata\"", &meta)) return insert(out, raw, raw, true, live, change);
    bool object = json_raw_type(meta) == JR_OBJECT; /* else null, say: an object takes its place */
    if (object && !member(meta, "\"resourceVersion\"", &value))
        return insert(out, raw, meta, false, live, change);
    if (!object) value = meta;
    buf_add(out, until(raw, value.p));
    int r = add_value(out, object ? "\"" : "{\"resourceVersion\":\"", live, change);
    if (!object) buf_addc(out, '}');
    int e = buf_add(out, from(raw, value.p + value.n));
    return r < 0 ? r : e;
}
