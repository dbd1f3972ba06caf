/* One request of the operator: who asks, what is asked, who answers; and the answer, whole or as it comes. */
#include "proxy_impl.h"
#include "api/status.h"
#include <errno.h>
#include <stdio.h>

enum { STATUS_CAP = 64 << 10, KEPT_CAP = 16 << 10, WHAT_MAX = 1024 };
#define GROUPS_AGAIN_NS (10 * NS_PER_S)

/* ---- the end ---- */

static void work_free(struct work *k) {
    list_remove(&k->node);
    proxy_ask_cancel(k->ask);
    overlay_write_free(k->write);
    overlay_list_end(k->list);
    overlay_watch_close(k->watch);
    splitter_free(&k->split);
    split_list_free(&k->whole);
    timer_free(k->timer);
    upstream_free(&k->u);
    gate_free(&k->r);
    buf_free(&k->kept);
    buf_free(&k->body);
    buf_free(&k->out);
    free(k);
}

static void on_gone(void *ctx) {
    work_free(ctx);
}

static void count(struct work *k, int status) {
    static const char *const kinds[] = {
        [GATE_PASS] = "pass",     [GATE_REVIEW] = "review",
        [GATE_GET] = "get",       [GATE_LIST] = "list",
        [GATE_WATCH] = "watch",   [GATE_CREATE] = "create",
        [GATE_UPDATE] = "update", [GATE_PATCH] = "patch",
        [GATE_DELETE] = "delete", [GATE_DELETE_COLLECTION] = "deletecollection"};
    char code[16];
    snprintf(code, sizeof code, "%d", status);
    const char *labels[] = {k->r.text.p ? kinds[k->r.kind] : "refused", code};
    if (k->p->counted) metric_inc(metric_with(k->p->counted, labels));
}

void proxy_answer(struct work *k, int status, struct slice json) {
    struct http_exchange *x = k->x;
    count(k, status);
    if (k->extra.n) {
        http_reply_begin(x, status, "application/json", &k->extra);
        http_reply_send(x, json);
        http_reply_end(x);
    } else {
        http_reply(x, status, "application/json", json);
    }
    work_free(k);
}

void proxy_answer_status(struct work *k, int status, const char *message) {
    cleanup_buf struct buf out = BUF(STATUS_CAP);
    const char *reason = status == 501 ? "NotImplemented" : status_reason(status);
    status_write(&out, status, reason, message, "", "");
    proxy_answer(k, status, buf_slice(&out));
}

void proxy_answer_err(struct work *k, const struct err *err) {
    int status = err->kind == ERR_TIMEOUT    ? 504
                 : err->kind == ERR_PROTOCOL ? 500
                 : err->kind == ERR_FENCED   ? 501
                 : err->kind == ERR_REJECTED ? 400
                                             : 503;
    proxy_answer_status(k, status, err->msg);
}

void proxy_cut(struct work *k) {
    http_reply_abort(k->x);
    work_free(k);
}

void proxy_end(struct work *k) {
    proxy_send(k, true);
    http_reply_end(k->x);
    work_free(k);
}

/* ---- an answer as it comes ---- */

static bool goes_on(struct slice name) {
    return http_name_eq(name, SL("Retry-After")) || http_name_eq(name, SL("Warning")) ||
           http_name_eq(name, SL("Location")); /* of OpenAPI's parts, which are relative */
}

void proxy_take_head(struct work *k, int status, const struct http_headers *h) {
    struct slice type = http_headers_get(h, "Content-Type");
    k->status = status;
    snprintf(k->type, sizeof k->type, "%.*s", SLF(type));
    k->extra.n = 0;
    buf_free(&k->kept);
    buf_init(&k->kept, KEPT_CAP);
    size_t all = 0;
    for (size_t i = 0; i < h->n; i++) all += goes_on(h->v[i].name) ? h->v[i].name.n + h->v[i].value.n : 0;
    if (all == 0 || all > KEPT_CAP) return;
    for (int pass = 0; pass < 2; pass++) { /* the slices once the memory has its place */
        const char *at = k->kept.p;
        for (size_t i = 0; i < h->n; i++) {
            struct slice name = h->v[i].name, value = h->v[i].value;
            if (!goes_on(name)) continue;
            if (pass == 0) {
                buf_add(&k->kept, name);
                buf_add(&k->kept, value);
            } else {
                http_headers_add(&k->extra, slice_make(at, name.n), slice_make(at + name.n, value.n));
                at += name.n + value.n;
            }
        }
    }
}

void proxy_begin(struct work *k) {
    if (k->begun) return;
    k->begun = true;
    count(k, k->status);
    http_reply_begin(k->x, k->status, k->type[0] ? k->type : "application/json", &k->extra);
}

void proxy_send(struct work *k, bool all) {
    if (k->out.n == 0 || (!all && k->out.n < SEND_AT)) return;
    proxy_begin(k);
    http_reply_send(k->x, buf_slice(&k->out));
    if (k->out.cap / 4 > SEND_AT) buf_free(&k->out);
    buf_clear(&k->out);
}

