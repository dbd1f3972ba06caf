/* Handover in pods that die, are deleted and are updated by their own Deployment. */
#include "pods_stage.h"

STAGE_CASE(1, pods_come_up_and_one_leads) {
    assert_int_equal(ready_replicas(st), 2);
    assert_non_null(leader(st));
}

/* The kubelet tells of the leader's death with the identity that it left (a certificate for the process that reads
 * it), and a standby follows, at the latest when the lease has expired. */
CASE(a_killed_leader_is_succeeded) {
    for (uint64_t seed = 2; seed < 8; seed++) {
        struct stage *st = stage_new(seed);
        struct instance *first = leader(st);
        assert_non_null(first);
        cleanup_free char *pod = xstrdup(simworld_name(first->w));
        cleanup_free char *id = slice_dup(simworld_file_get(first->w, "/dev/termination-log"));
        assert_int_equal(strncmp(id, pod, strlen(pod)), 0);
        simworld_signal(first->w, SIGKILL);
        simworld_run(st->f.sw, 1060 * MS);
        cleanup_buf struct buf b = BUF(1 << 20);
        assert_int_equal(sim_peek(st->f.api, "pods", "default", pod, &b), 0);
        if (!strstr(buf_str(&b), id))
            fail_msg("seed %llu: no %s in %s", (unsigned long long)seed, id, buf_str(&b));
        if (!simworld_run_until(st->f.sw, has_leader, st, 18 * NS_PER_S))
            fail_msg("seed %llu", (unsigned long long)seed);
        simworld_run(st->f.sw, 20 * NS_PER_S);
        assert_int_equal(ready_replicas(st), 2);
        stage_free(st);
    }
}

STAGE_CASE(20, a_deleted_leader_hands_over) {
    struct instance *first = leader(st);
    cleanup_free char *url = xasprintf(API "/api/v1/namespaces/default/pods/%s", simworld_name(first->w));
    assert_int_equal(simworld_request(st->f.sw, "DELETE", url, NULL, (struct slice){0}, NULL), 200);
    leads_all_the_while(st, 5000, MS, 50);
    simworld_run(st->f.sw, 20 * NS_PER_S);
    assert_int_equal(ready_replicas(st), 2);
}

/* A new image of Handover itself, rolled by its own Deployment: a leader all the while, but for moments. */
STAGE_CASE(21, a_rolling_update_of_itself) {
    const char *patch = "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"v\":\"2\"}}}}}";
    assert_int_equal(simworld_request(st->f.sw, "PATCH",
                                      API "/apis/apps/v1/namespaces/default/deployments/handover",
                                      "application/merge-patch+json", slice_of(patch), NULL),
                     200);
    leads_all_the_while(st, 6000, 10 * MS, 20);
    assert_int_equal(ready_replicas(st), 2);
}

CASES("simworld/app_pods")
