/* The flow of the work from one leader to the next: what is read, told, written and deleted, and in which
 * order. */
#include "../../../leader/checkpoint_flow.h"
#include "base/rand.h"
#include "lease_kit.h"

struct flow {
    struct checkpoint_flow f;
    struct flow_out o;
    int64_t now;
};

static unsigned feed_at(struct flow *t, enum flow_event_kind kind, size_t i, size_t n) {
    checkpoint_flow_step(
        &t->f, &(struct flow_event){.kind = kind, .i = i, .n = n, .save = true, .boot_ns = t->now}, &t->o);
    unsigned set = 0;
    for (size_t k = 0; k < t->o.neffects; k++) set |= 1u << t->o.effects[k].kind;
    return set;
}
static unsigned feed(struct flow *t, enum flow_event_kind kind, size_t i) {
    return feed_at(t, kind, i, 0);
}
static unsigned tick(struct flow *t) {
    t->now = t->o.wake_ns;
    return feed(t, FLOW_EV_TICK, 0);
}
/* Our checkpoint is made, and written with a renewal. */
static unsigned renew(struct flow *t) {
    assert_int_equal(feed(t, FLOW_EV_GATHERED, 0), 0);
    return feed(t, FLOW_EV_RENEWED, 0);
}
#define E(kind) (1u << FLOW_##kind)

CASE(without_parts_it_leads_at_once) {
    struct flow t = {0};
    assert_int_equal(feed_at(&t, FLOW_EV_ACQUIRED, 0, 0), E(LEAD));
    assert_int_equal(feed(&t, FLOW_EV_REPORTED, 0), 0);
    assert_int_equal(renew(&t), E(COLLECT));
    assert_int_equal(renew(&t), 0);
    assert_int_equal(feed(&t, FLOW_EV_DRAINED, 0), E(CANCEL) | E(SAVE));
    assert_int_equal(feed_at(&t, FLOW_EV_SAVING, 0, 0), E(RELEASE));
}

/* Of three parts one cannot be read: it is not waited for, kept, named as unread, told when it comes, deleted
 * when a checkpoint that was made after that stands on the Lease. */
CASE(a_part_that_cannot_be_read_is_kept_until_it_was) {
    struct flow t = {.now = S};
    assert_int_equal(feed_at(&t, FLOW_EV_ACQUIRED, 0, 3), E(READ));
    assert_int_equal(t.o.neffects, 3);
    assert_int_equal(feed(&t, FLOW_EV_READ, 0), 0);
    assert_int_equal(feed(&t, FLOW_EV_UNUSABLE, 2), 0);
    assert_int_equal(feed(&t, FLOW_EV_UNREAD, 1), E(LEAD));
    feed(&t, FLOW_EV_REPORTED, 0);
    assert_false(checkpoint_flow_unread(&t.f, 0));
    assert_true(checkpoint_flow_unread(&t.f, 1));
    assert_int_equal(renew(&t), E(DELETE));
    assert_int_equal(t.o.neffects, 2); /* 0 and 2 */
    feed(&t, FLOW_EV_DELETED, 0);
    feed(&t, FLOW_EV_DELETED, 2);
    for (int k = 0; k < 4; k++) {
        assert_int_equal(tick(&t), E(READ));
        assert_int_equal(renew(&t), 0);
        assert_int_equal(feed(&t, FLOW_EV_UNREAD, 1), 0);
        assert_int_equal(t.o.wake_ns, t.now + (2 * S << (k < 2 ? k : 2)) - (k > 2 ? -7 * S : 0));
    }
    assert_int_equal(tick(&t), E(READ));
    feed(&t, FLOW_EV_GATHERED, 0);
    assert_int_equal(feed(&t, FLOW_EV_READ, 1), E(LATE));
    assert_true(checkpoint_flow_unread(&t.f, 1)); /* read, not yet with the controllers */
    feed(&t, FLOW_EV_REPORTED, 0);
    assert_int_equal(feed(&t, FLOW_EV_RENEWED, 0), 0); /* that checkpoint was made before */
    assert_int_equal(renew(&t), E(DELETE));
    assert_int_equal(renew(&t), 0);
    feed(&t, FLOW_EV_DELETED, 1);
    assert_int_equal(renew(&t), E(COLLECT));
}

