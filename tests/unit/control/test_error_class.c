/* Every kind of error has its class. */
#include "../case.h"
#include "error_class.h"

/* Of which an outage is never a reason to give a key up. */
CASE(classes) {
    static const struct {
        enum err_kind kind;
        int http;
        enum error_class class;
    } cases[] = {
        {ERR_NONE, 0, ERROR_CLASS_RETRY},
        {ERR_GONE, 410, ERROR_CLASS_RETRY},
        {ERR_PROTOCOL, 200, ERROR_CLASS_RETRY},
        {ERR_SERVER, 500, ERROR_CLASS_RETRY},
        {ERR_CONFLICT, 409, ERROR_CLASS_CONFLICT},
        {ERR_FENCED, 0, ERROR_CLASS_INTERRUPTED},
        {ERR_CANCELLED, 0, ERROR_CLASS_INTERRUPTED},
        {ERR_CONFIG, 0, ERROR_CLASS_TERMINAL},
        {ERR_FORBIDDEN, 0, ERROR_CLASS_TERMINAL},
        {ERR_NOTFOUND, 0, ERROR_CLASS_TERMINAL},
        {ERR_REJECTED, 0, ERROR_CLASS_TERMINAL},
        {ERR_TRANSPORT, 0, ERROR_CLASS_OUTAGE},
        {ERR_TLS, 0, ERROR_CLASS_OUTAGE},
        {ERR_TIMEOUT, 0, ERROR_CLASS_OUTAGE},
        {ERR_AUTH, 0, ERROR_CLASS_OUTAGE},
        {ERR_THROTTLED, 0, ERROR_CLASS_OUTAGE},
        {ERR_SERVER, 502, ERROR_CLASS_OUTAGE},
        {ERR_SERVER, 503, ERROR_CLASS_OUTAGE},
        {ERR_SERVER, 504, ERROR_CLASS_OUTAGE},
    };
    assert_int_equal(error_class_of(NULL), ERROR_CLASS_RETRY);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {.kind = cases[i].kind, .errnum = -EIO, .http = cases[i].http};
        if (error_class_of(&e) != cases[i].class) fail_msg("kind %d, http %d", e.kind, e.http);
        if (cases[i].class == ERROR_CLASS_TERMINAL) assert_false(err_retryable(&e));
    }
}

/* What err.h calls retryable is retried, and little of it is pressure. */
CASE(of_every_kind) {
    assert_false(error_class_is_pressure(NULL));
    for (int kind = ERR_NONE; kind <= ERR_CANCELLED; kind++) {
        struct err e = {.kind = (enum err_kind)kind};
        assert_int_equal(error_class_is_pressure(&e), kind == ERR_THROTTLED || kind == ERR_TIMEOUT);
        if (!err_retryable(&e)) continue;
        assert_true(error_class_of(&e) == ERROR_CLASS_RETRY || error_class_of(&e) == ERROR_CLASS_OUTAGE);
    }
}

CASES("control/error_class")
