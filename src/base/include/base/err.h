/* The reason of a failure, for a person and for a retry decision. Owned by the caller; filled by the callee,
 * wrapped with more words on the way up. Functions that take one accept NULL, and return 0 or a negative
 * errno. */
#ifndef BASE_ERR_H
#define BASE_ERR_H
#include "base/slice.h"

enum err_kind {
    ERR_NONE,
    ERR_CONFIG,    /* the user's input is wrong: says what was read, where, what is allowed */
    ERR_TRANSPORT, /* no connection, connection lost, TLS failed; see errnum */
    ERR_TLS, /* the server's certificate is not accepted, or ours is refused: retrying does not help soon */
    ERR_TIMEOUT,
    ERR_AUTH,      /* 401: who we are is not accepted */
    ERR_FORBIDDEN, /* 403 */
    ERR_CONFLICT,  /* 409 on update: read again. On create: AlreadyExists */
    ERR_GONE,      /* 410: version expired */
    ERR_NOTFOUND,  /* 404 */
    ERR_THROTTLED, /* 429, or 503 with Retry-After */
    ERR_SERVER,    /* 5xx */
    ERR_REJECTED,  /* 400, 422 and other 4xx: never retried as it stands */
    ERR_PROTOCOL,  /* an answer that is not what the protocol allows, or larger than its cap */
    ERR_FENCED,    /* not sent: we may not mutate at this moment */
    ERR_CANCELLED,
};

struct err {
    enum err_kind kind;
    int errnum;             /* negative errno */
    int http;               /* HTTP status, 0 if none */
    int64_t retry_after_ms; /* from Retry-After, 0 if none */
    char msg[512];          /* NUL-terminated, truncated with "..." */
};

int err_set(struct err *e, enum err_kind kind, int neg_errno, const char *fmt, ...)
    __attribute__((format(printf, 4, 5))); /* returns neg_errno */
int err_wrap(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))); /* "outer: inner"; returns errnum */
void err_clear(struct err *e);
const char *err_kind_name(enum err_kind kind); /* "timeout", "conflict", ...: for metrics labels and logs */
/* May the same request succeed later without a change of it? Not so a conflict: read again, then it is
 * another one. */
bool err_retryable(const struct err *e);
#endif
