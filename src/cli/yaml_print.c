/* JSON text as YAML; see yaml_print.h. */
#include "yaml_print.h"
#include "base/json_raw.h"
#include <ctype.h>
#include <strings.h>

static void add_value(struct slice v, unsigned depth, bool after_dash, struct buf *out);

/* Letters, digits and what is between them in names and images; not what YAML takes for a number, a truth or nothing. */
static bool is_plain(struct slice s) {
    static const char *const taken[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    if (!s.n || !isalpha((unsigned char)s.p[0]) || s.p[s.n - 1] == ':') return false;
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && !(s.p[i] && strchr("-._/@:", s.p[i]))) return false;
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        if (s.n == strlen(taken[i]) && strncasecmp(s.p, taken[i], s.n) == 0) return false;
    return true;
}

static void add_string(struct slice quoted, struct buf *out) {
    struct slice inner = slice_make(quoted.p + 1, quoted.n - 2);
    buf_add(out, is_plain(inner) ? inner : quoted); /* JSON's quoting is YAML's, too */
}

static void indent(unsigned depth, struct buf *out) {
    for (unsigned i = 0; i < depth; i++) buf_adds(out, "  ");
}

static bool is_empty(struct slice v) {
    struct json_raw_it it = json_raw_each(v);
    return !json_raw_next(&it);
}

static void add_object(struct slice v, unsigned depth, bool after_dash, struct buf *out) {
    struct json_raw_it it = json_raw_each(v);
    for (bool first = true; json_raw_next(&it); first = false) {
        enum json_raw_type type = json_raw_type(it.value);
        bool block = (type == JR_OBJECT || type == JR_ARRAY) && !is_empty(it.value);
        if (!first || !after_dash) indent(depth, out);
        add_string(it.key, out);
        buf_adds(out, block ? ":\n" : ": ");
        add_value(it.value, type == JR_ARRAY ? depth : depth + 1, false, out);
        if (!block) buf_addc(out, '\n');
    }
}

static void add_array(struct slice v, unsigned depth, struct buf *out) {
    struct json_raw_it it = json_raw_each(v);
    while (json_raw_next(&it)) {
        enum json_raw_type type = json_raw_type(it.value);
        bool block = (type == JR_OBJECT || type == JR_ARRAY) && !is_empty(it.value);
        indent(depth, out);
        buf_adds(out, type == JR_ARRAY && block ? "-\n" : "- ");
        add_value(it.value, depth + 1, true, out);
        if (!block) buf_addc(out, '\n');
    }
}

static void add_value(struct slice v, unsigned depth, bool after_dash, struct buf *out) {
    enum json_raw_type type = json_raw_type(v);
    if ((type == JR_OBJECT || type == JR_ARRAY) && is_empty(v))
        buf_adds(out, type == JR_OBJECT ? "{}" : "[]");
    else if (type == JR_OBJECT)
        add_object(v, depth, after_dash, out);
    else if (type == JR_ARRAY)
        add_array(v, depth, out);
    else if (type == JR_STRING)
        add_string(v, out);
    else
        buf_add(out, v);
}

void yaml_print(struct slice json, struct buf *out) {
    struct slice v = slice_trim(json);
    add_value(v, 0, false, out);
    if (json_raw_type(v) != JR_OBJECT && json_raw_type(v) != JR_ARRAY)
        buf_addc(out, '\n');
    else if (is_empty(v))
        buf_addc(out, '\n');
}
