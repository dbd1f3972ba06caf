/* See object_peek.h. */
#include "object_peek.h"
#include "base/json_raw.h"

struct slice object_peek_string(struct slice string) {
    if (string.n < 2 || string.p[0] != '"') return (struct slice){0};
    struct slice text = slice_make(string.p + 1, string.n - 2);
    return slice_has(text, '\\') ? (struct slice){0} : text;
}

struct object_peek object_peek(struct slice text) {
    struct object_peek it = {0};
    struct slice md;
    if (!json_raw_get(text, SL("metadata"), &md)) return it;
    struct json_raw_it m = json_raw_each(md);
    while (m.object && json_raw_next(&m)) {
        struct slice key = object_peek_string(m.key);
        if (slice_eqs(key, "name")) {
            it.name = object_peek_string(m.value);
        } else if (slice_eqs(key, "namespace")) {
            it.ns = object_peek_string(m.value);
        } else if (slice_eqs(key, "resourceVersion")) {
            it.rv = object_peek_string(m.value);
        } else if (slice_eqs(key, "managedFields")) {
            it.managed = m.value;
        }
    }
    return it;
}

cJSON *object_peek_parse(struct slice text, const struct object_peek *it, struct buf *scratch,
                         struct err *err) {
    if (!it->managed.n) return json_parse(text, err);
    const char *behind = it->managed.p + it->managed.n;
    buf_clear(scratch);
    buf_add(scratch, slice_make(text.p, (size_t)(it->managed.p - text.p)));
    buf_adds(scratch, "null");
    buf_add(scratch, slice_make(behind, text.n - (size_t)(behind - text.p)));
    return scratch->full ? json_parse(text, err) : json_parse(buf_slice(scratch), err);
}
