/* Reasons: set, wrapped, cut. */
#include "../case.h"
#include "base/err.h"

CASE(set_and_wrap) {
    struct err e = {.http = 404, .retry_after_ms = 7};
    assert_int_equal(err_set(&e, ERR_CONFIG, -EINVAL, "annotation %s: %d", "soak", 5), -EINVAL);
    assert_int_equal(e.kind, ERR_CONFIG);
    assert_int_equal(e.errnum, -EINVAL);
    assert_int_equal(e.http, 0); /* a new reason has nothing of the old one */
    assert_int_equal(e.retry_after_ms, 0);
    assert_int_equal(err_wrap(&e, "deployment %s", "a/b"), -EINVAL);
    assert_string_equal(e.msg, "deployment a/b: annotation soak: 5");
    assert_int_equal(err_set(&e, ERR_SERVER, -EIO, "again: %s", e.msg), -EIO); /* from its own text */
    assert_string_equal(e.msg, "again: deployment a/b: annotation soak: 5");
    err_clear(&e);
    assert_int_equal(e.kind, ERR_NONE);
    assert_string_equal(e.msg, "");
    assert_true(err_wrap(&e, "empty") < 0);
    assert_string_equal(e.msg, "empty");
}

CASE(cut_with_dots) {
    struct err e;
    char big[2000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    err_set(&e, ERR_CONFIG, -EINVAL, "%s", big);
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
    assert_string_equal(e.msg + sizeof e.msg - 4, "...");
    err_wrap(&e, "%s", "outer");
    assert_memory_equal(e.msg, "outer: xxx", 10);
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
    assert_string_equal(e.msg + sizeof e.msg - 4, "...");
    err_wrap(&e, "%s", big);
    assert_string_equal(e.msg + sizeof e.msg - 4, "...");

    big[sizeof e.msg - 1] = '\0'; /* fits exactly */
    err_set(&e, ERR_CONFIG, -EINVAL, "%s", big);
    assert_string_equal(e.msg, big);
}

CASE(never_half_a_character) {
    for (size_t lead = 0; lead < 4; lead++) {
        struct err e;
        char big[2000] = "xxxx";
        for (size_t i = lead; i + 3 < sizeof big; i += 3) memcpy(big + i, "\xe2\x82\xac", 4);
        err_set(&e, ERR_CONFIG, -EINVAL, "%s", big);
        size_t n = strlen(e.msg);
        assert_true(n >= sizeof e.msg - 4 && n < sizeof e.msg);
        assert_string_equal(e.msg + n - 3, "...");
        assert_int_equal((unsigned char)e.msg[n - 4], 0xac);
    }
}

CASE(names_and_retries) {
    for (int k = ERR_NONE; k <= ERR_CANCELLED; k++) {
        for (int o = ERR_NONE; o < k; o++) {
            assert_string_not_equal(err_kind_name((enum err_kind)k), err_kind_name((enum err_kind)o));
        }
        struct err e = {.kind = (enum err_kind)k};
        bool want =
            k == ERR_TRANSPORT || k == ERR_TIMEOUT || k == ERR_THROTTLED || k == ERR_SERVER || k == ERR_AUTH;
        assert_int_equal(err_retryable(&e), want);
    }
    assert_string_equal(err_kind_name(ERR_TIMEOUT), "timeout");
    assert_string_equal(err_kind_name(ERR_CONFLICT), "conflict");
    assert_string_equal(err_kind_name((enum err_kind)99), "unknown");
}

CASES("base/err")
