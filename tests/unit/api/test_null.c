/* What is optional may be missing: every helper of base, api and world that takes a pointer to something that may not be there is
 * called without it. Under the sanitizers a dereference ends the test. */
#include "../case.h"
#include "api/meta.h"
#include "api/patch.h"
#include "api/quantity.h"
#include "api/rfc3339.h"
#include "api/selector.h"
#include "api/status.h"
#include "api/template.h"
#include "base/json_raw.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time.h"
#include "base/utf8.h"
#include "world/http_client.h"
#include "world/http_server.h"

static const struct slice none = {NULL, 0};

CASE(base_helpers) {
    cleanup_json cJSON *obj = json_parse(SL("{\"a\":{\"b\":1}}"), NULL);
    const cJSON *const objects[] = {NULL, obj};
    assert_null(json_parse(none, NULL));
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        for (int k = 0; k < 2; k++) {
            const char *key = k ? "missing" : NULL;
            assert_true(!json_get(objects[i], key) && !json_str(objects[i], key) &&
                        !json_arr(objects[i], key));
            assert_true(!json_obj(objects[i], key) && json_i64(objects[i], key, 7) == 7 &&
                        json_bool(objects[i], key, true));
            assert_true(json_num(objects[i], key, 7) > 6 && !json_str_or(objects[i], key, NULL));
            assert_null(json_at(objects[i], key));
        }
    }
    struct slice v = SL("x");
    cleanup_buf struct buf out = BUF(1000);
    assert_true(json_raw_check(none, NULL) < 0 && json_raw_type(none) == JR_INVALID);
    struct json_raw_it it = json_raw_each(none);
    assert_false(json_raw_next(&it) || json_raw_get(none, SL("a"), &v) || json_raw_get(SL("{}"), none, &v));
    assert_false(json_raw_at(none, "a/b", &v) || json_raw_at(SL("{}"), NULL, &v));
    assert_true(json_raw_unescape(none, &out) < 0 && !json_raw_string_is(none, SL("x")));
    assert_true(json_raw_number_canonical(none, &out) < 0);
    assert_true(err_set(NULL, ERR_SERVER, -EIO, "x") == -EIO && err_wrap(NULL, "x") < 0 &&
                !err_retryable(NULL));
    err_clear(NULL);
    LOG_EVENT(NULL, LOG_INFO, "Test", "x", LF_ERR(NULL), LF_STR("s", NULL), LF_SLICE("n", none));
    log_format_text(&out, LOG_INFO, 0, NULL, &LF_STR("s", NULL), 1);
    const struct log_field e = LF_ERR(NULL);
    log_format_json(&out, LOG_INFO, 0, NULL, &e, 1);
    assert_true(buf_adds(&out, NULL) == 0 && buf_add(&out, none) == 0 && buf_add_json(&out, none) == 0);
    utf8_add_safe(&out, none);
    int64_t n;
    double d;
    assert_true(duration_parse(none, &n) < 0 && slice_i64(none, &n) < 0 && slice_f64(none, &d) < 0);
    cleanup_free char *empty = slice_dup(none), *text = slice_dup_text(none, 5);
    assert_true(!*empty && !*text && !xstrdup_null(NULL));
    metric_inc(NULL);
    metric_add(NULL, 1);
    metric_set(NULL, 1);
    metric_observe(NULL, 1);
    assert_true(metric_value(NULL) < 1);
    metrics_free(NULL);
}

CASE(api_helpers) {
    cleanup_buf struct buf out = BUF(10000);
    int64_t n;
    int c;
    struct meta m = {0};
    char hash[11];
    assert_true(!obj_annotation(NULL, "a") && !obj_label(NULL, NULL) && !obj_controller(NULL) &&
                !obj_deleting(NULL));
    assert_true(!obj_condition(NULL, "a") && !obj_owned_by(NULL, "u") && !obj_name(NULL) && !obj_ns(NULL));
    assert_true(!obj_uid(NULL) && !obj_rv(NULL) && !rv_compare(NULL, "1", &c) && !rv_older("1", NULL));
    cleanup_json cJSON *obj =
        json_parse(SL("{\"metadata\":{\"ownerReferences\":[{}]},\"status\":{\"conditions\":[{}]}}"), NULL);
    assert_true(!obj_owned_by(obj, NULL) && !obj_condition(obj, NULL) && !obj_annotation(obj, NULL));
    assert_true(meta_from_raw(none, &m, NULL) < 0);
    meta_free(&m);
    meta_free(NULL);
    struct selector *s = NULL;
    struct field_selector *f = NULL;
    assert_true(selector_parse(SL("a b"), &s, NULL) < 0 && field_selector_parse(SL("a b"), &f, NULL) < 0);
    assert_int_equal(selector_from_spec(NULL, &s, NULL), 0);
    assert_false(selector_match(s, NULL) || selector_match(NULL, NULL) || field_selector_match(NULL, NULL));
    selector_free(s);
    selector_free(NULL);
    field_selector_free(NULL);
    assert_true(status_to_err(500, none, NULL, NULL) < 0 && status_to_err(404, SL("{}"), NULL, NULL) < 0);
    assert_int_equal(status_write(&out, 500, NULL, NULL, NULL, NULL), 0);
    assert_int_equal(json_raw_check(buf_slice(&out), NULL), 0);
    assert_true(template_hash(none, hash, NULL) < 0 && template_image(none, &out) < 0);
    assert_true(template_with_labels(none, NULL, 0, &out, NULL) < 0 && rfc3339_parse(none, &n) < 0);
}

/* What is not there needs no stopping. */
CASE(world_helpers) {
    timer_stop(NULL);
    timer_free(NULL);
    proc_cancel(NULL);
    fd_watch_free(NULL);
    http_resume(NULL);
    http_cancel(NULL);
    http_listener_close(NULL);
    assert_false(timer_active(NULL));
}

CASES("api/null")
