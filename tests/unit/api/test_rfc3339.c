/* Instants, against the C library's calendar. */
#include "../case.h"
#include "../each.h"
#include "api/rfc3339.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/time.h"
#include <time.h>

CASE(parses) {
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-23T18:16:33Z", INT64_C(1795457793000000000)},
        {"2026-11-23T18:16:33.000000Z", INT64_C(1795457793000000000)},
        {"2026-11-23T18:16:33.5Z", INT64_C(1795457793500000000)},
        {"2026-11-23T18:16:33.123456789987Z", INT64_C(1795457793123456789)},
        {"2026-11-23T19:16:33+01:00", INT64_C(1795457793000000000)},
        {"2026-11-23T12:46:33-05:30", INT64_C(1795457793000000000)},
        {"2026-11-23T18:16:33+00:00", INT64_C(1795457793000000000)},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000000000)},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000000000)},
        {"2261-12-31T23:59:59Z", INT64_C(9214646399000000000)},
        {"2261-12-31T23:59:59-23:59", INT64_C(9214732739000000000)},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t ns = -1;
        print_message("%s\n", good[i].text);
        assert_int_equal(rfc3339_parse(slice_of(good[i].text), &ns), 0);
        assert_int_equal(ns, good[i].ns);
    }
    each_of(bad, "|2026-11-23|2026-11-23 "
                 "18:16:33Z|2026-11-23t18:16:33z|2026-11-23T18:16:33|2026-11-23T18:16:33z|2026-11-23T18:16Z|"
                 "2026-11-23T18:16:33.Z|2026-11-23T18:16:33,5Z|2026-11-23T18:16:33Zx|2026-11-23T18:16:33+"
                 "0100|2026-11-23T18:16:33+24:00|2026-11-23T18:16:33+01:60|2026-11-23T18:16:33+1:00|2026-13-"
                 "01T00:00:00Z|2026-00-01T00:00:00Z|2026-01-32T00:00:00Z|2026-04-31T00:00:00Z|2026-02-29T00:"
                 "00:00Z|2100-02-29T00:00:00Z|2026-11-23T24:00:00Z|2026-11-23T18:60:00Z|2026-11-23T18:16:60Z|"
                 "1969-12-31T23:59:59Z|2262-01-01T00:00:00Z|1970-01-01T00:00:00+00:01|+2026-11-23T18:16:33Z|"
                 "26-11-23T18:16:33Z|2026-1-23T18:16:33Z|2026-11-23T18:16:3-Z") {
        int64_t ns = 4711;
        assert_int_equal(rfc3339_parse(bad, &ns), -EINVAL);
        assert_int_equal(ns, 4711);
    }
}

CASE(formats) {
    char text[40];
    rfc3339_seconds(INT64_C(1795457793999999999), text); /* cut, never rounded into the future */
    assert_string_equal(text, "2026-11-23T18:16:33Z");
    rfc3339_micro(INT64_C(1795457793000001999), text);
    assert_string_equal(text, "2026-11-23T18:16:33.000001Z");
    rfc3339_micro(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
    rfc3339_seconds(-5, text); /* nothing before the epoch */
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    rfc3339_seconds(INT64_MAX, text);
    assert_string_equal(text, "2262-04-11T23:47:16Z");
}

CASE(against_the_c_library) {
    struct rng r = {3};
    for (int i = 0; i < 20000; i++) {
        int64_t ns = (int64_t)rng_below(&r, UINT64_C(9214646400) * 1000000000), back = -1;
        time_t sec = (time_t)(ns / NS_PER_S);
        struct tm tm;
        char want[40], got[40];
        gmtime_r(&sec, &tm);
        strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", &tm);
        rfc3339_seconds(ns, got);
        assert_string_equal(got, want);
        rfc3339_micro(ns, got);
        assert_int_equal(rfc3339_parse(slice_of(got), &back), 0);
        assert_int_equal(back, ns - ns % 1000);
    }
}

CASES("api/rfc3339")
