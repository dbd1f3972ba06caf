/* Watched file descriptors: an uv_poll_t each, on a duplicate, so that whose descriptor it is may close it
 * without libuv polling a number that means something else by then. */
#include "loop_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct loop_watch {
    struct fd_watch base;
    struct list node; /* in loop.watches */
    uv_poll_t poll;
    int fd; /* ours */
    unsigned wanted;
    void (*fn)(void *, unsigned);
    void *ctx;
};

static void on_poll(uv_poll_t *handle, int status, int events) {
    struct loop_watch *f = handle->data;
    unsigned ready = (events & UV_READABLE ? FD_READ : 0) | (events & UV_WRITABLE ? FD_WRITE : 0);
    f->fn(f->ctx, status < 0 ? f->wanted : ready);
}

static void want(struct fd_watch *base, unsigned ready) {
    struct loop_watch *f = container_of(base, struct loop_watch, base);
    if (ready == f->wanted) return;
    f->wanted = ready;
    int events = (ready & FD_READ ? UV_READABLE : 0) | (ready & FD_WRITE ? UV_WRITABLE : 0);
    if (events) {
        uv_poll_start(&f->poll, events, on_poll);
    } else {
        uv_poll_stop(&f->poll);
    }
}

static void on_closed(uv_handle_t *handle) {
    struct loop_watch *f = handle->data;
    close(f->fd);
    free(f);
}

static void release(struct fd_watch *base) {
    struct loop_watch *f = container_of(base, struct loop_watch, base);
    list_remove(&f->node);
    uv_close((uv_handle_t *)&f->poll, on_closed);
}

int loop_watch_fd(struct world *w, int fd, void (*fn)(void *, unsigned), void *ctx, struct fd_watch **ret) {
    struct loop *l = loop_from(w);
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0) return -errno;
    struct loop_watch *f = xcalloc(1, sizeof *f);
    *f = (struct loop_watch){.base = {want, release}, .fd = own, .fn = fn, .ctx = ctx};
    int r = uv_poll_init(&l->uv, &f->poll, own); /* refuses what cannot be polled, a plain file */
    if (r < 0) {
        close(own);
        free(f);
        return r;
    }
    f->poll.data = f;
    list_push(&l->watches, &f->node);
    *ret = &f->base;
    return 0;
}

void loop_watches_close(struct loop *l) {
    list_each_safe(it, tmp, &l->watches) release(&container_of(it, struct loop_watch, node)->base);
}
