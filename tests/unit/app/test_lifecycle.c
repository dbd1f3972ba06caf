/* A whole instance of Handover: when it is ready, and what it answers on its admin port meanwhile. */
#include "app_kit.h"

#define LEASES "\"method\":\"P*\",\"path\":\"*/leases*\""

/* A process that may not write the Lease can never lead: not ready, said once a minute, and counted. */
STAGE_CASE(cluster(1), a_candidate_that_cannot_write_the_lease_is_not_ready) {
    cleanup_buf struct buf log = BUF(1 << 20);
    fault(st, "{\"match\":{" LEASES "},\"count\":-1,\"status\":403}");
    launch(st, 0, &log);
    run_s(st, 150);
    page(st, 0, "/readyz?verbose", 500, "the Lease default/handover cannot be written");
    page(st, 0, "/healthz", 200, "");
    page(st, 0, "/metrics", 200, "\nhandover_lease_writable 0\n");
    page(st, 0, "/metrics", 200, "\nhandover_lease_errors_total{request=\"create\",reason=\"forbidden\"} ");
    assert_int_equal(count(&log, "contesting the lease"), 1);
    assert_int_equal(count(&log, "event=LeaseWriteFailed"), 3);
    fault(st, "{\"clear\":true}");
    run_s(st, 5);
    assert_true(app_leading(st->in[0].app));
    page(st, 0, "/readyz?verbose", 200, "lease-writable");
    page(st, 0, "/metrics", 200, "\nhandover_lease_writable 1\n");
}

STAGE_CASE(cluster(2), a_missing_namespace_is_named) {
    cleanup_buf struct buf log = BUF(1 << 20);
    fault(st, "{\"match\":{" LEASES "},\"count\":-1,\"status\":404}");
    launch(st, 0, &log);
    run_s(st, 10);
    page(st, 0, "/readyz?verbose", 500, "cannot be written");
    page(st, 0, "/metrics", 200, "{request=\"create\",reason=\"notfound\"} ");
}

static int64_t lease_version(struct stage *st) {
    cleanup_buf struct buf b = BUF(1 << 20);
    assert_int_equal(sim_peek(st->api, "leases", "default", "handover", &b), 0);
    cleanup_json cJSON *o = json_parse(buf_slice(&b), NULL);
    return strtoll(json_str_or(json_get(o, "metadata"), "resourceVersion", "0"), NULL, 10);
}

/* A standby is ready although it leads nothing, once the server has let it write: by a dry run, which changes
 * nothing. */
STAGE_CASE(cluster(3), a_standby_proves_by_a_dry_run_that_it_could_write) {
    cleanup_buf struct buf log = BUF(1 << 20);
    launch(st, 0, &log);
    run_s(st, 5);
    assert_true(app_leading(st->in[0].app));
    fault(st, "{\"match\":{\"method\":\"PUT\",\"query\":\"dryRun=All\"},\"count\":1,\"latencyMs\":1500}");
    launch(st, 1, &log);
    run_s(st, 1);
    page(st, 1, "/readyz?verbose", 500, "not yet known whether the Lease default/handover can be written");
    run_s(st, 3);
    page(st, 1, "/readyz?verbose", 200, "lease-writable");
    assert_false(app_leading(st->in[1].app));
    /* and nothing but the leader's renewals is written */
    fault(st, "{\"match\":{\"method\":\"PUT\",\"query\":\"dryRun=All\"},\"count\":-1,\"status\":403}");
    int64_t before = lease_version(st);
    run_s(st, 20);
    assert_in_range(lease_version(st) - before, 9, 11);
    page(st, 1, "/readyz", 200, "");
    run_s(st, 300); /* the right is taken away: seen by the next dry run */
    page(st, 1, "/readyz?verbose", 500, "cannot be written");
    page(st, 0, "/readyz", 200, "");
    fault(st, "{\"clear\":true}");
    run_s(st, 11); /* and given back */
    page(st, 1, "/readyz", 200, "");
}

CASES("app/lifecycle")
