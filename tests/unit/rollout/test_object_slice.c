/* Which objects a slice takes, and the selector in a template: thousands of random schedules of objects that come and go, of labels that
 * are written late, of leaders that die. No object ever has two owners, and none is labelled at the end. */
#include "../case.h"
#include "base/json_raw.h"
#include "base/rand.h"
#include "observe/track_selector.h"
#include "plan/object_slice.h"
#include <stdio.h>

enum { N = 600, TARGET = 7 };
struct world {
    struct rng rng;
    struct slice_object o[N];
    bool there[N];
    const struct slice_object *list[N];
    int serial;
    int64_t now;
};

static void add(struct world *w, int i) {
    char uid[40];
    snprintf(uid, sizeof uid, "%08x-object-%d", (unsigned)w->rng.s, ++w->serial);
    w->o[i] = (struct slice_object){.hash = slice_object_hash(uid), .selected = true};
    w->there[i] = true;
}

static size_t sum(struct world *w, unsigned percent, struct slice_sum *ret) {
    size_t n = 0;
    for (int i = 0; i < N; i++)
        if (w->there[i]) w->list[n++] = &w->o[i];
    object_slice_sum(w->list, n, TARGET, percent, ret);
    return n;
}

static void give(struct world *w, int i, enum slice_owner to) {
    if (w->o[i].owner == OWNER_STABLE && to == OWNER_CANARY)
        fail_msg("from stable to the canary in one step");
    w->o[i].owner = to;
    w->o[i].target = to == OWNER_STABLE ? 0 : TARGET;
    w->o[i].since_ns = to == OWNER_NONE ? w->now : 0;
}

static int carry_out(struct world *w, enum slice_order order, unsigned percent, int at_most) {
    struct slice_sum s;
    enum slice_owner to;
    int n = 0;
    sum(w, percent, &s);
    for (int i = 0; i < N && n < at_most; i++) {
        if (!w->there[i] || !object_slice_next(&w->o[i], &s, TARGET, order, w->now, &to)) continue;
        give(w, i, to);
        n++;
    }
    return n;
}

static void take_all(struct world *w, unsigned percent) {
    while (carry_out(w, ORDER_TAKE, percent, 64)) continue;
    w->now += SLICE_SETTLE_NS;
    while (carry_out(w, ORDER_PASS, percent, 64)) continue;
}

CASE(so_many_objects_exactly) {
    static struct world w;
    static const unsigned steps[] = {1, 5, 10, 20, 50, 99, 100};
    for (int n = 0; n <= N; n += n < 12 ? 1 : 98) {
        w = (struct world){.rng = {(uint64_t)n + 1}};
        for (int i = 0; i < n; i++) add(&w, i);
        for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
            struct slice_sum s;
            take_all(&w, steps[k]); /* from the step before */
            sum(&w, steps[k], &s);
            assert_int_equal(s.total, n);
            assert_int_equal(s.canary, (n * (int)steps[k] + 99) / 100);
            assert_int_equal(s.canary, s.wanted);
            assert_int_equal(s.take + s.moving + s.others, 0);
        }
    }
}

CASE(steps_are_within_each_other) {
    static struct world a, b;
    a = (struct world){.rng = {5}};
    for (int i = 0; i < 500; i++) add(&a, i);
    b = a;
    take_all(&a, 5);
    take_all(&b, 20);
    for (int i = 0; i < 500; i++) assert_true(a.o[i].owner != OWNER_CANARY || b.o[i].owner == OWNER_CANARY);
    take_all(&a, 20);
    for (int i = 0; i < 500; i++) assert_int_equal(a.o[i].owner, b.o[i].owner);
}

CASE(never_and_first) {
    static struct world w;
    struct slice_sum s;
    w = (struct world){.rng = {6}};
    for (int i = 0; i < 100; i++) {
        add(&w, i);
        w.o[i].never = i < 50;
        w.o[i].first = i >= 95;
        w.o[i].deleting = i == 60;
    }
    take_all(&w, 10);
    for (int i = 0; i < 61; i++) assert_true((i >= 50 && i != 60) || w.o[i].owner == OWNER_STABLE);
    for (int i = 95; i < 100; i++) assert_int_equal(w.o[i].owner, OWNER_CANARY);
    sum(&w, 10, &s);
    assert_int_equal(s.canary, 10);
    take_all(&w, 100); /* all that may be taken */
    sum(&w, 100, &s);
    assert_int_equal(s.canary, 49);
    assert_int_equal(s.total, 100);
}

