/* Borrowed runs of bytes: comparing, cutting, and numbers out of them without a locale. */
#include "base/slice.h"
#include "base/utf8.h"
#include "base/mem.h"
#include <errno.h>
#include <math.h>

int slice_cmp(struct slice a, struct slice b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool slice_starts(struct slice s, struct slice prefix) {
    return s.n >= prefix.n && slice_eq(slice_make(s.p, prefix.n), prefix);
}

bool slice_ends(struct slice s, struct slice suffix) {
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + (s.n - suffix.n), suffix.p, suffix.n) == 0);
}

bool slice_has(struct slice s, char c) {
    return s.n && memchr(s.p, c, s.n);
}

bool slice_is_text(struct slice s) {
    for (size_t n; s.n; s = slice_make(s.p + n, s.n - n)) {
        n = utf8_len(s);
        if (!n) return false;
    }
    return true;
}

static bool blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct slice slice_trim(struct slice s) {
    while (s.n && blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && blank(s.p[s.n - 1])) s.n--;
    return s;
}

bool slice_cut(struct slice s, char sep, struct slice *before, struct slice *after) {
    const char *at = s.n ? memchr(s.p, sep, s.n) : NULL;
    if (!at) {
        *before = s;
        *after = (struct slice){NULL, 0};
        return false;
    }
    size_t i = (size_t)(at - s.p);
    *before = slice_make(s.p, i);
    *after = slice_make(at + 1, s.n - i - 1);
    return true;
}

struct slice slice_digits(struct slice *s) {
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9') n++;
    struct slice d = slice_make(s->p, n);
    if (n) *s = slice_make(s->p + n, s->n - n);
    return d;
}

bool slice_take(struct slice *s, char c) {
    if (!s->n || s->p[0] != c) return false;
    *s = slice_make(s->p + 1, s->n - 1);
    return true;
}

bool slice_sign(struct slice *s) {
    bool minus = slice_take(s, '-');
    if (!minus) slice_take(s, '+');
    return minus;
}

int slice_i64(struct slice s, int64_t *ret) {
    bool neg = slice_sign(&s);
    if (!s.n) return -EINVAL;
    int64_t v = 0; /* counted downwards: the negative side is larger by one */
    bool out = false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return -EINVAL;
        if (!out && (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, s.p[i] - '0', &v)))
            out = true;
    }
    if (out || (!neg && v == INT64_MIN)) return -ERANGE;
    *ret = neg ? v : -v;
    return 0;
}

/* [+-](digits[.digits]|.digits)[e[+-]digits] */
static bool is_decimal(struct slice s) {
    slice_sign(&s);
    bool any = slice_digits(&s).n > 0;
    if (slice_take(&s, '.')) any = slice_digits(&s).n > 0 || any;
    if (!any) return false;
    if (slice_take(&s, 'e') || slice_take(&s, 'E')) {
        slice_sign(&s);
        if (!slice_digits(&s).n) return false;
    }
    return s.n == 0;
}

static bool same_letters(struct slice s, const char *lower) {
    size_t n = strlen(lower);
    if (s.n != n) return false;
    for (size_t i = 0; i < n; i++) {
        if ((s.p[i] | 0x20) != lower[i]) return false;
    }
    return true;
}

int slice_f64(struct slice s, double *ret) {
    if (is_decimal(s)) {
        char small[64];
        char *text = s.n < sizeof small ? memcpy(small, s.p, s.n) : xmalloc(s.n + 1);
        if (text != small) memcpy(text, s.p, s.n);
        text[s.n] = '\0';
        double v = strtod(text, NULL);
        if (text != small) free(text);
        if (isinf(v)) return -ERANGE;
        *ret = v;
        return 0;
    }
    double sign = slice_sign(&s) ? -1 : 1;
    if (same_letters(s, "nan")) {
        *ret = (double)NAN;
        return 0;
    }
    if (same_letters(s, "inf") || same_letters(s, "infinity")) {
        *ret = sign * (double)INFINITY;
        return 0;
    }
    return -EINVAL;
}

char *slice_dup(struct slice s) {
    char *p = xmalloc(s.n + 1);
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}

uint64_t slice_hash(struct slice s, uint64_t seed) {
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    return h;
}

char *slice_dup_text(struct slice s, size_t max) {
    char *text = xmalloc((s.n < max ? s.n : max) + 1);
    size_t n = 0;
    while (n < s.n) {
        struct slice rest = slice_make(s.p + n, s.n - n);
        size_t len = utf8_len(rest), take = len ? len : 1;
        if (n + take > max) break;
        memcpy(text + n, len ? rest.p : "?", take);
        n += take;
    }
    text[n] = '\0';
    return text;
}
