/* Text for a terminal and tables made of it: what goes in, the very lines that come out. */
#include "../check.h"
#include <locale.h>
#include "table.h"
#include "text.h"

static void text_is_cleaned(void **state) {
    (void)state;
    static const struct {
        const char *in, *utf8, *ascii;
    } cases[] = {
        {"plain: ok", "plain: ok", "plain: ok"},
        {"\x1b[31mred\x07\n\x7f", "\\x1b[31mred\\x07\\n\\x7f", "\\x1b[31mred\\x07\\n\\x7f"},
        {"\xc2\x9b"
         "2J",
         "\\u009b2J", "?2J"}, /* CSI in one character */
        {"\xff"
         "a\xe2\x82",
         "\\xffa\\xe2\\x82", "\\xffa\\xe2\\x82"},
        {"v1\u202e1v", "v1\\u202e1v", "v1?1v"}, /* right-to-left override */
        {"größe 日本 e\u0301", "größe 日本 e\u0301", "gr??e ?? e?"},
        {"", "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_free char *utf8 = text_cleaned(cases[i].in, true), *ascii = text_cleaned(cases[i].in, false);
        assert_string_equal(utf8, cases[i].utf8);
        assert_string_equal(ascii, cases[i].ascii);
    }
    cleanup_free char *none = text_cleaned(NULL, true);
    assert_string_equal(none, "");
}

/* Whatever the bytes: nothing comes out that a terminal obeys, and cleaning it again changes nothing. */
static void no_bytes_reach_the_terminal_as_a_command(void **state) {
    (void)state;
    unsigned seed = 1;
    for (int round = 0; round < 20000; round++) {
        char in[12];
        for (size_t i = 0; i < sizeof in; i++) {
            seed = seed * 1103515245 + 12345;
            in[i] = (char)(seed >> 16);
        }
        cleanup_buf struct buf out = BUF(1024), again = BUF(1024);
        text_clean(&out, slice_make(in, sizeof in), true);
        assert_true(slice_is_text(buf_slice(&out)));
        for (size_t i = 0; i < out.n; i++) {
            assert_true((unsigned char)out.p[i] >= 0x20 && out.p[i] != 0x7f);
            assert_false((unsigned char)out.p[i] == 0xc2 && (unsigned char)out.p[i + 1] < 0xa0);
        }
        text_clean(&again, buf_slice(&out), true);
        assert_buf(again, buf_str(&out));
    }
}

static void columns_and_cuts_count_as_the_terminal_does(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned columns, room;
        const char *begin, *end;
    } cases[] = {
        {"abcdef", 6, 3, "abc", "def"},
        {"日本語", 6, 3, "日", "語"}, /* two columns each */
        {"日本語", 6, 4, "日本", "本語"},
        {"e\u0301e\u0301e", 3, 2, "e\u0301e\u0301", "\u0301e\u0301e"}, /* an accent takes none */
        {"ab", 2, 9, "ab", "ab"},
        {"ab", 2, 0, "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice s = slice_of(cases[i].text);
        assert_int_equal(text_columns(s, true), cases[i].columns);
        assert_slice(text_fit(s, cases[i].room, false, true), cases[i].begin);
        struct slice end = text_fit(s, cases[i].room, true, true);
        assert_true(text_columns(end, true) <= cases[i].room);
        if (i != 3) assert_slice(end, cases[i].end);
    }
}

/* What both have in common goes first, then each is cut; the arrow never. */
static void a_pair_shows_what_differs(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned columns;
        const char *fits;
    } cases[] = {
        {"w:v1 -> w:v2", 12, "w:v1 -> w:v2"},
        {"w:v1 -> w:v2", 10, "w:v1 -> v2"},
        {"w:v1 -> w:v2", 9, "v1 -> v2"},
        {"w@sha256:0123456789ab -> w@sha256:fedcba987654", 40, "w@sha256:0123456789ab -> fedcba987654"},
        {"w@sha256:0123456789ab -> w@sha256:fedcba987654", 20, "0123456~ -> fedcba9~"},
        {"w:1.2.3-20260101 -> w:1.2.3-20260102", 22, "~20260101 -> ~20260102"},
        {"invoice:2.4.11 -> invoice:2.5.0-rc.1", 16, "2.4.11 -> 2.5.0~"},
        {"a:1 -> registry:latest", 14, "a:1 -> regist~"},
        {"registry:latest -> b:1", 14, "regist~ -> b:1"},
        {"w:v1 -> w:v1", 8, "v1 -> v1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf out = BUF(200);
        assert_true(text_fit_pair(&out, slice_of(cases[i].text), cases[i].columns, false));
        assert_buf(out, cases[i].fits);
    }
    for (unsigned width = 8; width < 60; width++)
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            cleanup_buf struct buf out = BUF(200);
            text_fit_pair(&out, slice_of(cases[i].text), width, true);
            assert_true(text_columns(buf_slice(&out), true) <= width);
            assert_non_null(strstr(buf_str(&out), " -> "));
        }
    cleanup_buf struct buf none = BUF(200);
    assert_false(text_fit_pair(&none, SL("w:v1"), 3, true));
    assert_int_equal(none.n, 0);
    assert_int_equal(text_pair_columns(SL("w:v1"), true), 0);
    assert_int_equal(text_pair_columns(SL("w:v1 -> w:v2"), true), 8);
}

