/* See kubeconfig.h; the merge rules are those of client-go's tools/clientcmd/loader.go. */
#include "kubeconfig.h"
#include "base/mem.h"
#include "yaml_doc.h"
#include <errno.h>
#include <stdio.h>

static void free_all(char **v, size_t n) {
    for (size_t i = 0; i < n; i++) free(v[i]);
    free(v);
}

static void cluster_free(struct kc_cluster *c) {
    char *all[] = {c->name,    c->file,    c->server,    c->tls_server_name,
                   c->ca_file, c->ca_data, c->proxy_url, c->exec_config};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) free(all[i]);
}

static void exec_free(struct kc_exec *x) {
    if (!x) return;
    free(x->api_version);
    free(x->command);
    free(x->install_hint);
    free(x->interactive);
    free_all(x->args, x->nargs);
    free_all(x->env, x->nenv);
    free(x);
}

static void user_free(struct kc_user *u) {
    char *all[] = {u->name,  u->file,       u->cert_file, u->cert_data, u->key_file,      u->key_data,
                   u->token, u->token_file, u->username,  u->password,  u->auth_provider, u->impersonate};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) free(all[i]);
    exec_free(u->exec);
}

static void context_free(struct kc_context *c) {
    char *all[] = {c->name, c->file, c->cluster, c->user, c->ns};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) free(all[i]);
}

void kubeconfig_free(struct kubeconfig *kc) {
    if (!kc) return;
    for (size_t i = 0; i < kc->nclusters; i++) cluster_free(&kc->clusters[i]);
    for (size_t i = 0; i < kc->nusers; i++) user_free(&kc->users[i]);
    for (size_t i = 0; i < kc->ncontexts; i++) context_free(&kc->contexts[i]);
    free(kc->clusters);
    free(kc->users);
    free(kc->contexts);
    free(kc->current);
    free(kc->current_file);
    *kc = (struct kubeconfig){0};
}

const struct kc_cluster *kubeconfig_cluster(const struct kubeconfig *kc, const char *name) {
    for (size_t i = 0; i < kc->nclusters; i++) {
        if (strcmp(kc->clusters[i].name, name) == 0) return &kc->clusters[i];
    }
    return NULL;
}

const struct kc_user *kubeconfig_user(const struct kubeconfig *kc, const char *name) {
    for (size_t i = 0; i < kc->nusers; i++) {
        if (strcmp(kc->users[i].name, name) == 0) return &kc->users[i];
    }
    return NULL;
}

const struct kc_context *kubeconfig_context(const struct kubeconfig *kc, const char *name) {
    for (size_t i = 0; i < kc->ncontexts; i++) {
        if (strcmp(kc->contexts[i].name, name) == 0) return &kc->contexts[i];
    }
    return NULL;
}

/* ---- reading ---- */

struct field {
    const char *key;
    char **to;
};

static int strings(struct yaml_doc *d, int map, const char *where, const struct field *f, size_t n,
                   struct err *err) {
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) r = yaml_str(d, map, f[i].key, where, f[i].to, err);
    return r;
}
#define STRINGS(d, map, where, err, ...)                                                                     \
    strings(d, map, where, (const struct field[]){__VA_ARGS__},                                              \
            ARRAY_LEN(((const struct field[]){__VA_ARGS__})), err)

/* Relative paths are relative to the file's folder. */
static void anchor(char **path, const char *file) {
    if (!*path || !(*path)[0] || (*path)[0] == '/') return;
    const char *slash = strrchr(file, '/');
    if (!slash) return;
    char *full = xasprintf("%.*s/%s", (int)(slash - file), file, *path);
    free(*path);
    *path = full;
}

static int read_cluster(struct yaml_doc *d, int map, const char *where, struct kc_cluster *c,
                        struct err *err) {
    int r = STRINGS(d, map, where, err, {"server", &c->server}, {"tls-server-name", &c->tls_server_name},
                    {"certificate-authority", &c->ca_file}, {"certificate-authority-data", &c->ca_data},
                    {"proxy-url", &c->proxy_url});
    if (r == 0) r = yaml_bool(d, map, "insecure-skip-tls-verify", where, &c->insecure, err);
    anchor(&c->ca_file, d->file);
    int list = yaml_get(d, map, "extensions");
    if (r == 0) r = yaml_want_list(d, list, where, err);
    for (size_t i = 0; r == 0; i++) {
        int item = yaml_list_at(d, list, i);
        if (!item) break;
        cleanup_free char *name = NULL;
        r = yaml_str(d, item, "name", where, &name, err);
        if (r < 0 || !name || strcmp(name, "client.authentication.k8s.io/exec") != 0) continue;
        struct buf json = BUF(64 << 10);
        if (yaml_json(d, yaml_get(d, item, "extension"), &json) == 0) {
            free(c->exec_config);
            c->exec_config = buf_take(&json);
        } else {
            r = err_set(err, ERR_CONFIG, -EINVAL,
                        "%s: %s: the extension for exec plugins is nested too deep or larger than 64 KiB",
                        d->file, where);
        }
        buf_free(&json);
    }
    return r;
}

