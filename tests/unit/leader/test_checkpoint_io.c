/* The work that one leader leaves to the next: checkpoints early, large, refused, lost, stale. */
#include "election_kit.h"

#define CM_URL API "/api/v1/namespaces/default/configmaps"

FIELD_CASE(1, early_checkpoint) {
    election_stop(f->c[0].e);
    election_renew_now(f->c[0].e);
    simworld_run(f->sw, 20 * MS);
    assert_int_equal(f->c[0].renewed_ok, 1);
    fault(f, "{'match':{'method':'PUT'},'count':1,'status':503}");
    election_renew_now(f->c[0].e);
    simworld_run(f->sw, 20 * MS);
    assert_int_equal(f->c[0].renewed_bad, 1);
    simworld_run(f->sw, 5 * S);
    assert_true(election_leading(f->c[0].e));
}

static bool exists(struct field *f, const char *configmap) {
    cleanup_buf struct buf b = BUF(4 << 20);
    peek(f, "configmaps", configmap, &b);
    return strcmp(buf_str(&b), "(none)") != 0;
}

static void assert_no_parts(struct field *f) { /* of term 0 */
    for (int i = 1; i < 9; i++) {
        cleanup_free char *name = xasprintf("l-checkpoint-0-%d", i);
        assert_false(exists(f, name));
    }
}

/* Candidate 0 stops with so many keys in hand, and has ended soon. */
static void leaves(struct field *f, size_t keys) {
    f->c[0].keys = keys;
    stop_cleanly(&f->c[0]);
    assert_true(simworld_run_until(f->sw, is_over, &f->c[0], 5 * S));
}

/* Candidate i comes and leads soon. */
static struct cand *succeeds(struct field *f, int i) {
    cand_start(f, i, NULL);
    assert_true(simworld_run_until(f->sw, leads, &f->c[i], 5 * S));
    return &f->c[i];
}

static void taken_by_another(struct field *f) {
    ask(f, "PATCH", LEASE_URL, "application/merge-patch+json",
        "{'spec':{'holderIdentity':'go_1','leaseTransitions':9}}", 200);
}

/* 100,000 keys: written to ConfigMaps before the release, read before the successor leads, deleted once it
 * has written. */
FIELD_CASE(2, large_checkpoint) {
    leaves(f, 100000);
    cleanup_buf struct buf b = BUF(4 << 20);
    peek(f, "configmaps", "l-checkpoint-0-1", &b);
    assert_non_null(strstr(buf_str(&b), "\"ownerReferences\""));
    assert_true(simworld_run_until(f->sw, leads, &f->c[1], S));
    assert_int_equal(f->c[1].got[CHECKPOINT_QUEUED], 100000);
    assert_int_equal(f->c[1].got[CHECKPOINT_INTERRUPTED], 1);
    print_message("100,000 keys: led %.1f ms after the stop\n",
                  (double)(f->c[1].led_at - f->c[0].stopped_at) / 1e6);
    f->c[1].keys = 5;
    simworld_run(f->sw, 5 * S);
    assert_no_parts(f);
}

/* The ConfigMaps cannot be written: what matters most goes with the Lease. */
FIELD_CASE(2, large_checkpoint_refused) {
    f->c[0].keys = 100000;
    fault(f, "{'match':{'method':'POST','path':'*/configmaps'},'count':-1,'status':403}");
    stop_cleanly(&f->c[0]);
    assert_true(simworld_run_until(f->sw, leads, &f->c[1], 5 * S));
    assert_int_equal(f->c[0].over_reason, LEASE_R_GIVEN_BACK);
    assert_int_equal(f->c[1].got[CHECKPOINT_INTERRUPTED], 1);
    assert_in_range(f->c[1].got[CHECKPOINT_QUEUED], 1000, 99999);
}

FIELD_CASE(1, parts_missing_or_foreign) {
    leaves(f, 100000);
    ask(f, "DELETE", CM_URL "/l-checkpoint-0-2", NULL, "", 200);
    ask(f, "PATCH", CM_URL "/l-checkpoint-0-3", "application/merge-patch+json",
        "{'data':{'checkpoint':'#x !q 0a '}}", 200);
    succeeds(f, 1);
    assert_int_equal(f->c[1].got[CHECKPOINT_INTERRUPTED], 1);
    assert_in_range(f->c[1].got[CHECKPOINT_QUEUED], 10000, 90000);
}

