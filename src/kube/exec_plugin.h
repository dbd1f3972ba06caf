/* Exec credential plugins (client.authentication.k8s.io/v1 and v1beta1): a program prints an ExecCredential.
 * No shell. */
#ifndef KUBE_EXEC_PLUGIN_H
#define KUBE_EXEC_PLUGIN_H
#include "kubeconfig.h"
#include "world/world.h"

struct exec_cred { /* owned, "" when absent */
    char *token, *cert, *key;
    int64_t expires_ns; /* wall time; TIME_NEVER */
};
void exec_cred_free(struct exec_cred *c);
/* What a plugin has printed. where: "user \"x\" of FILE: exec plugin PROGRAM". Pure. Never quotes what it
 * reads. */
int exec_cred_parse(struct slice out, const char *api_version, const char *where, struct exec_cred *ret,
                    struct err *err);

struct exec_plugin;
typedef void (*exec_done)(void *ctx, const struct err *err,
                          struct exec_cred *cred); /* cred is the callback's, may be moved from */
/* Checks the configuration. cluster: for provideClusterInfo, may be NULL. Copies what it needs. */
int exec_plugin_new(struct world *w, const struct kc_user *user, const struct kc_cluster *cluster,
                    struct exec_plugin **ret, struct err *err);
void exec_plugin_free(struct exec_plugin *p); /* kills it, no callback */
/* One at a time. On failure (filled err) done is not called, else exactly once, not inside this call. */
int exec_plugin_run(struct exec_plugin *p, exec_done done, void *ctx, struct err *err);
const char *exec_plugin_where(const struct exec_plugin *p);
#endif
