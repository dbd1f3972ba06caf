/* Compressed answers for clients that ask for them, and what is packed into the program. */
#ifndef OBS_GZIP_H
#define OBS_GZIP_H
#include "base/buf.h"

/* Does this Accept-Encoding (empty: the header is absent) allow gzip? A weight of 0 forbids it. */
bool gzip_accepted(struct slice accept_encoding);
/* Appends what a gzip member of our own holds. */
int gzip_undo(struct buf *out, struct slice in);
/* Appends in as one gzip member, at the fastest level: the loop waits meanwhile. */
int gzip_add(struct buf *out, struct slice in);
#endif
