/* Which proxy a request takes. Pure but for the environment, which is a parameter. */
#ifndef KUBE_PROXY_H
#define KUBE_PROXY_H
#include "api/url.h"
#include "base/err.h"

/* As Go's net/http: HTTPS_PROXY or HTTP_PROXY by the scheme, NO_PROXY (upper or lower case), nothing for
 * loopback. *ret: NULL or an owned URL. A value that is no proxy's URL is ERR_CONFIG; it is not printed,
 * since it may hold a password. */
typedef const char *(*proxy_getenv)(void *ctx, const char *name);
int proxy_from_env(proxy_getenv env, void *ctx, const struct url *to, char **ret, struct err *err);
/* "host:port" or a URL of scheme http, https, socks5 or socks5h, as a URL. socks5 becomes socks5h, libcurl's word
 * for what Go does with both: the proxy resolves the name. where: for the message. */
int proxy_check(struct slice text, const char *where, char **ret, struct err *err);
#endif
