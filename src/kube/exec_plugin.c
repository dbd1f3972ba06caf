/* See exec_plugin.h. */
#include "exec_plugin.h"
#include "api/rfc3339.h"
#include "base/json.h"
#include "base/mem.h"
#include <errno.h>
#include <stdio.h>

enum { OUT_CAP = 1 << 20, INFO_CAP = 1 << 20, RUN_S = 60 };
static const char group[] = "client.authentication.k8s.io/";

struct exec_plugin {
    struct world *w;
    char *where, *api_version, *hint;
    const char **argv, **env; /* NULL-terminated, strings owned */
    size_t nargv, nenv;
    struct proc *proc;
    exec_done done;
    void *ctx;
};

void exec_cred_free(struct exec_cred *c) {
    if (!c) return;
    free(c->token);
    free(c->cert);
    free(c->key);
    *c = (struct exec_cred){0};
}

/* ---- what it prints ---- */

static int bad(struct err *err, const char *where, const char *what) {
    return err_set(err, ERR_AUTH, -EPROTO, "%s: %s", where, what);
}

int exec_cred_parse(struct slice out, const char *api_version, const char *where, struct exec_cred *ret,
                    struct err *err) {
    cleanup_json cJSON *doc = json_parse(slice_trim(out), NULL);
    if (!doc) return bad(err, where, out.n ? "its output is no JSON" : "it printed nothing");
    if (strcmp(json_str_or(doc, "kind", ""), "ExecCredential") != 0)
        return bad(err, where, "its output is no ExecCredential");
    if (strcmp(json_str_or(doc, "apiVersion", ""), api_version) != 0) {
        return err_set(err, ERR_AUTH, -EPROTO,
                       "%s: its output has another apiVersion than the %s that is configured", where,
                       api_version);
    }
    const cJSON *st = json_obj(doc, "status");
    if (!st) return bad(err, where, "its output has no status");
    struct exec_cred c = {.expires_ns = TIME_NEVER};
    const char *token = json_str_or(st, "token", ""), *cert = json_str_or(st, "clientCertificateData", ""),
               *key = json_str_or(st, "clientKeyData", ""), *expires = json_str(st, "expirationTimestamp");
    if (!token[0] && !cert[0] && !key[0])
        return bad(err, where, "its output has neither a token nor a client certificate");
    if (!cert[0] != !key[0])
        return bad(err, where, "its output has a client certificate without its key, or a key alone");
    if (expires && rfc3339_parse(slice_of(expires), &c.expires_ns) < 0) {
        return bad(err, where, "the expirationTimestamp in its output is no RFC 3339 time");
    }
    c.token = xstrdup(token);
    c.cert = xstrdup(cert);
    c.key = xstrdup(key);
    *ret = c;
    return 0;
}

/* ---- running it ---- */

static void add_member(struct buf *b, const char *key, const char *value) {
    if (!value || !value[0]) return;
    buf_addf(b, ",\"%s\":", key);
    buf_add_json(b, slice_of(value));
}

/* KUBERNETES_EXEC_INFO */
static char *info_of(const struct kc_exec *x, const struct kc_cluster *cluster) {
    struct buf b = BUF(INFO_CAP);
    buf_addf(&b,
             "KUBERNETES_EXEC_INFO={\"kind\":\"ExecCredential\",\"apiVersion\":\"%s\",\"spec\":{"
             "\"interactive\":false",
             x->api_version);
    if (x->provide_cluster && cluster) {
        buf_adds(&b, ",\"cluster\":{\"server\":");
        buf_add_json(&b, slice_of(cluster->server ? cluster->server : ""));
        add_member(&b, "tls-server-name", cluster->tls_server_name);
        if (cluster->insecure) buf_adds(&b, ",\"insecure-skip-tls-verify\":true");
        add_member(&b, "certificate-authority-data", cluster->ca_data);
        add_member(&b, "proxy-url", cluster->proxy_url);
        if (cluster->exec_config) buf_addf(&b, ",\"config\":%s", cluster->exec_config);
        buf_addc(&b, '}');
    }
    if (buf_adds(&b, "}}") < 0) {
        buf_free(&b);
        return NULL;
    }
    return buf_take(&b);
}

static int check(const struct kc_user *user, const char *where, struct err *err) {
    const struct kc_exec *x = user->exec;
    const char *v = x->api_version ? x->api_version : "";
    bool v1 = strcmp(v, "client.authentication.k8s.io/v1") == 0;
    if (!v1 && strcmp(v, "client.authentication.k8s.io/v1beta1") != 0) {
        return err_set(err, ERR_CONFIG, -EINVAL, "%s: apiVersion \"%s\"; allowed: %sv1, %sv1beta1", where, v,
                       group, group);
    }
    if (!x->command || !x->command[0]) return err_set(err, ERR_CONFIG, -EINVAL, "%s: no command", where);
    const char *mode = x->interactive ? x->interactive : "";
    if (strcmp(mode, "Always") == 0) {
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "%s: interactiveMode Always: it needs a terminal, and there is none here", where);
    }
    if (strcmp(mode, "Never") != 0 && strcmp(mode, "IfAvailable") != 0 && (v1 || mode[0])) {
        return err_set(err, ERR_CONFIG, -EINVAL, "%s: interactiveMode \"%s\"; allowed: Never, IfAvailable",
                       where, mode);
    }
    return 0;
}