CASE(other_targets_objects_are_left_alone) {
    static struct world w;
    struct slice_sum s;
    enum slice_owner to;
    w = (struct world){.rng = {7}};
    for (int i = 0; i < 20; i++) add(&w, i);
    w.o[3].owner = OWNER_CANARY, w.o[3].target = TARGET + 1;
    w.o[4].owner = OWNER_NONE; /* by hand */
    sum(&w, 100, &s);
    assert_true(s.others == 2 && s.wanted == 18 && s.canary == 0 && s.moving == 0);
    for (int order = ORDER_TAKE; order <= ORDER_RETURN; order++)
        for (int i = 3; i <= 4; i++)
            assert_false(object_slice_next(&w.o[i], &s, TARGET, (enum slice_order)order, INT64_MAX / 2, &to));
}

/* An object that matches the selector no more keeps its label until it is given back. */
CASE(an_object_that_is_selected_no_more) {
    static struct world w;
    struct slice_sum s;
    enum slice_owner to;
    w = (struct world){.rng = {8}};
    for (int i = 0; i < 10; i++) add(&w, i);
    take_all(&w, 100);
    w.o[2].selected = false;
    sum(&w, 100, &s);
    assert_true(s.total == 9 && s.canary == 10);
    assert_true(object_slice_next(&w.o[2], &s, TARGET, ORDER_RETURN, w.now, &to) && to == OWNER_STABLE);
}

CASE(what_lost_its_owner_keeps_that_for_a_while) {
    static struct world w;
    w = (struct world){.rng = {9}, .now = 100 * SLICE_SETTLE_NS};
    for (int i = 0; i < 10; i++) add(&w, i);
    assert_int_equal(carry_out(&w, ORDER_TAKE, 50, 64), 5);
    w.now += SLICE_SETTLE_NS - 1;
    assert_int_equal(carry_out(&w, ORDER_PASS, 50, 64), 0);
    w.now++;
    assert_int_equal(carry_out(&w, ORDER_VERIFY, 50, 64), 0);
    assert_int_equal(carry_out(&w, ORDER_PASS, 50, 64), 5);
    assert_int_equal(carry_out(&w, ORDER_UNTAKE, 50, 64), 0);
}

static void churn(struct world *w, bool *was) {
    int i = (int)rng_below(&w->rng, N);
    if (!w->there[i]) {
        add(w, i);
    } else if (rng_below(&w->rng, 2)) {
        w->there[i] = was[i] = false;
    } else {
        w->o[i].never = rng_below(&w->rng, 4) == 0;
        w->o[i].first = rng_below(&w->rng, 8) == 0;
    }
}

static void one_schedule(uint64_t seed) {
    static struct world w;
    static bool was[N];
    static const unsigned steps[] = {5, 20, 50};
    w = (struct world){.rng = {seed}};
    memset(was, 0, sizeof was);
    int n = 1 + (int)rng_below(&w.rng, 60);
    for (int i = 0; i < n; i++) add(&w, i);
    for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
        for (int turn = 0; turn < 12; turn++) {
            w.now += (int64_t)rng_below(&w.rng, 3) * SLICE_SETTLE_NS / 2;
            static const enum slice_order orders[] = {ORDER_TAKE, ORDER_PASS, ORDER_TAKE, ORDER_UNTAKE};
            carry_out(&w, orders[rng_below(&w.rng, 4)], steps[k], 1 + (int)rng_below(&w.rng, 9));
            if (rng_below(&w.rng, 2)) churn(&w, was);
            for (int i = 0; i < N; i++) { /* what is in stays in */
                if (was[i] && w.o[i].owner != OWNER_CANARY)
                    fail_msg("seed %llu: object %d left the slice", (unsigned long long)seed, i);
                was[i] = w.there[i] && w.o[i].owner == OWNER_CANARY;
            }
        }
        take_all(&w, steps[k]);
        struct slice_sum s;
        sum(&w, steps[k], &s);
        if (s.canary < s.wanted || s.take)
            fail_msg("seed %llu: %u of %u", (unsigned long long)seed, s.canary, s.wanted);
        for (int i = 0; i < N; i++) was[i] = w.there[i] && w.o[i].owner == OWNER_CANARY;
    }
    while (carry_out(&w, ORDER_RETURN, 50, 7)) continue;
    for (int i = 0; i < N; i++)
        if (w.there[i] && w.o[i].owner != OWNER_STABLE)
            fail_msg("seed %llu: object %d is labelled at the end", (unsigned long long)seed, i);
}

