/* Well-formed UTF-8, for the files of this folder. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H
#include "base/slice.h"

/* The length of the well-formed sequence at the start of s (RFC 3629: no surrogates, nothing overlong), 0 if
 * there is none. s is not empty. */
static inline size_t utf8_len(struct slice s) {
    const unsigned char *u = (const unsigned char *)s.p;
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
#endif
