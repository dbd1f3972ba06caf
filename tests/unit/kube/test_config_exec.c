/* Credentials of an exec plugin: asked for, kept, refused. */
#include "../case.h"
#include "config_kit.h"

static void expect_auth_error(struct kube_config *c, struct fake *f, bool refresh, const char *a,
                              const char *b) {
    struct got g = {0};
    kube_config_auth(c, refresh, on_auth, &g);
    fake_settle(f);
    assert_int_equal(g.n, 1);
    assert_int_equal(g.err.kind, ERR_AUTH);
    if (!strstr(g.err.msg, a) || !strstr(g.err.msg, b))
        fail_msg("\"%s\" says neither \"%s\" nor \"%s\"", g.err.msg, a, b);
    if (strstr(g.err.msg, "s3cret")) fail_msg("\"%s\" tells the secret", g.err.msg);
    buf_free(&g.text);
}

/* ---- exec plugins ---- */

#define EXEC(more)                                                                                           \
    WITH_USER("exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login, interactiveMode: "  \
              "IfAvailable, installHint: get it here" more "}")

#define CRED(status)                                                                                         \
    "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{" status "}}"

static const char *plugin_out, *plugin_err;
static int plugin_code;
static char plugin_saw[4096];

static void plugin(struct fake *f, struct fake_proc *p) {
    (void)f;
    snprintf(plugin_saw, sizeof plugin_saw, "%s %s", p->argv, p->env);
    fake_exit(p, plugin_code, plugin_out, plugin_err ? plugin_err : "");
}

static struct kube_config *exec_config(struct fake *f, const char *text, const char *out) {
    plugin_out = out;
    plugin_code = 0;
    plugin_err = NULL;
    f->on_spawn = plugin;
    return config_of(f, text);
}
/* One whose plugin prints this, which is freed at the end of its scope. */
#define EXEC_CONFIG(c, f, text, out)                                                                         \
    __attribute__((cleanup(config_free))) struct kube_config *c = exec_config(f, text, out)

CONFIG_CASE(exec_token) {
    EXEC_CONFIG(c, f, EXEC(", args: [get, \"-x\"], env: [{name: A, value: b c}]"), CRED("\"token\":\"t1\""));
    expect_auth(c, f, false, "Bearer t1");
    assert_string_equal(
        plugin_saw,
        "/etc/k/./bin/login|get|-x| A=b c|KUBERNETES_EXEC_INFO={\"kind\":\"ExecCredential\",\"apiVersion\":"
        "\"client.authentication.k8s.io/v1\",\"spec\":{\"interactive\":false}}|");
    /* no expiry: kept for good, until it is refused */
    plugin_out = CRED("\"token\":\"t2\"");
    fake_run(f, 86400 * NS_PER_S);
    expect_auth(c, f, false, "Bearer t1");
    assert_int_equal(f->spawned, 1);
    expect_auth(c, f, true, "Bearer t2");
    assert_int_equal(f->spawned, 2);
    /* many refusals at once are one run */
    plugin_out = CRED("\"token\":\"t3\"");
    expect_auth(c, f, true, "Bearer t2");
    assert_int_equal(f->spawned, 2);
    fake_run(f, 6 * NS_PER_S);
    struct got a = {0}, b = {0}, gone = {0};
    kube_config_auth(c, true, on_auth, &a);
    kube_config_auth(c, true, on_auth, &gone);
    kube_config_auth(c, true, on_auth, &b);
    assert_int_equal(a.n, 0);
    kube_config_auth_cancel(c, &gone);
    fake_settle(f);
    assert_int_equal(f->spawned, 3);
    assert_string_equal(buf_str(&a.text), "Bearer t3");
    assert_string_equal(buf_str(&b.text), "Bearer t3");
    assert_true(a.n == 1 && b.n == 1 && gone.n == 0);
    buf_free(&a.text);
    buf_free(&b.text);
}

CONFIG_CASE(exec_expiry) {
    simworld_set_wall(f->a.w,
                      INT64_C(1790000000) * NS_PER_S - simworld_now(f->a.sw)); /* 2026-09-21T14:13:20Z */
    EXEC_CONFIG(c, f, EXEC(""), CRED("\"token\":\"t1\",\"expirationTimestamp\":\"2026-09-21T14:23:20Z\""));
    expect_auth(c, f, false, "Bearer t1");
    plugin_out = CRED("\"token\":\"t2\",\"expirationTimestamp\":\"2026-09-21T14:23:21Z\"");
    fake_run(f, 580 * NS_PER_S);
    expect_auth(c, f, false, "Bearer t1");
    assert_int_equal(f->spawned, 1);
    fake_run(f, 15 * NS_PER_S);
    expect_auth(c, f, false, "Bearer t2");
    assert_int_equal(f->spawned, 2);
}

