/* A leader renews, meets errors, and finds that it leads no longer. */
#include "lease_kit.h"

/* ---- leading ---- */

LEADER_CASE(renewal) {
    assert_int_equal(t->o.wake_ns, t->now + 2 * S);
    int64_t acquired = lease_last(t->l)->acquire_us;
    for (int i = 0; i < 5; i++) {
        writes(t, pass(t, 2 * S), LEASE_RENEW);
        assert_int_equal(t->o.write.rec.acquire_us, acquired);
        assert_int_equal(t->o.write.rec.transitions, 4);
        t->now += 5 * MS;
        assert_int_equal(written(t, 12 + i), LEASE_RENEWED);
        assert_int_equal(t->o.renewed_at, t->now - 5 * MS);
        assert_int_equal(lease_fence_ns(t->l), t->now - 5 * MS + 10 * S);
        t->now -= 5 * MS;
    }
    assert_int_equal(ev(t, LEASE_EV_RENEW), LEASE_WRITE); /* a checkpoint to be written */
    written(t, 20);
    assert_int_equal(pass(t, 1 * S), 0);
}

LEADER_CASE(errors_while_renewing) {
    int64_t began = t->now;
    unsigned act = pass(t, 2 * S);
    int tries = 0;
    while (!(act & LEASE_STOP_WORK)) {
        if (act & LEASE_WRITE)
            act = ev(t, ++tries % 2 ? LEASE_EV_FAILED : LEASE_EV_REFUSED);
        else
            act = pass(t, t->o.wake_ns - t->now);
        if (!(act & LEASE_STOP_WORK)) assert_true(lease_may_mutate(t->l, t->now));
    }
    assert_int_equal(t->now, began + 10 * S); /* on the deadline, before anybody else can take it */
    assert_int_equal(t->o.reason, LEASE_R_DEADLINE);
    assert_in_range(tries, 4, 10);
    assert_false(lease_may_mutate(t->l, t->now - 1));
    again_leader(t); /* one success on the way and all is well */
    act = pass(t, 2 * S);
    for (int i = 0; i < 4; i++) {
        ev(t, LEASE_EV_FAILED);
        pass(t, t->o.wake_ns - t->now);
    }
    assert_int_equal(written(t, 12), LEASE_RENEWED);
    assert_int_equal(pass(t, 2 * S), LEASE_WRITE);
}

LEADER_CASE(retry_after_never_delays_a_leader_for_long) {
    pass(t, 2 * S);
    assert_int_equal(step(t, (struct lease_in){.ev = LEASE_EV_FAILED, .retry_after_ns = 60 * S}), 0);
    assert_int_equal(t->o.wake_ns, t->now + 2 * S);
    again(t); /* a standby waits, but not for ever */
    step(t, (struct lease_in){.ev = LEASE_EV_READ_FAILED, .retry_after_ns = 5 * S});
    assert_int_equal(t->o.wake_ns, t->now + 5 * S);
    assert_int_equal(pass(t, 5 * S), LEASE_GET);
    step(t, (struct lease_in){.ev = LEASE_EV_READ_FAILED, .retry_after_ns = 3600 * S});
    assert_int_equal(t->o.wake_ns, t->now + 30 * S);
}

/* Somebody edits a label of our Lease: the next renewal conflicts, reads and writes again, and keeps the
 * edit. */
LEADER_CASE(renewal_fallback) {
    struct lease_rec edited = *lease_last(t->l);
    snprintf(edited.rv, sizeof(edited.rv), "12");
    int64_t fence = lease_fence_ns(t->l);
    assert_int_equal(pass(t, 2 * S), LEASE_WRITE);
    assert_int_equal(ev(t, LEASE_EV_CONFLICT), LEASE_GET);
    assert_int_equal(step(t, (struct lease_in){.ev = LEASE_EV_SEEN, .rec = &edited, .raw = SL("{\"a\":1}")}),
                     LEASE_WRITE);
    assert_int_equal(lease_fence_ns(t->l), fence); /* a new version alone is no renewal */
    assert_string_equal(t->o.write.rec.rv, "12");
    assert_true(slice_eqs(lease_raw(t->l), "{\"a\":1}"));
    assert_int_equal(written(t, 13), LEASE_RENEWED);
    /* or the watch has told before: no detour at all */
    edited = *lease_last(t->l);
    snprintf(edited.rv, sizeof(edited.rv), "14");
    assert_int_equal(seen(t, true, edited), 0);
    assert_int_equal(pass(t, 2 * S), LEASE_WRITE);
    assert_string_equal(t->o.write.rec.rv, "14");
}

/* A renewal timed out, executed or not: its renewTime shows whether the lease was renewed. */
LEADER_CASE(unknown_renewal) {
    int64_t fence = lease_fence_ns(t->l);
    pass(t, 2 * S);
    struct lease_rec mine = t->o.write.rec;
    t->now += 3 * S;
    assert_int_equal(ev(t, LEASE_EV_UNKNOWN), LEASE_GET);
    struct lease_rec before = *lease_last(t->l);
    assert_int_equal(seen(t, false, before), LEASE_WRITE);
    assert_int_equal(lease_fence_ns(t->l), fence);
    t->now += S;
    ev(t, LEASE_EV_CONFLICT); /* the first one came through in the end */
    assert_int_equal(pass(t, t->o.wake_ns - t->now), LEASE_GET);
    snprintf(mine.rv, sizeof(mine.rv), "12");
    assert_int_equal(seen(t, false, mine) & LEASE_RENEWED, LEASE_RENEWED);
    assert_int_equal(lease_fence_ns(t->l), fence + 2 * S);
}

