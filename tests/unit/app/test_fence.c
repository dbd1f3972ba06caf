/* The fence of a whole instance: whatever happens to a leader, no mutation of it leaves while another one leads. */
#include "app_kit.h"

struct watch {
    struct stage *st;
    int mutations, until;
    char bad[200];
};

/* A request leaves its process: the Lease must name that one. Events are no exception. */
static void on_request(void *ctx, const struct simrequest *r) {
    struct watch *w = ctx;
    cleanup_buf struct buf lease = BUF(1 << 20);
    cleanup_free char *holder = xasprintf("\"holderIdentity\":\"%s_", r->from);
    if (r->arrived || (strcmp(r->from, "a") != 0 && strcmp(r->from, "b") != 0)) return;
    if (strcmp(r->method, "GET") == 0 || strstr(r->target, "/leases")) return;
    w->mutations++;
    assert_int_equal(sim_peek(w->st->api, "leases", "default", "handover", &lease), 0);
    if (!strstr(buf_str(&lease), holder))
        (void)snprintf(w->bad, sizeof w->bad, "%s %s of %s", r->method, r->target, r->from);
}

static bool enough(void *ctx) {
    const struct watch *w = ctx;
    return w->mutations >= w->until;
}

/* It is paused in the middle of what an update brings, writes and Events: the answers are there when it goes on. */
CASE(a_paused_leader_changes_nothing_when_it_goes_on) {
    cleanup_buf struct buf log = BUF(1 << 20);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct stage *st = cluster(seed);
        struct watch w = {.st = st, .until = 1 + (int)(seed % 6)};
        launch(st, 0, &log);
        run_s(st, 3);
        launch(st, 1, &log);
        make_target(st, "op");
        run_s(st, 30);
        simworld_on_request(st->sw, on_request, &w);
        set_image(st, "op:v2");
        assert_true(simworld_run_until(st->sw, enough, &w, 10 * NS_PER_S));
        simworld_freeze(st->in[0].w);
        run_s(st, 25);
        assert_true(app_leading(st->in[1].app));
        simworld_thaw(st->in[0].w);
        run_s(st, 60);
        assert_true(st->in[0].ended && st->in[0].code == 6);
        assert_true(w.mutations > w.until);
        if (w.bad[0]) fail_msg("seed %llu: %s", (unsigned long long)seed, w.bad);
        stage_free(st);
    }
}

STAGE_CASE(cluster(7), a_leader_cut_off_stops_at_its_renew_deadline) {
    cleanup_buf struct buf log = BUF(1 << 20);
    launch(st, 0, &log);
    run_s(st, 5);
    assert_true(app_leading(st->in[0].app));
    simworld_partition(st->sw, "a", "api");
    run_s(st, 7);
    assert_true(app_leading(st->in[0].app));
    page(st, 0, "/healthz", 200, "");
    run_s(st, 4);
    assert_false(app_leading(st->in[0].app));
    run_s(st, 30);
    assert_true(st->in[0].ended && st->in[0].code == 6);
    assert_int_equal(count(&log, "event=LeaseLost"), 1);
}

CASES("app/fence")
