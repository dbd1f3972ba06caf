/* Which configuration is used, and what is wrong with it; see kube/config.h. */
#include "base/hash.h"
#include "config_impl.h"
#include "kubeconfig.h"
#include "proxy.h"
#include <errno.h>
#include <stdio.h>

#define ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"
enum { NAMES_SHOWN = 10 };

/* ---- the server and how to get there ---- */

static const char *getenv_in(void *w, const char *name) {
    return world_getenv(w, name);
}

/* where: what to blame; tls_said: TLS settings stand beside a server without scheme. */
static int set_server(struct kube_config *c, const char *text, const char *where, bool tls_said,
                      struct err *err) {
    struct slice s = slice_trim(slice_of(text));
    cleanup_free char *full = memmem(s.p, s.n, "://", 3)
                                  ? slice_dup(s)
                                  : xasprintf("%s%.*s", tls_said ? "https://" : "http://", SLF(s));
    struct url u;
    int r = url_split(slice_of(full), &u);
    if (r == 0 && (slice_starts(u.scheme, SL("socks")) || u.query)) r = -EINVAL;
    if (strchr(text, '@')) { /* not shown */
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "%s: the server's URL holds credentials; allowed: https://HOST:PORT", where);
    }
    if (r < 0)
        return err_set(err, ERR_CONFIG, r,
                       "%s: server \"%s\" is no URL; allowed: https://HOST:PORT or http://HOST:PORT", where,
                       text);
    size_t n = strlen(full);
    while (n && full[n - 1] == '/') full[--n] = '\0';
    c->https = u.scheme.n == 5;
    c->host = xasprintf("%s%.*s%s:%u", u.ipv6 ? "[" : "", SLF(u.host), u.ipv6 ? "]" : "", u.port);
    c->server = full;
    full = NULL;
    return 0;
}

/* said: proxy-url of the cluster, else the environment. */
static int set_proxy(struct kube_config *c, const char *said, const char *where, struct err *err) {
    struct url u;
    if (said && said[0]) {
        cleanup_free char *what = xasprintf("%s: proxy-url", where);
        return proxy_check(slice_of(said), what, &c->proxy, err);
    }
    if (url_split(slice_of(c->server), &u) < 0) return 0;
    return proxy_from_env(getenv_in, c->w, &u, &c->proxy, err);
}

/* ---- certificates ---- */

struct pem {
    struct credential_file *to;
    const char *data, *file, *key; /* key: of the -data field */
    const char *mark;              /* that PEM text of this kind has */
};

static int read_pem(struct kube_config *c, const struct pem *p, const char *where, struct err *err) {
    bool data = p->data && p->data[0];
    if (!data && !(p->file && p->file[0])) return 0;
    cleanup_free char *what = xasprintf("%s: %s%s", where, p->key, data ? "-data" : "");
    int r = data ? credential_file_decode(p->to, p->data, what, err)
                 : credential_file_read(p->to, c->w, p->file, what, err);
    if (r < 0) return r;
    struct slice text = buf_slice(&p->to->text);
    if (!text.n || !memmem(text.p, text.n, p->mark, strlen(p->mark))) {
        return err_set(err, ERR_CONFIG, -EINVAL, "%s: no PEM text with a block \"%s\"", what, p->mark);
    }
    return 0;
}

static int set_cluster_tls(struct kube_config *c, const struct kc_cluster *k, const char *where,
                           struct err *err) {
    int r = read_pem(
        c, &(struct pem){&c->ca, k->ca_data, k->ca_file, "certificate-authority", "CERTIFICATE-----"}, where,
        err);
    if (r < 0) return r;
    if (k->insecure && c->ca.text.n) {
        return err_set(
            err, ERR_CONFIG, -EINVAL,
            "%s: certificate-authority together with insecure-skip-tls-verify; only one is allowed", where);
    }
    c->insecure = k->insecure;
    if (k->tls_server_name && k->tls_server_name[0]) c->server_name = xstrdup(k->tls_server_name);
    return 0;
}

