/* metav1.Status: what the API server answers on failure, and its error classes. */
#ifndef API_STATUS_H
#define API_STATUS_H
#include "base/err.h"
#include "base/buf.h"

/* Classifies an HTTP answer (code >= 400) with its body: kind, code, the server's message with what was
 * asked. A body that is no Status is quoted, at most 200 bytes of it, unprintables as '?'. Returns the errnum
 * it sets. */
int status_to_err(int code, struct slice body, const char *what, struct err *err);
/* Writes a Status failure; details may be "" ; for the embedded server. */
int status_write(struct buf *out, int code, const char *reason, const char *message, const char *kind,
                 const char *name);
const char *status_reason(int code); /* 404 -> "NotFound" */
#endif
