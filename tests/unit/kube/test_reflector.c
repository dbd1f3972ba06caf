/* List and watch as a pure machine: each rule by itself, then random schedules against a small model of an
 * API server. */
#include "../case.h"
#include "base/mem.h"
#include "base/rand.h"
#include "kube/reflector.h"

#define S NS_PER_S

static struct reflector_todo next(struct reflector *w, int64_t now, uint64_t rnd) {
    struct reflector_todo t;
    reflector_next(w, now, rnd, &t);
    return t;
}
#define REFLECTOR_CASE(name)                                                                                 \
    static void with_##name(struct reflector *w);                                                            \
    CASE(name) {                                                                                             \
        struct reflector w;                                                                                  \
        reflector_init(&w);                                                                                  \
        with_##name(&w);                                                                                     \
        reflector_free(&w);                                                                                  \
    }                                                                                                        \
    static void with_##name(struct reflector *w)

static struct err error_of(enum err_kind kind, const char *msg) {
    struct err e;
    err_set(&e, kind, -EIO, "%s", msg);
    return e;
}
static const char *ended(struct reflector *w, int64_t now, enum err_kind kind, const char *msg,
                         bool *trouble) {
    struct err e = error_of(kind, msg);
    bool t;
    const char *why = reflector_ended(w, now, 7, &e, &t);
    if (trouble) *trouble = t;
    return why;
}
static void listed(struct reflector *w, int64_t now, const char *rv) {
    assert_int_equal(next(w, now, 0).what, REFLECTOR_LIST);
    assert_int_equal(reflector_listed(w, rv, ""), REFLECTOR_WHOLE);
}

CASE(first_list_then_watch) {
    struct reflector w;
    reflector_init(&w);
    struct reflector_todo t = next(&w, 100 * S, 5);
    assert_int_equal(t.what, REFLECTOR_LIST);
    assert_string_equal(t.rv, "0");
    assert_string_equal(t.token, "");
    assert_int_equal(t.limit, 500);
    assert_true(t.first && !t.at_least && !t.fresh);
    assert_int_equal(reflector_listed(&w, "17", NULL), REFLECTOR_WHOLE);
    t = next(&w, 101 * S, 0);
    assert_int_equal(t.what, REFLECTOR_STREAM);
    assert_string_equal(t.rv, "17");
    assert_int_equal(t.timeout_s, 300);
    assert_true(t.deadline_ns > (101 + 300) * S && t.deadline_ns <= (101 + 360) * S);
    assert_true(t.relist_ns == TIME_NEVER);
    unsigned lo = 1000, hi = 0;
    struct rng r = {1};
    for (int i = 0; i < 5000; i++) {
        unsigned s = next(&w, 101 * S, rng_next(&r)).timeout_s;
        if (s < lo) lo = s;
        if (s > hi) hi = s;
    }
    assert_int_equal(lo, 300);
    assert_int_equal(hi, 600);
    reflector_free(&w);
    reflector_free(NULL);
}

REFLECTOR_CASE(pages) {
    bool trouble;
    assert_int_equal(reflector_listed(w, "17", "tok1"), REFLECTOR_MORE_PAGES);
    struct reflector_todo t = next(w, 0, 0);
    assert_string_equal(t.token, "tok1");
    assert_string_equal(t.rv, "");
    assert_int_equal(t.limit, 500);
    assert_false(t.first);
    /* a page that is lost on the way is asked for again, later */
    struct err e = error_of(ERR_TRANSPORT, "reset");
    assert_string_equal(reflector_list_failed(w, 0, 0, &e, &trouble), "transport");
    t = next(w, 0, 0);
    assert_int_equal(t.what, REFLECTOR_WAIT);
    t = next(w, t.until_ns, 0);
    assert_string_equal(t.token, "tok1");
    assert_int_equal(reflector_listed(w, "17", "tok2"), REFLECTOR_MORE_PAGES);
    /* the token expires in the middle: all of it, newest, at once */
    e = error_of(ERR_GONE, "expired");
    assert_string_equal(reflector_list_failed(w, t.until_ns, 0, &e, &trouble), "page_expired");
    t = next(w, 60 * S, 0);
    assert_int_equal(t.what, REFLECTOR_LIST);
    assert_true(t.first);
    assert_string_equal(t.token, "");
    assert_string_equal(t.rv, "");
    assert_false(t.at_least);
    assert_int_equal(t.limit, 0);
    assert_int_equal(reflector_listed(w, "20", ""), REFLECTOR_WHOLE);
    assert_string_equal(next(w, 60 * S, 0).rv, "20");
    /* a token that nobody would carry: all in one */
    reflector_relist(w);
    cleanup_free char *huge = xmalloc(REFLECTOR_TOKEN_MAX + 2);
    memset(huge, 'x', REFLECTOR_TOKEN_MAX + 1);
    huge[REFLECTOR_TOKEN_MAX + 1] = '\0';
    assert_int_equal(reflector_listed(w, "21", huge), REFLECTOR_MORE_PAGES);
    assert_int_equal(next(w, 60 * S, 0).limit, 0);
}