/* A successor dies before it has written a checkpoint of its own: the next one gets the same work. */
CASE(work_is_passed_on) {
    for (int large = 0; large < 2; large++) {
        struct field *f = field_of(2);
        f->c[0].keys = large ? 60000 : 5;
        stop_cleanly(&f->c[0]);
        assert_true(simworld_run_until(f->sw, leads, &f->c[1], 5 * S));
        cand_crash(&f->c[1]);
        cand_start(f, 2, NULL);
        assert_true(simworld_run_until(f->sw, leads, &f->c[2], 20 * S));
        assert_int_equal(f->c[2].term, 2);
        assert_int_equal(f->c[2].reason, LEASE_R_EXPIRED);
        assert_int_equal(f->c[2].got[CHECKPOINT_QUEUED], large ? 60000 : 5);
        field_end(f);
    }
}

/* 1 has taken over from 0, which left so much that it is in ConfigMaps, and is still reading them: fault
 * keeps it waiting. */
static struct field *field_reading(const char *what) {
    struct field *f = field_of(1);
    leaves(f, 60000);
    fault(f, what);
    cand_start(f, 1, NULL);
    simworld_run(f->sw, 100 * MS);
    assert_true(election_leading(f->c[1].e));
    return f;
}
#define READING_CASE(what, name) CASE_OF(struct field, f, field_reading(what), field_end, name)

/* Told to stop between the acquisition and the end of reading the parts: what is there stays there. */
READING_CASE("{'match':{'method':'GET','path':'*/l-checkpoint-0-1'},'count':1,'latencyMs':500}",
             stop_before_the_work_is_read) {
    assert_int_equal(f->c[1].leads, 0);
    stop_cleanly(&f->c[1]);
    assert_true(simworld_run_until(f->sw, is_over, &f->c[1], 5 * S));
    assert_int_equal(f->c[1].leads, 0);
    assert_int_equal(succeeds(f, 2)->got[CHECKPOINT_QUEUED], 60000);
}

static bool lease_says(struct field *f, const char *text) {
    cleanup_buf struct buf b = BUF(4 << 20);
    peek(f, "leases", "l", &b);
    return strstr(buf_str(&b), text) != NULL;
}

/* A part that cannot be read delays nobody and is not deleted: its keys come when it can be read, to this
 * leader, or to the next one when this one dies or stops before. */
CASE(a_part_that_cannot_be_read_is_kept) {
    enum how { LATER, CRASH, STOP };
    static const struct {
        const char *fault;
        enum how how;
    } cases[] = {
        {"'status':500", LATER}, {"'status':403", CRASH}, {"'silent':true", LATER}, {"'silent':true", STOP}};
    for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
        enum how how = cases[k].how;
        cleanup_free char *what =
            xasprintf("{'match':{'method':'GET','path':'*/l-checkpoint-0-1'},'count':-1,%s}", cases[k].fault);
        struct field *f = field_reading(what);
        struct cand *second = &f->c[1], *last = second;
        assert_true(simworld_run_until(f->sw, leads, second, 4 * S));
        size_t missing = 60000 - second->got[CHECKPOINT_QUEUED];
        assert_in_range(missing, 10000, 50000);
        second->keys = 5;
        simworld_run(f->sw, 30 * S);
        assert_true(exists(f, "l-checkpoint-0-1"));
        assert_false(exists(f, "l-checkpoint-0-2"));
        assert_true(lease_says(f, " unread=0.1."));
        if (how == CRASH) cand_crash(second);
        if (how == STOP) stop_cleanly(second);
        if (how != LATER) {
            cand_start(f, 2, NULL);
            last = &f->c[2];
            assert_true(simworld_run_until(f->sw, leads, last, 30 * S));
            assert_int_equal(last->got[CHECKPOINT_QUEUED], 5);
            assert_true(exists(f, "l-checkpoint-0-1"));
        }
        fault(f, "{'clear':true}");
        last->keys = 5;
        simworld_run(f->sw, 20 * S);
        assert_int_equal(last->late, 1);
        assert_int_equal(last->keys, 5 + missing);
        assert_int_equal(last->leads, 1);
        simworld_run(f->sw, 5 * S);
        assert_false(exists(f, "l-checkpoint-0-1"));
        assert_false(lease_says(f, "unread="));
        field_end(f);
    }
}

