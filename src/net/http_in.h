/* A request as it arrives: bytes in, one whole request or the status to refuse it with out. Pure, no I/O.
 * Around Debian's libhttp-parser, which is built without its strict checks: what they would refuse is refused
 * here. */
#ifndef HTTP_IN_H
#define HTTP_IN_H
#include "world/http.h"
#include <http_parser.h>

enum { HTTP_IN_HEAD_CAP = 64 * 1024 };

struct http_in {
    http_parser parser;
    struct buf head; /* target, then names and values */
    struct buf body;
    size_t ntarget;
    struct {
        size_t name, nname, value, nvalue; /* places in head */
    } at[HTTP_MAX_HEADERS];
    size_t n;
    bool in_value; /* the last bytes were a value: the next name begins a new header */
    bool headers_done;
    bool begun;         /* at least one byte that counts */
    bool want_continue; /* the client waits for "100 Continue" */
    bool complete;
    bool keep_alive;
    int refused;     /* 4xx or 5xx, 0 if all is well */
    const char *why; /* a literal */
};

void http_in_init(struct http_in *in, size_t body_cap);
void http_in_reset(struct http_in *in); /* for the next request on the same connection */
void http_in_free(struct http_in *in);
/* Takes bytes up to the end of one request; the number of them. Nothing after complete or refused. */
size_t http_in_feed(struct http_in *in, struct slice data);

/* Of a complete request; the slices point into in. */
struct slice http_in_method(const struct http_in *in);
struct slice http_in_target(const struct http_in *in); /* path?query; of an absolute URL only that part */
void http_in_headers(const struct http_in *in, struct http_headers *ret);
bool http_is_token(struct slice s); /* RFC 9110's token: header names, methods */
#endif