REFLECTOR_CASE(versions) {
    bool trouble;
    struct err e = error_of(ERR_TIMEOUT, "list pods: 504 Timeout: Too large resource version: 9, current: 3");
    assert_string_equal(reflector_list_failed(w, 0, 0, &e, &trouble), "too_large");
    struct reflector_todo t = next(w, 0, 0);
    assert_int_equal(t.what, REFLECTOR_LIST); /* at once */
    assert_string_equal(t.rv, "");
    assert_false(t.fresh);
    listed(w, 0, "5");
    /* events and bookmarks move the version; later lists are as new as that */
    next(w, 0, 0);
    reflector_event(w, "8");
    reflector_event(w, "9");
    reflector_event(w, "");
    reflector_event(w, NULL);
    assert_string_equal(ended(w, 400 * S, ERR_NONE, "", NULL), "ended");
    t = next(w, 400 * S, 0);
    assert_int_equal(t.what, REFLECTOR_STREAM);
    assert_string_equal(t.rv, "9");
    assert_string_equal(ended(w, 500 * S, ERR_GONE, "too old", &trouble), "expired");
    assert_false(trouble);
    t = next(w, 500 * S, 0);
    assert_int_equal(t.what, REFLECTOR_LIST);
    assert_string_equal(t.rv, "9");
    assert_true(t.at_least && t.first);
    e = error_of(ERR_GONE, "too old");
    assert_string_equal(reflector_list_failed(w, 500 * S, 0, &e, &trouble), "expired");
    t = next(w, 500 * S, 0);
    assert_string_equal(t.rv, "");
    assert_false(t.at_least);
    assert_int_equal(t.limit, 500);
    /* that is gone too: no hurry any more */
    assert_string_equal(reflector_list_failed(w, 500 * S, 0, &e, &trouble), "expired");
    assert_int_equal(next(w, 500 * S, 0).what, REFLECTOR_WAIT);
    listed(w, 600 * S, "30");
    next(w, 600 * S, 0);
    /* expired again right behind the list: waits, says so */
    assert_string_equal(ended(w, 600 * S, ERR_GONE, "too old", &trouble), "expired");
    assert_true(trouble);
    assert_int_equal(next(w, 600 * S, 0).what, REFLECTOR_WAIT);
}

REFLECTOR_CASE(a_list_older_than_what_was_seen) {
    bool trouble;
    listed(w, 0, "100");
    reflector_event(w, "120");
    assert_string_equal(ended(w, S, ERR_GONE, "410", &trouble), "expired");
    assert_false(next(w, S, 0).replace);
    assert_int_equal(reflector_listed(w, "119", "tok"), REFLECTOR_BEHIND);
    struct reflector_todo t = next(w, S, 0);
    assert_true(t.what == REFLECTOR_LIST && t.replace && t.first && !t.at_least);
    assert_string_equal(t.rv, "");
    struct err e = error_of(ERR_TRANSPORT, "reset");
    reflector_list_failed(w, S, 0, &e, &trouble);
    t = next(w, 90 * S, 0);
    assert_true(t.what == REFLECTOR_LIST && t.replace);
    assert_int_equal(reflector_listed(w, "90", ""), REFLECTOR_WHOLE);
    assert_string_equal(reflector_version(w), "90");
    reflector_relist(w);
    assert_false(next(w, 99 * S, 0).replace);
}

