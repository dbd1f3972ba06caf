/* Pod templates as raw JSON text: the same or not, a name for it, and labels put into it. */
#include "api/template.h"
#include "base/hash.h"
#include "template_canonical.h"
#include <errno.h>

static int check(struct slice t, struct slice *ret, struct err *err) {
    if (t.n > TEMPLATE_MAX) {
        return err_set(err, ERR_PROTOCOL, -EINVAL, "pod template of %zu bytes: at most %d", t.n,
                       TEMPLATE_MAX);
    }
    if (json_raw_check(t, err) < 0) {
        err_wrap(err, "pod template");
        return -EINVAL;
    }
    while (t.p[0] == ' ' || t.p[0] == '\t' || t.p[0] == '\n' || t.p[0] == '\r')
        t = slice_make(t.p + 1, t.n - 1);
    if (json_raw_type(t) != JR_OBJECT)
        return err_set(err, ERR_PROTOCOL, -EINVAL, "pod template: no JSON object");
    *ret = t;
    return 0;
}

/* A number grows most: 1E is 28 digits of 1e-9. */
static struct buf canonical_buf(size_t n) {
    return BUF(n * 32 + 64);
}

int template_hash(struct slice t, char ret[11], struct err *err) {
    int r = check(t, &t, err);
    if (r < 0) return r;
    cleanup_buf struct buf text = canonical_buf(t.n);
    canonical_value(&text, t, PLACE_ROOT);
    if (text.full) return err_set(err, ERR_PROTOCOL, -ENOBUFS, "pod template: canonical form too large");
    hash_name(buf_slice(&text), ret);
    return 0;
}

/* ---- labels ---- */

struct pairs {
    const char *const *v; /* key, value, key, value, ... */
    size_t n;
};

/* Is the raw key one of the pairs' keys, and which? */
static bool pair_of(struct pairs p, struct slice raw_key, size_t *ret) {
    for (size_t i = 0; i < p.n; i++) {
        if (!json_raw_string_is(raw_key, slice_of(p.v[2 * i]))) continue;
        *ret = i;
        return true;
    }
    return false;
}

static void add_pair(struct buf *out, struct pairs p, size_t i) {
    buf_add_json(out, slice_of(p.v[2 * i]));
    buf_addc(out, ':');
    buf_add_json(out, slice_of(p.v[2 * i + 1]));
}

static bool is_empty(struct slice container) {
    struct json_raw_it it = json_raw_each(container);
    return !json_raw_next(&it);
}

/* The labels object with the pairs in it: new ones first, then the old text with changed values. */
static void merge_labels(struct buf *out, struct slice labels, struct pairs p) {
    bool first = true;
    buf_addc(out, '{');
    for (size_t i = 0; i < p.n; i++) {
        struct slice old;
        if (json_raw_get(labels, slice_of(p.v[2 * i]), &old)) continue;
        if (!first) buf_addc(out, ',');
        add_pair(out, p, i);
        first = false;
    }
    if (!first && !is_empty(labels)) buf_addc(out, ',');
    const char *done = labels.p + 1;
    struct json_raw_it it = json_raw_each(labels);
    while (json_raw_next(&it)) {
        size_t i;
        if (!pair_of(p, it.key, &i)) continue;
        buf_add(out, slice_make(done, (size_t)(it.value.p - done)));
        buf_add_json(out, slice_of(p.v[2 * i + 1]));
        done = it.value.p + it.value.n;
    }
    buf_add(out, slice_make(done, (size_t)(labels.p + labels.n - done)));
}

static void new_labels(struct buf *out, struct pairs p) {
    buf_addc(out, '{');
    for (size_t i = 0; i < p.n; i++) {
        if (i) buf_addc(out, ',');
        add_pair(out, p, i);
    }
    buf_addc(out, '}');
}

/* Finds obj's member name as an object. 1: found; 0: absent or null, *ret is the null or empty; -EINVAL:
 * something else. */
static int object_member(struct slice obj, const char *name, struct slice *ret, struct err *err) {
    *ret = (struct slice){0};
    if (!json_raw_get(obj, slice_of(name), ret) || json_raw_type(*ret) == JR_NULL) return 0;
    if (json_raw_type(*ret) == JR_OBJECT) return 1;
    return err_set(err, ERR_PROTOCOL, -EINVAL, "pod template: %s is no object", name);
}

