/* Signals beside errors: figures of the tests on simulated series, the guards, the pages that they come from. The series are
 * seeded; margins are several standard errors of this number of runs. */
#include "../case.h"
#include "base/time.h"
#include "judge/signals_pods.h"
#include "signals_sim.h"

struct seen {
    double spoke[SIGNALS], doubted; /* shares of the runs */
    double when;                    /* of the signal that is looked for, in looks */
};

/* want: ends a run that it speaks in; SIGNALS: none. */
static struct seen run(struct versions v, int runs, int looks, enum signal want) {
    struct seen seen = {.when = 0};
    struct signals_param p;
    signals_param_default(&p);
    double limit = log(SIGNALS / p.alpha);
    for (int k = 0; k < runs; k++) {
        struct rng r = {1000 + (uint64_t)k * 7919};
        struct signals s;
        struct signals_report report;
        bool spoke[SIGNALS] = {false};
        signals_init(&s);
        for (int t = 0; t < looks && (want == SIGNALS || !spoke[want]); t++) {
            struct signals_look l;
            sim_look(&r, &v, t, &l);
            signals_feed(&s, &l);
            for (int i = 0; i < SIGNALS; i++) {
                bool first = signals_log(&s, (enum signal)i, p.soak_looks) >= limit && !spoke[i];
                spoke[i] = spoke[i] || first;
                seen.spoke[i] += first ? 1. / runs : 0;
                seen.when += first && i == (int)want ? (double)(t - v.from) / runs : 0;
            }
        }
        signals_verdict(&s, &p, &report);
        seen.doubted += report.doubt ? 1. / runs : 0;
    }
    return seen;
}

static const struct versions sound = {.m = 2, .stable = 9, .burst = 1, .work = 1, .writes = 1, .slow = 1};

CASE(healthy_versions_raise_no_signal) {
    static const double m[] = {.2, 2, 20, 200};
    for (int k = 0; k < 16; k++) {
        struct versions v = sound;
        v.m = m[k % 4];
        v.stable = k / 4 % 2 ? 9 : 1;
        v.burst = k / 8 ? 10 : 1;
        struct seen seen = run(v, 20, 720, SIGNALS);
        double most = 0;
        for (int i = 0; i < SIGNALS; i++) most = fmax(most, seen.spoke[i]);
        print_message("m %-4g beside %u, in %2ux: %.1f %% of the worst signal, doubt at the end %.1f %%\n",
                      v.m, v.stable, v.burst, 100 * most, 100 * seen.doubted);
        assert_true(most <= .11 && seen.doubted <= .11); /* aim 1 % */
    }
}

static void finds(const char *what, struct versions v, enum signal s, double share, double looks) {
    struct seen seen = run(v, 20, 720, s);
    print_message("%s, m %g, in %ux: %.0f %%, after %.0f looks\n", what, v.m, v.burst, 100 * seen.spoke[s],
                  seen.when / fmax(seen.spoke[s], 1e-9));
    assert_true(seen.spoke[s] >= share && seen.when <= looks);
}

CASE(bad_versions_raise_their_signal) {
    static const double m[] = {2, 20, 200};
    for (int k = 0; k < 6; k++) {
        struct versions h = sound, v;
        h.m = m[k % 3];
        h.burst = k / 3 ? 10 : 1;
        double slower = h.burst / h.m; /* looks of an independent event */
        v = h, v.work = 3, v.from = 20, finds("hot loop", v, SIGNAL_WORK, 1, 60 + 60 * slower);
        v = h, v.work = 0, v.from = 20, finds("stalled", v, SIGNAL_WORK, 1, 300);
        v = h, v.slow = 12, v.from = 20, finds("slow", v, SIGNAL_LATENCY, .8, 60 + 100 * slower);
        v = h, v.panics = .2, v.from = 20, finds("panics", v, SIGNAL_PANICS, .8, 60 + 120 * slower);
        if (slower > 1) continue; /* too few of them for writes */
        v = h, v.writes = 3, finds("writes", v, SIGNAL_WRITES, .9, 60 + 150 * slower);
    }
    struct versions v = sound;
    v.m = .2, v.work = 3, finds("hot loop", v, SIGNAL_WORK, .9, 300);
    v = sound, v.growth = .01, finds("leak", v, SIGNAL_MEMORY, .9, 400);
}

