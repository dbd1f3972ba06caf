/* Counters under names to deltas: the evidence's rules for each name, sums of names, a change of leader. */
#include "../case.h"
#include "judge/counts.h"
#include "base/rand.h"
#include "base/time.h"
#include <stdio.h>

#define BEGAN (1000 * NS_PER_S)
#define START (60 * NS_PER_S)

struct court {
    struct evidence e;
    struct counts c;
    int64_t now, start_ns;
    struct evidence_delta sum;
    struct counts_delta d[COUNTS_NAMES];
    size_t names;
};
static void open_court(struct court *t) {
    *t = (struct court){.now = BEGAN};
    evidence_begin(&t->e, BEGAN);
}
static void close_court(struct court *t) {
    evidence_free(&t->e);
    counts_free(&t->c);
}
#define COUNTS(name) CASE_WITH(struct court, t, open_court, close_court, name)

static void add(struct prom_page *p, const char *name, double errors, double total) {
    struct prom_controller *c = &p->controller[p->controllers++];
    snprintf(c->name, sizeof c->name, "%s", name);
    c->errors = errors;
    c->total = total;
}

static struct pod_sample pod(const char *uid, enum track t, const struct prom_page *page) {
    struct pod_sample s = {.uid = slice_of(uid),
                           .track = t,
                           .created_ns = t == TRACK_CANARY ? BEGAN + NS_PER_S : BEGAN - NS_PER_S,
                           .scraped = true,
                           .present = true,
                           .page = page};
    for (size_t i = 0; i < page->controllers; i++) {
        s.errors += evidence_count(page->controller[i].errors);
        s.total += evidence_count(page->controller[i].total);
    }
    return s;
}

/* Five seconds later. */
static void sample(struct court *t, const struct pod_sample *s, size_t n) {
    t->now += 5 * NS_PER_S;
    evidence_round(&t->e, t->now, t->start_ns, s, n, &t->sum);
    t->names = counts_round(&t->c, &t->e, t->now, t->start_ns, s, n, counts_of_controllers, t->d);
}

static struct pod_sample two(const char *uid, enum track track, struct prom_page *page, double widget_errors,
                             double widget, double gadget_errors, double gadget) {
    *page = (struct prom_page){0};
    add(page, "widget", widget_errors, widget);
    add(page, "gadget", gadget_errors, gadget);
    return pod(uid, track, page);
}

static void assert_news(const struct court *t, const char *name, enum track track, uint64_t x, uint64_t n) {
    for (size_t i = 0; i < t->names; i++) {
        const struct counter_news *d = &t->d[i].d[track];
        if (strcmp(t->d[i].name, name) != 0) continue;
        if (d->x != x || d->n != n)
            fail_msg("%s: %llu/%llu", name, (unsigned long long)d->x, (unsigned long long)d->n);
        return;
    }
    fail_msg("no %s", name);
}

COUNTS(by_name_and_track) {
    struct prom_page a, b;
    struct pod_sample s[] = {two("s", TRACK_STABLE, &a, 9, 100, 3, 50),
                             two("c", TRACK_CANARY, &b, 0, 4, 2, 2)};
    sample(t, s, 2);
    assert_int_equal(t->names, 2);
    assert_news(t, "widget", TRACK_STABLE, 0, 0); /* there before: the base */
    assert_news(t, "gadget", TRACK_CANARY, 2, 2); /* since the rollout began */
    assert_news(t, "widget", TRACK_CANARY, 0, 4);
    assert_true(t->d[0].pods[TRACK_STABLE] == 1 && t->d[0].pods[TRACK_CANARY] == 1);
    s[0] = two("s", TRACK_STABLE, &a, 10, 120, 3, 51);
    s[1] = two("c", TRACK_CANARY, &b, 0, 4, 5, 4); /* an error is seen before its reconcile */
    sample(t, s, 2);
    assert_news(t, "widget", TRACK_STABLE, 1, 20);
    assert_news(t, "gadget", TRACK_STABLE, 0, 1);
    uint64_t x, n;
    counts_history(&t->c, &t->e, "widget", TRACK_STABLE, &x, &n);
    assert_true(x == 10 && n == 120);
    counts_history(&t->c, &t->e, "gadget", TRACK_CANARY, &x, &n);
    assert_true(x == 5 && n == 4);
    counts_history(&t->c, &t->e, "gizmo", TRACK_CANARY, &x, &n);
    assert_true(x == 0 && n == 0);
    assert_news(t, "widget", TRACK_CANARY, 0, 0);
    assert_news(t, "gadget", TRACK_CANARY, 2, 2);
    s[1] = two("c", TRACK_CANARY, &b, 1, 5, 5, 7);
    sample(t, s + 1, 1);
    assert_news(t, "gadget", TRACK_CANARY, 1, 3);
    assert_news(t, "widget", TRACK_CANARY, 1, 1);
    assert_news(t, "widget", TRACK_STABLE, 0, 0);
}

