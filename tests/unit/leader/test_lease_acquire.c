/* How the lease is acquired: absent, released, contested, with an answer that is lost. */
#include "lease_kit.h"

/* ---- acquiring ---- */

STANDBY_CASE(acquire_from_absent) {
    assert_int_equal(ev(t, LEASE_EV_ABSENT), LEASE_WRITE);
    assert_true(t->o.write.create);
    assert_int_equal(t->o.write.kind, LEASE_ACQUIRE);
    assert_string_equal(t->o.write.rec.holder, "me");
    assert_int_equal(t->o.write.rec.transitions, 0);
    assert_int_equal(t->o.write.rec.duration_ns, 15 * S);
    assert_int_equal(t->o.write.rec.acquire_us, t->o.write.rec.renew_us);
    assert_int_equal(t->o.write.rec.renew_us, (WALL + t->now) / 1000);
    assert_false(lease_may_mutate(t->l, t->now));
    t->now += 3 * MS;
    ends(t, written(t, 1), LEASE_LEAD | LEASE_RENEWED, LEASE_R_ABSENT);
    assert_int_equal(t->o.term, 0);
    assert_int_equal(t->o.gap_ns, -1);
    assert_true(lease_may_mutate(t->l, t->now));
}

/* Deleting the object does not shut its holder's fence. */
STANDBY_CASE(a_lease_deleted_under_its_holder_is_waited_for) {
    assert_int_equal(seen(t, false, rec(10, "other", 3, 5)), 0);
    assert_int_equal(pass(t, 3 * S), LEASE_GET);
    assert_int_equal(ev(t, LEASE_EV_ABSENT), 0);
    for (; t->now < 1000 * S + 15 * S - MS; assert_false(t->act & LEASE_WRITE))
        if (pass(t, MS) & LEASE_GET) ev(t, LEASE_EV_ABSENT);
    assert_true(pass(t, MS) & LEASE_WRITE); /* 15 s after it was first seen */
    assert_int_equal(t->o.write.rec.transitions, 4);
}

STANDBY_CASE(acquire_released_by_the_watch) {
    assert_int_equal(seen(t, false, rec(10, "other", 3, 5)), 0);
    on(t, LEASE_EV_WATCH, true);
    t->now += S;
    t->rnd = 12345;
    assert_int_equal(seen(t, true, rec(11, "", 3, 6)), LEASE_WRITE); /* at once, no jitter */
    assert_false(t->o.write.create);
    assert_string_equal(t->o.write.rec.rv, "11");
    assert_int_equal(t->o.write.rec.transitions, 4);
    t->now += 3 * MS;
    ends(t, written(t, 12), LEASE_LEAD | LEASE_RENEWED, LEASE_R_RELEASED);
    assert_int_equal(t->o.term, 4);
    assert_int_equal(t->o.gap_ns, 3 * MS);
    assert_int_equal(t->o.before_us, 6); /* the predecessor's last sign, by its clock */
    assert_int_equal(lease_fence_ns(t->l),
                     t->now - 3 * MS + 10 * S); /* from the decision, not from the answer */
}

/* Several contest: the loser reads, sees the winner and stands by. */
STANDBY_CASE(lost_contest) {
    assert_int_equal(seen(t, false, rec(10, "", 3, 5)), LEASE_WRITE);
    assert_int_equal(ev(t, LEASE_EV_CONFLICT), LEASE_GET);
    assert_int_equal(seen(t, false, rec(11, "other", 4, 6)), 0);
    on(t, LEASE_EV_WATCH, true);
    /* and the next time there is no backoff left over from this one */
    t->now += S;
    assert_int_equal(seen(t, true, rec(12, "", 4, 7)), LEASE_WRITE);
    assert_int_equal(t->o.write.rec.transitions, 5);
    /* the watch is faster than the answer of the conflict: no read is needed */
    assert_int_equal(seen(t, true, rec(13, "other", 5, 8)), 0);
    assert_int_equal(ev(t, LEASE_EV_CONFLICT), 0);
}

STANDBY_CASE(conflicts_without_end_step_back) {
    int rv = 10, writes = 0, gets = 0;
    unsigned act = seen(t, false, rec(rv, "", 3, 5));
    int64_t end = t->now + 60 * S;
    while (t->now < end) {
        writes += (act & LEASE_WRITE) != 0;
        gets += (act & LEASE_GET) != 0;
        t->rnd = 1;
        if (act & LEASE_WRITE)
            act = ev(t, LEASE_EV_CONFLICT);
        else if (act & LEASE_GET)
            act = seen(t, false, rec(++rv, "", 3, 5));
        else
            act = pass(t, t->o.wake_ns - t->now);
    }
    assert_in_range(writes, 20, 60);
    assert_in_range(gets, 20, 90);
}

/* ---- answers that do not come ---- */