REFLECTOR_CASE(ends) {
    bool trouble;
    listed(w, 0, "5");
    /* without an event in less than a second: an error */
    next(w, 0, 0);
    struct err e = {0};
    assert_string_equal(reflector_ended(w, S / 2, 0, &e, &trouble), "short");
    assert_true(trouble);
    assert_int_equal(e.kind, ERR_PROTOCOL);
    assert_non_null(strstr(e.msg, "500 ms"));
    struct reflector_todo t = next(w, S / 2, 0);
    assert_int_equal(t.what, REFLECTOR_WAIT);
    t = next(w, t.until_ns, 0);
    assert_int_equal(t.what, REFLECTOR_STREAM);
    /* with an event: fine, but not more often than once a second */
    int64_t now = 10 * S;
    next(w, now, 0);
    reflector_event(w, "6");
    assert_string_equal(ended(w, now + S / 10, ERR_NONE, "", &trouble), "ended");
    assert_false(trouble);
    t = next(w, now + S / 10, 0);
    assert_int_equal(t.what, REFLECTOR_WAIT);
    assert_true(t.until_ns == now + S);
    /* cut after a while: goes on at once from where it was */
    now = 100 * S;
    next(w, now, 0);
    assert_string_equal(ended(w, now + 40 * S, ERR_TRANSPORT, "reset", &trouble), "cut");
    assert_false(trouble);
    t = next(w, now + 40 * S, 0);
    assert_int_equal(t.what, REFLECTOR_STREAM);
    assert_string_equal(t.rv, "6");
    /* refused: watch again without a list, later */
    assert_string_equal(ended(w, now + 40 * S, ERR_TRANSPORT, "refused", &trouble), "transport");
    assert_true(trouble);
    t = next(w, now + 40 * S, 0);
    assert_int_equal(t.what, REFLECTOR_WAIT);
    assert_int_equal(next(w, t.until_ns, 0).what, REFLECTOR_STREAM);
    /* 429: the same, as late as it says */
    e = error_of(ERR_THROTTLED, "429");
    e.retry_after_ms = 20000;
    now = t.until_ns;
    reflector_ended(w, now, 0, &e, &trouble);
    t = next(w, now, 0);
    assert_true(t.until_ns >= now + 20 * S && t.until_ns <= now + 21 * S);
    assert_int_equal(next(w, t.until_ns, 0).what, REFLECTOR_STREAM);
    /* our own deadline: a fresh connection */
    now = t.until_ns;
    assert_string_equal(ended(w, now + 400 * S, ERR_TIMEOUT, "silent", &trouble), "timeout");
    t = next(w, now + 460 * S, 0);
    assert_int_equal(t.what, REFLECTOR_STREAM);
    assert_true(t.fresh);
    reflector_event(w, "7");
    assert_string_equal(ended(w, now + 800 * S, ERR_NONE, "", &trouble), "ended");
    assert_false(next(w, now + 800 * S, 0).fresh);
    /* a request that the server refuses as it stands: list */
    ended(w, now + 801 * S, ERR_REJECTED, "400", &trouble);
    assert_int_equal(next(w, now + 900 * S, 0).what, REFLECTOR_LIST);
}

CASE(backoff) {
    bool trouble;
    struct rng r = {3};
    for (int run = 0; run < 200; run++) {
        struct reflector w;
        reflector_init(&w);
        int64_t now = 1000 * S, lo = 800 * NS_PER_MS;
        for (int i = 0; i < 12; i++) {
            struct err e = error_of(ERR_SERVER, "500");
            reflector_list_failed(&w, now, rng_next(&r), &e, &trouble);
            struct reflector_todo t = next(&w, now, 0);
            assert_int_equal(t.what, REFLECTOR_WAIT);
            assert_true(t.until_ns - now >= lo && t.until_ns - now < 2 * lo && t.until_ns - now <= 30 * S);
            now = t.until_ns;
            lo = lo * 2 > 15 * S ? 15 * S : lo * 2;
        }
        /* a watch that was well for a while has made good for it */
        listed(&w, now, "1");
        next(&w, now, 0);
        ended(&w, now + 60 * S, ERR_NONE, "", NULL);
        now += 60 * S;
        next(&w, now, 0);
        ended(&w, now, ERR_TRANSPORT, "refused", NULL);
        assert_true(next(&w, now, 0).until_ns - now < 2 * 800 * NS_PER_MS);
        reflector_free(&w);
    }
    /* Retry-After has a cap */
    struct reflector w;
    reflector_init(&w);
    struct err e = error_of(ERR_THROTTLED, "429");
    e.retry_after_ms = 86400000;
    reflector_list_failed(&w, 0, 1, &e, &trouble);
    assert_true(next(&w, 0, 0).until_ns <= 31 * S);
    reflector_free(&w);
}

