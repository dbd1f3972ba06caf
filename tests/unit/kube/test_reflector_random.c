/* List and watch under random schedules. The server: a version counter, objects that change, a history that is
 * compacted, pages whose tokens expire, a cache that lags; it knows streaming lists, or refuses them, or does not
 * know what was asked of it. The client: a mirror fed as the machine says. At the end the server calms down, and
 * the mirror must be right. */
#include "../case.h"
#include "base/mem.h"
#include "base/rand.h"
#include "kube/reflector.h"

#define S NS_PER_S

static struct err error_of(enum err_kind kind, const char *msg) {
    struct err e;
    err_set(&e, kind, -EIO, "%s", msg);
    return e;
}

enum { OBJECTS = 8 };
enum streaming { SERVES, REFUSES, IGNORES, STREAMING };
struct server {
    long rv, compacted;
    enum streaming streaming; /* lists */
    long obj[OBJECTS];        /* version of its last change, 0: not there */
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
    struct reflector_peers peers;
    int64_t now;
    bool calm, synced, replacing;
    long listing; /* the version of the list in pages */
    int pos;
    unsigned requests;
    uint64_t seed;
};

static unsigned streamed, given_up; /* streaming lists of all runs */

static void do_stream(struct run *x, const struct reflector_todo *t);

static void put(struct run *x, int o, long v) {
    x->m.seen[o] = true;
    if (v > x->m.obj[o] || x->replacing) x->m.obj[o] = v; /* a record never goes back */
}

static void finish(struct run *x, long rv) {
    for (int i = 0; i < OBJECTS; i++) {
        if (!x->m.seen[i] && (x->replacing || x->m.obj[i] <= rv)) x->m.obj[i] = 0;
    }
    x->synced = true;
}

static void events(struct run *x, long from, long to, bool listing) {
    char rv[32];
    for (long v = from + 1; v <= to; v++) {
        int o = x->s.log[v].o;
        if (x->s.log[v].gone) {
            if (x->m.obj[o] < v) x->m.obj[o] = 0;
        } else {
            put(x, o, v);
        }
        snprintf(rv, sizeof rv, "%ld", v);
        if (!listing) reflector_event(&x->w, rv);
    }
}

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
        x->replacing = t->replace;
        memset(x->m.seen, 0, sizeof x->m.seen);
    }
    long obj[OBJECTS];
    state_at(&x->s, x->listing, obj);
    int upto = t->limit && rng_below(r, 2) ? x->pos + 3 : OBJECTS;
    for (; x->pos < OBJECTS && x->pos < upto; x->pos++) {
        if (!obj[x->pos]) continue;
        put(x, x->pos, obj[x->pos]);
    }
    char rv[32];
    snprintf(rv, sizeof rv, "%ld", x->listing);
    if (reflector_listed(&x->w, rv, x->pos < OBJECTS ? "token" : "") == REFLECTOR_WHOLE)
        finish(x, x->listing);
}

static void stream_list_fails(struct run *x, struct err e) {
    bool trouble;
    given_up++;
    reflector_stream_list_failed(&x->w, x->now, rng_next(&x->r), &e, &trouble);
}

/* A stream of what there is, then what happens, and the mark of its end somewhere between. */
static void do_stream_list(struct run *x, const struct reflector_todo *t) {
    struct rng *r = &x->r;
    struct err e = {0};
    char rv[32];
    long want = atol(t->rv), at = x->s.rv - (t->rv[0] && !x->calm ? (long)rng_below(r, 4) : 0);
    if (at < want) at = want;
    x->replacing = t->replace;
    memset(x->m.seen, 0, sizeof x->m.seen);
    if (!t->first) fail_seed(x->seed, "a streaming list that does not begin anew");
    if (x->s.streaming == REFUSES) e = error_of(ERR_REJECTED, "422");
    if (!x->calm && rng_below(r, 5) == 0) e = random_error(r);
    if (!x->calm && rng_below(r, 8) == 0) e = error_of(ERR_TIMEOUT, "504: Too large resource version");
    if (e.kind) {
        stream_list_fails(x, e);
        return;
    }
    long obj[OBJECTS];
    state_at(&x->s, at, obj);
    int upto = !x->calm && rng_below(r, 4) == 0 ? (int)rng_below(r, OBJECTS) : OBJECTS;
    for (int i = 0; i < upto; i++) {
        if (!obj[i]) continue;
        put(x, i, obj[i]);
        reflector_item(&x->w);
    }
    if (upto < OBJECTS || x->s.streaming == IGNORES) { /* cut in the middle, or the mark never comes */
        static const enum err_kind kinds[] = {ERR_NONE, ERR_TRANSPORT, ERR_TIMEOUT, ERR_PROTOCOL, ERR_GONE};
        size_t k = rng_below(r, ARRAY_LEN(kinds));
        if (kinds[k]) e = error_of(kinds[k], "injected");
        x->now += (int64_t)rng_below(r, 60) * S;
        stream_list_fails(x, e);
        return;
    }
    if (!x->calm) change(&x->s, r);
    long mark = at + (long)rng_below(r, (uint64_t)(x->s.rv - at) + 1);
    events(x, at, mark, true);
    snprintf(rv, sizeof rv, "%ld", mark);
    if (reflector_marked(&x->w, rv) != REFLECTOR_WHOLE) fail_seed(x->seed, "the server is not behind");
    finish(x, mark);
    streamed++;
    x->replacing = false;
    /* The stream goes on as a watch. */
    struct reflector_todo watch = {.what = REFLECTOR_STREAM, .rv = rv};
    do_stream(x, &watch);
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
        events(x, at, upto, false);
        x->now += x->calm ? 400 * S : (int64_t)rng_below(r, 5) * S;
        if (!x->calm && rng_below(r, 3) == 0) e = error_of(ERR_TRANSPORT, "cut");
    }
    reflector_ended(&x->w, x->now, rng_next(r), &e, &trouble);
}

SEEDS_CASE(5000, random_schedules) {
    struct run *x = xcalloc(1, sizeof *x);
    x->r.s = x->seed = seed;
    x->s.streaming = (enum streaming)(seed % STREAMING);
    reflector_init(&x->w, &x->peers);
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
        struct reflector_todo t;
        reflector_next(&x->w, x->now, rng_next(&x->r), &t);
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
        } else if (t.what == REFLECTOR_STREAM_LIST) {
            do_stream_list(x, &t);
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

CASE(streaming_lists_were_part_of_it) {
    if (streamed < 3000 || given_up < 1000) fail_msg("%u streamed, %u given up", streamed, given_up);
}

CASES("kube/reflector_random")