STANDBY_CASE(unknown_acquisition_is_read_first) {
    seen(t, false, rec(10, "", 3, 5));
    struct lease_rec mine = t->o.write.rec;
    snprintf(mine.rv, sizeof(mine.rv), "11");
    t->now += 3 * S;
    assert_int_equal(ev(t, LEASE_EV_UNKNOWN), LEASE_GET);
    assert_int_equal(seen(t, false, mine),
                     LEASE_LEAD | LEASE_RENEWED | LEASE_WRITE); /* it had been; a renewal is due */
    assert_int_equal(lease_fence_ns(t->l), t->now - 3 * S + 10 * S);
    again(t); /* it had not, and may be yet: the same version again, so that only one of both can */
    seen(t, false, rec(10, "", 3, 5));
    t->now += 3 * S;
    assert_int_equal(ev(t, LEASE_EV_UNKNOWN), LEASE_GET);
    assert_int_equal(seen(t, false, rec(10, "", 3, 5)), LEASE_WRITE);
    assert_string_equal(t->o.write.rec.rv, "10");
}

STANDBY_CASE(an_acquisition_too_old_to_lead_on) {
    seen(t, false, rec(10, "", 3, 5));
    struct lease_rec mine = t->o.write.rec;
    snprintf(mine.rv, sizeof(mine.rv), "11");
    t->now += 3 * S;
    ev(t, LEASE_EV_UNKNOWN);
    ev(t, LEASE_EV_READ_FAILED);
    assert_int_equal(pass(t, 8 * S), LEASE_GET);
    writes(t, seen(t, false, mine), LEASE_ACQUIRE); /* ours, but of 11 s ago: renewed before we lead */
    assert_int_equal(t->o.write.rec.transitions, 4);
    assert_int_equal(written(t, 12), LEASE_LEAD | LEASE_RENEWED);
    assert_int_equal(t->o.term, 4);
}

STANDBY_CASE(the_watch_tells_of_our_own_acquisition) {
    on(t, LEASE_EV_WATCH, true);
    seen(t, false, rec(10, "", 3, 5));
    struct lease_rec mine = t->o.write.rec;
    snprintf(mine.rv, sizeof(mine.rv), "11");
    assert_int_equal(seen(t, true, mine), LEASE_LEAD | LEASE_RENEWED);
    assert_int_equal(ev(t, LEASE_EV_UNKNOWN), 0); /* known already: nothing to read */
}

/* ---- trials ---- */

static struct lease_rec for_successor(int rv, const char *name) {
    struct lease_rec r = rec(rv, "", 3, 5);
    snprintf(r.successor, sizeof r.successor, "%s", name);
    snprintf(r.guardian, sizeof r.guardian, "s_u");
    r.trial_us = 7;
    return r;
}

/* Ticks for so long, with the same answer to each read; was the lease contested? */
static bool contests_within(struct t *t, int64_t ns, struct lease_rec r) {
    for (int64_t end = t->now + ns; t->now < end;) {
        unsigned act = pass(t, 100 * MS);
        if (act & LEASE_WRITE) return true;
        if (act & LEASE_GET) act = seen(t, false, r);
        if (act & LEASE_WRITE) return true;
    }
    return false;
}

static void setup_canary(struct t *t) {
    setup_as(t, "c_u_1", true);
}

CASE_WITH(struct t, t, setup_canary, done, a_canary_takes_at_once_what_names_it) {
    assert_int_equal(seen(t, false, for_successor(10, "c_u")), LEASE_WRITE);
    assert_true(t->sent.trial_us == 7 && !strcmp(t->sent.guardian, "s_u") && !t->sent.successor[0]);
}
CASE_WITH(struct t, t, setup_canary, done, a_canary_takes_nothing_else_but_what_nobody_has_for_long) {
    assert_int_equal(seen(t, false, for_successor(10, "c_u2")), 0);
    assert_false(contests_within(t, 59 * S, for_successor(10, "c_u2")));
    assert_true(contests_within(t, 2 * S, for_successor(10, "c_u2")));
    assert_true(!t->sent.trial_us && !t->sent.guardian[0] && !t->sent.successor[0]); /* it is no trial */
}
/* While the API server was away nobody could take it. */
CASE_WITH(struct t, t, setup_canary, done, a_canary_does_not_count_the_time_in_which_it_saw_nothing) {
    assert_int_equal(seen(t, false, rec(10, "s_u_1", 3, 5)), 0);
    unsigned act = pass(t, 3 * S);
    for (int64_t end = t->now + 300 * S; t->now < end || !(act & LEASE_GET); act = pass(t, 100 * MS)) {
        assert_false(act & LEASE_WRITE);
        if (act & LEASE_GET) ev(t, LEASE_EV_READ_FAILED);
    }
    assert_int_equal(seen(t, false, rec(10, "s_u_1", 3, 5)), 0);
    assert_false(contests_within(t, 59 * S, rec(10, "s_u_1", 3, 5)));
    assert_true(contests_within(t, 2 * S, rec(10, "s_u_1", 3, 5)));
}
STANDBY_CASE(stable_leaves_a_release_to_the_one_that_it_names_for_a_moment) {
    assert_int_equal(seen(t, false, for_successor(10, "c_u")), 0);
    assert_false(contests_within(t, 4900 * MS, for_successor(10, "c_u")));
    assert_true(contests_within(t, 300 * MS, for_successor(10, "c_u")));
    assert_true(!t->sent.trial_us && !t->sent.guardian[0] && !t->sent.successor[0]);
}

CASES("leader/lease_acquire")
