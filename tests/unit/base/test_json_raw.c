/* JSON as text: what is well-formed, cursors, look-ups, strings. */
#include "../case.h"
#include "../each.h"
#include "base/json_raw.h"

CASE(well_formed) {
    static const struct {
        const char *why, *texts; /* with ' for " */
    } bad[] = {
        {"empty", ""},
        {"at byte 1 of 1", " "},
        {"leading zero", "01"},
        {"bad number", "-|1.|1e"},
        {"no value", ".5|+1|True|[}|{'a':}"},
        {"behind", "0x1|'a'b"},
        {"unknown word", "tru"},
        {"no value at byte 3", "[1,]"},
        {"no value at byte 1", "[,1]"},
        {"no comma at byte 3", "[1 2]"},
        {"no comma", "[1}|{'a':1 'b':2}"},
        {"inside a container", "[1"},
        {"no member name", "{]|{'a':1,}|{1:2}"},
        {"no colon", "{'a'}"},
        {"behind the value at byte 3", "{} {}"},
        {"without end", "'|'\\'|'\\"},
        {"bad escape", "'\\x'"},
        {"\\u escape", "'\\u12g4'|'\\u12"},
        {"control character", "'a\nb'"},
        {"UTF-8", "'\xff'|'\xc3'|'\xed\xa0\x80'|'\xc0\x80'"},
    };
    each_of(good, J("0|-0|-1.5e+3|1E-7|true|false|null|''|[]|{}| [ ] |{ }|[[],{},[{}]]|{'a':{'b':[]},'c':1}|"
                    "'\\u0000\\ud800\\''|\t\r\n 1\n|'\x7f'|[1,2 , 3]|{'':0}|'\xf4\x8f\xbf\xbf'")) {
        if (json_raw_check(good, NULL) < 0) fail_msg("%.*s", SLF(good));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        cleanup_free char *texts = quoted(xstrdup(bad[i].texts));
        each_of(text, texts) {
            struct err err = {0};
            assert_int_equal(json_raw_check(text, &err), -EINVAL);
            assert_int_equal(err.kind, ERR_PROTOCOL);
            if (!strstr(err.msg, bad[i].why)) fail_msg("%.*s: %s", SLF(text), err.msg);
        }
    }
    assert_int_equal(json_raw_check(SL("{}\0"), NULL), -EINVAL);
}

CASE(depth) {
    cleanup_buf struct buf b = BUF(10000);
    for (int n = 0; n < JSON_RAW_DEPTH; n++) buf_adds(&b, n % 2 ? "[" : "{\"a\":");
    for (int n = JSON_RAW_DEPTH; n-- > 0;) buf_adds(&b, n == JSON_RAW_DEPTH - 1 ? "1]" : n % 2 ? "]" : "}");
    assert_int_equal(json_raw_check(buf_slice(&b), NULL), 0);
    cleanup_buf struct buf c = BUF(10000);
    buf_addf(&c, "[%s]", b.p);
    assert_int_equal(json_raw_check(buf_slice(&c), NULL), -EINVAL);
    buf_clear(&c);
    for (int n = 0; n < 2000; n++) buf_adds(&c, "[],"); /* wide is not deep */
    buf_clear(&b);
    buf_addf(&b, "[%s[]]", c.p);
    assert_int_equal(json_raw_check(buf_slice(&b), NULL), 0);
}

CASE(cursors) {
    static const char *const members[][2] = {
        {"\"a\"", "[1,{\"x\":\"]}\"}]"}, {"\"b\\u0041\"", "-1.5e3"}, {"\"\"", "\"\\\\\\\"\""}};
    struct json_raw_it it = json_raw_each(JS(" { 'a' : [1,{'x':']}'}] ,'b\\u0041':-1.5e3 , '':'\\\\\\''} "));
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        assert_true(json_raw_next(&it));
        assert_slice(it.key, members[i][0]);
        assert_slice(it.value, members[i][1]);
    }
    assert_false(json_raw_next(&it));
    assert_false(json_raw_next(&it)); /* stays at the end */

    it = json_raw_each(SL("[null,true , [ ]]"));
    static const char *const want[] = {"null", "true", "[ ]"};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(json_raw_next(&it));
        assert_slice(it.value, want[i]);
        assert_int_equal(it.key.n, 0);
    }
    assert_false(json_raw_next(&it));
    each_of(none, "{}|[]| [ ] |1|\"[1]\"|null|") {
        it = json_raw_each(none);
        assert_false(json_raw_next(&it));
    }
    it = json_raw_each(slice_make(NULL, 0));
    assert_false(json_raw_next(&it));
}

