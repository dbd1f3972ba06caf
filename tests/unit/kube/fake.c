/* See fake.h. */
#include "fake.h"
#include <errno.h>
#include <stdio.h>

static struct fake *of(struct world *w) {
    return container_of(alone_of(w), struct fake, a);
}
static uint64_t fk_rand(struct world *w) {
    return rng_next(&of(w)->rng);
}
/* Two writes within a tick of a file system's clock differ, too. */
static int64_t fk_mtime(struct world *w, const char *path) {
    int64_t at = of(w)->file_mtime(w, path);
    return at < 0 ? at : at + of(w)->files;
}
void fake_file(struct fake *f, const char *path, const char *text) {
    f->files++;
    if (text)
        simworld_file(f->a.w, path, slice_of(text));
    else
        simworld_file_remove(f->a.w, path);
}
void fake_env(struct fake *f, const char *name, const char *value) {
    simworld_setenv(f->a.w, name, value);
}
int64_t fake_now(const struct fake *f) {
    return world_boot_ns(f->a.w);
}
unsigned fake_turns(const struct fake *f) {
    return (unsigned)simworld_events(f->a.sw);
}
void fake_run(struct fake *f, int64_t ns) {
    bool was = f->running;
    f->running = true;
    simworld_run(f->a.sw, ns);
    f->running = was;
}
void fake_settle(struct fake *f) {
    fake_run(f, 0);
}

/* ---- programs ---- */

static char *join(const char *const *v) {
    struct buf b = BUF(1 << 20);
    for (; v && *v; v++) buf_addf(&b, "%s|", *v);
    return buf_take(&b);
}
static void proc_gone(struct fake_proc *p) {
    list_remove(&p->node);
    free(p->argv);
    free(p->env);
    free(p);
}
static void fk_proc_cancel(struct proc *p) {
    proc_gone((struct fake_proc *)(void *)p);
}
static void spawn_turn(void *ctx) {
    struct fake *f = ctx;
    list_each_safe(it, tmp, &f->procs) {
        struct fake_proc *p = container_of(it, struct fake_proc, node);
        if (f->on_spawn) f->on_spawn(f, p);
    }
}
static int fk_spawn(struct world *w, const struct spawn *s, struct proc **ret, struct err *err) {
    struct fake *f = of(w);
    if (strcmp(s->argv[0], "absent") == 0)
        return err_set(err, ERR_CONFIG, -ENOENT, "absent: No such file or directory");
    struct fake_proc *p = xcalloc(1, sizeof *p);
    *p = (struct fake_proc){
        .proc.cancel = fk_proc_cancel, .f = f, .argv = join(s->argv), .env = join(s->env), .s = *s};
    list_push(&f->procs, &p->node);
    f->spawned++;
    world_defer(w, spawn_turn, f);
    *ret = &p->proc;
    return 0;
}
void fake_exit(struct fake_proc *p, int code, const char *out, const char *errout) {
    struct spawn s = p->s;
    proc_gone(p);
    s.done(s.ctx, NULL, code, slice_of(out), slice_of(errout));
}

/* ---- HTTP ---- */

static void req_free(struct fake_req *r) {
    if (r->on_gone) r->on_gone(r->gone_ctx);
    list_remove(&r->node);
    timer_free(r->deadline);
    free(r->method);
    free(r->url);
    free(r->proxy);
    buf_free(&r->headers);
    buf_free(&r->body);
    buf_free(&r->out);
    free(r);
}
static struct fake_req *find_req(struct fake *f, uint64_t number) {
    list_each(it, &f->reqs) {
        struct fake_req *r = container_of(it, struct fake_req, node);
        if (r->number == number) return r;
    }
    return NULL;
}
static void end_now(struct fake_req *r, const struct err *err) {
    struct http_client_cb cb = r->cb;
    void *ctx = r->ctx;
    int status = r->status;
    struct err e = err ? *err : (struct err){0};
    req_free(r);
    cb.end(ctx, err ? &e : NULL, status);
}