/* A standstill of an hour, and twenty minutes later it is as if nothing had been; the next one is found as well. */
CASE(a_signal_lets_go_when_it_is_over) {
    struct signals s;
    struct rng r = {3};
    struct versions v = sound;
    v.m = 20;
    signals_init(&s);
    for (int t = 0; t < 1200; t++) {
        struct signals_look l;
        bool stands = (t >= 20 && t < 740) || t >= 1000;
        v.work = stands ? 0 : 1;
        sim_look(&r, &v, t, &l);
        signals_feed(&s, &l);
        if (t == 200 || t == 739 || t == 1199) assert_true(signals_log(&s, SIGNAL_WORK, 60) > 7);
        if (t == 999) assert_true(signals_log(&s, SIGNAL_WORK, 60) < log(5));
    }
}

/* ---- one look after the other ---- */

static struct signals_look quiet(void) {
    return (struct signals_look){.pods = {1, 1}, .total = {10, 10}, .canary_all = 10};
}

static struct signals_report says(const struct signals *s) {
    struct signals_param p;
    struct signals_report r;
    signals_param_default(&p);
    signals_verdict(s, &p, &r);
    return r;
}

CASE(a_reconcile_that_does_not_end_is_stuck) {
    struct signals s;
    signals_init(&s);
    struct signals_look l = quiet();
    l.longest[TRACK_STABLE] = (struct signals_gauge){true, 4};
    l.longest[TRACK_CANARY] = (struct signals_gauge){true, 59};
    signals_feed(&s, &l);
    assert_int_equal(says(&s).does, SIGNAL_OFF);
    l.longest[TRACK_CANARY].value = 61;
    signals_feed(&s, &l);
    struct signals_report r = says(&s);
    assert_int_equal(r.does, SIGNAL_DEADLINE);
    assert_string_equal(r.why,
                        "a reconcile of the canary has been running for 61 s; stable's longest took 4 s");
    l.longest[TRACK_STABLE].value = 7; /* so it is with stable */
    signals_feed(&s, &l);
    assert_int_equal(says(&s).does, SIGNAL_OFF);
    l.longest[TRACK_CANARY].value = 0;
    signals_feed(&s, &l);
    assert_false(says(&s).doubt);
}

CASE(keys_that_nobody_takes_are_stuck) {
    struct signals s;
    signals_init(&s);
    struct signals_look l = quiet();
    l.total[TRACK_CANARY] = l.canary_all = 0;
    l.depth[TRACK_CANARY] = (struct signals_gauge){true, 3};
    for (int i = 0; i < 11; i++) signals_feed(&s, &l);
    assert_int_equal(says(&s).does, SIGNAL_OFF);
    signals_feed(&s, &l);
    assert_int_equal(says(&s).which, SIGNAL_STUCK);
    assert_string_equal(says(&s).why,
                        "3 keys wait and the canary has reconciled none in the last 12 scrapes; stable "
                        "did 120 reconciles");
    l.canary_all = 1;
    signals_feed(&s, &l);
    assert_int_equal(says(&s).does, SIGNAL_OFF);
}

