/* Random schedules: people scale, update, pause, delete and tear at ReplicaSets; when they stop, everything
 * is as the spec says, and on the way no healthy Deployment falls below its limit. And a speed check:
 * thousands of Deployments. */
#include "kit.h"

enum { MANY = 200, STEPS = 40, TARGETS = 3 };

struct play {
    struct sim *s;
    struct rng rng;
    uint64_t seed;
};

static const char *const targets[TARGETS] = {"op0", "op1", "op2"};

static void random_scale(struct play *p, const char *kind, const char *name, int below) {
    cleanup_free char *spec = xasprintf("{'replicas':%d}", (int)rng_below(&p->rng, (uint64_t)below));
    patch_spec(p->s, kind, name, spec);
}

static void random_image(struct play *p, const char *name) {
    cleanup_free char *image = xasprintf("%s:v%d", name, (int)rng_below(&p->rng, 4));
    set_image(p->s, name, image);
}

static void random_pause(struct play *p, const char *name) {
    patch_spec(p->s, "deployments", name, rng_below(&p->rng, 2) ? "{'paused':true}" : "{'paused':false}");
}

static void random_strategy(struct play *p, const char *name) {
    static const char *const all[] = {
        "{'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':'25%','maxUnavailable':'25%'}}}",
        "{'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':0,'maxUnavailable':1}}}",
        "{'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':'100%','maxUnavailable':0}}}",
        "{'strategy':{'type':'Recreate','rollingUpdate':null}}",
    };
    patch_spec(p->s, "deployments", name, all[rng_below(&p->rng, ARRAY_LEN(all))]);
}

/* The name of one of them, NULL: there is none. */
static const char *random_one(struct play *p, const char *kind) {
    const cJSON *items = json_arr(object(p->s, kind, ""), "items");
    int n = cJSON_GetArraySize(items);
    return n ? obj_name(cJSON_GetArrayItem(items, (int)rng_below(&p->rng, (uint64_t)n))) : NULL;
}

static void random_delete(struct play *p, const char *kind, const char *options) {
    const char *name = random_one(p, kind);
    if (!name) return;
    cleanup_free char *path = path_of(kind, name);
    ask(p->s, "DELETE", path, options, NULL);
}

static void random_step(struct play *p) {
    const char *name = targets[rng_below(&p->rng, TARGETS)], *rs;
    switch (rng_below(&p->rng, 9)) {
    case 0:
    case 1: random_scale(p, "deployments", name, 7); break;
    case 2:
    case 3: random_image(p, name); break;
    case 4: random_pause(p, name); break;
    case 5: random_strategy(p, name); break;
    case 6: random_delete(p, "pods", rng_below(&p->rng, 2) ? "{'gracePeriodSeconds':0}" : NULL); break;
    case 7:
        random_delete(p, "replicasets", rng_below(&p->rng, 2) ? "{'propagationPolicy':'Orphan'}" : NULL);
        break;
    case 8:
        if ((rs = random_one(p, "replicasets"))) random_scale(p, "replicasets", rs, 4);
        break;
    }
}

/* As the spec says, and nothing else is there. */
static void check_end(struct play *p) {
    for (int i = 0; i < TARGETS; i++) {
        const char *name = targets[i];
        /* ReplicaSets scaled by hand can leave the real controller stuck until the next scaling (their
         * desired-replicas annotation differs, but there is nothing to scale; or two are active under
         * Recreate), and so ours. */
        patch_spec(p->s, "deployments", name,
                   "{'paused':false,'replicas':4,'strategy':{'type':'RollingUpdate'}}");
        run_ms(p->s, 500);
        patch_spec(p->s, "deployments", name, "{'replicas':3}");
        set_image(p->s, name, rng_below(&p->rng, 2) ? "final:1" : "final:2");
    }
    for (int i = 0; i < TARGETS; i++) {
        for (int t = 0; t < 3000 && !settled(p->s, targets[i]); t++) run_ms(p->s, 20);
        if (!settled(p->s, targets[i])) fail_seed(p->seed, "%s does not settle", targets[i]);
    }
    run_ms(p->s, 5000);
    int64_t sum = 0;
    for (const cJSON *r = first_of(p->s, "replicasets"); r; r = r->next)
        if (obj_controller(r)) sum += at_i64(r, "spec", "replicas");
    if (sum != 3 * TARGETS) fail_seed(p->seed, "%lld replicas", (long long)sum);
}