CASE(a_silent_part_is_waited_for_three_seconds) {
    struct flow t = {.now = S};
    feed_at(&t, FLOW_EV_ACQUIRED, 0, 1);
    assert_int_equal(t.o.wake_ns, 4 * S);
    assert_int_equal(tick(&t), E(LEAD));
    assert_int_equal(feed(&t, FLOW_EV_READ, 0), 0); /* before lead() was called: it tells this part as well */
    feed(&t, FLOW_EV_REPORTED, 0);
    assert_int_equal(renew(&t), E(DELETE));
}

CASE(a_part_that_is_never_read_expires) {
    struct flow t = {0};
    feed_at(&t, FLOW_EV_ACQUIRED, 0, 1);
    feed(&t, FLOW_EV_UNREAD, 0);
    feed(&t, FLOW_EV_REPORTED, 0);
    unsigned set = 0;
    while (!(set & E(EXPIRED))) {
        set = tick(&t);
        if (set & E(READ)) feed(&t, FLOW_EV_UNREAD, 0);
        assert_int_equal(renew(&t) & E(DELETE), set & E(EXPIRED) ? E(DELETE) : 0);
    }
    assert_int_equal(t.now, FLOW_KEEP_NS);
    assert_int_equal(t.o.wake_ns, TIME_NEVER);
}

CASE(the_last_checkpoint) {
    struct flow begun = {0}, t;
    feed_at(&begun, FLOW_EV_ACQUIRED, 0, 0);
    t = begun; /* before lead() was called: what the predecessor left stays */
    assert_int_equal(feed(&t, FLOW_EV_DRAINED, 0), E(CANCEL) | E(RELEASE));
    feed(&begun, FLOW_EV_REPORTED, 0);
    feed(&begun, FLOW_EV_DRAINED, 0);
    assert_int_equal(feed(&begun, FLOW_EV_DRAINED, 0), 0); /* asked once more */
    assert_int_equal(feed_at(&begun, FLOW_EV_SAVING, 0, 2), E(CREATE));
    t = begun;
    assert_int_equal(feed(&t, FLOW_EV_EXISTS, 1), E(PATCH));
    assert_int_equal(feed(&t, FLOW_EV_WRITTEN, 1), 0);
    assert_int_equal(feed(&t, FLOW_EV_WRITTEN, 1), 0); /* a late answer */
    assert_int_equal(feed(&t, FLOW_EV_WRITTEN, 0), E(RELEASE));
    t = begun;
    feed(&t, FLOW_EV_UNWRITTEN, 0);
    assert_int_equal(feed(&t, FLOW_EV_WRITTEN, 1), E(SAVE_INLINE) | E(RELEASE));
    t = begun;
    assert_int_equal(tick(&t), E(CANCEL) | E(SAVE_INLINE) | E(RELEASE));
    assert_int_equal(t.now, FLOW_SAVE_NS);
    t = begun;
    assert_int_equal(feed(&t, FLOW_EV_LOST, 0), E(CANCEL) | E(SAVE_INLINE) | E(RELEASE));
    t = begun;
    assert_int_equal(feed(&t, FLOW_EV_GIVE_UP, 0), E(CANCEL));
}

/* ---- random schedules ---- */

struct model {
    bool read[CHECKPOINT_READ_MAX], bad[CHECKPOINT_READ_MAX], told[CHECKPOINT_READ_MAX],
        gathered[CHECKPOINT_READ_MAX], asked[CHECKPOINT_READ_MAX], expired[CHECKPOINT_READ_MAX];
    bool lead_due, late_due, leading, drained;
    int leads, releases;
    size_t nsave;
};

