/* The real world's life: the libuv loop, clocks, randomness, deferred calls. */
#include "loop_impl.h"
#include <errno.h>
#include <signal.h>
#include <sys/random.h>
#include <time.h>

static int64_t clock_ns(clockid_t id) {
    struct timespec t;
    if (clock_gettime(id, &t) < 0) abort(); /* these clocks exist on every Linux that we run on */
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t loop_mono(struct world *w) {
    (void)w;
    return clock_ns(CLOCK_MONOTONIC);
}

static int64_t loop_boot(struct world *w) {
    (void)w;
    return clock_ns(CLOCK_BOOTTIME);
}

static int64_t loop_wall(struct world *w) {
    (void)w;
    return clock_ns(CLOCK_REALTIME);
}

static uint64_t loop_rand(struct world *w) {
    return rng_next(&loop_from(w)->rng);
}

static const char *loop_getenv(struct world *w, const char *name) {
    (void)w;
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nothing of ours sets it */
}

/* Runs what had been queued when the round began; what these calls queue waits for the next one. */
static void run_deferred(uv_idle_t *handle) {
    struct loop *l = handle->data;
    struct deferred_list batch = l->queue;
    l->queue = l->batch;
    l->batch = batch;
    for (size_t i = 0; i < batch.n; i++) batch.v[i].fn(batch.v[i].ctx);
    l->batch.n = 0;
    if (l->queue.n == 0) uv_idle_stop(&l->idle);
}

static void loop_defer(struct world *w, world_fn fn, void *ctx) {
    struct loop *l = loop_from(w);
    l->queue.v = xgrow(l->queue.v, &l->queue.cap, l->queue.n + 1, sizeof *l->queue.v);
    l->queue.v[l->queue.n++] = (struct deferred){fn, ctx};
    if (!uv_is_active((uv_handle_t *)&l->idle)) uv_idle_start(&l->idle, run_deferred);
}

static int no_http_start(struct world *w, const struct http_spec *spec, const struct http_client_cb *cb,
                         void *ctx, struct http_req **ret, struct err *err) {
    (void)w, (void)spec, (void)cb, (void)ctx, (void)ret;
    return err_set(err, ERR_TRANSPORT, -ENOSYS, "this process has no HTTP client");
}

static int no_http_listen(struct world *w, const char *addr, const struct http_limits *limits,
                          http_handler fn, void *ctx, struct http_listener **ret, struct err *err) {
    (void)w, (void)addr, (void)limits, (void)fn, (void)ctx, (void)ret;
    return err_set(err, ERR_TRANSPORT, -ENOSYS, "this process has no HTTP server");
}

struct loop *loop_new(void) {
    struct loop *l = xcalloc(1, sizeof *l);
    l->ops = (struct world_ops){
        .mono = loop_mono,
        .boot = loop_boot,
        .wall = loop_wall,
        .rand = loop_rand,
        .getenv = loop_getenv,
        .defer = loop_defer,
        .timer_new = loop_timer_new,
        .read_file = loop_read_file,
        .write_file = loop_write_file,
        .file_mtime = loop_file_mtime,
        .spawn = loop_spawn,
        .on_signal = loop_on_signal,
        .watch_fd = loop_watch_fd,
        .http_start = no_http_start,
        .http_listen = no_http_listen,
    };
    l->world.ops = &l->ops;
    list_init(&l->signals);
    list_init(&l->procs);
    list_init(&l->watches);
    if (getrandom(&l->rng.s, sizeof l->rng.s, 0) != (ssize_t)sizeof l->rng.s)
        l->rng.s = (uint64_t)loop_mono(&l->world);
    /* A peer that left must be an error of the write: neither libuv nor libcurl (with CURLOPT_NOSIGNAL) sees
     * to that. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (uv_loop_init(&l->uv) < 0) abort();
    l->uv.data = l;
    uv_idle_init(&l->uv, &l->idle);
    l->idle.data = l;
    loop_timers_init(l);
    return l;
}

struct world *loop_world(struct loop *l) {
    return &l->world;
}

struct loop *loop_of(struct world *w) {
    return loop_from(w);
}

uv_loop_t *loop_uv(struct loop *l) {
    return &l->uv;
}

struct world_ops *loop_ops(struct loop *l) {
    return &l->ops;
}

int loop_run(struct loop *l) {
    uv_run(&l->uv, UV_RUN_DEFAULT); /* the timers' handle is always active: only uv_stop() ends this */
    return 0;
}

void loop_stop(struct loop *l) {
    uv_stop(&l->uv);
}

void loop_free(struct loop *l) {
    if (!l) return;
    loop_procs_close(l);
    loop_signals_close(l);
    loop_watches_close(l);
    loop_timers_close(l);
    uv_close((uv_handle_t *)&l->idle, NULL);
    for (int i = 0; i < 8 && uv_run(&l->uv, UV_RUN_NOWAIT); i++) {
    } /* close callbacks, and those that they cause */
    if (uv_loop_close(&l->uv) < 0)
        return; /* a handle is still open: better a leak than memory in use freed */
    free(l->queue.v);
    free(l->batch.v);
    free(l);
}
