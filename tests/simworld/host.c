/* A process on a machine of its own: clocks, timers, deferred calls, signals; death, freezing and restart. */
#include "internal.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>

struct host *host_of(const struct world *w) {
    return (struct host *)((uintptr_t)w - offsetof(struct host, world));
}

/* ---- clocks ---- */

static int64_t scale(int64_t d, int64_t ppb) { /* d * ppb / 1e9 without overflow */
    return d / NS_PER_S * ppb + d % NS_PER_S * ppb / NS_PER_S;
}

int64_t host_boot(const struct host *h, int64_t true_ns) {
    int64_t d = true_ns - h->start;
    return h->boot0 + d + scale(d, h->drift_ppb);
}

int64_t host_true(const struct host *h, int64_t boot_ns) {
    if (boot_ns >= TIME_NEVER / 2) return TIME_NEVER;
    int64_t want = boot_ns - h->boot0;
    int64_t t = h->start + (int64_t)((double)want / (1 + (double)h->drift_ppb / 1e9));
    /* The division is good to some microseconds over years; the clock itself is exact. */
    for (int64_t step = NS_PER_MS; step > 0; step /= 10) {
        while (host_boot(h, t) >= boot_ns) t -= step;
        while (host_boot(h, t) < boot_ns) t += step;
    }
    return t;
}

static int64_t op_boot(struct world *w) {
    struct host *h = host_of(w);
    return host_boot(h, h->sw->now);
}

static int64_t op_mono(struct world *w) {
    struct host *h = host_of(w);
    int64_t asleep = h->asleep_ns + (h->suspended ? op_boot(w) - h->asleep_since : 0);
    return op_boot(w) - asleep;
}

static int64_t op_wall(struct world *w) {
    struct host *h = host_of(w);
    return h->sw->now + scale(h->sw->now - h->start, h->drift_ppb) + h->wall_offset;
}

static uint64_t op_rand(struct world *w) {
    return rng_next(&host_of(w)->rng);
}

/* ---- timers ---- */

struct stimer {
    struct timer base;
    struct list all;
    struct ev ev;
    struct host *host;
    world_fn fn;
    void *ctx;
};

static void timer_fire(struct ev *e) {
    struct stimer *t = container_of(e, struct stimer, ev);
    t->fn(t->ctx);
}

static struct stimer *stimer_of(struct timer *t) {
    return container_of(t, struct stimer, base);
}

static void op_timer_at(struct timer *base, int64_t boot_ns) {
    struct stimer *t = stimer_of(base);
    if (boot_ns == TIME_NEVER || !t->host->alive)
        ev_cancel(t->host->sw, &t->ev);
    else
        ev_at(t->host->sw, &t->ev, host_true(t->host, boot_ns), EV_ANY);
}

static void op_timer_free(struct timer *base) {
    struct stimer *t = stimer_of(base);
    ev_cancel(t->host->sw, &t->ev);
    list_remove(&t->all);
    free(t);
}

static bool op_timer_active(const struct timer *base) {
    return ev_pending(&container_of(base, const struct stimer, base)->ev);
}

static const struct timer_ops timer_table = {
    .at = op_timer_at, .free = op_timer_free, .active = op_timer_active};

static struct timer *op_timer_new(struct world *w, world_fn fn, void *ctx) {
    struct host *h = host_of(w);
    struct stimer *t = xcalloc(1, sizeof *t);
    t->base = (struct timer){.ops = &timer_table, .world = w};
    t->host = h;
    t->fn = fn;
    t->ctx = ctx;
    ev_init(&t->ev, h, "timer", timer_fire);
    list_push(&h->timers, &t->all);
    return &t->base;
}

/* ---- deferred calls and signals: on the next turn ---- */

struct sdefer {
    struct list all;
    struct ev ev;
    world_fn fn;
    void *ctx;
    int signo; /* 0: a deferred call */
};

static void unhandled(struct host *h, int signo) {
    if (signo != SIGTERM && signo != SIGINT && signo != SIGHUP && signo != SIGKILL) return;
    h->exit_code = 128 + signo;
    simworld_kill(&h->world);
    if (h->death) h->death(h->death_ctx);
}

static void defer_fire(struct ev *e) {
    struct sdefer *d = container_of(e, struct sdefer, ev);
    struct host *h = e->host;
    struct sdefer got = *d;
    list_remove(&d->all);
    free(d);
    if (!got.signo) {
        got.fn(got.ctx);
        return;
    }
    trace(h->sw, h, "signal %d", got.signo);
    const struct handler *k = got.signo < (int)ARRAY_LEN(h->signals) ? &h->signals[got.signo] : NULL;
    if (k && k->fn && got.signo != SIGKILL)
        k->fn(k->ctx);
    else
        unhandled(h, got.signo);
}

static void on_next_turn(struct host *h, world_fn fn, void *ctx, int signo) {
    if (!h->alive) return;
    struct sdefer *d = xcalloc(1, sizeof *d);
    d->fn = fn;
    d->ctx = ctx;
    d->signo = signo;
    ev_init(&d->ev, h, signo ? "signal" : "defer", defer_fire);
    list_push(&h->defers, &d->all);
    ev_at(h->sw, &d->ev, h->sw->now, EV_FIRST);
}

static void op_defer(struct world *w, world_fn fn, void *ctx) {
    on_next_turn(host_of(w), fn, ctx, 0);
}

