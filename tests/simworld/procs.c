/* Programs that a host starts: what they do is scripted by the test. */
#include "internal.h"
#include <errno.h>

struct sproc {
    struct proc base;
    struct list all;
    struct host *host;
    struct ev ev;
    void (*done)(void *ctx, const struct err *err, int exit_code, struct slice out, struct slice errout);
    void *ctx;
    int exit_code;
    bool too_late;
    char *out, *errout;
    size_t nout, nerr;
};

static void sproc_free(struct sproc *p) {
    ev_cancel(p->host->sw, &p->ev);
    list_remove(&p->all);
    free(p->out);
    free(p->errout);
    free(p);
}

static void op_cancel(struct proc *base) {
    sproc_free(container_of(base, struct sproc, base));
}

static void finished(struct ev *e) {
    struct sproc *p = container_of(e, struct sproc, ev);
    struct sproc got = *p;
    p->out = p->errout = NULL;
    sproc_free(p);
    struct err err = {0};
    if (got.too_late) (void)err_set(&err, ERR_TIMEOUT, -ETIMEDOUT, "the program took too long");
    got.done(got.ctx, got.too_late ? &err : NULL, got.exit_code, slice_make(got.out, got.nout),
             slice_make(got.errout, got.nerr));
    free(got.out);
    free(got.errout);
}

static size_t min_size(size_t a, size_t b) {
    return a < b ? a : b;
}

int host_spawn(struct world *w, const struct spawn *s, struct proc **ret, struct err *err) {
    struct host *h = host_of(w);
    struct simproc plan = {0};
    int r = h->spawn && h->alive ? h->spawn(h->spawn_ctx, s, &plan) : -ENOENT;
    trace(h->sw, h, "spawn %s: %d", s->argv[0], r);
    if (r < 0) return err_set(err, ERR_CONFIG, r, "%s: %s", s->argv[0], strerror(-r));
    struct sproc *p = xcalloc(1, sizeof *p);
    p->base.cancel = op_cancel;
    p->host = h;
    p->done = s->done;
    p->ctx = s->ctx;
    p->too_late = s->timeout_ns > 0 && plan.ns > s->timeout_ns;
    p->exit_code = p->too_late ? 137 : plan.exit_code;
    p->nout = min_size(plan.out.n, s->cap);
    p->nerr = min_size(plan.errout.n, s->cap);
    p->out = slice_dup(slice_make(plan.out.p, p->nout));
    p->errout = slice_dup(slice_make(plan.errout.p, p->nerr));
    ev_init(&p->ev, h, "spawned", finished);
    list_push(&h->procs, &p->all);
    ev_at(h->sw, &p->ev, h->sw->now + (p->too_late ? s->timeout_ns : plan.ns), EV_ANY);
    *ret = &p->base;
    return 0;
}

void simworld_on_spawn(struct world *w, int (*fn)(void *ctx, const struct spawn *s, struct simproc *ret),
                       void *ctx) {
    struct host *h = host_of(w);
    h->spawn = fn;
    h->spawn_ctx = ctx;
}

void host_procs_end(struct host *h) {
    list_each(it, &h->procs) ev_cancel(h->sw, &container_of(it, struct sproc, all)->ev);
}

void host_procs_free(struct host *h) {
    list_each_safe(it, tmp, &h->procs) sproc_free(container_of(it, struct sproc, all));
}
