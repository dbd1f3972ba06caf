/* Numbers by value, without a double in between. */
#include "../case.h"
#include "../each.h"
#include "base/json_raw.h"

/* pair: "a=b" */
static bool eq(struct slice pair) {
    struct slice a, b;
    slice_cut(pair, '=', &a, &b);
    bool r = json_raw_number_eq(a, b);
    assert_int_equal(r, json_raw_number_eq(b, a));
    return r;
}

CASE(same_value) {
    each_of(
        same,
        "1e3=1000|1000.0=1000|0=-0|0.0=0e999|-1.50=-15e-1|0.001=1e-3|100E-2=1|1e+2=1e2|12.5e1=125|0.00=0|"
        "1e0099=1e99|10e-1=1|9007199254740993=9007199254740993.0|1e99999999999999999999999999999999999999999="
        "10e99999999999999999999999999999999999999998|1e-10000000000000000000000000000000000000000=0.1e-"
        "9999999999999999999999999999999999999999|1e-1=0.1|1000e-20=1e-17") {
        assert_true(eq(same));
    }
    /* The same doubles among them: large integers, infinities, many digits; and what is no number. */
    each_of(other, "9007199254740993=9007199254740992|0.1=0.10000000000000000001|1=-1|1e15=1e16|1=0|10=1|"
                   "1e99999999999999999999=1e99999999999999999998|1e400=1e401|1e-400=0|"
                   "1e18446744073709551616=1|1=x|x=x|=|1e=1e|-=-|1 =1") {
        assert_false(eq(other));
    }
}

CASE(canonical) {
    each_of(pair, "0=0|-0.00e7=0|1000=1e3|-1.50=-15e-1|0.001=1e-3|120.50=1205e-1|1e-5=1e-5|10e-1=1e0|"
                  "1e9999999999999999999999=1e9999999999999999999999|10e9999999999999999999999="
                  "1e10000000000000000000000|0.1e-9999999999999999999999=1e-10000000000000000000000|100e-"
                  "10000000000000000000000=1e-9999999999999999999998") {
        struct slice from, to;
        slice_cut(pair, '=', &from, &to);
        cleanup_buf struct buf b = BUF(from.n + 24);
        assert_int_equal(json_raw_number_canonical(from, &b), 0);
        assert_true(slice_eq(buf_slice(&b), to));
    }
    cleanup_buf struct buf b = BUF(1);
    assert_int_equal(json_raw_number_canonical(SL("12"), &b), -ENOBUFS);
    assert_int_equal(json_raw_number_canonical(SL("true"), &b), -EINVAL);
}

CASES("base/json_raw_number")
