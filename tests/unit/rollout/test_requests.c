/* What a target costs in requests to the API server. */
#include "../case.h"
#include "../simworld/stage.h"

#define STAGE(name, make) CASE_OF(struct stage, st, make, stage_free, name)

struct counts {
    int reads, writes,
        events; /* reads: gets and lists; not the Lease, not watches, not pages, nor whether the policy is there */
};

static void count(void *ctx, const struct simrequest *r) {
    struct counts *n = ctx;
    if (!r->arrived || strcmp(r->from, "a") != 0 || strcmp(r->to, "api") != 0) return;
    if (strstr(r->target, "/leases") || strstr(r->target, "watch=true") || strstr(r->target, "/proxy/") ||
        strstr(r->target, "/admissionregistration"))
        return;
    if (strcmp(r->method, "GET") == 0)
        n->reads++;
    else if (strstr(r->target, "/events"))
        n->events++;
    else
        n->writes++;
    if (getenv("SIM_LOG")) fprintf(stderr, "request: %s %s\n", r->method, r->target);
}

static bool all_stable(void *ctx) {
    struct stage *st = ctx;
    for (int i = 0; i < 20; i++) {
        char name[32];
        cleanup_buf struct buf b = BUF(1 << 20);
        snprintf(name, sizeof name, "op%d-handover", i);
        if (sim_peek(st->api, "configmaps", "default", name, &b) < 0) return false;
        if (!strstr(buf_str(&b), "\\\"phase\\\":\\\"Stable\\\"")) return false;
    }
    return true;
}

/* Deployments that run when Handover comes: the state, the pause, the state again, an Event. */
STAGE(adoption_costs_what_it_writes, cluster(1)) {
    struct counts n = {0};
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "op%d", i);
        make_target(st, name);
    }
    simworld_run(st->sw, 5 * NS_PER_S);
    simworld_on_request(st->sw, count, &n);
    boot(st, 0);
    assert_true(simworld_run_until(st->sw, all_stable, st, 300 * NS_PER_S));
    simworld_run(st->sw, 60 * NS_PER_S);
    assert_in_range(n.reads, 1,
                    7); /* lists of the namespace and, after the faults, of the base: not by target */
    assert_int_equal(n.writes, 3 * 20);
    assert_in_range(n.events, 1, 20);
}

STAGE(a_soaking_target_reads_metrics_pages_only, begun(2, 1)) {
    struct counts n = {0};
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 60);
    simworld_on_request(st->sw, count, &n);
    simworld_run(st->sw, 20 * NS_PER_S);
    assert_int_equal(n.reads, 0);
    assert_in_range(n.writes, 1, 5); /* the evidence */
}

STAGE(a_target_at_rest_costs_nothing, begun(3, 1)) {
    struct counts n = {0};
    simworld_on_request(st->sw, count, &n);
    patch(st, DEPLOYMENT, "{\"spec\":{\"replicas\":3}}"); /* an autoscaler */
    simworld_run(st->sw, 300 * NS_PER_S);
    assert_int_equal(n.reads + n.writes + n.events, 0);
}

CASES("rollout/requests")
