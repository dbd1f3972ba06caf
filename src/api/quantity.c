/* resource.Quantity, by the grammar in k8s.io/apimachinery/pkg/api/resource/quantity.go. Amounts are whole
 * numbers of 1e-9 ("nano", the API server's finest) in 128 bits. What is finer (the server rounds it up) or
 * larger than that has no amount here: -ERANGE rather than an answer about another number. */
#include "quantity_amount.h"
#include "api/quantity.h"
#include <errno.h>

struct parsed {
    bool neg;
    struct slice whole, frac; /* digits */
    int binary;               /* times 2^binary */
    int64_t exponent;         /* times 10^exponent */
};

/* <binarySI> | <decimalSI> | <decimalExponent>; -ERANGE for an exponent past any range. */
static int suffix(struct slice s, struct parsed *p) {
    static const struct {
        const char *text;
        int binary, exponent;
    } suffixes[] = {{"", 0, 0},    {"n", 0, -9},  {"u", 0, -6},  {"m", 0, -3}, {"k", 0, 3},   {"M", 0, 6},
                    {"G", 0, 9},   {"T", 0, 12},  {"P", 0, 15},  {"E", 0, 18}, {"Ki", 10, 0}, {"Mi", 20, 0},
                    {"Gi", 30, 0}, {"Ti", 40, 0}, {"Pi", 50, 0}, {"Ei", 60, 0}};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (!slice_eqs(s, suffixes[i].text)) continue;
        p->binary = suffixes[i].binary;
        p->exponent = suffixes[i].exponent;
        return 0;
    }
    if (s.n < 2 || (s.p[0] != 'e' && s.p[0] != 'E')) return -EINVAL;
    return slice_i64(slice_make(s.p + 1, s.n - 1), &p->exponent); /* strconv.ParseInt: a sign and digits */
}

static int parse(struct slice s, struct parsed *p) {
    *p = (struct parsed){0};
    p->neg = slice_sign(&s);
    p->whole = slice_digits(&s);
    if (slice_take(&s, '.')) p->frac = slice_digits(&s);
    if (!p->whole.n && !p->frac.n) return -EINVAL;
    return suffix(s, p);
}

static int add_digits(quantity_amount *v, struct slice d) {
    for (size_t i = 0; i < d.n; i++) {
        if (__builtin_mul_overflow(*v, 10, v) || __builtin_add_overflow(*v, d.p[i] - '0', v)) return -ERANGE;
    }
    return 0;
}

int quantity_amount_of(struct slice s, quantity_amount *ret) {
    struct parsed p;
    int r = parse(s, &p);
    if (r == -EINVAL) return r;
    while (p.frac.n && p.frac.p[p.frac.n - 1] == '0') p.frac.n--;
    int64_t moved = 0; /* "1000...0e-50": zeros before the point are an exponent too */
    if (!p.frac.n) {
        for (; p.whole.n && p.whole.p[p.whole.n - 1] == '0'; p.whole.n--) moved++;
    }
    quantity_amount v = 0;
    if (add_digits(&v, p.whole) < 0 || add_digits(&v, p.frac) < 0) return -ERANGE;
    if (v == 0) { /* whatever the exponent */
        *ret = 0;
        return 0;
    }
    if (r < 0) return r;
    if (__builtin_mul_overflow(v, (quantity_amount)1 << p.binary, &v)) return -ERANGE;
    int64_t exponent;
    if (__builtin_add_overflow(p.exponent, 9 + moved - (int64_t)p.frac.n, &exponent)) return -ERANGE;
    for (; exponent > 0; exponent--) {
        if (__builtin_mul_overflow(v, 10, &v)) return -ERANGE;
    }
    for (; exponent < 0; exponent++) {
        if (v % 10) return -ERANGE;
        v /= 10;
    }
    *ret = p.neg ? -v : v;
    return 0;
}

bool quantity_valid(struct slice s) {
    struct parsed p;
    return parse(s, &p) == 0;
}

int quantity_cmp(struct slice a, struct slice b, int *ret) {
    quantity_amount x, y;
    int r = quantity_amount_of(a, &x), q = quantity_amount_of(b, &y);
    if (r < 0 || q < 0) return r == -EINVAL || q == -EINVAL ? -EINVAL : -ERANGE;
    *ret = (x > y) - (x < y);
    return 0;
}
