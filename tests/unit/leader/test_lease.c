#include "leader/lease.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define S    NS_PER_S
#define MS   NS_PER_MS
#define WALL (INT64_C(1767225600) * S)

/* One candidate "me" with a hand on everything that it hears. Time goes on only when a test says so. */
struct t {
    struct lease *l;
    struct lease_out o;
    struct lease_rec sent; /* the last write */
    int64_t now, wall_off;
    uint64_t rnd;
};

static unsigned step(struct t *t, struct lease_in in) {
    in.boot_ns = t->now;
    in.wall_ns = WALL + t->now + t->wall_off;
    in.rnd = t->rnd;
    lease_step(t->l, &in, &t->o);
    if (t->o.act & LEASE_WRITE) t->sent = t->o.write.rec;
    return t->o.act;
}

static unsigned ev(struct t *t, enum lease_event e) {
    return step(t, (struct lease_in){.ev = e});
}

static unsigned on(struct t *t, enum lease_event e, bool is) {
    return step(t, (struct lease_in){.ev = e, .on = is});
}

static struct lease_rec rec(int rv, const char *holder, int64_t term, int64_t renew_us) {
    struct lease_rec r = {
        .uid = "u", .duration_ns = 15 * S, .acquire_us = 1, .renew_us = renew_us, .transitions = term};
    snprintf(r.rv, sizeof(r.rv), "%d", rv);
    snprintf(r.holder, sizeof(r.holder), "%s", holder);
    return r;
}

static unsigned seen(struct t *t, bool watched, struct lease_rec r) {
    return step(t, (struct lease_in){.ev = LEASE_EV_SEEN, .watched = watched, .rec = &r});
}

/* The server carries out what was asked for, and it gets version rv. */
static unsigned written(struct t *t, int rv) {
    struct lease_rec r = t->sent;
    snprintf(r.rv, sizeof(r.rv), "%d", rv);
    return step(t, (struct lease_in){.ev = LEASE_EV_WRITTEN, .rec = &r});
}

static unsigned pass(struct t *t, int64_t ns) {
    t->now += ns;
    return ev(t, LEASE_EV_TICK);
}

static void setup(struct t *t) {
    struct lease_config c = {.identity = "me"};
    struct err err;
    assert_int_equal(lease_config_check(&c, &err), 0);
    *t = (struct t){.l = lease_new(&c), .now = 1000 * S};
    assert_int_equal(on(t, LEASE_EV_READY, true), LEASE_GET);
}

/* A leader, in term 4, after a release; its last write has version 11. */
static void setup_leader(struct t *t) {
    setup(t);
    assert_int_equal(seen(t, false, rec(10, "", 3, 5)), LEASE_WRITE);
    assert_int_equal(written(t, 11), LEASE_LEAD | LEASE_RENEWED);
    assert_int_equal(on(t, LEASE_EV_WATCH, true), 0);
}

static void done(struct t *t) {
    lease_free(t->l);
}

/* ---- configuration ---- */

