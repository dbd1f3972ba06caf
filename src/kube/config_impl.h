/* A configuration: config.c makes it, config_get.c answers from it. */
#ifndef KUBE_CONFIG_IMPL_H
#define KUBE_CONFIG_IMPL_H
#include "auth.h"
#include "config_priv.h"
#include "credential_file.h"

struct kube_config {
    struct world *w;
    struct log *log;
    char *server, *host, *ns, *proxy;
    char *as, *user; /* NULL: oneself; not named */
    bool in_cluster, https, insecure;
    struct credential_file ca, cert, key;
    char *server_name;
    struct auth *auth;
    int64_t looked_ns;
    struct http_tls tls;
};
#endif
