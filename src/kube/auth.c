/* See auth.h. A plugin runs once for all who wait; its credential is used until it expires, its failure for a
 * few seconds. */
#include "auth.h"
#include "api/rfc3339.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/list.h"
#include "credential_file.h"
#include <errno.h>

enum { HEADER_CAP = 64 << 10 };
static const int64_t look_ns = NS_PER_S, reread_ns = 60 * NS_PER_S, /* of a token file */
    fail_ns = 5 * NS_PER_S, again_ns = 5 * NS_PER_S,                /* of a plugin: between two runs */
    early_ns = 10 * NS_PER_S;                                       /* renewed before it expires */

struct waiter {
    struct list node;
    kube_auth_done done;
    void *ctx;
    unsigned run;
};

struct auth {
    struct world *w;
    struct log *log;
    char *where;
    struct buf header;
    struct credential_file file; /* of a token file */
    int64_t looked_ns, read_ns;
    struct exec_plugin *plugin;
    struct exec_cred cred;
    bool have, running;
    unsigned run;
    int64_t ended_ns, got_wall_ns;
    struct err failure; /* kind ERR_NONE: the last run was fine */
    struct list waiters;
};

static struct auth *new_auth(struct world *w, struct log *log, const char *where) {
    struct auth *a = xcalloc(1, sizeof *a);
    a->w = w;
    a->log = log;
    a->where = xstrdup(where);
    buf_init(&a->header, HEADER_CAP);
    list_init(&a->waiters);
    return a;
}

void auth_free(struct auth *a) {
    if (!a) return;
    exec_plugin_free(a->plugin);
    exec_cred_free(&a->cred);
    credential_file_free(&a->file);
    list_each_safe(it, tmp, &a->waiters) free(container_of(it, struct waiter, node));
    buf_free(&a->header);
    free(a->where);
    free(a);
}

/* A header's value must be visible ASCII: a line break would start another header. */
static int set_token(struct auth *a, struct slice token, const char *what, struct err *err) {
    token = slice_trim(token);
    if (!token.n) return err_set(err, ERR_CONFIG, -EINVAL, "%s: %s is empty", a->where, what);
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] <= 0x20 || token.p[i] >= 0x7f) {
            return err_set(err, ERR_CONFIG, -EINVAL,
                           "%s: %s holds a blank, a line break or another character that no token has",
                           a->where, what);
        }
    }
    if (token.n > HEADER_CAP - 16)
        return err_set(err, ERR_CONFIG, -E2BIG, "%s: %s is longer than 64 KiB", a->where, what);
    buf_clear(&a->header);
    buf_adds(&a->header, "Bearer ");
    buf_add(&a->header, token);
    return 0;
}

struct auth *auth_none(struct world *w, struct log *log) {
    return new_auth(w, log, "no credentials");
}

int auth_token(struct world *w, struct log *log, const char *where, const char *token, struct auth **ret,
               struct err *err) {
    struct auth *a = new_auth(w, log, where);
    int r = set_token(a, slice_of(token), "token", err);
    if (r < 0) {
        auth_free(a);
    } else {
        *ret = a;
    }
    return r;
}

int auth_basic(struct world *w, struct log *log, const char *where, const char *user, const char *password,
               struct auth **ret, struct err *err) {
    if (strchr(user, ':')) return err_set(err, ERR_CONFIG, -EINVAL, "%s: username holds a ':'", where);
    struct auth *a = new_auth(w, log, where);
    struct buf pair = BUF(HEADER_CAP / 2);
    buf_addf(&pair, "%s:%s", user, password);
    buf_adds(&a->header, "Basic ");
    base64_encode(buf_slice(&pair), &a->header);
    bool full = pair.full || a->header.full;
    buf_free(&pair);
    if (full) {
        auth_free(a);
        return err_set(err, ERR_CONFIG, -E2BIG, "%s: username and password are too long", where);
    }
    *ret = a;
    return 0;
}

int auth_token_file(struct world *w, struct log *log, const char *where, const char *path, struct auth **ret,
                    struct err *err) {
    struct auth *a = new_auth(w, log, where);
    cleanup_free char *what = xasprintf("%s: token file", where);
    int r = credential_file_read(&a->file, w, path, what, err);
    if (r == 0) r = set_token(a, buf_slice(&a->file.text), path, err);
    if (r < 0) {
        auth_free(a);
        return r;
    }
    a->looked_ns = a->read_ns = world_boot_ns(w);
    *ret = a;
    return 0;
}

struct auth *auth_exec(struct world *w, struct log *log, struct exec_plugin *plugin) {
    struct auth *a = new_auth(w, log, exec_plugin_where(plugin));
    a->plugin = plugin;
    return a;
}

/* ---- token file ---- */

static void look_at_file(struct auth *a, bool refresh) {
    int64_t now = world_boot_ns(a->w);
    bool old = now - a->read_ns >= reread_ns;
    if (!refresh && !old && now - a->looked_ns < look_ns) return;
    a->looked_ns = now;
    if (refresh || old) a->read_ns = now;
    struct err err = {0};
    if (credential_file_refresh(&a->file, a->w, a->log, refresh || old) &&
        set_token(a, buf_slice(&a->file.text), a->file.path, &err) < 0) {
        LOG_EVENT(a->log, LOG_WARN, "TokenFileUnusable", "token file unusable; the old token stays in use",
                  LF_ERR(&err));
    }
}

