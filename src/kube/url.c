/* See url.h; the proxy rules are those of golang.org/x/net/http/httpproxy. */
#include "url.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

static const struct {
    const char *name;
    unsigned port;
} schemes[] = {{"http", 80}, {"https", 443}, {"socks5", 1080}, {"socks5h", 1080}};

static bool same(struct slice a, const char *b) {
    return a.n == strlen(b) && strncasecmp(a.p, b, a.n) == 0;
}

static int port_of(struct slice text, unsigned *ret) {
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
        if (same(u.scheme, schemes[i].name)) u.port = schemes[i].port;
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
        if (behind.n && (behind.p[0] != ':' || port_of(slice_make(behind.p + 1, behind.n - 1), &u.port) < 0))
            return -EINVAL;
    } else if (slice_cut(at, ':', &u.host, &port) && port_of(port, &u.port) < 0) {
        return -EINVAL;
    }
    if (!host_chars(u.host, u.ipv6)) return -EINVAL;
    *ret = u;
    return 0;
}

int proxy_check(struct slice text, const char *where, char **ret, struct err *err) {
    text = slice_trim(text);
    bool schemed = text.n && memmem(text.p, text.n, "://", 3);
    cleanup_free char *full = xasprintf("%s%.*s", schemed ? "" : "http://", (int)(text.n > 4096 ? 0 : text.n),
                                        text.n ? text.p : "");
    struct url u;
    if (url_split(slice_of(full), &u) < 0) {
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "%s is no proxy's URL (not shown, it may hold a password); allowed: http://, "
                       "https://, socks5:// or "
                       "socks5h://HOST:PORT",
                       where);
    }
    *ret = full;
    full = NULL;
    return 0;
}

/* ---- NO_PROXY ---- */

struct ip {
    int family; /* 0: none */
    unsigned char b[16];
};

static struct ip ip_of(struct slice text) {
    char s[64];
    struct ip ip = {0};
    if (!text.n || text.n >= sizeof s) return ip;
    memcpy(s, text.p, text.n);
    s[text.n] = '\0';
    if (inet_pton(AF_INET, s, ip.b) == 1) {
        ip.family = AF_INET;
    } else if (inet_pton(AF_INET6, s, ip.b) == 1) {
        ip.family = AF_INET6;
    }
    return ip;
}

static bool in_net(const struct ip *ip, const struct ip *net, unsigned bits) {
    if (ip->family != net->family || bits > (net->family == AF_INET ? 32u : 128u)) return false;
    for (unsigned i = 0; i < bits; i++) {
        if ((ip->b[i / 8] ^ net->b[i / 8]) >> (7 - i % 8) & 1) return false;
    }
    return true;
}

static bool ends_with(struct slice host, struct slice domain) {
    return host.n > domain.n && strncasecmp(host.p + (host.n - domain.n), domain.p, domain.n) == 0;
}

static bool excepted_by(struct slice entry, const struct url *to, const struct ip *ip) {
    struct slice net, bits;
    int64_t n;
    if (slice_cut(entry, '/', &net, &bits)) {
        struct ip base = ip_of(net);
        return ip->family && base.family && slice_i64(bits, &n) == 0 && n >= 0 &&
               in_net(ip, &base, (unsigned)n);
    }
    struct slice host = entry, port = {0};
    if (entry.p[0] == '[') {
        struct slice behind;
        slice_cut(slice_make(entry.p + 1, entry.n - 1), ']', &host, &behind);
        if (behind.n > 1 && behind.p[0] == ':') port = slice_make(behind.p + 1, behind.n - 1);
    } else if (!ip_of(entry).family) {
        slice_cut(entry, ':', &host, &port);
    }
    unsigned want = 0;
    if (port.n && (port_of(port, &want) < 0 || want != to->port)) return false;
    struct ip exact = ip_of(host);
    if (exact.family) return ip->family == exact.family && memcmp(ip->b, exact.b, sizeof ip->b) == 0;
    if (slice_starts(host, SL("*."))) host = slice_make(host.p + 1, host.n - 1);
    if (!host.n) return false;
    if (host.p[0] == '.') return ends_with(to->host, host);
    bool whole = to->host.n == host.n && strncasecmp(to->host.p, host.p, host.n) == 0;
    return whole || (ends_with(to->host, host) && to->host.p[to->host.n - host.n - 1] == '.');
}

static bool excepted(struct slice list, const struct url *to) {
    struct ip ip = ip_of(to->host);
    bool loopback = (ip.family == AF_INET && ip.b[0] == 127) ||
                    (ip.family == AF_INET6 && memcmp(ip.b, &(struct ip){.b[15] = 1}.b, sizeof ip.b) == 0);
    if (loopback || same(to->host, "localhost")) return true;
    struct slice entry;
    while (list.n) {
        slice_cut(list, ',', &entry, &list);
        entry = slice_trim(entry);
        if (!entry.n) continue;
        if (slice_eqs(entry, "*") || excepted_by(entry, to, &ip)) return true;
    }
    return false;
}

static const char *either(url_getenv env, void *ctx, const char *upper, const char *lower) {
    const char *v = env(ctx, upper);
    return v && v[0] ? v : env(ctx, lower);
}

int proxy_from_env(url_getenv env, void *ctx, const struct url *to, char **ret, struct err *err) {
    bool https = same(to->scheme, "https");
    const char *v =
        https ? either(env, ctx, "HTTPS_PROXY", "https_proxy") : either(env, ctx, "HTTP_PROXY", "http_proxy");
    if (!v || !v[0] || excepted(slice_of(either(env, ctx, "NO_PROXY", "no_proxy")), to)) {
        *ret = NULL;
        return 0;
    }
    return proxy_check(slice_of(v), https ? "HTTPS_PROXY" : "HTTP_PROXY", ret, err);
}
