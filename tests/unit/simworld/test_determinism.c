/* A seed replays a run exactly, faults and all; random traffic ends with nothing left over; and it is fast.
 */
#include "../case.h"
#include "helper.h"
#include <signal.h>

/* A client that writes and reads for ever, on timers, whatever happens to it. */
struct walker {
    struct world *w;
    struct timer *t;
    struct got g;
    struct http_req *watch;
    int done, lost, n;
    bool busy, watching;
};

static void w_head(void *ctx, int status, const struct http_headers *h) {
    (void)h;
    ((struct walker *)ctx)->done += status < 500;
}
static void w_end(void *ctx, const struct err *err, int status) {
    struct walker *k = ctx;
    (void)status;
    k->lost += err != NULL;
    k->busy = false;
}
static void w_watch_end(void *ctx, const struct err *err, int status) {
    (void)err;
    (void)status;
    ((struct walker *)ctx)->watching = false;
}
static enum http_pull w_watch_body(void *ctx, struct slice data) {
    ((struct walker *)ctx)->n += (int)data.n;
    return HTTP_MORE;
}

static void walk(void *ctx) {
    struct walker *k = ctx;
    static const struct http_client_cb cb = {.head = w_head, .end = w_end},
                                       watch = {.body = w_watch_body, .end = w_watch_end};
    timer_in(k->t, (int64_t)(world_rand(k->w) % (300 * (uint64_t)MS)));
    if (!k->watching) {
        struct http_headers none = {0};
        struct http_spec s = {.lane = LANE_WATCH,
                              .method = "GET",
                              .url = API "/api/v1/namespaces/default/configmaps?watch=1",
                              .headers = &none};
        k->watching = http_start(k->w, &s, &watch, k, &k->watch, NULL) == 0;
    }
    if (k->busy) return;
    char body[64];
    (void)snprintf(body, sizeof body, "{\"metadata\":{\"name\":\"c%llu\"}}",
                   (unsigned long long)(world_rand(k->w) % 50));
    struct http_spec s = create_cm(body);
    s.total_ns = 2 * NS_PER_S;
    k->busy = http_start(k->w, &s, &cb, k, &k->g.req, NULL) == 0;
}

static void walker_init(struct walker *k, struct world *w) {
    *k = (struct walker){.w = w, .t = timer_new(w, walk, k)};
    timer_in(k->t, MS);
}
static void walker_free(struct walker *k) {
    if (k->busy) http_cancel(k->g.req);
    if (k->watching) http_cancel(k->watch);
    timer_free(k->t);
}

struct result {
    uint64_t hash, events;
    int done, lost, seen;
};

static struct result play(uint64_t seed, int64_t seconds) {
    struct field f = field_new(seed);
    simworld_net(f.sw, "*", "api",
                 &(struct simnet){.latency_ns = MS,
                                  .jitter_ns = 5 * MS,
                                  .slow = 0.02,
                                  .slow_ns = 5 * NS_PER_S,
                                  .lose_request = 0.03,
                                  .lose_answer = 0.03,
                                  .duplicate = 0.03,
                                  .cut = 0.02,
                                  .loss = LOSS_ANY});
    struct walker k[2];
    walker_init(&k[0], f.a);
    walker_init(&k[1], f.b);
    for (int64_t t = 0; t < seconds; t += 10) {
        struct rng *r = simworld_rng(f.sw);
        struct world *w = rng_below(r, 2) ? f.a : f.b;
        switch (rng_below(r, 5)) {
        case 0: simworld_freeze(w); break;
        case 1: simworld_partition(f.sw, simworld_name(w), "api"); break;
        case 2: simworld_reset(f.sw, "*", "*"); break;
        case 3: {
            struct walker *dead = &k[w == f.b];
            simworld_kill(w);
            walker_free(dead);
            simworld_restart(w);
            walker_init(dead, w);
            break;
        }
        default: break;
        }
        simworld_run(f.sw, 5 * NS_PER_S);
        simworld_thaw(w);
        simworld_heal(f.sw, NULL, NULL);
        simworld_run(f.sw, 5 * NS_PER_S);
    }
    struct result res = {.hash = simworld_trace_hash(f.sw), .events = simworld_events(f.sw)};
    for (int i = 0; i < 2; i++) {
        res.done += k[i].done;
        res.lost += k[i].lost;
        res.seen += k[i].n;
        walker_free(&k[i]);
    }
    simworld_net(f.sw, "*", "api", NULL);
    simworld_run(f.sw, 60 * NS_PER_S);
    assert_int_equal(simworld_stats(f.sw).open, 0); /* nothing is left over */
    field_free(&f);
    return res;
}

CASE(a_seed_replays_exactly) {
    uint64_t last = 0;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct result x = play(seed, 200), y = play(seed, 200);
        if (x.hash != y.hash || x.events != y.events) fail_msg("seed %llu", (unsigned long long)seed);
        assert_true(x.hash != last);
        assert_true(x.done > 100 && x.lost > 3 && x.seen > 0);
        last = x.hash;
    }
}

/* Bounded by work: some thousands of simulated seconds with a handful of events a second. */
CASE(thousands_of_seconds) {
    struct result r = play(77, 3000);
    assert_true(r.events > 30000);
}

CASES("simworld/determinism")
