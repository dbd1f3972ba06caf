/* Lease objects as text: fields out, fields and annotations in, every other byte as it was. */
#include "leader/lease_object.h"
#include "api/rfc3339.h"
#include "base/json_raw.h"
#include <errno.h>

/* ---- reading ---- */

/* A string member into a fixed field. Absent or null: "". */
static int read_text(struct slice obj, const char *key, char *ret, size_t size, struct err *err) {
    struct slice v;
    ret[0] = '\0';
    if (!json_raw_get(obj, slice_of(key), &v) || json_raw_type(v) == JR_NULL) return 0;
    struct buf b = BUF(size - 1);
    int r = json_raw_type(v) == JR_STRING ? json_raw_unescape(v, &b) : -EINVAL;
    if (r == 0 && slice_has(buf_slice(&b), '\0')) r = -EINVAL;
    if (r == 0) memcpy(ret, buf_str(&b), b.n + 1);
    buf_free(&b);
    return r == 0 ? 0
                  : err_set(err, ERR_PROTOCOL, -EINVAL, "lease: %s must be a string of at most %zu bytes",
                            key, size - 1);
}

/* A whole number from 0 to INT32_MAX, the API's type. */
static int read_count(struct slice spec, const char *key, int64_t *ret, struct err *err) {
    struct slice v;
    *ret = 0;
    if (!json_raw_get(spec, slice_of(key), &v) || json_raw_type(v) == JR_NULL) return 0;
    int64_t n;
    if (json_raw_type(v) != JR_NUMBER || slice_i64(v, &n) < 0 || n < 0 || n > INT32_MAX) {
        return err_set(err, ERR_PROTOCOL, -EINVAL, "lease: spec.%s is no count: %.*s", key, SLF(v));
    }
    *ret = n;
    return 0;
}

static int read_time(struct slice spec, const char *key, int64_t *ret_us, struct err *err) {
    char text[64];
    int64_t ns;
    int r = read_text(spec, key, text, sizeof(text), err);
    if (r < 0) return r;
    *ret_us = 0;
    if (!text[0]) return 0;
    if (rfc3339_parse(slice_of(text), &ns) < 0) {
        return err_set(err, ERR_PROTOCOL, -EINVAL, "lease: spec.%s is no time: %s", key, text);
    }
    *ret_us = ns / NS_PER_US;
    return 0;
}

static int member_object(struct slice doc, const char *key, struct slice *ret, struct err *err) {
    *ret = (struct slice){0};
    struct slice v;
    if (!json_raw_get(doc, slice_of(key), &v) || json_raw_type(v) == JR_NULL) return 0;
    if (json_raw_type(v) != JR_OBJECT)
        return err_set(err, ERR_PROTOCOL, -EINVAL, "lease: %s is no object", key);
    *ret = v;
    return 0;
}

/* Anybody's text, and no reason to stop electing. */
static void read_mark(struct slice raw, const char *key, char *ret, size_t size) {
    cleanup_buf struct buf b = BUF(size - 1);
    if (lease_annotation(raw, key, &b) && !slice_has(buf_slice(&b), '\0')) memcpy(ret, buf_str(&b), b.n + 1);
}

static void read_trial(struct slice raw, struct lease_rec *rec) {
    char time[64] = "";
    int64_t ns;
    read_mark(raw, LEASE_ANNOTATION_SUCCESSOR, rec->successor, sizeof rec->successor);
    read_mark(raw, LEASE_ANNOTATION_GUARDIAN, rec->guardian, sizeof rec->guardian);
    read_mark(raw, LEASE_ANNOTATION_TRIAL, time, sizeof time);
    if (rfc3339_parse(slice_of(time), &ns) == 0 && ns > 0) rec->trial_us = ns / NS_PER_US;
}

int lease_parse(struct slice raw, struct lease_rec *ret, struct err *err) {
    if (raw.n > LEASE_RAW_MAX)
        return err_set(err, ERR_PROTOCOL, -EFBIG, "lease: larger than %d bytes", LEASE_RAW_MAX);
    int r = json_raw_check(raw, err);
    if (r < 0) return err_wrap(err, "lease");
    struct slice md, spec, kind;
    if (json_raw_get(raw, SL("kind"), &kind) && !json_raw_string_is(kind, SL("Lease"))) {
        return err_set(err, ERR_PROTOCOL, -EINVAL, "this is no Lease but a %.*s", SLF(kind));
    }
    if ((r = member_object(raw, "metadata", &md, err)) < 0 ||
        (r = member_object(raw, "spec", &spec, err)) < 0)
        return r;
    if (!md.n) return err_set(err, ERR_PROTOCOL, -EINVAL, "lease: no metadata");
    struct lease_rec rec = {0};
    int64_t seconds = 0;
    if ((r = read_text(md, "uid", rec.uid, sizeof(rec.uid), err)) < 0 ||
        (r = read_text(md, "resourceVersion", rec.rv, sizeof(rec.rv), err)) < 0 ||
        (r = read_text(spec, "holderIdentity", rec.holder, sizeof(rec.holder), err)) < 0 ||
        (r = read_count(spec, "leaseDurationSeconds", &seconds, err)) < 0 ||
        (r = read_count(spec, "leaseTransitions", &rec.transitions, err)) < 0 ||
        (r = read_time(spec, "acquireTime", &rec.acquire_us, err)) < 0 ||
        (r = read_time(spec, "renewTime", &rec.renew_us, err)) < 0) {
        return r;
    }
    rec.duration_ns = seconds * NS_PER_S;
    read_trial(raw, &rec);
    *ret = rec;
    return 0;
}

