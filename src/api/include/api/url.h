/* The parts of a URL, and percent-encoding. */
#ifndef API_URL_H
#define API_URL_H
#include "base/buf.h"

/* All parts are slices of the text. */
struct url {
    struct slice scheme, user /* with password, before '@' */, host /* without brackets */,
        path /* from '/' with its query, or empty */;
    bool ipv6;
    unsigned port; /* that of the scheme if the text has none */
    bool query;    /* '?' or '#' behind the path */
};
/* Of the schemes http, https, socks5 and socks5h. -EINVAL. */
int url_split(struct slice text, struct url *ret);
int url_port(struct slice text, unsigned *ret);          /* 1 to 65535; -EINVAL */
bool url_scheme_is(struct slice scheme, const char *is); /* whatever the case of its letters */
/* SCHEME://HOST:PORT/PATH for messages: without user, query and control characters, at most 200 bytes. */
void url_shown(struct slice text, struct buf *out);

/* Appends "?key=value" or "&key=value", percent-encoded; *first is kept by the caller (true at the
 * beginning). */
int url_query(struct buf *out, bool *first, const char *key, struct slice value);
int url_escape(struct buf *out, struct slice s);      /* everything but unreserved characters */
int url_escape_path(struct buf *out, struct slice s); /* the same, but '/' stays */
int url_unescape(struct buf *out,
                 struct slice s); /* "%2F" and '+' as blank when in a query is NOT applied; -EINVAL */
#endif
