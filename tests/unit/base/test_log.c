/* Logs: filtering, and lines that stay lines whatever the values are. */
#include "../case.h"
#include "../log_line.h"
#include "base/json.h"
#include "base/json_raw.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/time.h"
#include <math.h>

static const int64_t noon = INT64_C(1795457793123456789); /* 2026-11-23T18:16:33.123456789Z */

struct seen {
    int calls;
    int64_t wall_ns;
    enum log_level level;
    size_t n;
};

static void sink(void *ctx, enum log_level level, int64_t wall_ns, const char *msg, const struct log_field *f,
                 size_t n) {
    (void)msg;
    (void)f;
    struct seen *s = ctx;
    *s = (struct seen){s->calls + 1, wall_ns, level, n};
}

static int64_t clock_fn(void *ctx) {
    return *(int64_t *)ctx;
}

CASE(filters) {
    struct seen seen = {0};
    int64_t now = noon;
    struct log log = {.sink = {sink, &seen}, .min = LOG_INFO, .wall_ns = clock_fn, .clock_ctx = &now};
    LOG(&log, LOG_DEBUG, "not seen", LF_INT("n", 1));
    assert_int_equal(seen.calls, 0);
    LOG(&log, LOG_WARN, "seen", LF_INT("n", 1), LF_STR("s", "x"));
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.level, LOG_WARN);
    assert_int_equal(seen.n, 2);
    assert_true(seen.wall_ns == noon);
    LOG_EVENT(&log, LOG_ERROR, "SeenToo", "seen too");
    assert_int_equal(seen.calls, 2);
    assert_int_equal(seen.n, 1); /* the event id */
    LOG_EVENT(&log, LOG_ERROR, "NoError", "an error that is not there", LF_ERR(NULL));
    assert_int_equal(seen.n, 2);
    LOG(NULL, LOG_ERROR, "dropped", LF_INT("n", 1));
    struct log empty = {0};
    LOG0(&empty, LOG_ERROR, "dropped");
}

CASE(both_formats) {
    struct err err = {0};
    err_set(&err, ERR_CONFIG, -EINVAL, "bad \"thing\"");
    const struct log_field f[] = {
        LF_STR("holder", "pod-1"), LF_INT("term", -3),   LF_NUM("rate", 0.1), LF_DUR("took", 3200000),
        LF_SLICE("s", SL("a b")),  LF_STR("none", NULL), LF_ERR(&err),        LF_DUR("long", 90 * NS_PER_S),
        LF_DUR("neg", -1500000000)};
    cleanup_buf struct buf b = BUF(4096);
    log_format_json(&b, LOG_INFO, noon, "lease acquired", f, ARRAY_LEN(f));
    assert_buf(b, "{\"ts\":\"2026-11-23T18:16:33.123456Z\",\"level\":\"info\",\"msg\":\"lease "
                  "acquired\",\"holder\":\"pod-1\","
                  "\"term\":-3,\"rate\":0.1,\"took\":0.0032,\"s\":\"a b\",\"none\":\"\",\"error\":\"bad "
                  "\\\"thing\\\"\","
                  "\"long\":90,\"neg\":-1.5}\n");
    buf_clear(&b);
    log_format_text(&b, LOG_INFO, noon, "lease acquired", f, ARRAY_LEN(f));
    assert_buf(b, "2026-11-23T18:16:33.123456Z INFO  lease acquired holder=pod-1 term=-3 rate=0.1 "
                  "took=0.0032s s=\"a b\" "
                  "none=\"\" error=\"bad \\\"thing\\\"\" long=90s neg=-1.5s\n");
    buf_clear(&b);
    log_format_text(&b, LOG_ERROR, 0, "m", NULL, 0);
    log_format_text(&b, LOG_WARN, -1000, "m", NULL, 0);
    log_format_text(&b, LOG_DEBUG, INT64_C(1709210096000000000), "leap day", NULL, 0);
    assert_buf(b, "1970-01-01T00:00:00.000000Z ERROR m\n1969-12-31T23:59:59.999999Z WARN  m\n"
                  "2024-02-29T12:34:56.000000Z DEBUG leap day\n");
}

