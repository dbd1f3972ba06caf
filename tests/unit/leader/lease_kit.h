/* What the tests of the lease machine share: one machine, its time, and what it hears and answers. */
#ifndef TEST_LEASE_KIT_H
#define TEST_LEASE_KIT_H
#include "leader/lease.h"
#include "../case.h"

#define S    NS_PER_S
#define MS   NS_PER_MS
#define WALL (INT64_C(1767225600) * S)

/* One candidate "me" with a hand on everything that it hears. Time goes on only when a test says so. */
struct t {
    struct lease *l;
    struct lease_out o;
    unsigned act;          /* its effects, as a set */
    struct lease_rec sent; /* the last write */
    int64_t now, wall_off;
    uint64_t rnd;
};

/* Steps, and returns the set of effects. */
static inline unsigned step(struct t *t, struct lease_in in) {
    in.boot_ns = t->now;
    in.wall_ns = WALL + t->now + t->wall_off;
    in.rnd = t->rnd;
    lease_step(t->l, &in, &t->o);
    t->act = 0;
    for (size_t i = 0; i < t->o.neffects; i++) t->act |= t->o.effects[i];
    if (t->act & LEASE_WRITE) t->sent = t->o.write.rec;
    return t->act;
}

static inline unsigned ev(struct t *t, enum lease_event e) {
    return step(t, (struct lease_in){.ev = e});
}

static inline unsigned on(struct t *t, enum lease_event e, bool is) {
    return step(t, (struct lease_in){.ev = e, .on = is});
}

static inline struct lease_rec rec(int rv, const char *holder, int64_t term, int64_t renew_us) {
    struct lease_rec r = {
        .uid = "u", .duration_ns = 15 * S, .acquire_us = 1, .renew_us = renew_us, .transitions = term};
    snprintf(r.rv, sizeof(r.rv), "%d", rv);
    snprintf(r.holder, sizeof(r.holder), "%s", holder);
    return r;
}

static inline unsigned seen(struct t *t, bool watched, struct lease_rec r) {
    return step(t, (struct lease_in){.ev = LEASE_EV_SEEN, .watched = watched, .rec = &r});
}

/* The server carries out what was asked for, and it gets version rv. */
static inline unsigned written(struct t *t, int rv) {
    struct lease_rec r = t->sent;
    snprintf(r.rv, sizeof(r.rv), "%d", rv);
    return step(t, (struct lease_in){.ev = LEASE_EV_WRITTEN, .rec = &r});
}

static inline unsigned pass(struct t *t, int64_t ns) {
    t->now += ns;
    return ev(t, LEASE_EV_TICK);
}

static inline void setup_as(struct t *t, const char *id, bool canary) {
    struct lease_config c = {.identity = id, .canary = canary};
    struct err err;
    assert_int_equal(lease_config_check(&c, &err), 0);
    *t = (struct t){.l = lease_new(&c), .now = 1000 * S};
    assert_int_equal(on(t, LEASE_EV_READY, true), LEASE_GET);
}

static inline void setup(struct t *t) {
    setup_as(t, "me", false);
}

/* A leader, in term 4, after a release; its last write has version 11. */
static inline void setup_leader(struct t *t) {
    setup(t);
    assert_int_equal(seen(t, false, rec(10, "", 3, 5)), LEASE_WRITE);
    assert_int_equal(written(t, 11), LEASE_LEAD | LEASE_RENEWED);
    assert_int_equal(on(t, LEASE_EV_WATCH, true), 0);
}

/* The step asked for a write of this kind, and for nothing else. */
static inline void writes(const struct t *t, unsigned act, enum lease_write_kind kind) {
    assert_int_equal(act, LEASE_WRITE);
    assert_int_equal(t->o.write.kind, kind);
}

/* The step had these effects, for this reason. */
static inline void ends(const struct t *t, unsigned act, unsigned effects, enum lease_reason reason) {
    assert_int_equal(act, effects);
    assert_int_equal(t->o.reason, reason);
}

static inline void done(struct t *t) {
    lease_free(t->l);
}

/* In the same case once more, from the start. */
static inline void again(struct t *t) {
    done(t);
    setup(t);
}

static inline void again_leader(struct t *t) {
    done(t);
    setup_leader(t);
}

#define STANDBY_CASE(name) CASE_WITH(struct t, t, setup, done, name)
#define LEADER_CASE(name)  CASE_WITH(struct t, t, setup_leader, done, name)
#endif
