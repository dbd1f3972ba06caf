/* See fake.h. */
#include "fake.h"
#include <errno.h>
#include <stdio.h>

struct fake_timer {
    struct timer t;
    struct list node;
    int64_t at;
    world_fn fn;
    void *ctx;
};
struct defer {
    struct list node;
    world_fn fn;
    void *ctx;
};
struct var {
    struct list node;
    char *name, *text;
    int64_t mtime;
    bool file;
};

static struct fake *of(struct world *w) {
    return (struct fake *)(void *)w;
}
static int64_t fk_boot(struct world *w) {
    return of(w)->now_ns;
}
static int64_t fk_wall(struct world *w) {
    return of(w)->now_ns + of(w)->wall_off_ns;
}
static uint64_t fk_rand(struct world *w) {
    return rng_next(&of(w)->rng);
}

static struct var *var_of(struct fake *f, const char *name, bool file) {
    list_each(it, &f->vars) {
        struct var *v = container_of(it, struct var, node);
        if (v->file == file && strcmp(v->name, name) == 0) return v;
    }
    return NULL;
}
static void set_var(struct fake *f, const char *name, const char *text, bool file) {
    struct var *v = var_of(f, name, file);
    if (!v) {
        v = xcalloc(1, sizeof *v);
        v->name = xstrdup(name);
        v->file = file;
        list_push(&f->vars, &v->node);
    }
    free(v->text);
    v->text = xstrdup_null(text);
    v->mtime++;
}
void fake_file(struct fake *f, const char *path, const char *text) {
    set_var(f, path, text, true);
}
void fake_env(struct fake *f, const char *name, const char *value) {
    set_var(f, name, value, false);
}
static const char *fk_getenv(struct world *w, const char *name) {
    struct var *v = var_of(of(w), name, false);
    return v ? v->text : NULL;
}
static int fk_read(struct world *w, const char *path, size_t cap, struct buf *ret, struct err *err) {
    struct var *v = var_of(of(w), path, true);
    if (!v || !v->text) return err_set(err, ERR_CONFIG, -ENOENT, "%s: No such file or directory", path);
    if (strlen(v->text) > cap)
        return err_set(err, ERR_CONFIG, -EFBIG, "%s: larger than %zu bytes", path, cap);
    return buf_adds(ret, v->text);
}
static int fk_write(struct world *w, const char *path, struct slice data, struct err *err) {
    (void)err;
    cleanup_free char *text = slice_dup(data);
    fake_file(of(w), path, text);
    return 0;
}
static int64_t fk_mtime(struct world *w, const char *path) {
    struct var *v = var_of(of(w), path, true);
    return v && v->text ? v->mtime : -ENOENT;
}

/* ---- turns ---- */

static void fk_defer(struct world *w, world_fn fn, void *ctx) {
    struct defer *d = xcalloc(1, sizeof *d);
    d->fn = fn;
    d->ctx = ctx;
    list_push(&of(w)->defers, &d->node);
}
static void timer_set(struct timer *t, int64_t at) {
    ((struct fake_timer *)(void *)t)->at = at;
}
static void timer_del(struct timer *t) {
    list_remove(&((struct fake_timer *)(void *)t)->node);
    free(t);
}
static bool timer_on(const struct timer *t) {
    return ((const struct fake_timer *)(const void *)t)->at != TIME_NEVER;
}
static struct timer *fk_timer(struct world *w, world_fn fn, void *ctx) {
    static const struct timer_ops ops = {timer_set, timer_del, timer_on};
    struct fake_timer *t = xcalloc(1, sizeof *t);
    *t = (struct fake_timer){.t = {&ops, w}, .at = TIME_NEVER, .fn = fn, .ctx = ctx};
    list_push(&of(w)->timers, &t->node);
    return &t->t;
}

