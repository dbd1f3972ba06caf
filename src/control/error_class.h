/* What a reconcile's error means for its key. */
#ifndef CONTROL_ERROR_CLASS_H
#define CONTROL_ERROR_CLASS_H
#include "base/err.h"

enum error_class {
    ERROR_CLASS_RETRY,       /* counted, tried again after its backoff; after max_retries a dead letter */
    ERROR_CLASS_OUTAGE,      /* the same, but never a dead letter: it is about the server, not the key */
    ERROR_CLASS_CONFLICT,    /* read again and tried soon; no failure */
    ERROR_CLASS_TERMINAL,    /* fails until the object changes: a dead letter at once */
    ERROR_CLASS_INTERRUPTED, /* not tried to the end: first in line, no failure */
};
enum error_class error_class_of(const struct err *e); /* NULL: ERROR_CLASS_RETRY */
bool error_class_is_pressure(const struct err *e);    /* the server is overloaded: fewer at once */
#endif
