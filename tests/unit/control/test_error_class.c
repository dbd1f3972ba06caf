/* Every kind of error has its class. */
#include "../case.h"
#include "error_class.h"

static enum error_class of(enum err_kind kind, int http) {
    struct err e = {.kind = kind, .errnum = -EIO, .http = http};
    return error_class_of(&e);
}

CASE(classes) {
    assert_int_equal(error_class_of(NULL), ERROR_CLASS_RETRY);
    assert_int_equal(of(ERR_NONE, 0), ERROR_CLASS_RETRY);
    assert_int_equal(of(ERR_GONE, 410), ERROR_CLASS_RETRY);
    assert_int_equal(of(ERR_PROTOCOL, 200), ERROR_CLASS_RETRY);
    assert_int_equal(of(ERR_SERVER, 500), ERROR_CLASS_RETRY);
    assert_int_equal(of(ERR_CONFLICT, 409), ERROR_CLASS_CONFLICT);
    assert_int_equal(of(ERR_FENCED, 0), ERROR_CLASS_INTERRUPTED);
    assert_int_equal(of(ERR_CANCELLED, 0), ERROR_CLASS_INTERRUPTED);
    static const enum err_kind terminal[] = {ERR_CONFIG, ERR_FORBIDDEN, ERR_NOTFOUND, ERR_REJECTED};
    for (size_t i = 0; i < sizeof terminal / sizeof terminal[0]; i++) {
        assert_int_equal(of(terminal[i], 0), ERROR_CLASS_TERMINAL);
        struct err e = {.kind = terminal[i]};
        assert_false(err_retryable(&e));
    }
}

CASE(an_outage_is_never_a_reason_to_give_a_key_up) {
    static const enum err_kind kinds[] = {ERR_TRANSPORT, ERR_TLS, ERR_TIMEOUT, ERR_AUTH, ERR_THROTTLED};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        assert_int_equal(of(kinds[i], 0), ERROR_CLASS_OUTAGE);
    for (int http = 502; http <= 504; http++) assert_int_equal(of(ERR_SERVER, http), ERROR_CLASS_OUTAGE);
}

CASE(all_that_err_h_calls_retryable_is_retried) {
    for (int kind = ERR_NONE; kind <= ERR_CANCELLED; kind++) {
        struct err e = {.kind = (enum err_kind)kind};
        if (!err_retryable(&e)) continue;
        assert_true(error_class_of(&e) == ERROR_CLASS_RETRY || error_class_of(&e) == ERROR_CLASS_OUTAGE);
    }
}

CASE(pressure) {
    assert_false(error_class_is_pressure(NULL));
    for (int kind = ERR_NONE; kind <= ERR_CANCELLED; kind++) {
        struct err e = {.kind = (enum err_kind)kind};
        assert_int_equal(error_class_is_pressure(&e), kind == ERR_THROTTLED || kind == ERR_TIMEOUT);
    }
}

CASES("control/error_class")
