/* The floor under any handover, with the same library on the same server: a Lease written in one process and
 * seen by a watch in another, and a Lease written. Usage: bench_leadership_floor WHO NAMESPACE NAME COUNT.
 * Ledger: "seen NS" (from before the write to the watch's event) and "put NS" (to the write's answer), each
 * COUNT times. */
#include "kube/informer.h"
#include "ledger.h"
#include "leader/lease_object.h"
#include "../side.h"
#include <sys/prctl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EVERY_MS = 40, WARM_UP = 5, COUNT_MAX = 10000 };
/* What goes through the pipe from the watcher: first a sighting of transitions 0, when it watches. */
struct sighting {
    int64_t transitions, mono_ns;
};
/* ---- the watcher ---- */

struct watcher {
    struct side side;
    int fd;
};

static void tell(struct watcher *w, int64_t transitions) {
    const struct sighting s = {transitions, world_mono_ns(w->side.world)};
    if (write(w->fd, &s, sizeof s) != (ssize_t)sizeof s) _exit(1);
}

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct lease_rec rec;
    (void)old;
    if (now && !initial && lease_parse(now->raw, &rec, NULL) == 0) tell(ctx, rec.transitions);
}

static void on_synced(void *ctx) {
    tell(ctx, 0);
}

static void watch(struct slice ns, struct slice name, int fd) {
    static const struct informer_cb cb = {.change = on_change, .synced = on_synced};
    struct watcher w = {.fd = fd};
    struct informer *inf;
    struct err err = {0};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    side_open(&w.side, &(struct kube_config_spec){0}, NULL);
    cleanup_free char *field = xasprintf("metadata.name=%.*s", SLF(name));
    const struct informer_spec spec = {.gvr = &gvr_leases,
                                       .ns = ns,
                                       .fields = slice_of(field),
                                       .store = {.keep_raw = true},
                                       .name = "floor"};
    if (informer_new(w.side.kube, &spec, &cb, &w, &inf, &err) < 0) side_die(&err);
    informer_start(inf);
    loop_run(w.side.loop);
}

/* ---- the writer ---- */

struct writer {
    struct side side;
    struct slice ns, name;
    struct timer *timer;
    struct lease_rec rec;
    struct buf last; /* as the server answered */
    int64_t count, n;
    int64_t sent_ns[COUNT_MAX], took_ns[COUNT_MAX]; /* of write number 1.. */
};

static void write_lease(struct writer *w, enum kube_verb verb, kube_done done) {
    cleanup_buf struct buf body = BUF(64 << 10);
    struct err err = {0};
    if (lease_render(buf_slice(&w->last), w->ns, w->name, &w->rec, NULL, 0, &body, &err) < 0) side_die(&err);
    const struct kube_spec spec = {
        .verb = verb,
        .ref = {.gvr = &gvr_leases, .ns = w->ns, .name = verb == KUBE_CREATE ? (struct slice){0} : w->name},
        .body = buf_slice(&body),
        .lane = LANE_LEASE,
        .no_retry = true,
        .unfenced = true};
    kube_call(w->side.kube, &spec, done, w);
}

static void take(struct writer *w, const struct err *err, struct slice raw) {
    struct err bad = {0};
    if (err) side_die(err);
    if (lease_parse(raw, &w->rec, &bad) < 0) side_die(&bad);
    buf_clear(&w->last);
    buf_add(&w->last, raw);
}

static void on_put(void *ctx, const struct err *err, struct slice raw) {
    struct writer *w = ctx;
    w->took_ns[w->n] = world_mono_ns(w->side.world) - w->sent_ns[w->n];
    take(w, err, raw);
    if (w->n == w->count)
        loop_stop(w->side.loop);
    else
        timer_in(w->timer, EVERY_MS * NS_PER_MS);
}

static void put(void *ctx) {
    struct writer *w = ctx;
    w->rec.transitions = ++w->n;
    w->sent_ns[w->n] = world_mono_ns(w->side.world);
    write_lease(w, KUBE_UPDATE, on_put);
}

static void on_read(void *ctx, const struct err *err, struct slice raw) {
    struct writer *w = ctx;
    take(w, err, raw);
    loop_stop(w->side.loop);
}

static void on_created(void *ctx, const struct err *err, struct slice raw) {
    struct writer *w = ctx;
    if (!err || err->kind != ERR_CONFLICT) {
        on_read(ctx, err, raw);
        return;
    }
    const struct kube_spec spec = {
        .verb = KUBE_GET, .ref = {.gvr = &gvr_leases, .ns = w->ns, .name = w->name}, .lane = LANE_LEASE};
    kube_call(w->side.kube, &spec, on_read, w);
}

static struct sighting next(int fd) {
    struct sighting s;
    if (read(fd, &s, sizeof s) != (ssize_t)sizeof s) {
        fprintf(stderr, "floor: the watcher has ended\n");
        exit(1);
    }
    return s;
}

static void report(struct writer *w, int fd) {
    int64_t at = 0;
    while (at < w->count) {
        struct sighting s = next(fd);
        at = s.transitions;
        if (at <= WARM_UP || at > w->count) continue;
        ledger("seen %lld", (long long)(s.mono_ns - w->sent_ns[at]));
        ledger("put %lld", (long long)w->took_ns[at]);
    }
}

int main(int argc, char **argv) {
    static struct writer w;
    int fd[2];
    if (argc != 5 || slice_i64(slice_of(argv[4]), &w.count) < 0 || w.count + WARM_UP >= COUNT_MAX ||
        ledger_open(argv[1]) < 0 || pipe(fd) < 0) {
        fprintf(stderr, "usage: %s WHO NAMESPACE NAME COUNT\n", argv[0]);
        return 2;
    }
    w.count += WARM_UP;
    w.ns = slice_of(argv[2]);
    w.name = slice_of(argv[3]);
    buf_init(&w.last, 64 << 10);
    pid_t pid = fork();
    if (pid == 0) {
        close(fd[0]);
        watch(w.ns, w.name, fd[1]);
        _exit(0);
    }
    close(fd[1]);
    next(fd[0]);
    side_open(&w.side, &(struct kube_config_spec){0}, NULL);
    w.rec.duration_ns = 15 * NS_PER_S;
    w.timer = timer_new(w.side.world, put, &w);
    write_lease(&w, KUBE_CREATE, on_created);
    loop_run(w.side.loop);
    timer_in(w.timer, 0);
    loop_run(w.side.loop);
    report(&w, fd[0]);
    ledger("exit 0");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    timer_free(w.timer);
    buf_free(&w.last);
    side_close(&w.side);
    return 0;
}
