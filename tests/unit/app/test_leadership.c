/* Leadership of two controllers in pods of the simulated world: a successor takes up what a stopped leader
 * leaves, and a drain keeps to the time that its pod has. */
#include "operator_kit.h"

static void page_has(struct buf *page, const char *const *lines, size_t n) {
    for (size_t i = 0; i < n; i++) {
        cleanup_free char *line = xasprintf("\n%s\n", lines[i]);
        if (!strstr(buf_str(page), line)) fail_msg("no line %s in\n%s", lines[i], buf_str(page));
    }
}

/* The leader, with two reconciles in flight that do not end, is deleted. Returns how long it took to its
 * exit. */
static int64_t drain_of(uint64_t seed, int grace_s, const char *options, int *ret_code) {
    struct stage *st = stage_new(&(struct stage_options){.seed = seed, .grace_s = grace_s});
    struct instance *first = leader(st);
    assert_non_null(first);
    char old[64];
    memcpy(old, first->name, sizeof old);
    assert_int_equal(leadership_inflight(first->leadership), 2);
    delete_pod(st, old, options);
    simworld_run(st->f.sw, (grace_s + 5) * NS_PER_S);
    int64_t took = -1;
    *ret_code = -1;
    for (size_t i = 0; i < st->nends; i++) {
        if (strcmp(st->ends[i].name, old) != 0) continue;
        took = st->ends[i].took_ns;
        *ret_code = st->ends[i].code;
    }
    struct instance *next = leader(st);
    assert_non_null(next);
    assert_true(strcmp(next->name, old) != 0);
    assert_true(has_started(st, "one/a", next->name)); /* of both controllers, by name */
    assert_true(has_started(st, "two/a", next->name));
    assert_int_equal(controller_pending(next->two), 1); /* the delayed one, for its time */
    stage_free(st);
    return took;
}

CASE(the_pods_own_grace) {
    int code;
    int64_t took = drain_of(1, 12, "", &code);
    assert_int_equal(code, DRAIN_X_CUT);
    assert_true(took >= 10 * NS_PER_S - MS); /* 12 s less its sixth */
    assert_true(took < 12 * NS_PER_S);
    took = drain_of(2, 60, "", &code);
    assert_int_equal(code, DRAIN_X_CUT);
    assert_true(took >= 55 * NS_PER_S - MS);
    assert_true(took < 60 * NS_PER_S);
}

CASE(a_shorter_grace_at_deletion) {
    int code;
    int64_t took = drain_of(3, 60, "{\"gracePeriodSeconds\":6}", &code);
    assert_int_equal(code, DRAIN_X_CUT);
    assert_true(took > 2 * NS_PER_S);
    assert_true(took < 6 * NS_PER_S);
}

/* The pod is gone at once, and the kubelet gives the process two seconds: enough to cancel, to leave a
 * checkpoint and to release. */
CASE(deleted_by_force) {
    int code;
    int64_t took = drain_of(4, 60, "{\"gracePeriodSeconds\":0}", &code);
    assert_int_equal(code, DRAIN_X_CUT);
    assert_true(took < 2 * NS_PER_S);
}

/* The same with a checkpoint that does not fit the Lease, while ConfigMaps are not answered: they are not
 * waited for so long that the release no longer comes through. */
CASE(deleted_by_force_with_a_large_checkpoint) {
    struct stage *st = stage_new(&(struct stage_options){.seed = 8, .grace_s = 60, .many = 10000});
    struct instance *first = leader(st);
    assert_non_null(first);
    char old[64];
    memcpy(old, first->name, sizeof old);
    /* renewals do not look at all of the keys */
    cleanup_buf struct buf page = BUF(1 << 20);
    metrics_write(first->metrics, &page);
    static const char *const renewed[] = {"handover_checkpoint_keys{state=\"inflight\"} 2",
                                          "handover_checkpoint_keys{state=\"delayed\"} 8191"};
    page_has(&page, renewed, ARRAY_LEN(renewed));
    struct err err = {0};
    assert_int_equal(sim_fault(st->f.api,
                               SL("{\"match\":{\"method\":\"POST\",\"path\":\"*/configmaps\"},"
                                  "\"count\":-1,\"silent\":true}"),
                               &err),
                     0);
    delete_pod(st, old, "{\"gracePeriodSeconds\":0}");
    simworld_run(st->f.sw, 3 * NS_PER_S);
    assert_int_equal(st->nends, 1);
    assert_int_equal(st->ends[0].code, DRAIN_X_CUT);
    assert_true(st->ends[0].took_ns < 2 * NS_PER_S);
    struct instance *next = leader(st);
    assert_non_null(next);
    assert_true(has_started(st, "one/a", next->name));
    assert_true(controller_pending(next->two) > 1000);
    stage_free(st);
}

/* Neither an answer nor a connection: the drain has the time that was known before. */
CASE(the_pod_cannot_be_read) {
    struct stage *st = stage_new(&(struct stage_options){.seed = 5, .grace_s = 12});
    struct instance *first = leader(st);
    assert_non_null(first);
    simworld_partition(st->f.sw, first->name, "api");
    simworld_signal(first->w, SIGTERM);
    simworld_run(st->f.sw, 20 * NS_PER_S);
    assert_int_equal(st->nends, 1);
    assert_true(st->ends[0].code == DRAIN_X_LOST || st->ends[0].code == DRAIN_X_NOT_RELEASED);
    assert_true(st->ends[0].took_ns < 12 * NS_PER_S);
    stage_free(st);
}

