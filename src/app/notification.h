/* A notification of a change of phase: its key in the queue and in a checkpoint, and the CloudEvent that it becomes. Pure. */
#ifndef APP_NOTIFICATION_H
#define APP_NOTIFICATION_H
#include "base/buf.h"

struct notification {                        /* borrowed */
    struct slice ns, name, phase, uid, hash; /* hash may be empty */
    int64_t at_us;                           /* wall clock, since 1970 */
};
/* "NS/NAME/PHASE/AT/UID/HASH": the same change has the same key whatever process tells it. */
void notification_key(const struct notification *n, struct buf *out);
bool notification_read(struct slice key, struct notification *ret); /* false: no such key */
/* A CloudEvent 1.0 in structured JSON. Its id is a digest of the key. source: a URI reference; words: further members of data, each
 * with a comma before it. */
void notification_event(const struct notification *n, const char *source, struct slice words,
                        struct buf *out);
/* "t=UNIX,v1=HEX": the HMAC-SHA256 of "UNIX.BODY". */
void notification_sign(struct slice secret, int64_t unix_s, struct slice body, struct buf *out);
#endif
