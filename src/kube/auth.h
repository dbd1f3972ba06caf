/* Where the Authorization header comes from: nothing, a fixed one, a token file, or an exec plugin. */
#ifndef KUBE_AUTH_H
#define KUBE_AUTH_H
#include "base/log.h"
#include "exec_plugin.h"
#include "kube/config.h"

struct auth;
struct auth *auth_none(struct world *w, struct log *log);
/* where: for messages, "user \"x\" of FILE". A token or password that no header can carry is ERR_CONFIG. */
int auth_token(struct world *w, struct log *log, const char *where, const char *token, struct auth **ret,
               struct err *err);
int auth_basic(struct world *w, struct log *log, const char *where, const char *user, const char *password,
               struct auth **ret, struct err *err);
int auth_token_file(struct world *w, struct log *log, const char *where, const char *path, struct auth **ret,
                    struct err *err);
struct auth *auth_exec(struct world *w, struct log *log, struct exec_plugin *plugin /* taken over */);
void auth_free(struct auth *a);

void auth_get(struct auth *a, bool refresh, kube_auth_done done, void *ctx); /* as kube_config_auth() */
void auth_cancel(struct auth *a, void *ctx);
/* The client certificate of an exec plugin; false: none. */
bool auth_cert(const struct auth *a, struct slice *cert, struct slice *key);
/* Which credentials these are, for messages: "token file /x (the token says that it expired at ...)". */
void auth_describe(const struct auth *a, struct buf *out);
#endif
