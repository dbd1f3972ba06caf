/* Several candidates in random worlds: never two leaders, always one again. */
#include "election_kit.h"

/* ---- everything at once: seeds with faults; never two that may mutate ---- */

static void never_two(struct field *f, uint64_t seed) {
    int n = 0;
    for (size_t i = 0; i < ARRAY_LEN(f->c); i++)
        n += f->c[i].e && simworld_alive(f->c[i].w) && election_may_mutate(f->c[i].e);
    if (n > 1) fail_seed(seed, "two may mutate");
}

static void misbehave(struct field *f, struct rng *r) {
    struct cand *c = &f->c[rng_below(r, 3)];
    if (!c->e) return;
    switch (rng_below(r, 6)) {
    case 0: simworld_freeze(c->w); break;
    case 1: simworld_suspend(c->w); break;
    case 2: simworld_partition(f->sw, simworld_name(c->w), "api"); break;
    case 3:
        if (election_leading(c->e)) stop_cleanly(c);
        break;
    case 4: simworld_set_wall(c->w, (int64_t)rng_below(r, 7200) * S - 3600 * S); break;
    default: cand_crash(c); break;
    }
}

struct sum {
    int leads, losts, restarts;
    size_t restored;
};

static void add_up(struct sum *sum, const struct cand *c) {
    sum->leads += c->leads;
    sum->losts += c->losts;
    sum->restored += c->got[CHECKPOINT_QUEUED];
}

static void random_run(uint64_t seed, struct sum *sum) {
    struct field f;
    struct rng r = {seed};
    field_new(&f, seed);
    simworld_net(f.sw, "*", "api",
                 &(struct simnet){.latency_ns = MS,
                                  .jitter_ns = 4 * MS,
                                  .slow = 0.02,
                                  .slow_ns = 20 * S,
                                  .lose_request = 0.02,
                                  .lose_answer = 0.02,
                                  .duplicate = 0.02,
                                  .cut = 0.01,
                                  .loss = LOSS_ANY});
    for (int i = 0; i < 3; i++) {
        cand_start(&f, i, &(struct simhost){.drift_ppb = (int64_t)rng_below(&r, 100000000) - 50000000});
        f.c[i].keys = rng_below(&r, 8) ? 4 : 4000;
    }
    for (int64_t end = simworld_now(f.sw) + 120 * S, fault = 0; simworld_now(f.sw) < end;) {
        if (!simworld_step(f.sw)) break;
        never_two(&f, seed);
        if (simworld_now(f.sw) < fault) continue;
        fault = simworld_now(f.sw) + (int64_t)rng_below(&r, 8) * S;
        if (rng_below(&r, 2)) {
            simworld_heal(f.sw, NULL, NULL);
            for (size_t i = 0; i < 3; i++) {
                if (f.c[i].e) simworld_thaw(f.c[i].w);
            }
        } else {
            misbehave(&f, &r);
        }
        for (size_t i = 0; i < 3; i++) { /* an instance that has ended comes back as a new process */
            if (f.c[i].e && f.c[i].overs) cand_crash(&f.c[i]);
            if (!f.c[i].e && rng_below(&r, 2)) {
                add_up(sum, &f.c[i]);
                cand_start(&f, (int)i, NULL);
                sum->restarts++;
            }
        }
        never_two(&f, seed);
    }
    simworld_heal(f.sw, NULL, NULL);
    simworld_net(f.sw, "*", "api", &(struct simnet){.latency_ns = MS});
    for (int i = 0; i < 3; i++) {
        if (f.c[i].e && f.c[i].overs) cand_crash(&f.c[i]);
        if (f.c[i].e)
            simworld_thaw(f.c[i].w);
        else
            cand_start(&f, i, NULL);
    }
    simworld_run(f.sw, 40 * S);
    int n = 0;
    for (int i = 0; i < 3; i++) n += f.c[i].e && election_may_mutate(f.c[i].e);
    if (n != 1) fail_seed(seed, "%d lead in the end", n);
    for (int i = 0; i < 3; i++) add_up(sum, &f.c[i]);
    field_free(&f);
}

CASE(random_worlds) {
    const char *one = getenv("ELECTION_SEED");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1, n = one ? 1 : 25;
    struct sum sum = {0};
    for (uint64_t seed = from; seed < from + n; seed++) random_run(seed, &sum);
    print_message("%lu worlds: %d leads, %d lost, %d restarts, %zu keys restored\n", (unsigned long)n,
                  sum.leads, sum.losts, sum.restarts, sum.restored);
    if (!one) assert_true(sum.leads > 2 * (int)n && sum.losts > (int)n / 3 && sum.restored > 50);
}

CASES("leader/election_random")
