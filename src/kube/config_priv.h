/* What of a configuration only this layer needs. */
#ifndef KUBE_CONFIG_PRIV_H
#define KUBE_CONFIG_PRIV_H
#include "api/url.h"
#include "kube/config.h"

const char *kube_config_host(const struct kube_config *c); /* "host:port" of the server, for metrics */
/* For the message of a 401: which credentials these were. */
void kube_config_describe(const struct kube_config *c, struct buf *out);
/* An id for TLS material: equal for equal material, with next to no chance for another. */
uint64_t tls_id(const struct http_tls *t);
#endif
