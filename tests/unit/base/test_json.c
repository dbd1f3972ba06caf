/* cJSON's accessors. */
#include "../case.h"
#include "../each.h"
#include "base/json.h"

static const char doc[] =
    "{\"a\":{\"b\":{\"c\":\"x\"}},\"s\":\"text\",\"n\":7,\"f\":1.5,\"t\":true,\"l\":[1],\"z\":null,"
    "\"big\":9223372036854775807,\"huge\":1e300,\"min\":-9223372036854775808,\"A\":1}";

CASE(types_are_checked) {
    struct err err = {0};
    cleanup_json cJSON *v = json_parse(slice_of(doc), &err);
    assert_non_null(v);
    assert_string_equal(json_str(v, "s"), "text");
    assert_null(json_str(v, "n"));
    assert_null(json_str(v, "z"));
    assert_null(json_str(v, "S")); /* case-sensitive */
    assert_string_equal(json_str_or(v, "n", "def"), "def");
    assert_int_equal(json_i64(v, "n", -1), 7);
    assert_int_equal(json_i64(v, "f", -1), -1);
    assert_int_equal(json_i64(v, "s", -1), -1);
    assert_int_equal(json_i64(v, "big", -1), -1); /* as a double it is 2^63: too large */
    assert_int_equal(json_i64(v, "huge", -1), -1);
    assert_true(json_i64(v, "min", -1) == INT64_MIN);
    assert_true(json_num(v, "f", 0) > 1.4 && json_num(v, "f", 0) < 1.6);
    assert_true(json_num(v, "s", 3) > 2.9);
    assert_true(json_bool(v, "t", false) && json_bool(v, "n", true) && !json_bool(v, "n", false));
    assert_non_null(json_arr(v, "l"));
    assert_null(json_arr(v, "a"));
    assert_non_null(json_obj(v, "a"));
    assert_null(json_obj(v, "l"));
    assert_string_equal(cJSON_GetStringValue(json_at(v, "a/b/c")), "x");
    assert_null(json_at(v, "a/x/c"));
    assert_null(json_at(v, "s/x"));
    assert_ptr_equal(json_get(v, "s"), json_at(v, "s"));
    assert_null(json_get(json_arr(v, "l"), "a")); /* an array has no members */
    cleanup_free char *text = json_print(json_get(v, "a"));
    assert_string_equal(text, "{\"b\":{\"c\":\"x\"}}");
}

CASE(only_json) {
    each_of(
        bad,
        "| |{|{}x|{} {}|01|1.|'a'|[1,]|{\"a\":1,}|nul|\"\t\"|\xef\xbb\xbf{}|NaN|+1|[1 2]|{\"a\" 1}|{a:1}") {
        struct err err = {0};
        assert_null(json_parse(bad, &err));
        assert_int_equal(err.kind, ERR_PROTOCOL);
        assert_true(err.msg[0]);
    }
    cleanup_json cJSON *v = json_parse(SL(" \t\r\n1 "), NULL);
    assert_true(cJSON_IsNumber(v));
    const char part[] = {'[', '1', ']', '9'}; /* no NUL behind it */
    cleanup_json cJSON *w = json_parse(slice_make(part, 3), NULL);
    assert_true(cJSON_IsArray(w));
}

CASE(depth) {
    char text[2002];
    memset(text, '[', 1000);
    memset(text + 1000, ']', 1000);
    cleanup_json cJSON *v = json_parse(slice_make(text, 2000), NULL);
    assert_non_null(v);
    memset(text, '[', 1001);
    memset(text + 1001, ']', 1001);
    struct err err = {0};
    assert_null(json_parse(slice_make(text, 2002), &err));
    assert_non_null(strstr(err.msg, "deep"));
}

CASES("base/json")
