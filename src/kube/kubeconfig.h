/* kubeconfig files as text: parsed and merged as kubectl does. No file but the text is read; what an entry means is
 * checked where it is used (config.c), so that a broken entry that is not used does no harm. */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H
#include "base/buf.h"
#include "base/err.h"

enum { KUBECONFIG_CAP = 4 << 20, KUBECONFIG_ENTRIES = 10000 };

/* Strings are owned, NULL when absent. Paths are made absolute to the file that they stand in. */
struct kc_cluster {
    char *name, *file;
    char *server, *tls_server_name, *ca_file, *ca_data /* base64 */, *proxy_url;
    char *exec_config; /* JSON of the extension client.authentication.k8s.io/exec */
    bool insecure;
};
struct kc_exec {
    char *api_version, *command, *install_hint, *interactive;
    char **args, **env; /* env: "K=V" */
    size_t nargs, nenv;
    bool provide_cluster;
};
struct kc_user {
    char *name, *file;
    char *cert_file, *cert_data, *key_file, *key_data, *token, *token_file, *username, *password;
    char *auth_provider, *impersonate;
    const char *impersonate_more; /* a field of impersonation that is not "as"; a literal */
    struct kc_exec *exec;
};
struct kc_context {
    char *name, *file, *cluster, *user, *ns;
};
struct kubeconfig {
    struct kc_cluster *clusters;
    struct kc_user *users;
    struct kc_context *contexts;
    size_t nclusters, nusers, ncontexts, cap_clusters, cap_users, cap_contexts;
    char *current, *current_file;
};
/* Adds a file's entries: what a name already stands for stays, current-context too. On failure kc is as it
 * was. */
int kubeconfig_add(struct kubeconfig *kc, struct slice text, const char *file, struct err *err);
void kubeconfig_free(struct kubeconfig *kc);
const struct kc_cluster *kubeconfig_cluster(const struct kubeconfig *kc, const char *name);
const struct kc_user *kubeconfig_user(const struct kubeconfig *kc, const char *name);
const struct kc_context *kubeconfig_context(const struct kubeconfig *kc, const char *name);
#endif
