/* The label selector in a template's text; see track_selector.h. */
#include "observe/track_selector.h"
#include "base/json_raw.h"

struct scan {
    const char *p, *end;
};

static bool word(struct scan *s, const char *text) {
    size_t n = strlen(text);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0) return false;
    s->p += n;
    return true;
}

static bool blanks(struct scan *s) {
    const char *from = s->p;
    while (s->p < s->end && *s->p == ' ') s->p++;
    return s->p > from;
}

static bool in_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("._-/", c);
}

/* One of the two values, each of them once. */
static bool value(struct scan *s, bool seen[2]) {
    static const char *const names[] = {"canary", "moving"};
    blanks(s);
    for (int i = 0; i < 2; i++) {
        struct scan at = *s;
        if (seen[i] || !word(&at, names[i]) || (at.p < at.end && in_name(*at.p))) continue;
        seen[i] = true;
        *s = at;
        return true;
    }
    return false;
}

static bool separator(struct scan *s, const char *text) {
    blanks(s);
    return word(s, text);
}

/* notin (canary,moving) */
static bool set_form(struct scan *s) {
    bool seen[2] = {false};
    return blanks(s) && word(s, "notin") && separator(s, "(") && value(s, seen) && separator(s, ",") &&
           value(s, seen) && separator(s, ")");
}

/* !=canary,handover.dev/track!=moving */
static bool equality_form(struct scan *s) {
    bool seen[2] = {false};
    if (!separator(s, "!=") || !value(s, seen) || !separator(s, ",")) return false;
    blanks(s);
    return word(s, "handover.dev/track") && separator(s, "!=") && value(s, seen);
}

static bool find(struct slice text, struct slice *ret) {
    struct scan s = {text.p, text.p + text.n};
    for (; s.p < s.end; s.p++) {
        struct scan at = s, other;
        if ((s.p > text.p && in_name(s.p[-1])) || !word(&at, "handover.dev/track")) continue;
        other = at;
        if (!set_form(&at)) at = other;
        if (at.p == other.p && !equality_form(&at)) continue;
        *ret = slice_make(s.p, (size_t)(at.p - s.p));
        return true;
    }
    return false;
}

struct rewriting {
    struct buf *out;
    const char *from; /* what is before it has been copied */
    size_t n;
};

static void in_string(struct rewriting *w, struct slice raw) {
    struct slice hit;
    if (json_raw_type(raw) != JR_STRING) return;
    while (find(raw, &hit)) {
        if (w->out) buf_add(w->out, slice_make(w->from, (size_t)(hit.p - w->from)));
        if (w->out) buf_adds(w->out, TRACK_SELECTOR_CANARY);
        w->n++;
        w->from = hit.p + hit.n;
        raw = slice_make(w->from, (size_t)(raw.p + raw.n - w->from));
    }
}

static void in_list(struct rewriting *w, struct slice list) {
    struct json_raw_it it = json_raw_each(list);
    while (json_raw_type(list) == JR_ARRAY && json_raw_next(&it)) in_string(w, it.value);
}

static void in_env(struct rewriting *w, struct slice list) {
    struct json_raw_it it = json_raw_each(list);
    while (json_raw_type(list) == JR_ARRAY && json_raw_next(&it)) {
        struct json_raw_it member = json_raw_each(it.value);
        while (member.object && json_raw_next(&member))
            if (json_raw_string_is(member.key, SL("value"))) in_string(w, member.value);
    }
}

static void in_container(struct rewriting *w, struct slice container) {
    struct json_raw_it it = json_raw_each(container);
    while (it.object && json_raw_next(&it)) {
        if (json_raw_string_is(it.key, SL("args")) || json_raw_string_is(it.key, SL("command")))
            in_list(w, it.value);
        if (json_raw_string_is(it.key, SL("env"))) in_env(w, it.value);
    }
}

size_t track_selector_replace(struct slice tmpl, struct buf *out) {
    struct rewriting w = {out, tmpl.p, 0};
    struct slice spec;
    if (json_raw_get(tmpl, SL("spec"), &spec)) {
        struct json_raw_it it = json_raw_each(spec);
        while (it.object && json_raw_next(&it)) {
            if (!json_raw_string_is(it.key, SL("containers")) &&
                !json_raw_string_is(it.key, SL("initContainers")))
                continue;
            struct json_raw_it c = json_raw_each(it.value);
            while (json_raw_type(it.value) == JR_ARRAY && json_raw_next(&c)) in_container(&w, c.value);
        }
    }
    if (out) buf_add(out, slice_make(w.from, (size_t)(tmpl.p + tmpl.n - w.from)));
    return w.n;
}
