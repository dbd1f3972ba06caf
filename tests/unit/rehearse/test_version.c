/* Versions there and back, and put into objects without touching another byte. */
#include "../case.h"
#include "base/rand.h"
#include "rehearse/version.h"

static void rewrites(const char *raw, const char *live, unsigned change, const char *want) {
    struct buf out = BUF(4096);
    int e = version_rewrite(&out, slice_of(raw), slice_of(live), change);
    if (want) {
        assert_int_equal(e, 0);
        assert_buf(out, want);
    } else {
        assert_int_equal(e, -EINVAL);
    }
    buf_free(&out);
}

CASE(a_version_comes_back_as_it_went_out) {
    struct rng g = {7};
    for (int i = 0; i < 2000; i++) {
        struct buf live = BUF(64), out = BUF(64);
        struct slice back;
        unsigned change = (unsigned)rng_below(&g, VERSION_CHANGES + 1), got;
        buf_addf(&live, "%llu", (unsigned long long)(rng_next(&g) >> rng_below(&g, 63)) | 1);
        assert_int_equal(version_out(&out, buf_slice(&live), change), 0);
        assert_int_equal(out.n, live.n + VERSION_DIGITS);
        assert_int_equal(version_in(buf_slice(&out), &back, &got), 0);
        assert_slice(back, buf_str(&live));
        assert_int_equal(got, change);
        buf_free(&live);
        buf_free(&out);
    }
}

CASE(a_precondition_may_be_the_servers_own_version) {
    static const struct {
        const char *given, *live; /* NULL: none */
        unsigned change;
    } cases[] = {{"12345000007", "12345", 7},
                 {"1234567", "1", 234567},
                 {"123456", "123456", 0},
                 {"5", "5", 0},
                 {"", "", 0},
                 {"0", "0", 0},
                 {"05", NULL, 0},
                 {"5x", NULL, 0},
                 {"x", NULL, 0},
                 {"-5", NULL, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice live;
        unsigned change = 9;
        int e = version_precondition(slice_of(cases[i].given), &live, &change);
        assert_int_equal(e, cases[i].live ? 0 : -EINVAL);
        if (e < 0) continue;
        assert_slice(live, cases[i].live);
        assert_int_equal(change, cases[i].change);
    }
}

CASE(any_version_stays) {
    struct buf out = BUF(64);
    struct slice live = SL("x");
    unsigned change = 1;
    assert_int_equal(version_out(&out, SL("0"), 3), 0);
    assert_buf(out, "0");
    assert_int_equal(version_out(&out, SL(""), 3), 0);
    assert_buf(out, "0");
    assert_int_equal(version_in(SL(""), &live, &change), 0);
    assert_slice(live, "");
    assert_int_equal(change, 0);
    assert_int_equal(version_in(SL("0"), &live, &change), 0);
    assert_slice(live, "0");
    assert_int_equal(version_out(&out, SL("7"), VERSION_CHANGES + 1), -ERANGE);
    buf_free(&out);
}

CASE(what_no_rehearsal_gave_is_refused) {
    static const char *const bad[] = {"1",         "12345",     "123456",   "0000000",
                                      "0123456",   "abcdefg",   "1234567x", "1 000000",
                                      "1\"000000", "1\\000000", "-000001x", " 1000000\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct slice live;
        unsigned change;
        if (version_in(slice_of(bad[i]), &live, &change) != -EINVAL) fail_msg("taken: %s", bad[i]);
    }
}

CASE(every_other_byte_stays) {
    rewrites(
        "{\"kind\":\"A\", \"metadata\" : {\"name\":\"\\u00e9\",\"resourceVersion\": \"12\" ,\"uid\":\"u\"} }",
        "", 0,
        "{\"kind\":\"A\", \"metadata\" : {\"name\":\"\\u00e9\",\"resourceVersion\": \"12000000\" "
        ",\"uid\":\"u\"} }");
    rewrites("{\"metadata\":{\"resourceVersion\":\"12\"},\"spec\":{\"resourceVersion\":\"5\"}}", "15", 7,
             "{\"metadata\":{\"resourceVersion\":\"15000007\"},\"spec\":{\"resourceVersion\":\"5\"}}");
    rewrites(" {\"spec\":{\"metadata\":{\"resourceVersion\":\"5\"}},\"metadata\":{\"annotations\":{\"a\":"
             "\"resourceVersion\"}}}",
             "15", 0,
             " {\"spec\":{\"metadata\":{\"resourceVersion\":\"5\"}},\"metadata\":{\"resourceVersion\":"
             "\"15000000\",\"annotations\":{\"a\":"
             "\"resourceVersion\"}}}");
}

CASE(an_object_without_a_version_gets_one) {
    rewrites("{\"kind\":\"A\"}", "15", 1, "{\"metadata\":{\"resourceVersion\":\"15000001\"},\"kind\":\"A\"}");
    rewrites("{}", "15", 1, "{\"metadata\":{\"resourceVersion\":\"15000001\"}}");
    rewrites("{\"metadata\":{}}", "15", 1, "{\"metadata\":{\"resourceVersion\":\"15000001\"}}");
    rewrites("{\"metadata\":null}", "15", 1, "{\"metadata\":{\"resourceVersion\":\"15000001\"}}");
    rewrites("{\"metadata\":{\"resourceVersion\":null}}", "15", 1,
             "{\"metadata\":{\"resourceVersion\":\"15000001\"}}");
    rewrites("{\"metadata\":{\"name\":\"a\"}}", "", 1, "{\"metadata\":{\"name\":\"a\"}}");
    rewrites("[]", "15", 1, NULL);
    rewrites("", "15", 1, NULL);
}

CASE(a_version_is_found_within_its_object_alone) {
    struct slice v;
    assert_true(version_find(SL("{\"metadata\":{\"resourceVersion\":\"12\"}}"), &v));
    assert_slice(v, "12");
    assert_false(version_find(SL("{\"spec\":{\"metadata\":{\"resourceVersion\":\"12\"}}}"), &v));
    assert_false(version_find(SL("{\"metadata\":{\"resourceVersion\":12}}"), &v));
    assert_false(version_find(SL("[{\"metadata\":{\"resourceVersion\":\"12\"}}]"), &v));
    const char text[] = "{\"metadata\":{\"resourceVersion\":\"12\"}}";
    for (size_t n = 0; n < sizeof text - 1; n++) { /* cut: ASan sees a read behind it */
        char *copy = xmalloc(n);
        memcpy(copy, text, n);
        if (version_find(slice_make(copy, n), &v)) assert_true(v.p + v.n <= copy + n);
        free(copy);
    }
}

CASES("rehearse/version")
