/* The parts of a URL, and which proxy a request to it takes. Pure but for the environment, which is a
 * parameter. */
#ifndef KUBE_URL_H
#define KUBE_URL_H
#include "base/buf.h"
#include "base/err.h"

struct url {
    struct slice scheme, user /* with password, before '@' */, host /* without brackets */,
        path /* from '/', or empty */;
    bool ipv6;
    unsigned port; /* that of the scheme if none is said */
    bool query;    /* '?' or '#' behind the path */
};
int url_split(struct slice text, struct url *ret); /* -EINVAL */

/* As Go's net/http: HTTPS_PROXY or HTTP_PROXY by the scheme, NO_PROXY (upper or lower case), nothing for
 * loopback. *ret: NULL or an owned URL. A value that is no proxy's URL is ERR_CONFIG; it is not printed,
 * since it may hold a password. */
typedef const char *(*url_getenv)(void *ctx, const char *name);
int proxy_from_env(url_getenv env, void *ctx, const struct url *to, char **ret, struct err *err);
/* "host:port" or a URL of scheme http, https, socks5 or socks5h, as a URL. where: for the message. */
int proxy_check(struct slice text, const char *where, char **ret, struct err *err);
#endif
