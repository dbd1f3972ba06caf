/* A notification as a key, as an event, and signed. */
#include "notification.h"
#include "../case.h"
#include "../each.h"
#include "base/json.h"
#include "base/mem.h"

static struct notification one(void) {
    return (struct notification){.ns = SL("team"),
                                 .name = SL("op"),
                                 .phase = SL("Soaking"),
                                 .uid = SL("u-1"),
                                 .hash = SL("abc"),
                                 .at_us = INT64_C(1795987446383118)};
}

CASE(a_key_and_back) {
    cleanup_buf struct buf key = BUF(1024), again = BUF(1024);
    struct notification n = one();
    notification_key(&n, &key);
    assert_string_equal(buf_str(&key), "team/op/Soaking/1795987446383118/u-1/abc");
    assert_true(notification_read(buf_slice(&key), &n));
    notification_key(&n, &again);
    assert_string_equal(buf_str(&again), buf_str(&key));
    assert_true(notification_read(SL("team/op/Stable/1/u/"), &n)); /* nothing is on trial */
    assert_int_equal(n.hash.n, 0);
    each_of(bad, "|team/op|team/op/Soaking|team/op/Soaking/1/u|team/op/Soaking/x/u/h|team/op/Soaking/-1/u/h|"
                 "/op/Soaking/1/u/h|team//Soaking/1/u/h|team/op//1/u/h|team/op/Soaking/1/u/h/more|"
                 "team/op/Soaking/9223372036854775807/u/h") {
        assert_false(notification_read(bad, &n));
    }
}

static char *id_of(const struct notification *n, const char *words) {
    cleanup_buf struct buf out = BUF(4096);
    notification_event(n, "/s", slice_of(words), &out);
    cleanup_json cJSON *doc = json_parse(buf_slice(&out), NULL);
    assert_non_null(doc);
    return xstrdup(json_str(doc, "id"));
}

CASE(an_event) {
    cleanup_buf struct buf out = BUF(4096);
    struct notification n = one();
    notification_event(&n, "/leases/x", SL(",\"message\":\"a \\\"b\\\"\""), &out);
    cleanup_json cJSON *doc = json_parse(buf_slice(&out), NULL);
    assert_string_equal(json_str(doc, "specversion"), "1.0");
    assert_string_equal(json_str(doc, "type"), "dev.handover.phase");
    assert_string_equal(json_str(doc, "source"), "/leases/x");
    assert_string_equal(json_str(doc, "subject"), "team/op");
    assert_string_equal(json_str(doc, "time"), "2026-11-29T21:24:06.383118Z");
    assert_string_equal(json_str(json_obj(doc, "data"), "phase"), "Soaking");
    assert_string_equal(json_str(json_obj(doc, "data"), "template"), "abc");
    assert_string_equal(json_str(json_obj(doc, "data"), "message"), "a \"b\"");
}

/* What makes it another change, and nothing else, makes it another id. */
CASE(one_change_one_id) {
    struct notification n = one(), other[] = {n, n, n, n, n};
    cleanup_free char *id = id_of(&n, ""), *late = id_of(&n, ",\"message\":\"x\"");
    assert_int_equal(strlen(id), 32);
    assert_string_equal(id, late);
    other[0].ns = SL("tea");
    other[1].name = SL("op2");
    other[2].phase = SL("Stable");
    other[3].uid = SL("u-2");
    other[4].at_us++;
    for (size_t i = 0; i < ARRAY_LEN(other); i++) {
        cleanup_free char *another = id_of(&other[i], "");
        assert_string_not_equal(id, another);
    }
}

CASE(a_signature) {
    cleanup_buf struct buf out = BUF(256);
    notification_sign(SL("key"), 1, SL("The quick brown fox"), &out);
    assert_memory_equal(buf_str(&out), "t=1,v1=", 7);
    assert_int_equal(out.n, 7 + 64);
    assert_string_equal(buf_str(&out) + 7,
                        "1ef269d2a2a1f8d397e0e25c3e3013fb5687509234565e6e49ea45a138768457");
}

CASES("app/notification")