LEADER_CASE(renew_times_are_never_equal) {
    int64_t last = lease_last(t->l)->renew_us;
    for (int i = 0; i < 20; i++) { /* the wall clock stands still, or goes back */
        t->wall_off -= 2 * S + (i > 10 ? 3600 * S : 0);
        assert_int_equal(pass(t, 2 * S), LEASE_WRITE);
        assert_true(t->o.write.rec.renew_us != last);
        last = t->o.write.rec.renew_us;
        assert_int_equal(written(t, 12 + i), LEASE_RENEWED);
    }
}

/* ---- losing ---- */

LEADER_CASE(lost_to_another) {
    ends(t, seen(t, true, rec(12, "other", 5, 9)), LEASE_STOP_WORK, LEASE_R_TAKEN);
    assert_false(lease_may_mutate(t->l, t->now));
    assert_false(lease_leading(t->l));
    assert_int_equal(pass(t, 5 * S), 0);                         /* no write, ever */
    ends(t, ev(t, LEASE_EV_DRAINED), LEASE_EXIT, LEASE_R_TAKEN); /* no release: it is not ours */
    assert_true(lease_over(t->l));
    assert_int_equal(ev(t, LEASE_EV_TICK), 0);
    again_leader(t); /* found out by a conflict */
    pass(t, 2 * S);
    assert_int_equal(ev(t, LEASE_EV_CONFLICT), LEASE_GET);
    assert_int_equal(seen(t, false, rec(12, "other", 5, 9)), LEASE_STOP_WORK);
}

LEADER_CASE(old_news_do_not_unseat) {
    assert_int_equal(seen(t, true, rec(9, "other", 3, 4)), 0); /* a watch that lags, or a list from a cache */
    assert_int_equal(seen(t, true, rec(10, "", 3, 5)), 0);
    assert_true(lease_leading(t->l));
    assert_int_equal(step(t, (struct lease_in){.ev = LEASE_EV_ABSENT, .watched = true}),
                     LEASE_GET); /* is it? */
    assert_int_equal(seen(t, false, *lease_last(t->l)), 0);
    struct lease_rec odd = rec(0, "other", 9, 9); /* a version that is no number proves nothing: read */
    snprintf(odd.rv, sizeof(odd.rv), "x7");
    assert_int_equal(seen(t, true, odd), LEASE_GET);
    assert_true(lease_leading(t->l));
}

/* The server was restored from a backup: its versions went back, and its word counts. */
LEADER_CASE(server_that_went_back) {
    pass(t, 2 * S);
    assert_int_equal(ev(t, LEASE_EV_CONFLICT), LEASE_GET);
    assert_int_equal(seen(t, false, rec(5, "older", 2, 3)), LEASE_STOP_WORK);
    again(t); /* but a read that is older than the watch is dropped */
    seen(t, false, rec(10, "other", 3, 5));
    assert_int_equal(pass(t, 3 * S), LEASE_GET);
    assert_int_equal(seen(t, true, rec(12, "other", 3, 7)), 0);
    assert_int_equal(seen(t, false, rec(11, "other", 3, 6)), 0);
    assert_string_equal(lease_last(t->l)->rv, "12");
}

LEADER_CASE(deleted_under_the_leader) {
    assert_int_equal(step(t, (struct lease_in){.ev = LEASE_EV_ABSENT, .watched = true}), LEASE_GET);
    assert_int_equal(ev(t, LEASE_EV_ABSENT), LEASE_WRITE);
    assert_true(t->o.write.create);
    assert_int_equal(t->o.write.rec.transitions, 4); /* the term goes on */
    assert_string_equal(t->o.write.rec.rv, "");
    assert_int_equal(written(t, 20), LEASE_RENEWED);
}

/* Stopped for a minute (SIGSTOP, suspend): whatever it hears first, it neither writes nor releases. */
CASE(paused_ex_leader) {
    for (int first = 0; first < 5; first++) {
        struct t t;
        setup_leader(&t);
        pass(&t, 2 * S);
        struct lease_rec mine = t.o.write.rec;
        snprintf(mine.rv, sizeof(mine.rv), "12");
        t.now += 60 * S;
        assert_false(lease_may_mutate(t.l, t.now)); /* before it has heard anything */
        unsigned act = 0;
        switch (first) {
        case 0: act = ev(&t, LEASE_EV_TICK); break;
        case 1:
            act = step(&t, (struct lease_in){.ev = LEASE_EV_WRITTEN, .rec = &mine});
            break; /* of a minute ago */
        case 2: act = ev(&t, LEASE_EV_UNKNOWN); break;
        case 3: act = ev(&t, LEASE_EV_STOP); break;
        default: act = seen(&t, true, rec(13, "other", 5, 9)); break;
        }
        assert_int_equal(act, LEASE_STOP_WORK);
        assert_false(lease_may_mutate(t.l, t.now));
        act = ev(&t, LEASE_EV_DRAINED);
        if (first == 0 || first == 3) act = ev(&t, LEASE_EV_UNKNOWN); /* the write under way is waited for */
        if (first != 4) {
            assert_int_equal(act, LEASE_GET); /* memory counts for nothing: is it ours? */
            act = seen(&t, false, rec(13, "other", 5, 9));
        }
        assert_int_equal(act, LEASE_EXIT);
        assert_int_equal(t.o.reason, LEASE_R_TAKEN);
        done(&t);
    }
}

CASES("leader/lease_lead")
