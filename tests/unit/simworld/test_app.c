/* What the simulated world is for: whole instances of Handover in one process against the embedded API
 * server. */
#include "stage.h"

STAGE_CASE(begun(1, 2), a_good_update_is_promoted) {
    assert_true(leader(st) >= 0);
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 10);
    assert_int_equal(pods(st, "op:v1"), 2);
    wait_for(st, "Stable", 300);
    assert_int_equal(pods(st, "op:v2"), 2);
}

STAGE_CASE(begun(2, 2), a_bad_update_is_rolled_back) {
    script(st, "{\"image\":\"*:bad\",\"errorRate\":0.4}");
    set_image(st, "op:bad");
    wait_for(st, "RolledBack", 300);
    assert_int_equal(pods(st, "op:bad"), 0);
    assert_int_equal(pods(st, "op:v1"), 2);
}

STAGE_CASE(begun(3, 2), the_leaders_crash_in_the_middle) {
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 10);
    int first = leader(st);
    crash(st, first);
    simworld_run(st->sw, 25 * NS_PER_S); /* no certificate here: the lease has to expire */
    assert_int_equal(leader(st), !first);
    boot(st, first);
    wait_for(st, "Stable", 300);
    assert_int_equal(pods(st, "op:v2"), 2);
}

STAGE_CASE(begun(4, 2), the_leader_is_stopped_in_the_middle) {
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 10);
    int first = leader(st);
    st->may_end = true;
    app_stop(st->in[first].app, "SIGTERM");
    simworld_run(st->sw, 2 * NS_PER_S);
    assert_true(st->in[first].ended);
    assert_int_equal(leader(st), !first);
    wait_for(st, "Stable", 300);
    assert_int_equal(pods(st, "op:v2"), 2);
}

/* What the leader writes: first until a write of the state leaves it, later nothing may. */
struct writes {
    const char *leader;
    bool state_left, forbidden;
};

static void watch_writes(void *ctx, const struct simrequest *r) {
    struct writes *w = ctx;
    if (r->arrived || strcmp(r->from, w->leader) != 0 || strcmp(r->method, "GET") == 0) return;
    bool unfenced =
        strstr(r->target, "/leases/") || strstr(r->target, "/events"); /* as they say themselves */
    if (w->forbidden && !unfenced) fail_msg("%s %s", r->method, r->target);
    w->state_left = w->state_left || strstr(r->target, "configmaps/op-handover");
}

static bool state_left(void *ctx) {
    return ((struct writes *)ctx)->state_left;
}

/* It stands still between the steps of a plan for longer than its lease lasts. When it goes on, the answer to the first step
 * and the timer that says that the lease is lost come in any order. */
CASE(a_leader_that_stood_still_writes_nothing) {
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct stage *st = begun(seed, 2);
        int first = leader(st);
        struct writes w = {.leader = simworld_name(st->in[first].w)};
        simworld_on_request(st->sw, watch_writes, &w);
        st->may_end = true;
        set_image(st, "op:v2");
        assert_true(simworld_run_until(st->sw, state_left, &w, 10 * NS_PER_S));
        simworld_freeze(st->in[first].w);
        simworld_run(st->sw, 25 * NS_PER_S);
        assert_true(app_leading(st->in[!first].app));
        w.forbidden = true;
        simworld_thaw(st->in[first].w);
        simworld_run(st->sw, 5 * NS_PER_S);
        stage_free(st);
    }
}

/* Crashes, pauses, partitions and an unreliable network; when they stop, the rollout comes to its right end.
 */
static uint64_t rough(uint64_t seed, bool bad) {
    struct stage *st = begun(seed, 2);
    struct simworld *sw = st->sw;
    st->may_end = true;
    script(st, "{\"image\":\"*:bad\",\"errorRate\":0.4}");
    /* Every other pair of runs: what one writes the others see up to most of a second later. */
    bool slow = seed % 4 > 1;
    if (slow) script(st, "{\"controllers\":{\"delayMs\":0,\"jitterMs\":900}}");
    simworld_net(sw, "*", "*",
                 &(struct simnet){.latency_ns = MS,
                                  .jitter_ns = (slow ? 900 : 4) * MS,
                                  .slow = 0.01,
                                  .slow_ns = 3 * NS_PER_S,
                                  .lose_request = 0.01,
                                  .lose_answer = 0.01,
                                  .duplicate = 0.02,
                                  .cut = 0.005,
                                  .loss = LOSS_ANY});
    set_image(st, bad ? "op:bad" : "op:v2");
    struct rng *r = simworld_rng(sw);
    for (int k = 0; k < 12; k++) {
        int i = (int)rng_below(r, 2);
        struct world *w = st->in[i].w;
        uint64_t what = rng_below(r, 4);
        if (what == 0) crash(st, i);
        if (what == 1) simworld_freeze(w);
        if (what == 2) simworld_partition(sw, simworld_name(w), "*");
        for (int64_t t = 0, n = (int64_t)rng_below(r, 30); t < n; t++) {
            simworld_run(sw, NS_PER_S);
            if (bad && pods(st, "op:bad") > 2) fail_msg("seed %llu: promoted", (unsigned long long)seed);
        }
        if (what == 0) boot(st, i);
        simworld_thaw(w);
        simworld_heal(sw, NULL, NULL);
        simworld_run(sw, (int64_t)rng_below(r, 10) * NS_PER_S);
        for (int j = 0; j < 2; j++) { /* who stopped itself is started again, as a kubelet does */
            if (!st->in[j].ended) continue;
            crash(st, j);
            boot(st, j);
        }
    }
    simworld_net(sw, "*", "*", NULL);
    wait_for(st, bad ? "RolledBack" : "Stable", 600);
    simworld_run(sw, 20 * NS_PER_S);
    if (pods(st, bad ? "op:v1" : "op:v2") != 2 || pods(st, bad ? "op:bad" : "op:v1") != 0)
        fail_msg("seed %llu: the wrong version is in service", (unsigned long long)seed);
    uint64_t hash = simworld_trace_hash(sw);
    stage_free(st);
    return hash;
}

CASE(rough_runs_end_well) {
    const char *one = getenv("SIM_SEED"), *many = getenv("SIM_SCHEDULES");
    uint64_t from = one ? strtoull(one, NULL, 10) : 1, to = one ? from : many ? strtoull(many, NULL, 10) : 4;
    for (uint64_t seed = from; seed <= to; seed++) rough(seed, seed % 2);
}

CASE(a_whole_run_replays) {
    assert_true(rough(5, false) == rough(5, false));
}

CASES("simworld/app")
