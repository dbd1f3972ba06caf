/* The bearer token for https metrics pages. */
#include "act/metrics_token.h"
#include "base/json.h"
#include "base/log.h"
#include <errno.h>

enum { LIFETIME_S = 600 /* the least that an API server gives */, TOKEN_CAP = 16384 };
static const int64_t retry_ns = 60 * NS_PER_S, request_timeout_ns = 5 * NS_PER_S;
static const struct gvr service_accounts = {"", "v1", "serviceaccounts", "ServiceAccount", true};

struct metrics_token {
    struct kube *kube;
    struct world *world;
    char *ns, *account, *audience, *file;
    world_fn ready;
    void *ctx;
    struct kube_op *op;
    char *token;                  /* NULL: none */
    int64_t expires_ns, renew_ns; /* boot time; renew: not before */
    struct err err;               /* of the last request */
};

struct metrics_token *metrics_token_new(struct kube *k, const struct metrics_token_config *cfg,
                                        world_fn ready, void *ctx) {
    struct metrics_token *t = xcalloc(1, sizeof *t);
    *t = (struct metrics_token){.kube = k,
                                .world = kube_world(k),
                                .ns = xstrdup_null(cfg->ns),
                                .account = xstrdup_null(cfg->account),
                                .audience = xstrdup_null(cfg->audience),
                                .file = xstrdup_null(cfg->file),
                                .ready = ready,
                                .ctx = ctx};
    return t;
}

void metrics_token_cancel(struct metrics_token *t) {
    kube_cancel(t->op);
    t->op = NULL;
}

static void drop(struct metrics_token *t) {
    if (t->token) explicit_bzero(t->token, strlen(t->token));
    free(t->token);
    t->token = NULL;
}

void metrics_token_free(struct metrics_token *t) {
    if (!t) return;
    metrics_token_cancel(t);
    drop(t);
    free(t->ns);
    free(t->account);
    free(t->audience);
    free(t->file);
    free(t);
}

/* Lifetimes, not instants: no two clocks have to agree. */
static int take(struct metrics_token *t, struct slice raw, struct err *err) {
    cleanup_json cJSON *obj = json_parse(raw, err);
    if (!obj) return err->errnum;
    const char *token = json_str(json_get(obj, "status"), "token");
    int64_t lasts_s = json_i64(json_get(obj, "spec"), "expirationSeconds", LIFETIME_S);
    if (!token || !*token || strlen(token) > TOKEN_CAP || lasts_s < 1)
        return err_set(err, ERR_PROTOCOL, -EPROTO, "TokenRequest of %s/%s: the answer has no token", t->ns,
                       t->account);
    if (lasts_s > LIFETIME_S) lasts_s = LIFETIME_S;
    drop(t);
    t->token = xstrdup(token);
    t->expires_ns = world_boot_ns(t->world) + lasts_s * NS_PER_S;
    t->renew_ns = t->expires_ns - lasts_s * NS_PER_S / 5;
    return 0;
}

static void on_answer(void *ctx, const struct err *err, struct slice raw) {
    struct metrics_token *t = ctx;
    t->op = NULL;
    t->err = err ? *err : (struct err){0};
    if (err || take(t, raw, &t->err)) {
        t->renew_ns = world_boot_ns(t->world) + retry_ns;
        LOG_EVENT(kube_log(t->kube), LOG_WARN, "MetricsTokenRequestFailed", "no token for metrics pages",
                  LF_STR("account", t->account), LF_ERR(&t->err));
    }
    t->ready(t->ctx);
}

static void request(struct metrics_token *t) {
    cleanup_buf struct buf body = BUF(4096);
    buf_adds(&body, "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\",\"spec\":{");
    if (t->audience) {
        buf_adds(&body, "\"audiences\":[");
        buf_add_json(&body, slice_of(t->audience));
        buf_adds(&body, "],");
    }
    buf_addf(&body, "\"expirationSeconds\":%d}}", LIFETIME_S);
    struct kube_spec spec = {.verb = KUBE_CREATE,
                             .ref = {.gvr = &service_accounts,
                                     .ns = slice_of(t->ns),
                                     .name = slice_of(t->account),
                                     .sub = SL("token")},
                             .lane = LANE_CALL,
                             .timeout_ns = request_timeout_ns,
                             .body = buf_slice(&body),
                             .unfenced = true /* nothing in the cluster changes */};
    t->op = kube_call(t->kube, &spec, on_answer, t);
}

bool metrics_token_pending(struct metrics_token *t) {
    int64_t now = world_boot_ns(t->world);
    if (!t->account) return false;
    if (t->token && now >= t->expires_ns) drop(t);
    if (!t->op && now >= t->renew_ns) request(t);
    return t->op && !t->token && !t->err.kind;
}

void metrics_token_get(struct metrics_token *t, struct buf *ret, struct err *ret_why) {
    if (t->token) {
        buf_adds(ret, t->token);
        return;
    }
    struct slice text = {0};
    cleanup_buf struct buf file = BUF(TOKEN_CAP);
    *ret_why = t->err;
    if (t->file) { /* each time: it is renewed, and may come later than this process */
        if (world_read_file(t->world, t->file, TOKEN_CAP, &file, ret_why) == 0)
            text = slice_trim(buf_slice(&file));
        if (!text.n && !ret_why->kind) err_set(ret_why, ERR_CONFIG, -ENOENT, "%s is empty", t->file);
        buf_add(ret, text);
    } else if (!t->account) {
        err_set(ret_why, ERR_CONFIG, -ENOENT, "run with --metrics-account=NAME or --metrics-token=FILE");
    }
}
