/* What is drawn on a terminal in place, and JSON for people. */
#include "../check.h"
#include "base/json_raw.h"
#include <locale.h>
#include "screen.h"
#include "status_watch.h"
#include "yaml_print.h"

#define NOW_NS (INT64_C(1795458000) * NS_PER_S)

/* No more lines than fit, none ended by the last: nothing scrolls. Each is cleared before it is written, and the rest of the screen. */
static void a_frame_never_scrolls(void **state) {
    (void)state;
    cleanup_buf struct buf out = BUF(4096);
    screen_frame(&out, SL("one\ntwo\nthree\n"), 2);
    assert_buf(out, "\x1b[H\x1b[Kone\r\n\x1b[Ktwo");
    buf_clear(&out);
    screen_frame(&out, SL("one\ntwo\n"), 3);
    assert_buf(out, "\x1b[H\x1b[Kone\r\n\x1b[Ktwo\r\n\x1b[J");
    buf_clear(&out);
    screen_frame(&out, SL("one\n"), 0);
    assert_buf(out, "\x1b[H\x1b[Kone\r\n\x1b[J");
    buf_clear(&out);
    screen_frame(&out, SL(""), 5);
    assert_buf(out, "\x1b[H\x1b[J");
}

static void what_was_known_stays_while_the_server_is_lost(void **state) {
    (void)state;
    cleanup_buf struct buf out = BUF(4096);
    struct status_report r = {.ns = "a"};
    struct table_style style = {.width = 60, .height = 10};
    status_watch_frame(NULL, "Connection refused", NOW_NS - 2 * NS_PER_S, 0, &style, NOW_NS, &out);
    assert_buf(out, "no answer for 2s: Connection refused\n");
    buf_clear(&out);
    status_watch_frame(&r, "\x1b[2Jlost", NOW_NS - 70 * NS_PER_S, NOW_NS - 71 * NS_PER_S, &style, NOW_NS,
                       &out);
    assert_buf(out, "no answer for 1m10s, this is 1m11s old: \\x1b[2Jlost\n"
                    "leader: none, the Lease does not exist\n"
                    "no Deployment or StatefulSet in namespace a carries the\n"
                    "annotation handover.dev/canary-percent; -A looks in all\n"
                    "namespaces\n");
    buf_clear(&out);
    style.width = 20;
    status_watch_frame(NULL, "Connection refused", NOW_NS, 0, &style, NOW_NS, &out);
    assert_buf(out, "no answer for 0s: Co\n");
    buf_clear(&out);
    status_watch_frame(&r, NULL, 0, NOW_NS, &style, NOW_NS, &out);
    assert_true(strncmp(buf_str(&out), "leader: ", 8) == 0);
}

static void yaml_says_what_the_json_says(void **state) {
    (void)state;
    static const struct {
        const char *json, *yaml;
    } cases[] = {
        {"{\"version\":1,\"leader\":\"handover-a_1\",\"targets\":[]}\n",
         "version: 1\nleader: handover-a_1\ntargets: []\n"},
        {"{\"a\":[{\"b\":\"x:v1\",\"c\":{\"d\":null}},{\"b\":\"\"}],\"e\":{}}",
         "a:\n- b: x:v1\n  c:\n    d: null\n- b: \"\"\ne: {}\n"},
        {"{\"t\":\"true\",\"n\":\"1e3\",\"s\":\"a: b\",\"h\":\"# "
         "c\",\"l\":\"two\\nlines\",\"big\":9007199254740993,\"f\":1e15}",
         "t: \"true\"\n\"n\": \"1e3\"\ns: \"a: b\"\nh: \"# c\"\nl: \"two\\nlines\"\nbig: "
         "9007199254740993\nf: 1e15\n"},
        {"[[1,2],[],\"no\",\"end:\"]", "-\n  - 1\n  - 2\n- []\n- \"no\"\n- \"end:\"\n"},
        {"{}", "{}\n"},
        {"true", "true\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf out = BUF(4096);
        assert_int_equal(json_raw_check(slice_of(cases[i].json), NULL), 0);
        yaml_print(slice_of(cases[i].json), &out);
        assert_buf(out, cases[i].yaml);
    }
}

int main(void) {
    if (!setlocale(LC_CTYPE, "C.UTF-8")) return 77;
    const struct CMUnitTest tests[] = {
        TEST(a_frame_never_scrolls),
        TEST(what_was_known_stays_while_the_server_is_lost),
        TEST(yaml_says_what_the_json_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
