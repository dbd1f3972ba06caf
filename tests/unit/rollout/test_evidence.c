/* Counters to deltas: resets, restarts, newcomers, gaps, standbys, pods that end. */
#include "../case.h"
#include "../each.h"
#include "judge/evidence.h"
#include "base/rand.h"
#include "base/time.h"
#include <math.h>

#define BEGAN (1000 * NS_PER_S)

static void begin(struct evidence *e) {
    *e = (struct evidence){0};
    evidence_begin(e, BEGAN);
}
/* A case with the evidence t of a rollout that began at BEGAN. */
#define EVIDENCE(name) CASE_WITH(struct evidence, t, begin, evidence_free, name)

static struct pod_sample pod(const char *uid, enum track t, uint64_t errors, uint64_t total) {
    return (struct pod_sample){.uid = slice_of(uid),
                               .track = t,
                               .created_ns = t == TRACK_CANARY ? BEGAN + NS_PER_S : BEGAN - NS_PER_S,
                               .scraped = true,
                               .present = true,
                               .errors = errors,
                               .total = total};
}

static void assert_round(struct evidence *e, const struct pod_sample *s, size_t n, uint64_t ec, uint64_t nc,
                         uint64_t es, uint64_t ns) {
    struct evidence_delta d;
    evidence_round(e, BEGAN, 0, s, n, &d);
    if (d.errors[TRACK_CANARY] != ec || d.total[TRACK_CANARY] != nc || d.errors[TRACK_STABLE] != es ||
        d.total[TRACK_STABLE] != ns) {
        fail_msg("canary %llu/%llu, stable %llu/%llu", (unsigned long long)d.errors[TRACK_CANARY],
                 (unsigned long long)d.total[TRACK_CANARY], (unsigned long long)d.errors[TRACK_STABLE],
                 (unsigned long long)d.total[TRACK_STABLE]);
    }
}

static void one(struct evidence *e, struct pod_sample s, uint64_t errors, uint64_t total) {
    if (s.track == TRACK_CANARY)
        assert_round(e, &s, 1, errors, total, 0, 0);
    else
        assert_round(e, &s, 1, 0, 0, errors, total);
}

EVIDENCE(baseline) {
    one(t, pod("s", TRACK_STABLE, 100, 5000), 0, 0); /* there before: its first counts are where we begin */
    one(t, pod("s", TRACK_STABLE, 101, 5007), 1, 7);
    one(t, pod("c", TRACK_CANARY, 2, 3), 2, 3); /* since the rollout began: all of it is news */
    one(t, pod("c", TRACK_CANARY, 2, 3), 0, 0); /* idle */
    struct pod_sample newer = pod("t", TRACK_STABLE, 1, 9);
    newer.created_ns = BEGAN + 5 * NS_PER_S; /* an HPA's doing */
    one(t, newer, 1, 9);
    assert_true(t->errors[TRACK_STABLE] == 2 && t->total[TRACK_STABLE] == 16 && t->rounds == 5);
}

/* creationTimestamp has no fraction */
EVIDENCE(whole_seconds) {
    evidence_begin(t, BEGAN + 700 * NS_PER_MS);
    struct pod_sample s = pod("s", TRACK_STABLE, 0, 4);
    s.created_ns = BEGAN;
    one(t, s, 0, 4);
}

EVIDENCE(resets_and_restarts) {
    one(t, pod("c", TRACK_CANARY, 5, 50), 5, 50);
    one(t, pod("c", TRACK_CANARY, 1, 8), 1, 8); /* less than before */
    struct pod_sample s = pod("c", TRACK_CANARY, 3, 60);
    s.restarts = 1; /* more than before, but of another process */
    one(t, s, 3, 60);
    s = pod("s", TRACK_STABLE, 7, 70);
    one(t, s, 0, 0);
    s.restarts = 1;
    s.errors = 2;
    s.total = 10;
    one(t, s, 2, 10); /* restarted while we watched */
}