CASE(guards_of_oom_kills_and_leadership) {
    struct signals s;
    signals_init(&s);
    struct signals_look l = quiet();
    l.lost[TRACK_CANARY] = 1;
    signals_feed(&s, &l);
    assert_int_equal(says(&s).does, SIGNAL_OFF);
    signals_feed(&s, &l);
    assert_int_equal(says(&s).which, SIGNAL_LEADERSHIP);
    assert_int_equal(says(&s).does, SIGNAL_ROLLBACK);
    signals_init(&s);
    l = quiet();
    l.oom[TRACK_CANARY] = 1;
    signals_feed(&s, &l);
    assert_string_equal(says(&s).why, "1 container of the canary was OOM killed; 0 of stable");
    l.oom[TRACK_STABLE] = 1;
    signals_feed(&s, &l);
    assert_int_equal(says(&s).does, SIGNAL_OFF);
    l.oom[TRACK_CANARY] = 2;
    signals_feed(&s, &l);
    assert_string_equal(says(&s).why, "2 containers of the canary were OOM killed; 1 of stable");
}

CASE(words_have_their_figures_and_a_signal_that_is_off_says_nothing) {
    struct signals s;
    signals_init(&s);
    struct signals_look l = {.pods = {9, 1}, .total = {38, 4}, .canary_all = 4};
    l.pair[PAIR_WRITES][TRACK_STABLE] = (struct signals_counts){true, 0, 38};
    l.pair[PAIR_WRITES][TRACK_CANARY] = (struct signals_counts){true, 4, 4};
    for (int i = 0; i < 10; i++) signals_feed(&s, &l);
    struct signals_param p;
    struct signals_report r;
    signals_param_default(&p);
    signals_verdict(&s, &p, &r);
    assert_int_equal(r.does, SIGNAL_HOLD);
    assert_string_equal(r.why, "40 writes in 40 reconciles; stable 0 in 380");
    double log_e = -1;
    assert_int_equal(signals_state(&s, &p, SIGNAL_WRITES, &log_e), SIGNAL_STATE_SPEAKS);
    assert_true(log_e >= r.limit);
    assert_int_equal(signals_state(&s, &p, SIGNAL_WORK, &log_e), SIGNAL_STATE_QUIET);
    signals_words(&s, SIGNAL_WORK, r.why);
    assert_lacks(r.why, "hardly works"); /* while it is quiet */
    assert_int_equal(signals_state(&s, &p, SIGNAL_LATENCY, &log_e), SIGNAL_STATE_ABSENT);
    assert_true(log_e == 0);
    p.does[SIGNAL_WRITES] = SIGNAL_OFF;
    assert_int_equal(signals_state(&s, &p, SIGNAL_WRITES, &log_e), SIGNAL_STATE_OFF);
    signals_verdict(&s, &p, &r);
    assert_true(r.does == SIGNAL_OFF && !r.doubt);
    cleanup_buf struct buf absent = BUF(400);
    assert_true(signals_absent(&s, &p, &absent));
    assert_string_equal(buf_str(&absent), "stuck, latency, panics, webhooks, api, memory, leadership");
}

/* Each works every other second, and the scrapes of one find nothing new of the other. */
CASE(versions_that_never_work_in_the_same_scrape_are_compared) {
    struct signals s;
    signals_init(&s);
    for (int i = 0; i < 60; i++) {
        struct signals_look l = {.pods = {1, 1}};
        int t = i % 2 ? TRACK_CANARY : TRACK_STABLE;
        l.total[t] = 20;
        for (int k = 0; k < TRACKS; k++)
            l.pair[PAIR_PANICS][k] =
                (struct signals_counts){true, k == TRACK_CANARY && k == t ? 4 : 0, k == t ? 20 : 0};
        signals_feed(&s, &l);
    }
    assert_int_equal(says(&s).which, SIGNAL_PANICS);
    assert_int_equal(says(&s).does, SIGNAL_ROLLBACK);
    assert_string_equal(says(&s).why, "120 panics in 600 reconciles; stable 0 in 600");
}

/* Not 5e+02 times. */
CASE(a_hot_loop_in_words) {
    struct signals s;
    signals_init(&s);
    struct signals_look l = {.pods = {1, 1}, .total = {2, 1000}, .canary_all = 1000};
    for (int i = 0; i < 10; i++) signals_feed(&s, &l);
    assert_string_equal(says(&s).why, "a canary pod reconciles 500 times as often as a pod of stable (10000 "
                                      "reconciles, stable 20): a hot loop?");
}

