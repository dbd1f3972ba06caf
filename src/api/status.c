/* metav1.Status: reading a failure's answer, and writing one. */
#include "api/status.h"
#include "base/json.h"
#include <errno.h>

/* k8s.io/apimachinery/pkg/apis/meta/v1, StatusReason; the codes as pkg/api/errors sets them. */
static const struct {
    int code;
    const char *reason;
} reasons[] = {{400, "BadRequest"},
               {401, "Unauthorized"},
               {403, "Forbidden"},
               {404, "NotFound"},
               {405, "MethodNotAllowed"},
               {406, "NotAcceptable"},
               {409, "Conflict"},
               {410, "Expired"},
               {413, "RequestEntityTooLarge"},
               {415, "UnsupportedMediaType"},
               {422, "Invalid"},
               {429, "TooManyRequests"},
               {500, "InternalError"},
               {503, "ServiceUnavailable"},
               {504, "Timeout"}};

const char *status_reason(int code) {
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].code == code) return reasons[i].reason;
    }
    return "Unknown";
}

static enum err_kind kind_of(int code, bool retry_after) {
    switch (code) {
    case 401: return ERR_AUTH;
    case 403: return ERR_FORBIDDEN;
    case 404: return ERR_NOTFOUND;
    case 408:
    case 504: return ERR_TIMEOUT;
    case 409: return ERR_CONFLICT;
    case 410: return ERR_GONE;
    case 429: return ERR_THROTTLED;
    case 503: return retry_after ? ERR_THROTTLED : ERR_SERVER;
    default: return code >= 500 ? ERR_SERVER : ERR_REJECTED;
    }
}

static int errno_of(enum err_kind kind) {
    switch (kind) {
    case ERR_AUTH:
    case ERR_FORBIDDEN: return -EACCES;
    case ERR_NOTFOUND: return -ENOENT;
    case ERR_TIMEOUT: return -ETIMEDOUT;
    case ERR_CONFLICT: return -EEXIST;
    case ERR_GONE: return -ESTALE;
    case ERR_THROTTLED: return -EAGAIN;
    case ERR_REJECTED: return -EINVAL;
    default: return -EREMOTEIO;
    }
}

static void quote(struct slice body, char ret[201]) {
    size_t n = body.n < 200 ? body.n : 200;
    for (size_t i = 0; i < n; i++) ret[i] = body.p[i] >= 0x20 && body.p[i] < 0x7f ? body.p[i] : '?';
    ret[n] = '\0';
}

int status_to_err(int code, struct slice body, const char *what, struct err *err) {
    cleanup_json cJSON *st = json_parse(body, NULL);
    const char *kind = json_str(st, "kind"), *msg = NULL;
    int64_t retry_s = 0;
    if (kind && strcmp(kind, "Status") == 0) {
        msg = json_str(st, "message");
        retry_s = json_i64(json_obj(st, "details"), "retryAfterSeconds", 0);
        if (retry_s < 0 || retry_s > 86400) retry_s = 0;
    }
    char quoted[201];
    quote(body, quoted);
    enum err_kind k = kind_of(code, retry_s > 0);
    int r;
    if (msg && msg[0]) {
        r = err_set(err, k, errno_of(k), "%s: %d %s: %s", what, code,
                    json_str_or(st, "reason", status_reason(code)), msg);
    } else if (quoted[0]) {
        r = err_set(err, k, errno_of(k), "%s: %d %s: %s%s", what, code, status_reason(code), quoted,
                    body.n > 200 ? "..." : "");
    } else {
        r = err_set(err, k, errno_of(k), "%s: %d %s", what, code, status_reason(code));
    }
    if (err) {
        err->http = code;
        err->retry_after_ms = retry_s * 1000;
    }
    return r;
}

int status_write(struct buf *out, int code, const char *reason, const char *message, const char *kind,
                 const char *name) {
    buf_adds(
        out,
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":");
    buf_add_json(out, slice_of(message));
    buf_adds(out, ",\"reason\":");
    buf_add_json(out, slice_of(reason));
    if ((kind && kind[0]) || (name && name[0])) {
        buf_adds(out, ",\"details\":{");
        if (name && name[0]) {
            buf_adds(out, "\"name\":");
            buf_add_json(out, slice_of(name));
        }
        if (kind && kind[0]) {
            buf_adds(out, name && name[0] ? ",\"kind\":" : "\"kind\":");
            buf_add_json(out, slice_of(kind));
        }
        buf_addc(out, '}');
    }
    return buf_addf(out, ",\"code\":%d}", code);
}