COUNTS(no_evidence) {
    struct prom_page a;
    struct pod_sample s = two("c", TRACK_CANARY, &a, 0, 4, 0, 2);
    sample(t, &s, 1);
    s = two("c", TRACK_CANARY, &a, 4, 8, 0, 2);
    s.terminating = true;
    sample(t, &s, 1);
    assert_news(t, "widget", TRACK_CANARY, 0, 0);
    s.terminating = s.present = false;
    sample(t, &s, 1);
    s.present = true;
    s.scraped = false;
    sample(t, &s, 1);
    s.scraped = true;
    s.page = NULL;
    sample(t, &s, 1);
    assert_news(t, "widget", TRACK_CANARY, 0, 0);
    assert_int_equal(t->d[0].pods[TRACK_CANARY], 0);
    s.page = &a;
    sample(t, &s, 1);
    assert_news(t, "widget", TRACK_CANARY, 4, 4); /* covers the gap */
}

COUNTS(another_process) {
    struct prom_page a;
    struct pod_sample s = two("s", TRACK_STABLE, &a, 7, 70, 1, 10);
    sample(t, &s, 1);
    s = two("s", TRACK_STABLE, &a, 8, 80, 0, 2);
    s.restarts = 1;
    sample(t, &s, 1);
    assert_news(t, "widget", TRACK_STABLE, 8, 80); /* more than before, but from zero */
    assert_news(t, "gadget", TRACK_STABLE, 0, 2);
    s = two("s", TRACK_STABLE, &a, 1, 5, 0, 2); /* less than before: a reset */
    s.restarts = 1;
    sample(t, &s, 1);
    assert_news(t, "widget", TRACK_STABLE, 1, 5);
}

/* Each controller has its own retries of what failed at the start. */
COUNTS(start) {
    static const struct {
        int64_t after_s;
        double widget_errors, widget;
        uint64_t start_x, start_n, x, n, retried;
    } v[] = {
        {0, 20, 70, 20, 70, 0, 0, 0}, {20, 22, 80, 2, 10, 0, 0, 0},  {15, 24, 90, 2, 10, 0, 0, 0},
        {30, 26, 100, 0, 0, 0, 8, 2}, {10, 27, 110, 0, 0, 1, 10, 0},
    };
    t->start_ns = START;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct prom_page a;
        struct pod_sample s = two("c", TRACK_CANARY, &a, v[i].widget_errors, v[i].widget, 0, 1 + (double)i);
        t->now += v[i].after_s * NS_PER_S;
        sample(t, &s, 1);
        const struct counter_news *d = &t->d[0].d[TRACK_CANARY];
        if (d->start_x != v[i].start_x || d->start_n != v[i].start_n || d->x != v[i].x || d->n != v[i].n ||
            d->retried != v[i].retried)
            fail_msg("%zu: start %llu/%llu, then %llu/%llu, retried %llu", i, (unsigned long long)d->start_x,
                     (unsigned long long)d->start_n, (unsigned long long)d->x, (unsigned long long)d->n,
                     (unsigned long long)d->retried);
        assert_int_equal(t->d[1].d[TRACK_CANARY].n + t->d[1].d[TRACK_CANARY].start_n, 1);
        assert_int_equal(t->d[1].d[TRACK_CANARY].retried, 0);
    }
}

/* What the last leader counted is not counted again; what happened since its last round is lost once. */
COUNTS(next_leader) {
    struct prom_page a, b;
    t->start_ns = START;
    struct pod_sample s[] = {two("c", TRACK_CANARY, &a, 1, 10, 0, 10),
                             two("s", TRACK_STABLE, &b, 1, 90, 0, 90)};
    sample(t, s, 2);
    cleanup_buf struct buf text = BUF(1 << 16);
    evidence_write(&t->e, &text);
    cleanup_json cJSON *json = json_parse(buf_slice(&text), NULL);
    evidence_free(&t->e);
    counts_free(&t->c);
    assert_int_equal(evidence_read(json, &t->e, NULL), 0);
    t->now += 100 * NS_PER_S;
    s[0] = two("c", TRACK_CANARY, &a, 2, 20, 0, 30);
    s[1] = two("s", TRACK_STABLE, &b, 3, 190, 0, 90);
    sample(t, s, 2);
    assert_news(t, "widget", TRACK_CANARY, 0, 0);
    assert_news(t, "widget", TRACK_STABLE, 0, 0);
    s[0] = two("c", TRACK_CANARY, &a, 3, 24, 0, 30);
    add(&a, "gizmo", 1, 1); /* made at its first event */
    s[0].errors++, s[0].total++;
    struct prom_page fresh; /* and a pod that is new to this leader */
    s[1] = two("d", TRACK_CANARY, &fresh, 0, 0, 5, 5);
    sample(t, s, 2);
    assert_news(t, "widget", TRACK_CANARY, 1, 4); /* its first moments are over, the other's not */
    assert_news(t, "gizmo", TRACK_CANARY, 1, 1);
    assert_true(t->d[1].d[TRACK_CANARY].start_x == 5 && t->d[1].d[TRACK_CANARY].start_n == 5);
}

