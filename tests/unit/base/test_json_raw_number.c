/* Numbers by value, without a double in between. */
#include "../case.h"
#include "base/json_raw.h"

static bool eq(const char *a, const char *b) {
    bool r = json_raw_number_eq(slice_of(a), slice_of(b));
    assert_int_equal(r, json_raw_number_eq(slice_of(b), slice_of(a)));
    return r;
}

CASE(same_value) {
    static const char *const same[][2] = {
        {"1e3", "1000"},
        {"1000.0", "1000"},
        {"0", "-0"},
        {"0.0", "0e999"},
        {"-1.50", "-15e-1"},
        {"0.001", "1e-3"},
        {"100E-2", "1"},
        {"1e+2", "1e2"},
        {"12.5e1", "125"},
        {"0.00", "0"},
        {"1e0099", "1e99"},
        {"10e-1", "1"},
        {"9007199254740993", "9007199254740993.0"},
        {"1e99999999999999999999999999999999999999999", "10e99999999999999999999999999999999999999998"},
        {"1e-10000000000000000000000000000000000000000", "0.1e-9999999999999999999999999999999999999999"},
        {"1e-1", "0.1"},
        {"1000e-20", "1e-17"},
    };
    static const char *const other[][2] = {
        {"9007199254740993", "9007199254740992"}, /* the same double */
        {"0.1", "0.10000000000000000001"},
        {"1", "-1"},
        {"1e15", "1e16"},
        {"1", "0"},
        {"10", "1"},
        {"1e99999999999999999999", "1e99999999999999999998"},
        {"1e400", "1e401"}, /* both infinite as doubles */
        {"1e-400", "0"},
        {"1e18446744073709551616", "1"},
        {"1", "x"},
        {"x", "x"},
        {"", ""},
        {"1e", "1e"},
        {"-", "-"},
        {"1 ", "1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        print_message("%s = %s\n", same[i][0], same[i][1]);
        assert_true(eq(same[i][0], same[i][1]));
    }
    for (size_t i = 0; i < ARRAY_LEN(other); i++) {
        print_message("%s != %s\n", other[i][0], other[i][1]);
        assert_false(eq(other[i][0], other[i][1]));
    }
}

CASE(canonical) {
    static const char *const cases[][2] = {
        {"0", "0"},
        {"-0.00e7", "0"},
        {"1000", "1e3"},
        {"-1.50", "-15e-1"},
        {"0.001", "1e-3"},
        {"120.50", "1205e-1"},
        {"1e-5", "1e-5"},
        {"10e-1", "1e0"},
        {"1e9999999999999999999999", "1e9999999999999999999999"},
        {"10e9999999999999999999999", "1e10000000000000000000000"},
        {"0.1e-9999999999999999999999", "1e-10000000000000000000000"},
        {"100e-10000000000000000000000", "1e-9999999999999999999998"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf b = BUF(strlen(cases[i][0]) + 24);
        assert_int_equal(json_raw_number_canonical(slice_of(cases[i][0]), &b), 0);
        assert_buf(b, cases[i][1]);
    }
    cleanup_buf struct buf b = BUF(1);
    assert_int_equal(json_raw_number_canonical(SL("12"), &b), -ENOBUFS);
    assert_int_equal(json_raw_number_canonical(SL("true"), &b), -EINVAL);
}

CASES("base/json_raw_number")