CASE(hostile_values) {
    const char *evil = "a\nlevel=error \x1b[31m\"x\\y\r\t\x7f \xc2\x9b"
                       "0m \xff\xc3\xa9";
    const struct log_field f[] = {LF_STR("v", evil), LF_SLICE("nul", SL("a\0b")), LF_STR("eq", "a=b"),
                                  LF_NUM("nan", (double)NAN), LF_NUM("inf", -(double)INFINITY)};
    cleanup_buf struct buf b = BUF(4096);
    log_format_text(&b, LOG_INFO, noon, "two\nlines\x1b", f, ARRAY_LEN(f));
    assert_buf(b, "2026-11-23T18:16:33.123456Z INFO  two\\nlines\\x1b v=\"a\\nlevel=error "
                  "\\x1b[31m\\\"x\\\\y\\r\\t\\x7f \\u009b0m "
                  "\\xff\xc3\xa9\" nul=\"a\\x00b\" eq=\"a=b\" nan=nan inf=-inf\n");
    buf_clear(&b);
    log_format_json(&b, LOG_INFO, noon, "two\nlines", f, ARRAY_LEN(f));
    cleanup_json cJSON *v = json_parse(slice_make(b.p, b.n), NULL);
    assert_non_null(v);
    assert_string_equal(json_str(v, "msg"), "two\nlines");
    assert_string_equal(json_str(v, "v"), "a\nlevel=error \x1b[31m\"x\\y\r\t\x7f \xc2\x9b"
                                          "0m \xef\xbf\xbd\xc3\xa9");
    assert_string_equal(json_str(v, "nan"), "NaN");
    assert_string_equal(json_str(v, "inf"), "-Inf");
    assert_ptr_equal(strchr(b.p, '\n'), b.p + b.n - 1); /* one line */
}

CASE(long_values_are_cut) {
    char big[20000];
    for (size_t i = 0; i + 3 < sizeof big; i += 3) memcpy(big + i, "\xe2\x82\xac", 4);
    const struct log_field f[] = {LF_STR("v", big), LF_INT("after", 7)};
    cleanup_buf struct buf b = BUF(100000);
    log_format_json(&b, LOG_INFO, noon, big, f, 2);
    cleanup_json cJSON *v = json_parse(buf_slice(&b), NULL);
    assert_non_null(v);
    const char *text = json_str(v, "v");
    assert_true(strlen(text) > 4000 && strlen(text) <= 4099);
    assert_string_equal(text + strlen(text) - 6, "\xe2\x82\xac...");
    assert_int_equal(json_i64(v, "after", 0), 7);
    assert_true(strlen(json_str(v, "msg")) <= 4099);
    buf_clear(&b);
    log_format_text(&b, LOG_INFO, noon, big, f, 2);
    assert_true(b.n < 9000);
    assert_string_equal(b.p + b.n - 13, "...\" after=7\n");
}

/* Whatever the cap: a line is whole or not there, and what was before stays. */
CASE(full_buffers) {
    const struct log_field f[] = {LF_STR("k", "a\"\n\xff"), LF_DUR("d", 1500000000), LF_NUM("n", 1e100)};
    for (size_t max = 0; max < 260; max++) {
        for (int json = 0; json < 2; json++) {
            cleanup_buf struct buf b = BUF(max);
            buf_adds(&b, "x\n");
            size_t before = b.n;
            if (json) {
                log_format_json(&b, LOG_INFO, noon, "message", f, 3);
            } else {
                log_format_text(&b, LOG_INFO, noon, "message", f, 3);
            }
            if (b.full) {
                assert_int_equal(b.n, before);
            } else {
                assert_true(b.p[b.n - 1] == '\n');
                if (json) assert_int_equal(json_raw_check(slice_make(b.p + 2, b.n - 2), NULL), 0);
            }
        }
    }
}

CASES("base/log")
