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
    for (size_t i = 0; i == 0 || i < h->h.parts; i++) buf_addf(out, "%s%s", i ? "," : "", h->sha[i]);
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

static int read_digests(struct slice v, struct cp_head *h, size_t *ret_n) {
    struct slice one;
    size_t n = 0;
    bool more = true;
    while (more) {
        more = slice_cut(v, ',', &one, &v);
        if (n == CHECKPOINT_PARTS_MAX || one.n != 64) return -EINVAL;
        memcpy(h->sha[n++], one.p, 64);
    }
    *ret_n = n;
    return 0;
}

/* One "name=value"; names that we do not know are passed over. */
static int read_field(struct slice field, struct cp_head *h, unsigned *seen, size_t *digests) {
    static const char *const names[] = {"term", "made", "at", "keys", "dropped", "parts", "by", "sha256"};
    struct slice name, v;
    if (!slice_cut(field, '=', &name, &v)) return -EINVAL;
    unsigned which = 0;
    while (which < ARRAY_LEN(names) && !slice_eqs(name, names[which])) which++;
    if (which == ARRAY_LEN(names)) return 0;
    if (*seen & 1u << which) return -EINVAL;
    *seen |= 1u << which;
    int64_t n = 0;
    int r = 0;
    if (which == 6) return read_by(v, h->h.by);
    if (which == 7) return read_digests(v, h, digests);
    r = read_count(v,
                   which == 2   ? INT64_MAX / NS_PER_MS
                   : which == 5 ? CHECKPOINT_PARTS_MAX
                                : INT64_MAX / 2,
                   &n);
    if (which == 0) {
        h->h.term = n;
        h->term_text = v;
    }
    if (which == 1) h->h.made = n;
    if (which == 2) h->h.at_wall_ns = n * NS_PER_MS;
    if (which == 3) h->h.keys = (size_t)n;
    if (which == 4) h->h.dropped = (size_t)n;
    if (which == 5) h->h.parts = (size_t)n;
    return r;
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
    unsigned seen = 0;
    size_t digests = 0;
    bool more = head.n <= CP_HEAD_MAX, bad = !more;
    while (more && !bad) {
        more = slice_cut(rest, ' ', &word, &rest);
        bad = read_field(word, &h, &seen, &digests) < 0;
    }
    if (bad || seen != 0xff || digests != (h.h.parts ? h.h.parts : 1) || (h.h.parts && h.body.p)) {
        err_set(err, ERR_PROTOCOL, -EINVAL, "checkpoint: its head is damaged");
        return CHECKPOINT_DAMAGED;
    }
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

int checkpoint_part_name(struct slice lease, int64_t made, size_t i, struct buf *out) {
    size_t before = out->n;
    int r = buf_addf(out, "%.*s-checkpoint-%lld-%zu", SLF(lease), (long long)made, i + 1);
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