static int set_client_cert(struct kube_config *c, const struct kc_user *u, const char *where,
                           struct err *err) {
    int r = read_pem(
        c, &(struct pem){&c->cert, u->cert_data, u->cert_file, "client-certificate", "CERTIFICATE-----"},
        where, err);
    if (r == 0)
        r = read_pem(c, &(struct pem){&c->key, u->key_data, u->key_file, "client-key", "PRIVATE KEY-----"},
                     where, err);
    if (r == 0 && !c->cert.text.n != !c->key.text.n) {
        r = err_set(err, ERR_CONFIG, -EINVAL,
                    "%s: client-certificate and client-key must both be there, or neither", where);
    }
    return r;
}

/* ---- from kubeconfig files ---- */

static int set_user(struct kube_config *c, const struct kc_user *u, const struct kc_cluster *k,
                    const char *where, struct err *err) {
    bool token = u->token && u->token[0], file = u->token_file && u->token_file[0],
         basic = u->username && u->username[0];
    const char *as = u->impersonate && u->impersonate[0] ? "as" : u->impersonate_more;
    if (as)
        return err_set(err, ERR_CONFIG, -ENOTSUP, "%s: acting as another user (\"%s\") is not supported",
                       where, as);
    if (u->auth_provider) {
        return err_set(err, ERR_CONFIG, -ENOTSUP,
                       "%s: auth-provider \"%s\" is not supported (Kubernetes removed these); allowed: exec, "
                       "token, tokenFile, client-certificate, username",
                       where, u->auth_provider);
    }
    if (basic && (token || file)) {
        return err_set(err, ERR_CONFIG, -EINVAL, "%s: both a token and a username; only one is allowed",
                       where);
    }
    int r = set_client_cert(c, u, where, err);
    if (r < 0) return r;
    if (file) return auth_token_file(c->w, c->log, where, u->token_file, &c->auth, err);
    if (token) return auth_token(c->w, c->log, where, u->token, &c->auth, err);
    if (basic)
        return auth_basic(c->w, c->log, where, u->username, u->password ? u->password : "", &c->auth, err);
    if (!u->exec) return 0;
    /* A plugin that asks for the cluster gets the certificates as data, wherever they stand. */
    struct kc_cluster with = *k;
    struct buf ca = BUF((size_t)2 * CREDENTIAL_FILE_CAP);
    if (c->ca.text.n && base64_encode(buf_slice(&c->ca.text), &ca) == 0) with.ca_data = ca.p;
    with.server = c->server;
    struct exec_plugin *p;
    r = exec_plugin_new(c->w, u, &with, &p, err);
    if (r == 0) c->auth = auth_exec(c->w, c->log, p);
    buf_free(&ca);
    return r;
}

static void add_name(struct buf *b, size_t i, const char *name) {
    if (i < NAMES_SHOWN) buf_addf(b, "%s\"%s\"", i ? ", " : "", name);
    if (i == NAMES_SHOWN) buf_adds(b, ", ...");
}

static int no_context(const struct kubeconfig *kc, const char *files, const char *wanted, struct err *err) {
    cleanup_buf struct buf names = BUF(256);
    for (size_t i = 0; i < kc->ncontexts; i++) add_name(&names, i, kc->contexts[i].name);
    const char *there = kc->ncontexts ? buf_str(&names) : "none";
    if (!wanted) {
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "%s: no current-context; choose one with --context; there are: %s", files, there);
    }
    return err_set(err, ERR_CONFIG, -ENOENT, "%s: context \"%s\" does not exist; there are: %s", files,
                   wanted, there);
}

static int no_entry(const struct kc_context *ctx, const char *what, const char *name, struct err *err) {
    return err_set(err, ERR_CONFIG, -ENOENT, "context \"%s\" of %s: %s \"%s\" does not exist", ctx->name,
                   ctx->file, what, name);
}

