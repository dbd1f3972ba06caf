/* Random schedules over several leaders: events, reconciles that end in every way, drains, cancellations and
 * crashes, each followed by a second controller that is given the first one's checkpoint. What must hold:
 *   - one worker per key, and every task ends once;
 *   - no key is lost: whatever was added has a reconcile that *starts* after the add, or is a dead letter;
 *   - a graceful end loses no failure count. */
#include "../case.h"
#include "control/controller.h"
#include "simworld/alone.h"

enum { KEYS = 10, LEADERS = 4, STEPS = 120, SCHEDULES = 1500 };

struct key {
    bool running, wanted; /* wanted: added, and not begun since */
    bool dead;
    unsigned failures;
};
struct schedule {
    struct alone alone;
    struct metrics *m;
    struct controller *c;
    struct rng r;
    struct key k[KEYS];
    struct task *open[KEYS];
    size_t nopen;
    bool told_idle, dying, calm;
    /* the checkpoint on its way */
    struct key_state saved[4 * KEYS];
    char names[4 * KEYS][4], reasons[4 * KEYS][32];
    size_t nsaved;
};

static struct key *key_at(struct schedule *s, struct slice key) {
    assert_int_equal(key.n, 1);
    return &s->k[key.p[0] - 'a'];
}

static void finish(struct schedule *s, size_t i, bool drop_in) {
    static const enum err_kind kinds[] = {ERR_NONE,     ERR_TRANSPORT, ERR_THROTTLED, ERR_SERVER,
                                          ERR_CONFLICT, ERR_REJECTED,  ERR_FENCED};
    struct task *t = s->open[i];
    struct slice key = task_key(t);
    struct key *k = key_at(s, key);
    s->open[i] = s->open[--s->nopen];
    assert_true(k->running);
    k->running = false;
    enum outcome out = s->calm ? OUT_DONE : drop_in ? OUT_INTERRUPTED : (enum outcome)rng_below(&s->r, 5);
    struct err e = {.kind = kinds[rng_below(&s->r, ARRAY_LEN(kinds))], .errnum = -EIO, .msg = "broken"};
    bool dead = out == OUT_TERMINAL || (out == OUT_RETRY && e.kind == ERR_REJECTED);
    if (dead || out == OUT_DONE || out == OUT_AFTER) k->dead = dead;
    if (!dead && out != OUT_DONE) k->wanted = true;
    task_finish(t, out, (int64_t)rng_below(&s->r, 50) * NS_PER_MS, e.kind == ERR_NONE ? NULL : &e);
}

static void on_start(void *self, struct slice key, struct task *t) {
    struct schedule *s = self;
    struct key *k = key_at(s, key);
    assert_false(k->running);
    k->running = true;
    k->wanted = false;
    s->open[s->nopen++] = t;
    if (rng_below(&s->r, 4) == 0) finish(s, s->nopen - 1, false);
}

static void on_cancel(void *self, struct task *t) {
    struct schedule *s = self;
    if (s->dying || rng_below(&s->r, 2)) return; /* it ends later, or with the process */
    for (size_t i = 0; i < s->nopen; i++) {
        if (s->open[i] != t) continue;
        finish(s, i, true);
        return;
    }
    assert_true(false);
}

static void on_idle(void *ctx) {
    struct schedule *s = ctx;
    assert_int_equal(controller_inflight(s->c), 0);
    s->told_idle = true;
}

static const struct reconciler reconciler = {on_start, on_cancel};

static void step(struct schedule *s) {
    char name[2] = {(char)('a' + rng_below(&s->r, KEYS)), 0};
    switch (rng_below(&s->r, 6)) {
    case 0:
    case 1:
        controller_add(s->c, slice_of(name), (int)rng_below(&s->r, 3) * 50 - 100,
                       (int64_t)rng_below(&s->r, 3) * 10 * NS_PER_MS);
        s->k[name[0] - 'a'].wanted = true;
        break;
    case 2:
        if (s->nopen) finish(s, rng_below(&s->r, s->nopen), false);
        break;
    case 3: alone_step(&s->alone); break;
    case 4: simworld_run(s->alone.sw, (int64_t)rng_below(&s->r, 40) * NS_PER_MS); break;
    default:
        if (rng_below(&s->r, 10) == 0) controller_cancel(s->c);
        break;
    }
}