static void effects(struct flow *t, struct model *m, uint64_t seed) {
    for (size_t k = 0; k < t->o.neffects; k++) {
        size_t i = t->o.effects[k].i;
        switch (t->o.effects[k].kind) {
        case FLOW_READ: m->asked[i] = true; break;
        case FLOW_EXPIRED: m->expired[i] = true; break;
        case FLOW_LEAD:
            m->lead_due = true;
            m->leads++;
            break;
        case FLOW_LATE: m->late_due = true; break;
        case FLOW_DELETE:
            if (!m->gathered[i] && !m->bad[i] && !m->expired[i])
                fail_seed(seed, "part %zu is deleted too early", i);
            break;
        case FLOW_RELEASE: m->releases++; break;
        default: break;
        }
    }
}

static void random_schedule(uint64_t seed) {
    struct rng r = {seed};
    struct flow t = {.now = S};
    struct model m = {0};
    size_t parts = rng_below(&r, 5) ? rng_below(&r, 4) : CHECKPOINT_READ_MAX;
    feed_at(&t, FLOW_EV_ACQUIRED, 0, parts);
    effects(&t, &m, seed);
    for (int k = 0; k < 400 && !m.releases; k++) {
        size_t i = rng_below(&r, parts ? parts : 1);
        enum flow_event_kind kind = FLOW_EV_TICK;
        t.now += (int64_t)rng_below(&r, 4 * S);
        switch (rng_below(&r, 8)) {
        case 0:
        case 1:
            if (!m.asked[i]) continue;
            m.asked[i] = false;
            kind = (enum flow_event_kind)(FLOW_EV_READ + rng_below(&r, 3));
            m.read[i] = m.read[i] || kind == FLOW_EV_READ;
            m.bad[i] = m.bad[i] || kind == FLOW_EV_UNUSABLE;
            break;
        case 2:
            if (!m.lead_due && !m.late_due) continue;
            m.lead_due = m.late_due = false;
            m.leading = true;
            memcpy(m.told, m.read, sizeof m.told);
            kind = FLOW_EV_REPORTED;
            break;
        case 3:
            if (!m.leading) continue;
            for (size_t p = 0; p < parts; p++) {
                if (!m.told[p] && !m.bad[p] && !m.expired[p] && !checkpoint_flow_unread(&t.f, p))
                    fail_seed(seed, "part %zu is not named", p);
            }
            feed(&t, FLOW_EV_GATHERED, 0);
            effects(&t, &m, seed);
            if (rng_below(&r, 3)) { /* else the write fails */
                memcpy(m.gathered, m.told, sizeof m.told);
                kind = FLOW_EV_RENEWED;
            }
            break;
        case 4: kind = FLOW_EV_DELETED; break;
        case 5:
            if (k < 300 || m.drained) continue;
            m.drained = true;
            feed(&t, FLOW_EV_DRAINED, 0);
            effects(&t, &m, seed);
            if (t.f.phase != FLOW_SAVING) continue;
            feed_at(&t, FLOW_EV_SAVING, 0, m.nsave = rng_below(&r, 3));
            effects(&t, &m, seed);
            continue;
        default:
            if (m.drained) kind = (enum flow_event_kind)(FLOW_EV_WRITTEN + rng_below(&r, 3));
            break;
        }
        feed(&t, kind, i);
        effects(&t, &m, seed);
        if (t.now >= S + FLOW_LEAD_NS && kind == FLOW_EV_TICK && m.leads != 1 && !m.drained)
            fail_seed(seed, "%d leads", m.leads);
    }
    while (m.drained && !m.releases) {
        tick(&t);
        effects(&t, &m, seed);
    }
    assert_true(m.leads <= 1 && m.releases == (int)m.drained);
}

CASE(random_schedules) {
    for (uint64_t seed = 1; seed <= 20000; seed++) random_schedule(seed);
}

CASES("leader/checkpoint_flow")
