/* See kubeconfig.h; the merge rules are those of client-go's tools/clientcmd/loader.go. */
#include "kubeconfig.h"
#include "base/mem.h"
#include "yaml_member.h"
#include <errno.h>

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

static int strings(const struct yaml_place *at, const struct field *f, size_t n, struct err *err) {
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) r = member_str(at, f[i].key, f[i].to, err);
    return r;
}
#define STRINGS(at, err, ...)                                                                                \
    strings(at, (const struct field[]){__VA_ARGS__}, ARRAY_LEN(((const struct field[]){__VA_ARGS__})), err)

/* Relative paths are relative to the file's folder. */
static void anchor(char **path, const char *file) {
    if (!*path || !(*path)[0] || (*path)[0] == '/') return;
    const char *slash = strrchr(file, '/');
    if (!slash) return;
    char *full = xasprintf("%.*s/%s", (int)(slash - file), file, *path);
    free(*path);
    *path = full;
}

/* What an exec plugin that asks for the cluster gets of it. */
static int read_extensions(const struct yaml_place *at, struct kc_cluster *c, struct err *err) {
    const struct yaml_value *list = NULL;
    int r = member_list(at, "extensions", &list, err);
    for (size_t i = 0; r == 0 && list && i < list->n; i++) {
        struct yaml_place item = {at->file, list->items[i], at->where};
        cleanup_free char *name = NULL;
        r = member_str(&item, "name", &name, err);
        if (r < 0 || !name || strcmp(name, "client.authentication.k8s.io/exec") != 0) continue;
        const struct yaml_value *extension = yaml_get(item.map, "extension");
        struct buf json = BUF(64 << 10);
        if (!extension) {
            buf_adds(&json, "null");
        } else if (yaml_json(extension, &json) < 0) {
            r = err_set(err, ERR_CONFIG, -EINVAL,
                        "%s: %s: the extension for exec plugins is larger than 64 KiB", at->file, at->where);
        }
        free(c->exec_config);
        c->exec_config = buf_take(&json);
    }
    return r;
}

static int read_cluster(const struct yaml_place *at, struct kc_cluster *c, struct err *err) {
    int r = STRINGS(at, err, {"server", &c->server}, {"tls-server-name", &c->tls_server_name},
                    {"certificate-authority", &c->ca_file}, {"certificate-authority-data", &c->ca_data},
                    {"proxy-url", &c->proxy_url});
    if (r == 0) r = member_bool(at, "insecure-skip-tls-verify", &c->insecure, err);
    anchor(&c->ca_file, at->file);
    return r == 0 ? read_extensions(at, c, err) : r;
}

static int too_many(const struct yaml_place *at, const char *what, struct err *err) {
    return err_set(err, ERR_CONFIG, -E2BIG, "%s: %s: more than %d %s", at->file, at->where,
                   KUBECONFIG_ENTRIES, what);
}

static int read_args(const struct yaml_place *at, struct kc_exec *x, struct err *err) {
    const struct yaml_value *list = NULL;
    int r = member_list(at, "args", &list, err);
    if (r == 0 && list && list->n > KUBECONFIG_ENTRIES) return too_many(at, "args", err);
    for (size_t i = 0, cap = 0; r == 0 && list && i < list->n; i++) {
        const struct yaml_value *v = list->items[i];
        if (v->type == YAML_IS_LIST || v->type == YAML_IS_MAP) {
            return err_set(err, ERR_CONFIG, -EINVAL, "%s: %s: args[%zu] is no string", at->file, at->where,
                           i);
        }
        x->args = xgrow(x->args, &cap, i + 1, sizeof *x->args);
        x->args[x->nargs++] = slice_dup(v->text);
    }
    return r;
}