/* In turns with json_raw_next(); what follows a value that was not measured is found all the same. */
CASE(cursors_that_do_not_measure) {
    static const size_t lengths[] = {13, 4, 3, 1};
    for (unsigned turns = 0; turns < 16; turns++) {
        struct slice doc = JS("{ 'a':{'x':[1,'}']} , 'b' : 'c,' ,'d':[2],'e':3}");
        struct json_raw_it it = json_raw_each(doc);
        for (unsigned i = 0; i < 4; i++) {
            bool measured = turns >> i & 1;
            assert_true(measured ? json_raw_next(&it) : json_raw_key(&it));
            assert_int_equal(it.key.p[1], "abde"[i]);
            assert_int_equal(it.value.p[0], "{\"[3"[i]);
            assert_int_equal(it.value.n, measured ? lengths[i] : (size_t)(doc.p + doc.n - it.value.p));
            struct json_raw_it in = json_raw_each(it.value);
            assert_int_equal(json_raw_next(&in), i == 0 || i == 2);
            if (i == 0) assert_slice(in.value, "[1,\"}\"]");
            assert_false(json_raw_next(&in));
        }
        assert_false(json_raw_key(&it));
        assert_false(json_raw_next(&it));
    }
    each_of(broken, "[}|[1|{\"a\":}|{\"a\"|[\"|{\"a\":]}|[,,|{\"a\":\\}|[1]]|[1 2") { /* whatever the text */
        struct json_raw_it it = json_raw_each(broken);
        for (int i = 0; json_raw_key(&it); i++) assert_true(i < 20);
    }
}

CASE(look_ups) {
    struct slice doc = SL("{\"a\":1,\"\\u0061\":2,\"a/b\":3,\"o\":{\"p\":{\"q\":[]}},\"a\\u0000\":4}"),
                 v = SL("untouched");
    assert_true(json_raw_get(doc, SL("a"), &v));
    assert_slice(v, "2"); /* the last one wins, by its unescaped name */
    assert_true(json_raw_get(doc, SL("a\0"), &v));
    assert_slice(v, "4");
    assert_true(json_raw_at(doc, "o/p/q", &v));
    assert_slice(v, "[]");
    v = SL("untouched");
    assert_false(json_raw_get(doc, SL("b"), &v));
    assert_false(json_raw_at(doc, "o/x/q", &v));
    assert_false(json_raw_at(doc, "a/b", &v)); /* a is a number */
    assert_false(json_raw_get(SL("[1]"), SL(""), &v));
    assert_slice(v, "untouched");
    assert_int_equal(json_raw_type(doc), JR_OBJECT);
    assert_int_equal(json_raw_type(SL("-1")), JR_NUMBER);
    assert_int_equal(json_raw_type(SL("\"\"")), JR_STRING);
    assert_int_equal(json_raw_type(SL("")), JR_INVALID);
    assert_int_equal(json_raw_type(SL("x")), JR_INVALID);
}

CASE(strings) {
    static const struct {
        const char *raw, *text;
        size_t n;
    } cases[] = {
        {"\"\"", "", 0},
        {"\"abc\"", "abc", 3},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
        {"\"a\\u0000b\"", "a\0b", 3},
        {"\"\\u00e9\\u20AC\\ud83D\\ude00\"", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9},
        {"\"\\ud800\"", "\xef\xbf\xbd", 3},
        {"\"\\ud800x\"", "\xef\xbf\xbdx", 4},
        {"\"\\udc00\\ud800\"", "\xef\xbf\xbd\xef\xbf\xbd", 6},
        {"\"\\ud800\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80", 7},
        {"\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf", 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf b = BUF(100);
        struct slice raw = slice_of(cases[i].raw), text = slice_make(cases[i].text, cases[i].n);
        assert_int_equal(json_raw_unescape(raw, &b), 0);
        assert_true(slice_eq(buf_slice(&b), text));
        assert_true(json_raw_string_is(raw, text));
        assert_false(json_raw_string_is(raw, SL("something else that is longer")));
        if (text.n) assert_false(json_raw_string_is(raw, slice_make(text.p, text.n - 1)));
    }
    each_of(bad, J("|'|abc|'a|'\\x'|'\\u12'|'\\'|1")) {
        cleanup_buf struct buf b = BUF(100);
        buf_adds(&b, "kept");
        assert_int_equal(json_raw_unescape(bad, &b), -EINVAL);
        assert_buf(b, "kept");
    }
    cleanup_buf struct buf small = BUF(3);
    assert_int_equal(json_raw_unescape(SL("\"ab\\ncd\""), &small), -ENOBUFS);
    assert_int_equal(small.n, 0);
}

/* Each byte at each place of a text of each length. */
CASE(plain_text) {
    char text[40] = "";
    for (size_t n = 0; n < sizeof text; n++) {
        for (size_t at = 0; at < n; at++) {
            for (unsigned c = 0; c < 256; c++) {
                memset(text, 'a', n);
                text[at] = (char)c;
                bool plain = c != '"' && c != '\\' && c >= 0x20;
                assert_ptr_equal(json_raw_plain(text, text + n), text + (plain ? n : at));
            }
        }
        memset(text, 0xff, n); /* whatever stands before it */
        assert_ptr_equal(json_raw_plain(text, text + n), text + n);
        if (n) text[n - 1] = '"';
        if (n) assert_ptr_equal(json_raw_plain(text, text + n), text + n - 1);
    }
}

CASES("base/json_raw")