REFLECTOR_CASE(broken_event_leads_to_a_list) {
    listed(w, 0, "5");
    next(w, 0, 0);
    int64_t last = 0;
    for (int i = 0; i < 8; i++) {
        int64_t now = 4000 * S * (i ? i : 0) / 8;
        int64_t at = reflector_relist_soon(w, now, 0);
        reflector_relist_soon(w, now, 99); /* one list for all of them */
        assert_true(next(w, now, 0).relist_ns == at);
        assert_true(at - now >= 30 * S && at - now <= 900 * S && at - now >= last);
        last = at - now;
        reflector_relist(w);
        struct reflector_todo t = next(w, at, 0);
        assert_int_equal(t.what, REFLECTOR_LIST);
        assert_string_equal(t.rv, "5");
        assert_int_equal(reflector_listed(w, "5", ""), REFLECTOR_WHOLE);
        assert_true(next(w, at, 0).relist_ns == TIME_NEVER);
    }
}

/* ---- random schedules ----
 * The server: a version counter, objects that change, a history that is compacted, pages whose tokens expire,
 * a cache that lags. The client: a mirror fed as the machine says. At the end the server calms down, and the
 * mirror must be right. */
enum { OBJECTS = 8 };
struct server {
    long rv, compacted;
    long obj[OBJECTS]; /* version of its last change, 0: not there */
    struct {
        int o;
        bool gone;
    } log[4096];
};
struct mirror {
    long obj[OBJECTS];
    bool seen[OBJECTS];
};

static void change(struct server *s, struct rng *r) {
    if (s->rv + 1 >= (long)ARRAY_LEN(s->log)) return;
    int o = (int)rng_below(r, OBJECTS);
    s->rv++;
    bool gone = s->obj[o] && rng_below(r, 3) == 0;
    s->obj[o] = gone ? 0 : s->rv;
    s->log[s->rv].o = o;
    s->log[s->rv].gone = gone;
}

static void state_at(const struct server *s, long rv, long obj[OBJECTS]) {
    memset(obj, 0, OBJECTS * sizeof *obj);
    for (long v = 1; v <= rv; v++) obj[s->log[v].o] = s->log[v].gone ? 0 : v;
}

static struct err random_error(struct rng *r) {
    static const enum err_kind kinds[] = {ERR_TRANSPORT, ERR_TIMEOUT,   ERR_THROTTLED, ERR_SERVER,
                                          ERR_AUTH,      ERR_FORBIDDEN, ERR_REJECTED,  ERR_PROTOCOL};
    return error_of(kinds[rng_below(r, ARRAY_LEN(kinds))], "injected");
}

struct run {
    struct rng r;
    struct server s;
    struct mirror m;
    struct reflector w;
    int64_t now;
    bool calm, synced;
    long listing; /* the version of the list in pages */
    int pos;
    unsigned requests;
    uint64_t seed;
};

static void do_list(struct run *x, const struct reflector_todo *t) {
    struct rng *r = &x->r;
    struct err e;
    bool trouble;
    if (!x->calm && rng_below(r, 4) == 0) {
        e = random_error(r);
        reflector_list_failed(&x->w, x->now, rng_next(r), &e, &trouble);
        return;
    }
    if (t->token[0]) {
        if (x->listing < x->s.compacted || (!x->calm && rng_below(r, 6) == 0)) {
            e = error_of(ERR_GONE, "page token expired");
            reflector_list_failed(&x->w, x->now, rng_next(r), &e, &trouble);
            return;
        }
    } else {
        long lag = x->calm ? x->s.rv : x->s.rv - (long)rng_below(r, 4), want = atol(t->rv);
        if (lag < 0) lag = 0;
        if (!t->first) fail_seed(x->seed, "a list from the start that is not the first page");
        if (t->at_least && want > lag && rng_below(r, 2)) {
            e = error_of(ERR_TIMEOUT, "504: Too large resource version");
            reflector_list_failed(&x->w, x->now, rng_next(r), &e, &trouble);
            return;
        }
        if (t->at_least && want < x->s.compacted && rng_below(r, 2)) { /* as a server without NotOlderThan */
            e = error_of(ERR_GONE, "410");
            reflector_list_failed(&x->w, x->now, rng_next(r), &e, &trouble);
            return;
        }
        x->listing = strcmp(t->rv, "0") == 0     ? lag
                     : t->at_least && want > lag ? want
                     : t->at_least               ? lag
                                                 : x->s.rv;
        x->pos = 0;
        memset(x->m.seen, 0, sizeof x->m.seen);
    }
    long obj[OBJECTS];
    state_at(&x->s, x->listing, obj);
    int upto = t->limit && rng_below(r, 2) ? x->pos + 3 : OBJECTS;
    for (; x->pos < OBJECTS && x->pos < upto; x->pos++) {
        if (!obj[x->pos]) continue;
        x->m.obj[x->pos] = obj[x->pos];
        x->m.seen[x->pos] = true;
    }
    char rv[32];
    snprintf(rv, sizeof rv, "%ld", x->listing);
    if (reflector_listed(&x->w, rv, x->pos < OBJECTS ? "token" : "") == REFLECTOR_WHOLE) {
        for (int i = 0; i < OBJECTS; i++) {
            if (!x->m.seen[i]) x->m.obj[i] = 0;
        }
        x->synced = true;
    }
}