static int read_args(struct yaml_doc *d, int map, const char *where, struct kc_exec *x, struct err *err) {
    int list = yaml_get(d, map, "args"), r = yaml_want_list(d, list, where, err);
    for (size_t i = 0, cap = 0; r == 0; i++) {
        int item = yaml_list_at(d, list, i);
        if (!item || i == KUBECONFIG_ENTRIES) break;
        yaml_node_t *n = yaml_document_get_node(&d->doc, item);
        if (n->type != YAML_SCALAR_NODE)
            return err_set(err, ERR_CONFIG, -EINVAL, "%s: %s: args[%zu] is no string", d->file, where, i);
        x->args = xgrow(x->args, &cap, i + 1, sizeof *x->args);
        x->args[x->nargs++] =
            xasprintf("%.*s", (int)n->data.scalar.length, (const char *)n->data.scalar.value);
    }
    return r;
}

static int read_env(struct yaml_doc *d, int map, const char *where, struct kc_exec *x, struct err *err) {
    int list = yaml_get(d, map, "env"), r = yaml_want_list(d, list, where, err);
    for (size_t i = 0, cap = 0; r == 0; i++) {
        int item = yaml_list_at(d, list, i);
        if (!item || i == KUBECONFIG_ENTRIES) break;
        cleanup_free char *name = NULL, *value = NULL;
        r = STRINGS(d, item, where, err, {"name", &name}, {"value", &value});
        if (r < 0) break;
        if (!name || !name[0] || strchr(name, '=')) {
            return err_set(err, ERR_CONFIG, -EINVAL, "%s: %s: env[%zu] has no usable name", d->file, where,
                           i);
        }
        x->env = xgrow(x->env, &cap, x->nenv + 1, sizeof *x->env);
        x->env[x->nenv++] = xasprintf("%s=%s", name, value ? value : "");
    }
    return r;
}

static int read_exec(struct yaml_doc *d, int map, const char *where, struct kc_user *u, struct err *err) {
    int r = yaml_want_map(d, map, where, err);
    if (r < 0 || !map) return r;
    struct kc_exec *x = u->exec = xcalloc(1, sizeof *x);
    r = STRINGS(d, map, where, err, {"apiVersion", &x->api_version}, {"command", &x->command},
                {"installHint", &x->install_hint}, {"interactiveMode", &x->interactive});
    if (r == 0) r = yaml_bool(d, map, "provideClusterInfo", where, &x->provide_cluster, err);
    if (r == 0) r = read_args(d, map, where, x, err);
    if (r == 0) r = read_env(d, map, where, x, err);
    if (x->command && strchr(x->command, '/'))
        anchor(&x->command, d->file); /* a bare name is looked up in PATH */
    return r;
}

static int read_user(struct yaml_doc *d, int map, const char *where, struct kc_user *u, struct err *err) {
    int r = STRINGS(d, map, where, err, {"client-certificate", &u->cert_file},
                    {"client-certificate-data", &u->cert_data}, {"client-key", &u->key_file},
                    {"client-key-data", &u->key_data}, {"token", &u->token}, {"tokenFile", &u->token_file},
                    {"username", &u->username}, {"password", &u->password}, {"as", &u->impersonate});
    anchor(&u->cert_file, d->file);
    anchor(&u->key_file, d->file);
    anchor(&u->token_file, d->file);
    int provider = yaml_get(d, map, "auth-provider");
    if (r == 0 && provider) {
        r = yaml_str(d, provider, "name", where, &u->auth_provider, err);
        if (!u->auth_provider) u->auth_provider = xstrdup("");
    }
    cleanup_free char *at = xasprintf("%s.exec", where);
    if (r == 0) r = read_exec(d, yaml_get(d, map, "exec"), at, u, err);
    return r;
}

static int read_context(struct yaml_doc *d, int map, const char *where, struct kc_context *c,
                        struct err *err) {
    return STRINGS(d, map, where, err, {"cluster", &c->cluster}, {"user", &c->user}, {"namespace", &c->ns});
}

enum list { CLUSTERS, USERS, CONTEXTS };
static const char *const plural[] = {"clusters", "users", "contexts"}, *const singular[] = {"cluster", "user",
                                                                                            "context"};

static bool has(const struct kubeconfig *kc, enum list what, const char *name) {
    return what == CLUSTERS ? kubeconfig_cluster(kc, name) != NULL
           : what == USERS  ? kubeconfig_user(kc, name) != NULL
                            : kubeconfig_context(kc, name) != NULL;
}

