/* Events in their order, and the trace of what happened. */
#include "internal.h"
#include <stdio.h>

void ev_init(struct ev *e, struct host *h, const char *what, void (*fn)(struct ev *e)) {
    *e = (struct ev){.host = h, .fn = fn, .what = what};
    list_init(&e->held);
}

void ev_cancel(struct simworld *sw, struct ev *e) {
    heap_remove(&sw->events, &e->node);
    list_remove(&e->held);
}

void ev_at(struct simworld *sw, struct ev *e, int64_t at, enum ev_order order) {
    ev_cancel(sw, e);
    if (at == TIME_NEVER) return;
    e->at = at < sw->now ? sw->now : at;
    e->tie = order == EV_FIRST ? 0 : rng_next(&sw->rng) | 1;
    e->seq = sw->seq++;
    heap_insert(&sw->events, &e->node);
}

bool ev_pending(const struct ev *e) {
    return e->node.pos != 0 || e->held.next != &e->held;
}

void trace_bytes(struct simworld *sw, struct slice data) {
    sw->hash = slice_hash(data, sw->hash);
}

void trace(struct simworld *sw, const struct host *h, const char *fmt, ...) {
    char line[512];
    int n = snprintf(line, sizeof line, "%lld.%06lld %s ", (long long)(sw->now / NS_PER_S),
                     (long long)(sw->now % NS_PER_S / NS_PER_US), h ? h->name : "-");
    if (n < 0 || (size_t)n >= sizeof line) return;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
    va_end(ap);
    trace_bytes(sw, slice_of(line));
    trace_bytes(sw, slice_make((const char *)&sw->now, sizeof sw->now)); /* to the nanosecond */
    if (sw->trace_fn) sw->trace_fn(sw->trace_ctx, line);
}