static void do_probe(struct run *x) {
    char rv[32];
    bool trouble;
    snprintf(rv, sizeof rv, "%ld", x->s.rv);
    struct err e = random_error(&x->r);
    if (!x->calm && rng_below(&x->r, 3) == 0) {
        reflector_list_failed(&x->w, x->now, rng_next(&x->r), &e, &trouble);
    } else if (!reflector_probed(&x->w, rv)) {
        fail_seed(x->seed, "the server is not behind");
    }
}

static void do_stream(struct run *x, const struct reflector_todo *t) {
    struct rng *r = &x->r;
    struct err e = {0};
    bool trouble;
    long at = atol(t->rv);
    if (!x->synced) fail_seed(x->seed, "a watch before a list");
    if (!x->calm && rng_below(r, 8) == 0) {
        reflector_suspect(&x->w);
        return;
    }
    if (at < x->s.compacted) {
        e = error_of(ERR_GONE, "410");
    } else if (!x->calm && rng_below(r, 3) == 0) {
        e = random_error(r);
        x->now += (int64_t)rng_below(r, 3) * S;
    } else {
        if (!x->calm) change(&x->s, r);
        long upto = x->calm ? x->s.rv : at + (long)rng_below(r, (uint64_t)(x->s.rv - at) + 1);
        for (long v = at + 1; v <= upto; v++) {
            char rv[32];
            snprintf(rv, sizeof rv, "%ld", v);
            x->m.obj[x->s.log[v].o] = x->s.log[v].gone ? 0 : v;
            reflector_event(&x->w, rv);
        }
        x->now += x->calm ? 400 * S : (int64_t)rng_below(r, 5) * S;
        if (!x->calm && rng_below(r, 3) == 0) e = error_of(ERR_TRANSPORT, "cut");
    }
    reflector_ended(&x->w, x->now, rng_next(r), &e, &trouble);
}

CASE(random_schedules) {
    for (uint64_t seed = 1; seed <= 5000; seed++) {
        struct run *x = xcalloc(1, sizeof *x);
        x->r.s = x->seed = seed;
        reflector_init(&x->w);
        x->now = 1000 * S;
        int64_t burst = x->now;
        unsigned in_burst = 0;
        for (int step = 0; step < 260; step++) {
            x->calm = step >= 200;
            if (!x->calm) {
                for (uint64_t n = rng_below(&x->r, 4); n > 0; n--) change(&x->s, &x->r);
                if (rng_below(&x->r, 10) == 0)
                    x->s.compacted = x->s.rv - (long)rng_below(&x->r, (uint64_t)x->s.rv + 1);
            }
            struct reflector_todo t = next(&x->w, x->now, rng_next(&x->r));
            if (t.what == REFLECTOR_WAIT) {
                if (t.until_ns <= x->now || t.until_ns > x->now + 61 * S) fail_seed(seed, "wait");
                x->now = t.until_ns;
                continue;
            }
            if (x->now != burst) { /* no hot loop: so many requests without any time passing */
                burst = x->now;
                in_burst = 0;
            }
            if (++in_burst > 16) fail_seed(seed, "a hot loop");
            if (t.what == REFLECTOR_LIST) {
                do_list(x, &t);
            } else if (t.what == REFLECTOR_PROBE) {
                do_probe(x);
            } else {
                do_stream(x, &t);
            }
        }
        for (int i = 0; i < OBJECTS; i++) {
            if (x->m.obj[i] != x->s.obj[i])
                fail_seed(seed, "object %d at %ld, not %ld", i, x->m.obj[i], x->s.obj[i]);
        }
        reflector_free(&x->w);
        free(x);
    }
}

CASES("kube/reflector")
