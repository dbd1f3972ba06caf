/* Rounds of scrapes: who is asked, in whose turn; which result counts. */
#include "scrape_kit.h"

SCRAPE(four_of_a_target_at_once, 100) {
    t->pods[2].finished = t->pods[7].terminating = true; /* nobody is there, or soon */
    t->pods[3].ip = NULL;
    struct target *g = begin(t, PODS);
    assert_int_equal(start(g, PODS), -EBUSY);
    assert_int_equal(fake_open(t->f), 4);
    assert_true(of(t, 0, "8080/metrics") && of(t, 5, "8080/metrics") && !of(t, 6, "8080/metrics"));
    answer(t, 1, good);
    assert_true(of(t, 6, "8080/metrics") && fake_open(t->f) == 4 && g->ended == 0);
    answer(t, 0, "<html>");
    answer(t, 4, good);
    answer(t, 5, good);
    answer(t, 6, good);
    assert_true(g->ended == 1 && g->round->n == PODS && g->round->number == 1 && !scrape_target_busy(g->s));
    for (int i = 0; i < PODS; i++) {
        bool asked = i != 2 && i != 3 && i != 7;
        assert_true(g->round->result[i].read == (asked && i != 0));
        assert_true((g->round->result[i].why != NULL) == (i == 0));
    }
    assert_string_equal(g->round->result[0].why,
                        "metrics of pod p0 at :8080/metrics: line 1: expected a metric's name, found '<'");
    assert_true(g->round->result[6].page->v[PROM_ERRORS].value == 2);
    assert_true(g->round->result[6].page->v[PROM_TOTAL].value == 42);
}

/* A round that is given up hands its slots on; one that stands in line leaves it. */
SCRAPE(given_up, 2) {
    struct target *a = begin(t, 3), *b = begin(t, 1), *c = begin(t, 1);
    assert_int_equal(fake_open(t->f), 2);
    scrape_target_reset(b->s);
    scrape_target_reset(a->s);
    fake_settle(t->f);
    assert_int_equal(fake_open(t->f), 1);
    answer(t, 0, good);
    assert_true(c->ended == 1 && a->ended == 0 && b->ended == 0 && !scrape_target_round(a->s));
    t->pods[0].finished = true; /* nobody to ask */
    assert_true(begin(t, 1)->ended == 1 && begin(t, 0)->ended == 1);
}

/* 60 targets of 8 pods whose pages never answer, in one namespace or in many: a neighbour's rounds take two quanta at
 * most, and hardly anything once it is known who does not answer. */
CASE(silent_pages_hold_no_slot) {
    for (int spread = 0; spread < 3; spread++) {
        struct kit *t = setup(32);
        char ns[16];
        t->page = good;
        t->silent = "10.0.0";
        for (int i = 0; i < 60; i++) {
            snprintf(ns, sizeof ns, "bad%d", spread == 2 ? i : 0);
            assert_int_equal(start(target(t, ns), 8), 0);
        }
        fake_run(t->f, 100 * NS_PER_MS);
        assert_int_equal(fake_open(t->f), 32);
        struct target *g = target(t, spread ? "good" : "bad0");
        struct obs_pod mute[PODS];
        memcpy(mute, t->pods, sizeof mute);
        static char ips[4][16];
        for (int i = 0; i < 4; i++) {
            snprintf(ips[i], sizeof ips[i], "10.9.9.%d", i);
            t->pods[i].ip = ips[i];
        }
        int64_t worst = 0, late = 0, end = world_boot_ns(t->f->a.w) + 120 * NS_PER_S;
        while (world_boot_ns(t->f->a.w) < end) {
            int64_t from = world_boot_ns(t->f->a.w);
            assert_int_equal(start(g, 4), 0);
            while (scrape_target_busy(g->s)) fake_run(t->f, 10 * NS_PER_MS);
            int64_t took = g->ended_ns - from;
            if (took > worst) worst = took;
            if (from > end - 60 * NS_PER_S && took > late) late = took;
            for (int i = 0; i < 4; i++) assert_true(g->round->result[i].read);
            for (size_t i = 0; i < 60; i++)
                if (!scrape_target_busy(t->target[i].s)) {
                    struct scrape_what what = {&t->spec, mute, PODS, 5 * NS_PER_S, false, TRACK_CANARY};
                    scrape_target_start(t->target[i].s, &what);
                }
            fake_run(t->f, 200 * NS_PER_MS);
        }
        if (worst > 2 * SCRAPE_QUANTUM_NS || late > 100 * NS_PER_MS)
            fail_msg("spread %d: %lld ms, later %lld ms", spread, (long long)(worst / NS_PER_MS),
                     (long long)(late / NS_PER_MS));
        teardown(t);
    }
}