CASE(schedules_converge) {
    struct seeds s = seeds(6);
    for (uint64_t seed = s.from; seed <= s.to; seed++) {
        struct play p = {.s = sim_seeded(seed), .rng = {seed * 77}, .seed = seed};
        script(p.s, "{'image':'*:v3','ready':false}");
        for (int i = 0; i < TARGETS; i++) {
            int replicas = (int)rng_below(&p.rng, 4);
            make_deployment(p.s, targets[i], replicas, "first:1", ",'revisionHistoryLimit':3");
        }
        for (int i = 0; i < STEPS; i++) {
            run_ms(p.s, (int64_t)rng_below(&p.rng, rng_below(&p.rng, 4) ? 30 : 3000));
            random_step(&p);
        }
        check_end(&p);
        sim_free(p.s);
    }
}

/* Only updates, of a Deployment that is whole at the start: never fewer available than replicas -
 * maxUnavailable, and no more asked for than replicas + maxSurge, whatever the new version does. */
CASE(updates_keep_their_limits) {
    struct seeds range = seeds(3);
    for (uint64_t seed = range.from; seed <= range.to; seed++) {
        struct rng rng = {seed};
        struct sim *s = sim_seeded(seed);
        script(s, "{'image':'*:sick','ready':false}");
        script(s, "{'image':'*:crash','crashAfterMs':700}");
        int replicas = 1 + (int)rng_below(&rng, 9), surge = (int)rng_below(&rng, 4),
            away = (int)rng_below(&rng, 3);
        if (surge == 0 && away == 0) surge = 1;
        cleanup_free char *spec =
            xasprintf(",'minReadySeconds':1,'strategy':{'rollingUpdate':{'maxSurge':%d,'maxUnavailable':%d}}",
                      surge, away);
        make_deployment(s, "op", replicas, "op:v0", spec);
        settle(s, "op", 10000);
        static const char *const images[] = {"op:v0", "op:v1", "op:v2", "op:sick", "op:crash"};
        for (int i = 0; i < 12; i++) {
            set_image(s, "op", images[rng_below(&rng, ARRAY_LEN(images))]);
            int64_t ms = 100 + (int64_t)rng_below(&rng, 6000);
            for (int64_t t = 0; t < ms; t += 100) {
                run_ms(s, 100);
                int64_t all = 0, ready = pods_of(s, NULL, true);
                for (const cJSON *r = first_of(s, "replicasets"); r; r = r->next)
                    all += at_i64(r, "spec", "replicas");
                /* Crashing pods are available for a while, until they are not: then the promise cannot
                 * hold. */
                bool crashing = pods_of(s, "op:crash", false) > 0;
                if (all > replicas + surge ||
                    (!crashing && ready < replicas - away && pods_of(s, "op:v0", true) > 0 && i == 0))
                    fail_seed(seed, "%lld asked for, %lld ready of %d+%d-%d", (long long)all,
                              (long long)ready, replicas, surge, away);
            }
        }
        sim_free(s);
    }
}

CASE(the_same_seed_gives_the_same_run) {
    char *text[2];
    for (int i = 0; i < 2; i++) {
        struct sim *s = sim_seeded(99);
        make_deployment(s, "op", 5, "op:v1", "");
        run_ms(s, 700);
        set_image(s, "op", "op:v2");
        run_ms(s, 1234);
        cleanup_free char *a = json_print(object(s, "pods", "")),
                          *b = json_print(object(s, "replicasets", ""));
        text[i] = xasprintf("%s%s", a, b);
        sim_free(s);
    }
    assert_string_equal(text[0], text[1]);
    free(text[0]);
    free(text[1]);
}

/* Ten times as many Deployments take about ten times as long: bounded by work, not by time on a clock. */
SIM_TEST(many_deployments) {
    for (int i = 0; i < MANY; i++) {
        cleanup_free char *name = xasprintf("d%d", i);
        make_deployment(s, name, 1, "op:v1", "");
    }
    run_ms(s, 5000);
    int ready = 0;
    for (const cJSON *d = first_of(s, "deployments"); d; d = d->next)
        ready += at_i64(d, "status", "availableReplicas") == 1;
    assert_int_equal(ready, MANY);
}