CASE(random_schedules) {
    for (uint64_t seed = 1; seed <= 4000; seed++) one_schedule(seed);
}

/* 10 % of what there is, in the long run, whatever comes and goes. */
CASE(a_slice_does_not_grow_by_itself) {
    static struct world w;
    static bool was[N];
    struct slice_sum s;
    w = (struct world){.rng = {11}};
    for (int i = 0; i < 300; i++) add(&w, i);
    for (int turn = 0; turn < 6000; turn++) {
        int i = (int)rng_below(&w.rng, N);
        if (w.there[i])
            w.there[i] = false;
        else
            add(&w, i);
        carry_out(&w, ORDER_TAKE, 10, 9);
        w.now += SLICE_SETTLE_NS;
        carry_out(&w, ORDER_PASS, 10, 9);
    }
    (void)was;
    sum(&w, 10, &s);
    assert_true(s.total > 200 && s.canary >= s.wanted && s.canary * 5 < s.total);
}

CASE(objects_as_they_are_read) {
    static const struct {
        const char *metadata;
        bool read;
        enum slice_owner owner;
        bool labelled, never, first, selected, deleting;
    } t[] = {
        {"", true, OWNER_STABLE, false, false, false, false, false},
        {",\"labels\":{\"app\":\"x\"}", true, OWNER_STABLE, false, false, false, true, false},
        {",\"labels\":{\"handover.dev/track\":\"moving\",\"handover.dev/target\":\"u\"}", true, OWNER_NONE,
         true, false, false, false, false},
        {",\"labels\":{\"handover.dev/track\":\"canary\"}", true, OWNER_CANARY, false, false, false, false,
         false},
        {",\"labels\":{\"handover.dev/track\":\"other\",\"handover.dev/target\":\"u\"}", true, OWNER_STABLE,
         false, false, false, false, false},
        {",\"labels\":{\"handover.dev/canary\":\"never\",\"app\":\"x\"}", true, OWNER_STABLE, false, true,
         false, true, false},
        {",\"annotations\":{\"handover.dev/canary\":\"first\"}", true, OWNER_STABLE, false, false, true,
         false, false},
        {",\"labels\":{\"handover.dev/canary\":\"never\"},\"annotations\":{\"handover.dev/"
         "canary\":\"first\"}",
         true, OWNER_STABLE, false, true, false, false, false},
        {",\"deletionTimestamp\":\"2026-11-23T18:16:33Z\"", true, OWNER_STABLE, false, false, false, false,
         true},
        {",\"labels\":{\"app.kubernetes.io/managed-by\":\"handover\"}", false, OWNER_STABLE, false, false,
         false, false, false},
    };
    CLEANUP(selector) struct selector *sel = NULL;
    assert_int_equal(selector_parse(SL("app=x"), &sel, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        cleanup_free char *raw =
            xasprintf("{\"metadata\":{\"name\":\"a\",\"uid\":\"1-2\"%s}}", t[i].metadata);
        cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
        struct slice_object o = {0};
        assert_int_equal(slice_object_read(obj, sel, &o), t[i].read);
        if (!t[i].read) continue;
        assert_true(o.hash == slice_object_hash("1-2") && o.owner == t[i].owner &&
                    (o.target != 0) == t[i].labelled);
        assert_true(o.never == t[i].never && o.first == t[i].first && o.selected == t[i].selected &&
                    o.deleting == t[i].deleting);
        assert_true(slice_object_same(&o, &o));
    }
    /* of another version of Handover, too: the slice of a rollout is the same after an upgrade */
    assert_true(slice_object_hash("6f1c9b5e-8a3d-4a52-9a40-0f5f0f5b7c11") == UINT64_C(0x3b97c7bf353fb29e));
}

#define OF(text) "{\"spec\":{\"containers\":[{\"name\":\"m\",\"args\":[\"--x\",\"" text "\"]}]}}"
CASE(the_selector_in_a_template) {
    static const char *const yes[] = {
        "handover.dev/track notin (canary,moving)",
        "handover.dev/track notin (moving,canary)",
        "handover.dev/track notin ( canary , moving )",
        "handover.dev/track  notin(canary, moving)",
        "handover.dev/track!=canary,handover.dev/track!=moving",
        "handover.dev/track != moving , handover.dev/track != canary",
        "--selector=app=x,handover.dev/track notin (canary,moving),tier in (a,b)",
    };
    static const char *const no[] = {
        "handover.dev/track notin (canary)",
        "handover.dev/track notin (canary,canary)",
        "handover.dev/track notin (canary,moving,other)",
        "xhandover.dev/track notin (canary,moving)",
        "handover.dev/tracks notin (canary,moving)",
        "handover.dev/track in (canary,moving)",
        "handover.dev/track!=canary",
        "handover.dev/track!=canary,app!=moving",
        "handover.dev/track!=canary,handover.dev/track!=movings",
        "handover.dev/tracknotin (canary,moving)",
        "handover.dev/track notin (canary,moving",
        "",
    };
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        cleanup_free char *t = xasprintf(OF("%s"), yes[i]);
        cleanup_buf struct buf b = BUF(4096);
        assert_int_equal(json_raw_check(slice_of(t), NULL), 0);
        if (track_selector_replace(slice_of(t), &b) != 1) fail_msg("%s", yes[i]);
        assert_non_null(strstr(buf_str(&b), TRACK_SELECTOR_CANARY));
        assert_null(strstr(buf_str(&b), "moving"));
        assert_int_equal(track_selector_replace(slice_of(t), NULL), 1);
    }
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        cleanup_free char *t = xasprintf(OF("%s"), no[i]);
        cleanup_buf struct buf b = BUF(4096);
        if (track_selector_replace(slice_of(t), &b) != 0) fail_msg("%s", no[i]);
        assert_string_equal(buf_str(&b), t);
    }
}