bool lease_annotation(struct slice raw, const char *key, struct buf *out) {
    struct slice notes, v;
    if (!json_raw_at(raw, "metadata/annotations", &notes) || !json_raw_get(notes, slice_of(key), &v))
        return false;
    return json_raw_type(v) == JR_STRING && json_raw_unescape(v, out) == 0;
}

/* ---- writing ---- */

struct members {
    struct buf *out;
    bool any;
};

static void comma(struct members *m) {
    if (m->any) buf_addc(m->out, ',');
    m->any = true;
}

static void put_raw(struct members *m, struct slice key, struct slice value) {
    comma(m);
    buf_add(m->out, key);
    buf_addc(m->out, ':');
    buf_add(m->out, value);
}

static void put_text(struct members *m, const char *key, struct slice value) {
    comma(m);
    buf_addf(m->out, "\"%s\":", key);
    buf_add_json(m->out, value);
}

static void put_count(struct members *m, const char *key, int64_t value) {
    comma(m);
    buf_addf(m->out, "\"%s\":%lld", key, (long long)value);
}

static void put_time(struct members *m, const char *key, int64_t us) {
    char text[40];
    if (!us) return;
    rfc3339_micro(us * NS_PER_US, text);
    put_text(m, key, slice_of(text));
}

static bool is_one_of(struct slice raw_key, const char *const *keys) {
    for (; *keys; keys++) {
        if (json_raw_string_is(raw_key, slice_of(*keys))) return true;
    }
    return false;
}

/* The members of obj but for those named. */
static void put_others(struct members *m, struct slice obj, const char *const *without) {
    struct json_raw_it it = json_raw_each(obj);
    while (json_raw_next(&it)) {
        if (!is_one_of(it.key, without)) put_raw(m, it.key, it.value);
    }
}

static void put_annotations(struct members *md, struct slice old, const struct lease_change *notes,
                            size_t n) {
    comma(md);
    buf_adds(md->out, "\"annotations\":{");
    struct members m = {.out = md->out};
    struct json_raw_it it = json_raw_each(old);
    while (json_raw_next(&it)) {
        bool ours = false;
        for (size_t i = 0; i < n; i++) ours = ours || json_raw_string_is(it.key, slice_of(notes[i].key));
        if (!ours) put_raw(&m, it.key, it.value);
    }
    for (size_t i = 0; i < n; i++) {
        if (notes[i].value.p) put_text(&m, notes[i].key, notes[i].value);
    }
    buf_addc(md->out, '}');
}

static void put_metadata(struct buf *out, struct slice old, struct slice ns, struct slice name,
                         const struct lease_rec *rec, const struct lease_change *notes, size_t n) {
    /* managedFields: the server keeps what it has when they are absent, and they are half of the bytes. */
    static const char *const own[] = {"name",        "namespace",     "uid", "resourceVersion",
                                      "annotations", "managedFields", NULL};
    struct members m = {.out = out};
    struct slice annotations = {0};
    buf_addc(out, '{');
    put_text(&m, "name", name);
    if (ns.n) put_text(&m, "namespace", ns);
    if (rec->uid[0]) put_text(&m, "uid", slice_of(rec->uid));
    if (rec->rv[0]) put_text(&m, "resourceVersion", slice_of(rec->rv));
    json_raw_get(old, SL("annotations"), &annotations);
    if (n || annotations.n) put_annotations(&m, annotations, notes, n);
    put_others(&m, old, own);
    buf_addc(out, '}');
}

static void put_spec(struct buf *out, struct slice old, const struct lease_rec *rec) {
    static const char *const own[] = {"holderIdentity", "leaseDurationSeconds", "acquireTime",
                                      "renewTime",      "leaseTransitions",     NULL};
    struct members m = {.out = out};
    buf_addc(out, '{');
    put_text(&m, "holderIdentity", slice_of(rec->holder));
    put_count(&m, "leaseDurationSeconds", rec->duration_ns / NS_PER_S);
    put_time(&m, "acquireTime", rec->acquire_us);
    put_time(&m, "renewTime", rec->renew_us);
    put_count(&m, "leaseTransitions", rec->transitions);
    put_others(&m, old, own);
    buf_addc(out, '}');
}

int lease_render(struct slice base, struct slice ns, struct slice name, const struct lease_rec *rec,
                 const struct lease_change *notes, size_t nnotes, struct buf *out, struct err *err) {
    static const char *const own[] = {"apiVersion", "kind", "metadata", "spec", NULL};
    struct slice md = {0}, spec = {0};
    if (base.n) {
        int r = json_raw_check(base, err);
        if (r < 0) return err_wrap(err, "lease as last seen");
        if ((r = member_object(base, "metadata", &md, err)) < 0 ||
            (r = member_object(base, "spec", &spec, err)) < 0)
            return r;
    }
    struct members m = {.out = out};
    buf_addc(out, '{');
    put_text(&m, "apiVersion", SL("coordination.k8s.io/v1"));
    put_text(&m, "kind", SL("Lease"));
    comma(&m);
    buf_adds(out, "\"metadata\":");
    put_metadata(out, md, ns, name, rec, notes, nnotes);
    comma(&m);
    buf_adds(out, "\"spec\":");
    put_spec(out, spec, rec);
    put_others(&m, base, own);
    buf_addc(out, '}');
    if (out->full) return err_set(err, ERR_PROTOCOL, -ENOBUFS, "lease: larger than %zu bytes", out->max);
    return 0;
}