int exec_plugin_new(struct world *w, const struct kc_user *user, const struct kc_cluster *cluster,
                    struct exec_plugin **ret, struct err *err) {
    const struct kc_exec *x = user->exec;
    cleanup_free char *where =
        xasprintf("user \"%s\" of %s: exec plugin %s", user->name, user->file, x->command ? x->command : "");
    int r = check(user, where, err);
    if (r < 0) return r;
    char *info = info_of(x, cluster);
    if (!info)
        return err_set(err, ERR_CONFIG, -E2BIG, "%s: more than %d bytes of cluster information", where,
                       INFO_CAP);
    struct exec_plugin *p = xcalloc(1, sizeof *p);
    p->w = w;
    p->where = xstrdup(where);
    p->api_version = xstrdup(x->api_version);
    p->hint = xstrdup(x->install_hint ? x->install_hint : "");
    p->argv = xcalloc(x->nargs + 2, sizeof *p->argv);
    p->argv[p->nargv++] = xstrdup(x->command);
    for (size_t i = 0; i < x->nargs; i++) p->argv[p->nargv++] = xstrdup(x->args[i]);
    p->env = xcalloc(x->nenv + 2, sizeof *p->env);
    for (size_t i = 0; i < x->nenv; i++) p->env[p->nenv++] = xstrdup(x->env[i]);
    p->env[p->nenv++] = info;
    *ret = p;
    return 0;
}

static void free_const(const char **v, size_t n) {
    for (size_t i = 0; i < n; i++) free((char *)(uintptr_t)v[i]);
    free(v);
}

void exec_plugin_free(struct exec_plugin *p) {
    if (!p) return;
    if (p->proc) proc_cancel(p->proc);
    free(p->where);
    free(p->api_version);
    free(p->hint);
    free_const(p->argv, p->nargv);
    free_const(p->env, p->nenv);
    free(p);
}

const char *exec_plugin_where(const struct exec_plugin *p) {
    return p->where;
}

/* The last line that it wrote to stderr, fit for a log. What it printed to stdout may be a secret, and is
 * never shown. */
static void last_line(struct slice text, char ret[201]) {
    text = slice_trim(text);
    const char *nl = text.n ? memrchr(text.p, '\n', text.n) : NULL;
    if (nl) text = slice_make(nl + 1, text.n - (size_t)(nl + 1 - text.p));
    size_t n = text.n < 200 ? text.n : 200;
    for (size_t i = 0; i < n; i++) ret[i] = text.p[i] >= 0x20 && text.p[i] < 0x7f ? text.p[i] : '?';
    ret[n] = '\0';
}

static void add_hint(const struct exec_plugin *p, struct err *err) {
    if (!p->hint[0]) return;
    struct err with;
    err_set(&with, err->kind, err->errnum, "%s; %s", err->msg, p->hint);
    *err = with;
}

static void on_exit_of(void *ctx, const struct err *err, int exit_code, struct slice out,
                       struct slice errout) {
    struct exec_plugin *p = ctx;
    struct err e = {0};
    struct exec_cred cred = {0};
    char line[201];
    last_line(errout, line);
    p->proc = NULL;
    if (err) {
        e = *err;
        if (e.kind != ERR_TIMEOUT) e.kind = ERR_AUTH;
        err_wrap(&e, "%s", p->where);
        add_hint(p, &e);
    } else if (exit_code != 0) {
        err_set(&e, ERR_AUTH, -EACCES, "%s: exit code %d%s%s", p->where, exit_code, line[0] ? ": " : "",
                line);
        if (exit_code == 127) add_hint(p, &e);
    } else {
        exec_cred_parse(out, p->api_version, p->where, &cred, &e);
    }
    p->done(p->ctx, e.kind ? &e : NULL, &cred);
    exec_cred_free(&cred);
}

int exec_plugin_run(struct exec_plugin *p, exec_done done, void *ctx, struct err *err) {
    struct spawn s = {.argv = p->argv,
                      .env = p->env,
                      .cap = OUT_CAP,
                      .timeout_ns = RUN_S * NS_PER_S,
                      .done = on_exit_of,
                      .ctx = p};
    p->done = done;
    p->ctx = ctx;
    struct err e = {0};
    int r = world_spawn(p->w, &s, &p->proc, &e);
    if (r == 0) return 0;
    p->proc = NULL;
    e.kind = ERR_AUTH;
    err_wrap(&e, "%s", p->where);
    add_hint(p, &e);
    if (err) *err = e;
    return r;
}
