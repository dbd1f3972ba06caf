/* Signals as calls from the loop. */
#include "loop_impl.h"

struct loop_signal {
    struct list node; /* in loop.signals */
    uv_signal_t handle;
    world_fn fn;
    void *ctx;
};

static void on_signal(uv_signal_t *handle, int signo) {
    struct loop_signal *s = container_of(handle, struct loop_signal, handle);
    (void)signo;
    s->fn(s->ctx);
}

static void free_signal(uv_handle_t *handle) {
    free(container_of((uv_signal_t *)handle, struct loop_signal, handle));
}

static void close_signal(struct loop_signal *s) {
    list_remove(&s->node);
    uv_close((uv_handle_t *)&s->handle, free_signal);
}

int loop_on_signal(struct world *w, int signo, world_fn fn, void *ctx) {
    struct loop *l = loop_from(w);
    list_each(it, &l->signals) {
        struct loop_signal *s = container_of(it, struct loop_signal, node);
        if (s->handle.signum != signo) continue;
        s->fn = fn; /* the one handler is replaced */
        s->ctx = ctx;
        return 0;
    }
    struct loop_signal *s = xcalloc(1, sizeof *s);
    s->fn = fn;
    s->ctx = ctx;
    list_push(&l->signals, &s->node);
    int r = uv_signal_init(&l->uv, &s->handle);
    if (r < 0) {
        list_remove(&s->node);
        free(s);
        return r;
    }
    r = uv_signal_start(&s->handle, on_signal, signo);
    if (r < 0) close_signal(s);
    return r;
}

void loop_signals_close(struct loop *l) {
    list_each_safe(it, tmp, &l->signals) close_signal(container_of(it, struct loop_signal, node));
}
