/* UTF-8: decoding, cutting, and what a terminal may see of it. */
#include "../case.h"
#include "base/rand.h"
#include "base/utf8.h"

CASE(characters) {
    const struct {
        struct slice s;
        int32_t c;
        size_t n;
    } cases[] = {{SL("a"), 'a', 1},
                 {SL("\0"), 0, 1},
                 {SL("\xc2\x9b"), 0x9b, 2},
                 {SL("\xe2\x82\xac."), 0x20ac, 3},
                 {SL("\xf0\x9f\x98\x80"), 0x1f600, 4},
                 {SL("\xf4\x8f\xbf\xbf"), 0x10ffff, 4},
                 {SL("\xc0\x80"), -1, 1}, /* overlong */
                 {SL("\xe0\x9f\xbf"), -1, 1},
                 {SL("\xf0\x8f\xbf\xbf"), -1, 1},
                 {SL("\xed\xa0\x80"), -1, 1}, /* a surrogate */
                 {SL("\xf4\x90\x80\x80"), -1, 1},
                 {SL("\xe2\x82"), -1, 1}, /* cut off */
                 {SL("\xe2("), -1, 1},
                 {SL("\x82"), -1, 1},
                 {SL("\xff"), -1, 1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n = 0;
        assert_int_equal(utf8_next(cases[i].s, &n), cases[i].c);
        assert_int_equal(n, cases[i].n);
        assert_int_equal(utf8_len(cases[i].s), cases[i].c < 0 ? 0 : n);
        assert_int_equal(slice_is_text(slice_make(cases[i].s.p, n)), cases[i].c >= 0);
    }
    assert_int_equal(utf8_len((struct slice){0}), 0);
}

CASE(cuts) {
    const struct {
        struct slice s;
        size_t max, n;
    } cases[] = {{{0}, 0, 0},
                 {SL("abc"), 3, 3},
                 {SL("abc"), 2, 2},
                 {SL("a\xe2\x82\xac"), 4, 4},
                 {SL("a\xe2\x82\xac"), 3, 1},
                 {SL("a\xe2\x82\xac"), 2, 1},
                 {SL("\xe2\x82\xac"), 2, 0},
                 {SL("\x80\x80\x80\x80\x80\x80"), 4, 4}, /* no character: nothing is lost */
                 {SL("ab\xff\x80\x80"), 4, 4}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(utf8_cut(cases[i].s, cases[i].max).n, cases[i].n);
}

CASE(what_a_terminal_may_act_on_is_escaped) {
    const struct {
        struct slice s;
        const char *safe;
    } cases[] = {{SL("plain \xc3\xa9 \xf0\x9f\x98\x80 \"=\\"), "plain \xc3\xa9 \xf0\x9f\x98\x80 \"=\\"},
                 {SL("a\nb\tc\rd\0e"), "a\\nb\\tc\\rd\\x00e"},
                 {SL("\x1b[31m\x7f\x07"), "\\x1b[31m\\x7f\\x07"},
                 {SL("\xc2\x9b"
                     "0m\xc2\x80\xc2\x9f\xc2\xa0"),
                  "\\u009b0m\\u0080\\u009f\xc2\xa0"},
                 {SL("\x9b"
                     "0m\xff\xe2\x80"),
                  "\\x9b0m\\xff\\xe2\\x80"},
                 {SL("\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9"), "\\u202a\\u202e\\u2066\\u2069"},
                 {SL("\xe2\x80\x8b\xe2\x80\xa8\xef\xbb\xbf\xd8\x9c"), "\\u200b\\u2028\\ufeff\\u061c"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf b = BUF(200);
        utf8_add_safe(&b, cases[i].s);
        assert_buf(b, cases[i].safe);
    }
}

/* Whatever comes: the cut is a prefix of at most max bytes, the safe text is safe and stays as it is. */
CASE(random_bytes) {
    struct rng r = {17};
    for (int i = 0; i < 20000; i++) {
        char raw[24];
        size_t n = rng_below(&r, sizeof raw + 1), max = rng_below(&r, sizeof raw);
        for (size_t k = 0; k < n; k++)
            raw[k] = "\x00\n\x1b\x7f"
                     "az\x80\x9b\xa0\xbf\xc2\xe2\x82\xac\xf0\xff"[rng_below(&r, 16)];
        struct slice s = slice_make(raw, n), cut = utf8_cut(s, max);
        assert_true(cut.p == s.p && cut.n <= max && (s.n <= max ? cut.n == s.n : cut.n + 3 >= max));
        if (slice_is_text(s)) assert_true(slice_is_text(cut));
        cleanup_buf struct buf once = BUF(400), twice = BUF(400);
        utf8_add_safe(&once, s);
        utf8_add_safe(&twice, buf_slice(&once));
        assert_true(slice_is_text(buf_slice(&once)) && slice_eq(buf_slice(&once), buf_slice(&twice)));
    }
}

CASES("base/utf8")