/* Another takes the lease while the parts are read: nothing of the work is restored, and nothing comes of
 * late answers. */
READING_CASE("{'match':{'method':'GET','path':'*/l-checkpoint-0-*'},'count':-1,'latencyMs':500}",
             lost_while_reading) {
    taken_by_another(f);
    assert_true(simworld_run_until(f->sw, is_over, &f->c[1], S));
    assert_int_equal(f->c[1].over_reason, LEASE_R_TAKEN);
    simworld_run(f->sw, 5 * S);
    assert_int_equal(f->c[1].leads, 0);
    assert_int_equal(f->c[1].losts, 1);
    assert_true(exists(f, "l-checkpoint-0-1"));
}

/* A client-go elector in between leaves our annotation as it is: its term is over, and so is the work in it.
 */
FIELD_CASE(1, stale_checkpoint) {
    leaves(f, 5);
    ask(f, "PATCH", LEASE_URL, "application/merge-patch+json",
        "{'spec':{'holderIdentity':'go_1','leaseTransitions':1,'leaseDurationSeconds':3,'renewTime':'2030-01-"
        "01T00:00:00.000000Z'}}",
        200);
    succeeds(f, 1);
    assert_int_equal(f->c[1].term, 2);
    assert_int_equal(f->c[1].reason, LEASE_R_EXPIRED);
    assert_int_equal(f->c[1].got[CHECKPOINT_QUEUED], 0);
}

/* The renew deadline comes while the parts are written, and then the server answers again: the release names no parts
 * that may not be there. */
FIELD_CASE(1, deadline_while_saving) {
    f->c[0].keys = 100000;
    simworld_partition(f->sw, "pod-0", "api");
    simworld_run(f->sw, 8 * S);
    stop_cleanly(&f->c[0]);
    simworld_run(f->sw, 5 * S / 2);
    assert_int_equal(f->c[0].losts, 1);
    simworld_heal(f->sw, NULL, NULL);
    assert_true(simworld_run_until(f->sw, is_over, &f->c[0], 10 * S));
    assert_int_equal(f->c[0].over_reason, LEASE_R_GIVEN_BACK);
    succeeds(f, 1);
    assert_int_equal(f->c[1].got[CHECKPOINT_INTERRUPTED], 1);
    assert_in_range(f->c[1].got[CHECKPOINT_QUEUED], 1000, 99999);
}

/* The last leader was killed between the writing of its parts and the release: nothing names them. The next
 * one deletes them, and nothing else. */
FIELD_CASE(2, parts_that_nobody_names) {
    f->c[0].keys = 60000;
    fault(f, "{'match':{'method':'PUT'},'count':-1,'silent':true}");
    stop_cleanly(&f->c[0]);
    simworld_run(f->sw, 200 * MS);
    assert_true(exists(f, "l-checkpoint-0-1"));
    cand_crash(&f->c[0]);
    fault(f, "{'clear':true}");
    static const char *const others[] = {"l-checkpoint-7-1", "l-checkpoint-x-1", "m-checkpoint-0-1"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        char body[256];
        snprintf(body, sizeof(body), "{'metadata':{'name':'%s','labels':{'handover.dev/checkpoint':'part'}}}",
                 others[i]);
        ask(f, "POST", CM_URL, "application/json", body, 201);
    }
    assert_true(simworld_run_until(f->sw, leads, &f->c[1], 30 * S));
    simworld_run(f->sw, 10 * S);
    assert_no_parts(f);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) assert_true(exists(f, others[i]));
}

FIELD_CASE(1, lost_while_saving) {
    f->c[0].keys = 100000;
    fault(f, "{'match':{'method':'POST','path':'*/configmaps'},'count':-1,'silent':true}");
    stop_cleanly(&f->c[0]);
    simworld_run(f->sw, 100 * MS);
    assert_int_equal(f->c[0].overs, 0);
    taken_by_another(f);
    assert_true(simworld_run_until(f->sw, is_over, &f->c[0], S));
    assert_int_equal(f->c[0].over_reason, LEASE_R_TAKEN);
}

CASES("leader/checkpoint_io")
