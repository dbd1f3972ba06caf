/* From protobuf to JSON trees, by the schema's lines. Fields that are not in the schema are passed over. */
#include "api/proto.h"
#include "api/rfc3339.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/time.h"
#include <errno.h>

enum { MAX_DEPTH = 40 };

/* One line of the schema. */
struct rule {
    bool zero_too; /* a zero counts */
    char *name;    /* in JSON */
    struct slice type;
    char list; /* '*', '%', '&' or 0 */
};

static bool rule_find(const struct proto_message *m, uint32_t number, struct rule *ret) {
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

struct walk {
    proto_find *find;
    int depth;
};

static struct walk below(struct walk w) {
    w.depth++;
    return w;
}

static int message(const struct proto_message *m, struct slice in, struct walk w, cJSON *obj);

static cJSON *member_of(cJSON *obj, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(obj, key);
}

static void set(cJSON *obj, const char *key, cJSON *value) {
    cJSON_DeleteItemFromObjectCaseSensitive(obj, key);
    if (!cJSON_AddItemToObject(obj, key, value)) abort();
}

static cJSON *child(cJSON *obj, const char *key) {
    cJSON *c = member_of(obj, key);
    if (c) return c;
    c = cJSON_CreateObject();
    if (!c) abort();
    set(obj, key, c);
    return c;
}

static int text(struct slice s, cJSON **ret) {
    if (!slice_is_text(s) || slice_has(s, '\0')) return -EINVAL; /* a string of C cannot hold a NUL */
    cleanup_free char *t = slice_dup(s);
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
    struct proto_field f;
    int64_t seconds = 0, nanos = 0;
    if (!in.n) return 0;
    while (in.n) {
        if (!proto_next(&in, &f)) return -EINVAL;
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
    struct proto_field f;
    struct slice last = {0};
    while (in.n) {
        if (!proto_next(&in, &f)) return -EINVAL;
        if (f.number == 1 && f.wire == PROTO_BYTES && f.bytes.n) last = f.bytes;
    }
    return last.n ? text(last, ret) : 0;
}

static int int_or_string(struct slice in, cJSON **ret) {
    struct proto_field f;
    int64_t type = 0, number = 0;
    struct slice str = {0};
    while (in.n) {
        if (!proto_next(&in, &f)) return -EINVAL;
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

/* A message, into obj: what is there already stays, as protobuf merges them. */
static int part(const struct rule *r, const struct proto_field *f, struct walk w, cJSON *obj) {
    const struct proto_message *m = w.find(r->type);
    return m && f->wire == PROTO_BYTES ? message(m, f->bytes, below(w), obj) : -EINVAL;
}

/* A single value, to be freed in any case; *ret stays NULL where it is as good as absent. keep: zeros count. */
static int value(const struct rule *r, const struct proto_field *f, bool keep, struct walk w, cJSON **ret) {
    bool number = is(r, 'i') || is(r, 'b');
    if (f->wire != (number ? PROTO_VARINT : PROTO_BYTES)) return -EINVAL;
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
        *ret = cJSON_CreateObject();
        return part(r, f, w, *ret);
    }
    return 0;
}

/* An entry of a map: 1 key, 2 value. */
static int map_entry(const struct rule *r, struct slice in, struct walk w, cJSON *obj) {
    struct proto_field f;
    struct slice key = {0};
    cleanup_json cJSON *v = NULL;
    while (in.n) {
        if (!proto_next(&in, &f)) return -EINVAL;
        if (f.number == 1 && f.wire == PROTO_BYTES) key = f.bytes;
        if (f.number != 2) continue;
        cJSON_Delete(v);
        v = NULL;
        int e = value(r, &f, true, w, &v);
        if (e < 0) return e;
    }
    if (!slice_is_text(key) || slice_has(key, '\0')) return -EINVAL;
    cleanup_free char *k = slice_dup(key);
    if (!v) v = cJSON_CreateString("");
    set(child(obj, r->name), k, v);
    v = NULL;
    return 0;
}

static int list_item(const struct rule *r, const struct proto_field *f, struct walk w, cJSON *obj) {
    cJSON *list = member_of(obj, r->name);
    cleanup_json cJSON *v = NULL;
    int e = value(r, f, true, w, &v);
    if (e < 0) return e;
    if (!list) {
        list = cJSON_CreateArray();
        set(obj, r->name, list);
    }
    if (v) cJSON_AddItemToArray(list, v);
    v = NULL;
    return 0;
}

static int member(const struct rule *r, const struct proto_field *f, struct walk w, cJSON *obj) {
    if (r->list == '%') return f->wire == PROTO_BYTES ? map_entry(r, f->bytes, w, obj) : -EINVAL;
    if (r->list == '*') return list_item(r, f, w, obj);
    if (r->list == '&') return part(r, f, w, obj);
    if (r->type.n > 1) return part(r, f, w, child(obj, r->name));
    cleanup_json cJSON *v = NULL;
    int e = value(r, f, r->zero_too, w, &v);
    if (e < 0) return e;
    cJSON_DeleteItemFromObjectCaseSensitive(obj, r->name);
    if (v) set(obj, r->name, v);
    v = NULL;
    return 0;
}

static int message(const struct proto_message *m, struct slice in, struct walk w, cJSON *obj) {
    if (w.depth > MAX_DEPTH) return -EINVAL;
    while (in.n) {
        struct proto_field f;
        struct rule r = {0};
        if (!proto_next(&in, &f)) return -EINVAL;
        if (!rule_find(m, f.number, &r)) continue;
        int e = member(&r, &f, w, obj);
        free(r.name);
        if (e < 0) return e;
    }
    return 0;
}

int proto_to_json(proto_find *find, struct slice api_version, struct slice kind, struct slice raw,
                  cJSON *obj) {
    struct slice group, version;
    const struct proto_message *m = NULL;
    if (slice_cut(api_version, '/', &group, &version)) {
        cleanup_free char *name = xasprintf("%.*s/%.*s", SLF(group), SLF(kind));
        m = find(slice_of(name));
    }
    if (!m) m = find(kind);
    return m ? message(m, raw, (struct walk){.find = find}, obj) : -ENOTSUP;
}
