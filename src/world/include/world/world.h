/* The only door to the outside: clocks, timers, randomness, files, processes, signals. HTTP is in
 * world/http_client.h and world/http_server.h. Two implementations: the real one (src/loop + src/net) and the
 * simulated one (tests/simworld). Single-threaded: everything runs on the thread that runs the world. */
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

struct world;
struct timer;
struct proc;
struct fd_watch;
typedef void (*world_fn)(void *ctx);

/* CLOCK_MONOTONIC (durations), CLOCK_BOOTTIME (deadlines; counts suspend), CLOCK_REALTIME (what is written
 * down). ns. */
int64_t world_mono_ns(struct world *w);
int64_t world_boot_ns(struct world *w);
int64_t world_wall_ns(struct world *w);
uint64_t world_rand(struct world *w);
const char *world_getenv(struct world *w, const char *name); /* NULL if unset */

/* Calls fn on the next turn, never inside this call. Cannot be taken back: the ctx must still be there. */
void world_defer(struct world *w, world_fn fn, void *ctx);

/* One-shot timers on CLOCK_BOOTTIME. An instant in the past fires on the next turn. timer_at on a running
 * timer moves it. */
struct timer *timer_new(struct world *w, world_fn fn, void *ctx);
void timer_at(struct timer *t, int64_t boot_ns); /* TIME_NEVER: as timer_stop */
void timer_in(struct timer *t, int64_t delay_ns);
void timer_stop(struct timer *t);
bool timer_active(const struct timer *t);
void timer_free(struct timer *t); /* NULL is fine; allowed inside its own callback; never fires again */

/* Small files (configuration, tokens, certificates): read at once, at most cap bytes; -EFBIG above. */
int world_read_file(struct world *w, const char *path, size_t cap, struct buf *ret, struct err *err);
/* Truncates and writes, no rename (for /dev/termination-log). */
int world_write_file(struct world *w, const char *path, struct slice data, struct err *err);
/* Modification time in ns since 1970, negative errno if it cannot be read: has a token file changed? */
int64_t world_file_mtime(struct world *w, const char *path);

/* Runs a program (no shell, stdin empty), collects stdout and stderr up to a cap each, kills it at the
 * timeout. done is called once unless proc_cancel() came first. exit_code: 128+signal when killed by one. */
struct spawn {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    const char *const *env;  /* "K=V", added to our own environment; NULL for none */
    size_t cap;              /* bytes of stdout, and of stderr */
    int64_t timeout_ns;
    void (*done)(void *ctx, const struct err *err, int exit_code, struct slice out, struct slice errout);
    void *ctx;
};
int world_spawn(struct world *w, const struct spawn *s, struct proc **ret, struct err *err);
void proc_cancel(struct proc *p); /* kills it; no callback */

/* A descriptor of a library with a protocol of its own (src/obs/inhibit.c): fn is called from the loop
 * as long as it is ready for what is wanted, with enum fd_ready bits; an error or the end counts as ready for
 * all that is wanted. Nothing is wanted at first. The descriptor stays the caller's, who may close it at any
 * time; it is made non-blocking. A negative errno; -ENOSYS where the world has no descriptors. */
enum fd_ready { FD_READ = 1, FD_WRITE = 2 };
int world_watch_fd(struct world *w, int fd, void (*fn)(void *ctx, unsigned ready), void *ctx,
                   struct fd_watch **ret);
void fd_watch_want(struct fd_watch *f, unsigned ready);
void fd_watch_free(struct fd_watch *f); /* NULL is fine; allowed inside its own callback */

/* At most one handler per signal. Repeated signals call it again. */
int world_on_signal(struct world *w, int signo, world_fn fn, void *ctx);
#endif