static int from_kubeconfig(struct kube_config *c, const struct kubeconfig *kc, const char *files,
                           const struct kube_config_spec *spec, struct err *err) {
    const char *wanted = spec->context && spec->context[0] ? spec->context : kc->current;
    const struct kc_context *ctx = wanted ? kubeconfig_context(kc, wanted) : NULL;
    if (!wanted && spec->server) return 0; /* a server and nothing else to go by */
    if (!ctx) return no_context(kc, files, wanted, err);
    const char *cname = ctx->cluster ? ctx->cluster : "", *uname = ctx->user ? ctx->user : "";
    const struct kc_cluster *k = kubeconfig_cluster(kc, cname);
    const struct kc_user *u = kubeconfig_user(kc, uname);
    if (!k) return no_entry(ctx, "cluster", cname, err);
    if (!u && uname[0]) return no_entry(ctx, "user", uname, err);
    if (ctx->ns && ctx->ns[0]) c->ns = xstrdup(ctx->ns);

    cleanup_free char *where = xasprintf("cluster \"%s\" of %s", k->name, k->file);
    bool tls_said = k->insecure || k->ca_data || k->ca_file;
    int r = set_cluster_tls(c, k, where, err);
    const char *server = spec->server ? spec->server : k->server;
    if (!server || !server[0]) return err_set(err, ERR_CONFIG, -EINVAL, "%s: no server", where);
    if (r == 0) r = set_server(c, server, spec->server ? "--server" : where, tls_said, err);
    if (r == 0) r = set_proxy(c, k->proxy_url, where, err);
    if (r < 0 || !u) return r;
    c->user = xstrdup(u->name);
    cleanup_free char *who = xasprintf("user \"%s\" of %s", u->name, u->file);
    return set_user(c, u, k, who, err);
}

static int add_file(struct kube_config *c, struct kubeconfig *kc, const char *path, struct err *err) {
    cleanup_buf struct buf text = BUF(KUBECONFIG_CAP);
    int r = world_read_file(c->w, path, KUBECONFIG_CAP, &text, err);
    if (r < 0) {
        if (err) err->kind = ERR_CONFIG;
        return r;
    }
    return kubeconfig_add(kc, buf_slice(&text), path, err);
}

static int from_file(struct kube_config *c, const char *path, const char *option,
                     const struct kube_config_spec *spec, struct err *err) {
    struct kubeconfig kc = {0};
    int r = add_file(c, &kc, path, err);
    if (r < 0) {
        err_wrap(err, "%s", option);
    } else {
        r = from_kubeconfig(c, &kc, path, spec, err);
    }
    kubeconfig_free(&kc);
    return r;
}

static int from_list(struct kube_config *c, const char *list, const struct kube_config_spec *spec,
                     struct err *err) {
    struct kubeconfig kc = {0};
    struct slice rest = slice_of(list), one;
    size_t found = 0;
    int r = 0;
    while (rest.n && r == 0) {
        slice_cut(rest, ':', &one, &rest);
        if (!one.n) continue;
        cleanup_free char *path = slice_dup(one);
        r = add_file(c, &kc, path, err);
        found += r == 0;
        if (r == -ENOENT) r = 0; /* as kubectl: a list may name files that are not there */
    }
    if (r < 0) {
        err_wrap(err, "$KUBECONFIG");
    } else if (!found) {
        r = err_set(err, ERR_CONFIG, -ENOENT, "$KUBECONFIG: none of these files exists: %s", list);
    } else {
        r = from_kubeconfig(c, &kc, list, spec, err);
    }
    kubeconfig_free(&kc);
    return r;
}

/* ---- from the pod ---- */

static bool account_here(struct world *w) {
    return world_file_mtime(w, ACCOUNT_DIR "/token") >= 0;
}

