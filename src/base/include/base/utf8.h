/* UTF-8 (RFC 3629: no surrogates, nothing overlong), and text of others that a terminal or a line of a log can take. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H
#include "base/buf.h"

size_t utf8_len(struct slice s); /* of the well-formed character at the start of s; 0: there is none */
/* The character at the start of s and its length; *ret_len 1 and -1 where the bytes are no character; s is not empty. */
int32_t utf8_next(struct slice s, size_t *ret_len);
struct slice utf8_cut(struct slice s, size_t max); /* at most max bytes of s, not cut inside a character */

/* Appends s as one line that shows what is in it: unsafe characters as \n, \r, \t, \x1b or \u202e, bytes that are no
 * UTF-8 as \xff. Everything else, NUL included in the former, stays. */
void utf8_add_safe(struct buf *out, struct slice s);
/* The same for one character: how many bytes of s it was. s is not empty. */
size_t utf8_add_safe_one(struct buf *out, struct slice s);
#endif
