/* What the controller tells the checkpoint, and what it makes of one. */
#include "../case.h"
#include "controller_kit.h"

static void write_one(void *ctx, const struct key_state *k) {
    static const char *const names[] = {"interrupted", "inflight", "queued", "delayed", "failures", "dead"};
    buf_addf(ctx, "%s %.*s prio=%d at=%lld n=%u%s%.*s\n", names[k->kind], SLF(k->key), k->prio,
             k->at_wall_ns ? (long long)((k->at_wall_ns - 1767225600 * NS_PER_S) / NS_PER_MS) : -1,
             k->failures, k->reason.n ? " " : "", SLF(k->reason));
}

static void snapshot_is(struct fixture *f, const char *want) {
    cleanup_buf struct buf out = BUF(10000);
    controller_snapshot(f->c, write_one, &out);
    assert_string_equal(buf_str(&out), want);
    /* The bounded form has the same keys, the dead letters always. */
    size_t lines = 0, dead = 0;
    for (const char *p = want; (p = strchr(p, '\n')); p++) lines++;
    for (const char *p = want; (p = strstr(p, "\ndead ")); p++) dead++;
    for (size_t max = 0; max <= lines; max++) {
        size_t told = max < lines - dead ? max : lines - dead, n = 0;
        buf_clear(&out);
        assert_int_equal(controller_snapshot_first(f->c, max, write_one, &out), lines - dead - told);
        for (const char *p = buf_str(&out), *end; *p && (end = strchr(p, '\n')); p = end + 1, n++) {
            cleanup_free char *line = slice_dup(slice_make(p, (size_t)(end - p) + 1));
            assert_has(want, line);
        }
        assert_int_equal(n, told + dead);
    }
}

static void restore(struct fixture *f, enum key_kind kind, const char *key, int prio, int64_t at_wall,
                    unsigned failures) {
    controller_restore(f->c, &(struct key_state){.key = slice_of(key),
                                                 .kind = kind,
                                                 .prio = prio,
                                                 .at_wall_ns = at_wall,
                                                 .failures = failures,
                                                 .reason = kind == KEY_DEAD ? SL("broken") : SL("")});
}

#define CHECKPOINT_CASE(name) LIMITED_CASE(name, .queue = PLAIN, .workers = 4)

CHECKPOINT_CASE(told_in_the_order_of_the_checkpoint) {
    work_on(f, "bad slow cut flaky");
    end(f, 3, OUT_RETRY, 0, NULL);
    end(f, 0, OUT_TERMINAL, 0, &(struct err){.kind = ERR_REJECTED, .msg = "invalid"});
    controller_stop_intake(f->c);
    end(f, 1, OUT_INTERRUPTED, 0, NULL);
    controller_add(f->c, SL("low"), PRIO_LOW, 0);
    add(f, "new");
    controller_add(f->c, SL("later"), 0, MS(900));
    controller_add(f->c, SL("soon"), 0, MS(300));
    snapshot_is(f, "interrupted cut prio=100 at=-1 n=0\n"
                   "inflight slow prio=0 at=-1 n=0\n"
                   "queued new prio=0 at=-1 n=0\n"
                   "queued low prio=-100 at=-1 n=0\n"
                   "delayed flaky prio=0 at=1 n=1\n"
                   "delayed soon prio=0 at=300 n=0\n"
                   "delayed later prio=0 at=900 n=0\n"
                   "dead bad prio=0 at=0 n=1 invalid\n");
    run_ms(f, 10); /* flaky's time has come, although nobody may start it */
    cleanup_buf struct buf out = BUF(10000);
    controller_snapshot(f->c, write_one, &out);
    assert_has(buf_str(&out), "queued flaky prio=0 at=-1 n=1\n");
    finish(f, 0);
}

CHECKPOINT_CASE(restored_in_the_order_of_the_checkpoint) {
    int64_t wall = world_wall_ns(f->alone.w);
    controller_add(f->c, SL("list1"), PRIO_LOW, 0); /* a warm standby's initial list was there before */
    controller_add(f->c, SL("inflight"), PRIO_LOW, 0);
    add(f, "event");
    restore(f, KEY_DELAYED, "delayed", 0, wall + MS(50), 3);
    restore(f, KEY_DELAYED, "overdue", 0, wall - MS(50), 0);
    restore(f, KEY_FAILURES, "failing", 0, 0, 2);
    restore(f, KEY_DEAD, "dead", 0, wall - 5 * NS_PER_S, 9);
    restore(f, KEY_QUEUED, "queued", 0, 0, 1);
    restore(f, KEY_QUEUED, "resync", PRIO_LOW, 0, 0);
    restore(f, KEY_INTERRUPTED, "interrupted", PRIO_INTERRUPTED, 0, 4);
    restore(f, KEY_INFLIGHT, "inflight", 0, 0, 0);
    snapshot_is(f, "interrupted interrupted prio=100 at=-1 n=4\n"
                   "interrupted inflight prio=100 at=-1 n=0\n"
                   "queued queued prio=50 at=-1 n=1\n"
                   "queued event prio=0 at=-1 n=0\n"
                   "queued overdue prio=0 at=-1 n=0\n"
                   "queued list1 prio=-100 at=-1 n=0\n"
                   "queued resync prio=-100 at=-1 n=0\n"
                   "delayed delayed prio=0 at=50 n=3\n"
                   "failures failing prio=0 at=-1 n=2\n"
                   "dead dead prio=0 at=-5000 n=9 broken\n");
    controller_gate(f->c, true);
    for (int i = 0; i < 10; i++) {
        run_ms(f, 10);
        while (f->nopen) end(f, f->nopen - 1, OUT_DONE, 0, NULL);
    }
    assert_string_equal(buf_str(&f->names),
                        "interrupted inflight queued event overdue list1 resync delayed ");
}

static void count_one(void *ctx, const struct key_state *k) {
    assert_true(k->key.n <= QUEUE_KEY_MAX);
    ++*(size_t *)ctx;
}

CHECKPOINT_CASE(damaged_checkpoints_do_no_harm) {
    char big[QUEUE_KEY_MAX + 1];
    memset(big, 'x', sizeof big);
    for (int kind = KEY_INTERRUPTED; kind <= KEY_DEAD; kind++) {
        const enum key_kind k = (enum key_kind)kind;
        const struct key_state damaged[] = {
            {.key = slice_make(big, sizeof big), .kind = k, .failures = UINT32_MAX},
            {.kind = k, .prio = INT32_MIN, .at_wall_ns = INT64_MIN},
            {.key = SL("far"),
             .kind = k,
             .prio = INT32_MAX,
             .at_wall_ns = INT64_MAX,
             .failures = UINT32_MAX}};
        for (size_t i = 0; i < ARRAY_LEN(damaged); i++) controller_restore(f->c, &damaged[i]);
    }
    simworld_set_wall(f->alone.w, INT64_MIN / 2); /* a clock before 1970 */
    restore(f, KEY_DELAYED, "never", 0, INT64_MAX, 0);
    controller_gate(f->c, true);
    run_ms(f, 3600 * 1000 - 1);
    assert_lacks(buf_str(&f->names), "never");
    while (f->nopen) end(f, f->nopen - 1, OUT_RETRY, 0, NULL);
    run_ms(f, 1);
    assert_has(buf_str(&f->names), "never"); /* within an hour, whatever it says */
    size_t n = 0;
    controller_snapshot(f->c, count_one, &n);
    assert_in_range(n, 1, 10);
}

CASES("control/checkpoint")
