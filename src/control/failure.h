/* What a reconcile's error means for its key. */
#ifndef CONTROL_FAILURE_H
#define CONTROL_FAILURE_H
#include "base/err.h"

enum failure {
    FAILURE_RETRY,    /* counted, tried again after its backoff; at last a dead letter */
    FAILURE_OUTAGE,   /* the same, but never a dead letter: it says something about the server, nothing about
                         the key */
    FAILURE_CONFLICT, /* read again and try soon; no failure */
    FAILURE_TERMINAL, /* wrong until somebody changes something: a dead letter at once */
    FAILURE_INTERRUPTED, /* not tried to the end: first in line, no failure */
};
enum failure failure_of(const struct err *e);  /* NULL: FAILURE_RETRY */
bool failure_is_pressure(const struct err *e); /* the server is overloaded: fewer at once */
#endif
