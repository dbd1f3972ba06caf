/* How a leader gives the lease back: after its work, whatever happens to the write. */
#include "lease_kit.h"

/* ---- stopping ---- */

LEADER_CASE(drain_and_release) {
    t->now += S;
    assert_int_equal(ev(t, LEASE_EV_STOP), 0);
    for (int i = 0; i < 3; i++) { /* renewed all the while */
        writes(t, pass(t, 2 * S), LEASE_RENEW);
        written(t, 12 + i);
        assert_true(lease_may_mutate(t->l, t->now));
    }
    assert_int_equal(ev(t, LEASE_EV_DRAINED), LEASE_WRITE);
    assert_false(lease_may_mutate(t->l, t->now)); /* shut before the release is sent */
    assert_int_equal(t->o.write.kind, LEASE_RELEASE);
    const struct lease_rec *r = &t->o.write.rec;
    assert_string_equal(r->holder, ""); /* as client-go does it */
    assert_int_equal(r->duration_ns, 1 * S);
    assert_int_equal(r->renew_us, r->acquire_us);
    assert_int_equal(r->transitions, 4);
    assert_string_equal(r->rv, "14");
    ends(t, written(t, 15), LEASE_EXIT, LEASE_R_GIVEN_BACK);
}

LEADER_CASE(release_after_a_renewal_under_way) {
    ev(t, LEASE_EV_STOP);
    assert_int_equal(pass(t, 2 * S), LEASE_WRITE);
    assert_int_equal(ev(t, LEASE_EV_DRAINED), 0); /* one write at a time */
    writes(t, written(t, 12), LEASE_RELEASE);
    assert_string_equal(t->o.write.rec.rv, "12");
}

LEADER_CASE(release_conflicts) {
    ev(t, LEASE_EV_STOP);
    assert_int_equal(ev(t, LEASE_EV_DRAINED), LEASE_WRITE);
    assert_int_equal(ev(t, LEASE_EV_CONFLICT), LEASE_GET); /* whose is it? */
    struct lease_rec edited = *lease_last(t->l);
    snprintf(edited.rv, sizeof(edited.rv), "12");
    writes(t, seen(t, false, edited), LEASE_RELEASE); /* ours, edited by somebody: again */
    ev(t, LEASE_EV_CONFLICT);
    unsigned act = t->act ? t->act : pass(t, t->o.wake_ns - t->now);
    assert_int_equal(act, LEASE_GET);
    act = seen(t, false, rec(13, "other", 5, 9)); /* not ours: never blanked */
    assert_int_equal(act, LEASE_EXIT);
}

LEADER_CASE(release_of_unknown_outcome) {
    ev(t, LEASE_EV_STOP);
    ev(t, LEASE_EV_DRAINED);
    t->now += 3 * S;
    assert_int_equal(ev(t, LEASE_EV_UNKNOWN), LEASE_GET);
    ends(t, seen(t, false, rec(12, "", 4, 9)), LEASE_EXIT, LEASE_R_GIVEN_BACK);
    again_leader(t); /* the server is gone: it is asked until somebody says that it is enough */
    ev(t, LEASE_EV_STOP);
    ev(t, LEASE_EV_DRAINED);
    ev(t, LEASE_EV_FAILED);
    int tries = 0;
    for (int64_t end = t->now + 5 * S; t->now < end; tries++) {
        assert_int_equal(pass(t, t->o.wake_ns - t->now), LEASE_WRITE);
        ev(t, LEASE_EV_FAILED);
    }
    assert_in_range(tries, 3, 12);
    ends(t, ev(t, LEASE_EV_GIVE_UP), LEASE_EXIT, LEASE_R_NOT_RELEASED);
    again_leader(t); /* refused: not asked again */
    ev(t, LEASE_EV_DRAINED);
    ends(t, ev(t, LEASE_EV_REFUSED), LEASE_EXIT, LEASE_R_NOT_RELEASED);
}

/* Self-stopped at the deadline; later the server answers, and the lease is still ours: the successor need not
 * wait. */
LEADER_CASE(release_after_the_deadline) {
    pass(t, 2 * S);
    ev(t, LEASE_EV_FAILED);
    assert_int_equal(pass(t, 8 * S), LEASE_STOP_WORK);
    assert_int_equal(ev(t, LEASE_EV_DRAINED), LEASE_GET);
    struct lease_rec ours = *lease_last(t->l);
    writes(t, seen(t, false, ours), LEASE_RELEASE);
    assert_int_equal(written(t, 13), LEASE_EXIT);
}

CASES("leader/lease_release")
