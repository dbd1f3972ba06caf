/* A request, understood or refused: what it is asked with, then its path, query, body and form of the answer. */
#include "gate_impl.h"
#include "api/url.h"
#include <errno.h>
#include <strings.h>

enum { TARGET_MAX = 64 << 10 };

int gate_unescape(struct gate_ctx *c, struct slice s, struct slice *ret) {
    size_t before = c->scratch.n;
    if (url_unescape(&c->scratch, s) < 0)
        return gate_refuse(c, 400, "the target has a percent sign without two digits");
    *ret = slice_make(c->scratch.p + before, c->scratch.n - before);
    for (size_t i = 0; i < ret->n; i++) {
        if ((unsigned char)ret->p[i] < 0x20 || ret->p[i] == 0x7f)
            return gate_refuse(c, 400, "the target has an encoded control character");
    }
    return slice_is_text(*ret) ? 0 : gate_refuse(c, 400, "the target is no UTF-8");
}

/* What has to be encoded in a target, and what servers and proxies read differently: no part of any target. */
static bool plain(struct slice target) {
    for (size_t i = 0; i < target.n; i++) {
        unsigned char ch = (unsigned char)target.p[i];
        if (ch <= 0x20 || ch >= 0x7f || strchr("\"#;<>\\^`{|}", ch)) return false;
    }
    return target.n > 0 && target.p[0] == '/';
}

static int method_of(struct gate_ctx *c, struct slice method, enum gate_method *ret) {
    static const char *const names[] = {[METHOD_GET] = "GET",
                                        [METHOD_POST] = "POST",
                                        [METHOD_PUT] = "PUT",
                                        [METHOD_PATCH] = "PATCH",
                                        [METHOD_DELETE] = "DELETE"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!slice_eqs(method, names[i])) continue;
        *ret = (enum gate_method)i;
        return 0;
    }
    return gate_refuse(c, 405, "the methods are GET, POST, PUT, PATCH and DELETE");
}

static int headers(struct gate_ctx *c, const struct gate_header *h) {
    if (h->transfer_odd)
        return gate_refuse(c, 400, "a header that may be there once is there twice, or contradicts another");
    if (h->method_override.n) return gate_refuse(c, 400, "the method cannot be overridden by a header");
    return 0;
}

/* A watch goes on without the upgrade, as any HTTP server may: clients that would rather have a WebSocket take the 200. */
static int upgrade(struct gate_ctx *c, const struct gate_header *h) {
    struct slice rest = h->connection, token;
    bool wanted = h->upgrade.n > 0;
    while (rest.n) {
        slice_cut(rest, ',', &token, &rest);
        token = slice_trim(token);
        wanted = wanted || (token.n == 7 && strncasecmp(token.p, "upgrade", 7) == 0);
    }
    if (wanted && c->r->kind != GATE_WATCH)
        return gate_refuse(c, 501, "an upgraded connection cannot be rehearsed");
    return 0;
}

static int parse(struct gate_ctx *c, struct slice method, struct slice target, const struct gate_header *h,
                 struct slice body) {
    enum gate_method m = METHOD_GET;
    struct slice path, query;
    int e = method_of(c, method, &m);
    if (e == 0) e = headers(c, h);
    if (e < 0) return e;
    if (target.n > TARGET_MAX || !plain(target))
        return gate_refuse(
            c, 400,
            "the target is no path from / on, or has characters that have to be encoded, or is too long");
    /* The room for all that is unescaped; '+' is a blank in a query. */
    struct buf spaced = BUF(TARGET_MAX);
    buf_add(&c->scratch, target);
    buf_clear(&c->scratch);
    slice_cut(target, '?', &path, &query);
    for (size_t i = 0; i < query.n; i++) buf_addc(&spaced, query.p[i] == '+' ? ' ' : query.p[i]);
    e = gate_path(c, m, path);
    if (e == 0) e = gate_query(c, buf_slice(&spaced));
    if (e == 0) e = upgrade(c, h);
    if (e == 0) e = gate_body(c, m, h->content_type, body);
    if (e == 0) e = gate_accept(c, h->accept);
    buf_free(&spaced);
    return e;
}

/* What was unescaped and made anew is copied into r->text, one behind the other. */
static void settle(struct gate_ctx *c) {
    struct gate_request *r = c->r;
    struct slice *const parts[] = {&r->group,   &r->version,    &r->resource,       &r->ns,      &r->name,
                                   &r->sub,     &r->path,       &r->labels,         &r->fields,  &r->limit,
                                   &r->token,   &r->rv,         &r->rv_match,       &r->timeout, &r->query,
                                   &r->manager, &r->validation, &r->delete_options, &r->body};
    size_t n = ARRAY_LEN(parts) - (c->object.n && r->body.p == c->object.p ? 0 : 1), all = 0;
    r->path = buf_slice(&c->path);
    r->query = buf_slice(&c->query);
    for (size_t i = 0; i < n; i++) all += parts[i]->n;
    r->text = (struct buf){.p = xcalloc(1, all + 1), .n = all, .cap = all + 1, .max = all};
    char *p = r->text.p;
    for (size_t i = 0; i < n; i++) {
        if (parts[i]->n) memcpy(p, parts[i]->p, parts[i]->n);
        parts[i]->p = p;
        p += parts[i]->n;
    }
}

int gate_parse(struct slice method, struct slice target, const struct gate_header *h, struct slice body,
               const struct gate_groups *groups, struct gate_request *ret, int *status, struct err *err) {
    struct gate_request r = {0};
    struct gate_ctx c = {.r = &r,
                         .groups = groups,
                         .scratch = BUF(TARGET_MAX),
                         .path = BUF((size_t)TARGET_MAX * 3),
                         .query = BUF((size_t)TARGET_MAX * 4),
                         .options = BUF(TARGET_MAX),
                         .object = BUF(1 << 20),
                         .status = status,
                         .err = err};
    int e = parse(&c, method, target, h, body);
    if (e == 0) {
        settle(&c);
        *ret = r;
    }
    struct buf *const bufs[] = {&c.scratch, &c.path, &c.query, &c.options, &c.object};
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++) buf_free(bufs[i]);
    return e;
}

void gate_free(struct gate_request *r) {
    buf_free(&r->text);
    *r = (struct gate_request){0};
}

bool gate_mutates(enum gate_kind k) {
    return k >= GATE_CREATE;
}
