/* What client and server share: a small ordered list of headers. Names compare without case. */
#ifndef WORLD_HTTP_H
#define WORLD_HTTP_H
#include "base/buf.h"

enum { HTTP_MAX_HEADERS = 64 };
struct http_header {
    struct slice name, value;
};
struct http_headers {
    struct http_header v[HTTP_MAX_HEADERS];
    size_t n;
};
/* Borrowed slices; false when full (the header is left out). */
bool http_headers_add(struct http_headers *h, struct slice name, struct slice value);
struct slice http_headers_get(const struct http_headers *h, const char *name); /* {NULL,0} if absent */
bool http_name_eq(struct slice a, struct slice b);
const char *http_status_text(int status);
#endif
