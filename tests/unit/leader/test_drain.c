#include "leader/drain.h"
#include "base/rand.h"
#include "../case.h"

#define S NS_PER_S

struct t {
    struct drain d;
    struct drain_out o;
    unsigned act; /* its effects, as a set */
    int64_t now;
    bool leading;
    size_t inflight;
    int64_t left_ns;
};

static struct t with(bool leading, size_t inflight) {
    struct drain_config c = {0};
    struct t t = {.leading = leading, .inflight = inflight, .now = 1000 * S};
    assert_int_equal(drain_config_check(&c, NULL), 0);
    drain_init(&t.d, &c);
    return t;
}

static unsigned at(struct t *t, int64_t now, enum drain_event ev) {
    t->now = now;
    drain_step(
        &t->d,
        &(struct drain_in){
            .ev = ev, .boot_ns = now, .leading = t->leading, .inflight = t->inflight, .left_ns = t->left_ns},
        &t->o);
    t->act = 0;
    for (size_t i = 0; i < t->o.neffects; i++) t->act |= t->o.effects[i];
    return t->act;
}

static unsigned ev(struct t *t, enum drain_event e) {
    return at(t, t->now, e);
}

/* A signal, and the intake is shut. */
static void stop(struct t *t) {
    ev(t, DRAIN_EV_SIGNAL);
    ev(t, DRAIN_EV_CLOSED);
}

static void phase_is(const struct t *t, unsigned act, unsigned effects, enum drain_phase phase) {
    assert_int_equal(act, effects);
    assert_int_equal(t->o.phase, phase);
}

static void exits(const struct t *t, unsigned act, unsigned effects, enum drain_exit code) {
    assert_int_equal(act, effects);
    assert_int_equal(t->o.exit_code, code);
}

CASE(config) {
    struct err err;
    struct drain_config c = {0};
    assert_int_equal(drain_config_check(&c, &err), 0);
    assert_int_equal(c.grace_ns, 30 * S);
    assert_int_equal(c.reserve_ns, 5 * S);
    c = (struct drain_config){.grace_ns = 3 * S};
    assert_int_equal(drain_config_check(&c, &err), 0);
    assert_int_equal(c.reserve_ns, 1 * S);
    c = (struct drain_config){.grace_ns = S};
    assert_int_equal(drain_config_check(&c, &err), 0);
    assert_int_equal(c.reserve_ns, S / 2);
    c = (struct drain_config){.grace_ns = 5 * S, .reserve_ns = 5 * S};
    assert_int_equal(drain_config_check(&c, &err), -EINVAL);
    assert_non_null(strstr(err.msg, "5s"));
    c = (struct drain_config){.grace_ns = -1};
    assert_int_equal(drain_config_check(&c, &err), -EINVAL);
}

CASE(idle_leader_releases_at_once) {
    struct t t = with(true, 0);
    assert_int_equal(drain_left_ns(&t.d, t.now), TIME_NEVER);
    /* no early checkpoint: the release carries it */
    assert_int_equal(ev(&t, DRAIN_EV_SIGNAL), DRAIN_NOT_READY | DRAIN_CLOSE_INTAKE);
    assert_int_equal(drain_left_ns(&t.d, t.now), 30 * S);
    assert_int_equal(ev(&t, DRAIN_EV_CLOSED), DRAIN_RELEASE);
    assert_int_equal(t.o.phase, DRAIN_RELEASING);
    exits(&t, at(&t, t.now + 3 * NS_PER_MS, DRAIN_EV_RELEASED), DRAIN_EXIT, DRAIN_X_CLEAN);
    assert_int_equal(t.o.spent_ns[DRAIN_RELEASING], 3 * NS_PER_MS);
    assert_int_equal(t.o.wake_ns, TIME_NEVER);
    assert_int_equal(ev(&t, DRAIN_EV_SIGNAL), 0); /* nothing follows the exit */
}

CASE(work_finishes_uncancelled) {
    struct t t = with(true, 2);
    assert_int_equal(ev(&t, DRAIN_EV_SIGNAL), DRAIN_NOT_READY | DRAIN_CLOSE_INTAKE | DRAIN_CHECKPOINT);
    phase_is(&t, ev(&t, DRAIN_EV_CLOSED), 0, DRAIN_CHECKPOINT_EARLY);
    phase_is(&t, at(&t, 1000 * S + 5 * NS_PER_MS, DRAIN_EV_CHECKPOINTED), 0, DRAIN_FINISHING);
    assert_int_equal(t.o.wake_ns, 1025 * S);
    t.inflight = 1;
    assert_int_equal(at(&t, 1010 * S, DRAIN_EV_IDLE), 0);
    assert_int_equal(at(&t, 1024 * S, DRAIN_EV_TICK), 0);
    t.inflight = 0;
    assert_int_equal(at(&t, 1024 * S + 1, DRAIN_EV_IDLE), DRAIN_RELEASE);
    exits(&t, ev(&t, DRAIN_EV_RELEASED), DRAIN_EXIT, DRAIN_X_CLEAN);
}

