/* Two templates, field by field; see template_diff.h. */
#include "template_diff.h"
#include "base/json_raw.h"
#include <stdio.h>

enum { DEPTH = 32, NAME = 64, PATH = 400, WORK = 16 << 20 /* bytes that look-ups may read */ };

struct walk {
    struct template_diff *d;
    struct buf path;
    size_t work; /* left; without any, values are compared as texts */
};

static char *shown(struct slice value) {
    if (!value.n) return NULL;
    struct buf b = BUF(TEMPLATE_DIFF_VALUE + 1);
    if (value.n > TEMPLATE_DIFF_VALUE) {
        cleanup_free char *begin = slice_dup_text(value, TEMPLATE_DIFF_VALUE - 3);
        buf_addf(&b, "%s...", begin);
    } else {
        buf_add(&b, value);
    }
    return buf_take(&b);
}

static void add(struct walk *w, struct slice from, struct slice to) {
    struct template_diff *d = w->d;
    if (d->n == TEMPLATE_DIFF_MAX) {
        d->more++;
        return;
    }
    d->change[d->n++] = (struct template_change){xstrdup(buf_str(&w->path)), shown(from), shown(to)};
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

/* key: raw, with its quotes */
static void add_key(struct walk *w, struct slice key) {
    struct slice word = key.n > 2 ? slice_make(key.p + 1, key.n - 2) : (struct slice){0};
    if (!plain(word)) {
        buf_addc(&w->path, '[');
        buf_add(&w->path, key);
        buf_addc(&w->path, ']');
        return;
    }
    if (w->path.n) buf_addc(&w->path, '.');
    buf_add(&w->path, word);
}

static void cut(struct walk *w, size_t n) {
    w->path.n = n;
    w->path.full = false;
    if (w->path.p) w->path.p[n] = '\0';
}

/* null is absent, as the API server has it. */
static struct slice present(struct slice v) {
    return v.n && json_raw_type(v) == JR_NULL ? (struct slice){0} : v;
}

static struct slice member(struct walk *w, struct slice obj, struct slice raw_key) {
    struct slice v = {0};
    cleanup_buf struct buf key = BUF(1 << 20);
    w->work -= obj.n < w->work ? obj.n : w->work;
    if (json_raw_unescape(raw_key, &key) == 0) json_raw_get(obj, buf_slice(&key), &v);
    return present(v);
}

static bool uncounted(const struct walk *w, struct slice raw_key) {
    return slice_eqs(raw_key, "\"pod-template-hash\"") && strcmp(buf_str(&w->path), "metadata.labels") == 0;
}

static void compare(struct walk *w, struct slice from, struct slice to, int depth);

static void objects(struct walk *w, struct slice from, struct slice to, int depth) {
    size_t n = w->path.n;
    struct json_raw_it it = json_raw_each(from);
    while (json_raw_next(&it)) {
        if (uncounted(w, it.key)) continue;
        struct slice other = member(w, to, it.key);
        add_key(w, it.key);
        compare(w, present(it.value), other, depth + 1);
        cut(w, n);
    }
    it = json_raw_each(to);
    while (json_raw_next(&it)) {
        if (uncounted(w, it.key) || member(w, from, it.key).n) continue;
        add_key(w, it.key);
        compare(w, (struct slice){0}, present(it.value), depth + 1);
        cut(w, n);
    }
}

/* An element's raw name, without its quotes; empty: it has none. */
static struct slice name_of(struct walk *w, struct slice element) {
    struct slice v = {0};
    w->work -= element.n < w->work ? element.n : w->work;
    if (json_raw_type(element) != JR_OBJECT || !json_raw_get(element, SL("name"), &v)) return v;
    if (json_raw_type(v) != JR_STRING || v.n < 3) return (struct slice){0};
    return slice_make(v.p + 1, v.n - 2);
}

static bool all_named(struct walk *w, struct slice list) {
    struct json_raw_it it = json_raw_each(list);
    while (json_raw_next(&it))
        if (!name_of(w, it.value).n) return false;
    return true;
}

static struct slice by_name(struct walk *w, struct slice list, struct slice name) {
    struct json_raw_it it = json_raw_each(list);
    while (w->work && json_raw_next(&it))
        if (slice_eq(name_of(w, it.value), name)) return it.value;
    return (struct slice){0};
}

static void at(struct walk *w, struct slice name, struct slice from, struct slice to, int depth) {
    size_t n = w->path.n;
    cleanup_free char *text = slice_dup_text(name, NAME);
    buf_addf(&w->path, "[%s]", text);
    compare(w, from, to, depth + 1);
    cut(w, n);
}

static void named_lists(struct walk *w, struct slice from, struct slice to, int depth) {
    struct json_raw_it it = json_raw_each(from);
    while (json_raw_next(&it)) {
        struct slice name = name_of(w, it.value);
        at(w, name, it.value, by_name(w, to, name), depth);
    }
    it = json_raw_each(to);
    while (json_raw_next(&it)) {
        struct slice name = name_of(w, it.value);
        if (!by_name(w, from, name).n) at(w, name, (struct slice){0}, it.value, depth);
    }
}

static void lists(struct walk *w, struct slice from, struct slice to, int depth) {
    struct json_raw_it a = json_raw_each(from), b = json_raw_each(to);
    if (all_named(w, from) && all_named(w, to)) {
        named_lists(w, from, to, depth);
        return;
    }
    for (size_t i = 0;; i++) {
        bool more_a = json_raw_next(&a), more_b = json_raw_next(&b);
        if (!more_a && !more_b) return;
        char place[24];
        (void)snprintf(place, sizeof place, "%zu", i);
        at(w, slice_of(place), more_a ? a.value : (struct slice){0}, more_b ? b.value : (struct slice){0},
           depth);
    }
}

static void compare(struct walk *w, struct slice from, struct slice to, int depth) {
    if (slice_eq(from, to)) return;
    enum json_raw_type a = from.n ? json_raw_type(from) : JR_INVALID,
                       b = to.n ? json_raw_type(to) : JR_INVALID;
    bool into = a == b && depth < DEPTH && w->work;
    if (into && a == JR_OBJECT)
        objects(w, from, to, depth);
    else if (into && a == JR_ARRAY)
        lists(w, from, to, depth);
    else if (a != JR_NUMBER || b != JR_NUMBER || !json_raw_number_eq(from, to))
        add(w, from, to);
}

void template_diff(struct slice from, struct slice to, struct template_diff *ret) {
    struct walk w = {.d = ret, .path = BUF(PATH), .work = WORK};
    *ret = (struct template_diff){.n = 0};
    compare(&w, from, to, 0);
    buf_free(&w.path);
}

void template_diff_free(struct template_diff *d) {
    for (size_t i = 0; i < d->n; i++) {
        free(d->change[i].path);
        free(d->change[i].from);
        free(d->change[i].to);
    }
    *d = (struct template_diff){.n = 0};
}