static void end_with(struct fake_req *r, enum err_kind kind, int errnum, const char *msg) {
    struct err e;
    err_set(&e, kind, errnum, "%s", msg);
    end_now(r, &e);
}

struct later {
    struct fake *f;
    uint64_t number; /* of the request, whose memory may be another one's by then */
};
static void on_a_later_turn(struct fake_req *r, world_fn fn) {
    struct later *l = xmalloc(sizeof *l);
    *l = (struct later){r->f, r->number};
    world_defer(r->f->a.w, fn, l);
}
static void deliver(void *ctx);
static void schedule(struct fake_req *r) {
    if (!r->scheduled) on_a_later_turn(r, deliver);
    r->scheduled = true;
}
static void deliver(void *ctx) {
    struct later l = *(struct later *)ctx;
    free(ctx);
    struct fake_req *r = find_req(l.f, l.number);
    if (!r) return;
    r->scheduled = false;
    if (r->out.n && !r->held) {
        size_t n = r->deliver_max && r->out.n > r->deliver_max ? r->deliver_max : r->out.n;
        cleanup_free char *copy = xmalloc(n); /* of exactly this size, so that a read past the end is seen */
        memcpy(copy, r->out.p, n);
        buf_consume(&r->out, n);
        r->got += n;
        if (r->body_cap && r->got > r->body_cap) {
            end_with(r, ERR_PROTOCOL, -EFBIG, "the answer is too large");
            return;
        }
        enum http_pull pull = r->cb.body ? r->cb.body(r->ctx, slice_make(copy, n)) : HTTP_MORE;
        r = find_req(l.f, l.number);
        if (!r) return;
        r->held = pull == HTTP_HOLD;
    }
    if (r->out.n && !r->held) {
        schedule(r);
    } else if (!r->out.n && !r->held && r->out_end) {
        end_now(r, r->out_err.kind ? &r->out_err : NULL);
    }
}
static void req_resume(struct http_req *req) {
    struct fake_req *r = (struct fake_req *)(void *)req;
    r->held = false;
    schedule(r);
}
static void req_cancel(struct http_req *req) {
    req_free((struct fake_req *)(void *)req);
}
static void send_turn(void *ctx) {
    struct later l = *(struct later *)ctx;
    free(ctx);
    struct fake_req *r = find_req(l.f, l.number);
    if (!r) return;
    if (r->may_send && !r->may_send(r->may_send_ctx)) {
        end_with(r, ERR_FENCED, -EPERM, "not sent: fenced");
        return;
    }
    r->sent = true;
    if (l.f->on_request) l.f->on_request(l.f, r);
}
static void deadline_over(void *ctx) {
    end_with(ctx, ERR_TIMEOUT, -ETIMEDOUT, "no answer in time");
}
static int fk_http(struct world *w, const struct http_spec *s, const struct http_client_cb *cb, void *ctx,
                   struct http_req **ret, struct err *err) {
    struct fake *f = of(w);
    if (strncmp(s->url, "http", 4) != 0) return err_set(err, ERR_CONFIG, -EINVAL, "no URL");
    struct fake_req *r = xcalloc(1, sizeof *r);
    *r = (struct fake_req){.req = {req_resume, req_cancel},
                           .f = f,
                           .number = ++f->requests,
                           .lane = s->lane,
                           .method = xstrdup(s->method),
                           .url = xstrdup(s->url),
                           .proxy = xstrdup_null(s->proxy),
                           .fresh = s->fresh,
                           .insecure = s->tls && s->tls->insecure,
                           .certified = s->tls && s->tls->cert.n > 0,
                           .tls_id = s->tls ? s->tls->id : 0,
                           .total_ns = s->total_ns,
                           .body_cap = s->body_cap,
                           .may_send = s->may_send,
                           .may_send_ctx = s->may_send_ctx,
                           .cb = *cb,
                           .ctx = ctx};
    buf_init(&r->headers, 1 << 20);
    buf_init(&r->body, 8 << 20);
    buf_init(&r->out, 1 << 30);
    for (size_t i = 0; s->headers && i < s->headers->n; i++) {
        buf_addf(&r->headers, "%.*s: %.*s\n", SLF(s->headers->v[i].name), SLF(s->headers->v[i].value));
    }
    buf_add(&r->body, s->body);
    if (s->total_ns) {
        r->deadline = timer_new(w, deadline_over, r);
        timer_in(r->deadline, s->total_ns);
    }
    list_push(&f->reqs, &r->node);
    f->started++;
    on_a_later_turn(r, send_turn);
    *ret = &r->req;
    return 0;
}