/* Whose restart was it? When the process began tells, and what it has counted does not count again. */
EVIDENCE(two_containers) {
    static const struct {
        double started_s; /* since the first */
        uint32_t restarts;
        bool scraped;
        uint64_t errors, total, new_errors, new_total;
    } v[] = {
        {0, 0, true, 900, 100000, 0, 0},    {0, 1, true, 900, 100004, 0, 4}, /* the other container's */
        {1, 2, true, 900, 100004, 0, 0},    /* reckoned anew, from a clock that was set */
        {3601, 2, true, 900, 100005, 0, 1}, /* a clock that was set by much, and nothing restarted */
        {3661, 3, true, 1, 7, 1, 7},        /* this one's */
        {3721, 3, true, 0, 2, 0, 2},        /* the page is newer than the list of pods */
        {3721, 4, true, 0, 9, 0, 7},        /* not 9 */
        {3721, 5, false, 0, 9, 0, 0},       /* not known yet whose */
        {3721, 5, true, 0, 10, 0, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct pod_sample s = pod("s", TRACK_STABLE, v[i].errors, v[i].total);
        s.started_s = 1.7e9 + v[i].started_s;
        s.restarts = v[i].restarts;
        s.scraped = v[i].scraped;
        one(t, s, v[i].new_errors, v[i].new_total);
    }
}

EVIDENCE(gaps) {
    one(t, pod("c", TRACK_CANARY, 0, 10), 0, 10);
    struct pod_sample s = pod("c", TRACK_CANARY, 99, 999);
    s.scraped = false;
    one(t, s, 0, 0);
    s = pod("c", TRACK_CANARY, 0, 0);
    s.present = false; /* lost the leadership, or never had it: no evidence */
    one(t, s, 0, 0);
    one(t, pod("c", TRACK_CANARY, 2, 30), 2, 20); /* the next delta covers the gap */
    assert_round(t, NULL, 0, 0, 0, 0, 0);         /* not listed for a moment */
    one(t, pod("c", TRACK_CANARY, 2, 31), 0, 1);
    s = pod("c", TRACK_CANARY, 20, 60);
    s.terminating = true; /* cancellations at shutdown count as errors */
    one(t, s, 0, 0);
}

EVIDENCE(clamp_and_carry) {
    one(t, pod("c", TRACK_CANARY, 3, 2), 2, 2);
    one(t, pod("c", TRACK_CANARY, 3, 2), 0, 0);
    one(t, pod("c", TRACK_CANARY, 3, 7), 1, 5);
    one(t, pod("c", TRACK_CANARY, 3, 8), 0, 1);
}

EVIDENCE(many_pods) {
    static struct pod_sample s[EVIDENCE_MAX_PODS + 10];
    static char uid[EVIDENCE_MAX_PODS + 10][16];
    for (size_t i = 0; i < ARRAY_LEN(s); i++) {
        snprintf(uid[i], sizeof uid[i], "u%zu", i);
        s[i] = pod(uid[i], TRACK_CANARY, 0, 1);
    }
    assert_round(t, s, ARRAY_LEN(s), 0, EVIDENCE_MAX_PODS, 0, 0);
    assert_int_equal(t->refused, 10);
    assert_round(t, s + 100, 10, 0, 0, 0, 0);                /* the rest is gone; known ones stay known */
    assert_round(t, s + EVIDENCE_MAX_PODS, 10, 0, 10, 0, 0); /* newcomers take the places of absent ones */
    assert_round(t, s + 100, 10, 0, 0, 0, 0);                /* not of those that were seen later */
    assert_int_equal(t->n, EVIDENCE_MAX_PODS);
    struct pod_sample odd = pod("", TRACK_CANARY, 0, 1);
    assert_round(t, &odd, 1, 0, 0, 0, 0);
    odd = pod("0123456789012345678901234567890123456789012345678901234567890123456789", TRACK_CANARY, 0, 1);
    assert_round(t, &odd, 1, 0, 0, 0, 0);
    evidence_begin(t, BEGAN);
    /* Known pods that are listed after newcomers keep their places, and their counts. */
    assert_round(t, s + 10, EVIDENCE_MAX_PODS, 0, EVIDENCE_MAX_PODS, 0, 0);
    assert_round(t, s, ARRAY_LEN(s), 0, 0, 0, 0);
    assert_int_equal(t->refused, 10);
    /* A crowd of stable's pods leaves room for the canary's. */
    evidence_begin(t, BEGAN);
    for (size_t i = 0; i < EVIDENCE_MAX_PODS; i++) s[i].track = TRACK_STABLE;
    assert_round(t, s, EVIDENCE_MAX_PODS, 0, 0, 0, EVIDENCE_MAX_PODS);
    for (size_t i = 0; i < ARRAY_LEN(s); i++) s[i].total++;
    assert_round(t, s, ARRAY_LEN(s), 0, 20, 0, EVIDENCE_MAX_PODS - 10);
    assert_round(t, s, ARRAY_LEN(s), 0, 0, 0, 0);
    assert_int_equal(t->refused, 10);
}

/* A process that begins, with objects that are permanently bad: ten retries at once, then one in each doubling of its
 * age. Leaders change after each round. */
EVIDENCE(start) {
    static const struct {
        int64_t at_s;
        uint32_t restarts;
        bool present;
        uint64_t errors, total; /* since the process began */
        uint64_t start_errors, start_total, new_errors, new_total;
    } v[] = {
        {0, 0, false, 0, 0, 0, 0, 0, 0},      /* stands by */
        {100, 0, true, 20, 70, 20, 70, 0, 0}, /* leads */
        {120, 0, true, 22, 80, 2, 10, 0, 0},
        {141, 0, true, 24, 90, 2, 10, 0, 0}, /* two objects, seen in the second half */
        {182, 0, true, 26, 100, 0, 0, 0, 8}, /* their next try */
        {190, 0, true, 27, 110, 0, 0, 1, 10},
        {264, 0, true, 29, 120, 0, 0, 0, 8}, /* and the one after that */
        {270, 0, true, 40, 140, 0, 0, 11, 20},
        {900, 0, true, 60, 200, 0, 0, 16, 56}, /* by then two doublings more */
        {910, 1, true, 3, 9, 3, 9, 0, 0},      /* another process */
        {980, 1, true, 4, 19, 0, 0, 1, 10},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct pod_sample s = pod("c", TRACK_CANARY, v[i].errors, v[i].total),
                          old = pod("s", TRACK_STABLE, 100 + i, 1000 + 5 * i);
        s.present = v[i].present;
        s.restarts = v[i].restarts;
        const struct pod_sample both[] = {s, old};
        struct evidence_delta d;
        evidence_round(t, BEGAN + v[i].at_s * NS_PER_S, 60 * NS_PER_S, both, 2, &d);
        if (d.start_errors[TRACK_CANARY] != v[i].start_errors ||
            d.start_total[TRACK_CANARY] != v[i].start_total || d.errors[TRACK_CANARY] != v[i].new_errors ||
            d.total[TRACK_CANARY] != v[i].new_total)
            fail_msg("%zu: start %llu/%llu, then %llu/%llu", i,
                     (unsigned long long)d.start_errors[TRACK_CANARY],
                     (unsigned long long)d.start_total[TRACK_CANARY],
                     (unsigned long long)d.errors[TRACK_CANARY], (unsigned long long)d.total[TRACK_CANARY]);
        assert_true(d.total[TRACK_STABLE] == (i ? 5 : 0) && d.errors[TRACK_STABLE] == (i ? 1 : 0));
        cleanup_buf struct buf b = BUF(1 << 16);
        evidence_write(t, &b);
        cleanup_json cJSON *json = json_parse(buf_slice(&b), NULL);
        struct evidence back;
        assert_int_equal(evidence_read(json, &back, NULL), 0);
        evidence_free(t);
        *t = back;
    }
}

CASE(history) {
    struct pod_sample s[] = {pod("a", TRACK_STABLE, 3, 100), pod("b", TRACK_STABLE, 2, 50),
                             pod("c", TRACK_STABLE, 9, 90), pod("d", TRACK_CANARY, 9, 90),
                             pod("e", TRACK_STABLE, 9, 90)};
    s[2].terminating = true;
    s[4].present = false;
    uint64_t errors, total;
    evidence_history(s, ARRAY_LEN(s), TRACK_STABLE, &errors, &total);
    assert_true(errors == 5 && total == 150);
    evidence_history(NULL, 0, TRACK_STABLE, &errors, &total);
    assert_true(errors == 0 && total == 0);
}

CASE(counts) {
    assert_int_equal(evidence_count(NAN), 0);
    assert_int_equal(evidence_count(-3), 0);
    assert_int_equal(evidence_count(INFINITY), 0);
    assert_int_equal(evidence_count(7.9), 7);
    assert_true(evidence_count(1e300) == UINT64_C(1) << 53);
    struct evidence e = {0};
    evidence_begin(&e, BEGAN);
    for (uint32_t i = 0; i < 4; i++) {
        struct pod_sample s = pod("c", TRACK_CANARY, UINT64_MAX, UINT64_MAX);
        s.restarts = i;
        struct evidence_delta d;
        evidence_round(&e, BEGAN, 0, &s, 1, &d);
        assert_true(d.errors[TRACK_CANARY] <= d.total[TRACK_CANARY] && e.total[TRACK_CANARY] == UINT64_C(1)
                                                                                                    << 53);
    }
    evidence_free(&e);
}

/* The deltas of any schedule of scrapes, failures and restarts of one pod add up to what it did and what was
 * scraped. */
CASE(random_schedules) {
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rng rng = {seed};
        struct evidence e = {0}, copy;
        evidence_begin(&e, BEGAN);
        uint64_t errors = 0, total = 0, lost_total = 0, lost_errors = 0, seen_total = 0, seen_errors = 0,
                 done_total = 0, done_errors = 0;
        uint32_t restarts = 0;
        bool told = seed % 2;
        double started = 1.7e9;
        for (int i = 0; i < 100; i++) {
            uint64_t n = rng_below(&rng, 20), x = n ? rng_below(&rng, n + 1) : 0;
            total += n;
            errors += x;
            done_total += n;
            done_errors += x;
            if (rng_below(&rng, 15) == 0) { /* a crash loses what was not scraped */
                restarts++;
                started += 10;
                lost_total += total - seen_total;
                lost_errors += errors - seen_errors;
                total = errors = seen_total = seen_errors = 0;
            }
            struct pod_sample s = pod("c", TRACK_CANARY, errors, total);
            if (told && rng_below(&rng, 5) == 0) restarts++; /* of another container */
            s.restarts = restarts;
            s.started_s = told ? started : 0;
            s.scraped = rng_below(&rng, 3) != 0;
            if (s.scraped) {
                seen_total = total;
                seen_errors = errors;
            }
            struct evidence_delta d;
            evidence_round(&e, BEGAN, 0, &s, 1, &d);
            if (rng_below(&rng, 4) == 0) { /* the next leader goes on from the text */
                cleanup_buf struct buf b = BUF(1 << 16);
                evidence_write(&e, &b);
                cleanup_json cJSON *v = json_parse(buf_slice(&b), NULL);
                struct err err = {0};
                if (evidence_read(v, &copy, &err) < 0) fail_msg("%s: %s", err.msg, buf_str(&b));
                evidence_free(&e);
                evidence_copy(&copy, &e);
                evidence_free(&copy);
            }
        }
        if (e.total[TRACK_CANARY] != done_total - lost_total - (total - seen_total) ||
            e.errors[TRACK_CANARY] + e.carry[TRACK_CANARY] !=
                done_errors - lost_errors - (errors - seen_errors)) {
            fail_msg("seed %llu", (unsigned long long)seed);
        }
        evidence_free(&e);
    }
}

