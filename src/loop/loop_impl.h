/* What the files of src/loop share: the loop's state and the functions behind its table of operations. */
#ifndef LOOP_IMPL_H
#define LOOP_IMPL_H
#include "base/heap.h"
#include "base/list.h"
#include "base/rand.h"
#include "loop/loop.h"
#include <uv.h>

struct deferred {
    world_fn fn;
    void *ctx;
};
struct deferred_list {
    struct deferred *v;
    size_t n, cap;
};

struct loop {
    struct world world;
    struct world_ops ops;
    uv_loop_t uv;
    struct rng rng;

    /* Timers: the heap holds those that are set, due those whose turn has come in this very round. */
    struct heap timers;
    struct list due;
    uint64_t timer_seq; /* equal instants fire in the order in which they were set */
    int timer_fd;
    int64_t armed; /* what timer_fd will fire at, TIME_NEVER if it will not */
    uv_poll_t timer_poll;
    uv_prepare_t prepare;

    /* Deferred calls: the idle handle runs while there are any, so that I/O is polled between two rounds of
     * them. */
    uv_idle_t idle;
    struct deferred_list queue, batch;

    struct list signals, procs, watches;
};

static inline struct loop *loop_from(struct world *w) {
    return container_of(w, struct loop, world);
}

void loop_timers_init(struct loop *l);
void loop_timers_close(struct loop *l);
struct timer *loop_timer_new(struct world *w, world_fn fn, void *ctx);

int loop_read_file(struct world *w, const char *path, size_t cap, struct buf *ret, struct err *err);
int loop_write_file(struct world *w, const char *path, struct slice data, struct err *err);
int64_t loop_file_mtime(struct world *w, const char *path);

int loop_spawn(struct world *w, const struct spawn *s, struct proc **ret, struct err *err);
void loop_procs_close(struct loop *l);

int loop_on_signal(struct world *w, int signo, world_fn fn, void *ctx);
void loop_signals_close(struct loop *l);

int loop_watch_fd(struct world *w, int fd, void (*fn)(void *, unsigned), void *ctx, struct fd_watch **ret);
void loop_watches_close(struct loop *l);
#endif