static int read_env(const struct yaml_place *at, struct kc_exec *x, struct err *err) {
    const struct yaml_value *list = NULL;
    int r = member_list(at, "env", &list, err);
    if (r == 0 && list && list->n > KUBECONFIG_ENTRIES) return too_many(at, "env", err);
    for (size_t i = 0, cap = 0; r == 0 && list && i < list->n; i++) {
        struct yaml_place item = {at->file, list->items[i], at->where};
        cleanup_free char *name = NULL, *value = NULL;
        r = STRINGS(&item, err, {"name", &name}, {"value", &value});
        if (r < 0) break;
        if (!name || !name[0] || strchr(name, '=')) {
            return err_set(err, ERR_CONFIG, -EINVAL, "%s: %s: env[%zu] has no usable name", at->file,
                           at->where, i);
        }
        x->env = xgrow(x->env, &cap, x->nenv + 1, sizeof *x->env);
        x->env[x->nenv++] = xasprintf("%s=%s", name, value ? value : "");
    }
    return r;
}

static int read_exec(const struct yaml_place *user, struct kc_user *u, struct err *err) {
    cleanup_free char *where = xasprintf("%s.exec", user->where);
    struct yaml_place at = {user->file, NULL, where};
    int r = member_map(user, "exec", &at.map, err);
    if (r < 0 || !at.map) return r;
    struct kc_exec *x = u->exec = xcalloc(1, sizeof *x);
    r = STRINGS(&at, err, {"apiVersion", &x->api_version}, {"command", &x->command},
                {"installHint", &x->install_hint}, {"interactiveMode", &x->interactive});
    if (r == 0) r = member_bool(&at, "provideClusterInfo", &x->provide_cluster, err);
    if (r == 0) r = read_args(&at, x, err);
    if (r == 0) r = read_env(&at, x, err);
    if (x->command && strchr(x->command, '/'))
        anchor(&x->command, at.file); /* a bare name is looked up in PATH */
    return r;
}

static int read_user(const struct yaml_place *at, struct kc_user *u, struct err *err) {
    static const char *const as[] = {"as-uid", "as-groups", "as-user-extra"};
    int r = STRINGS(at, err, {"client-certificate", &u->cert_file},
                    {"client-certificate-data", &u->cert_data}, {"client-key", &u->key_file},
                    {"client-key-data", &u->key_data}, {"token", &u->token}, {"tokenFile", &u->token_file},
                    {"username", &u->username}, {"password", &u->password}, {"as", &u->impersonate});
    for (size_t i = 0; i < ARRAY_LEN(as); i++) {
        const struct yaml_value *v = member_of(at, as[i]);
        bool empty = !v || (v->type == YAML_IS_LIST || v->type == YAML_IS_MAP ? !v->n : !v->text.n);
        if (!empty) u->impersonate_more = as[i];
    }
    anchor(&u->cert_file, at->file);
    anchor(&u->key_file, at->file);
    anchor(&u->token_file, at->file);
    const struct yaml_value *provider = member_of(at, "auth-provider");
    if (r == 0 && provider) {
        r = member_str(&(struct yaml_place){at->file, provider, at->where}, "name", &u->auth_provider, err);
        if (!u->auth_provider) u->auth_provider = xstrdup("");
    }
    return r == 0 ? read_exec(at, u, err) : r;
}

