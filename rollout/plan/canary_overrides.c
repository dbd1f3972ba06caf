/* canary-args and canary-env: a template's text with the operator's container's args and env changed, nothing
 * reprinted. */
#include "plan/canary.h"
#include "api/template.h"
#include "base/json_raw.h"

struct overrides {
    char *const *args, *const *env;
    struct slice container; /* of the template's text */
};

static void item(struct buf *out, bool *first, struct slice key, struct slice value) {
    if (!*first) buf_addc(out, ',');
    *first = false;
    if (key.n) {
        buf_add(out, key);
        buf_addc(out, ':');
    }
    buf_add(out, value);
}

/* "--x=1" and "--x=2" are the same flag; words without '=' are only the same as themselves. */
static bool same_flag(struct slice a, struct slice b) {
    struct slice x, y, rest;
    bool p = slice_cut(a, '=', &x, &rest), q = slice_cut(b, '=', &y, &rest);
    return p == q && slice_eq(x, y);
}

static bool overridden(struct slice raw, char *const *words) {
    cleanup_buf struct buf text = BUF(1 << 20);
    if (json_raw_type(raw) != JR_STRING || json_raw_unescape(raw, &text) < 0) return false;
    for (; words && *words; words++) {
        if (same_flag(buf_slice(&text), slice_of(*words))) return true;
    }
    return false;
}

/* What is not overridden stays, then come the overrides. */
static void write_args(struct buf *out, struct slice was, char *const *words) {
    bool first = true;
    buf_addc(out, '[');
    struct json_raw_it it = json_raw_each(was);
    while (json_raw_next(&it)) {
        if (!overridden(it.value, words)) item(out, &first, (struct slice){0}, it.value);
    }
    for (; *words; words++) {
        if (!first) buf_addc(out, ',');
        first = false;
        buf_add_json(out, slice_of(*words));
    }
    buf_addc(out, ']');
}

static bool env_overridden(struct slice element, char *const *env) {
    struct slice raw, name, rest;
    if (!json_raw_get(element, SL("name"), &raw)) return false;
    for (; *env; env++) {
        slice_cut(slice_of(*env), '=', &name, &rest);
        if (json_raw_string_is(raw, name)) return true;
    }
    return false;
}

static void write_env(struct buf *out, struct slice was, char *const *env) {
    bool first = true;
    buf_addc(out, '[');
    struct json_raw_it it = json_raw_each(was);
    while (json_raw_next(&it)) {
        if (!env_overridden(it.value, env)) item(out, &first, (struct slice){0}, it.value);
    }
    for (; *env; env++) {
        struct slice name, value;
        slice_cut(slice_of(*env), '=', &name, &value);
        buf_adds(out, first ? "{\"name\":" : ",{\"name\":");
        first = false;
        buf_add_json(out, name);
        buf_adds(out, ",\"value\":");
        buf_add_json(out, value);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}

static void write_container(struct buf *out, struct slice c, const struct overrides *o) {
    struct slice args = SL("[]"), env = SL("[]");
    bool first = true;
    json_raw_get(c, SL("args"), &args);
    json_raw_get(c, SL("env"), &env);
    buf_addc(out, '{');
    struct json_raw_it it = json_raw_each(c);
    while (json_raw_next(&it)) {
        bool ours = (o->args && json_raw_string_is(it.key, SL("args"))) ||
                    (o->env && json_raw_string_is(it.key, SL("env")));
        if (!ours) item(out, &first, it.key, it.value);
    }
    if (o->args) {
        buf_adds(out, first ? "\"args\":" : ",\"args\":");
        write_args(out, args, o->args);
        first = false;
    }
    if (o->env) {
        buf_adds(out, first ? "\"env\":" : ",\"env\":");
        write_env(out, env, o->env);
    }
    buf_addc(out, '}');
}

static void write_containers(struct buf *out, struct slice list, const struct overrides *o) {
    bool first = true;
    buf_addc(out, '[');
    struct json_raw_it it = json_raw_each(list);
    while (json_raw_next(&it)) {
        bool change = it.value.p == o->container.p && json_raw_type(it.value) == JR_OBJECT;
        item(out, &first, (struct slice){0}, change ? (struct slice){0} : it.value);
        if (change) write_container(out, it.value, o);
    }
    buf_addc(out, ']');
}

/* Copies an object; the member on the way down (path[0]) is rewritten instead. */
static void write_path(struct buf *out, struct slice obj, const char *const *path,
                       const struct overrides *o) {
    bool first = true;
    buf_addc(out, '{');
    struct json_raw_it it = json_raw_each(obj);
    while (json_raw_next(&it)) {
        bool down = json_raw_string_is(it.key, slice_of(*path));
        item(out, &first, it.key, down ? (struct slice){0} : it.value);
        if (down && path[1])
            write_path(out, it.value, path + 1, o);
        else if (down)
            write_containers(out, it.value, o);
    }
    buf_addc(out, '}');
}

void template_with_overrides(struct slice tmpl, char *const *args, char *const *env, struct buf *out) {
    static const char *const path[] = {"spec", "containers", NULL};
    struct overrides o = {args, env, {0}};
    if ((args || env) && template_main_container(tmpl, &o.container))
        write_path(out, tmpl, path, &o);
    else
        buf_add(out, tmpl);
}
