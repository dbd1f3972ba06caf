/* List and watch as a pure machine: each rule by itself. */
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
/* Its server knows no streaming lists. */
static void paged_init(struct reflector *w) {
    static struct reflector_peers paged = {INT64_MAX};
    reflector_init(w, &paged);
}
#define REFLECTOR_CASE(name) CASE_WITH(struct reflector, w, paged_init, reflector_free, name)

/* What is to be done now, in words: "list rv=9 limit=500 first at_least", "stream list rv=9 first", "stream rv=9",
 * "wait". */
static void does(struct reflector *w, int64_t now, const char *want) {
    static const char *const whats[] = {"list", "stream", "wait", "probe", "stream list"};
    const struct reflector_todo t = next(w, now, 0);
    cleanup_buf struct buf is = BUF(1000);
    buf_adds(&is, whats[t.what]);
    if (t.what != REFLECTOR_WAIT && t.what != REFLECTOR_PROBE) buf_addf(&is, " rv=%s", t.rv);
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
        paged_init(&w);
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
    paged_init(&w);
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

/* ---- streaming lists ---- */
struct streaming {
    struct reflector w;
    struct reflector_peers peers;
};
static void streaming_init(struct streaming *t) {
    t->peers = (struct reflector_peers){0};
    reflector_init(&t->w, &t->peers);
}
static void streaming_free(struct streaming *t) {
    reflector_free(&t->w);
}
#define STREAM_CASE(name) CASE_WITH(struct streaming, t, streaming_init, streaming_free, name)

static void stream_fails(struct reflector *w, int64_t now, enum err_kind kind, const char *msg,
                         const char *why, bool trouble) {
    struct err e = error_of(kind, msg);
    bool is;
    assert_string_equal(reflector_stream_list_failed(w, now, 7, &e, &is), why);
    assert_int_equal(is, trouble);
}

STREAM_CASE(streaming_list) {
    struct reflector *w = &t->w;
    does(w, 100 * S, "stream list rv=0 first");
    struct reflector_todo todo = next(w, 100 * S, 5);
    assert_int_equal(todo.timeout_s, 305);
    assert_true(todo.deadline_ns == (100 + 305 + 30) * S);
    assert_string_equal(reflector_version(w), "");
    reflector_item(w);
    assert_int_equal(reflector_marked(w, "17"), REFLECTOR_WHOLE);
    assert_string_equal(reflector_version(w), "17");
    /* it is the watch now */
    reflector_event(w, "18");
    ends(w, 300 * S, ERR_TRANSPORT, "cut", "cut", false);
    does(w, 300 * S, "stream rv=18");
    /* a later one is as new as what was seen, or the newest where that is gone */
    ends(w, 500 * S, ERR_GONE, "too old", "expired", false);
    does(w, 500 * S, "stream list rv=18 first");
    stream_fails(w, 500 * S, ERR_TIMEOUT, "504: Too large resource version", "too_large", false);
    does(w, 500 * S, "stream list rv= first");
    /* a server restored from a backup */
    assert_int_equal(reflector_marked(w, "9"), REFLECTOR_BEHIND);
    does(w, 500 * S, "stream list rv= first replace");
    assert_int_equal(reflector_marked(w, "9"), REFLECTOR_WHOLE);
    assert_string_equal(reflector_version(w), "9");
}

STREAM_CASE(a_server_without_streaming_lists) {
    next(&t->w, 100 * S, 0);
    stream_fails(&t->w, 100 * S, ERR_REJECTED, "422", "no_stream_list", false);
    does(&t->w, 100 * S, "list rv=0 limit=500 first"); /* at once */
    /* the others know it as well, for an hour */
    struct reflector other;
    reflector_init(&other, &t->peers);
    does(&other, 3699 * S, "list rv=0 limit=500 first");
    does(&other, 3700 * S, "stream list rv=0 first");
    reflector_free(&other);
}

STREAM_CASE(a_streaming_list_that_is_cut_goes_on_in_pages) {
    struct reflector *w = &t->w;
    next(w, 100 * S, 0);
    reflector_item(w);
    stream_fails(w, 101 * S, ERR_TRANSPORT, "reset", "stream_list", false);
    does(w, 101 * S, "list rv=0 limit=500 first"); /* what was put by the stream does not count */
    assert_int_equal(reflector_listed(w, "17", ""), REFLECTOR_WHOLE);
    assert_true(t->peers.no_stream_list_ns == 0); /* the others may be luckier */
    reflector_relist(w);
    does(w, 3700 * S, "list rv=17 limit=500 first at_least");
    does(w, 3701 * S, "stream list rv=17 first");
    /* silence, a stream that ends without the mark, one that cannot be understood: pages */
    static const enum err_kind kinds[] = {ERR_NONE, ERR_PROTOCOL, ERR_TIMEOUT};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        int64_t now = 10000 * S * (int64_t)(i + 1);
        does(w, now, "stream list rv=17 first");
        reflector_item(w);
        stream_fails(w, now, kinds[i], "no mark", "stream_list", false);
        does(w, now,
             kinds[i] ? "list rv=17 limit=500 first at_least fresh" : "list rv=17 limit=500 first at_least");
        assert_int_equal(t->peers.no_stream_list_ns > now, kinds[i] == ERR_PROTOCOL);
        t->peers.no_stream_list_ns = 0;
        listed(w, now, "17");
        reflector_relist(w);
    }
}

STREAM_CASE(a_busy_server_is_asked_again) {
    struct reflector *w = &t->w;
    int64_t now = 100 * S;
    for (int i = 0; i < 2; i++) {
        does(w, now, "stream list rv=0 first");
        stream_fails(w, now, ERR_THROTTLED, "429", err_kind_name(ERR_THROTTLED), true);
        now = waits(w, now);
    }
    does(w, now, "stream list rv=0 first");
    stream_fails(w, now, ERR_SERVER, "500", "stream_list", false);
    does(w, waits(w, now), "list rv=0 limit=500 first");
    /* The credentials are refused, whatever the request */
    reflector_free(w);
    reflector_init(w, &t->peers);
    next(w, 100 * S, 0);
    stream_fails(w, 100 * S, ERR_AUTH, "401", err_kind_name(ERR_AUTH), true);
    does(w, 200 * S, "stream list rv=0 first");
    /* no right to watch: the list may be allowed */
    stream_fails(w, 200 * S, ERR_FORBIDDEN, "403", "stream_list", false);
    does(w, 200 * S, "list rv=0 limit=500 first");
}

STREAM_CASE(versions_that_are_never_there) {
    int64_t now = 100 * S;
    for (int i = 0; i < 10; i++) { /* no hot loop, and not for ever */
        struct reflector_todo todo = next(&t->w, now, 0);
        if (todo.what == REFLECTOR_LIST) return;
        if (todo.what == REFLECTOR_WAIT) {
            now = todo.until_ns;
        } else {
            struct err e = error_of(ERR_GONE, "410");
            bool trouble;
            reflector_stream_list_failed(&t->w, now, 7, &e, &trouble);
        }
    }
    fail_msg("no list in pages");
}

CASES("kube/reflector")