static int op_on_signal(struct world *w, int signo, world_fn fn, void *ctx) {
    struct host *h = host_of(w);
    if (signo <= 0 || signo >= (int)ARRAY_LEN(h->signals) || signo == SIGKILL || signo == SIGSTOP)
        return -EINVAL;
    h->signals[signo] = (struct handler){fn, ctx};
    return 0;
}

void simworld_signal(struct world *w, int signo) {
    struct host *h = host_of(w);
    if (signo == SIGKILL && h->alive) /* nobody is asked, frozen or not */
        unhandled(h, signo);
    else
        on_next_turn(h, NULL, NULL, signo);
}

const struct world_ops host_ops = {
    .mono = op_mono,
    .boot = op_boot,
    .wall = op_wall,
    .rand = op_rand,
    .getenv = host_getenv,
    .defer = op_defer,
    .timer_new = op_timer_new,
    .read_file = host_read_file,
    .write_file = host_write_file,
    .file_mtime = host_file_mtime,
    .spawn = host_spawn,
    .on_signal = op_on_signal,
    .http_start = client_start,
    .http_listen = listener_new,
};

/* ---- birth ---- */

struct host *host_new(struct simworld *sw, const char *name, const struct simhost *opt) {
    static const struct simhost exact = {0};
    if (!opt) opt = &exact;
    struct host *h = xcalloc(1, sizeof *h);
    h->world.ops = &host_ops;
    h->sw = sw;
    h->name = xstrdup(name);
    unsigned n = sw->next_ip++;
    h->ip = opt->ip ? xstrdup(opt->ip) : xasprintf("10.99.%u.%u", n >> 8 & 255, n & 255);
    h->alive = true;
    h->rng.s = rng_next(&sw->rng);
    h->start = sw->now;
    h->boot0 = opt->boot_ns ? opt->boot_ns
                            : (int64_t)(rng_next(&h->rng) % (uint64_t)(1000000 * NS_PER_S)) + NS_PER_S;
    h->drift_ppb = opt->drift_ppb;
    h->wall_offset = opt->wall_offset_ns;
    h->next_port = 40000;
    struct list *lists[] = {&h->held,      &h->timers, &h->defers, &h->reqs,
                            &h->listeners, &h->files,  &h->vars,   &h->procs};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) list_init(lists[i]);
    list_push(&sw->hosts, &h->all);
    return h;
}

struct world *simworld_host(struct simworld *sw, const char *name, const struct simhost *opt) {
    return &host_new(sw, name, opt)->world;
}

const char *simworld_name(const struct world *w) {
    return host_of(w)->name;
}
const char *simworld_ip(const struct world *w) {
    return host_of(w)->ip;
}
bool simworld_alive(const struct world *w) {
    return host_of(w)->alive;
}
void simworld_on_death(struct world *w, world_fn fn, void *ctx) {
    struct host *h = host_of(w);
    h->death = fn;
    h->death_ctx = ctx;
}

/* ---- freezing ---- */

void simworld_freeze(struct world *w) {
    struct host *h = host_of(w);
    trace(h->sw, h, "frozen");
    h->frozen = true;
}

void simworld_suspend(struct world *w) {
    struct host *h = host_of(w);
    if (!h->suspended) h->asleep_since = op_boot(w);
    h->suspended = true;
    simworld_freeze(w);
}

void simworld_thaw(struct world *w) {
    struct host *h = host_of(w);
    if (!h->frozen) return;
    trace(h->sw, h, "thawed");
    if (h->suspended) h->asleep_ns += op_boot(w) - h->asleep_since;
    h->frozen = h->suspended = false;
    list_each_safe(it, tmp, &h->held) {
        struct ev *e = container_of(it, struct ev, held);
        list_remove(&e->held);
        ev_at(h->sw, e, h->sw->now, EV_FIRST);
    }
}

void simworld_set_wall(struct world *w, int64_t offset_ns) {
    struct host *h = host_of(w);
    h->wall_offset = offset_ns - scale(h->sw->now - h->start, h->drift_ppb);
}

/* ---- death ---- */

static void drop_defers(struct host *h) {
    list_each_safe(it, tmp, &h->defers) {
        struct sdefer *d = container_of(it, struct sdefer, all);
        ev_cancel(h->sw, &d->ev);
        list_remove(&d->all);
        free(d);
    }
}

void simworld_kill(struct world *w) {
    struct host *h = host_of(w);
    if (!h->alive) return;
    trace(h->sw, h, "dead");
    h->alive = h->frozen = h->suspended = false;
    drop_defers(h);
    list_each(it, &h->timers) ev_cancel(h->sw, &container_of(it, struct stimer, all)->ev);
    client_kill(h);
    listener_kill(h);
    host_procs_end(h);
    memset(h->signals, 0, sizeof h->signals);
    h->nwarm = 0;
    if (h->exited) h->exited(h, h->exit_code);
    h->exit_code = 137;
}

void simworld_exit(struct world *w, int code) {
    struct host *h = host_of(w);
    h->exit_code = code;
    simworld_kill(w);
}

void simworld_restart(struct world *w) {
    struct host *h = host_of(w);
    if (h->alive) simworld_kill(w);
    trace(h->sw, h, "restarted");
    h->alive = true;
    h->exit_code = 137;
}

void host_free(struct host *h) {
    client_free_all(h);
    listener_free_all(h);
    host_procs_free(h);
    host_files_free(h);
    list_remove(&h->all);
    free(h->warm);
    free(h->name);
    free(h->ip);
    free(h);
}