static int read_context(const struct yaml_place *at, struct kc_context *c, struct err *err) {
    return STRINGS(at, err, {"cluster", &c->cluster}, {"user", &c->user}, {"namespace", &c->ns});
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
static int read_entry(struct kubeconfig *kc, const char *in_file, enum list what, char *name,
                      const struct yaml_value *map, struct err *err) {
    cleanup_free char *where = xasprintf("%s \"%s\"", singular[what], name);
    char *file = xstrdup(in_file);
    struct yaml_place at = {in_file, map, where};
    if (what == CLUSTERS) {
        kc->clusters = xgrow(kc->clusters, &kc->cap_clusters, kc->nclusters + 1, sizeof *kc->clusters);
        struct kc_cluster *c = &kc->clusters[kc->nclusters++];
        *c = (struct kc_cluster){.name = name, .file = file};
        return read_cluster(&at, c, err);
    }
    if (what == USERS) {
        kc->users = xgrow(kc->users, &kc->cap_users, kc->nusers + 1, sizeof *kc->users);
        struct kc_user *u = &kc->users[kc->nusers++];
        *u = (struct kc_user){.name = name, .file = file};
        return read_user(&at, u, err);
    }
    kc->contexts = xgrow(kc->contexts, &kc->cap_contexts, kc->ncontexts + 1, sizeof *kc->contexts);
    struct kc_context *c = &kc->contexts[kc->ncontexts++];
    *c = (struct kc_context){.name = name, .file = file};
    return read_context(&at, c, err);
}

/* Each item of a list has a name and, under the singular, its content. */
static int read_list(struct kubeconfig *kc, const struct yaml_place *root, enum list what, struct err *err) {
    const struct yaml_value *list = NULL;
    int r = member_list(root, plural[what], &list, err);
    for (size_t i = 0; r == 0 && list && i < list->n; i++) {
        if (i == KUBECONFIG_ENTRIES) {
            return err_set(err, ERR_CONFIG, -E2BIG, "%s: more than %d %s", root->file, KUBECONFIG_ENTRIES,
                           plural[what]);
        }
        cleanup_free char *where = xasprintf("%s[%zu]", plural[what], i), *name = NULL;
        struct yaml_place at = {root->file, list->items[i], where};
        const struct yaml_value *map = NULL;
        r = member_want(&at, "", at.map, YAML_IS_MAP, err);
        if (r == 0) r = member_str(&at, "name", &name, err);
        if (r == 0) r = member_map(&at, singular[what], &map, err);
        if (r < 0) return r;
        if (!name) name = xstrdup("");
        if (has(kc, what, name)) {
            return err_set(err, ERR_CONFIG, -EEXIST, "%s: two %s are named \"%s\"", root->file, plural[what],
                           name);
        }
        char *owned = name;
        name = NULL;
        r = read_entry(kc, root->file, what, owned, map, err);
    }
    return r;
}

struct reading {
    struct kubeconfig *kc;
    const char *file;
};

static int read_doc(void *ctx, const struct yaml_value *doc, struct err *err) {
    struct reading *rd = ctx;
    struct kubeconfig *kc = rd->kc;
    struct yaml_place at = {rd->file, doc, ""};
    cleanup_free char *kind = NULL, *version = NULL;
    if (doc->type == YAML_IS_NULL) return 1;
    int r = member_want(&at, "the file", doc, YAML_IS_MAP, err);
    if (r == 0)
        r = STRINGS(&at, err, {"kind", &kind}, {"apiVersion", &version}, {"current-context", &kc->current});
    if (r < 0) return r;
    if ((kind && strcmp(kind, "Config") != 0) || (version && strcmp(version, "v1") != 0)) {
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "%s: no kubeconfig: kind %s, apiVersion %s; it must be Config and v1", rd->file,
                       kind ? kind : "absent", version ? version : "absent");
    }
    if (kc->current) kc->current_file = xstrdup(rd->file);
    r = read_list(kc, &at, CLUSTERS, err);
    if (r == 0) r = read_list(kc, &at, USERS, err);
    if (r == 0) r = read_list(kc, &at, CONTEXTS, err);
    return r == 0 ? 1 : r; /* only the first document is read */
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
    struct kubeconfig add = {0};
    struct reading rd = {&add, file};
    struct err e = {0};
    int r = yaml_each(text, YAML_LAST_KEY_WINS, read_doc, &rd, &e);
    if (r >= 0) merge(kc, &add);
    kubeconfig_free(&add);
    if (r >= 0) return 0;
    if (slice_starts(slice_of(e.msg), SL("line "))) err_wrap(&e, "%s: not YAML", file);
    if (err) *err = e;
    return r;
}