CASE(deadline_cancels) {
    struct t t = with(true, 2);
    stop(&t);
    /* the early checkpoint is never answered: the phases go on without it */
    phase_is(&t, at(&t, 1001 * S, DRAIN_EV_TICK), 0, DRAIN_FINISHING);
    phase_is(&t, at(&t, 1025 * S, DRAIN_EV_TICK), DRAIN_CANCEL, DRAIN_CANCELLING);
    t.inflight = 0;
    assert_int_equal(at(&t, 1025 * S + 1, DRAIN_EV_IDLE), DRAIN_RELEASE);
    exits(&t, ev(&t, DRAIN_EV_RELEASED), DRAIN_EXIT, DRAIN_X_CUT);
}

CASE(stuck_work_is_not_released) {
    struct t t = with(true, 1);
    stop(&t);
    assert_int_equal(at(&t, 1025 * S, DRAIN_EV_TICK), DRAIN_CANCEL);
    assert_int_equal(t.o.wake_ns, 1027 * S);
    exits(&t, at(&t, 1027 * S, DRAIN_EV_TICK), DRAIN_ABANDON | DRAIN_EXIT, DRAIN_X_STUCK);
}

CASE(unreachable_server) {
    struct t t = with(true, 0);
    ev(&t, DRAIN_EV_SIGNAL);
    assert_int_equal(ev(&t, DRAIN_EV_CLOSED), DRAIN_RELEASE);
    assert_int_equal(t.o.wake_ns, 1029 * S + S / 2);
    exits(&t, at(&t, t.o.wake_ns, DRAIN_EV_TICK), DRAIN_ABANDON | DRAIN_EXIT, DRAIN_X_NOT_RELEASED);
    /* or the lease machine gives up by itself */
    t = with(true, 0);
    stop(&t);
    exits(&t, ev(&t, DRAIN_EV_NOT_RELEASED), DRAIN_EXIT, DRAIN_X_NOT_RELEASED);
    /* with work in flight, the lease is lost on the way: nothing may be mutated any more, so it is cancelled
     */
    t = with(true, 1);
    stop(&t);
    assert_int_equal(at(&t, 1010 * S, DRAIN_EV_LOST), DRAIN_CANCEL);
    t.inflight = 0;
    assert_int_equal(ev(&t, DRAIN_EV_IDLE), DRAIN_RELEASE);
    exits(&t, ev(&t, DRAIN_EV_NOT_RELEASED), DRAIN_EXIT, DRAIN_X_LOST);
}

CASE(more_signals) {
    struct t t = with(true, 1);
    stop(&t);
    assert_int_equal(at(&t, 1002 * S, DRAIN_EV_SIGNAL), DRAIN_CANCEL);
    assert_int_equal(drain_left_ns(&t.d, t.now), 5 * S);
    exits(&t, ev(&t, DRAIN_EV_SIGNAL), DRAIN_ABANDON | DRAIN_EXIT, DRAIN_X_STUCK);
    t = with(true, 0);
    stop(&t);
    assert_int_equal(ev(&t, DRAIN_EV_SIGNAL), 0); /* releasing already: nothing to shorten */
    exits(&t, ev(&t, DRAIN_EV_SIGNAL), DRAIN_ABANDON | DRAIN_EXIT, DRAIN_X_NOT_RELEASED);
}

CASE(standby_and_start) {
    struct t t = with(false, 0);
    assert_int_equal(ev(&t, DRAIN_EV_SIGNAL), DRAIN_NOT_READY | DRAIN_CLOSE_INTAKE);
    assert_int_equal(ev(&t, DRAIN_EV_CLOSED), DRAIN_RELEASE);
    exits(&t, ev(&t, DRAIN_EV_RELEASED), DRAIN_EXIT, DRAIN_X_CLEAN);
    t = with(false, 0); /* impatient */
    ev(&t, DRAIN_EV_SIGNAL);
    ev(&t, DRAIN_EV_SIGNAL);
    exits(&t, ev(&t, DRAIN_EV_SIGNAL), DRAIN_ABANDON | DRAIN_EXIT, DRAIN_X_CLEAN);
}

CASE(lost_without_a_signal) {
    struct t t = with(true, 3);
    assert_int_equal(ev(&t, DRAIN_EV_LOST), DRAIN_NOT_READY | DRAIN_CLOSE_INTAKE | DRAIN_CANCEL);
    assert_int_equal(t.o.phase, DRAIN_CANCELLING);
    t.inflight = 0;
    assert_int_equal(ev(&t, DRAIN_EV_IDLE), DRAIN_RELEASE);
    exits(&t, ev(&t, DRAIN_EV_RELEASED), DRAIN_EXIT, DRAIN_X_LOST);
}