/* The entry is in kc at once, so that whatever was read of it is freed with kc. */
static int read_entry(struct kubeconfig *kc, struct yaml_doc *d, enum list what, char *name, int map,
                      struct err *err) {
    cleanup_free char *where = xasprintf("%s \"%s\"", singular[what], name);
    char *file = xstrdup(d->file);
    if (what == CLUSTERS) {
        kc->clusters = xgrow(kc->clusters, &kc->cap_clusters, kc->nclusters + 1, sizeof *kc->clusters);
        struct kc_cluster *c = &kc->clusters[kc->nclusters++];
        *c = (struct kc_cluster){.name = name, .file = file};
        return read_cluster(d, map, where, c, err);
    }
    if (what == USERS) {
        kc->users = xgrow(kc->users, &kc->cap_users, kc->nusers + 1, sizeof *kc->users);
        struct kc_user *u = &kc->users[kc->nusers++];
        *u = (struct kc_user){.name = name, .file = file};
        return read_user(d, map, where, u, err);
    }
    kc->contexts = xgrow(kc->contexts, &kc->cap_contexts, kc->ncontexts + 1, sizeof *kc->contexts);
    struct kc_context *c = &kc->contexts[kc->ncontexts++];
    *c = (struct kc_context){.name = name, .file = file};
    return read_context(d, map, where, c, err);
}

/* Each item of a list has a name and, under the singular, its content. */
static int read_list(struct kubeconfig *kc, struct yaml_doc *d, enum list what, struct err *err) {
    int list = yaml_get(d, yaml_root(d), plural[what]), r = yaml_want_list(d, list, plural[what], err);
    for (size_t i = 0; r == 0; i++) {
        int item = yaml_list_at(d, list, i);
        if (!item) break;
        if (i == KUBECONFIG_ENTRIES) {
            return err_set(err, ERR_CONFIG, -E2BIG, "%s: more than %d %s", d->file, KUBECONFIG_ENTRIES,
                           plural[what]);
        }
        cleanup_free char *at = xasprintf("%s[%zu]", plural[what], i), *name = NULL;
        r = yaml_want_map(d, item, at, err);
        if (r == 0) r = yaml_str(d, item, "name", at, &name, err);
        int map = yaml_get(d, item, singular[what]);
        if (r == 0) r = yaml_want_map(d, map, at, err);
        if (r < 0) return r;
        if (!name) name = xstrdup("");
        if (has(kc, what, name)) {
            return err_set(err, ERR_CONFIG, -EEXIST, "%s: two %s are named \"%s\"", d->file, plural[what],
                           name);
        }
        char *owned = name;
        name = NULL;
        r = read_entry(kc, d, what, owned, map, err);
    }
    return r;
}

static int read_file(struct kubeconfig *kc, struct yaml_doc *d, struct err *err) {
    int root = yaml_root(d), r = yaml_want_map(d, root, "the file", err);
    cleanup_free char *kind = NULL, *version = NULL;
    if (r == 0)
        r = STRINGS(d, root, "", err, {"kind", &kind}, {"apiVersion", &version},
                    {"current-context", &kc->current});
    if (r < 0) return r;
    if ((kind && strcmp(kind, "Config") != 0) || (version && strcmp(version, "v1") != 0)) {
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "%s: no kubeconfig: kind %s, apiVersion %s; it must be Config and v1", d->file,
                       kind ? kind : "absent", version ? version : "absent");
    }
    if (kc->current) kc->current_file = xstrdup(d->file);
    r = read_list(kc, d, CLUSTERS, err);
    if (r == 0) r = read_list(kc, d, USERS, err);
    return r == 0 ? read_list(kc, d, CONTEXTS, err) : r;
}

/* Moves what is not there yet over to kc. */
static void merge(struct kubeconfig *kc, struct kubeconfig *add) {
    for (size_t i = 0; i < add->nclusters; i++) {
        if (kubeconfig_cluster(kc, add->clusters[i].name)) continue;
        kc->clusters = xgrow(kc->clusters, &kc->cap_clusters, kc->nclusters + 1, sizeof *kc->clusters);
        kc->clusters[kc->nclusters++] = add->clusters[i];
        add->clusters[i] = (struct kc_cluster){0};
    }
    for (size_t i = 0; i < add->nusers; i++) {
        if (kubeconfig_user(kc, add->users[i].name)) continue;
        kc->users = xgrow(kc->users, &kc->cap_users, kc->nusers + 1, sizeof *kc->users);
        kc->users[kc->nusers++] = add->users[i];
        add->users[i] = (struct kc_user){0};
    }
    for (size_t i = 0; i < add->ncontexts; i++) {
        if (kubeconfig_context(kc, add->contexts[i].name)) continue;
        kc->contexts = xgrow(kc->contexts, &kc->cap_contexts, kc->ncontexts + 1, sizeof *kc->contexts);
        kc->contexts[kc->ncontexts++] = add->contexts[i];
        add->contexts[i] = (struct kc_context){0};
    }
    if (!kc->current && add->current && add->current[0]) {
        kc->current = add->current;
        kc->current_file = add->current_file;
        add->current = add->current_file = NULL;
    }
}

int kubeconfig_add(struct kubeconfig *kc, struct slice text, const char *file, struct err *err) {
    struct yaml_doc d;
    int r = yaml_doc_load(&d, text, file, err);
    if (r < 0) return r;
    struct kubeconfig add = {0};
    if (yaml_root(&d)) r = read_file(&add, &d, err);
    yaml_doc_free(&d);
    if (r == 0) merge(kc, &add);
    kubeconfig_free(&add);
    return r;
}