/* ---- exec plugin ---- */

static bool fresh_enough(const struct auth *a) {
    if (!a->have) return false;
    if (a->cred.expires_ns == TIME_NEVER) return true;
    int64_t early = (a->cred.expires_ns - a->got_wall_ns) / 10; /* of a short life less */
    if (early > early_ns) early = early_ns;
    return world_wall_ns(a->w) < a->cred.expires_ns - (early > 0 ? early : 0);
}

/* Requests that come while this one is answered wait for another run, and stand behind it in the list. */
static void answer_all(struct auth *a, unsigned run) {
    while (!list_empty(&a->waiters)) {
        struct waiter *x = container_of(a->waiters.next, struct waiter, node);
        if (x->run != run) return;
        list_remove(&x->node);
        kube_auth_done done = x->done;
        void *ctx = x->ctx;
        free(x);
        struct err e = a->failure;
        done(ctx, e.kind ? &e : NULL, e.kind ? (struct slice){0} : buf_slice(&a->header));
    }
}

static void on_cred(void *ctx, const struct err *err, struct exec_cred *cred) {
    struct auth *a = ctx;
    a->running = false;
    a->ended_ns = world_boot_ns(a->w);
    a->failure = err ? *err : (struct err){0};
    if (!err && cred->token[0]) {
        set_token(a, slice_of(cred->token), "the token in its output", &a->failure);
    } else if (!err) {
        buf_clear(&a->header);
    }
    if (!a->failure.kind) {
        exec_cred_free(&a->cred);
        a->cred = *cred;
        *cred = (struct exec_cred){0};
        a->have = true;
        a->got_wall_ns = world_wall_ns(a->w);
    }
    answer_all(a, a->run);
}

static void wait_for_plugin(struct auth *a, kube_auth_done done, void *ctx) {
    struct err err = {0};
    if (!a->running) {
        if (exec_plugin_run(a->plugin, on_cred, a, &err) < 0) {
            a->failure = err;
            a->ended_ns = world_boot_ns(a->w);
            done(ctx, &err, (struct slice){0});
            return;
        }
        a->running = true;
        a->run++;
    }
    struct waiter *x = xcalloc(1, sizeof *x);
    x->done = done;
    x->ctx = ctx;
    x->run = a->run;
    list_push(&a->waiters, &x->node);
}

void auth_get(struct auth *a, bool refresh, kube_auth_done done, void *ctx) {
    if (a->file.path) look_at_file(a, refresh);
    if (!a->plugin) {
        done(ctx, NULL, buf_slice(&a->header));
        return;
    }
    int64_t since = world_boot_ns(a->w) - a->ended_ns;
    struct err failure = a->failure;
    if (!a->running && failure.kind && since < fail_ns) {
        done(ctx, &failure, (struct slice){0});
    } else if (!a->running && !failure.kind && fresh_enough(a) && (!refresh || since < again_ns)) {
        done(ctx, NULL, buf_slice(&a->header));
    } else {
        wait_for_plugin(a, done, ctx);
    }
}

void auth_cancel(struct auth *a, void *ctx) {
    list_each_safe(it, tmp, &a->waiters) {
        struct waiter *x = container_of(it, struct waiter, node);
        if (x->ctx != ctx) continue;
        list_remove(&x->node);
        free(x);
    }
}

bool auth_cert(const struct auth *a, struct slice *cert, struct slice *key) {
    if (!a->have || !a->cred.cert[0]) return false;
    *cert = slice_of(a->cred.cert);
    *key = slice_of(a->cred.key);
    return true;
}

/* ---- for a person ---- */

/* The claim "exp" of a JWT; false if it is none. */
static bool jwt_expiry(struct slice token, int64_t *ret_s) {
    struct slice head, rest, body;
    if (!slice_cut(token, '.', &head, &rest) || !slice_cut(rest, '.', &body, &rest)) return false;
    struct buf b64 = BUF(HEADER_CAP), json = BUF(HEADER_CAP);
    for (size_t i = 0; i < body.n; i++)
        buf_addc(&b64, body.p[i] == '-' ? '+' : body.p[i] == '_' ? '/' : body.p[i]);
    int64_t exp = 0;
    if (base64_decode(buf_slice(&b64), &json) == 0) {
        cleanup_json cJSON *claims = json_parse(buf_slice(&json), NULL);
        exp = json_i64(claims, "exp", 0);
    }
    buf_free(&b64);
    buf_free(&json);
    if (exp <= 0 || exp > INT64_MAX / NS_PER_S) return false;
    *ret_s = exp;
    return true;
}

void auth_describe(const struct auth *a, struct buf *out) {
    buf_adds(out, a->where);
    if (a->file.path) buf_addf(out, ", token file %s", a->file.path);
    struct slice h = buf_slice(&a->header);
    int64_t exp;
    if (!slice_starts(h, SL("Bearer ")) || !jwt_expiry(slice_make(h.p + 7, h.n - 7), &exp)) return;
    char at[32];
    rfc3339_seconds(exp * NS_PER_S, at);
    bool over = world_wall_ns(a->w) >= exp * NS_PER_S;
    buf_addf(out, ", the token says that it %s at %s", over ? "expired" : "expires", at);
}
