/* The buffer and its cap. */
#include "../case.h"

CASE(cap_is_exact) {
    cleanup_buf struct buf b = BUF(5);
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(buf_adds(&b, "abc"), 0);
    assert_int_equal(buf_adds(&b, "de"), 0); /* the cap itself fits */
    assert_false(b.full);
    assert_int_equal(buf_addc(&b, 'f'), -ENOBUFS);
    assert_true(b.full);
    assert_buf(b, "abcde");
    assert_int_equal(buf_add(&b, SL("")), -ENOBUFS); /* every later one, even of nothing */
    assert_buf(b, "abcde");
    buf_consume(&b, 3);
    assert_true(b.full); /* something is still missing in the middle */
    assert_int_equal(buf_adds(&b, "x"), -ENOBUFS);
    assert_buf(b, "de");
    buf_clear(&b);
    assert_false(b.full);
    assert_int_equal(buf_adds(&b, "12345"), 0);
    assert_buf(b, "12345");
}

CASE(nothing_of_what_does_not_fit) {
    cleanup_buf struct buf b = BUF(10);
    buf_adds(&b, "123456");
    assert_int_equal(buf_addf(&b, "%s", "abcdef"), -ENOBUFS);
    assert_buf(b, "123456");
    buf_clear(&b);
    buf_adds(&b, "123456");
    assert_int_equal(buf_add_json(&b, SL("ab\n")), -ENOBUFS); /* its head would fit */
    assert_buf(b, "123456");
    assert_true(b.full);
    struct buf none = BUF(0);
    assert_int_equal(buf_add(&none, SL("")), 0);
    assert_int_equal(buf_addc(&none, 'x'), -ENOBUFS);
    buf_free(&none);
}

CASE(formats) {
    cleanup_buf struct buf b = BUF(10000);
    char big[1000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_int_equal(buf_addf(&b, "%d %s", 7, "y"), 0);
    assert_int_equal(buf_addf(&b, "|%s|", big), 0); /* longer than the buffer on the stack */
    assert_int_equal(b.n, 3 + 2 + 999);
    assert_true(strlen(b.p) == b.n);
    assert_int_equal(b.p[b.n - 1], '|');
}

CASE(grows_to_the_cap_only) {
    cleanup_buf struct buf b = BUF(100);
    for (int i = 0; i < 100; i++) assert_int_equal(buf_addc(&b, 'x'), 0);
    assert_true(b.cap <= 101);
    struct buf huge = BUF(SIZE_MAX); /* a cap that is none must not overflow the sums */
    assert_int_equal(buf_adds(&huge, "x"), 0);
    buf_free(&huge);
}

CASE(json_strings) {
    cleanup_buf struct buf b = BUF(1000);
    static const struct {
        const char *in, *out;
        size_t n;
    } cases[] = {
        {"plain", "\"plain\"", 5},
        {"", "\"\"", 0},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\"", 7},
        {"\n\r\t\b\f\x01\x7f", "\"\\n\\r\\t\\u0008\\u000c\\u0001\x7f\"", 7},
        {"a\0b", "\"a\\u0000b\"", 3},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", 9},
        {"\xff", "\"\xef\xbf\xbd\"", 1},                                                 /* no UTF-8 */
        {"\xc3", "\"\xef\xbf\xbd\"", 1},                                                 /* cut off */
        {"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\"", 2},                                 /* overlong */
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", 3},                 /* a surrogate */
        {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", 4}, /* past U+10FFFF */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_clear(&b);
        assert_int_equal(buf_add_json(&b, slice_make(cases[i].in, cases[i].n)), 0);
        assert_buf(b, cases[i].out);
    }
}

CASE(ownership) {
    struct buf b = BUF(10);
    char *p = buf_take(&b);
    assert_string_equal(p, "");
    free(p);
    buf_adds(&b, "abc");
    p = buf_take(&b);
    assert_string_equal(p, "abc");
    free(p);
    assert_true(b.p == NULL && b.n == 0 && b.max == 10 && !b.full);
    buf_adds(&b, "abcdefghijk");
    assert_true(b.full);
    buf_free(&b);
    assert_true(b.max == 10 && !b.full && !b.p);
    buf_free(NULL);
    buf_adds(&b, "abc");
    buf_consume(&b, 99);
    assert_buf(b, "");
    buf_free(&b);
}

CASES("base/buf")