/* Everything before old, the middle, everything behind old. */
static void around(struct buf *out, struct slice t, struct slice old, struct slice middle) {
    buf_add(out, slice_make(t.p, (size_t)(old.p - t.p)));
    buf_add(out, middle);
    buf_add(out, slice_make(old.p + old.n, (size_t)(t.p + t.n - old.p) - old.n));
}

int template_with_labels(struct slice t, const char *const *pairs, size_t npairs, struct buf *out,
                         struct err *err) {
    struct pairs p = {pairs, npairs};
    struct slice root, md, labels = {0};
    int r = check(t, &root, err);
    if (r < 0) return r;
    int have_md = object_member(root, "metadata", &md, err);
    int have_labels = have_md > 0 ? object_member(md, "labels", &labels, err) : 0;
    if (have_md < 0 || have_labels < 0) return -EINVAL;

    cleanup_buf struct buf middle = BUF(out->max);
    struct slice old = have_md > 0 ? labels : md; /* what the middle replaces */
    bool insert = !old.p; /* no such member yet: a new one right behind the brace of its object */
    struct slice parent = have_md > 0 ? md : root;
    if (insert) {
        old = slice_make(parent.p + 1, 0);
        buf_adds(&middle, have_md > 0 ? "\"labels\":" : "\"metadata\":");
    }
    if (have_md <= 0) buf_adds(&middle, "{\"labels\":");
    if (have_labels > 0) {
        merge_labels(&middle, labels, p);
    } else {
        new_labels(&middle, p);
    }
    if (have_md <= 0) buf_addc(&middle, '}');
    if (insert && !is_empty(parent)) buf_addc(&middle, ',');

    size_t before = out->n;
    if (middle.full) out->full = true;
    around(out, t, old, buf_slice(&middle));
    if (!out->full) return 0;
    out->n = before;
    if (out->p) out->p[before] = '\0';
    return err_set(err, ERR_PROTOCOL, -ENOBUFS, "pod template: more than %zu bytes with its labels",
                   out->max);
}

int template_without_pod_hash(struct slice t, struct buf *out, struct err *err) {
    struct slice root, md, labels;
    int r = check(t, &root, err);
    if (r < 0) return r;
    if (object_member(root, "metadata", &md, NULL) <= 0 || object_member(md, "labels", &labels, NULL) <= 0) {
        buf_add(out, t);
        return 0;
    }
    cleanup_buf struct buf kept = BUF(t.n);
    bool first = true;
    buf_addc(&kept, '{');
    struct json_raw_it it = json_raw_each(labels);
    while (json_raw_next(&it)) {
        if (json_raw_string_is(it.key, SL("pod-template-hash"))) continue;
        if (!first) buf_addc(&kept, ',');
        first = false;
        buf_add(&kept, it.key);
        buf_addc(&kept, ':');
        buf_add(&kept, it.value);
    }
    buf_addc(&kept, '}');
    around(out, t, labels, buf_slice(&kept));
    return 0;
}

/* Annotation keys have a slash in them, so no path leads to one. */
static bool annotation(struct slice t, struct slice key, struct slice *ret) {
    struct slice annotations;
    return json_raw_at(t, "metadata/annotations", &annotations) && json_raw_get(annotations, key, ret);
}

bool template_main_container(struct slice t, struct slice *ret) {
    struct slice containers, wanted, name;
    cleanup_buf struct buf text = BUF(256);
    if (!json_raw_at(t, "spec/containers", &containers) || json_raw_type(containers) != JR_ARRAY)
        return false;
    bool named = annotation(t, SL("kubectl.kubernetes.io/default-container"), &wanted) &&
                 json_raw_type(wanted) == JR_STRING && json_raw_unescape(wanted, &text) == 0;
    struct json_raw_it it = json_raw_each(containers);
    if (!json_raw_next(&it)) return false;
    *ret = it.value;
    for (bool more = named; more; more = json_raw_next(&it)) {
        if (!json_raw_get(it.value, SL("name"), &name) || !json_raw_string_is(name, buf_slice(&text)))
            continue;
        *ret = it.value;
        break;
    }
    return true;
}

int template_image(struct slice t, struct buf *out) {
    struct slice container, image;
    int r = check(t, &t, NULL);
    if (r < 0) return r;
    if (!template_main_container(t, &container) || !json_raw_get(container, SL("image"), &image)) return 0;
    return json_raw_type(image) == JR_STRING ? json_raw_unescape(image, out) : 0;
}
