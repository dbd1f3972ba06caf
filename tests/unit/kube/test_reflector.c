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
#define REFLECTOR_CASE(name) CASE_WITH(struct reflector, w, reflector_init, reflector_free, name)

/* What is to be done now, in words: "list rv=9 limit=500 first at_least", "stream rv=9", "wait". */
static void does(struct reflector *w, int64_t now, const char *want) {
    static const char *const whats[] = {"list", "stream", "wait", "probe"};
    const struct reflector_todo t = next(w, now, 0);
    cleanup_buf struct buf is = BUF(1000);
    buf_adds(&is, whats[t.what]);
    if (t.what == REFLECTOR_LIST || t.what == REFLECTOR_STREAM) buf_addf(&is, " rv=%s", t.rv);
    if (t.what == REFLECTOR_LIST && t.token[0]) buf_addf(&is, " token=%s", t.token);
    if (t.what == REFLECTOR_LIST) buf_addf(&is, " limit=%u", t.limit);
    buf_addf(&is, "%s%s%s%s", t.first ? " first" : "", t.at_least ? " at_least" : "",
             t.replace ? " replace" : "", t.fresh ? " fresh" : "");
    assert_string_equal(buf_str(&is), want);
}
/* It waits; until then. */
static int64_t waits(struct reflector *w, int64_t now) {
    does(w, now, "wait");
    return next(w, now, 0).until_ns;
}
static struct err error_of(enum err_kind kind, const char *msg) {
    struct err e;
    err_set(&e, kind, -EIO, "%s", msg);
    return e;
}
/* A stream that ends, and a list that fails: why, in a word, and whether it is trouble. */
static void ends(struct reflector *w, int64_t now, enum err_kind kind, const char *msg, const char *why,
                 bool trouble) {
    struct err e = error_of(kind, msg);
    bool t;
    assert_string_equal(reflector_ended(w, now, 7, &e, &t), why);
    assert_int_equal(t, trouble);
}
static void fails(struct reflector *w, int64_t now, enum err_kind kind, const char *msg, const char *why,
                  bool trouble) {
    struct err e = error_of(kind, msg);
    bool t;
    assert_string_equal(reflector_list_failed(w, now, 0, &e, &t), why);
    assert_int_equal(t, trouble);
}
static void listed(struct reflector *w, int64_t now, const char *rv) {
    assert_int_equal(next(w, now, 0).what, REFLECTOR_LIST);
    assert_int_equal(reflector_listed(w, rv, ""), REFLECTOR_WHOLE);
}

REFLECTOR_CASE(first_list_then_watch) {
    does(w, 100 * S, "list rv=0 limit=500 first");
    assert_int_equal(reflector_listed(w, "17", NULL), REFLECTOR_WHOLE);
    does(w, 101 * S, "stream rv=17");
    struct reflector_todo t = next(w, 101 * S, 0);
    assert_int_equal(t.timeout_s, 300);
    assert_true(t.deadline_ns > (101 + 300) * S && t.deadline_ns <= (101 + 360) * S);
    assert_true(t.relist_ns == TIME_NEVER);
    unsigned lo = 1000, hi = 0;
    struct rng r = {1};
    for (int i = 0; i < 5000; i++) {
        unsigned s = next(w, 101 * S, rng_next(&r)).timeout_s;
        if (s < lo) lo = s;
        if (s > hi) hi = s;
    }
    assert_int_equal(lo, 300);
    assert_int_equal(hi, 600);
    reflector_free(NULL);
}

REFLECTOR_CASE(pages) {
    assert_int_equal(reflector_listed(w, "17", "tok1"), REFLECTOR_MORE_PAGES);
    does(w, 0, "list rv= token=tok1 limit=500");
    /* a page that is lost on the way is asked for again, later */
    fails(w, 0, ERR_TRANSPORT, "reset", "transport", true);
    int64_t until = waits(w, 0);
    does(w, until, "list rv= token=tok1 limit=500");
    assert_int_equal(reflector_listed(w, "17", "tok2"), REFLECTOR_MORE_PAGES);
    /* the token expires in the middle: all of it, newest, at once */
    fails(w, until, ERR_GONE, "expired", "page_expired", false);
    does(w, 60 * S, "list rv= limit=0 first");
    assert_int_equal(reflector_listed(w, "20", ""), REFLECTOR_WHOLE);
    does(w, 60 * S, "stream rv=20");
    /* a token that nobody would carry: all in one */
    reflector_relist(w);
    cleanup_free char *huge = xmalloc(REFLECTOR_TOKEN_MAX + 2);
    memset(huge, 'x', REFLECTOR_TOKEN_MAX + 1);
    huge[REFLECTOR_TOKEN_MAX + 1] = '\0';
    assert_int_equal(reflector_listed(w, "21", huge), REFLECTOR_MORE_PAGES);
    does(w, 60 * S, "list rv= limit=0 first");
}

REFLECTOR_CASE(versions) {
    fails(w, 0, ERR_TIMEOUT, "list pods: 504 Timeout: Too large resource version: 9, current: 3", "too_large",
          false);
    does(w, 0, "list rv= limit=500 first"); /* at once */
    listed(w, 0, "5");
    /* events and bookmarks move the version; later lists are as new as that */
    next(w, 0, 0);
    reflector_event(w, "8");
    reflector_event(w, "9");
    reflector_event(w, "");
    reflector_event(w, NULL);
    ends(w, 400 * S, ERR_NONE, "", "ended", false);
    does(w, 400 * S, "stream rv=9");
    ends(w, 500 * S, ERR_GONE, "too old", "expired", false);
    does(w, 500 * S, "list rv=9 limit=500 first at_least");
    fails(w, 500 * S, ERR_GONE, "too old", "expired", false);
    does(w, 500 * S, "list rv= limit=500 first");
    /* that is gone too: no hurry any more */
    fails(w, 500 * S, ERR_GONE, "too old", "expired", true);
    waits(w, 500 * S);
    listed(w, 600 * S, "30");
    next(w, 600 * S, 0);
    /* expired again right behind the list: waits, says so */
    ends(w, 600 * S, ERR_GONE, "too old", "expired", true);
    waits(w, 600 * S);
}