static void save(void *ctx, const struct key_state *k) {
    struct schedule *s = ctx;
    assert_true(s->nsaved < ARRAY_LEN(s->saved));
    size_t i = s->nsaved++;
    snprintf(s->names[i], sizeof s->names[i], "%.*s", SLF(k->key));
    snprintf(s->reasons[i], sizeof s->reasons[i], "%.*s", SLF(k->reason));
    s->saved[i] = *k;
    s->saved[i].key = slice_of(s->names[i]);
    s->saved[i].reason = slice_of(s->reasons[i]);
    if (i) assert_true(k->kind >= s->saved[i - 1].kind);
}

/* Ends a leader: drained, drained and cut, or killed at the moment of its last checkpoint. */
static void end_leader(struct schedule *s) {
    unsigned how = (unsigned)rng_below(&s->r, 3);
    if (how < 2) {
        s->told_idle = false;
        bool busy = s->nopen > 0;
        controller_stop_intake(s->c);
        for (int i = 0; i < 20; i++) step(s);
        for (size_t before = s->nopen; how == 0 && s->nopen; before--) {
            finish(s, rng_below(&s->r, s->nopen), false);
            assert_true(s->nopen < before || before == 0);
        }
        if (how == 1) controller_cancel(s->c);
        simworld_run(s->alone.sw, NS_PER_S);
        if (busy) assert_int_equal(s->told_idle, s->nopen == 0);
    }
    s->nsaved = 0;
    controller_snapshot(s->c, save, s);
    for (size_t i = 0; i < KEYS; i++) {
        if (s->k[i].running) s->k[i].wanted = true; /* it dies in the middle */
        s->k[i].running = false;
    }
    s->nopen = 0;
    s->dying = true;
    controller_free(s->c);
    metrics_free(s->m);
    s->dying = false;
}

static void count_failures(void *ctx, const struct key_state *k) {
    unsigned *n = ctx;
    if (k->kind != KEY_DEAD) n[k->key.p[0] - 'a'] += k->failures;
}

static void start_leader(struct schedule *s) {
    struct controller_limits lim = {.queue = {.base_ns = NS_PER_MS, .rate = -1},
                                    .workers = (unsigned)rng_below(&s->r, 5),
                                    .max_workers = 8};
    unsigned before[KEYS] = {0}, after[KEYS] = {0};
    s->m = metrics_new(100);
    s->c = controller_new(s->alone.w, NULL, s->m, "target", &reconciler, s, &lim);
    controller_on_idle(s->c, on_idle, s);
    for (size_t i = 0; i < s->nsaved; i++) {
        controller_restore(s->c, &s->saved[i]);
        count_failures(before, &s->saved[i]);
    }
    controller_snapshot(s->c, count_failures, after);
    assert_memory_equal(before, after, sizeof before);
    simworld_run(s->alone.sw, 5 * NS_PER_MS);
    assert_int_equal(s->nopen, 0);
    controller_gate(s->c, true);
}

static void count_dead(void *ctx, const struct key_state *k) {
    bool *is_dead = ctx;
    if (k->kind == KEY_DEAD) is_dead[k->key.p[0] - 'a'] = true;
}

/* The last leader has no more trouble and all the time in the world. */
static void settle(struct schedule *s) {
    bool is_dead[KEYS] = {false};
    controller_snapshot(s->c, count_dead, is_dead);
    for (size_t i = 0; i < KEYS; i++) assert_int_equal(is_dead[i], s->k[i].dead);
    s->calm = true;
    for (int i = 0; i < 100; i++) {
        while (s->nopen) finish(s, 0, false);
        simworld_run(s->alone.sw, 100 * NS_PER_S);
    }
    assert_int_equal(controller_inflight(s->c) + controller_pending(s->c), 0);
    for (size_t i = 0; i < KEYS; i++) assert_false(s->k[i].wanted);
}

SEEDS_CASE(SCHEDULES, schedules) {
    static struct schedule schedule;
    struct schedule *s = &schedule;
    *s = (struct schedule){.r = {seed * 7919}};
    alone_init(&s->alone, seed);
    start_leader(s);
    for (int leader = 0; leader < LEADERS; leader++) {
        for (int i = 0; i < STEPS; i++) step(s);
        if (leader == LEADERS - 1) break;
        end_leader(s);
        start_leader(s);
    }
    settle(s);
    controller_free(s->c);
    metrics_free(s->m);
    alone_free(&s->alone);
}

CASES("control/controller_random")
