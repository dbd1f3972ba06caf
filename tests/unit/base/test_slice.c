/* Slices: comparing, cutting, numbers. */
#include "../case.h"
#include "../each.h"
#include "base/mem.h"
#include <locale.h>
#include <math.h>

CASE(compares) {
    assert_true(slice_cmp(SL("a"), SL("b")) < 0);
    assert_true(slice_cmp(SL("a"), SL("aa")) < 0);
    assert_true(slice_cmp(SL("b"), SL("aa")) > 0);
    assert_true(slice_cmp(SL("\xff"), SL("a")) > 0);
    assert_int_equal(slice_cmp(SL(""), slice_make(NULL, 0)), 0);
    assert_true(slice_eq(slice_make(NULL, 0), SL("")));
    assert_true(slice_starts(SL("abc"), SL("ab")) && slice_starts(SL("abc"), SL("")) &&
                !slice_starts(SL("a"), SL("ab")));
    assert_true(slice_ends(SL("abc"), SL("bc")) && slice_ends(SL(""), slice_make(NULL, 0)) &&
                !slice_ends(SL("c"), SL("bc")));
    assert_true(slice_has(SL("a\0b"), '\0') && !slice_has(SL(""), '\0'));
    assert_true(slice_eqs(slice_of(NULL), ""));
}

CASE(trims_and_cuts) {
    struct slice a, b;
    assert_slice(slice_trim(SL(" \t a b\r\n")), "a b");
    assert_slice(slice_trim(SL(" \v\f ")), "");
    assert_true(slice_cut(SL("a=b=c"), '=', &a, &b));
    assert_slice(a, "a");
    assert_slice(b, "b=c");
    assert_true(slice_cut(SL("a="), '=', &a, &b));
    assert_slice(a, "a");
    assert_true(b.p != NULL && b.n == 0);
    assert_false(slice_cut(SL("abc"), '=', &a, &b));
    assert_slice(a, "abc");
    assert_true(b.p == NULL && b.n == 0);
    assert_false(slice_cut(slice_make(NULL, 0), '=', &a, &b));
    a = SL("x,y");
    assert_true(slice_cut(a, ',', &b, &a)); /* the outputs may be the input */
    assert_slice(a, "y");
}

CASE(integers) {
    static const struct {
        const char *text;
        int64_t v;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"+7", 7},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t v = 4711;
        assert_int_equal(slice_i64(slice_of(cases[i].text), &v), 0);
        assert_int_equal(v, cases[i].v);
    }
    int64_t v = 4711;
    each_of(far, "9223372036854775808|-9223372036854775809|99999999999999999999999999") {
        assert_int_equal(slice_i64(far, &v), -ERANGE);
    }
    each_of(bad, "99999999999999999999999999x||-|+-1| 1|1 |1.0|0x10") {
        assert_int_equal(slice_i64(bad, &v), -EINVAL);
    }
    assert_int_equal(v, 4711);
}

CASE(doubles) {
    double v = 47.11;
    each_of(bad, "|-|.|e1|1e|1e+|0x1|1 |nano|infi|--1|1.2.3|NAN(1)") {
        assert_int_equal(slice_f64(bad, &v), -EINVAL);
    }
    assert_int_equal(slice_f64(SL("1e999"), &v), -ERANGE);
    assert_true(fabs(v - 47.11) < 1e-12);
    assert_int_equal(slice_f64(SL("-1.5e3"), &v), 0);
    assert_true(fabs(v + 1500) < 1e-9);
    assert_int_equal(slice_f64(SL(".5"), &v), 0);
    assert_int_equal(slice_f64(SL("5."), &v), 0);
    assert_int_equal(slice_f64(SL("1e-999"), &v), 0);
    assert_true(fabs(v) < 1e-300);
    assert_int_equal(slice_f64(SL("NaN"), &v), 0);
    assert_true(isnan(v));
    assert_int_equal(slice_f64(SL("+Inf"), &v), 0);
    assert_true(isinf(v) && v > 0);
    assert_int_equal(slice_f64(SL("-infinity"), &v), 0);
    assert_true(isinf(v) && v < 0);
    char digits[300];
    memset(digits, '1', sizeof digits);
    assert_int_equal(slice_f64(slice_make(digits, sizeof digits), &v),
                     0); /* longer than the buffer on the stack */
    assert_true(v > 1e299);
}

CASE(duplicates_and_hashes) {
    cleanup_free char *empty = slice_dup(slice_make(NULL, 0)), *nul = slice_dup(SL("a\0b"));
    assert_string_equal(empty, "");
    assert_memory_equal(nul, "a\0b", 4);
    /* FNV-1a 64, from its authors' test vectors: checkpoints may rely on it */
    assert_true(slice_hash(SL(""), 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(slice_hash(SL("a"), 0) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(slice_hash(SL("foobar"), 0) == UINT64_C(0x85944171f73967e8));
    assert_true(slice_hash(SL("a"), 1) != slice_hash(SL("a"), 0));
}

CASE(takes) {
    struct slice s = SL("-+012x");
    assert_true(slice_sign(&s));
    assert_false(slice_sign(&s));
    assert_slice(slice_digits(&s), "012");
    assert_slice(slice_digits(&s), "");
    assert_false(slice_sign(&s));
    assert_false(slice_take(&s, 'y'));
    assert_true(slice_take(&s, 'x'));
    assert_int_equal(s.n, 0);
    assert_false(slice_take(&s, '\0'));
    assert_false(slice_sign(&s));
    assert_int_equal(slice_digits(&s).n, 0);
}

CASES("base/slice")
