/* The simulated world itself: its clock, and the loop that takes one event after the other. */
#include "internal.h"
#include <stdio.h>

#define EPOCH (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z */
enum { MAX_STILL = 5000000 };                  /* events at one instant: more is a loop */

static bool before(const struct heap_node *a, const struct heap_node *b) {
    const struct ev *x = container_of(a, const struct ev, node), *y = container_of(b, const struct ev, node);
    if (x->at != y->at) return x->at < y->at;
    if (x->tie != y->tie) return x->tie < y->tie;
    return x->seq < y->seq;
}

struct simworld *simworld_new(uint64_t seed) {
    struct simworld *sw = xcalloc(1, sizeof *sw);
    heap_init(&sw->events, before);
    sw->now = EPOCH;
    sw->rng.s = seed;
    sw->user_rng.s = rng_next(&sw->rng);
    sw->hash = seed;
    sw->dead_after_ns = 8 * NS_PER_S;
    sw->next_ip = 1;
    list_init(&sw->hosts);
    list_init(&sw->servers);
    list_init(&sw->links);
    list_init(&sw->proxies);
    list_init(&sw->plans);
    list_init(&sw->podsets);
    sw->outside = host_of(simworld_host(sw, "outside", NULL));
    return sw;
}

int64_t simworld_now(const struct simworld *sw) {
    return sw->now;
}
uint64_t simworld_trace_hash(const struct simworld *sw) {
    return sw->hash;
}
uint64_t simworld_events(const struct simworld *sw) {
    return sw->count;
}
struct rng *simworld_rng(struct simworld *sw) {
    return &sw->user_rng;
}
struct simstats simworld_stats(const struct simworld *sw) {
    return sw->stats;
}
void simworld_dead_after(struct simworld *sw, int64_t ns) {
    sw->dead_after_ns = ns;
}
void simworld_on_request(struct simworld *sw, void (*fn)(void *ctx, const struct simrequest *r), void *ctx) {
    sw->request_fn = fn;
    sw->request_ctx = ctx;
}

void simworld_on_connect(struct simworld *sw, bool (*refuse)(void *ctx, const struct simrequest *r),
                         void *ctx) {
    sw->refuse_fn = refuse;
    sw->refuse_ctx = ctx;
}
void simworld_on_trace(struct simworld *sw, void (*fn)(void *ctx, const char *line), void *ctx) {
    sw->trace_fn = fn;
    sw->trace_ctx = ctx;
}

/* ---- a test's own plan ---- */

struct plan {
    struct list all;
    struct ev ev;
    struct simworld *sw;
    world_fn fn;
    void *ctx;
};

static void plan_fire(struct ev *e) {
    struct plan *p = container_of(e, struct plan, ev);
    world_fn fn = p->fn;
    void *ctx = p->ctx;
    list_remove(&p->all);
    free(p);
    fn(ctx);
}

void simworld_at(struct simworld *sw, int64_t at_ns, world_fn fn, void *ctx) {
    struct plan *p = xcalloc(1, sizeof *p);
    p->sw = sw;
    p->fn = fn;
    p->ctx = ctx;
    ev_init(&p->ev, NULL, "plan", plan_fire);
    list_push(&sw->plans, &p->all);
    ev_at(sw, &p->ev, at_ns, EV_ANY);
}

/* ---- servers ---- */

void simworld_server(struct simworld *sw, const char *name, const char *url, struct sim *sim) {
    struct server *s = xcalloc(1, sizeof *s);
    s->name = xstrdup(name);
    s->url = xstrdup(url);
    s->sim = sim;
    s->offset_ns = sim_now_ns(sim) - sw->now;
    list_push(&sw->servers, &s->all);
}

void simworld_server_ca(struct simworld *sw, const char *name, const char *ca) {
    struct server *s = server_by_name(sw, name);
    if (!s) return;
    free(s->ca);
    s->ca = xstrdup_null(ca);
}

void simworld_pod_network(struct simworld *sw, const char *server) {
    sw->pods = server_by_name(sw, server);
}

