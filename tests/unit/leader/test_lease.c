/* The lease machine: its configuration, the meaning of errors, clocks, death certificates, standbys. */
#include "lease_kit.h"

/* ---- configuration ---- */

CASE(config) {
    struct err err = {0};
    struct lease_config c = {.identity = "me"};
    assert_int_equal(lease_config_check(&c, &err), 0);
    assert_true(c.lease_ns == 15 * S && c.renew_ns == 10 * S && c.retry_ns == 2 * S);
    c = (struct lease_config){.identity = "me", .lease_ns = 3 * S, .renew_ns = 2 * S, .retry_ns = 500 * MS};
    assert_int_equal(lease_config_check(&c, &err), 0);
    struct {
        struct lease_config c;
        const char *says;
    } bad[] = {
        {{.identity = ""}, "empty"},
        {{.identity = NULL}, "empty"},
        {{.identity = "me", .lease_ns = 10 * S, .renew_ns = 10 * S}, "longer than the renew deadline 10s"},
        {{.identity = "me", .renew_ns = 2 * S}, "1.2 times the retry period 2s"},
        {{.identity = "me", .renew_ns = 2400 * MS}, "1.2 times"},
        {{.identity = "me", .lease_ns = 15500 * MS}, "15.5s: must be whole seconds"},
        {{.identity = "me", .lease_ns = -1}, "negative"},
        {{.identity = "me", .retry_ns = 1 * MS}, "10ms or more"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct lease_config before = bad[i].c;
        assert_int_equal(lease_config_check(&bad[i].c, &err), -EINVAL);
        if (!strstr(err.msg, bad[i].says)) fail_msg("%s", err.msg);
        assert_memory_equal(&before, &bad[i].c, sizeof(before));
    }
    static char longid[LEASE_ID_MAX + 1];
    memset(longid, 'a', LEASE_ID_MAX);
    c = (struct lease_config){.identity = longid};
    assert_int_equal(lease_config_check(&c, &err), -EINVAL);
}

CASE(meaning_of_errors) {
    struct {
        struct err e;
        bool create;
        enum lease_event ev;
    } v[] = {
        {{.kind = ERR_CONFLICT, .http = 409}, false, LEASE_EV_CONFLICT},
        {{.kind = ERR_CONFLICT, .http = 409}, true, LEASE_EV_CONFLICT},
        {{.kind = ERR_NOTFOUND, .http = 404}, false, LEASE_EV_CONFLICT}, /* deleted */
        {{.kind = ERR_NOTFOUND, .http = 404}, true, LEASE_EV_REFUSED},   /* no such namespace */
        {{.kind = ERR_FORBIDDEN, .http = 403}, false, LEASE_EV_FAILED},
        {{.kind = ERR_REJECTED, .http = 422}, false, LEASE_EV_REFUSED},
        {{.kind = ERR_AUTH, .http = 401}, false, LEASE_EV_FAILED},
        {{.kind = ERR_THROTTLED, .http = 429}, false, LEASE_EV_FAILED},
        {{.kind = ERR_THROTTLED, .http = 503}, false, LEASE_EV_UNKNOWN},
        {{.kind = ERR_SERVER, .http = 500}, false, LEASE_EV_UNKNOWN},
        {{.kind = ERR_TIMEOUT}, false, LEASE_EV_UNKNOWN},
        {{.kind = ERR_TRANSPORT, .errnum = -ECONNREFUSED}, false, LEASE_EV_FAILED},
        {{.kind = ERR_TRANSPORT, .errnum = -ECONNRESET}, false, LEASE_EV_UNKNOWN},
        {{.kind = ERR_PROTOCOL}, false, LEASE_EV_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) assert_int_equal(lease_event_of(&v[i].e, v[i].create), v[i].ev);
}

STANDBY_CASE(held_then_expired) {
    seen(t, false, rec(10, "other", 3, 5));
    on(t, LEASE_EV_WATCH, true);
    for (int i = 1; i <= 5; i++) { /* renewed every 2 s: it never expires */
        t->now += 2 * S;
        assert_int_equal(seen(t, true, rec(10 + i, "other", 3, 5 + i)), 0);
    }
    /* Silence. A watch that says nothing while a lease is held is not to be trusted: it is read now and then.
     */
    assert_int_equal(pass(t, 4 * S), LEASE_GET);
    assert_int_equal(seen(t, false, rec(15, "other", 3, 10)), 0); /* no change: the clock goes on */
    assert_int_equal(pass(t, 4 * S), LEASE_GET);
    assert_int_equal(ev(t, LEASE_EV_READ_FAILED), 0);
    assert_int_equal(t->o.wake_ns < t->now + 2 * S, true);
    t->now += 7 * S - 1;
    ev(t, LEASE_EV_TICK);
    if (t->act == LEASE_GET) ev(t, LEASE_EV_READ_FAILED);
    assert_int_equal(t->act, 0);
    t->now += 1;
    unsigned act = ev(t, LEASE_EV_TICK);
    if (!act) act = pass(t, t->o.wake_ns - t->now);
    assert_int_equal(act, LEASE_WRITE);
    assert_string_equal(t->o.write.rec.rv, "15");
    assert_int_equal(t->o.write.rec.transitions, 4);
    ends(t, written(t, 16), LEASE_LEAD | LEASE_RENEWED, LEASE_R_EXPIRED);
    assert_true(t->o.gap_ns >= 15 * S);
}

/* The duration counts that stands in the record: another program may have longer ones. */
STANDBY_CASE(duration_of_the_record) {
    struct lease_rec r = rec(10, "other", 3, 5);
    r.duration_ns = 60 * S;
    seen(t, false, r);
    assert_int_equal(pass(t, 59 * S), LEASE_GET);
    assert_int_equal(pass(t, 1 * S), LEASE_WRITE); /* in place of the GET that nobody answers */
    again(t);
    r.duration_ns = 0; /* none: ours */
    seen(t, false, r);
    assert_int_equal(pass(t, 14 * S), LEASE_GET);
    assert_int_equal(pass(t, 1 * S), LEASE_WRITE);
}

STANDBY_CASE(label_edits_do_not_delay_the_expiry) {
    seen(t, false, rec(10, "other", 3, 5));
    on(t, LEASE_EV_WATCH, true);
    for (int i = 1; i < 15; i++) {
        t->now += S;
        assert_int_equal(seen(t, true, rec(10 + i, "other", 3, 5)), 0);
    }
    assert_int_equal(pass(t, S), LEASE_WRITE);
    assert_string_equal(t->o.write.rec.rv, "24");
}

CASE(not_ready_does_not_contest) {
    struct t t;
    struct lease_config c = {.identity = "me"};
    lease_config_check(&c, NULL);
    t = (struct t){.l = lease_new(&c), .now = 1000 * S};
    assert_int_equal(ev(&t, LEASE_EV_TICK), LEASE_GET);
    assert_int_equal(seen(&t, false, rec(10, "", 3, 5)), 0);
    assert_int_equal(pass(&t, 60 * S), LEASE_GET);
    ev(&t, LEASE_EV_READ_FAILED);
    t.now += 3 * S;
    assert_int_equal(on(&t, LEASE_EV_READY, true), LEASE_WRITE);
    done(&t);
}

LEADER_CASE(clock_jumps) {
    t->wall_off = 86400 * S * 365; /* the wall clock may do what it likes */
    assert_int_equal(pass(t, 2 * S), LEASE_WRITE);
    assert_int_equal(written(t, 12), LEASE_RENEWED);
    t->wall_off = -WALL - 5000 * S; /* before 1970 */
    assert_int_equal(pass(t, 2 * S), LEASE_WRITE);
    assert_true(t->o.write.rec.renew_us > 0);
    assert_int_equal(written(t, 13), LEASE_RENEWED);
    int64_t fence = lease_fence_ns(t->l);
    t->now -= 500 * S; /* a boot clock never goes back; if it does, time stands still for us */
    ev(t, LEASE_EV_TICK);
    assert_int_equal(lease_fence_ns(t->l), fence);
    t->now += 500 * S;
    assert_int_equal(pass(t, 2 * S), LEASE_WRITE);
    again(t); /* a holder whose clock is a year ahead, or behind, is judged by our time */
    struct lease_rec r = rec(10, "other", 3, (WALL + 86400 * S * 365) / 1000);
    seen(t, false, r);
    assert_int_equal(pass(t, 14 * S) & LEASE_WRITE, 0);
    assert_int_equal(pass(t, 1 * S), LEASE_WRITE);
}

/* ---- certificates ---- */

STANDBY_CASE(death_certificate) {
    on(t, LEASE_EV_WATCH, true);
    seen(t, false, rec(10, "other", 3, 5));
    t->now += S;
    assert_int_equal(step(t, (struct lease_in){.ev = LEASE_EV_DEAD, .holder = SL("somebody")}), 0);
    assert_int_equal(step(t, (struct lease_in){.ev = LEASE_EV_DEAD, .holder = SL("other")}), LEASE_WRITE);
    assert_string_equal(t->o.write.rec.rv, "10");
    /* a renewal of its own was still under way and came first: it is no less dead */
    assert_int_equal(ev(t, LEASE_EV_CONFLICT), LEASE_GET);
    assert_int_equal(seen(t, false, rec(11, "other", 3, 6)), LEASE_WRITE);
    ends(t, written(t, 12), LEASE_LEAD | LEASE_RENEWED, LEASE_R_DEAD);
    /* we ourselves are never dead */
    step(t, (struct lease_in){.ev = LEASE_EV_DEAD, .holder = SL("me")});
    assert_true(lease_leading(t->l));
}

STANDBY_CASE(stop_of_a_standby) {
    ends(t, ev(t, LEASE_EV_STOP), LEASE_EXIT, LEASE_R_NOT_HELD);
    again(t); /* standing by */
    seen(t, false, rec(10, "other", 3, 5));
    assert_int_equal(ev(t, LEASE_EV_STOP), LEASE_EXIT);
    again(t); /* in the middle of an acquisition, which succeeds: given back at once, never led */
    assert_int_equal(seen(t, false, rec(10, "", 3, 5)), LEASE_WRITE);
    assert_int_equal(ev(t, LEASE_EV_STOP), 0);
    writes(t, written(t, 11), LEASE_RELEASE);
    assert_int_equal(t->o.write.rec.transitions, 4);
    ends(t, written(t, 12), LEASE_EXIT, LEASE_R_GIVEN_BACK);
    again(t); /* ... whose outcome is not known */
    seen(t, false, rec(10, "", 3, 5));
    ev(t, LEASE_EV_STOP);
    assert_int_equal(ev(t, LEASE_EV_UNKNOWN), LEASE_GET);
    assert_int_equal(seen(t, false, rec(10, "", 3, 5)), LEASE_EXIT);
    again(t);
    seen(t, false, rec(10, "", 3, 5));
    ev(t, LEASE_EV_STOP);
    ends(t, ev(t, LEASE_EV_GIVE_UP), LEASE_EXIT, LEASE_R_NOT_RELEASED);
}

/* ---- polling ---- */

STANDBY_CASE(polling_without_a_watch) {
    assert_int_equal(seen(t, false, rec(10, "other", 3, 5)), 0);
    int gets = 0;
    for (int64_t end = t->now + 60 * S; t->now < end;) {
        unsigned act = pass(t, t->o.wake_ns - t->now);
        t->rnd += 999999937;
        if (act & LEASE_GET) {
            gets++;
            assert_int_equal(seen(t, false, rec(10 + gets, "other", 3, 5 + gets)), 0);
        }
    }
    assert_in_range(gets, 25, 31);
    on(t, LEASE_EV_WATCH, true); /* a watch that delivers: nothing is polled */
    for (int i = 0; i < 10; i++) {
        t->now += 2 * S;
        assert_int_equal(seen(t, true, rec(100 + i, "other", 3, 100 + i)), 0);
    }
    on(t, LEASE_EV_WATCH, false); /* cut: polled soon */
    assert_in_range(t->o.wake_ns - t->now, 1, 2 * S);
}

/* A connection that nothing was sent on for two minutes is not used again (libcurl), or has been closed by
 * something in between: a standby keeps its own warm, so that no handshake stands between two leaders. */
STANDBY_CASE(a_standby_keeps_its_connection_warm) {
    on(t, LEASE_EV_WATCH, true);
    assert_int_equal(seen(t, false, rec(10, "other", 3, 5)), 0);
    int gets = 0;
    int64_t last = t->now;
    for (int i = 1; i <= 300; i++) { /* ten minutes of a watch that delivers every renewal */
        int64_t due = t->now + 2 * S;
        while (t->o.wake_ns <= due) {
            t->rnd += 999999937;
            if (!(pass(t, t->o.wake_ns - t->now) & LEASE_GET)) continue;
            gets++;
            assert_in_range(t->now - last, 20 * S, 30 * S);
            last = t->now;
            assert_int_equal(seen(t, false, *lease_last(t->l)), 0);
        }
        t->now = due;
        assert_int_equal(seen(t, true, rec(10 + i, "other", 3, 5 + i)), 0);
    }
    assert_in_range(gets, 20, 30);
}

CASES("leader/lease")