CONFIG_CASE(exec_certificate_and_cluster) {
    fake_file(f, "/etc/k/ca.crt", CERT);
    EXEC_CONFIG(c, f,
                CTX "clusters: [{name: k, cluster: {server: 'https://api', certificate-authority: "
                    "ca.crt, tls-server-name: sn, proxy-url: 'http://p:1', "
                    "extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x, n: "
                    "1, l: [true, null, '1']}}]}}]\n"
                    "users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1, "
                    "command: login, provideClusterInfo: true}}}]\n",
                "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
                "v1beta1\",\"status\":{\"clientCertificateData\":\"" PEM
                "\",\"clientKeyData\":\"-----BEGIN PRIVATE KEY-----\"}}");
    uint64_t before = kube_config_tls(c)->id;
    expect_auth(c, f, false, "");
    assert_true(slice_eqs(kube_config_tls(c)->cert, CERT));
    assert_true(kube_config_tls(c)->id != before);
    assert_string_equal(plugin_saw,
                        "login| "
                        "KUBERNETES_EXEC_INFO={\"kind\":\"ExecCredential\",\"apiVersion\":\"client."
                        "authentication.k8s.io/v1beta1\",\"spec\":{"
                        "\"interactive\":false,\"cluster\":{\"server\":\"https://"
                        "api\",\"tls-server-name\":\"sn\",\"certificate-authority-data\":\"" CERT64
                        "\",\"proxy-url\":\"http://"
                        "p:1\",\"config\":{\"audience\":\"x\",\"false\":1,\"l\":[true,null,\"1\"]}}}}|");
}

CONFIG_CASE(exec_failures) {
    EXEC_CONFIG(c, f, EXEC(""), "");
#define AGAIN fake_run(f, 6 * NS_PER_S)
    static const struct {
        const char *out, *says;
        int code;
        const char *errout, *also;
    } bad[] = {
        {"", "user \"u\" of /etc/k/config: exec plugin", 3, "some lines\nlogin: session is over\x1b[0m\n",
         "exit code 3: login: session is over?[0m"},
        {"", "exit code 127", 127, NULL, "get it here"},
        {"", "printed nothing", 0, NULL, NULL},
        {"s3cret, no JSON", "no JSON", 0, NULL, NULL},
        {"{\"token\":\"s3cret\"}", "no ExecCredential", 0, NULL, NULL},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"status\":{"
         "\"token\":\"s3cret\"}}",
         "another apiVersion", 0, NULL, NULL},
        {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\"}", "no status", 0,
         NULL, NULL},
        {CRED(""), "neither a token nor", 0, NULL, NULL},
        {CRED("\"clientKeyData\":\"s3cret\""), "without its key", 0, NULL, NULL},
        {CRED("\"token\":\"s3cret\",\"expirationTimestamp\":\"soon\""), "expirationTimestamp", 0, NULL, NULL},
    };
    for (unsigned k = 0; k < ARRAY_LEN(bad); k++) {
        plugin_out = bad[k].out;
        plugin_code = bad[k].code;
        plugin_err = bad[k].errout;
        for (int i = 0; i < 2; i++) /* a plugin that fails is not run for every request */
            expect_auth_error(c, f, false, bad[k].says, bad[k].also ? bad[k].also : "user \"u\"");
        assert_int_equal(f->spawned, k + 1);
        AGAIN;
    }
    plugin_out = CRED("\"token\":\"s3cret\\nX: y\"");
    struct got g = {0};
    kube_config_auth(c, false, on_auth, &g);
    fake_settle(f);
    assert_true(g.n == 1 && g.err.kind != ERR_NONE && !strstr(g.err.msg, "s3cret"));
    buf_free(&g.text);
    AGAIN;
    plugin_out = CRED("\"token\":\"fine\"");
    expect_auth(c, f, false, "Bearer fine");
    /* freed while it runs: killed, nobody is called */
    fake_run(f, 6 * NS_PER_S);
    f->on_spawn = NULL;
    struct got late = {0};
    kube_config_auth(c, true, on_auth, &late);
    fake_settle(f);
    kube_config_free(c);
    c = NULL;
    assert_int_equal(late.n, 0);
}

CONFIG_CASE(exec_plugin_that_is_not_there) {
    EXEC_CONFIG(c, f,
                WITH_USER("exec: {apiVersion: client.authentication.k8s.io/v1, command: absent, "
                          "interactiveMode: Never, installHint: brew it}"),
                "");
    expect_auth_error(c, f, false, "No such file", "brew it");
}

CASES("kube/config_exec")
