/* The checkpoint's head line, escapes and numbers. */
#include "checkpoint_text.h"
#include "base/hash.h"
#include "base/time.h"
#include <errno.h>

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
enum { DIGITS_LAST = 61 };

static bool safe(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '/' || c == ':';
}

void cp_escape(struct buf *out, struct slice s) {
    for (size_t i = 0; i < s.n;) {
        size_t run = i;
        while (run < s.n && safe(s.p[run])) run++;
        buf_add(out, slice_make(s.p + i, run - i));
        if (run < s.n) buf_addf(out, "%%%02X", (unsigned)(unsigned char)s.p[run++]);
        i = run;
    }
}

static int hex(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int cp_unescape(struct slice *s, struct buf *out) {
    while (s->n) {
        size_t run = 0;
        while (run < s->n && safe(s->p[run])) run++;
        int r = buf_add(out, slice_make(s->p, run));
        if (r < 0) return r;
        *s = slice_make(s->p + run, s->n - run);
        if (!s->n || s->p[0] != '%') return 0;
        int hi = s->n > 2 ? hex(s->p[1]) : -1, lo = s->n > 2 ? hex(s->p[2]) : -1;
        if (hi < 0 || lo < 0) return -EINVAL;
        if ((r = buf_addc(out, (char)(hi * 16 + lo))) < 0) return r;
        *s = slice_make(s->p + 3, s->n - 3);
    }
    return 0;
}

void cp_put_shared(struct buf *out, size_t n) {
    for (; n >= DIGITS_LAST; n -= DIGITS_LAST) buf_addc(out, digits[DIGITS_LAST]);
    buf_addc(out, digits[n]);
}

int cp_get_shared(struct slice *s, size_t *ret) {
    size_t n = 0;
    for (;;) {
        const char *d = s->n && s->p[0] ? strchr(digits, s->p[0]) : NULL;
        if (!d || n > CHECKPOINT_KEY_MAX) return -EINVAL;
        *s = slice_make(s->p + 1, s->n - 1);
        n += (size_t)(d - digits);
        if (d - digits != DIGITS_LAST) break;
    }
    *ret = n;
    return 0;
}

void cp_head_write(struct buf *out, const struct cp_head *h) {
    buf_addf(out, CP_VERSION " term=%lld made=%lld by=", (long long)h->h.term, (long long)h->h.made);
    cp_escape(out, slice_of(h->h.by));
    buf_addf(out, " at=%lld keys=%zu dropped=%zu parts=%zu sha256=", (long long)(h->h.at_wall_ns / NS_PER_MS),
             h->h.keys, h->h.dropped, h->h.parts);
    size_t own = h->h.parts ? h->h.parts : 1;
    for (size_t i = 0; i < own; i++) buf_addf(out, "%s%s", i ? "," : "", h->part[i].sha);
    for (size_t i = 0; i < h->h.unread; i++) {
        const struct checkpoint_part_id *p = &h->part[own + i];
        buf_addf(out, "%s%lld.%zu.%s", i ? "," : " unread=", (long long)p->made, p->number, p->sha);
    }
    if (!h->h.parts) {
        buf_adds(out, " | ");
        buf_add(out, h->body);
    }
}

static int read_count(struct slice v, int64_t max, int64_t *ret) {
    int64_t n;
    if (slice_i64(v, &n) < 0 || n < 0 || n > max) return -EINVAL;
    *ret = n;
    return 0;
}

static int read_by(struct slice v, char by[512]) {
    struct buf b = BUF(511);
    int r = cp_unescape(&v, &b);
    if (r == 0 && (v.n || slice_has(buf_slice(&b), '\0'))) r = -EINVAL;
    if (r == 0) memcpy(by, buf_str(&b), b.n + 1);
    buf_free(&b);
    return r;
}

static int read_digest(struct slice v, char ret[65]) {
    if (v.n != 64) return -EINVAL;
    for (size_t i = 0; i < v.n; i++)
        if (hex(v.p[i]) < 0 && (v.p[i] < 'a' || v.p[i] > 'f')) return -EINVAL;
    memcpy(ret, v.p, 64);
    return 0;
}

static int read_digests(struct slice v, struct cp_head *h, size_t *ret_n) {
    struct slice one;
    size_t n = 0;
    bool more = true;
    while (more) {
        more = slice_cut(v, ',', &one, &v);
        if (n == CHECKPOINT_PARTS_MAX || read_digest(one, h->part[n].sha) < 0) return -EINVAL;
        n++;
    }
    *ret_n = n;
    return 0;
}

/* "MADE.N.SHA256", behind the writer's own parts. */
static int read_unread(struct slice v, struct checkpoint_part_id *ret, size_t *ret_n) {
    struct slice one, made, number;
    size_t n = 0;
    int64_t k;
    bool more = true;
    while (more) {
        more = slice_cut(v, ',', &one, &v);
        if (n == CHECKPOINT_UNREAD_MAX || !slice_cut(one, '.', &made, &one) ||
            !slice_cut(one, '.', &number, &one))
            return -EINVAL;
        if (read_count(made, INT64_MAX / 2, &ret[n].made) < 0 ||
            read_count(number, CHECKPOINT_PARTS_MAX, &k) < 0 || k == 0 || read_digest(one, ret[n].sha) < 0)
            return -EINVAL;
        ret[n++].number = (size_t)k;
    }
    *ret_n = n;
    return 0;
}

/* The head's fields, in the order of `names`; the last may be absent. */
enum { F_TERM, F_MADE, F_AT, F_KEYS, F_DROPPED, F_PARTS, F_BY, F_SHA256, F_UNREAD, FIELDS };

struct head_reading {
    struct cp_head *h;
    unsigned seen; /* a bit for each field */
    size_t digests;
    struct checkpoint_part_id unread[CHECKPOINT_UNREAD_MAX];
};

/* One "name=value"; names that are not known are passed over. */
static int read_field(struct slice field, struct head_reading *hr) {
    static const char *const names[FIELDS] = {"term",  "made", "at",     "keys",  "dropped",
                                              "parts", "by",   "sha256", "unread"};
    struct cp_head *h = hr->h;
    struct slice name, v;
    if (!slice_cut(field, '=', &name, &v)) return -EINVAL;
    unsigned which = 0;
    while (which < ARRAY_LEN(names) && !slice_eqs(name, names[which])) which++;
    if (which == ARRAY_LEN(names)) return 0;
    if (hr->seen & 1u << which) return -EINVAL;
    hr->seen |= 1u << which;
    int64_t n = 0;
    if (which == F_BY) return read_by(v, h->h.by);
    if (which == F_SHA256) return read_digests(v, h, &hr->digests);
    if (which == F_UNREAD) return read_unread(v, hr->unread, &h->h.unread);
    int r = read_count(v,
                       which == F_AT      ? INT64_MAX / NS_PER_MS
                       : which == F_PARTS ? CHECKPOINT_PARTS_MAX
                                          : INT64_MAX / 2,
                       &n);
    if (which == F_TERM) {
        h->h.term = n;
        h->term_text = v;
    }
    if (which == F_MADE) h->h.made = n;
    if (which == F_AT) h->h.at_wall_ns = n * NS_PER_MS;
    if (which == F_KEYS) h->h.keys = (size_t)n;
    if (which == F_DROPPED) h->h.dropped = (size_t)n;
    if (which == F_PARTS) h->h.parts = (size_t)n;
    return r;
}

/* The parts' names, which the head has only once it is read whole. */
static void number_parts(struct cp_head *h, const struct checkpoint_part_id *unread) {
    size_t own = h->h.parts ? h->h.parts : 1;
    for (size_t i = 0; i < own; i++) {
        h->part[i].made = h->h.made;
        h->part[i].number = i + 1;
    }
    memcpy(&h->part[own], unread, h->h.unread * sizeof(*unread));
}

enum checkpoint_fault cp_head_read(struct slice value, struct cp_head *ret, struct err *err) {
    struct cp_head h = {0};
    if (!value.n) {
        err_set(err, ERR_PROTOCOL, -ENOENT, "there is no checkpoint");
        return CHECKPOINT_EMPTY;
    }
    struct slice word, rest, head;
    slice_cut(value, ' ', &word, &rest);
    if (!slice_eqs(word, CP_VERSION)) {
        if (word.n > 40) word.n = 40;
        err_set(err, ERR_PROTOCOL, -EPROTO, "checkpoint: begins with '%.*s', known is '%s'", SLF(word),
                CP_VERSION);
        return CHECKPOINT_FOREIGN;
    }
    for (size_t i = 0; i + 2 < rest.n; i++) {
        if (memcmp(rest.p + i, " | ", 3) != 0) continue;
        h.body = slice_make(rest.p + i + 3, rest.n - i - 3);
        rest.n = i;
        break;
    }
    head = rest;
    struct head_reading hr = {.h = &h};
    bool more = head.n <= CP_HEAD_MAX, bad = !more;
    while (more && !bad) {
        more = slice_cut(rest, ' ', &word, &rest);
        bad = read_field(word, &hr) < 0;
    }
    unsigned needed = (1u << F_UNREAD) - 1;
    if (bad || (hr.seen & needed) != needed || hr.digests != (h.h.parts ? h.h.parts : 1) ||
        (h.h.parts && h.body.p)) {
        err_set(err, ERR_PROTOCOL, -EINVAL, "checkpoint: its head is damaged");
        return CHECKPOINT_DAMAGED;
    }
    number_parts(&h, hr.unread);
    *ret = h;
    return CHECKPOINT_OK;
}

bool checkpoint_carry(struct slice value, int64_t from, int64_t to, struct buf *out) {
    struct cp_head h;
    if (cp_head_read(value, &h, NULL) != CHECKPOINT_OK || h.h.term != from) return false;
    size_t before = (size_t)(h.term_text.p - value.p), behind = before + h.term_text.n;
    buf_add(out, slice_make(value.p, before));
    buf_addf(out, "%lld", (long long)to);
    buf_add(out, slice_make(value.p + behind, value.n - behind));
    return !out->full;
}

int checkpoint_part_name(struct slice lease, int64_t made, size_t number, struct buf *out) {
    size_t before = out->n;
    int r = buf_addf(out, "%.*s-checkpoint-%lld-%zu", SLF(lease), (long long)made, number);
    return r < 0 ? r : out->n - before > 253 ? -ENAMETOOLONG : 0;
}

const char *checkpoint_kind_name(enum checkpoint_kind k) {
    static const char *const names[] = {"interrupted", "inflight", "queued", "delayed", "failures", "dead"};
    return (unsigned)k < ARRAY_LEN(names) ? names[k] : "unknown";
}

const char *checkpoint_fault_name(enum checkpoint_fault f) {
    static const char *const names[] = {"ok", "empty", "foreign", "stale", "damaged", "missing"};
    return (unsigned)f < ARRAY_LEN(names) ? names[f] : "unknown";
}
