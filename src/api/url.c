/* The parts of a URL, and percent-encoding (RFC 3986). */
#include "api/url.h"
#include <errno.h>
#include <strings.h>

static const struct {
    const char *name;
    unsigned port;
} schemes[] = {{"http", 80}, {"https", 443}, {"socks5", 1080}, {"socks5h", 1080}};

bool url_scheme_is(struct slice a, const char *b) {
    return a.n == strlen(b) && strncasecmp(a.p, b, a.n) == 0;
}

int url_port(struct slice text, unsigned *ret) {
    int64_t v;
    if (!text.n || text.p[0] < '0' || text.p[0] > '9' || slice_i64(text, &v) < 0 || v < 1 || v > 65535)
        return -EINVAL;
    *ret = (unsigned)v;
    return 0;
}

static bool host_chars(struct slice s, bool ipv6) {
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c == 0x7f || strchr("\"<>\\^`{|}[]#?@/", c) || (c == ':' && !ipv6)) return false;
    }
    return s.n > 0;
}

int url_split(struct slice text, struct url *ret) {
    struct url u = {0};
    const char *sep = text.n > 3 ? memmem(text.p, text.n, "://", 3) : NULL;
    if (!sep) return -EINVAL;
    u.scheme = slice_make(text.p, (size_t)(sep - text.p));
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (url_scheme_is(u.scheme, schemes[i].name)) u.port = schemes[i].port;
    }
    if (!u.port) return -EINVAL;
    struct slice rest = slice_make(sep + 3, text.n - u.scheme.n - 3);
    size_t n = 0;
    while (n < rest.n && !strchr("/?#", rest.p[n])) n++;
    struct slice at = slice_make(rest.p, n);
    u.path = slice_make(rest.p + n, rest.n - n);
    for (size_t i = 0; i < u.path.n; i++) {
        if ((unsigned char)u.path.p[i] <= 0x20 || u.path.p[i] == 0x7f) return -EINVAL;
        u.query = u.query || u.path.p[i] == '?' || u.path.p[i] == '#';
    }
    const char *user = memrchr(at.p, '@', at.n);
    if (user) {
        u.user = slice_make(at.p, (size_t)(user - at.p));
        at = slice_make(user + 1, at.n - u.user.n - 1);
    }
    struct slice port = {0};
    if (at.n && at.p[0] == '[') {
        struct slice behind;
        if (!slice_cut(slice_make(at.p + 1, at.n - 1), ']', &u.host, &behind)) return -EINVAL;
        u.ipv6 = true;
        if (behind.n && (behind.p[0] != ':' || url_port(slice_make(behind.p + 1, behind.n - 1), &u.port) < 0))
            return -EINVAL;
    } else if (slice_cut(at, ':', &u.host, &port) && url_port(port, &u.port) < 0) {
        return -EINVAL;
    }
    if (!host_chars(u.host, u.ipv6)) return -EINVAL;
    *ret = u;
    return 0;
}

void url_shown(struct slice text, struct buf *out) {
    struct url u;
    struct buf b = BUF(4096);
    if (url_split(text, &u) == 0) {
        size_t n = 0;
        while (n < u.path.n && !strchr("?#", u.path.p[n])) n++;
        buf_addf(&b, "%.*s://%s%.*s%s:%u%.*s", SLF(u.scheme), u.ipv6 ? "[" : "", SLF(u.host),
                 u.ipv6 ? "]" : "", u.port, (int)n, u.path.p ? u.path.p : "");
    } else if (!memchr(text.p ? text.p : "", '@', text.n)) { /* a path, or what nobody knows */
        size_t n = 0;
        while (text.p && n < text.n && !strchr("?#", text.p[n])) n++;
        buf_add(&b, slice_make(text.p, n));
    }
    for (size_t i = 0; i < b.n && i < 200; i++) buf_addc(out, b.p[i] > 0x20 && b.p[i] < 0x7f ? b.p[i] : '?');
    if (b.n > 200) buf_adds(out, "...");
    buf_free(&b);
}

/* ---- percent-encoding ---- */

static bool unreserved(char c) { /* RFC 3986, 2.3 */
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* Everything but unreserved characters and, where it is not '\0', keep. */
static int escape(struct buf *out, struct slice s, char keep) {
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n && !out->full; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (unreserved(s.p[i]) || (keep && s.p[i] == keep)) {
            buf_addc(out, s.p[i]);
        } else {
            char enc[3] = {'%', hex[c >> 4], hex[c & 15]};
            buf_add(out, slice_make(enc, 3));
        }
    }
    return out->full ? -ENOBUFS : 0;
}

int url_escape(struct buf *out, struct slice s) {
    return escape(out, s, '\0');
}

int url_escape_path(struct buf *out, struct slice s) {
    return escape(out, s, '/');
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    char l = (char)(c | 0x20);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

int url_unescape(struct buf *out, struct slice s) {
    size_t before = out->n;
    for (size_t i = 0; i < s.n && !out->full; i++) {
        char c = s.p[i];
        if (c == '%') {
            int hi = s.n - i > 2 ? hex_digit(s.p[i + 1]) : -1, lo = s.n - i > 2 ? hex_digit(s.p[i + 2]) : -1;
            if (hi < 0 || lo < 0) {
                out->n = before;
                if (out->p) out->p[before] = '\0';
                return -EINVAL;
            }
            c = (char)(hi << 4 | lo);
            i += 2;
        }
        buf_addc(out, c);
    }
    return out->full ? -ENOBUFS : 0;
}

int url_query(struct buf *out, bool *first, const char *key, struct slice value) {
    buf_addc(out, *first ? '?' : '&');
    escape(out, slice_of(key), '\0');
    buf_addc(out, '=');
    escape(out, value, '\0');
    *first = false;
    return out->full ? -ENOBUFS : 0;
}
