/* Quantities by amount. */
#include "../case.h"
#include "../each.h"
#include "api/quantity.h"
#include "base/mem.h"
#include "base/rand.h"

static int cmp(struct slice a, struct slice b) {
    int r = 9, q = 9;
    if (quantity_cmp(a, b, &r) < 0) fail_msg("%.*s, %.*s", SLF(a), SLF(b));
    assert_int_equal(quantity_cmp(b, a, &q), 0);
    assert_int_equal(r, -q);
    return r;
}

CASE(ordered) {
    struct slice a, b;
    each_of(same, "64Mi=67108864|1=1000m|1.5Gi=1536Mi|1k=1e3|1M=1E6|1G=1000M|1T=1000G|1P=1000T|1E=1000P|1Ki="
                  "1024|1Ti=1024Gi|1Pi=1024Ti|1Ei=1024Pi|1u=1000n|1m=1000u|0.5=500m|.5=5e-1|1.=1|+1=1|-1=-"
                  "1000m|0=-0|0=0Ei|0.000=0e999999999999999999999999|007=7|1e+3=1e3|10e-1=1|0.1Ki=102.4|100e-"
                  "11=1n|1E1=10|9223372036854775807=9223372036854775807000m|0.0000000010=1n|"
                  "100000000000000000000000000000000000000000e-41=1") {
        slice_cut(same, '=', &a, &b);
        assert_int_equal(cmp(a, b), 0);
    }
    each_of(less,
            "1n<2n|999m<1|1k<1Ki|-1<0|-2<-1|1M<1Mi|0<1n|7E<8E|1E<1Ei|9007199254740992<9007199254740993") {
        slice_cut(less, '<', &a, &b);
        assert_int_equal(cmp(a, b), -1);
    }
}

CASE(no_quantities) {
    int r = 9;
    each_of(bad,
            "|-|+|.|Ki|m|1 | 1|1K|1ki|1KI|1kB|1mm|1e|1e+|1e1.5|1Ee3|1e3Mi|--1|1.2.3|1,5|0x10|1i|NaN|Inf|1g|1 "
            "Ki|1_000|e3|1\xc2\xb5") {
        assert_false(quantity_valid(bad));
        assert_int_equal(quantity_cmp(bad, SL("1"), &r), -EINVAL);
        assert_int_equal(quantity_cmp(SL("1"), bad, &r), -EINVAL);
        assert_int_equal(r, 9);
    }
    assert_false(quantity_valid(SL("1\0")));
}

CASE(out_of_range) {
    int r = 9;
    each_of(far, "1e30|1e400|1e99999999999999999999|1e-10|0.1n|1e-400|1e-99999999999999999999|"
                 "99999999999999999999Ei|1e4294967296") {
        assert_int_equal(quantity_cmp(far, SL("1"), &r), -ERANGE);
        assert_int_equal(r, 9);
    }
    assert_true(quantity_valid(SL("1e400")) && quantity_valid(SL("0.1n")) && quantity_valid(SL("12E")));
}

CASE(random_amounts) {
    static const struct {
        const char *suffix;
        int64_t nano; /* so small that all stays exact */
    } units[] = {{"n", 1},
                 {"u", 1000},
                 {"m", 1000000},
                 {"", 1000000000},
                 {"k", INT64_C(1000000000000)},
                 {"Ki", INT64_C(1024000000000)}};
    struct rng r = {5};
    for (int i = 0; i < 20000; i++) {
        char text[2][64];
        int64_t amount[2];
        for (int k = 0; k < 2; k++) {
            uint64_t u = rng_below(&r, ARRAY_LEN(units));
            int64_t v = (int64_t)rng_below(&r, rng_below(&r, 2) ? 5 : 5000) - 2;
            amount[k] = v * units[u].nano;
            snprintf(text[k], sizeof text[k], "%lld%s", (long long)v, units[u].suffix);
        }
        assert_int_equal(cmp(slice_of(text[0]), slice_of(text[1])),
                         (amount[0] > amount[1]) - (amount[0] < amount[1]));
    }
}

CASES("api/quantity")
