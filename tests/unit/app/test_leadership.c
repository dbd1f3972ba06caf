/* Leadership of two controllers in pods of the simulated world: a successor takes up what a stopped leader
 * leaves, and a drain keeps to the time that its pod has. */
#include "operator_kit.h"

static void page_has(struct buf *page, const char *lines) {
    each_of(one, lines) {
        cleanup_free char *line = xasprintf("\n%.*s\n", SLF(one));
        if (!strstr(buf_str(page), line)) fail_msg("no line %s in\n%s", line, buf_str(page));
    }
}

/* The leader, with two reconciles in flight that do not end, is deleted. */
CASE(a_drain_keeps_to_the_time_that_its_pod_has) {
    static const struct {
        int grace_s;
        const char *options;
        int64_t least_s, most_s;
    } cases[] = {
        {12, "", 10, 12}, /* the pod's own, less its sixth */
        {60, "", 55, 60},
        {60, "{'gracePeriodSeconds':6}", 2, 6},
        /* By force, the pod is gone at once, and the kubelet gives the process two seconds: enough to cancel,
         * to leave a checkpoint and to release. */
        {60, "{'gracePeriodSeconds':0}", 0, 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stage *st = stage_new(&(struct stage_options){.seed = 1 + i, .grace_s = cases[i].grace_s});
        struct instance *first = leader(st);
        char old[64];
        memcpy(old, first->name, sizeof old);
        assert_int_equal(leadership_inflight(first->leadership), 2);
        delete_pod(st, old, cases[i].options);
        simworld_run(st->f.sw, (cases[i].grace_s + 5) * NS_PER_S);
        size_t k = 0;
        while (k < st->nends && strcmp(st->ends[k].name, old) != 0) k++;
        assert_true(k < st->nends);
        assert_int_equal(st->ends[k].code, DRAIN_X_CUT);
        assert_true(st->ends[k].took_ns >= cases[i].least_s * NS_PER_S - MS);
        assert_true(st->ends[k].took_ns < cases[i].most_s * NS_PER_S);
        struct instance *next = leader(st);
        assert_true(strcmp(next->name, old) != 0);
        assert_true(has_started(st, "one/a", next->name)); /* of both controllers, by name */
        assert_true(has_started(st, "two/a", next->name));
        assert_int_equal(controller_pending(next->two), 1); /* the delayed one, for its time */
        stage_free(st);
    }
}

/* The same with a checkpoint that does not fit the Lease, while ConfigMaps are not answered: they are not
 * waited for so long that the release no longer comes through. */
STAGE_CASE(8, 60, 10000, deleted_by_force_with_a_large_checkpoint) {
    struct instance *first = leader(st);
    char old[64];
    memcpy(old, first->name, sizeof old);
    /* renewals do not look at all of the keys */
    cleanup_buf struct buf page = BUF(1 << 20);
    metrics_write(first->metrics, &page);
    page_has(&page, "handover_checkpoint_keys{state=\"inflight\"} 2|"
                    "handover_checkpoint_keys{state=\"delayed\"} 8191");
    struct err err = {0};
    assert_int_equal(sim_fault(st->f.api,
                               SL("{\"match\":{\"method\":\"POST\",\"path\":\"*/configmaps\"},"
                                  "\"count\":-1,\"silent\":true}"),
                               &err),
                     0);
    delete_pod(st, old, "{'gracePeriodSeconds':0}");
    simworld_run(st->f.sw, 3 * NS_PER_S);
    assert_int_equal(st->nends, 1);
    assert_int_equal(st->ends[0].code, DRAIN_X_CUT);
    assert_true(st->ends[0].took_ns < 2 * NS_PER_S);
    struct instance *next = leader(st);
    assert_true(has_started(st, "one/a", next->name));
    assert_true(controller_pending(next->two) > 1000);
}

/* Neither an answer nor a connection: the drain has the time that was known before. */
STAGE_CASE(5, 12, 0, the_pod_cannot_be_read) {
    struct instance *first = leader(st);
    simworld_partition(st->f.sw, first->name, "api");
    simworld_signal(first->w, SIGTERM);
    simworld_run(st->f.sw, 20 * NS_PER_S);
    assert_int_equal(st->nends, 1);
    assert_true(st->ends[0].code == DRAIN_X_LOST || st->ends[0].code == DRAIN_X_NOT_RELEASED);
    assert_true(st->ends[0].took_ns < 12 * NS_PER_S);
}

/* The metrics of a handover: of the one that drained, at its end, and of the one that came after it. */
STAGE_CASE(9, 12, 0, what_is_measured) {
    struct instance *first = leader(st);
    cleanup_buf struct buf page = BUF(1 << 20);
    metrics_write(first->metrics, &page);
    page_has(&page, "leader_election_master_status{name=\"l\"} 1|"
                    "handover_takeovers_total{reason=\"absent\"} 1|"
                    "handover_checkpoint_keys{state=\"inflight\"} 2|"
                    "handover_checkpoint_keys{state=\"delayed\"} 1");
    char old[64];
    memcpy(old, first->name, sizeof old);
    delete_pod(st, old, "");
    simworld_run(st->f.sw, 15 * NS_PER_S);
    page_has(&st->last_page, "leader_election_master_status{name=\"l\"} 0|"
                             "handover_checkpoint_keys{state=\"interrupted\"} 2|"
                             "handover_checkpoint_keys{state=\"inflight\"} 0|"
                             "handover_checkpoint_keys{state=\"delayed\"} 1|"
                             "handover_drain_seconds_count{phase=\"checkpoint-early\"} 1|"
                             "handover_drain_seconds_count{phase=\"finishing\"} 1|"
                             "handover_drain_seconds_bucket{phase=\"finishing\",le=\"5\"} 0|"
                             "handover_drain_seconds_count{phase=\"releasing\"} 1");
    struct instance *next = leader(st);
    buf_clear(&page);
    metrics_write(next->metrics, &page);
    page_has(&page,
             "leader_election_master_status{name=\"l\"} 1|"
             "handover_takeovers_total{reason=\"released\"} 1|"
             "handover_leader_gap_seconds_count 1|"
             "handover_leader_gap_seconds_bucket{le=\"0.05\"} 1|"
             "handover_restored_keys{state=\"interrupted\"} 2|"
             "handover_restored_keys{state=\"delayed\"} 1|" /* and what nobody could scrape any more: */
             "handover_drain_seconds_count{phase=\"checkpoint-early\"} 1|"
             "handover_drain_seconds_count{phase=\"finishing\"} 1|"
             "handover_drain_seconds_bucket{phase=\"finishing\",le=\"5\"} 0");
}

/* What a successor cannot take up is at least said: two keys of a controller that it does not have. */
STAGE_CASE(7, 12, 0, keys_of_an_unknown_controller) {
    struct instance *first = leader(st);
    char old[64];
    memcpy(old, first->name, sizeof old);
    st->other_version = true;
    for (int i = 0; i < MAX; i++) /* the standby is of this version, too */
        if (st->live[i] && st->live[i] != first) delete_pod(st, st->live[i]->name, "");
    simworld_run(st->f.sw, 15 * NS_PER_S);
    delete_pod(st, old, "");
    simworld_run(st->f.sw, 15 * NS_PER_S);
    struct instance *next = leader(st);
    assert_true(has_started(st, "one/a", next->name));
    assert_false(has_started(st, "two/a", next->name));
    assert_int_equal(st->foreign, 2);
}

/* A host whose logind waits without end (InhibitDelayMaxSec=infinity) takes nothing from the drain's time. */
STAGE_CASE(6, 12, 0, a_host_that_waits_without_end) {
    struct instance *first = leader(st);
    first->stopped_at = world_boot_ns(first->w);
    leadership_stop(first->leadership, "the host is shutting down");
    leadership_killed_in(first->leadership, INT64_MAX);
    simworld_run(st->f.sw, 14 * NS_PER_S);
    assert_int_equal(st->nends, 1);
    assert_int_equal(st->ends[0].code, DRAIN_X_CUT);
    assert_true(st->ends[0].took_ns >= 10 * NS_PER_S - MS);
}

/* Signals that come in the middle of another event are all counted: these are the second and the third. */
STAGE_CASE(10, 60, 0, signals_at_once_are_all_counted) {
    struct instance *first = leader(st);
    leadership_stop(first->leadership, "SIGTERM");
    st->stops = 2;
    leadership_killed_in(first->leadership, 2 * NS_PER_S); /* cancels after one second */
    simworld_run(st->f.sw, 3 * NS_PER_S / 2);
    assert_int_equal(st->nends, 1);
    assert_int_equal(st->ends[0].code, DRAIN_X_NOT_RELEASED);
}

CASES("app/leadership")