/* Ten in a thousand, and stable has none: more than stable, and no more than nobody minds. */
CASE(a_rate_that_nobody_minds_is_no_signal) {
    struct signals s;
    signals_init(&s);
    for (int i = 0; i < 100; i++) {
        struct signals_look l = {.pods = {9, 1}, .total = {900, 100}, .canary_all = 100};
        l.pair[PAIR_WRITES][TRACK_STABLE] = (struct signals_counts){true, 0, 900};
        l.pair[PAIR_WRITES][TRACK_CANARY] = (struct signals_counts){true, (uint64_t)i % 2, 100};
        signals_feed(&s, &l);
    }
    assert_false(says(&s).doubt);
}

CASE(the_state_goes_through_json_exactly) {
    struct signals s, back;
    struct rng r = {5};
    signals_init(&s);
    struct versions v = sound;
    v.work = v.writes = 3;
    for (int t = 0; t < 50; t++) {
        struct signals_look l;
        sim_look(&r, &v, t, &l);
        signals_feed(&s, &l);
    }
    s.reported = true;
    s.bound = 0.1;
    cleanup_buf struct buf one = BUF(1 << 20), two = BUF(1 << 20);
    signals_write(&s, &one);
    cleanup_json cJSON *obj = json_parse(buf_slice(&one), NULL);
    assert_int_equal(signals_read(obj, &back, NULL), 0);
    signals_write(&back, &two);
    assert_string_equal(buf_str(&one), buf_str(&two));
    for (int i = 0; i < SIGNALS; i++) {
        double a = signals_log(&s, (enum signal)i, 60), b = signals_log(&back, (enum signal)i, 60);
        assert_memory_equal(&a, &b, sizeof a);
    }
    assert_true(one.n < 32768);
    cleanup_json cJSON *none = json_parse(SL("{}"), NULL), *bad = json_parse(SL("{\"total\":[1,-2]}"), NULL);
    assert_int_equal(signals_read(none, &back, NULL), 0); /* of an earlier version */
    assert_int_not_equal(signals_read(bad, &back, NULL), 0);
}

CASE(the_bound_holds_95_percent) {
    const double le[] = {.1, .5, 1, INFINITY};
    assert_true(signals_bound(le, (uint64_t[]){10, 95, 99, 100}, 4) == .5);
    assert_true(signals_bound(le, (uint64_t[]){10, 94, 99, 100}, 4) == 1);
    assert_true(signals_bound(le, (uint64_t[]){10, 20, 94, 100}, 4) == 0);
    assert_true(signals_bound(le, (uint64_t[]){49, 49, 49, 49}, 4) == 0);
    assert_true(signals_bound(le, NULL, 0) == 0);
}

/* ---- pages ---- */

struct pages {
    struct signals_pods pods;
    struct prom_page page[TRACKS];
    struct pod_sample s[TRACKS];
    int64_t now_ns;
};

static void set(struct prom_page *p, enum prom_what w, double v) {
    p->v[w] = (struct prom_value){true, 1, v};
}

static void begin(struct pages *p) {
    *p = (struct pages){.now_ns = 1000 * NS_PER_S};
    for (int t = 0; t < TRACKS; t++) {
        p->s[t] = (struct pod_sample){.uid = t ? SL("canary") : SL("stable"), .track = (enum track)t};
        p->s[t].page = &p->page[t];
        set(&p->page[t], PROM_START, 100 + t);
        set(&p->page[t], PROM_TOTAL, 0);
        set(&p->page[t], PROM_REQUESTS, 0);
    }
}

static struct signals_look look(struct pages *p, int64_t after_s) {
    struct signals_look l;
    p->now_ns += after_s * NS_PER_S;
    signals_pods_look(&p->pods, p->now_ns, 60 * NS_PER_S, 0.5, p->s, TRACKS, &l);
    return l;
}

