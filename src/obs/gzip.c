/* Accept-Encoding (RFC 9110, 12.5.3) and gzip. */
#include "obs/gzip.h"
#include <errno.h>
#include <strings.h>
#include <zlib.h>

static bool is_word(struct slice s, const char *word) {
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* "gzip;q=0.5": -1 if it is another coding, else whether it is allowed. exact: named, not by '*'. */
static int coding(struct slice item, bool *exact) {
    struct slice name, params;
    slice_cut(item, ';', &name, &params);
    name = slice_trim(name);
    *exact = is_word(name, "gzip") || is_word(name, "x-gzip");
    if (!*exact && !is_word(name, "*")) return -1;
    struct slice key, value;
    double q = 1;
    if (slice_cut(params, '=', &key, &value) && is_word(slice_trim(key), "q") &&
        slice_f64(slice_trim(value), &q) < 0)
        q = 0;
    return q > 0;
}

bool gzip_accepted(struct slice accept) {
    bool any = false;
    while (accept.n) {
        struct slice item;
        bool exact;
        slice_cut(accept, ',', &item, &accept);
        int r = coding(item, &exact);
        if (r >= 0 && exact) return r;
        any = r > 0 || any;
    }
    return any;
}

int gzip_add(struct buf *out, struct slice in) {
    static unsigned char nothing[1];
    unsigned char chunk[16384];
    z_stream z = {0};
    if (in.n > UINT32_MAX) return -EFBIG;
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16 /* gzip */, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    z.next_in =
        in.n ? (unsigned char *)(uintptr_t)in.p : nothing; /* not written to; zlib's type is not const */
    z.avail_in = (uInt)in.n;
    int r, done = Z_OK;
    do {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        done = deflate(&z, Z_FINISH);
        r = buf_add(out, slice_make((const char *)chunk, sizeof chunk - z.avail_out));
    } while (done == Z_OK && r == 0);
    deflateEnd(&z);
    return r < 0 ? r : done == Z_STREAM_END ? 0 : -EIO;
}

int gzip_undo(struct buf *out, struct slice in) {
    unsigned char chunk[16384];
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)in.p, .avail_in = (uInt)in.n};
    if (inflateInit2(&z, 15 + 16 /* gzip */) != Z_OK) return -ENOMEM;
    int r, done = Z_OK;
    do {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        done = inflate(&z, Z_NO_FLUSH);
        r = buf_add(out, slice_make((const char *)chunk, sizeof chunk - z.avail_out));
    } while (done == Z_OK && r == 0);
    inflateEnd(&z);
    return r < 0 ? r : done == Z_STREAM_END ? 0 : -EIO;
}
