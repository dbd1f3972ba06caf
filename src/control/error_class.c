/* Classes of errors. */
#include "error_class.h"

enum error_class error_class_of(const struct err *e) {
    switch (e ? e->kind : ERR_NONE) {
    case ERR_CONFLICT: return ERROR_CLASS_CONFLICT;
    case ERR_FENCED:
    case ERR_CANCELLED: return ERROR_CLASS_INTERRUPTED;
    case ERR_CONFIG:
    case ERR_FORBIDDEN:
    case ERR_NOTFOUND:
    case ERR_REJECTED: return ERROR_CLASS_TERMINAL;
    case ERR_TRANSPORT:
    case ERR_TLS: /* not retryable by err_retryable(), but it concerns all keys: none is a dead letter for it */
    case ERR_TIMEOUT:
    case ERR_AUTH:
    case ERR_THROTTLED: return ERROR_CLASS_OUTAGE;
    case ERR_SERVER:
        return e->http >= 502 ? ERROR_CLASS_OUTAGE : ERROR_CLASS_RETRY; /* a 500 may concern the object */
    case ERR_NONE:
    case ERR_GONE:
    case ERR_PROTOCOL: break;
    }
    return ERROR_CLASS_RETRY;
}

bool error_class_is_pressure(const struct err *e) {
    return e && (e->kind == ERR_THROTTLED || e->kind == ERR_TIMEOUT);
}