bool proxy_too_much(struct work *k, world_fn fn) {
    if (http_reply_unsent(k->x) < UNSENT_MAX) return false;
    http_on_room(k->x, UNSENT_MIN, fn, k);
    return true;
}

/* ---- the beginning ---- */

/* Headers of which a server and a proxy may each take another one. */
static bool odd(const struct http_headers *h) {
    static const char *const once[] = {
        "Content-Type", "Content-Length", "Transfer-Encoding", "Content-Encoding", "Authorization",
        "Upgrade",      "Accept"};
    for (size_t i = 0; i < ARRAY_LEN(once); i++) {
        unsigned n = 0;
        for (size_t j = 0; j < h->n; j++) n += http_name_eq(h->v[j].name, slice_of(once[i]));
        if (n > 1) return true;
    }
    struct slice encoding = http_headers_get(h, "Content-Encoding");
    return encoding.n && !http_name_eq(encoding, SL("identity"));
}

static struct gate_header header_of(const struct http_exchange *x) {
    static const char *const overrides[] = {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"};
    struct gate_header h = {.content_type = http_x_header(x, "Content-Type"),
                            .accept = http_x_header(x, "Accept"),
                            .upgrade = http_x_header(x, "Upgrade"),
                            .connection = http_x_header(x, "Connection"),
                            .transfer_odd = odd(http_x_headers(x))};
    for (size_t i = 0; i < ARRAY_LEN(overrides) && !h.method_override.n; i++)
        h.method_override = http_x_header(x, overrides[i]);
    return h;
}

static void begin(struct work *k, bool again);

void proxy_resume(struct proxy *p, bool (*go_on)(struct work *k)) {
    for (bool any = true; any;) { /* an answer may take others along */
        any = false;
        list_each(it, &p->works) {
            any = go_on(container_of(it, struct work, node));
            if (any) break;
        }
    }
}

/* The API groups were read. */
static bool go_on(struct work *k) {
    if (!k->waits) return false;
    k->waits = false;
    begin(k, true);
    return true;
}

static void groups_read(struct proxy *p, const struct err *err) {
    if (err)
        LOG_EVENT(p->log, LOG_WARN, "RehearsalGroupsUnread", "API groups could not be read", LF_ERR(err));
    proxy_resume(p, go_on);
}

/* A mutation of a group that is not known: a CustomResourceDefinition may have come since. */
static bool read_groups(struct work *k) {
    struct proxy *p = k->p;
    struct slice rest = http_x_target(k->x), group;
    if (slice_eqs(http_x_method(k->x), "GET") || !slice_starts(rest, SL("/apis/"))) return false;
    slice_cut(slice_make(rest.p + 6, rest.n - 6), '/', &group, &rest);
    if (!p->aggregates || proxy_names_has(&p->local, group) || proxy_names_has(&p->remote, group))
        return false;
    if (!p->reader && world_boot_ns(p->w) - p->groups_read_ns < GROUPS_AGAIN_NS) return false;
    k->waits = true;
    if (!p->reader) p->reader = proxy_read_groups(p, groups_read);
    return true;
}

static void refused(struct work *k, int status, const struct err *err) {
    struct slice target = http_x_target(k->x), method = http_x_method(k->x);
    cleanup_buf struct buf what = BUF(WHAT_MAX);
    gate_what(method, target, &what);
    if (status == 501 || (status >= 405 && status <= 415)) /* an API server may understand more */
        overlay_refused(k->p->overlay, buf_slice(&what), slice_of(err->msg));
    else if (!slice_eqs(method, "GET"))
        overlay_invalid(k->p->overlay, buf_slice(&what), status, slice_of(err->msg));
    proxy_answer_status(k, status, err->msg);
}

static void begin(struct work *k, bool again) {
    struct gate_header h = header_of(k->x);
    struct gate_groups groups = proxy_groups(k->p);
    struct err err = {0};
    int status = 400;
    if (gate_parse(http_x_method(k->x), http_x_target(k->x), &h, http_x_body(k->x), &groups, &k->r, &status,
                   &err) < 0) {
        if (status != 501 || again || !read_groups(k)) refused(k, status, &err);
        return;
    }
    switch (k->r.kind) {
    case GATE_PASS: proxy_stream(k); break;
    case GATE_LIST: proxy_list(k); break;
    case GATE_WATCH: proxy_watch(k); break;
    default: proxy_call(k);
    }
}

void proxy_work_start(struct proxy *p, struct http_exchange *x) {
    struct work *k = xcalloc(1, sizeof *k);
    struct slice scheme, token;
    *k = (struct work){.p = p, .x = x, .kept = BUF(KEPT_CAP), .body = BUF(ANSWER_CAP), .out = BUF(64 << 20)};
    list_push(&p->works, &k->node);
    http_on_gone(x, on_gone, k);
    p->requests++;
    if (!p->last_change_ns) p->last_change_ns = world_wall_ns(p->w);
    slice_cut(http_x_header(x, "Authorization"), ' ', &scheme, &token);
    if (!http_name_eq(scheme, SL("Bearer")) || !slice_trim(token).n) {
        proxy_answer_status(k, 401, "Unauthorized");
        return;
    }
    begin(k, false);
}