CASE(damaged) {
#define SUMS(n) "'carry':[0,0],'errors':[0,0],'total':[0," n "]"
    static const char *const text[] = {
        "null",
        "{}",
        "[]",
        "{'rounds':1,'carry':[0],'errors':[0,0],'total':[0,0],'pods':[]}",
        "{'rounds':-1," SUMS("0") ",'pods':[]}",
        "{'rounds':1," SUMS("1e300") ",'pods':[]}",
        "{'rounds':1,'beganAt':'x'," SUMS("0") ",'pods':[]}",
        "{'rounds':1," SUMS("0") ",'pods':[{}]}",
        "{'rounds':1," SUMS("0") ",'pods':[{'uid':'a','restarts':0,'total':1}]}",
        "{'rounds':1," SUMS("0") ",'pods':[{'uid':'a','restarts':0,'started':-1}]}",
    };
    for (size_t i = 0; i < ARRAY_LEN(text); i++) {
        cleanup_free char *json = quoted(xstrdup(text[i]));
        cleanup_json cJSON *v = json_parse(slice_of(json), NULL);
        struct evidence e = {0};
        struct err err = {0};
        assert_int_not_equal(evidence_read(v, &e, &err), 0);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_null(e.pod);
    }
}

CASES("rollout/evidence")