CASE(a_beginning_process_and_another_one_are_not_compared) {
    struct pages p;
    begin(&p);
    assert_int_equal(look(&p, 0).pods[TRACK_CANARY], 0); /* the first page is a base */
    set(&p.page[TRACK_CANARY], PROM_TOTAL, 50);
    set(&p.page[TRACK_STABLE], PROM_TOTAL, 5);
    struct signals_look l = look(&p, 30);
    assert_true(l.pods[TRACK_CANARY] == 0 && l.canary_all == 50 && l.total[TRACK_STABLE] == 5);
    set(&p.page[TRACK_CANARY], PROM_TOTAL, 54);
    l = look(&p, 31);
    assert_true(l.pods[TRACK_CANARY] == 1 && l.total[TRACK_CANARY] == 4);
    set(&p.page[TRACK_CANARY], PROM_START, 900); /* another process, further on already */
    set(&p.page[TRACK_CANARY], PROM_TOTAL, 70);
    l = look(&p, 5);
    assert_true(l.pods[TRACK_CANARY] == 0 && l.total[TRACK_CANARY] == 0 && l.canary_all == 0);
    p.s[TRACK_STABLE].terminating = true;
    assert_int_equal(look(&p, 5).pods[TRACK_STABLE], 0);
    signals_pods_free(&p.pods);
}

CASE(renewals_of_a_lease_are_no_writes) {
    struct pages p;
    begin(&p);
    uint64_t writes = 0, plain = 0;
    for (int i = 0; i <= 100; i++) {
        for (int t = 0; t < TRACKS; t++) {
            set(&p.page[t], PROM_LEADER, t == TRACK_CANARY);
            set(&p.page[t], PROM_TOTAL, i);
            set(&p.page[t], PROM_WRITES, floor(i * 2.5) + i / 10); /* renewals, and one in ten looks */
        }
        struct signals_look l = look(&p, 5);
        writes += l.pair[PAIR_WRITES][TRACK_CANARY].x;
        plain += l.pair[PAIR_WRITES][TRACK_STABLE].x;
        if (i > 20) assert_true(l.pair[PAIR_WRITES][TRACK_CANARY].present);
    }
    assert_in_range(writes, 7, 10);
    assert_int_equal(plain, 260);
    signals_pods_free(&p.pods);
}

CASE(a_leadership_that_is_lost_is_counted) {
    struct pages p;
    begin(&p);
    set(&p.page[TRACK_CANARY], PROM_LEADER, 1);
    assert_int_equal(look(&p, 5).lost[TRACK_CANARY], 0);
    set(&p.page[TRACK_CANARY], PROM_LEADER, 0);
    assert_int_equal(look(&p, 5).lost[TRACK_CANARY], 1);
    assert_int_equal(look(&p, 5).lost[TRACK_CANARY], 0);
    set(&p.page[TRACK_CANARY], PROM_LEADER, 1);
    look(&p, 5);
    set(&p.page[TRACK_CANARY], PROM_START, 999); /* started anew, and leads again */
    assert_int_equal(look(&p, 5).lost[TRACK_CANARY], 1);
    signals_pods_free(&p.pods);
}

CASE(slow_reconciles_are_those_over_the_bound) {
    struct pages p;
    begin(&p);
    for (int i = 0; i <= 20; i++) {
        p.page[TRACK_CANARY].times = (struct prom_times){3, {.1, .5, INFINITY}, {5. * i, 6. * i, 10. * i}};
        set(&p.page[TRACK_CANARY], PROM_TOTAL, 10 * i);
        struct signals_look l = look(&p, 5);
        if (i == 20)
            assert_true(l.pair[PAIR_SLOW][TRACK_CANARY].x == 4 && l.pair[PAIR_SLOW][TRACK_CANARY].n == 10);
    }
    p.page[TRACK_STABLE].times = (struct prom_times){3, {.1, .5, INFINITY}, {90, 96, 100}};
    assert_true(signals_pods_bound(p.s, TRACKS) == .5);
    signals_pods_free(&p.pods);
}

CASES("rollout/signals")
