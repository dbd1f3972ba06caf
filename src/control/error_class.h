/* What a reconcile's error means for its key. */
#ifndef CONTROL_ERROR_CLASS_H
#define CONTROL_ERROR_CLASS_H
#include "base/err.h"

enum error_class {
    ERROR_CLASS_RETRY,  /* counted, tried again after its backoff; at last a dead letter */
    ERROR_CLASS_OUTAGE, /* the same, but never a dead letter: it says something about the server, nothing about
                         the key */
    ERROR_CLASS_CONFLICT,    /* read again and try soon; no failure */
    ERROR_CLASS_TERMINAL,    /* wrong until somebody changes something: a dead letter at once */
    ERROR_CLASS_INTERRUPTED, /* not tried to the end: first in line, no failure */
};
enum error_class error_class_of(const struct err *e); /* NULL: ERROR_CLASS_RETRY */
bool error_class_is_pressure(const struct err *e);    /* the server is overloaded: fewer at once */
#endif
