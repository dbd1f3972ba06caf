/* JSON as text: finding, checking and comparing without a tree and without reprinting a byte of it. */
#ifndef BASE_JSON_RAW_H
#define BASE_JSON_RAW_H
#include "base/buf.h"
#include "base/err.h"

enum { JSON_RAW_DEPTH = 1000 };
enum json_raw_type { JR_INVALID, JR_OBJECT, JR_ARRAY, JR_STRING, JR_NUMBER, JR_TRUE, JR_FALSE, JR_NULL };

int json_raw_check(struct slice doc, struct err *err); /* one well-formed value, RFC 8259; -EINVAL */
enum json_raw_type json_raw_type(struct slice value);  /* by its first byte */

/* A cursor over the members of an object or the elements of an array. The document must have passed
 * json_raw_check(). struct json_raw_it it = json_raw_each(obj); while (json_raw_next(&it)) use(it.key,
 * it.value);          key: raw, with quotes; empty in an array */
struct json_raw_it {
    const char *p, *end;
    bool object, due; /* due: the value begins at p, and has to be skipped */
    struct slice key, value;
};
struct json_raw_it json_raw_each(struct slice value); /* nothing to see if it is neither object nor array */
bool json_raw_next(struct json_raw_it *it);
/* As json_raw_next(), for who looks into few values: `value` is all that follows from its first byte on, good for json_raw_each() and a look at
 * its first byte. The two may take turns. */
bool json_raw_key(struct json_raw_it *it);
/* Member by name (unescaped), or by a path of names separated by '/'. False: absent, ret untouched. Last one
 * wins, as in Go. */
bool json_raw_get(struct slice obj, struct slice key, struct slice *ret);
bool json_raw_at(struct slice doc, const char *path, struct slice *ret);
int json_raw_unescape(struct slice str,
                      struct buf *out); /* str with its quotes; \u0000 stays a NUL byte; -EINVAL */
bool json_raw_string_is(struct slice str, struct slice text); /* does the raw string say text? */
/* The first byte from p on that is not plain text of a string ('"', '\\' or a control character), or end. */
const char *json_raw_plain(const char *p, const char *end);
/* Are two numbers the same value? Exact for any length ("1e3" = "1000" = "1000.0"), no doubles in between. */
bool json_raw_number_eq(struct slice a, struct slice b);
/* One text for all numbers of the same value, no wider than the number and 24 bytes: "[-]DIGITSeEXPONENT",
 * the digits without zeros around them, "0" for zero. -EINVAL, -ENOBUFS. */
int json_raw_number_canonical(struct slice number, struct buf *out);
#endif
