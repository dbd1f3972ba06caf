/* The server and the credentials: kubeconfig files, in the cluster, certificates, proxies, and errors. */
#include "../case.h"
#include "config_kit.h"

#define SA "/var/run/secrets/kubernetes.io/serviceaccount"

/* One file of a cluster and a user; must fail, and say all of the words. */
static void refused(const char *text, const char *a, const char *b) {
    struct fake *f = fake_new();
    fake_file(f, "/etc/k/config", text);
    fake_file(f, "/etc/k/ca.crt", CERT);
    fake_file(f, "/etc/k/rubbish", "not PEM");
    struct kube_config *c = NULL;
    struct err e = {0};
    int r = load(f, "/etc/k/config", NULL, NULL, &c, &e);
    if (r >= 0) fail_msg("was accepted: %s", text);
    assert_int_equal(e.kind, ERR_CONFIG);
    if (!strstr(e.msg, a) || !strstr(e.msg, b))
        fail_msg("\"%s\" says neither \"%s\" nor \"%s\"", e.msg, a, b);
    if (!strstr(e.msg, "/etc/k/")) fail_msg("\"%s\" names no file", e.msg);
    if (strstr(e.msg, "s3cret")) fail_msg("\"%s\" tells the secret", e.msg);
    fake_free(f);
}

#define EXEC(more)      WITH_USER("exec: {apiVersion: client.authentication.k8s.io/v1" more "}")
#define WITH_CLUSTER(k) CTX "clusters: [{name: k, cluster: {" k "}}]\nusers: [{name: u, user: {}}]\n"

CONFIG_CASE(a_file) {
    CONFIG(c, f, WITH_USER("token: s3cret"));
    assert_string_equal(kube_config_server(c), "https://api:6443");
    assert_string_equal(kube_config_namespace(c), "n");
    assert_false(kube_config_in_cluster(c));
    assert_null(kube_config_proxy(c));
    assert_non_null(kube_config_tls(c));
    assert_int_equal(kube_config_tls(c)->ca.n, 0);
    expect_auth(c, f, false, "Bearer s3cret");
    CONFIG(json, f,
           "{\"kind\":\"Config\",\"apiVersion\":\"v1\",\"current-context\":\"c\",\"contexts\":[{\"name\":"
           "\"c\",\"context\":{\"cluster\":\"k\"}}],"
           "\"clusters\":[{\"name\":\"k\",\"cluster\":{\"server\":\"http://[::1]:8080/base/\"}}]}");
    assert_string_equal(kube_config_server(json), "http://[::1]:8080/base");
    assert_string_equal(kube_config_namespace(json), "default");
    assert_null(kube_config_tls(json));
    expect_auth(json, f, true, "");
    CONFIG(basic, f, WITH_USER("username: a, password: 'b:c'"));
    expect_auth(basic, f, false, "Basic YTpiOmM=");
    CONFIG(insecure, f,
           WITH_CLUSTER("server: 'api', insecure-skip-tls-verify: true, tls-server-name: other"));
    assert_string_equal(kube_config_server(insecure), "https://api");
    assert_true(kube_config_tls(insecure)->insecure);
    assert_string_equal(kube_config_tls(insecure)->server_name, "other");
    /* merge keys; impersonation of nobody */
    CONFIG(merged, f,
           "base: &b {token: s3cret, username: ''}\n" CTX CLUSTER
           "users: [{name: u, user: {<<: *b, as: '', as-groups: [], as-user-extra: {}}}]\n");
    expect_auth(merged, f, false, "Bearer s3cret");
    kube_config_free(NULL);
}

CONFIG_CASE(files_merge) {
    fake_env(f, "KUBECONFIG", "/a/one:/absent::/b/two");
    fake_file(f, "/a/one",
              "users: [{name: u, user: {tokenFile: tok}}]\nclusters: [{name: other, cluster: {server: "
              "'http://x'}}]\n");
    fake_file(f, "/a/tok", "from-one\n");
    fake_file(f, "/b/two",
              CTX
              "users: [{name: u, user: {token: from-two}}]\n"
              "clusters: [{name: k, cluster: {server: 'https://two', certificate-authority: pki/ca.crt}}]\n"
              "preferences: {}\n");
    fake_file(f, "/b/pki/ca.crt", CERT);
    struct kube_config *c = loads(f, NULL, NULL, "https://two");
    assert_true(kube_config_tls(c)->ca.n > 0);
    expect_auth(c, f, false, "Bearer from-one");
    kube_config_free(c);
    /* the first current-context counts; --context and --server go before */
    fake_file(f, "/a/one",
              "current-context: d\ncontexts: [{name: d, context: {cluster: other}}]\nclusters: [{name: "
              "other, cluster: {server: 'http://x'}}]");
    kube_config_free(loads(f, NULL, NULL, "http://x"));
    c = loads(f, "c", "http://override:1/", "http://override:1");
    expect_auth(c, f, false, "Bearer from-two");
    kube_config_free(c);
    /* one broken file is not passed over */
    fake_file(f, "/a/one", "contexts: [}");
    fails_to_load(f, NULL, -EINVAL, "/a/one: not YAML: line 1: ");
    fake_file(f, "/a/one", NULL);
    fake_file(f, "/b/two", NULL);
    fails_to_load(f, NULL, -ENOENT, "/a/one:/absent::/b/two");
    fails_to_load(f, "/absent", -ENOENT, "/absent");
}