/* The metrics of a handover: of the one that drained, at its end, and of the one that came after it. */
CASE(what_is_measured) {
    struct stage *st = stage_new(&(struct stage_options){.seed = 9, .grace_s = 12});
    struct instance *first = leader(st);
    assert_non_null(first);
    cleanup_buf struct buf page = BUF(1 << 20);
    metrics_write(first->metrics, &page);
    static const char *const leading[] = {
        "leader_election_master_status{name=\"l\"} 1", "handover_takeovers_total{reason=\"absent\"} 1",
        "handover_checkpoint_keys{state=\"inflight\"} 2", "handover_checkpoint_keys{state=\"delayed\"} 1"};
    page_has(&page, leading, ARRAY_LEN(leading));
    char old[64];
    memcpy(old, first->name, sizeof old);
    delete_pod(st, old, "");
    simworld_run(st->f.sw, 15 * NS_PER_S);
    static const char *const ended[] = {"leader_election_master_status{name=\"l\"} 0",
                                        "handover_checkpoint_keys{state=\"interrupted\"} 2",
                                        "handover_checkpoint_keys{state=\"inflight\"} 0",
                                        "handover_checkpoint_keys{state=\"delayed\"} 1",
                                        "handover_drain_seconds_count{phase=\"checkpoint-early\"} 1",
                                        "handover_drain_seconds_count{phase=\"finishing\"} 1",
                                        "handover_drain_seconds_bucket{phase=\"finishing\",le=\"5\"} 0",
                                        "handover_drain_seconds_count{phase=\"releasing\"} 1"};
    page_has(&st->last_page, ended, ARRAY_LEN(ended));
    struct instance *next = leader(st);
    assert_non_null(next);
    buf_clear(&page);
    metrics_write(next->metrics, &page);
    static const char *const took[] = {"leader_election_master_status{name=\"l\"} 1",
                                       "handover_takeovers_total{reason=\"released\"} 1",
                                       "handover_leader_gap_seconds_count 1",
                                       "handover_leader_gap_seconds_bucket{le=\"0.05\"} 1",
                                       "handover_restored_keys{state=\"interrupted\"} 2",
                                       "handover_restored_keys{state=\"delayed\"} 1"};
    page_has(&page, took, ARRAY_LEN(took));
    stage_free(st);
}

/* What a successor cannot take up is at least said: two keys of a controller that it does not have. */
CASE(keys_of_an_unknown_controller) {
    struct stage *st = stage_new(&(struct stage_options){.seed = 7, .grace_s = 12});
    struct instance *first = leader(st);
    assert_non_null(first);
    char old[64];
    memcpy(old, first->name, sizeof old);
    st->other_version = true;
    for (int i = 0; i < MAX; i++) /* the standby is of this version, too */
        if (st->live[i] && st->live[i] != first) delete_pod(st, st->live[i]->name, "");
    simworld_run(st->f.sw, 15 * NS_PER_S);
    delete_pod(st, old, "");
    simworld_run(st->f.sw, 15 * NS_PER_S);
    struct instance *next = leader(st);
    assert_non_null(next);
    assert_true(has_started(st, "one/a", next->name));
    assert_false(has_started(st, "two/a", next->name));
    assert_int_equal(st->foreign, 2);
    stage_free(st);
}

/* A host whose logind waits without end (InhibitDelayMaxSec=infinity) takes nothing from the drain's time. */
CASE(a_host_that_waits_without_end) {
    struct stage *st = stage_new(&(struct stage_options){.seed = 6, .grace_s = 12});
    struct instance *first = leader(st);
    assert_non_null(first);
    first->stopped_at = world_boot_ns(first->w);
    leadership_stop(first->leadership, "the host is shutting down");
    leadership_killed_in(first->leadership, INT64_MAX);
    simworld_run(st->f.sw, 14 * NS_PER_S);
    assert_int_equal(st->nends, 1);
    assert_int_equal(st->ends[0].code, DRAIN_X_CUT);
    assert_true(st->ends[0].took_ns >= 10 * NS_PER_S - MS);
    stage_free(st);
}

/* Signals that come in the middle of another event are all counted: these are the second and the third. */
CASE(signals_at_once_are_all_counted) {
    struct stage *st = stage_new(&(struct stage_options){.seed = 10, .grace_s = 60});
    struct instance *first = leader(st);
    assert_non_null(first);
    leadership_stop(first->leadership, "SIGTERM");
    st->stops = 2;
    leadership_killed_in(first->leadership, 2 * NS_PER_S); /* cancels after one second */
    simworld_run(st->f.sw, 3 * NS_PER_S / 2);
    assert_int_equal(st->nends, 1);
    assert_int_equal(st->ends[0].code, DRAIN_X_NOT_RELEASED);
    stage_free(st);
}

CASES("app/leadership")
