/* Status answers, read and written. */
#include "../case.h"
#include "../each.h"
#include "api/status.h"
#include "base/json.h"

CASE(classes) {
    static const struct {
        int code;
        enum err_kind kind;
        bool retry;
    } cases[] = {
        {400, ERR_REJECTED, false}, {401, ERR_AUTH, true},      {403, ERR_FORBIDDEN, false},
        {404, ERR_NOTFOUND, false}, {405, ERR_REJECTED, false}, {408, ERR_TIMEOUT, true},
        {409, ERR_CONFLICT, false}, {410, ERR_GONE, false},     {413, ERR_REJECTED, false},
        {415, ERR_REJECTED, false}, {422, ERR_REJECTED, false}, {429, ERR_THROTTLED, true},
        {500, ERR_SERVER, true},    {502, ERR_SERVER, true},    {503, ERR_SERVER, true},
        {504, ERR_TIMEOUT, true},   {418, ERR_REJECTED, false}, {599, ERR_SERVER, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        int r = status_to_err(cases[i].code, SL(""), "GET /x", &err);
        assert_true(r < 0 && r == err.errnum);
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(err.http, cases[i].code);
        assert_int_equal(err_retryable(&err), cases[i].retry);
        assert_true(status_to_err(cases[i].code, SL(""), "GET /x", NULL) == r);
    }
}

CASE(messages) {
    struct err err = {0};
    status_to_err(409,
                  JS("{'kind':'Status','status':'Failure','reason':'AlreadyExists','message':'pods \\'a\\' "
                     "already exists','code':409}"),
                  "POST pods", &err);
    assert_string_equal(err.msg, J("POST pods: 409 AlreadyExists: pods 'a' already exists"));
    status_to_err(404, SL(""), "GET x", &err);
    assert_string_equal(err.msg, "GET x: 404 NotFound");
    status_to_err(502, SL("<html>\n\x1b[31mBad\0\xff"), "GET x", &err);
    assert_string_equal(err.msg, "GET x: 502 Unknown: <html>??[31mBad??");
    char big[5000];
    memset(big, 'y', sizeof big);
    status_to_err(500, slice_make(big, sizeof big), "GET x", &err);
    assert_int_equal(strspn(err.msg + strlen("GET x: 500 InternalError: "), "y"), 200);
    assert_string_equal(err.msg + strlen(err.msg) - 3, "...");
    status_to_err(500, JS("{'kind':'Other','message':'m'}"), "GET x", &err); /* JSON, but no Status: quoted */
    assert_non_null(strstr(err.msg, J("{'kind':'Other'")));
}

CASE(retry_after) {
    struct err err = {0};
    status_to_err(503, JS("{'kind':'Status','message':'m','details':{'retryAfterSeconds':3}}"), "x", &err);
    assert_int_equal(err.kind, ERR_THROTTLED);
    assert_int_equal(err.retry_after_ms, 3000);
    status_to_err(429, JS("{'kind':'Status','details':{'retryAfterSeconds':1}}"), "x", &err);
    assert_int_equal(err.retry_after_ms, 1000);
    static const char *const odd[] = {"-1", "1e300", "'5'", "99999999999", "null", "1.5"};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        cleanup_buf struct buf b = BUF(1000);
        buf_addf(&b, "{'kind':'Status','message':'m','details':{'retryAfterSeconds':%s}}", odd[i]);
        status_to_err(503, slice_of(quoted(b.p)), "x", &err);
        assert_int_equal(err.retry_after_ms, 0);
        assert_int_equal(err.kind, ERR_SERVER);
    }
}

CASE(writing) {
    cleanup_buf struct buf b = BUF(1000);
    assert_int_equal(status_write(&b, 404, status_reason(404), J("pods 'a' not found"), "pods", "a"), 0);
    assert_buf(b,
               J("{'kind':'Status','apiVersion':'v1','metadata':{},'status':'Failure','message':'pods "
                 "\\'a\\' not found','reason':'NotFound','details':{'name':'a','kind':'pods'},'code':404}"));
    buf_clear(&b);
    status_write(&b, 400, "BadRequest", "m\n\"", "", "");
    cleanup_json cJSON *v = json_parse(buf_slice(&b), NULL);
    assert_string_equal(json_str(v, "message"), "m\n\"");
    assert_null(json_get(v, "details"));
    buf_clear(&b);
    status_write(&b, 400, "BadRequest", "m", "pods", NULL);
    assert_non_null(strstr(b.p, J("'details':{'kind':'pods'}")));
    struct err err = {0};
    status_to_err(400, buf_slice(&b), "x", &err); /* what we write we can read */
    assert_string_equal(err.msg, "x: 400 BadRequest: m");
    struct buf small = BUF(20);
    assert_int_equal(status_write(&small, 404, "NotFound", "m", "", ""), -ENOBUFS);
    buf_free(&small);
    assert_string_equal(status_reason(422), "Invalid");
    assert_string_equal(status_reason(299), "Unknown");
}

CASES("api/status")