static int from_pod(struct kube_config *c, const char *host, const char *port,
                    const struct kube_config_spec *spec, struct err *err) {
    static const char where[] = "the pod's service account";
    cleanup_free char *url = xasprintf(strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
    struct pem ca = {&c->ca, NULL, ACCOUNT_DIR "/ca.crt", "certificate-authority", "CERTIFICATE-----"};
    c->in_cluster = true;
    int r = set_server(c, spec->server ? spec->server : url,
                       spec->server ? "--server" : "KUBERNETES_SERVICE_HOST and _PORT", true, err);
    if (r == 0) r = read_pem(c, &ca, where, err);
    if (r == 0) r = set_proxy(c, NULL, where, err);
    if (r == 0) r = auth_token_file(c->w, c->log, where, ACCOUNT_DIR "/token", &c->auth, err);
    cleanup_buf struct buf ns = BUF(4096);
    if (r == 0 && world_read_file(c->w, ACCOUNT_DIR "/namespace", 4096, &ns, NULL) == 0) {
        struct slice name = slice_trim(buf_slice(&ns));
        if (name.n) c->ns = slice_dup(name);
    }
    return r;
}

/* ---- which of them ---- */

static int choose(struct kube_config *c, const struct kube_config_spec *spec, struct err *err) {
    if (spec->kubeconfig && spec->kubeconfig[0])
        return from_file(c, spec->kubeconfig, "--kubeconfig", spec, err);
    const char *list = world_getenv(c->w, "KUBECONFIG");
    if (list && list[0]) return from_list(c, list, spec, err);
    const char *host = world_getenv(c->w, "KUBERNETES_SERVICE_HOST"),
               *port = world_getenv(c->w, "KUBERNETES_SERVICE_PORT");
    bool pod = host && host[0] && port && port[0];
    if (pod && account_here(c->w) && !(spec->context && spec->context[0]))
        return from_pod(c, host, port, spec, err);
    const char *home = world_getenv(c->w, "HOME");
    cleanup_free char *path = xasprintf("%s/.kube/config", home ? home : "");
    if (world_file_mtime(c->w, path) >= 0) return from_file(c, path, "the default kubeconfig", spec, err);
    if (spec->server) return 0;
    if (pod) {
        return err_set(err, ERR_CONFIG, -ENOENT,
                       "this looks like a pod (KUBERNETES_SERVICE_HOST is set), but " ACCOUNT_DIR
                       "/token cannot be read; does the pod have automountServiceAccountToken: false?");
    }
    return err_set(err, ERR_CONFIG, -ENOENT,
                   "no cluster is configured: no --kubeconfig, no $KUBECONFIG, no %s, and this is no pod",
                   path);
}

void kube_config_contexts(struct world *w, const char *kubeconfig, void (*fn)(void *ctx, const char *name),
                          void *ctx) {
    struct kube_config c = {.w = w};
    struct kubeconfig kc = {0};
    const char *list = world_getenv(w, "KUBECONFIG"), *home = world_getenv(w, "HOME");
    bool option = kubeconfig && kubeconfig[0], several = !option && list && list[0];
    cleanup_free char *path = xasprintf("%s/.kube/config", home ? home : "");
    struct slice rest = slice_of(option ? kubeconfig : several ? list : path), one = rest;
    for (bool more = true; more;) {
        more = several && slice_cut(rest, ':', &one, &rest);
        cleanup_free char *file = slice_dup(one);
        if (one.n) (void)add_file(&c, &kc, file, NULL);
    }
    for (size_t i = 0; i < kc.ncontexts; i++) fn(ctx, kc.contexts[i].name);
    kubeconfig_free(&kc);
}

int kube_config_load(struct world *w, struct log *log, const struct kube_config_spec *spec,
                     struct kube_config **ret, struct err *err) {
    struct kube_config *c = xcalloc(1, sizeof *c);
    c->w = w;
    c->log = log;
    struct kube_config_spec s = *spec;
    if (s.server && !s.server[0]) s.server = NULL;
    int r = choose(c, &s, err);
    if (r == 0 && !c->server) {
        r = set_server(c, s.server, "--server", false, err);
        if (r == 0) r = set_proxy(c, NULL, "", err);
    }
    if (r < 0) {
        kube_config_free(c);
        return r;
    }
    if (!c->ns) c->ns = xstrdup("default");
    if (s.as && *s.as) c->as = xstrdup(s.as);
    if (!c->auth) c->auth = auth_none(w, log);
    c->looked_ns = world_boot_ns(w);
    *ret = c;
    return 0;
}