/* One turn: what was deferred before it, or else the first timer that is due by until. */
static bool turn(struct fake *f, int64_t until) {
    if (!list_empty(&f->defers)) {
        struct list now;
        list_init(&now);
        while (!list_empty(&f->defers)) {
            struct list *n = f->defers.next;
            list_remove(n);
            list_push(&now, n);
        }
        f->turns++;
        while (!list_empty(&now)) {
            struct defer *d = container_of(now.next, struct defer, node);
            list_remove(&d->node);
            d->fn(d->ctx);
            free(d);
        }
        return true;
    }
    struct fake_timer *first = NULL;
    list_each(it, &f->timers) {
        struct fake_timer *t = container_of(it, struct fake_timer, node);
        if (t->at <= until && (!first || t->at < first->at)) first = t;
    }
    if (!first) return false;
    if (first->at > f->now_ns) f->now_ns = first->at;
    first->at = TIME_NEVER;
    f->turns++;
    first->fn(first->ctx);
    return true;
}
void fake_run(struct fake *f, int64_t ns) {
    int64_t until = f->now_ns + ns;
    unsigned guard = 0;
    while (turn(f, until)) {
        if (++guard > 1000000) fail_msg("the fake world runs in circles");
    }
    f->now_ns = until;
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
    fk_defer(w, spawn_turn, f);
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
static struct fake_req *find_req(struct fake *f, const void *p) {
    list_each(it, &f->reqs) {
        if (container_of(it, struct fake_req, node) == p) return container_of(it, struct fake_req, node);
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

struct later {
    struct fake *f;
    struct fake_req *r;
};
static void deliver(void *ctx) {
    struct later l = *(struct later *)ctx;
    free(ctx);
    struct fake_req *r = find_req(l.f, l.r);
    if (!r) return;
    r->scheduled = false;
    if (r->out.n && !r->held) {
        size_t n = r->deliver_max && r->out.n > r->deliver_max ? r->deliver_max : r->out.n;
        char *copy = xmalloc(n);
        memcpy(copy, r->out.p, n);
        buf_consume(&r->out, n);
        r->got += n;
        if (r->body_cap && r->got > r->body_cap) {
            struct err e;
            err_set(&e, ERR_PROTOCOL, -EFBIG, "the answer is larger than %zu bytes", r->body_cap);
            free(copy);
            end_now(r, &e);
            return;
        }
        if (r->cb.body) {
            enum http_pull pull = r->cb.body(r->ctx, slice_make(copy, n));
            free(copy);
            r = find_req(l.f, l.r);
            if (!r) return;
            r->held = pull == HTTP_HOLD;
        } else {
            free(copy);
        }
    }
    if (r->out.n && !r->held && !r->scheduled) {
        r->scheduled = true;
        struct later *again = xmalloc(sizeof *again);
        *again = l;
        fk_defer(&l.f->w, deliver, again);
    } else if (!r->out.n && !r->held && r->out_end) {
        end_now(r, r->out_err.kind ? &r->out_err : NULL);
    }
}
static void schedule(struct fake_req *r) {
    if (r->scheduled) return;
    r->scheduled = true;
    struct later *l = xmalloc(sizeof *l);
    *l = (struct later){r->f, r};
    fk_defer(&r->f->w, deliver, l);
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
    struct fake_req *r = find_req(l.f, l.r);
    if (!r) return;
    if (r->may_send && !r->may_send(r->may_send_ctx)) {
        struct err e;
        err_set(&e, ERR_FENCED, -EPERM, "not sent: fenced");
        end_now(r, &e);
        return;
    }
    r->sent = true;
    if (l.f->on_request) l.f->on_request(l.f, r);
}
static void deadline_over(void *ctx) {
    struct err e;
    err_set(&e, ERR_TIMEOUT, -ETIMEDOUT, "no answer in time");
    end_now(ctx, &e);
}
static int fk_http(struct world *w, const struct http_spec *s, const struct http_client_cb *cb, void *ctx,
                   struct http_req **ret, struct err *err) {
    struct fake *f = of(w);
    if (strncmp(s->url, "http", 4) != 0) return err_set(err, ERR_CONFIG, -EINVAL, "no URL");
    struct fake_req *r = xcalloc(1, sizeof *r);
    *r = (struct fake_req){.req = {req_resume, req_cancel},
                           .f = f,
                           .lane = s->lane,
                           .method = xstrdup(s->method),
                           .url = xstrdup(s->url),
                           .proxy = xstrdup_null(s->proxy),
                           .fresh = s->fresh,
                           .insecure = s->tls && s->tls->insecure,
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
    struct later *l = xmalloc(sizeof *l);
    *l = (struct later){f, r};
    fk_defer(w, send_turn, l);
    *ret = &r->req;
    return 0;
}

void fake_head(struct fake_req *r, int status, const char *name, const char *value) {
    struct http_headers h = {0};
    if (name) http_headers_add(&h, slice_of(name), slice_of(value));
    r->status = status;
    if (r->cb.head) r->cb.head(r->ctx, status, &h);
}
void fake_bytes(struct fake_req *r, struct slice data) {
    buf_add(&r->out, data);
    schedule(r);
}
void fake_body(struct fake_req *r, const char *text) {
    fake_bytes(r, slice_of(text));
}
void fake_end(struct fake_req *r, const struct err *err) {
    r->out_end = true;
    if (err) r->out_err = *err;
    schedule(r);
}
void fake_answer(struct fake_req *r, int status, const char *body) {
    fake_head(r, status, "Content-Type", "application/json");
    fake_body(r, body);
    fake_end(r, NULL);
}
void fake_fail(struct fake_req *r, enum err_kind kind, const char *msg) {
    struct err e;
    err_set(&e, kind, -EIO, "%s", msg);
    fake_end(r, &e);
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
struct fake_req *fake_one(struct fake *f) {
    if (fake_open(f) != 1) fail_msg("%zu open requests", fake_open(f));
    return container_of(f->reqs.next, struct fake_req, node);
}

/* ---- all of it ---- */

static void log_line(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                     const struct log_field *f, size_t n) {
    log_format_text(ctx, level, wall_ns, msg, f, n);
}
struct fake *fake_new(void) {
    static const struct world_ops ops = {.mono = fk_boot,
                                         .boot = fk_boot,
                                         .wall = fk_wall,
                                         .rand = fk_rand,
                                         .getenv = fk_getenv,
                                         .defer = fk_defer,
                                         .timer_new = fk_timer,
                                         .read_file = fk_read,
                                         .write_file = fk_write,
                                         .file_mtime = fk_mtime,
                                         .spawn = fk_spawn,
                                         .http_start = fk_http};
    struct fake *f = xcalloc(1, sizeof *f);
    f->w.ops = &ops;
    f->now_ns = 1000 * NS_PER_S;
    f->wall_off_ns = INT64_C(1790000000) * NS_PER_S; /* 2026-09 */
    f->rng.s = 1;
    list_init(&f->timers);
    list_init(&f->defers);
    list_init(&f->reqs);
    list_init(&f->procs);
    list_init(&f->vars);
    buf_init(&f->lines, 4 << 20);
    f->log = (struct log){.sink = {log_line, &f->lines}, .min = LOG_DEBUG};
    return f;
}
void fake_free(struct fake *f) {
    f->on_request = NULL;
    fake_settle(f);
    if (!list_empty(&f->timers) || !list_empty(&f->reqs) || !list_empty(&f->procs))
        fail_msg("something was left behind");
    list_each_safe(it, tmp, &f->vars) {
        struct var *v = container_of(it, struct var, node);
        free(v->name);
        free(v->text);
        free(v);
    }
    buf_free(&f->lines);
    free(f);
}
