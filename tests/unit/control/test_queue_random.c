/* Random schedules: the queue against a naive model, which keeps an array of keys and looks at all of them
 * each time. */
#include "../case.h"
#include "control/queue.h"
#include "base/mem.h"

enum { KEYS = 12, STEPS = 400, SCHEDULES = 5000 };

struct model_key {
    bool queued, processing, again; /* queued: ready or delayed */
    int prio, again_prio;
    int64_t at, again_at;
    int64_t order; /* place among those of the same priority: when it became ready, or rose */
    unsigned failures;
};
struct model {
    struct model_key k[KEYS];
    int64_t order;
    bool shutdown;
};

/* Delayed keys take their place in the line at their time; at the same time, in the order in which they were
 * added. */
static void settle(struct model *m, int64_t now) {
    for (;;) {
        struct model_key *first = NULL;
        for (size_t i = 0; i < KEYS; i++) {
            struct model_key *k = &m->k[i];
            if (!k->queued || k->order >= 0 || k->at > now) continue;
            /* order is negative while delayed: -1 - (number of the add) */
            if (!first || k->at < first->at || (k->at == first->at && k->order > first->order)) first = k;
        }
        if (!first) return;
        first->order = m->order++;
    }
}

static void model_put(struct model *m, struct model_key *k, int prio, int64_t at, int64_t now) {
    k->queued = true;
    k->prio = prio;
    k->at = at;
    k->order = at <= now ? m->order++ : -1 - m->order++;
}

static void model_add(struct model *m, size_t i, int prio, int64_t at, int64_t now) {
    struct model_key *k = &m->k[i];
    if (m->shutdown) return;
    settle(m, now);
    if (k->processing) {
        k->again_prio = !k->again || prio > k->again_prio ? prio : k->again_prio;
        k->again_at = !k->again || at < k->again_at ? at : k->again_at;
        k->again = true;
    } else if (!k->queued) {
        model_put(m, k, prio, at, now);
    } else {
        bool ready = k->order >= 0, rises = prio > k->prio, sooner = !ready && at < k->at;
        if (rises) k->prio = prio;
        if (sooner) k->at = at;
        if (ready ? rises : sooner && at <= now) k->order = m->order++;
    }
}

static int model_get(struct model *m, int64_t now) {
    int best = -1;
    settle(m, now);
    for (int i = 0; i < KEYS; i++) {
        const struct model_key *k = &m->k[i];
        if (!k->queued || k->order < 0) continue;
        if (best < 0 || k->prio > m->k[best].prio ||
            (k->prio == m->k[best].prio && k->order < m->k[best].order))
            best = i;
    }
    if (best < 0) return -1;
    m->k[best].queued = false;
    m->k[best].processing = true;
    m->k[best].again = false;
    return best;
}

static void model_done(struct model *m, size_t i, int64_t now) {
    struct model_key *k = &m->k[i];
    if (!k->processing) return;
    settle(m, now);
    k->processing = false;
    if (k->again) model_put(m, k, k->again_prio, k->again_at, now);
    k->again = false;
}

struct seen {
    const struct model *m;
    size_t n;
};

static void compare_item(void *ctx, const struct queue_item *it) {
    struct seen *seen = ctx;
    const struct model_key *k = &seen->m->k[it->key.p[0] - 'a'];
    seen->n++;
    assert_int_equal(it->failures, k->failures);
    assert_int_equal(it->state == QI_PROCESSING, k->processing);
    assert_int_equal(it->state == QI_READY || it->state == QI_DELAYED, k->queued);
    if (k->processing) assert_int_equal(it->dirty, k->again);
    if (k->queued) assert_int_equal(it->prio, k->prio);
    if (it->state == QI_DELAYED) assert_int_equal(it->at_ns, k->at);
    if (it->state == QI_IDLE) assert_true(k->failures > 0);
}

static void compare(const struct queue *q, struct model *m, int64_t now) {
    size_t ready = 0, processing = 0, queued = 0, dirty = 0, idle = 0;
    int64_t next = TIME_NEVER;
    for (size_t i = 0; i < KEYS; i++) {
        const struct model_key *k = &m->k[i];
        ready += k->queued && k->at <= now;
        queued += k->queued;
        processing += k->processing;
        dirty += k->processing && k->again && k->again_at <= now;
        idle += !k->queued && !k->processing && k->failures > 0;
        if (k->queued && k->at > now && k->at < next) next = k->at;
    }
    assert_int_equal(queue_ready(q, now), ready);
    assert_int_equal(queue_depth(q, now), ready + dirty);
    assert_int_equal(queue_processing(q), processing);
    if (queue_next_ns(q) > now)
        assert_int_equal(queue_next_ns(q), next); /* else one is due, and not yet in line */
    struct seen seen = {.m = m};
    queue_each(q, compare_item, &seen);
    assert_int_equal(seen.n, queued + processing + idle);
}

static void step(struct queue *q, struct model *m, struct rng *r, int64_t *now) {
    static const int prios[] = {PRIO_LOW, PRIO_NORMAL, 7, PRIO_RESTORED, PRIO_INTERRUPTED};
    size_t i = rng_below(r, KEYS);
    char name[2] = {(char)('a' + i), 0};
    struct slice key = slice_of(name), got;
    int prio = prios[rng_below(r, ARRAY_LEN(prios))];
    int64_t at = *now + (int64_t)rng_below(r, 40) - 20;
    switch (rng_below(r, 12)) {
    case 0: *now += (int64_t)rng_below(r, 15); break;
    case 1:
    case 2:
    case 3:
    case 4:
        assert_int_equal(queue_add(q, key, prio, at, *now), !m->shutdown);
        model_add(m, i, prio, at, *now);
        break;
    case 5:
    case 6:
    case 7: {
        int want = model_get(m, *now);
        bool any = queue_get(q, *now, &got);
        assert_int_equal(any, want >= 0);
        if (any) assert_int_equal(got.p[0], 'a' + want);
        break;
    }
    case 8:
    case 9:
        queue_done(q, key, *now);
        model_done(m, i, *now);
        break;
    case 10:
        if (!m->k[i].processing) break;
        int64_t delay = queue_retry(q, key, (int64_t)rng_below(r, 30), *now, rng_next(r));
        m->k[i].failures++;
        model_add(m, i, m->k[i].prio > PRIO_NORMAL ? PRIO_NORMAL : m->k[i].prio, *now + delay, *now);
        break;
    default:
        queue_forget(q, key);
        m->k[i].failures = 0;
        break;
    }
}

SEEDS_CASE(SCHEDULES, schedules) {
    struct rng r = {seed};
    struct model m = {0};
    struct queue *q = queue_new(&(struct queue_limits){.base_ns = 3, .max_ns = 50, .rate = -1});
    int64_t now = 1000;
    for (int i = 0; i < STEPS; i++) {
        if (i == STEPS * 3 / 4 && seed % 4 == 0) {
            queue_shutdown(q);
            m.shutdown = true;
        }
        step(q, &m, &r, &now);
        if (i % 8 == 0) compare(q, &m, now);
    }
    queue_free(q);
}

CASES("control/queue_random")
