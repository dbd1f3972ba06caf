/* resourceVersions in a rehearsal: the live one with six digits behind it. "12345" is live, "12345000007" the seventh change of the
 * overlay since the server was last seen at 12345: so they keep their order, and none is equal to one of another content. Pure. */
#ifndef REHEARSE_VERSION_H
#define REHEARSE_VERSION_H
#include "base/buf.h"

enum { VERSION_DIGITS = 6, VERSION_CHANGES = 999999 };
/* "" and "0" (any version) stay as they are, in both directions. */
int version_out(struct buf *out, struct slice live, unsigned change); /* appended */
/* ret_live: a part of v, empty if v is empty. -EINVAL: v is not one of ours. */
int version_in(struct slice v, struct slice *ret_live, unsigned *ret_change);
/* Of a write's precondition: as version_in(), and a number that is none of ours is the server's own, of a read before the rehearsal. */
int version_precondition(struct slice v, struct slice *ret_live, unsigned *ret_change);
/* Of a raw object: the span of metadata.resourceVersion's text between its quotes. False: none. The raw text need not have been
 * checked, and is not read beyond its end. */
bool version_find(struct slice raw, struct slice *ret);
/* The object's text with its version replaced by (version_out of `live` if not empty, else of its own), every other byte as it was. An object
 * without one gets one. */
int version_rewrite(struct buf *out, struct slice raw, struct slice live, unsigned change);
#endif
