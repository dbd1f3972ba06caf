/* JSON numbers by value, exact for any length: significant digits times a power of ten, which may itself be
 * too long for any integer type. */
#include "base/json_raw.h"
#include <errno.h>

struct decimal {
    bool neg, exp_neg;
    struct slice whole, frac,
        exp;       /* digits only; of whole and frac the zeros around the significant ones are cut */
    int64_t shift; /* the value is whole.frac (read as one integer) * 10^(exp + shift) */
};

static void cut_front(struct slice *d) {
    while (slice_take(d, '0')) continue;
}

static bool decimal_read(struct slice s, struct decimal *d) {
    *d = (struct decimal){.neg = slice_take(&s, '-')};
    d->whole = slice_digits(&s);
    if (slice_take(&s, '.')) d->frac = slice_digits(&s);
    bool any = d->whole.n || d->frac.n;
    if (slice_take(&s, 'e') || slice_take(&s, 'E')) {
        d->exp_neg = slice_sign(&s);
        d->exp = slice_digits(&s);
        any = any && d->exp.n;
    }
    if (!any || s.n) return false;
    while (d->frac.n && d->frac.p[d->frac.n - 1] == '0') d->frac.n--;
    d->shift = -(int64_t)d->frac.n;
    if (!d->frac.n) {
        for (; d->whole.n && d->whole.p[d->whole.n - 1] == '0'; d->whole.n--) d->shift++;
    }
    cut_front(&d->whole);
    if (!d->whole.n) cut_front(&d->frac);
    cut_front(&d->exp);
    return true;
}

static int digit_from_end(struct slice d, size_t i) {
    return i < d.n ? d.p[d.n - 1 - i] - '0' : 0;
}

/* exp + shift in decimal. The long side is the exponent's text: shift is no more than a number's length. */
static void add_exponent(struct buf *out, const struct decimal *d) {
    size_t n = (d->exp.n > 19 ? d->exp.n : 19) + 1; /* an int64_t has 19 digits, and a carry */
    cleanup_free signed char *v = xcalloc(n, 1);    /* from the end */
    uint64_t shift = d->shift < 0 ? -(uint64_t)d->shift : (uint64_t)d->shift;
    int sum_sign = 0, carry = 0;
    for (size_t i = 0; i < n; i++, shift /= 10) {
        int e = digit_from_end(d->exp, i), s = (int)(shift % 10);
        v[i] = (signed char)((d->exp_neg ? -e : e) + (d->shift < 0 ? -s : s));
    }
    for (size_t i = n;
         i-- > 0 && !sum_sign;) { /* the sign of the sum: of the first place that outweighs all below */
        carry = carry * 10 + v[i];
        if (carry > 2 || carry < -2 || i == 0) sum_sign = carry < 0 ? -1 : 1;
    }
    carry = 0;
    for (size_t i = 0; i < n; i++) {
        int x = sum_sign * v[i] + carry;
        carry = x >= 0 ? x / 10 : -((9 - x) / 10); /* rounded down, so that the digit is 0..9 */
        v[i] = (signed char)(x - carry * 10);
    }
    size_t top = n;
    while (top > 1 && !v[top - 1]) top--;
    if (sum_sign < 0) buf_addc(out, '-');
    while (top-- > 0) buf_addc(out, (char)('0' + v[top]));
}

int json_raw_number_canonical(struct slice number, struct buf *out) {
    struct decimal d;
    if (!decimal_read(number, &d)) return -EINVAL;
    if (!d.whole.n && !d.frac.n) return buf_addc(out, '0');
    if (d.neg) buf_addc(out, '-');
    buf_add(out, d.whole);
    buf_add(out, d.frac);
    buf_addc(out, 'e');
    if (!out->full) add_exponent(out, &d);
    return out->full ? -ENOBUFS : 0;
}

bool json_raw_number_eq(struct slice a, struct slice b) {
    struct decimal x, y;
    if (!decimal_read(a, &x) || !decimal_read(b, &y)) return false;
    if (slice_eq(a, b)) return true;
    cleanup_buf struct buf ca = BUF(a.n + 24), cb = BUF(b.n + 24);
    return json_raw_number_canonical(a, &ca) == 0 && json_raw_number_canonical(b, &cb) == 0 &&
           slice_eq(buf_slice(&ca), buf_slice(&cb));
}
