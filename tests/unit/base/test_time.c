/* Durations in Go's notation. */
#include "../case.h"
#include "../each.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/time.h"

CASE(parses) {
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"0", 0},
        {"+0", 0},
        {"0s", 0},
        {"10s", 10 * NS_PER_S},
        {"1h30m", 5400 * NS_PER_S},
        {"250ms", 250 * NS_PER_MS},
        {"+5m", 300 * NS_PER_S},
        {"1.5h", 5400 * NS_PER_S},
        {".5s", NS_PER_S / 2},
        {"1.s", NS_PER_S},
        {"1s1s", 2 * NS_PER_S}, /* as Go: units in any order, as often as wanted */
        {"1ms1h", 3600 * NS_PER_S + NS_PER_MS},
        {"1us", 1000},
        {"1\xc2\xb5s", 1000},
        {"1\xce\xbcs", 1000},
        {"0.1ns", 0},
        {"0.0000000019s", 1},
        {"0.333333333333333333333333333h", 1199999999999},
        {"9223372036854775807ns", INT64_MAX},
        {"2562047h47m16.854775807s", INT64_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ns = 4711;
        print_message("%s\n", cases[i].text);
        assert_int_equal(duration_parse(slice_of(cases[i].text), &ns), 0);
        assert_int_equal(ns, cases[i].ns);
    }
    int64_t ns = 4711;
    each_of(far, "9223372036854775808ns|2562047h47m16.854775808s|99999999999999999999999h") {
        assert_int_equal(duration_parse(far, &ns), -ERANGE);
    }
    each_of(bad, "9999999999999h1x||+|-1s|-0|5|1h5|.s|s|1 s|1d|1S|1.5.5s|1e3s") {
        assert_int_equal(duration_parse(bad, &ns), -EINVAL);
    }
    assert_int_equal(ns, 4711);
}

CASE(formats) {
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1ns"},
        {1500, "1.5us"},
        {250 * NS_PER_MS, "250ms"},
        {1234567, "1.234567ms"},
        {999999999, "999.999999ms"},
        {NS_PER_S, "1s"},
        {NS_PER_S * 3 / 2, "1.5s"},
        {60 * NS_PER_S, "1m"},
        {3600 * NS_PER_S, "1h"},
        {5400 * NS_PER_S, "1h30m"},
        {3600 * NS_PER_S + NS_PER_MS, "1h0.001s"},
        {90 * NS_PER_S, "1m30s"},
        {-NS_PER_S, "-1s"},
        {-1, "-1ns"},
        {INT64_MAX, "2562047h47m16.854775807s"},
        {INT64_MIN, "-2562047h47m16.854775808s"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[32];
        duration_format(cases[i].ns, text);
        assert_string_equal(text, cases[i].text);
    }
}

CASE(round_trips) {
    struct rng r = {11};
    for (int i = 0; i < 20000; i++) {
        int64_t ns = (int64_t)(rng_next(&r) >> (1 + rng_below(&r, 62))), back = -1;
        char text[32];
        if (i % 3 == 0) ns -= ns % NS_PER_MS;
        duration_format(ns, text);
        assert_int_equal(duration_parse(slice_of(text), &back), 0);
        assert_int_equal(back, ns);
    }
}

CASES("base/time")