REFLECTOR_CASE(a_list_older_than_what_was_seen) {
    listed(w, 0, "100");
    reflector_event(w, "120");
    ends(w, S, ERR_GONE, "410", "expired", false);
    does(w, S, "list rv=120 limit=500 first at_least");
    assert_int_equal(reflector_listed(w, "119", "tok"), REFLECTOR_BEHIND);
    does(w, S, "list rv= limit=500 first replace");
    fails(w, S, ERR_TRANSPORT, "reset", "transport", true);
    does(w, 90 * S, "list rv= limit=500 first replace");
    assert_int_equal(reflector_listed(w, "90", ""), REFLECTOR_WHOLE);
    assert_string_equal(reflector_version(w), "90");
    reflector_relist(w);
    assert_false(next(w, 99 * S, 0).replace);
}

REFLECTOR_CASE(ends_of_streams) {
    bool trouble;
    listed(w, 0, "5");
    /* without an event in less than a second: an error */
    next(w, 0, 0);
    struct err e = {0};
    assert_string_equal(reflector_ended(w, S / 2, 0, &e, &trouble), "short");
    assert_true(trouble);
    assert_int_equal(e.kind, ERR_PROTOCOL);
    assert_has(e.msg, "500 ms");
    does(w, waits(w, S / 2), "stream rv=5");
    /* with an event: fine, but not more often than once a second */
    int64_t now = 10 * S;
    next(w, now, 0);
    reflector_event(w, "6");
    ends(w, now + S / 10, ERR_NONE, "", "ended", false);
    assert_true(waits(w, now + S / 10) == now + S);
    /* cut after a while: goes on at once from where it was */
    now = 100 * S;
    next(w, now, 0);
    ends(w, now + 40 * S, ERR_TRANSPORT, "reset", "cut", false);
    does(w, now + 40 * S, "stream rv=6");
    /* refused: watch again without a list, later */
    ends(w, now + 40 * S, ERR_TRANSPORT, "refused", "transport", true);
    now = waits(w, now + 40 * S);
    does(w, now, "stream rv=6");
    /* 429: the same, as late as it says */
    e = error_of(ERR_THROTTLED, "429");
    e.retry_after_ms = 20000;
    reflector_ended(w, now, 0, &e, &trouble);
    int64_t until = waits(w, now);
    assert_true(until >= now + 20 * S && until <= now + 21 * S);
    does(w, until, "stream rv=6");
    /* our own deadline: a fresh connection */
    now = until;
    ends(w, now + 400 * S, ERR_TIMEOUT, "silent", "timeout", true);
    does(w, now + 460 * S, "stream rv=6 fresh");
    reflector_event(w, "7");
    ends(w, now + 800 * S, ERR_NONE, "", "ended", false);
    does(w, now + 800 * S, "stream rv=7");
    /* a request that the server refuses as it stands: list */
    ends(w, now + 801 * S, ERR_REJECTED, "400", "rejected", true);
    does(w, now + 900 * S, "list rv=7 limit=500 first at_least");
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
            int64_t until = waits(&w, now);
            assert_true(until - now >= lo && until - now < 2 * lo && until - now <= 30 * S);
            now = until;
            lo = lo * 2 > 15 * S ? 15 * S : lo * 2;
        }
        /* a watch that was well for a while has made good for it */
        listed(&w, now, "1");
        next(&w, now, 0);
        ends(&w, now + 60 * S, ERR_NONE, "", "ended", false);
        now += 60 * S;
        next(&w, now, 0);
        ends(&w, now, ERR_TRANSPORT, "refused", "transport", true);
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
        does(w, at, "list rv=5 limit=500 first at_least");
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

static void list_fails(struct run *x, struct err e) {
    bool trouble;
    reflector_list_failed(&x->w, x->now, rng_next(&x->r), &e, &trouble);
}

static void do_list(struct run *x, const struct reflector_todo *t) {
    struct rng *r = &x->r;
    if (!x->calm && rng_below(r, 4) == 0) {
        list_fails(x, random_error(r));
        return;
    }
    if (t->token[0]) {
        if (x->listing < x->s.compacted || (!x->calm && rng_below(r, 6) == 0)) {
            list_fails(x, error_of(ERR_GONE, "page token expired"));
            return;
        }
    } else {
        long lag = x->calm ? x->s.rv : x->s.rv - (long)rng_below(r, 4), want = atol(t->rv);
        if (lag < 0) lag = 0;
        if (!t->first) fail_seed(x->seed, "a list from the start that is not the first page");
        if (t->at_least && want > lag && rng_below(r, 2)) {
            list_fails(x, error_of(ERR_TIMEOUT, "504: Too large resource version"));
            return;
        }
        if (t->at_least && want < x->s.compacted && rng_below(r, 2)) { /* as a server without NotOlderThan */
            list_fails(x, error_of(ERR_GONE, "410"));
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
    snprintf(rv, sizeof rv, "%ld", x->s.rv);
    if (!x->calm && rng_below(&x->r, 3) == 0) {
        list_fails(x, random_error(&x->r));
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

SEEDS_CASE(5000, random_schedules) {
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

CASES("kube/reflector")
