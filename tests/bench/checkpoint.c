/* How long a renewal's checkpoint keeps the loop busy with 100,000 keys in the queue, ready or delayed. The
 * best of many tries. Prints "NAME VALUE UNIT"; ends with 1 above the aim. */
#include "control/controller.h"
#include "leader/checkpoint.h"
#include "simworld/simworld.h"
#include <stdio.h>
#include <time.h>

enum { KEYS = 100000, TRIES = 20, AIM_MS = 10 };

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void cancel(void *self, struct task *t) {
    (void)self, (void)t;
}
static void start(void *self, struct slice key, struct task *t) {
    (void)self, (void)key, (void)t;
}

static void gather(void *ctx, const struct key_state *k) {
    checkpoint_add(ctx, &(struct checkpoint_key){.kind = (enum checkpoint_kind)k->kind,
                                                 .controller = SL("rollout"),
                                                 .key = k->key,
                                                 .prio = k->prio,
                                                 .at_wall_ns = k->at_wall_ns,
                                                 .failures = k->failures,
                                                 .reason = k->reason});
}

static double measure(struct world *w, bool delayed) {
    static const struct reconciler r = {start, cancel};
    struct controller *c =
        controller_new(w, NULL, metrics_new(100), "rollout", &r, NULL, &(struct controller_limits){0});
    for (size_t i = 0; i < KEYS; i++) {
        char key[64];
        int n = snprintf(key, sizeof key, "team-%03zu/%08zx-deployment", i * 7919 % 997,
                         i * 2654435761U % 4294967291U);
        controller_add(c, slice_make(key, (size_t)n), 0,
                       delayed ? (int64_t)(1 + i * 7919 % 600) * NS_PER_S : 0);
    }
    double best = 1e9;
    for (int t = 0; t < TRIES; t++) {
        double begin = now_ms();
        struct checkpoint *to = checkpoint_new(&(struct checkpoint_head){.term = 1, .by = "bench"});
        controller_snapshot_first(c, CHECKPOINT_INLINE_KEYS, gather, to);
        checkpoint_finish(to, true);
        checkpoint_free(to);
        if (now_ms() - begin < best) best = now_ms() - begin;
    }
    controller_free(c);
    return best;
}

int main(void) {
    struct simworld *sw = simworld_new(1);
    struct world *w = simworld_host(sw, "a", NULL);
    double ready = measure(w, false), delayed = measure(w, true);
    printf("renewal_ready_100k %.2f ms\nrenewal_delayed_100k %.2f ms\n", ready, delayed);
    simworld_free(sw);
    return ready > AIM_MS || delayed > AIM_MS;
}
