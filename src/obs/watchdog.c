/* Sends WATCHDOG=1: see obs/obs.h. */
#include "base/mem.h"
#include "obs/obs.h"

struct watchdog {
    struct timer *timer;
    int64_t interval_ns;
};

static void send(void *ctx) {
    struct watchdog *d = ctx;
    notify_watchdog();
    timer_in(d->timer, d->interval_ns);
}

struct watchdog *watchdog_start(struct world *w) {
    int64_t limit = notify_watchdog_ns();
    if (limit <= 0) return NULL;
    struct watchdog *d = xcalloc(1, sizeof *d);
    d->interval_ns = limit / 4;
    d->timer = timer_new(w, send, d);
    send(d);
    return d;
}

void watchdog_stop(struct watchdog *d) {
    if (!d) return;
    timer_free(d->timer);
    free(d);
}