/* The next thing inside any sim, in true time. */
static int64_t servers_next(struct simworld *sw, struct server **ret) {
    int64_t next = TIME_NEVER;
    list_each(it, &sw->servers) {
        struct server *s = container_of(it, struct server, all);
        int64_t at = sim_next_ns(s->sim);
        if (at == TIME_NEVER) continue;
        at -= s->offset_ns;
        if (at >= next) continue;
        next = at;
        *ret = s;
    }
    return next;
}

/* ---- the loop ---- */

static void set_time(struct simworld *sw, int64_t t) {
    if (t > sw->now) {
        sw->now = t;
        sw->still = 0;
    }
}

static void take(struct simworld *sw, struct ev *e) {
    heap_remove(&sw->events, &e->node);
    if (e->host && e->host->frozen) { /* it happens when the process goes on */
        list_push(&e->host->held, &e->held);
        return;
    }
    sw->count++;
    trace(sw, e->host, "%s", e->what);
    e->fn(e);
}

static bool step_before(struct simworld *sw, int64_t limit) {
    struct server *s = NULL;
    int64_t inside = servers_next(sw, &s);
    struct heap_node *n = heap_min(&sw->events);
    struct ev *e = n ? container_of(n, struct ev, node) : NULL;
    int64_t next = e ? e->at : TIME_NEVER;
    if (inside <= next) next = inside;
    if (next == TIME_NEVER || next > limit) return false;
    set_time(sw, next);
    if (++sw->still > MAX_STILL) {
        fprintf(stderr, "simworld: time stands still at %lld: %s of %s goes round and round\n",
                (long long)sw->now, e ? e->what : "sim", e && e->host ? e->host->name : "-");
        abort();
    }
    if (inside <= next) {
        sw->count++;
        sim_advance(s->sim, sw->now + s->offset_ns);
    } else {
        take(sw, e);
    }
    return true;
}

bool simworld_step(struct simworld *sw) {
    return step_before(sw, TIME_NEVER - 1);
}

static int64_t after(const struct simworld *sw, int64_t ns) {
    return ns > TIME_NEVER - 1 - sw->now ? TIME_NEVER - 1 : sw->now + ns;
}

void simworld_run(struct simworld *sw, int64_t duration_ns) {
    int64_t end = after(sw, duration_ns);
    while (step_before(sw, end)) {
    }
    set_time(sw, end);
}

bool simworld_run_until(struct simworld *sw, bool (*done)(void *ctx), void *ctx, int64_t limit_ns) {
    int64_t end = after(sw, limit_ns);
    while (!done(ctx)) {
        if (step_before(sw, end)) continue;
        set_time(sw, end);
        return done(ctx);
    }
    return true;
}

/* ---- the end ---- */

void simworld_free(struct simworld *sw) {
    if (!sw) return;
    pods_free(sw);
    list_each(it, &sw->hosts) simworld_kill(&container_of(it, struct host, all)->world);
    list_each_safe(it, tmp, &sw->links) link_free(container_of(it, struct link, all));
    list_each_safe(it, tmp, &sw->hosts) host_free(container_of(it, struct host, all));
    list_each_safe(it, tmp, &sw->servers) {
        struct server *s = container_of(it, struct server, all);
        free(s->name);
        free(s->url);
        free(s->ca);
        free(s);
    }
    list_each_safe(it, tmp, &sw->plans) {
        struct plan *p = container_of(it, struct plan, all);
        ev_cancel(sw, &p->ev);
        free(p);
    }
    net_free(sw);
    heap_free(&sw->events);
    free(sw);
}

/* ---- the instances' logs ---- */

static int64_t wall_of(void *ctx) {
    return world_wall_ns(ctx);
}

static void print_line(void *ctx, enum log_level level, int64_t t, const char *msg, const struct log_field *f,
                       size_t n) {
    cleanup_buf struct buf line = BUF(4096);
    if (!getenv("SIM_LOG")) return;
    log_format_text(&line, level, t, msg, f, n);
    fprintf(stderr, "%s: %s", simworld_name(ctx), buf_str(&line));
}

struct log simworld_log(struct world *w) {
    return (struct log){.sink = {print_line, w}, .min = LOG_DEBUG, .wall_ns = wall_of, .clock_ctx = w};
}
