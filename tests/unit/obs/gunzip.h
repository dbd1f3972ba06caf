/* Unpacks one gzip member, for tests. */
#ifndef TEST_GUNZIP_H
#define TEST_GUNZIP_H
#include "base/buf.h"
#include <zlib.h>

static inline bool gunzip(struct slice in, struct buf *out) {
    unsigned char chunk[4096];
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)in.p, .avail_in = (uInt)in.n};
    int r;
    if (inflateInit2(&z, 15 + 16) != Z_OK) return false;
    do {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        r = inflate(&z, Z_NO_FLUSH);
        buf_add(out, slice_make((const char *)chunk, sizeof chunk - z.avail_out));
    } while (r == Z_OK);
    inflateEnd(&z);
    return r == Z_STREAM_END && z.avail_in == 0;
}
#endif
