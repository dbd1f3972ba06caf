/* How to reach an API server and as whom: kubeconfig files merged as kubectl does, in-cluster configuration,
 * or a plain URL. Re-reads tokens and certificates from their files when these change; runs exec credential
 * plugins without a shell. */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H
#include "world/http_client.h"
#include "base/log.h"

struct kube_config_spec {
    const char *kubeconfig; /* --kubeconfig; NULL: $KUBECONFIG (a list of files), then in-cluster, then
                               ~/.kube/config */
    const char *context;    /* --context; NULL: current-context */
    const char *server;     /* overrides the server's URL; NULL: as configured */
    const char *
        as; /* the user as whom each request is made (impersonation), if one's own may do so; NULL: oneself */
};
struct kube_config; /* not reference counted: outlives every kube made from it */
int kube_config_load(struct world *w, struct log *log, const struct kube_config_spec *spec,
                     struct kube_config **ret, struct err *err);
/* The contexts that --context chooses from, of the kubeconfigs that would be read; kubeconfig: as in the spec. What cannot be
 * read has none. */
void kube_config_contexts(struct world *w, const char *kubeconfig, void (*fn)(void *ctx, const char *name),
                          void *ctx);
void kube_config_free(struct kube_config *c);
const char *kube_config_server(const struct kube_config *c); /* "https://host:port/base", no trailing '/' */
const char *kube_config_namespace(const struct kube_config *c); /* of the context or the pod; "default" */
const char *kube_config_as(const struct kube_config *c);        /* the user to act as; NULL: none */
/* As whom, for messages: that of `as`, else what the kubeconfig calls its user; NULL: not known. */
const char *kube_config_user(const struct kube_config *c);
bool kube_config_in_cluster(const struct kube_config *c);
const char *kube_config_proxy(const struct kube_config *c); /* NULL: none */
/* NULL for http. Certificates are read again when their files have changed. */
const struct http_tls *kube_config_tls(struct kube_config *c);

/* The Authorization header for the next request, "" for none. Asynchronous, since an exec plugin may have to
 * run: done is called exactly once, possibly inside this call. refresh: the last token got a 401, do not use
 * it again. */
typedef void (*kube_auth_done)(void *ctx, const struct err *err, struct slice authorization);
void kube_config_auth(struct kube_config *c, bool refresh, kube_auth_done done, void *ctx);
void kube_config_auth_cancel(struct kube_config *c, void *ctx); /* no callback for ctx any more */
#endif
