/* From protobuf to JSON trees, by the schema's lines. Fields that are not in the schema are passed over. */
#include "rest/protobuf.h"
#include "api/rfc3339.h"
#include "base/hash.h"
#include "base/time.h"
#include <errno.h>

enum { MAX_DEPTH = 40 };
enum wire { W_VARINT = 0, W_64 = 1, W_BYTES = 2, W_32 = 5 };

struct field {
    uint32_t number;
    enum wire wire;
    uint64_t varint;
    struct slice bytes;
};

static bool read_varint(struct slice *s, uint64_t *ret) {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && s->n; shift += 7) {
        unsigned char c = (unsigned char)*s->p;
        *s = slice_make(s->p + 1, s->n - 1);
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c & 0x80) continue;
        *ret = v;
        return true;
    }
    return false;
}

static bool take(struct slice *s, uint64_t n, struct slice *ret) {
    if (n > s->n) return false;
    *ret = slice_make(s->p, (size_t)n);
    *s = slice_make(s->p + n, s->n - (size_t)n);
    return true;
}

static bool read_field(struct slice *s, struct field *f) {
    uint64_t tag = 0, n = 0;
    *f = (struct field){0};
    if (!read_varint(s, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX) return false;
    f->number = (uint32_t)(tag >> 3);
    f->wire = (enum wire)(tag & 7);
    switch (f->wire) {
    case W_VARINT: return read_varint(s, &f->varint);
    case W_64: return take(s, 8, &f->bytes);
    case W_32: return take(s, 4, &f->bytes);
    case W_BYTES: return read_varint(s, &n) && take(s, n, &f->bytes);
    default: return false;
    }
}

/* One line of the schema. */
struct rule {
    bool zero_too; /* a zero counts */
    char *name;    /* in JSON */
    struct slice type;
    char list; /* '*', '%', '&' or 0 */
};

static bool rule_find(const struct pb_message *m, uint32_t number, struct rule *ret) {
    struct slice rest = slice_of(m->fields), one, num, name, type;
    while (rest.n) {
        slice_cut(rest, '|', &one, &rest);
        slice_cut(one, ' ', &num, &one);
        slice_cut(one, ' ', &name, &type);
        bool zero = num.p[num.n - 1] == '!';
        int64_t n = 0;
        if (zero) num.n--;
        if (slice_i64(num, &n) < 0 || n != (int64_t)number) continue;
        *ret = (struct rule){.zero_too = zero, .name = slice_dup(name), .type = type};
        if (strchr("*%&", type.p[0])) {
            ret->list = type.p[0];
            ret->type = slice_make(type.p + 1, type.n - 1);
        }
        return true;
    }
    return false;
}

static int message(const struct pb_message *m, struct slice in, int depth, cJSON *obj);

static int text(struct slice s, cJSON **ret) {
    if (!slice_is_text(s)) return -EINVAL;
    cleanup_free char *t = slice_dup(s); /* to the first NUL: a string of C cannot hold one */
    *ret = cJSON_CreateString(t);
    if (!*ret) abort();
    return 0;
}

static cJSON *base64(struct slice s) {
    struct buf b = BUF((size_t)16 << 20);
    base64_encode(s, &b);
    cJSON *v = cJSON_CreateString(buf_str(&b));
    if (!v) abort();
    buf_free(&b);
    return v;
}

/* Time, MicroTime: 1 seconds, 2 nanoseconds. NULL for the zero time. */
static int instant(struct slice in, bool micro, cJSON **ret) {
    struct field f;
    int64_t seconds = 0, nanos = 0;
    if (!in.n) return 0;
    while (in.n) {
        if (!read_field(&in, &f)) return -EINVAL;
        if (f.number == 1) seconds = (int64_t)f.varint;
        if (f.number == 2) nanos = (int64_t)f.varint;
    }
    if (seconds < 0 || seconds > INT64_C(9000000000) || nanos < 0 || nanos >= NS_PER_S) return -EINVAL;
    char t[40];
    if (micro) {
        rfc3339_micro(seconds * NS_PER_S + nanos, t);
    } else {
        rfc3339_seconds(seconds * NS_PER_S, t);
    }
    *ret = cJSON_CreateString(t);
    return 0;
}

static int quantity(struct slice in, cJSON **ret) {
    struct field f;
    struct slice last = {0};
    while (in.n) {
        if (!read_field(&in, &f)) return -EINVAL;
        if (f.number == 1 && f.wire == W_BYTES && f.bytes.n) last = f.bytes;
    }
    return last.n ? text(last, ret) : 0;
}

static int int_or_string(struct slice in, cJSON **ret) {
    struct field f;
    int64_t type = 0, number = 0;
    struct slice str = {0};
    while (in.n) {
        if (!read_field(&in, &f)) return -EINVAL;
        if (f.number == 1) type = (int64_t)f.varint;
        if (f.number == 2) number = (int32_t)f.varint;
        if (f.number == 3) str = f.bytes;
    }
    if (type) return text(str, ret);
    *ret = cJSON_CreateNumber((double)number);
    return 0;
}

static bool is(const struct rule *r, char c) {
    return r->type.n == 1 && r->type.p[0] == c;
}

/* A single value; *ret stays NULL where it is as good as absent. keep: zeros count. */
static int value(const struct rule *r, const struct field *f, bool keep, int depth, cJSON **ret) {
    bool number = is(r, 'i') || is(r, 'b');
    if (f->wire != (number ? W_VARINT : W_BYTES)) return -EINVAL;
    if (is(r, 'i')) {
        if (f->varint || keep) *ret = cJSON_CreateNumber((double)(int64_t)f->varint);
    } else if (is(r, 'b')) {
        if (f->varint || keep) *ret = cJSON_CreateBool(f->varint != 0);
    } else if (is(r, 's')) {
        if (f->bytes.n || keep) return text(f->bytes, ret);
    } else if (is(r, 'y')) {
        if (f->bytes.n || keep) *ret = base64(f->bytes);
    } else if (is(r, 'T') || is(r, 'M')) {
        return instant(f->bytes, is(r, 'M'), ret);
    } else if (is(r, 'Q')) {
        return quantity(f->bytes, ret);
    } else if (is(r, 'I')) {
        return int_or_string(f->bytes, ret);
    } else {
        const struct pb_message *m = pb_message_find(r->type);
        if (!m) return -EINVAL;
        cJSON *below = cJSON_CreateObject();
        int e = message(m, f->bytes, depth + 1, below);
        if (e < 0) {
            cJSON_Delete(below);
            return e;
        }
        *ret = below;
    }
    return 0;
}

/* An entry of a map: 1 key, 2 value. */
static int map_entry(const struct rule *r, struct slice in, int depth, cJSON *obj) {
    struct field f;
    struct slice key = {0};
    cleanup_json cJSON *v = NULL;
    while (in.n) {
        if (!read_field(&in, &f)) return -EINVAL;
        if (f.number == 1 && f.wire == W_BYTES) key = f.bytes;
        if (f.number != 2) continue;
        cJSON_Delete(v);
        v = NULL;
        int e = value(r, &f, true, depth, &v);
        if (e < 0) return e;
    }
    if (!slice_is_text(key)) return -EINVAL;
    cleanup_free char *k = slice_dup(key);
    if (!v) v = cJSON_CreateString("");
    json_tree_set(json_tree_child(obj, r->name), k, v);
    v = NULL;
    return 0;
}

static int list_item(const struct rule *r, const struct field *f, int depth, cJSON *obj) {
    cJSON *list = json_tree_get(obj, r->name), *v = NULL;
    int e = value(r, f, true, depth, &v);
    if (e < 0) return e;
    if (!list) {
        list = cJSON_CreateArray();
        json_tree_set(obj, r->name, list);
    }
    if (v) cJSON_AddItemToArray(list, v);
    return 0;
}

static int member(const struct rule *r, const struct field *f, int depth, cJSON *obj) {
    if (r->list == '%') return f->wire == W_BYTES ? map_entry(r, f->bytes, depth, obj) : -EINVAL;
    if (r->list == '*') return list_item(r, f, depth, obj);
    if (r->list == '&') {
        const struct pb_message *m = pb_message_find(r->type);
        return m && f->wire == W_BYTES ? message(m, f->bytes, depth + 1, obj) : -EINVAL;
    }
    cJSON *v = NULL;
    int e = value(r, f, r->zero_too, depth, &v);
    if (e == 0 && v) json_tree_set(obj, r->name, v);
    return e;
}

static int message(const struct pb_message *m, struct slice in, int depth, cJSON *obj) {
    if (depth > MAX_DEPTH) return -EINVAL;
    while (in.n) {
        struct field f;
        struct rule r = {0};
        if (!read_field(&in, &f)) return -EINVAL;
        if (!rule_find(m, f.number, &r)) continue;
        int e = member(&r, &f, depth, obj);
        free(r.name);
        if (e < 0) return e;
    }
    return 0;
}

/* runtime.Unknown: 1 TypeMeta (1 apiVersion, 2 kind), 2 the object. */
static bool unwrap(struct slice in, struct slice *version, struct slice *kind, struct slice *raw) {
    struct field f;
    struct slice meta = {0};
    while (in.n) {
        if (!read_field(&in, &f)) return false;
        if (f.number == 1) meta = f.bytes;
        if (f.number == 2) *raw = f.bytes;
    }
    while (meta.n) {
        if (!read_field(&meta, &f)) return false;
        if (f.number == 1) *version = f.bytes;
        if (f.number == 2) *kind = f.bytes;
    }
    return true;
}

int pb_parse(struct slice body, cJSON **ret, struct api_status *f) {
    struct slice version = {0}, kind = {0}, raw = {0};
    if (!slice_starts(body, slice_make("k8s", 4)) ||
        !unwrap(slice_make(body.p + 4, body.n - 4), &version, &kind, &raw)) {
        return api_status_set(f, 400, "BadRequest", "the body is not Kubernetes' protobuf");
    }
    const struct pb_message *m = pb_message_find(kind);
    if (!m) {
        return api_status_set(
            f, 415, "UnsupportedMediaType",
            "%.*s is not understood as protobuf here - accepted media types include: application/json, "
            "application/yaml",
            SLF(kind));
    }
    cleanup_json cJSON *v = cJSON_CreateObject();
    cJSON *api = NULL;
    json_tree_set_str(v, "kind", m->name);
    int e = text(version, &api);
    if (e == 0) json_tree_set(v, "apiVersion", api);
    if (e == 0) e = message(m, raw, 0, v);
    if (e < 0) return api_status_set(f, 400, "BadRequest", "proto: %.*s: unexpected EOF", SLF(kind));
    *ret = v;
    v = NULL;
    return 0;
}
