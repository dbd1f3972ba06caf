/* Filling and wrapping the reason of a failure. */
#include "base/err.h"
#include "base/utf8.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* A message that did not fit ends in "...", cut between two UTF-8 characters. */
static void ellipsis(char *msg, size_t size) {
    memcpy(msg + utf8_cut(slice_make(msg, size - 1), size - 4).n, "...", 4);
}

int err_set(struct err *e, enum err_kind kind, int neg_errno, const char *fmt, ...) {
    if (!e) return neg_errno;
    struct err new = {.kind = kind, .errnum = neg_errno};
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(new.msg, sizeof new.msg, fmt, ap); /* the arguments may point into *e */
    va_end(ap);
    if (n >= (int)sizeof new.msg) ellipsis(new.msg, sizeof new.msg);
    *e = new;
    return neg_errno;
}

int err_wrap(struct err *e, const char *fmt, ...) {
    if (!e) return -EIO;
    char msg[sizeof e->msg];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    if (n < 0) n = 0;
    size_t len = (size_t)n;
    if (len < sizeof msg && e->msg[0]) {
        int m = snprintf(msg + len, sizeof msg - len, ": %s", e->msg);
        len += m > 0 ? (size_t)m : 0;
    }
    if (len >= sizeof msg) ellipsis(msg, sizeof msg);
    memcpy(e->msg, msg, sizeof msg);
    return e->errnum ? e->errnum : -EIO;
}

void err_clear(struct err *e) {
    if (e) *e = (struct err){0};
}

const char *err_kind_name(enum err_kind kind) {
    switch (kind) {
    case ERR_NONE: return "none";
    case ERR_CONFIG: return "config";
    case ERR_TRANSPORT: return "transport";
    case ERR_TLS: return "tls";
    case ERR_TIMEOUT: return "timeout";
    case ERR_AUTH: return "auth";
    case ERR_FORBIDDEN: return "forbidden";
    case ERR_CONFLICT: return "conflict";
    case ERR_GONE: return "gone";
    case ERR_NOTFOUND: return "notfound";
    case ERR_THROTTLED: return "throttled";
    case ERR_SERVER: return "server";
    case ERR_REJECTED: return "rejected";
    case ERR_PROTOCOL: return "protocol";
    case ERR_FENCED: return "fenced";
    case ERR_CANCELLED: return "cancelled";
    }
    return "unknown";
}

bool err_retryable(const struct err *e) {
    if (!e) return false;
    switch (e->kind) {
    case ERR_TRANSPORT:
    case ERR_TIMEOUT:
    case ERR_THROTTLED:
    case ERR_SERVER:
    case ERR_AUTH: /* the token file is rotated under us, and read again */ return true;
    case ERR_CONFLICT: /* the same precondition never holds again: read anew, then it is another request */
    default: return false;
    }
}