CONFIG_CASE(in_cluster) {
    fails_to_load(f, NULL, -ENOENT, "no cluster is configured");
    fake_env(f, "KUBERNETES_SERVICE_HOST", "fd00::1");
    fake_env(f, "KUBERNETES_SERVICE_PORT", "443");
    fake_env(f, "HOME", "/root");
    fails_to_load(f, NULL, -ENOENT, "automountServiceAccountToken");
    fake_file(f, SA "/token", "tok1\n");
    fails_to_load(f, NULL, -ENOENT, "ca.crt");
    fake_file(f, SA "/ca.crt", CERT);
    fake_file(f, SA "/namespace", "upgrades\n");
    struct kube_config *c = loads(f, NULL, NULL, "https://[fd00::1]:443");
    assert_string_equal(kube_config_namespace(c), "upgrades");
    assert_true(kube_config_in_cluster(c));
    expect_auth(c, f, false, "Bearer tok1");
    /* the kubelet replaces the token; it is seen within a second, or at once when the old one was refused */
    fake_file(f, SA "/token", "tok2");
    fake_run(f, 2 * NS_PER_S);
    expect_auth(c, f, false, "Bearer tok2");
    fake_file(f, SA "/token", "tok3");
    expect_auth(c, f, false, "Bearer tok2");
    expect_auth(c, f, true, "Bearer tok3");
    /* gone or unusable: the old one stays */
    fake_file(f, SA "/token", "to\nk4");
    fake_run(f, 2 * NS_PER_S);
    expect_auth(c, f, false, "Bearer tok3");
    fake_file(f, SA "/token", NULL);
    fake_run(f, 120 * NS_PER_S);
    expect_auth(c, f, false, "Bearer tok3");
    assert_has(buf_str(&f->lines), "cannot be read again");
    assert_lacks(buf_str(&f->lines), "tok"
                                     "4");
    /* the authority's certificate changes: another id, so that no connection of the old one is used */
    uint64_t id = kube_config_tls(c)->id;
    fake_file(f, SA "/ca.crt", CERT CERT);
    fake_run(f, 2 * NS_PER_S);
    assert_true(kube_config_tls(c)->id != id);
    kube_config_free(c);
    /* ~/.kube/config comes after the pod's, --context means a kubeconfig */
    fake_file(f, SA "/token", "tok");
    fake_file(f, "/root/.kube/config", WITH_USER("token: t"));
    kube_config_free(loads(f, NULL, NULL, "https://[fd00::1]:443"));
    c = loads(f, "c", NULL, "https://api:6443");
    assert_false(kube_config_in_cluster(c));
    kube_config_free(c);
    fake_env(f, "KUBERNETES_SERVICE_HOST", NULL);
    kube_config_free(loads(f, NULL, NULL, "https://api:6443"));
    fake_file(f, "/root/.kube/config", NULL);
    kube_config_free(loads(f, NULL, "127.0.0.1:8001", "http://127.0.0.1:8001"));
}

