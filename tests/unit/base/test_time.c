/* Durations in Go's notation. */
#include "../case.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/time.h"

CASE(parses) {
    static const struct {
        const char *text;
        int r;
        int64_t ns;
    } cases[] = {
        {"0", 0, 0},
        {"+0", 0, 0},
        {"0s", 0, 0},
        {"10s", 0, 10 * NS_PER_S},
        {"1h30m", 0, 5400 * NS_PER_S},
        {"250ms", 0, 250 * NS_PER_MS},
        {"+5m", 0, 300 * NS_PER_S},
        {"1.5h", 0, 5400 * NS_PER_S},
        {".5s", 0, NS_PER_S / 2},
        {"1.s", 0, NS_PER_S},
        {"1s1s", 0, 2 * NS_PER_S}, /* as Go: units in any order, as often as wanted */
        {"1ms1h", 0, 3600 * NS_PER_S + NS_PER_MS},
        {"1us", 0, 1000},
        {"1\xc2\xb5s", 0, 1000},
        {"1\xce\xbcs", 0, 1000},
        {"0.1ns", 0, 0},
        {"0.0000000019s", 0, 1},
        {"0.333333333333333333333333333h", 0, 1199999999999},
        {"9223372036854775807ns", 0, INT64_MAX},
        {"2562047h47m16.854775807s", 0, INT64_MAX},
        {"9223372036854775808ns", -ERANGE, 0},
        {"2562047h47m16.854775808s", -ERANGE, 0},
        {"99999999999999999999999h", -ERANGE, 0},
        {"9999999999999h1x", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"+", -EINVAL, 0},
        {"-1s", -EINVAL, 0},
        {"-0", -EINVAL, 0},
        {"5", -EINVAL, 0},
        {"1h5", -EINVAL, 0},
        {".s", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"1 s", -EINVAL, 0},
        {"1d", -EINVAL, 0},
        {"1S", -EINVAL, 0},
        {"1.5.5s", -EINVAL, 0},
        {"1e3s", -EINVAL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ns = 4711;
        print_message("%s\n", cases[i].text);
        assert_int_equal(duration_parse(slice_of(cases[i].text), &ns), cases[i].r);
        assert_int_equal(ns, cases[i].r ? 4711 : cases[i].ns);
    }
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