/* A pod whose page timed out is asked less and less often, and at once again when it answers. */
SCRAPE(a_timeout_backs_off, 4) {
    t->page = good;
    t->silent = "10.0.0.0";
    struct target *g = begin(t, 2);
    unsigned before = 0;
    for (int round = 0; round < 300; round++) {
        while (scrape_target_busy(g->s)) fake_run(t->f, NS_PER_S);
        assert_true(!g->round->result[0].read && g->round->result[1].read);
        if (round == 1)
            assert_string_equal(g->round->result[0].why,
                                "metrics of pod p0: timed out 1 times in a row, asked again in 4s");
        fake_run(t->f, NS_PER_S);
        if (round == 299) t->silent = NULL;
        if (round == 200) before = t->asked;
        start(g, 2);
    }
    assert_in_range(t->asked - before, 100, 104); /* pod 1 each time, pod 0 once a minute */
    fake_run(t->f, 61 * NS_PER_S);
    start(g, 2);
    fake_run(t->f, NS_PER_S);
    assert_true(g->round->result[0].read);
}

/* A round ends after a while, whatever its pods do; the next one begins with those that were not asked. */
SCRAPE(a_round_does_not_last, 1) {
    t->page = good;
    t->silent = "10.0.0";
    struct target *g = begin(t, 4);
    int64_t from = world_boot_ns(t->f->a.w);
    while (!g->ended) fake_run(t->f, NS_PER_S);
    assert_true(g->ended_ns - from <= 15 * NS_PER_S);
    assert_string_equal(g->round->result[3].why, "pod p3 was not asked: the round has taken more than 10s");
    t->silent = "10.0.0.0";
    start(g, 4);
    fake_run(t->f, 6 * NS_PER_S);
    assert_true(g->ended == 2 && g->round->result[3].read);
}

SCRAPE(pods_that_go_away, 1) {
    struct target *g = begin(t, 3);
    assert_true(of(t, 0, "8080/metrics") && fake_open(t->f) == 1);
    t->pods[0].terminating = true;
    scrape_target_update(g->s, t->pods, 2); /* pod 2 is gone altogether */
    fake_settle(t->f);
    answer(t, 1, good);
    assert_true(g->ended == 1 && fake_open(t->f) == 0 && g->round->result[1].read);
    assert_string_equal(g->round->result[0].why,
                        "metrics of pod p0 at :8080/metrics: no answer within 0s, the pod is going away");
    assert_string_equal(g->round->result[2].why, "pod p2 is going away");
}

/* Pods that timed out get half of the slots, the others all that are left; the stop ends both. */
SCRAPE(the_stop_ends_what_is_read, 4) {
    struct target *a = begin(t, 4);
    fake_run(t->f, 16 * NS_PER_S);
    start(a, 4);
    fake_settle(t->f);
    assert_int_equal(fake_open(t->f), 2);
    struct target *b = begin(t, 4);
    assert_int_equal(fake_open(t->f), 4);
    scraper_stop(t->scraper);
    fake_settle(t->f);
    assert_true(fake_open(t->f) == 0 && a->ended == 1 && b->ended == 0);
    assert_int_equal(start(a, 1), -ECANCELED);
}

/* More pods than a round asks: always the same ones, half of them canaries where both tracks have many. */
SCRAPE(so_many_pods_and_no_more, 32) {
    enum { MANY = 1000 };
    static struct obs_pod many[MANY];
    static char uid[MANY][8];
    t->page = good;
    for (int canaries = 10; canaries <= 990; canaries += 490) {
        for (int i = 0; i < MANY; i++) {
            snprintf(uid[i], sizeof uid[i], "%d", i);
            many[i] = t->pods[0];
            many[i].uid = uid[i];
            many[i].created_ns = MANY - i;
            many[i].track = i < canaries ? TRACK_CANARY : TRACK_STABLE;
        }
        struct target *g = target(t, "ns");
        struct scrape_what what = {&t->spec, many, MANY, 5 * NS_PER_S, false, TRACK_CANARY};
        assert_int_equal(scrape_target_start(g->s, &what), 0);
        fake_run(t->f, NS_PER_S);
        assert_true(g->ended == 1 && g->round->n == SCRAPE_MAX_PODS &&
                    g->round->left_out == MANY - SCRAPE_MAX_PODS);
        int seen[TRACKS] = {0};
        for (size_t i = 0; i < g->round->n; i++) seen[g->round->result[i].pod.track]++;
        assert_int_equal(seen[TRACK_CANARY], canaries == 10 ? 10 : canaries == 500 ? 128 : 246);
        assert_string_equal(g->round->result[g->round->n - 1].pod.uid, canaries == 10    ? "754"
                                                                       : canaries == 500 ? "872"
                                                                                         : "990");
    }
}