static const struct table_column columns[] = {
    {"NAME", TABLE_CUT_END}, {"PHASE", TABLE_WHOLE}, {"VERSION", TABLE_CUT_START}};

static void print(const struct table_style *style, struct buf *out) {
    cleanup_table struct table *t = table_new(style, columns, ARRAY_LEN(columns));
    table_cell(t, NULL, "widget-operator");
    table_cell(t, "\x1b[32m", "Soaking");
    table_cell(t, NULL, "widget:v1 -> widget:v2");
    table_note(t, "\x1b[33m", "the canary has no metrics yet, so nothing is decided");
    table_cell(t, NULL, "größe");
    table_cell(t, NULL, "Stable");
    table_cell(t, NULL, "日本:v1");
    buf_clear(out);
    table_print(t, out);
}

static void tables_fit_the_terminal(void **state) {
    (void)state;
    cleanup_buf struct buf out = BUF(4096);
    struct table_style style = {.utf8 = true};
    print(&style, &out); /* a pipe: nothing is cut */
    assert_buf(out, "NAME             PHASE    VERSION\n"
                    "widget-operator  Soaking  widget:v1 -> widget:v2\n"
                    "    the canary has no metrics yet, so nothing is decided\n"
                    "größe            Stable   日本:v1\n");
    style.width = 37;
    print(&style, &out);
    assert_buf(out, "NAME           PHASE    VERSION\n"
                    "widget-opera…  Soaking  …-> widget:v2\n"
                    "    the canary has no metrics yet, so\n"
                    "      nothing is decided\n"
                    "größe          Stable   日本:v1\n");
    style = (struct table_style){.colour = true, .width = 80};
    print(&style, &out);
    assert_buf(out, "\x1b[2mNAME\x1b[0m             \x1b[2mPHASE\x1b[0m    \x1b[2mVERSION\x1b[0m\n"
                    "widget-operator  \x1b[32mSoaking\x1b[0m  widget:v1 -> widget:v2\n"
                    "    \x1b[33mthe canary has no metrics yet, so nothing is decided\x1b[0m\n"
                    "gr??e            Stable   ??:v1\n");
}

/* At every width down to where the short columns alone do not fit, no line is longer than the terminal. */
static void no_line_is_longer_than_the_terminal(void **state) {
    (void)state;
    for (unsigned width = 24; width < 90; width++) {
        struct table_style style = {.utf8 = true, .width = width};
        cleanup_buf struct buf out = BUF(4096);
        print(&style, &out);
        struct slice rest = buf_slice(&out), line;
        while (slice_cut(rest, '\n', &line, &rest)) assert_true(text_columns(line, true) <= width);
    }
}

static void a_word_longer_than_the_line_is_broken(void **state) {
    (void)state;
    struct table_style style = {.width = 20};
    cleanup_table struct table *t = table_new(&style, columns, 1);
    table_cell(t, NULL, "x");
    table_note(t, NULL, "sha256:0123456789abcdef0123456789 ends");
    cleanup_buf struct buf out = BUF(4096);
    table_print(t, &out);
    assert_buf(out, "NAME\nx\n    sha256:012345678\n      9abcdef0123456\n      789 ends\n");
}

static void a_table_without_titles_has_no_header(void **state) {
    (void)state;
    static const struct table_column plain[] = {{NULL, TABLE_WHOLE}, {NULL, TABLE_CUT_END}};
    struct table_style style = {.width = 12};
    cleanup_table struct table *t = table_new(&style, plain, ARRAY_LEN(plain));
    table_cell(t, NULL, "+");
    table_cell(t, NULL, "a step with a title");
    cleanup_buf struct buf out = BUF(4096);
    table_print(t, &out);
    assert_buf(out, "+  a step w~\n");
}

int main(void) {
    if (!setlocale(LC_CTYPE, "C.UTF-8")) return 77;
    const struct CMUnitTest tests[] = {
        TEST(text_is_cleaned),
        TEST(no_bytes_reach_the_terminal_as_a_command),
        TEST(columns_and_cuts_count_as_the_terminal_does),
        TEST(a_pair_shows_what_differs),
        TEST(tables_fit_the_terminal),
        TEST(no_line_is_longer_than_the_terminal),
        TEST(a_table_without_titles_has_no_header),
        TEST(a_word_longer_than_the_line_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
