/* See proxy.h; the rules are those of golang.org/x/net/http/httpproxy. */
#include "proxy.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

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
    if (url_scheme_is(u.scheme, "socks5")) {
        *ret = xasprintf("socks5h%s", full + u.scheme.n);
        return 0;
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
    if (port.n && (url_port(port, &want) < 0 || want != to->port)) return false;
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
    if (loopback || url_scheme_is(to->host, "localhost")) return true;
    struct slice entry;
    while (list.n) {
        slice_cut(list, ',', &entry, &list);
        entry = slice_trim(entry);
        if (!entry.n) continue;
        if (slice_eqs(entry, "*") || excepted_by(entry, to, &ip)) return true;
    }
    return false;
}

static const char *either(proxy_getenv env, void *ctx, const char *upper, const char *lower) {
    const char *v = env(ctx, upper);
    return v && v[0] ? v : env(ctx, lower);
}

int proxy_from_env(proxy_getenv env, void *ctx, const struct url *to, char **ret, struct err *err) {
    bool https = url_scheme_is(to->scheme, "https");
    const char *v =
        https ? either(env, ctx, "HTTPS_PROXY", "https_proxy") : either(env, ctx, "HTTP_PROXY", "http_proxy");
    if (!v || !v[0] || excepted(slice_of(either(env, ctx, "NO_PROXY", "no_proxy")), to)) {
        *ret = NULL;
        return 0;
    }
    return proxy_check(slice_of(v), https ? "HTTPS_PROXY" : "HTTP_PROXY", ret, err);
}