/* Broken in its second line: the rest of a page of any length is not fetched. */
SCRAPE(a_broken_page, 2) {
    struct target *g = begin(t, 1);
    fake_head(of(t, 0, "8080/metrics"), 200, NULL, NULL);
    fake_body(container_of(t->f->reqs.next, struct fake_req, node), "a 1\n{\n");
    assert_true(g->ended == 1 && fake_open(t->f) == 0);
    assert_non_null(strstr(g->round->result[0].why, ": line 2: expected a label's name or }, found the end"));
}

/* Each page may be 32 MiB; those of a target's round together may be twice that. */
SCRAPE(a_cap_over_the_pages_of_a_round, 4) {
    struct target *g = begin(t, 3);
    size_t n = 24 << 20;
    char *big = xmalloc(n + 1);
    memset(big, '#', n);
    big[n] = '\0';
    memcpy(big, good, sizeof good - 1);
    for (size_t i = 1023; i < n; i += 1024) big[i] = '\n';
    for (int i = 0; i < 3; i++) answer(t, i, big);
    free(big);
    assert_true(g->ended == 1 && g->round->result[0].read && g->round->result[1].read);
    assert_string_equal(
        g->round->result[2].why,
        "metrics of pod p2 at :8080/metrics: the pages of one round of this target are more than "
        "67108864 bytes or 1000000 samples");
}

/* A round's results meanwhile: of pods 0..2, 0 goes on, 1 restarted, 2 is gone. */
SCRAPE(from_a_round_to_samples, 4) {
    struct scrape_result res[3] = {
        {.read = true, .read_ns = 5}, {.read = true, .read_ns = 9}, {.read = true, .read_ns = 7}};
    struct scrape_round r = {.number = 1, .result = res, .n = 3};
    struct prom_page pages[3] = {0};
    struct pod_sample s[3];
    int64_t at;
    for (int i = 0; i < 3; i++) {
        res[i].page = &pages[i];
        res[i].pod = t->pods[i];
        res[i].pod.track = TRACK_CANARY;
        res[i].page->v[PROM_TOTAL] = res[i].page->v[PROM_ACTIVE] = (struct prom_value){.present = true};
    }
    t->pods[1].restarts = 1;
    scrape_samples(&r, t->pods, 2, s);
    assert_true(s[0].scraped && s[0].present && !s[1].scraped && !s[1].present);
    assert_true(!s[0].terminating && !s[1].terminating && s[2].terminating);
    assert_true(scrape_quiet(&r, TRACK_CANARY, &at) == QUIET_NOW && at == 5);
    res[1].page->v[PROM_ACTIVE].value = 1;
    assert_true(scrape_quiet(&r, TRACK_CANARY, &at) == QUIET_BUSY && !scrape_trouble(&r));
    /* Two standbys, one warm, beside a leader: their pages as controller-runtime 0.25 has them. */
    struct prom_value *leader = res[0].page->v, *warm = res[1].page->v, *cold = res[2].page->v;
    t->pods[1].restarts = 0;
    memset(warm, 0, sizeof res[1].page->v);
    memset(cold, 0, sizeof res[2].page->v);
    warm[PROM_DEPTH] = (struct prom_value){.present = true, .value = 8};
    leader[PROM_TOTAL].value = 16;
    assert_int_equal(scrape_quiet(&r, TRACK_CANARY, &at), QUIET_NOW);
    warm[PROM_ACTIVE].present = warm[PROM_TOTAL].present = true; /* with the series, and nothing done */
    assert_int_equal(scrape_quiet(&r, TRACK_CANARY, &at), QUIET_NOW);
    leader[PROM_DEPTH] = (struct prom_value){.present = true, .value = 1};
    assert_int_equal(scrape_quiet(&r, TRACK_CANARY, &at), QUIET_BUSY);
    leader[PROM_DEPTH].value = 0;
    cold[PROM_TOTAL] = (struct prom_value){.present = true, .value = 1}; /* it works, and does not say when */
    assert_int_equal(scrape_quiet(&r, TRACK_CANARY, &at), QUIET_UNKNOWN);
    memset(leader, 0, sizeof res[0].page->v);
    memset(warm, 0, sizeof res[1].page->v);
    cold[PROM_TOTAL].present = false;
    assert_int_equal(scrape_quiet(&r, TRACK_CANARY, &at), QUIET_UNKNOWN); /* nobody says it */
}

CASES("rollout/scrape")