/* Whatever happens: the phases only go forward, the release comes once and with nothing in flight, the exit
 * comes once and in time. */
static unsigned killed_in(struct t *t, int64_t left_ns) {
    t->left_ns = left_ns;
    return ev(t, DRAIN_EV_DEADLINE);
}

/* `kubectl delete --grace-period=4`, a host that shuts down: less time than the pod's own grace period. */
CASE(less_time_than_thought) {
    struct t t = with(true, 1);
    assert_int_equal(killed_in(&t, S), 0); /* nothing before the signal */
    assert_int_equal(drain_left_ns(&t.d, t.now), TIME_NEVER);
    stop(&t);
    ev(&t, DRAIN_EV_CHECKPOINTED);
    killed_in(&t, 60 * S); /* never lengthens */
    assert_int_equal(drain_left_ns(&t.d, t.now), 30 * S);
    assert_int_equal(killed_in(&t, 4 * S), 0);
    assert_int_equal(drain_left_ns(&t.d, t.now), 4 * S);
    assert_int_equal(t.o.wake_ns, t.now + 2 * S); /* half of it is the reserve */
    assert_int_equal(at(&t, t.now + 2 * S, DRAIN_EV_TICK), DRAIN_CANCEL);
    assert_int_equal(t.o.wake_ns, t.now + 2 * S / 5 * 2);
    /* Once more, in the middle of cancelling: all of what is left is for the rest. */
    killed_in(&t, S);
    assert_int_equal(drain_left_ns(&t.d, t.now), S);
    t.inflight = 0;
    assert_int_equal(ev(&t, DRAIN_EV_IDLE), DRAIN_RELEASE);
    assert_int_equal(t.o.wake_ns, t.now + S - S / 10);
    killed_in(&t, 0); /* no time at all: exit as things are */
    exits(&t, t.act, DRAIN_ABANDON | DRAIN_EXIT, DRAIN_X_NOT_RELEASED);
}

CASE(grace_learnt_later) {
    struct t t = with(true, 1);
    struct drain_config c = {.grace_ns = 60 * S};
    struct err err;
    assert_int_equal(drain_config_check(&c, &err), 0);
    drain_config_set(&t.d, &c);
    ev(&t, DRAIN_EV_SIGNAL);
    assert_int_equal(drain_left_ns(&t.d, t.now), 60 * S);
    c.grace_ns = 10 * S;
    drain_config_set(&t.d, &c); /* too late */
    assert_int_equal(drain_left_ns(&t.d, t.now), 60 * S);
}

CASE(random_schedules) {
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct rng r = {seed};
        struct t t = with(rng_below(&r, 3) > 0, 0);
        t.inflight = t.leading ? rng_below(&r, 4) : 0;
        int64_t began = -1;
        int64_t kill = INT64_MAX;
        bool released = false, exited = false;
        enum drain_phase last = DRAIN_RUNNING;
        for (int i = 0; i < 200 && !exited; i++) {
            int64_t step = (int64_t)rng_below(&r, rng_below(&r, 5) ? 1000000000 : 8000000000);
            int64_t now = t.now + step;
            if (began >= 0 && t.o.wake_ns < now) now = t.o.wake_ns > t.now ? t.o.wake_ns : t.now;
            if (t.inflight && rng_below(&r, 3) == 0) t.inflight--;
            enum drain_event e = (enum drain_event)rng_below(&r, DRAIN_EV_DEADLINE + 1);
            if (began < 0 && e != DRAIN_EV_SIGNAL && e != DRAIN_EV_LOST) e = DRAIN_EV_TICK;
            if (!released && (e == DRAIN_EV_RELEASED || e == DRAIN_EV_NOT_RELEASED)) e = DRAIN_EV_TICK;
            t.left_ns = (int64_t)rng_below(&r, 40000000000);
            if (e == DRAIN_EV_DEADLINE && now + t.left_ns < kill) kill = now + t.left_ns;
            unsigned act = at(&t, now, e);
            if (t.o.phase < last) fail_seed(seed, "back to %s", drain_phase_name(t.o.phase));
            if (began < 0 && t.o.phase != DRAIN_RUNNING) began = now;
            if (act & DRAIN_RELEASE) {
                if (released || t.inflight) fail_seed(seed, "release twice or in flight");
                released = true;
            }
            if (act & DRAIN_EXIT) {
                exited = true;
                if (now > began + 30 * S || now > kill) fail_seed(seed, "too late");
                if (t.o.exit_code == DRAIN_X_CLEAN && t.leading && !released)
                    fail_seed(seed, "a clean end without a release");
            }
            last = t.o.phase;
        }
        if (!exited) fail_seed(seed, "no end");
    }
}

CASES("leader/drain")