CASE(the_selector_wherever_a_container_reads_it) {
    static const char before[] =
        "{ \"metadata\":{\"annotations\":{\"a\":\"" TRACK_SELECTOR_STABLE
        "\"}},\"spec\":{\"initContainers\":[{\"command\":[\"s\",\"-l\",\"" TRACK_SELECTOR_STABLE
        "\"]}],\"n\":9007199254740993,\"containers\":[{\"env\":[{\"name\":\"A\",\"value\":"
        "\"" TRACK_SELECTOR_STABLE "\"},{\"name\":\"" TRACK_SELECTOR_STABLE
        "\"}],\"image\":\"" TRACK_SELECTOR_STABLE "\"},{\"args\":[\"\\u0041=" TRACK_SELECTOR_STABLE
        "," TRACK_SELECTOR_STABLE "\"]}]} }";
    static const char after[] =
        "{ \"metadata\":{\"annotations\":{\"a\":\"" TRACK_SELECTOR_STABLE
        "\"}},\"spec\":{\"initContainers\":[{\"command\":[\"s\",\"-l\",\"" TRACK_SELECTOR_CANARY
        "\"]}],\"n\":9007199254740993,\"containers\":[{\"env\":[{\"name\":\"A\",\"value\":"
        "\"" TRACK_SELECTOR_CANARY "\"},{\"name\":\"" TRACK_SELECTOR_STABLE
        "\"}],\"image\":\"" TRACK_SELECTOR_STABLE "\"},{\"args\":[\"\\u0041=" TRACK_SELECTOR_CANARY
        "," TRACK_SELECTOR_CANARY "\"]}]} }";
    cleanup_buf struct buf b = BUF(4096);
    assert_int_equal(track_selector_replace(slice_of(before), &b), 4);
    assert_string_equal(buf_str(&b), after);
    static const char *const odd[] = {"{}", "{\"spec\":1}", "{\"spec\":{\"containers\":{\"args\":[]}}}",
                                      "{\"spec\":{\"containers\":[1,{\"args\":{\"a\":\"" TRACK_SELECTOR_STABLE
                                      "\"}}]}}",
                                      "{\"spec\":{\"containers\":[{\"env\":[[],{\"value\":7}]}]}}"};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        assert_int_equal(track_selector_replace(slice_of(odd[i]), NULL), 0);
}

CASES("rollout/object_slice")