CASE(errors_say_what_and_where) {
    refused("a: [", "not YAML", ":");
    refused("- list", "a list where a mapping should be", ":1");
    refused("kind: Pod", "kind Pod", "must be Config");
    refused("apiVersion: v2", "v2", "v1");
    refused("clusters: {}", "clusters", "a list should be");
    refused("clusters: [x]", "clusters[0]", "a mapping should be");
    refused("clusters: [{name: k, cluster: {server: [s3cret]}}]", "cluster \"k\".server",
            "a string should be");
    refused("clusters: [{name: k, cluster: {insecure-skip-tls-verify: s3cret}}]", "insecure-skip-tls-verify",
            "true or false");
    refused("clusters: [{name: k, cluster: {}}, {name: k, cluster: {}}]", "two clusters", "\"k\"");
    refused("contexts: [{name: a}, {name: b}]", "no current-context", "\"a\", \"b\"");
    refused("current-context: z\ncontexts: [{name: a}, {name: b}]", "\"z\" does not exist", "\"a\", \"b\"");
    refused("current-context: z", "\"z\" does not exist", "none");
    refused("current-context: a\ncontexts: [{name: a, context: {cluster: k}}]", "context \"a\"",
            "cluster \"k\" does not exist");
    refused(CTX CLUSTER, "context \"c\"", "user \"u\" does not exist");
    refused(WITH_CLUSTER("server: ''"), "cluster \"k\"", "no server");
    refused(WITH_CLUSTER("server: 'ftp://x'"), "ftp://x", "allowed: https://");
    refused(WITH_CLUSTER("server: 'https://x:99999'"), "is no URL", "cluster \"k\"");
    refused(WITH_CLUSTER("server: 'https://u:s3cret@x'"), "credentials", "cluster \"k\"");
    refused(WITH_CLUSTER("server: 'https://u:s3cret@x:bad'"), "credentials", "cluster \"k\"");
    refused(WITH_CLUSTER("server: 'https://x', certificate-authority: gone.crt"), "certificate-authority",
            "/etc/k/gone.crt");
    refused(WITH_CLUSTER("server: 'https://x', certificate-authority: rubbish"), "certificate-authority",
            "PEM");
    refused(WITH_CLUSTER("server: 'https://x', certificate-authority-data: '%%s3cret'"),
            "certificate-authority-data", "base64");
    refused(
        WITH_CLUSTER("server: 'https://x', certificate-authority: ca.crt, insecure-skip-tls-verify: true"),
        "only one", "cluster \"k\"");
    refused(WITH_CLUSTER("server: 'https://x', proxy-url: 'ftp://u:s3cret@p'"), "proxy-url", "socks5");
    refused(WITH_USER("client-certificate-data: " CERT64), "client-key", "user \"u\"");
    refused(WITH_USER("client-certificate: ca.crt, client-key: ca.crt"), "client-key", "PRIVATE KEY");
    refused(WITH_USER("token: 's3cret with blanks'"), "token", "user \"u\"");
    refused(WITH_USER("tokenFile: gone"), "token file", "/etc/k/gone");
    refused(WITH_USER("token: s3cret, username: x"), "only one", "user \"u\"");
    refused(WITH_USER("username: 'a:b', password: s3cret"), "username", "user \"u\"");
    refused(WITH_USER("as: root"), "(\"as\")", "user \"u\"");
    refused(WITH_USER("as-groups: [admins]"), "(\"as-groups\")", "user \"u\"");
    refused(WITH_USER("as-uid: 7"), "(\"as-uid\")", "user \"u\"");
    refused(WITH_USER("as-user-extra: {a: [b]}"), "(\"as-user-extra\")", "user \"u\"");
    refused(WITH_USER("auth-provider: {name: gcp, config: {x: s3cret}}"), "auth-provider \"gcp\"", "exec");
    refused(WITH_USER("exec: {command: x}"), "apiVersion \"\"", "client.authentication.k8s.io/v1beta1");
    refused(EXEC("alpha1, command: x"), "v1alpha1", "allowed");
    refused(EXEC(", interactiveMode: Never"), "no command", "user \"u\"");
    refused(EXEC(", command: x"), "interactiveMode", "IfAvailable");
    refused(EXEC(", command: x, interactiveMode: Always"), "Always", "terminal");
    refused(EXEC(", command: x, interactiveMode: Never, env: [{value: s3cret}]"), "env[0]", "name");
    refused(EXEC(", command: x, interactiveMode: Never, args: [[s3cret]]"), "args[0]", "string");
}

CONFIG_CASE(client_certificate) {
    fake_file(f, "/etc/k/me.crt", CERT);
    fake_file(f, "/etc/k/me.key", KEY);
    CONFIG(c, f, WITH_USER("client-certificate: me.crt, client-key: /etc/k/me.key"));
    const struct http_tls *t = kube_config_tls(c);
    assert_true(slice_eqs(t->cert, CERT) && slice_eqs(t->key, KEY));
    uint64_t id = t->id;
    fake_run(f, 2 * NS_PER_S);
    assert_true(kube_config_tls(c)->id == id);
    fake_file(f, "/etc/k/me.crt", CERT "\n");
    fake_run(f, 2 * NS_PER_S);
    assert_true(kube_config_tls(c)->id != id);
}

static void goes_through(struct fake *f, const char *text, const char *proxy) {
    CONFIG(c, f, text);
    if (!proxy) assert_null(kube_config_proxy(c));
    if (proxy) assert_string_equal(kube_config_proxy(c), proxy);
}

CONFIG_CASE(proxies) {
    /* the name is the proxy's to resolve */
    goes_through(f, WITH_CLUSTER("server: 'https://api', proxy-url: 'socks5://p:1080'"), "socks5h://p:1080");
    fake_env(f, "HTTPS_PROXY", "proxy:3128");
    fake_env(f, "http_proxy", "http://plain:1");
    fake_env(f, "NO_PROXY", "internal, 10.0.0.0/8");
    goes_through(f, WITH_CLUSTER("server: 'https://api'"), "http://proxy:3128");
    goes_through(f, WITH_CLUSTER("server: 'http://api'"), "http://plain:1");
    goes_through(f, WITH_CLUSTER("server: 'https://api.internal'"), NULL);
    fake_env(f, "HTTPS_PROXY", "ftp://u:s3cret@x");
    fake_file(f, "/etc/k/config", WITH_CLUSTER("server: 'https://api'"));
    fails_to_load(f, "/etc/k/config", -EINVAL, "HTTPS_PROXY");
}

CASES("kube/config")
