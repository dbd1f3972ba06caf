/* Decoding, cutting and escaping UTF-8; see base/utf8.h. */
#include "base/utf8.h"

size_t utf8_len(struct slice s) {
    const unsigned char *u = (const unsigned char *)s.p;
    if (s.n == 0) return 0;
    if (u[0] < 0x80) return 1;
    if (u[0] < 0xc2 || u[0] > 0xf4) return 0;
    size_t n = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    if (s.n < n) return 0;
    unsigned char lo = 0x80, hi = 0xbf; /* of the second byte */
    if (u[0] == 0xe0) lo = 0xa0;
    if (u[0] == 0xed) hi = 0x9f;
    if (u[0] == 0xf0) lo = 0x90;
    if (u[0] == 0xf4) hi = 0x8f;
    if (u[1] < lo || u[1] > hi) return 0;
    for (size_t i = 2; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80) return 0;
    }
    return n;
}

int32_t utf8_next(struct slice s, size_t *ret_len) {
    static const unsigned char lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t n = utf8_len(s);
    *ret_len = n ? n : 1;
    if (n == 0) return -1;
    int32_t c = (unsigned char)s.p[0] & lead[n];
    for (size_t i = 1; i < n; i++) c = c << 6 | ((unsigned char)s.p[i] & 0x3f);
    return c;
}

struct slice utf8_cut(struct slice s, size_t max) {
    if (s.n <= max) return s;
    size_t n = max;
    /* Not further back than a character is long: bytes that are no UTF-8 are cut where they are. */
    while (n > 0 && max - n < 3 && ((unsigned char)s.p[n] & 0xc0) == 0x80) n--;
    bool whole = n == max || utf8_len(slice_make(s.p + n, s.n - n)) > max - n;
    return slice_make(s.p, whole ? n : max);
}

/* What a terminal may act on, or what hides or reorders the text around it: C0, DEL, C1, marks of direction, joiners,
 * separators, tags; -1 (no character) as well. */
static bool unsafe(int32_t c) {
    static const struct {
        int32_t from, to;
    } unsafe[] = {{-1, 0x1f},       {0x7f, 0x9f},     {0xad, 0xad},      {0x61c, 0x61c},
                  {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f},
                  {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
    for (size_t i = 0; i < ARRAY_LEN(unsafe); i++)
        if (c >= unsafe[i].from && c <= unsafe[i].to) return true;
    return false;
}

size_t utf8_add_safe_one(struct buf *out, struct slice s) {
    size_t n;
    int32_t c = utf8_next(s, &n);
    if (!unsafe(c))
        buf_add(out, slice_make(s.p, n));
    else if (c == '\n' || c == '\r' || c == '\t')
        buf_adds(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    else if (n == 1)
        buf_addf(out, "\\x%02x", (unsigned char)s.p[0]);
    else
        buf_addf(out, "\\u%04x", (unsigned)c);
    return n;
}

void utf8_add_safe(struct buf *out, struct slice s) {
    for (size_t i = 0; i < s.n && !out->full;) i += utf8_add_safe_one(out, slice_make(s.p + i, s.n - i));
}