static void test_config(void **state) {
    (void)state;
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

static void test_meaning_of_errors(void **state) {
    (void)state;
    struct {
        struct err e;
        bool create;
        enum lease_event ev;
    } v[] = {
        {{.kind = ERR_CONFLICT, .http = 409}, false, LEASE_EV_CONFLICT},
        {{.kind = ERR_CONFLICT, .http = 409}, true, LEASE_EV_CONFLICT},
        {{.kind = ERR_NOTFOUND, .http = 404}, false, LEASE_EV_CONFLICT}, /* deleted */
        {{.kind = ERR_NOTFOUND, .http = 404}, true, LEASE_EV_REFUSED},   /* no such namespace */
        {{.kind = ERR_FORBIDDEN, .http = 403}, false, LEASE_EV_REFUSED},
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

/* ---- acquiring ---- */

static void test_acquire_from_absent(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    assert_int_equal(ev(&t, LEASE_EV_ABSENT), LEASE_WRITE);
    assert_true(t.o.write.create);
    assert_int_equal(t.o.write.kind, LEASE_ACQUIRE);
    assert_string_equal(t.o.write.rec.holder, "me");
    assert_int_equal(t.o.write.rec.transitions, 0);
    assert_int_equal(t.o.write.rec.duration_ns, 15 * S);
    assert_int_equal(t.o.write.rec.acquire_us, t.o.write.rec.renew_us);
    assert_int_equal(t.o.write.rec.renew_us, (WALL + t.now) / 1000);
    assert_false(lease_may_mutate(t.l, t.now));
    t.now += 3 * MS;
    assert_int_equal(written(&t, 1), LEASE_LEAD | LEASE_RENEWED);
    assert_int_equal(t.o.reason, LEASE_R_ABSENT);
    assert_int_equal(t.o.term, 0);
    assert_int_equal(t.o.gap_ns, -1);
    assert_true(lease_may_mutate(t.l, t.now));
    done(&t);
}

static void test_acquire_released_by_the_watch(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    assert_int_equal(seen(&t, false, rec(10, "other", 3, 5)), 0);
    on(&t, LEASE_EV_WATCH, true);
    t.now += S;
    t.rnd = 12345;
    assert_int_equal(seen(&t, true, rec(11, "", 3, 6)), LEASE_WRITE); /* at once, no jitter */
    assert_false(t.o.write.create);
    assert_string_equal(t.o.write.rec.rv, "11");
    assert_int_equal(t.o.write.rec.transitions, 4);
    t.now += 3 * MS;
    assert_int_equal(written(&t, 12), LEASE_LEAD | LEASE_RENEWED);
    assert_int_equal(t.o.reason, LEASE_R_RELEASED);
    assert_int_equal(t.o.term, 4);
    assert_int_equal(t.o.gap_ns, 3 * MS);
    assert_int_equal(lease_fence_ns(t.l),
                     t.now - 3 * MS + 10 * S); /* from the decision, not from the answer */
    done(&t);
}

static void test_held_then_expired(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    seen(&t, false, rec(10, "other", 3, 5));
    on(&t, LEASE_EV_WATCH, true);
    for (int i = 1; i <= 5; i++) { /* renewed every 2 s: it never expires */
        t.now += 2 * S;
        assert_int_equal(seen(&t, true, rec(10 + i, "other", 3, 5 + i)), 0);
    }
    /* Silence. A watch that says nothing while a lease is held is not to be trusted: it is read now and then.
     */
    assert_int_equal(pass(&t, 4 * S), LEASE_GET);
    assert_int_equal(seen(&t, false, rec(15, "other", 3, 10)), 0); /* no change: the clock goes on */
    assert_int_equal(pass(&t, 4 * S), LEASE_GET);
    assert_int_equal(ev(&t, LEASE_EV_READ_FAILED), 0);
    assert_int_equal(t.o.wake_ns < t.now + 2 * S, true);
    t.now += 7 * S - 1;
    ev(&t, LEASE_EV_TICK);
    if (t.o.act == LEASE_GET) ev(&t, LEASE_EV_READ_FAILED);
    assert_int_equal(t.o.act, 0);
    t.now += 1;
    unsigned act = ev(&t, LEASE_EV_TICK);
    if (!act) act = pass(&t, t.o.wake_ns - t.now);
    assert_int_equal(act, LEASE_WRITE);
    assert_string_equal(t.o.write.rec.rv, "15");
    assert_int_equal(t.o.write.rec.transitions, 4);
    assert_int_equal(written(&t, 16), LEASE_LEAD | LEASE_RENEWED);
    assert_int_equal(t.o.reason, LEASE_R_EXPIRED);
    assert_true(t.o.gap_ns >= 15 * S);
    done(&t);
}

/* The duration counts that stands in the record: another program may have longer ones. */
static void test_duration_of_the_record(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    struct lease_rec r = rec(10, "other", 3, 5);
    r.duration_ns = 60 * S;
    seen(&t, false, r);
    assert_int_equal(pass(&t, 59 * S), LEASE_GET);
    assert_int_equal(pass(&t, 1 * S), LEASE_WRITE); /* in place of the GET that nobody answers */
    done(&t);
    setup(&t);
    r.duration_ns = 0; /* none: ours */
    seen(&t, false, r);
    assert_int_equal(pass(&t, 14 * S), LEASE_GET);
    assert_int_equal(pass(&t, 1 * S), LEASE_WRITE);
    done(&t);
}

static void test_label_edits_do_not_delay_the_expiry(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    seen(&t, false, rec(10, "other", 3, 5));
    on(&t, LEASE_EV_WATCH, true);
    for (int i = 1; i < 15; i++) {
        t.now += S;
        assert_int_equal(seen(&t, true, rec(10 + i, "other", 3, 5)), 0);
    }
    assert_int_equal(pass(&t, S), LEASE_WRITE);
    assert_string_equal(t.o.write.rec.rv, "24");
    done(&t);
}

static void test_not_ready_does_not_contest(void **state) {
    (void)state;
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

/* Several contest: the loser reads, sees the winner and stands by. */
static void test_lost_contest(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    assert_int_equal(seen(&t, false, rec(10, "", 3, 5)), LEASE_WRITE);
    assert_int_equal(ev(&t, LEASE_EV_CONFLICT), LEASE_GET);
    assert_int_equal(seen(&t, false, rec(11, "other", 4, 6)), 0);
    on(&t, LEASE_EV_WATCH, true);
    /* and the next time there is no backoff left over from this one */
    t.now += S;
    assert_int_equal(seen(&t, true, rec(12, "", 4, 7)), LEASE_WRITE);
    assert_int_equal(t.o.write.rec.transitions, 5);
    /* the watch is faster than the answer of the conflict: no read is needed */
    assert_int_equal(seen(&t, true, rec(13, "other", 5, 8)), 0);
    assert_int_equal(ev(&t, LEASE_EV_CONFLICT), 0);
    done(&t);
}

static void test_conflicts_without_end_step_back(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    int rv = 10, writes = 0, gets = 0;
    unsigned act = seen(&t, false, rec(rv, "", 3, 5));
    int64_t end = t.now + 60 * S;
    while (t.now < end) {
        writes += (act & LEASE_WRITE) != 0;
        gets += (act & LEASE_GET) != 0;
        t.rnd = 1;
        if (act & LEASE_WRITE)
            act = ev(&t, LEASE_EV_CONFLICT);
        else if (act & LEASE_GET)
            act = seen(&t, false, rec(++rv, "", 3, 5));
        else
            act = pass(&t, t.o.wake_ns - t.now);
    }
    assert_in_range(writes, 20, 60);
    assert_in_range(gets, 20, 90);
    done(&t);
}

/* ---- answers that do not come ---- */

static void test_unknown_acquisition_is_read_first(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    seen(&t, false, rec(10, "", 3, 5));
    struct lease_rec mine = t.o.write.rec;
    snprintf(mine.rv, sizeof(mine.rv), "11");
    t.now += 3 * S;
    assert_int_equal(ev(&t, LEASE_EV_UNKNOWN), LEASE_GET);
    assert_int_equal(seen(&t, false, mine),
                     LEASE_LEAD | LEASE_RENEWED | LEASE_WRITE); /* it had been; a renewal is due */
    assert_int_equal(lease_fence_ns(t.l), t.now - 3 * S + 10 * S);
    done(&t);
    setup(&t); /* it had not, and may be yet: the same version again, so that only one of both can */
    seen(&t, false, rec(10, "", 3, 5));
    t.now += 3 * S;
    assert_int_equal(ev(&t, LEASE_EV_UNKNOWN), LEASE_GET);
    assert_int_equal(seen(&t, false, rec(10, "", 3, 5)), LEASE_WRITE);
    assert_string_equal(t.o.write.rec.rv, "10");
    done(&t);
}

static void test_an_acquisition_too_old_to_lead_on(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    seen(&t, false, rec(10, "", 3, 5));
    struct lease_rec mine = t.o.write.rec;
    snprintf(mine.rv, sizeof(mine.rv), "11");
    t.now += 3 * S;
    ev(&t, LEASE_EV_UNKNOWN);
    ev(&t, LEASE_EV_READ_FAILED);
    assert_int_equal(pass(&t, 8 * S), LEASE_GET);
    assert_int_equal(seen(&t, false, mine), LEASE_WRITE); /* ours, but of 11 s ago: renewed before we lead */
    assert_int_equal(t.o.write.kind, LEASE_ACQUIRE);
    assert_int_equal(t.o.write.rec.transitions, 4);
    assert_int_equal(written(&t, 12), LEASE_LEAD | LEASE_RENEWED);
    assert_int_equal(t.o.term, 4);
    done(&t);
}

static void test_the_watch_tells_of_our_own_acquisition(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    on(&t, LEASE_EV_WATCH, true);
    seen(&t, false, rec(10, "", 3, 5));
    struct lease_rec mine = t.o.write.rec;
    snprintf(mine.rv, sizeof(mine.rv), "11");
    assert_int_equal(seen(&t, true, mine), LEASE_LEAD | LEASE_RENEWED);
    assert_int_equal(ev(&t, LEASE_EV_UNKNOWN), 0); /* known already: nothing to read */
    done(&t);
}

/* ---- leading ---- */

static void test_renewal(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    assert_int_equal(t.o.wake_ns, t.now + 2 * S);
    int64_t acquired = lease_last(t.l)->acquire_us;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(pass(&t, 2 * S), LEASE_WRITE);
        assert_int_equal(t.o.write.kind, LEASE_RENEW);
        assert_int_equal(t.o.write.rec.acquire_us, acquired);
        assert_int_equal(t.o.write.rec.transitions, 4);
        t.now += 5 * MS;
        assert_int_equal(written(&t, 12 + i), LEASE_RENEWED);
        assert_int_equal(t.o.renewed_at, t.now - 5 * MS);
        assert_int_equal(lease_fence_ns(t.l), t.now - 5 * MS + 10 * S);
        t.now -= 5 * MS;
    }
    assert_int_equal(ev(&t, LEASE_EV_RENEW), LEASE_WRITE); /* a checkpoint to be written */
    written(&t, 20);
    assert_int_equal(pass(&t, 1 * S), 0);
    done(&t);
}

static void test_errors_while_renewing(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    int64_t began = t.now;
    unsigned act = pass(&t, 2 * S);
    int tries = 0;
    while (!(act & LEASE_STOP_WORK)) {
        if (act & LEASE_WRITE)
            act = ev(&t, ++tries % 2 ? LEASE_EV_FAILED : LEASE_EV_REFUSED);
        else
            act = pass(&t, t.o.wake_ns - t.now);
        if (!(act & LEASE_STOP_WORK)) assert_true(lease_may_mutate(t.l, t.now));
    }
    assert_int_equal(t.now, began + 10 * S); /* on the deadline, before anybody else can take it */
    assert_int_equal(t.o.reason, LEASE_R_DEADLINE);
    assert_in_range(tries, 4, 10);
    assert_false(lease_may_mutate(t.l, t.now - 1));
    done(&t);
    setup_leader(&t); /* one success on the way and all is well */
    act = pass(&t, 2 * S);
    for (int i = 0; i < 4; i++) {
        ev(&t, LEASE_EV_FAILED);
        pass(&t, t.o.wake_ns - t.now);
    }
    assert_int_equal(written(&t, 12), LEASE_RENEWED);
    assert_int_equal(pass(&t, 2 * S), LEASE_WRITE);
    done(&t);
}

static void test_retry_after_never_delays_a_leader_for_long(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    pass(&t, 2 * S);
    assert_int_equal(step(&t, (struct lease_in){.ev = LEASE_EV_FAILED, .retry_after_ns = 60 * S}), 0);
    assert_int_equal(t.o.wake_ns, t.now + 2 * S);
    done(&t);
    setup(&t); /* a standby waits, but not for ever */
    step(&t, (struct lease_in){.ev = LEASE_EV_READ_FAILED, .retry_after_ns = 5 * S});
    assert_int_equal(t.o.wake_ns, t.now + 5 * S);
    assert_int_equal(pass(&t, 5 * S), LEASE_GET);
    step(&t, (struct lease_in){.ev = LEASE_EV_READ_FAILED, .retry_after_ns = 3600 * S});
    assert_int_equal(t.o.wake_ns, t.now + 30 * S);
    done(&t);
}

/* Somebody edits a label of our Lease: the next renewal conflicts, reads and writes again, and keeps the
 * edit. */
static void test_renewal_fallback(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    struct lease_rec edited = *lease_last(t.l);
    snprintf(edited.rv, sizeof(edited.rv), "12");
    int64_t fence = lease_fence_ns(t.l);
    assert_int_equal(pass(&t, 2 * S), LEASE_WRITE);
    assert_int_equal(ev(&t, LEASE_EV_CONFLICT), LEASE_GET);
    assert_int_equal(step(&t, (struct lease_in){.ev = LEASE_EV_SEEN, .rec = &edited, .raw = SL("{\"a\":1}")}),
                     LEASE_WRITE);
    assert_int_equal(lease_fence_ns(t.l), fence); /* a new version alone is no renewal */
    assert_string_equal(t.o.write.rec.rv, "12");
    assert_true(slice_eqs(lease_raw(t.l), "{\"a\":1}"));
    assert_int_equal(written(&t, 13), LEASE_RENEWED);
    /* or the watch has told before: no detour at all */
    edited = *lease_last(t.l);
    snprintf(edited.rv, sizeof(edited.rv), "14");
    assert_int_equal(seen(&t, true, edited), 0);
    assert_int_equal(pass(&t, 2 * S), LEASE_WRITE);
    assert_string_equal(t.o.write.rec.rv, "14");
    done(&t);
}

/* A renewal timed out, executed or not: whether the lease was renewed is told by its renewTime. */
static void test_unknown_renewal(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    int64_t fence = lease_fence_ns(t.l);
    pass(&t, 2 * S);
    struct lease_rec mine = t.o.write.rec;
    t.now += 3 * S;
    assert_int_equal(ev(&t, LEASE_EV_UNKNOWN), LEASE_GET);
    struct lease_rec before = *lease_last(t.l);
    assert_int_equal(seen(&t, false, before), LEASE_WRITE);
    assert_int_equal(lease_fence_ns(t.l), fence);
    t.now += S;
    ev(&t, LEASE_EV_CONFLICT); /* the first one came through in the end */
    assert_int_equal(pass(&t, t.o.wake_ns - t.now), LEASE_GET);
    snprintf(mine.rv, sizeof(mine.rv), "12");
    assert_int_equal(seen(&t, false, mine) & LEASE_RENEWED, LEASE_RENEWED);
    assert_int_equal(lease_fence_ns(t.l), fence + 2 * S);
    done(&t);
}

static void test_renew_times_are_never_equal(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    int64_t last = lease_last(t.l)->renew_us;
    for (int i = 0; i < 20; i++) { /* the wall clock stands still, or goes back */
        t.wall_off -= 2 * S + (i > 10 ? 3600 * S : 0);
        assert_int_equal(pass(&t, 2 * S), LEASE_WRITE);
        assert_true(t.o.write.rec.renew_us != last);
        last = t.o.write.rec.renew_us;
        assert_int_equal(written(&t, 12 + i), LEASE_RENEWED);
    }
    done(&t);
}

/* ---- losing ---- */

static void test_lost_to_another(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    assert_int_equal(seen(&t, true, rec(12, "other", 5, 9)), LEASE_STOP_WORK);
    assert_int_equal(t.o.reason, LEASE_R_TAKEN);
    assert_false(lease_may_mutate(t.l, t.now));
    assert_false(lease_leading(t.l));
    assert_int_equal(pass(&t, 5 * S), 0);                   /* no write, ever */
    assert_int_equal(ev(&t, LEASE_EV_DRAINED), LEASE_EXIT); /* no release: it is not ours */
    assert_int_equal(t.o.reason, LEASE_R_TAKEN);
    assert_true(lease_over(t.l));
    assert_int_equal(ev(&t, LEASE_EV_TICK), 0);
    done(&t);
    setup_leader(&t); /* found out by a conflict */
    pass(&t, 2 * S);
    assert_int_equal(ev(&t, LEASE_EV_CONFLICT), LEASE_GET);
    assert_int_equal(seen(&t, false, rec(12, "other", 5, 9)), LEASE_STOP_WORK);
    done(&t);
}

static void test_old_news_do_not_unseat(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    assert_int_equal(seen(&t, true, rec(9, "other", 3, 4)),
                     0); /* a watch that lags, or a list from a cache */
    assert_int_equal(seen(&t, true, rec(10, "", 3, 5)), 0);
    assert_true(lease_leading(t.l));
    assert_int_equal(step(&t, (struct lease_in){.ev = LEASE_EV_ABSENT, .watched = true}),
                     LEASE_GET); /* is it? */
    assert_int_equal(seen(&t, false, *lease_last(t.l)), 0);
    struct lease_rec odd = rec(0, "other", 9, 9); /* a version that is no number proves nothing: read */
    snprintf(odd.rv, sizeof(odd.rv), "x7");
    assert_int_equal(seen(&t, true, odd), LEASE_GET);
    assert_true(lease_leading(t.l));
    done(&t);
}

/* The server was restored from a backup: its versions went back, and its word counts. */
static void test_server_that_went_back(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    pass(&t, 2 * S);
    assert_int_equal(ev(&t, LEASE_EV_CONFLICT), LEASE_GET);
    assert_int_equal(seen(&t, false, rec(5, "older", 2, 3)), LEASE_STOP_WORK);
    done(&t);
    setup(&t); /* but a read that a watch has overtaken is dropped */
    seen(&t, false, rec(10, "other", 3, 5));
    assert_int_equal(pass(&t, 3 * S), LEASE_GET);
    assert_int_equal(seen(&t, true, rec(12, "other", 3, 7)), 0);
    assert_int_equal(seen(&t, false, rec(11, "other", 3, 6)), 0);
    assert_string_equal(lease_last(t.l)->rv, "12");
    done(&t);
}

static void test_deleted_under_the_leader(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    assert_int_equal(step(&t, (struct lease_in){.ev = LEASE_EV_ABSENT, .watched = true}), LEASE_GET);
    assert_int_equal(ev(&t, LEASE_EV_ABSENT), LEASE_WRITE);
    assert_true(t.o.write.create);
    assert_int_equal(t.o.write.rec.transitions, 4); /* the term goes on */
    assert_string_equal(t.o.write.rec.rv, "");
    assert_int_equal(written(&t, 20), LEASE_RENEWED);
    done(&t);
    /* a standby that has seen the holder gives him the time that he may think it is his */
    setup(&t);
    seen(&t, false, rec(10, "other", 3, 5));
    on(&t, LEASE_EV_WATCH, true);
    t.now += 5 * S;
    assert_int_equal(step(&t, (struct lease_in){.ev = LEASE_EV_ABSENT, .watched = true}), LEASE_GET);
    assert_int_equal(ev(&t, LEASE_EV_ABSENT), 0);
    assert_int_equal(pass(&t, 9 * S), LEASE_GET);
    assert_int_equal(ev(&t, LEASE_EV_ABSENT), 0);
    assert_int_equal(pass(&t, 1 * S), LEASE_WRITE);
    assert_int_equal(t.o.write.rec.transitions, 4);
    done(&t);
}

/* Stopped for a minute (SIGSTOP, suspend): whatever it hears first, it neither writes nor releases. */
static void test_paused_ex_leader(void **state) {
    (void)state;
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

static void test_clock_jumps(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    t.wall_off = 86400 * S * 365; /* the wall clock may do what it likes */
    assert_int_equal(pass(&t, 2 * S), LEASE_WRITE);
    assert_int_equal(written(&t, 12), LEASE_RENEWED);
    t.wall_off = -WALL - 5000 * S; /* before 1970 */
    assert_int_equal(pass(&t, 2 * S), LEASE_WRITE);
    assert_true(t.o.write.rec.renew_us > 0);
    assert_int_equal(written(&t, 13), LEASE_RENEWED);
    int64_t fence = lease_fence_ns(t.l);
    t.now -= 500 * S; /* a boot clock never goes back; if it does, time stands still for us */
    ev(&t, LEASE_EV_TICK);
    assert_int_equal(lease_fence_ns(t.l), fence);
    t.now += 500 * S;
    assert_int_equal(pass(&t, 2 * S), LEASE_WRITE);
    done(&t);
    setup(&t); /* a holder whose clock is a year ahead, or behind, is judged by our time */
    struct lease_rec r = rec(10, "other", 3, (WALL + 86400 * S * 365) / 1000);
    seen(&t, false, r);
    assert_int_equal(pass(&t, 14 * S) & LEASE_WRITE, 0);
    assert_int_equal(pass(&t, 1 * S), LEASE_WRITE);
    done(&t);
}

/* ---- certificates ---- */

static void test_death_certificate(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    on(&t, LEASE_EV_WATCH, true);
    seen(&t, false, rec(10, "other", 3, 5));
    t.now += S;
    assert_int_equal(step(&t, (struct lease_in){.ev = LEASE_EV_DEAD, .holder = SL("somebody")}), 0);
    assert_int_equal(step(&t, (struct lease_in){.ev = LEASE_EV_DEAD, .holder = SL("other")}), LEASE_WRITE);
    assert_string_equal(t.o.write.rec.rv, "10");
    /* a renewal of his was still under way and came first: he is no less dead */
    assert_int_equal(ev(&t, LEASE_EV_CONFLICT), LEASE_GET);
    assert_int_equal(seen(&t, false, rec(11, "other", 3, 6)), LEASE_WRITE);
    assert_int_equal(written(&t, 12), LEASE_LEAD | LEASE_RENEWED);
    assert_int_equal(t.o.reason, LEASE_R_DEAD);
    /* we ourselves are never dead */
    step(&t, (struct lease_in){.ev = LEASE_EV_DEAD, .holder = SL("me")});
    assert_true(lease_leading(t.l));
    done(&t);
}

/* ---- stopping ---- */

static void test_drain_and_release(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    t.now += S;
    assert_int_equal(ev(&t, LEASE_EV_STOP), 0);
    for (int i = 0; i < 3; i++) { /* renewed all the while */
        assert_int_equal(pass(&t, 2 * S), LEASE_WRITE);
        assert_int_equal(t.o.write.kind, LEASE_RENEW);
        written(&t, 12 + i);
        assert_true(lease_may_mutate(t.l, t.now));
    }
    assert_int_equal(ev(&t, LEASE_EV_DRAINED), LEASE_WRITE);
    assert_false(lease_may_mutate(t.l, t.now)); /* shut before the release is sent */
    assert_int_equal(t.o.write.kind, LEASE_RELEASE);
    const struct lease_rec *r = &t.o.write.rec;
    assert_string_equal(r->holder, ""); /* as client-go does it */
    assert_int_equal(r->duration_ns, 1 * S);
    assert_int_equal(r->renew_us, r->acquire_us);
    assert_int_equal(r->transitions, 4);
    assert_string_equal(r->rv, "14");
    assert_int_equal(written(&t, 15), LEASE_EXIT);
    assert_int_equal(t.o.reason, LEASE_R_GIVEN_BACK);
    done(&t);
}

static void test_release_after_a_renewal_under_way(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    ev(&t, LEASE_EV_STOP);
    assert_int_equal(pass(&t, 2 * S), LEASE_WRITE);
    assert_int_equal(ev(&t, LEASE_EV_DRAINED), 0); /* one write at a time */
    assert_int_equal(written(&t, 12), LEASE_WRITE);
    assert_int_equal(t.o.write.kind, LEASE_RELEASE);
    assert_string_equal(t.o.write.rec.rv, "12");
    done(&t);
}

static void test_release_conflicts(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    ev(&t, LEASE_EV_STOP);
    assert_int_equal(ev(&t, LEASE_EV_DRAINED), LEASE_WRITE);
    assert_int_equal(ev(&t, LEASE_EV_CONFLICT), LEASE_GET); /* whose is it? */
    struct lease_rec edited = *lease_last(t.l);
    snprintf(edited.rv, sizeof(edited.rv), "12");
    assert_int_equal(seen(&t, false, edited), LEASE_WRITE); /* ours, edited by somebody: again */
    assert_int_equal(t.o.write.kind, LEASE_RELEASE);
    ev(&t, LEASE_EV_CONFLICT);
    unsigned act = t.o.act ? t.o.act : pass(&t, t.o.wake_ns - t.now);
    assert_int_equal(act, LEASE_GET);
    act = seen(&t, false, rec(13, "other", 5, 9)); /* not ours: never blanked */
    assert_int_equal(act, LEASE_EXIT);
    done(&t);
}

static void test_release_of_unknown_outcome(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    ev(&t, LEASE_EV_STOP);
    ev(&t, LEASE_EV_DRAINED);
    t.now += 3 * S;
    assert_int_equal(ev(&t, LEASE_EV_UNKNOWN), LEASE_GET);
    assert_int_equal(seen(&t, false, rec(12, "", 4, 9)), LEASE_EXIT);
    assert_int_equal(t.o.reason, LEASE_R_GIVEN_BACK);
    done(&t);
    setup_leader(&t); /* the server is gone: it is asked until somebody says that it is enough */
    ev(&t, LEASE_EV_STOP);
    ev(&t, LEASE_EV_DRAINED);
    ev(&t, LEASE_EV_FAILED);
    int tries = 0;
    for (int64_t end = t.now + 5 * S; t.now < end; tries++) {
        assert_int_equal(pass(&t, t.o.wake_ns - t.now), LEASE_WRITE);
        ev(&t, LEASE_EV_FAILED);
    }
    assert_in_range(tries, 3, 12);
    assert_int_equal(ev(&t, LEASE_EV_GIVE_UP), LEASE_EXIT);
    assert_int_equal(t.o.reason, LEASE_R_NOT_RELEASED);
    done(&t);
    setup_leader(&t); /* refused: not asked again */
    ev(&t, LEASE_EV_DRAINED);
    assert_int_equal(ev(&t, LEASE_EV_REFUSED), LEASE_EXIT);
    assert_int_equal(t.o.reason, LEASE_R_NOT_RELEASED);
    done(&t);
}

/* Self-stopped at the deadline; later the server answers, and the lease is still ours: the successor need not
 * wait. */
static void test_release_after_the_deadline(void **state) {
    (void)state;
    struct t t;
    setup_leader(&t);
    pass(&t, 2 * S);
    ev(&t, LEASE_EV_FAILED);
    assert_int_equal(pass(&t, 8 * S), LEASE_STOP_WORK);
    assert_int_equal(ev(&t, LEASE_EV_DRAINED), LEASE_GET);
    struct lease_rec ours = *lease_last(t.l);
    assert_int_equal(seen(&t, false, ours), LEASE_WRITE);
    assert_int_equal(t.o.write.kind, LEASE_RELEASE);
    assert_int_equal(written(&t, 13), LEASE_EXIT);
    done(&t);
}

static void test_stop_of_a_standby(void **state) {
    (void)state;
    struct t t;
    setup(&t); /* during the start, before anything is known */
    assert_int_equal(ev(&t, LEASE_EV_STOP), LEASE_EXIT);
    assert_int_equal(t.o.reason, LEASE_R_NOT_HELD);
    done(&t);
    setup(&t); /* standing by */
    seen(&t, false, rec(10, "other", 3, 5));
    assert_int_equal(ev(&t, LEASE_EV_STOP), LEASE_EXIT);
    done(&t);
    setup(&t); /* in the middle of an acquisition, which succeeds: given back at once, never led */
    assert_int_equal(seen(&t, false, rec(10, "", 3, 5)), LEASE_WRITE);
    assert_int_equal(ev(&t, LEASE_EV_STOP), 0);
    assert_int_equal(written(&t, 11), LEASE_WRITE);
    assert_int_equal(t.o.write.kind, LEASE_RELEASE);
    assert_int_equal(t.o.write.rec.transitions, 4);
    assert_int_equal(written(&t, 12), LEASE_EXIT);
    assert_int_equal(t.o.reason, LEASE_R_GIVEN_BACK);
    done(&t);
    setup(&t); /* ... whose outcome is not known */
    seen(&t, false, rec(10, "", 3, 5));
    ev(&t, LEASE_EV_STOP);
    assert_int_equal(ev(&t, LEASE_EV_UNKNOWN), LEASE_GET);
    assert_int_equal(seen(&t, false, rec(10, "", 3, 5)), LEASE_EXIT);
    done(&t);
    setup(&t);
    seen(&t, false, rec(10, "", 3, 5));
    ev(&t, LEASE_EV_STOP);
    assert_int_equal(ev(&t, LEASE_EV_GIVE_UP), LEASE_EXIT);
    assert_int_equal(t.o.reason, LEASE_R_NOT_RELEASED);
    done(&t);
}

/* ---- polling ---- */

static void test_polling_without_a_watch(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    assert_int_equal(seen(&t, false, rec(10, "other", 3, 5)), 0);
    int gets = 0;
    for (int64_t end = t.now + 60 * S; t.now < end;) {
        unsigned act = pass(&t, t.o.wake_ns - t.now);
        t.rnd += 999999937;
        if (act & LEASE_GET) {
            gets++;
            assert_int_equal(seen(&t, false, rec(10 + gets, "other", 3, 5 + gets)), 0);
        }
    }
    assert_in_range(gets, 25, 31);
    on(&t, LEASE_EV_WATCH, true); /* a watch that delivers: nothing is polled */
    for (int i = 0; i < 10; i++) {
        t.now += 2 * S;
        assert_int_equal(seen(&t, true, rec(100 + i, "other", 3, 100 + i)), 0);
    }
    on(&t, LEASE_EV_WATCH, false); /* cut: polled soon */
    assert_in_range(t.o.wake_ns - t.now, 1, 2 * S);
    done(&t);
}

/* A connection that nothing was sent on for two minutes is not used again (libcurl), or has been closed by
 * something in between: a standby keeps its own warm, so that no handshake stands between two leaders. */
static void test_a_standby_keeps_its_connection_warm(void **state) {
    (void)state;
    struct t t;
    setup(&t);
    on(&t, LEASE_EV_WATCH, true);
    assert_int_equal(seen(&t, false, rec(10, "other", 3, 5)), 0);
    int gets = 0;
    int64_t last = t.now;
    for (int i = 1; i <= 300; i++) { /* ten minutes of a watch that delivers every renewal */
        int64_t due = t.now + 2 * S;
        while (t.o.wake_ns <= due) {
            t.rnd += 999999937;
            if (!(pass(&t, t.o.wake_ns - t.now) & LEASE_GET)) continue;
            gets++;
            assert_in_range(t.now - last, 20 * S, 30 * S);
            last = t.now;
            assert_int_equal(seen(&t, false, *lease_last(t.l)), 0);
        }
        t.now = due;
        assert_int_equal(seen(&t, true, rec(10 + i, "other", 3, 5 + i)), 0);
    }
    assert_in_range(gets, 20, 30);
    done(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_meaning_of_errors),
        cmocka_unit_test(test_acquire_from_absent),
        cmocka_unit_test(test_acquire_released_by_the_watch),
        cmocka_unit_test(test_held_then_expired),
        cmocka_unit_test(test_duration_of_the_record),
        cmocka_unit_test(test_label_edits_do_not_delay_the_expiry),
        cmocka_unit_test(test_not_ready_does_not_contest),
        cmocka_unit_test(test_lost_contest),
        cmocka_unit_test(test_conflicts_without_end_step_back),
        cmocka_unit_test(test_unknown_acquisition_is_read_first),
        cmocka_unit_test(test_an_acquisition_too_old_to_lead_on),
        cmocka_unit_test(test_the_watch_tells_of_our_own_acquisition),
        cmocka_unit_test(test_renewal),
        cmocka_unit_test(test_errors_while_renewing),
        cmocka_unit_test(test_retry_after_never_delays_a_leader_for_long),
        cmocka_unit_test(test_renewal_fallback),
        cmocka_unit_test(test_unknown_renewal),
        cmocka_unit_test(test_renew_times_are_never_equal),
        cmocka_unit_test(test_lost_to_another),
        cmocka_unit_test(test_old_news_do_not_unseat),
        cmocka_unit_test(test_server_that_went_back),
        cmocka_unit_test(test_deleted_under_the_leader),
        cmocka_unit_test(test_paused_ex_leader),
        cmocka_unit_test(test_clock_jumps),
        cmocka_unit_test(test_death_certificate),
        cmocka_unit_test(test_drain_and_release),
        cmocka_unit_test(test_release_after_a_renewal_under_way),
        cmocka_unit_test(test_release_conflicts),
        cmocka_unit_test(test_release_of_unknown_outcome),
        cmocka_unit_test(test_release_after_the_deadline),
        cmocka_unit_test(test_stop_of_a_standby),
        cmocka_unit_test(test_polling_without_a_watch),
        cmocka_unit_test(test_a_standby_keeps_its_connection_warm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