static struct pod_sample crowd(const char *uid, enum track track, struct prom_page *page, int first, int n,
                               double each) {
    *page = (struct prom_page){0};
    for (int i = first; i < first + n; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%02d", i);
        add(page, name, 0, each);
    }
    return pod(uid, track, page);
}

COUNTS(many_names) {
    struct prom_page a, b;
    struct pod_sample s[] = {crowd("c", TRACK_CANARY, &a, 0, 12, 2), crowd("d", TRACK_CANARY, &b, 8, 12, 3)};
    sample(t, s, 2);
    assert_int_equal(t->names, COUNTS_NAMES);
    assert_news(t, "c11", TRACK_CANARY, 0, 5);
    assert_news(t, "c14", TRACK_CANARY, 0, 3);
    assert_news(t, JUDGE_OTHERS, TRACK_CANARY, 0, 15); /* 15 to 19 */
    s[1] = crowd("d", TRACK_CANARY, &b, 8, 13, 4);     /* whose sum has another member */
    sample(t, s, 2);
    assert_news(t, "c14", TRACK_CANARY, 0, 1);
    assert_news(t, JUDGE_OTHERS, TRACK_CANARY, 0, 0);
    s[1] = crowd("d", TRACK_CANARY, &b, 8, 13, 6);
    sample(t, s, 2);
    assert_news(t, JUDGE_OTHERS, TRACK_CANARY, 0, 12);
}

/* A page's own sum of the rest takes a controller in, and later gives it back. */
COUNTS(sum_of_the_rest) {
    struct prom_page a;
    struct pod_sample s = two("c", TRACK_CANARY, &a, 0, 5, 0, 5);
    add(&a, "", 1, 100);
    a.controller[2].of = 7;
    sample(t, &s, 1);
    assert_news(t, JUDGE_OTHERS, TRACK_CANARY, 1, 100);
    a.controllers = 0;
    add(&a, "widget", 0, 6);
    add(&a, "", 1, 107);
    a.controller[1].of = 8; /* gadget is in it */
    sample(t, &s, 1);
    assert_news(t, "widget", TRACK_CANARY, 0, 1);
    assert_news(t, JUDGE_OTHERS, TRACK_CANARY, 0, 0);
    a.controllers = 0;
    add(&a, "widget", 0, 7);
    add(&a, "gizmo", 0, 90); /* was in it */
    add(&a, "", 1, 20);
    a.controller[2].of = 9;
    sample(t, &s, 1);
    assert_news(t, "gizmo", TRACK_CANARY, 0, 0);
    assert_news(t, JUDGE_OTHERS, TRACK_CANARY, 0, 0);
    a.controller[1].total = 92;
    sample(t, &s, 1);
    assert_news(t, "gizmo", TRACK_CANARY, 0, 2);
}

/* The controllers of any schedule of pods, failed scrapes and restarts add up to all. */
CASE(random_schedules) {
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rng rng = {seed};
        struct court t;
        open_court(&t);
        struct {
            struct prom_page page;
            uint32_t restarts;
        } p[4] = {0};
        for (int round = 0; round < 60; round++) {
            struct pod_sample s[4];
            size_t n = 0;
            for (size_t i = 0; i < 4; i++) {
                static const char *const uid[] = {"s0", "s1", "c0", "c1"}, *const name[] = {"a", "b", "c"};
                if (rng_below(&rng, 20) == 0) {
                    p[i].page = (struct prom_page){0};
                    p[i].restarts++;
                }
                for (size_t k = p[i].page.controllers; k < 3; k++) add(&p[i].page, name[k], 0, 0);
                for (size_t k = 0; k < 3; k++) {
                    uint64_t all = rng_below(&rng, 9);
                    p[i].page.controller[k].total += (double)all;
                    p[i].page.controller[k].errors += (double)rng_below(&rng, all + 1);
                }
                s[n] = pod(uid[i], i < 2 ? TRACK_STABLE : TRACK_CANARY, &p[i].page);
                s[n].restarts = p[i].restarts;
                s[n].scraped = rng_below(&rng, 4) != 0;
                n += rng_below(&rng, 9) != 0;
            }
            sample(&t, s, n);
            for (int track = 0; track < TRACKS; track++) {
                uint64_t x = 0, all = 0;
                for (size_t k = 0; k < t.names; k++) {
                    x += t.d[k].d[track].x;
                    all += t.d[k].d[track].n;
                }
                if (all != t.sum.total[track] || x != t.sum.errors[track])
                    fail_msg("seed %llu, round %d", (unsigned long long)seed, round);
            }
            if (rng_below(&rng, 5) == 0) { /* as a plan copies its state */
                struct counts copy;
                counts_copy(&t.c, &copy);
                counts_free(&t.c);
                t.c = copy;
            }
        }
        close_court(&t);
    }
}

CASES("rollout/counts")
