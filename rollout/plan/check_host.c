/* Which URLs may be asked; see check.h. What two parsers could read in two ways is refused, rather than read. */
#include "api/ip.h"
#include "plan/check.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

enum { ENTRY_MAX = 300 };

static bool plain_name(struct slice s) {
    for (size_t i = 0; i < s.n; i++) {
        bool edge = i == 0 || i + 1 == s.n || s.p[i - 1] == '.';
        if (!isalnum((unsigned char)s.p[i]) && (edge || !strchr("-_.", s.p[i]))) return false;
    }
    return s.n > 0;
}

static bool plain_host(const struct url *u) {
    return u->ipv6 ? slice_has(u->host, ':') && ip_kind_of(u->host) != IP_NONE : plain_name(u->host);
}

/* Right behind "://": no user, not even an empty one. */
static bool without_user(struct slice text, const struct url *u) {
    return u->host.p == text.p + u->scheme.n + 3 + (u->ipv6 ? 1 : 0);
}

static const char *wrong_path(struct slice path) {
    if (path.n && path.p[0] != '/') return "a path begins with /";
    for (size_t i = 0; i < path.n; i++) {
        unsigned char c = (unsigned char)path.p[i];
        if (c == '#') return "nothing behind a # is ever sent";
        if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c)) return "write other characters as %XX";
    }
    return NULL;
}

int check_url_read(struct slice text, struct url *ret, char why[256]) {
    struct url u;
    const char *bad = NULL;
    if (url_split(text, &u) < 0 || !(url_scheme_is(u.scheme, "https") || url_scheme_is(u.scheme, "http")))
        bad = "expected https://HOST or http://HOST, with :PORT and a path";
    else if (!without_user(text, &u))
        bad = "no user or password stands in it";
    else if (!plain_host(&u))
        bad = "a host is a name of letters, digits, - and . (with none at its end), or an address";
    else
        bad = wrong_path(u.path);
    if (bad) {
        snprintf(why, 256, "%s", bad);
        return -EINVAL;
    }
    *ret = u;
    return 0;
}

static void add_lower(struct buf *out, struct slice s) {
    for (size_t i = 0; i < s.n; i++) buf_addc(out, (char)tolower((unsigned char)s.p[i]));
}

void check_url_write(const struct url *u, struct buf *out) {
    add_lower(out, u->scheme);
    buf_adds(out, u->ipv6 ? "://[" : "://");
    add_lower(out, u->host);
    buf_addf(out, "%s:%u", u->ipv6 ? "]" : "", u->port);
    if (!u->path.n) buf_addc(out, '/');
    buf_add(out, u->path);
}

/* ---- the list ---- */

struct entry {
    char text[ENTRY_MAX];
    struct url url; /* of text; its host without the "*." */
    bool any;       /* every name below that one */
};

static bool read_entry(struct slice one, struct entry *ret) {
    bool scheme = slice_starts(one, SL("http://")) || slice_starts(one, SL("https://"));
    int n = snprintf(ret->text, sizeof ret->text, "%s%.*s", scheme ? "" : "https://", SLF(one));
    struct slice text = slice_of(ret->text);
    struct url *u = &ret->url;
    if (n < 0 || (size_t)n >= sizeof ret->text || url_split(text, u) < 0 || !without_user(text, u))
        return false;
    ret->any = slice_starts(u->host, SL("*."));
    if (ret->any) u->host = slice_make(u->host.p + 2, u->host.n - 2);
    return !u->path.n && plain_host(u) && !(ret->any && u->ipv6);
}

int check_hosts_check(struct slice list, struct err *err) {
    struct slice left = list, one;
    for (bool more = true; more;) {
        struct entry e;
        more = slice_cut(left, ',', &one, &left);
        one = slice_trim(one);
        if (!read_entry(one, &e))
            return err_set(
                err, ERR_CONFIG, -EINVAL,
                "read \"%.*s\"; allowed is a list of HOST, HOST:PORT and *.SUFFIX, with http:// before those "
                "that are asked without TLS",
                (int)(one.n < 100 ? one.n : 100), one.p ? one.p : "");
    }
    return 0;
}

static bool is_of(const struct entry *e, const struct url *u) {
    struct slice want = e->url.host, host = u->host;
    if (!slice_eq(e->url.scheme, u->scheme) &&
        !url_scheme_is(u->scheme, e->url.scheme.n == 5 ? "https" : "http"))
        return false;
    if (e->url.port != u->port || e->url.ipv6 != u->ipv6) return false;
    if (!e->any) return host.n == want.n && strncasecmp(host.p, want.p, want.n) == 0;
    return host.n > want.n + 1 && host.p[host.n - want.n - 1] == '.' &&
           strncasecmp(host.p + host.n - want.n, want.p, want.n) == 0;
}

bool check_hosts_allow(struct slice list, const struct url *u) {
    struct slice one;
    for (bool more = list.n > 0; more;) {
        struct entry e;
        more = slice_cut(list, ',', &one, &list);
        if (read_entry(slice_trim(one), &e) && is_of(&e, u)) return true;
    }
    return false;
}
