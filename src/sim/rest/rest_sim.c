/* /sim/...: what tests and the demo do beside REST, over HTTP. */
#include "rest/rest.h"
#include "rest/fault.h"
#include "rest/request_log.h"
#include <errno.h>

static int done(struct call *c) {
    exchange_json(c->x, 200, SL("{\"ok\":true}"));
    return 0;
}

static int refused(struct call *c, const struct err *err) {
    return api_status_set(&c->f, 400, "BadRequest", "%s", err->msg);
}

static int post_fault(struct call *c) {
    struct err err = {0};
    return faults_add(c->s, c->req->body, &err) < 0 ? refused(c, &err) : done(c);
}

static int post_script(struct call *c) {
    struct err err = {0};
    return sim_script(c->s, c->req->body, &err) < 0 ? refused(c, &err) : done(c);
}

static int post_compact(struct call *c) {
    sim_compact(c->s);
    return done(c);
}

/* {"group","version","resource","kind","singular","shortNames":"a,b","namespaced":true,"status":true,"scale":false} */
static int post_type(struct call *c) {
    struct err err = {0};
    cleanup_json cJSON *v = json_parse(c->req->body, &err);
    if (!v) return refused(c, &err);
    cleanup_free char *lower = xstrdup(json_str_or(v, "kind", ""));
    for (char *p = lower; *p; p++) {
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p + 32);
    }
    struct sim_type t = {json_str_or(v, "group", ""),
                         json_str_or(v, "version", "v1"),
                         json_str_or(v, "resource", ""),
                         json_str_or(v, "kind", ""),
                         json_str_or(v, "singular", lower),
                         json_str_or(v, "shortNames", ""),
                         .namespaced = json_bool(v, "namespaced", true),
                         .has_status = json_bool(v, "status", true),
                         .has_scale = json_bool(v, "scale", false)};
    return types_add(c->s, &t, &c->f) ? done(c) : -EINVAL;
}

static int get_requests(struct call *c) {
    struct buf b = BUF(64 << 20);
    request_log_write(c->s->log, &b);
    exchange_json(c->x, 200, buf_slice(&b));
    buf_free(&b);
    return 0;
}

static int clear_requests(struct call *c) {
    request_log_clear(c->s->log);
    return done(c);
}

static void collect(void *ctx, struct slice text) {
    buf_add(ctx, text);
}

static int get_dump(struct call *c) {
    struct buf b = BUF(SIZE_MAX - 1);
    sim_dump(c->s, collect, &b);
    exchange_text(c->x, 200, buf_slice(&b));
    buf_free(&b);
    return 0;
}

static const struct {
    const char *method, *path;
    int (*serve)(struct call *c);
} pages[] = {{"POST", "fault", post_fault},     {"POST", "script", post_script},
             {"POST", "compact", post_compact}, {"POST", "types", post_type},
             {"GET", "requests", get_requests}, {"DELETE", "requests", clear_requests},
             {"GET", "dump", get_dump}};

int rest_sim(struct call *c) {
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(pages) && c->t.n == 2; i++) {
        if (strcmp(pages[i].path, c->t.seg[1]) != 0) continue;
        known = true;
        if (slice_eqs(c->req->method, pages[i].method)) return pages[i].serve(c);
    }
    if (known) return api_status_set(&c->f, 405, "MethodNotAllowed", "this page does not know that method");
    return api_status_set(&c->f, 404, "NotFound", "there is no such page");
}
