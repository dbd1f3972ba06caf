/* What the tests of the configuration share: files in a scripted world, and what they come to. */
#ifndef TEST_CONFIG_KIT_H
#define TEST_CONFIG_KIT_H
#include "../case.h"
#include "fake.h"
#include "kube/config.h"

#define PEM    "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n"
#define CERT   "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define KEY    "-----BEGIN PRIVATE KEY-----\nsecret-key\n-----END PRIVATE KEY-----\n"
#define CERT64 "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBQUEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="

#define CONFIG_CASE(name) CASE_OF(struct fake, f, fake_new(), fake_free, name)

static inline int load(struct fake *f, const char *kubeconfig, const char *context, const char *server,
                       struct kube_config **ret, struct err *err) {
    struct kube_config_spec s = {.kubeconfig = kubeconfig, .context = context, .server = server};
    return kube_config_load(f->a.w, &f->log, &s, ret, err);
}

/* What is configured must come to this server. */
static inline struct kube_config *loads(struct fake *f, const char *context, const char *server,
                                        const char *want) {
    struct kube_config *c = NULL;
    struct err e = {0};
    if (load(f, NULL, context, server, &c, &e) < 0) fail_msg("%s", e.msg);
    assert_string_equal(kube_config_server(c), want);
    return c;
}

static inline void fails_to_load(struct fake *f, const char *kubeconfig, int errnum, const char *part) {
    struct kube_config *c = NULL;
    struct err e = {0};
    assert_int_equal(load(f, kubeconfig, NULL, NULL, &c, &e), errnum);
    assert_has(e.msg, part);
    assert_lacks(e.msg, "s3cret");
}

#define CTX          "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u, namespace: n}}]\n"
#define CLUSTER      "clusters: [{name: k, cluster: {server: 'https://api:6443'}}]\n"
#define WITH_USER(u) CTX CLUSTER "users: [{name: u, user: {" u "}}]\n"

static inline struct kube_config *config_of(struct fake *f, const char *text) {
    struct kube_config *c = NULL;
    struct err e = {0};
    fake_file(f, "/etc/k/config", text);
    if (load(f, "/etc/k/config", NULL, NULL, &c, &e) < 0) fail_msg("%s", e.msg);
    return c;
}

static inline void config_free(struct kube_config **c) {
    kube_config_free(*c);
}
/* One of this text, which is freed at the end of its scope. */
#define CONFIG(c, f, text) __attribute__((cleanup(config_free))) struct kube_config *c = config_of(f, text)

struct got {
    struct buf text;
    struct err err;
    unsigned n;
};

static inline void on_auth(void *ctx, const struct err *err, struct slice authorization) {
    struct got *g = ctx;
    g->n++;
    buf_free(&g->text);
    buf_init(&g->text, 1 << 20);
    buf_add(&g->text, authorization);
    g->err = err ? *err : (struct err){0};
}

static inline void expect_auth(struct kube_config *c, struct fake *f, bool refresh, const char *want) {
    struct got g = {0};
    kube_config_auth(c, refresh, on_auth, &g);
    fake_settle(f);
    assert_int_equal(g.n, 1);
    if (g.err.kind) fail_msg("%s", g.err.msg);
    assert_string_equal(buf_str(&g.text), want);
    buf_free(&g.text);
}
#endif
