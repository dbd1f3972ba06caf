/* What the rest of the layer asks of a configuration, certificates read again included. */
#include "config_impl.h"

void kube_config_free(struct kube_config *c) {
    if (!c) return;
    auth_free(c->auth);
    credential_file_free(&c->ca);
    credential_file_free(&c->cert);
    credential_file_free(&c->key);
    free(c->server);
    free(c->host);
    free(c->ns);
    free(c->proxy);
    free(c->as);
    free(c->user);
    free(c->server_name);
    free(c);
}

const char *kube_config_server(const struct kube_config *c) {
    return c->server;
}
const char *kube_config_host(const struct kube_config *c) {
    return c->host;
}
const char *kube_config_namespace(const struct kube_config *c) {
    return c->ns;
}
const char *kube_config_as(const struct kube_config *c) {
    return c->as;
}
const char *kube_config_user(const struct kube_config *c) {
    return c->as ? c->as : c->user;
}
bool kube_config_in_cluster(const struct kube_config *c) {
    return c->in_cluster;
}
const char *kube_config_proxy(const struct kube_config *c) {
    return c->proxy;
}

uint64_t tls_id(const struct http_tls *t) {
    uint64_t h = slice_hash(t->ca, t->insecure ? 2 : 1);
    h = slice_hash(t->cert, h + t->ca.n);
    h = slice_hash(t->key, h + t->cert.n);
    return slice_hash(slice_of(t->server_name), h + t->key.n);
}

const struct http_tls *kube_config_tls(struct kube_config *c) {
    if (!c->https) return NULL;
    int64_t now = world_boot_ns(c->w);
    if (now - c->looked_ns >= NS_PER_S) { /* not at every request: that would be three calls of stat() */
        c->looked_ns = now;
        credential_file_refresh(&c->ca, c->w, c->log, false);
        credential_file_refresh(&c->cert, c->w, c->log, false);
        credential_file_refresh(&c->key, c->w, c->log, false);
    }
    c->tls = (struct http_tls){.ca = buf_slice(&c->ca.text),
                               .cert = buf_slice(&c->cert.text),
                               .key = buf_slice(&c->key.text),
                               .server_name = c->server_name,
                               .insecure = c->insecure};
    auth_cert(c->auth, &c->tls.cert, &c->tls.key);
    c->tls.id = tls_id(&c->tls);
    return &c->tls;
}

void kube_config_auth(struct kube_config *c, bool refresh, kube_auth_done done, void *ctx) {
    auth_get(c->auth, refresh, done, ctx);
}

void kube_config_auth_cancel(struct kube_config *c, void *ctx) {
    auth_cancel(c->auth, ctx);
}

void kube_config_describe(const struct kube_config *c, struct buf *out) {
    auth_describe(c->auth, out);
    if (c->cert.text.n)
        buf_addf(out, ", a client certificate%s%s", c->cert.path ? " of " : "",
                 c->cert.path ? c->cert.path : "");
}
