/* Dispatch from the public functions of the world to its implementation. */
#include "world/impl.h"
#include <errno.h>

int64_t world_mono_ns(struct world *w) {
    return w->ops->mono(w);
}
int64_t world_boot_ns(struct world *w) {
    return w->ops->boot(w);
}
int64_t world_wall_ns(struct world *w) {
    return w->ops->wall(w);
}
uint64_t world_rand(struct world *w) {
    return w->ops->rand(w);
}
const char *world_getenv(struct world *w, const char *name) {
    return w->ops->getenv(w, name);
}
void world_defer(struct world *w, world_fn fn, void *ctx) {
    w->ops->defer(w, fn, ctx);
}

struct timer *timer_new(struct world *w, world_fn fn, void *ctx) {
    return w->ops->timer_new(w, fn, ctx);
}
void timer_at(struct timer *t, int64_t boot_ns) {
    t->ops->at(t, boot_ns);
}
void timer_in(struct timer *t, int64_t delay_ns) {
    int64_t now = world_boot_ns(t->world);
    if (delay_ns < 0) delay_ns = 0;
    t->ops->at(t, delay_ns > TIME_NEVER - now ? TIME_NEVER : now + delay_ns);
}
void timer_stop(struct timer *t) {
    if (t) t->ops->at(t, TIME_NEVER);
}
bool timer_active(const struct timer *t) {
    return t && t->ops->active(t);
}
void timer_free(struct timer *t) {
    if (t) t->ops->free(t);
}

int world_read_file(struct world *w, const char *path, size_t cap, struct buf *ret, struct err *err) {
    return w->ops->read_file(w, path, cap, ret, err);
}
int world_write_file(struct world *w, const char *path, struct slice data, struct err *err) {
    return w->ops->write_file(w, path, data, err);
}
int64_t world_file_mtime(struct world *w, const char *path) {
    return w->ops->file_mtime(w, path);
}
int world_spawn(struct world *w, const struct spawn *s, struct proc **ret, struct err *err) {
    return w->ops->spawn(w, s, ret, err);
}
void proc_cancel(struct proc *p) {
    if (p) p->cancel(p);
}
int world_on_signal(struct world *w, int signo, world_fn fn, void *ctx) {
    return w->ops->on_signal(w, signo, fn, ctx);
}
int world_watch_fd(struct world *w, int fd, void (*fn)(void *ctx, unsigned ready), void *ctx,
                   struct fd_watch **ret) {
    return w->ops->watch_fd ? w->ops->watch_fd(w, fd, fn, ctx, ret) : -ENOSYS;
}
void fd_watch_want(struct fd_watch *f, unsigned ready) {
    f->want(f, ready);
}
void fd_watch_free(struct fd_watch *f) {
    if (f) f->free(f);
}

int http_start(struct world *w, const struct http_spec *spec, const struct http_client_cb *cb, void *ctx,
               struct http_req **ret, struct err *err) {
    return w->ops->http_start(w, spec, cb, ctx, ret, err);
}
void http_resume(struct http_req *r) {
    if (r) r->resume(r);
}
void http_cancel(struct http_req *r) {
    if (r) r->cancel(r);
}

int http_listen(struct world *w, const char *addr, const struct http_limits *limits, http_handler fn,
                void *ctx, struct http_listener **ret, struct err *err) {
    return w->ops->http_listen(w, addr, limits, fn, ctx, ret, err);
}
int http_listener_port(const struct http_listener *l) {
    return l->port(l);
}
void http_listener_close(struct http_listener *l) {
    if (l) l->close(l);
}
struct slice http_x_method(const struct http_exchange *x) {
    return x->method;
}
struct slice http_x_target(const struct http_exchange *x) {
    return x->target;
}
struct slice http_x_header(const struct http_exchange *x, const char *name) {
    return http_headers_get(&x->headers, name);
}
const struct http_headers *http_x_headers(const struct http_exchange *x) {
    return &x->headers;
}
struct slice http_x_body(const struct http_exchange *x) {
    return x->body;
}
void http_reply(struct http_exchange *x, int status, const char *content_type, struct slice body) {
    x->ops->reply(x, status, content_type, body);
}
void http_reply_begin(struct http_exchange *x, int status, const char *content_type,
                      const struct http_headers *extra) {
    x->ops->begin(x, status, content_type, extra);
}
void http_reply_send(struct http_exchange *x, struct slice data) {
    x->ops->send(x, data);
}
size_t http_reply_unsent(const struct http_exchange *x) {
    return x->unsent ? x->unsent(x) : 0;
}
void http_reply_end(struct http_exchange *x) {
    x->ops->end(x);
}
void http_reply_abort(struct http_exchange *x) {
    x->ops->abort(x);
}
void http_on_gone(struct http_exchange *x, world_fn fn, void *ctx) {
    x->ops->on_gone(x, fn, ctx);
}
void http_on_room(struct http_exchange *x, size_t below, world_fn fn, void *ctx) {
    x->ops->on_room(x, below, fn, ctx);
}