void fake_head(struct fake_req *r, int status, const char *name, const char *value) {
    struct http_headers h = {0};
    if (name) http_headers_add(&h, slice_of(name), slice_of(value));
    r->status = status;
    if (r->cb.head) r->cb.head(r->ctx, status, &h);
}
static void put(struct fake_req *r, struct slice data, bool end, const struct err *err) {
    struct fake *f = r->f;
    buf_add(&r->out, data);
    r->out_end = end;
    if (err) r->out_err = *err;
    schedule(r);
    if (!f->running) fake_settle(f);
}
void fake_bytes(struct fake_req *r, struct slice data) {
    put(r, data, false, NULL);
}
void fake_body(struct fake_req *r, const char *text) {
    put(r, slice_of(text), false, NULL);
}
void fake_end(struct fake_req *r, const struct err *err) {
    put(r, SL(""), true, err);
}
void fake_answer(struct fake_req *r, int status, const char *body) {
    fake_head(r, status, "Content-Type", "application/json");
    put(r, slice_of(body), true, NULL);
}
void fake_fail(struct fake_req *r, enum err_kind kind, const char *msg) {
    struct err e;
    err_set(&e, kind, -EIO, "%s", msg);
    put(r, SL(""), true, &e);
}
bool fake_has_header(const struct fake_req *r, const char *line) {
    cleanup_free char *full = xasprintf("%s\n", line);
    return strstr(buf_str(&r->headers), full) != NULL;
}
size_t fake_open(const struct fake *f) {
    size_t n = 0;
    list_each(it, &f->reqs) n++;
    return n;
}
struct fake_req *fake_last(struct fake *f) {
    assert_true(fake_open(f) > 0);
    return container_of(f->reqs.prev, struct fake_req, node);
}

struct fake_req *fake_one(struct fake *f) {
    if (fake_open(f) != 1) fail_msg("%zu open requests", fake_open(f));
    return container_of(f->reqs.next, struct fake_req, node);
}

/* ---- all of it ---- */

static void log_line(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                     const struct log_field *f, size_t n) {
    log_format_text(ctx, level, wall_ns, msg, f, n);
}
struct fake *fake_seeded(uint64_t seed) {
    struct fake *f = xcalloc(1, sizeof *f);
    alone_init(&f->a, seed);
    simworld_set_wall(f->a.w, INT64_C(1790001000) * NS_PER_S - simworld_now(f->a.sw)); /* 2026-09 */
    f->rng.s = seed;
    f->a.ops.rand = fk_rand;
    f->file_mtime = f->a.ops.file_mtime;
    f->a.ops.file_mtime = fk_mtime;
    f->a.ops.spawn = fk_spawn;
    f->a.ops.http_start = fk_http;
    list_init(&f->reqs);
    list_init(&f->procs);
    buf_init(&f->lines, 4 << 20);
    f->log = (struct log){.sink = {log_line, &f->lines}, .min = LOG_DEBUG};
    return f;
}
struct fake *fake_new(void) {
    return fake_seeded(1);
}
void fake_free(struct fake *f) {
    f->on_request = NULL;
    fake_settle(f);
    if (!list_empty(&f->reqs) || !list_empty(&f->procs)) fail_msg("something was left behind");
    alone_free(&f->a);
    buf_free(&f->lines);
    free(f);
}
