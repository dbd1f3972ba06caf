/* The list/watch state machine; see kube/reflector.h. The times are client-go's. */
#include "kube/reflector.h"
#include "api/meta.h"
#include "base/mem.h"
#include "retry.h"
#include <errno.h>

enum {
    /* Of a watch: uniform up to twice this, so that a fleet's watches do not end together. */
    TIMEOUT_MIN_S = 300,
    /* So many watches without an event in a row lead to a list: the server may not have the version. */
    SHORT_TO_LIST = 3,
    STREAM_LIST_TRIES = 3, /* of a list that fails before its first object; then in pages */
};
static const int64_t backoff_min_ns = 800 * NS_PER_MS, backoff_max_ns = 30 * NS_PER_S;
static const int64_t well_ns = 30 * NS_PER_S; /* a watch that lasted so long ends the backoff */
static const int64_t soon_ns = NS_PER_S;      /* a watch that ends sooner without an event has failed */
static const int64_t grace_ns =
    30 * NS_PER_S; /* a server may end its watch late; after this it has stopped */
static const int64_t no_stream_list_for_ns = 3600 * NS_PER_S; /* the server may be upgraded meanwhile */
/* Something was missed: the wait for the list that finds it, doubled each time, and when that is forgotten. */
static const int64_t missed_min_ns = 30 * NS_PER_S, missed_max_ns = 600 * NS_PER_S,
                     missed_forget_ns = 3600 * NS_PER_S;

void reflector_init(struct reflector *w, struct reflector_peers *peers) {
    *w = (struct reflector){.phase = WS_LIST,
                            .from = FROM_CACHE,
                            .peers = peers,
                            .no_stream_list_ns = INT64_MIN,
                            .wait_ns = INT64_MIN,
                            .relist_ns = TIME_NEVER};
}

void reflector_free(struct reflector *w) {
    if (!w) return;
    free(w->token);
    w->token = NULL;
}

static void set_token(struct reflector *w, const char *token) {
    free(w->token);
    w->token = token && token[0] ? xstrdup(token) : NULL;
}

static void begin_stream(struct reflector *w, int64_t now_ns, uint64_t rnd, struct reflector_todo *ret) {
    ret->timeout_s = TIMEOUT_MIN_S + (unsigned)(rnd % (TIMEOUT_MIN_S + 1));
    ret->deadline_ns = now_ns + ret->timeout_s * NS_PER_S + grace_ns;
    w->began_ns = now_ns;
    w->events = false;
}

static bool may_stream_list(const struct reflector *w, int64_t now_ns) {
    bool refused = w->peers && w->peers->no_stream_list_ns && now_ns < w->peers->no_stream_list_ns;
    return !w->token && w->from != FROM_NEWEST_WHOLE && now_ns >= w->no_stream_list_ns && !refused;
}

void reflector_next(struct reflector *w, int64_t now_ns, uint64_t rnd, struct reflector_todo *ret) {
    *ret = (struct reflector_todo){.rv = w->rv, .token = "", .fresh = w->fresh, .relist_ns = TIME_NEVER};
    if (now_ns < w->wait_ns) {
        ret->what = REFLECTOR_WAIT;
        ret->until_ns = w->wait_ns;
    } else if (w->phase == WS_STREAM) {
        ret->what = REFLECTOR_STREAM;
        ret->relist_ns = w->relist_ns;
        begin_stream(w, now_ns, rnd, ret);
    } else if (w->phase == WS_PROBE) {
        ret->what = REFLECTOR_PROBE;
        ret->rv = "";
        ret->limit = 1;
    } else if (may_stream_list(w, now_ns)) {
        ret->what = REFLECTOR_STREAM_LIST;
        ret->first = true;
        ret->replace = w->replace;
        ret->rv = w->from == FROM_CACHE ? "0" : w->from == FROM_SEEN ? w->rv : "";
        begin_stream(w, now_ns, rnd, ret);
    } else {
        ret->what = REFLECTOR_LIST;
        ret->first = !w->token;
        ret->replace = w->replace;
        ret->limit = w->from == FROM_NEWEST_WHOLE ? 0 : REFLECTOR_PAGE;
        if (w->token) {
            ret->token = w->token;
            ret->rv = ""; /* the token says it */
        } else if (w->from == FROM_CACHE) {
            ret->rv = "0";
        } else if (w->from == FROM_SEEN) {
            ret->at_least = true;
        } else {
            ret->rv = "";
        }
    }
}

static void replace_all(struct reflector *w) {
    w->phase = WS_LIST;
    set_token(w, NULL);
    w->from = FROM_NEWEST;
    w->replace = true;
    w->relist_ns = TIME_NEVER;
}

static bool is_behind(struct reflector *w, const char *rv) {
    w->fresh = false;
    if (w->replace || !rv_older(rv, w->rv)) return false;
    replace_all(w);
    return true;
}

static enum reflector_listed whole(struct reflector *w, const char *rv) {
    set_token(w, NULL);
    reflector_event(w, rv);
    w->replace = false;
    w->phase = WS_STREAM;
    w->from = FROM_SEEN;
    w->relist_ns = TIME_NEVER;
    return REFLECTOR_WHOLE;
}

enum reflector_listed reflector_listed(struct reflector *w, const char *rv, const char *token) {
    if (is_behind(w, rv)) return REFLECTOR_BEHIND;
    if (!token || !token[0]) return whole(w, rv);
    if (strlen(token) <= REFLECTOR_TOKEN_MAX) {
        set_token(w, token);
    } else { /* too long to send back: all in one page */
        set_token(w, NULL);
        w->from = FROM_NEWEST_WHOLE;
    }
    return REFLECTOR_MORE_PAGES;
}

void reflector_item(struct reflector *w) {
    w->events = true;
}

enum reflector_listed reflector_marked(struct reflector *w, const char *rv) {
    if (is_behind(w, rv)) return REFLECTOR_BEHIND;
    w->stream_list_fails = 0;
    return whole(w, rv);
}

const char *reflector_version(const struct reflector *w) {
    return w->rv;
}

/* Between backoff_min and backoff_max, never the same for two: half of it is chance. */
static void back_off(struct reflector *w, int64_t now_ns, uint64_t rnd, const struct err *err) {
    int64_t base = backoff_min_ns;
    for (unsigned i = 0; i < w->fails && base < backoff_max_ns / 2; i++) base *= 2;
    if (base > backoff_max_ns / 2) base = backoff_max_ns / 2;
    int64_t d = base + (int64_t)(rnd % (uint64_t)base), after = err->retry_after_ms;
    const int64_t most_ms = INT64_C(1000) * RETRY_AFTER_MAX_S;
    if (after > most_ms) after = most_ms;
    if (d < after * NS_PER_MS) d = after * NS_PER_MS + (int64_t)(rnd % (uint64_t)soon_ns);
    w->wait_ns = now_ns + d;
    w->fails++;
}

static bool version_too_large(const struct err *err) {
    return strstr(err->msg, "oo large resource version") != NULL;
}

/* The same request may well succeed later. */
static bool passing(const struct err *err) {
    return err->kind == ERR_TRANSPORT || err->kind == ERR_TIMEOUT || err->kind == ERR_THROTTLED ||
           err->kind == ERR_SERVER;
}

const char *reflector_list_failed(struct reflector *w, int64_t now_ns, uint64_t rnd, const struct err *err,
                                  bool *ret_trouble) {
    bool too_large = version_too_large(err), gone = err->kind == ERR_GONE || too_large;
    w->fresh = err->kind == ERR_TIMEOUT && !too_large;
    *ret_trouble = false;
    if (gone && w->token && w->from != FROM_NEWEST_WHOLE) {
        set_token(w, NULL);
        w->from = FROM_NEWEST_WHOLE;
        return "page_expired";
    }
    if (gone && !w->token && (w->from == FROM_CACHE || w->from == FROM_SEEN)) {
        w->from = FROM_NEWEST;
        return too_large ? "too_large" : "expired";
    }
    if (!passing(err)) { /* from the start; a page that was lost on the way is asked for again */
        set_token(w, NULL);
        if (w->from == FROM_SEEN) w->from = FROM_NEWEST;
    }
    *ret_trouble = true;
    back_off(w, now_ns, rnd, err);
    return gone ? "expired" : err_kind_name(err->kind);
}

/* In pages from now on: they go on where they were cut, and every server has them. */
static void turn_to_pages(struct reflector *w, int64_t now_ns, const struct err *err) {
    w->no_stream_list_ns = now_ns + no_stream_list_for_ns;
    w->stream_list_fails = 0;
    bool unknown = err->kind == ERR_REJECTED || err->kind == ERR_PROTOCOL;
    if (unknown && w->peers) w->peers->no_stream_list_ns = w->no_stream_list_ns;
}

const char *reflector_stream_list_failed(struct reflector *w, int64_t now_ns, uint64_t rnd, struct err *err,
                                         bool *ret_trouble) {
    bool gone = err->kind == ERR_GONE || version_too_large(err), older = w->from != FROM_NEWEST,
         busy = passing(err) && !gone;
    if ((gone && older) || err->kind == ERR_AUTH ||
        ((gone || (busy && !w->events)) && ++w->stream_list_fails < STREAM_LIST_TRIES))
        return reflector_list_failed(w, now_ns, rnd, err, ret_trouble);
    *ret_trouble = false; /* the list will say what is wrong, if it fails as well */
    w->fresh = (err->kind == ERR_TIMEOUT && !gone) || err->kind == ERR_PROTOCOL;
    turn_to_pages(w, now_ns, err);
    if (gone || (busy && !w->events)) back_off(w, now_ns, rnd, err);
    return err->kind == ERR_REJECTED ? "no_stream_list" : "stream_list";
}

void reflector_event(struct reflector *w, const char *rv) {
    w->events = true;
    w->fresh = false;
    size_t n = rv ? strlen(rv) : 0;
    if (n && n < sizeof w->rv) memcpy(w->rv, rv, n + 1);
}

int64_t reflector_relist_soon(struct reflector *w, int64_t now_ns, uint64_t rnd) {
    if (now_ns - w->broken_ns > missed_forget_ns) w->broken = 0;
    w->broken_ns = now_ns;
    if (w->relist_ns != TIME_NEVER) return w->relist_ns;
    int64_t d = missed_min_ns;
    for (unsigned i = 0; i < w->broken && d < missed_max_ns; i++) d *= 2;
    if (d > missed_max_ns) d = missed_max_ns;
    w->broken++;
    w->relist_ns = now_ns + d + (int64_t)(rnd % (uint64_t)d) / 2;
    return w->relist_ns;
}

void reflector_relist(struct reflector *w) {
    w->phase = WS_LIST;
    set_token(w, NULL);
    w->relist_ns = TIME_NEVER;
}

void reflector_suspect(struct reflector *w) {
    if (w->phase == WS_STREAM) w->phase = WS_PROBE;
}

bool reflector_probed(struct reflector *w, const char *rv) {
    w->fresh = false;
    if (rv_older(rv, w->rv)) {
        replace_all(w);
        return false;
    }
    w->phase = WS_STREAM;
    return true;
}

/* The version is gone, or is not there yet. */
static const char *version_lost(struct reflector *w, int64_t now_ns, uint64_t rnd, const struct err *err,
                                bool *ret_trouble) {
    bool too_large = err->kind != ERR_GONE;
    reflector_relist(w);
    if (too_large) w->from = FROM_NEWEST;
    *ret_trouble = w->fails > 0;
    if (w->fails) {
        back_off(w, now_ns, rnd, err);
    } else {
        w->fails = 1; /* expected now and then; the next one backs off */
    }
    return too_large ? "too_large" : "expired";
}

const char *reflector_ended(struct reflector *w, int64_t now_ns, uint64_t rnd, struct err *err,
                            bool *ret_trouble) {
    int64_t lived = now_ns - w->began_ns;
    bool served = w->events || lived >= soon_ns;
    *ret_trouble = false;
    w->fresh = err->kind == ERR_TIMEOUT && !version_too_large(err);
    if (lived >= well_ns) w->fails = 0;
    if (err->kind == ERR_GONE || version_too_large(err))
        return version_lost(w, now_ns, rnd, err, ret_trouble);

    if (err->kind == ERR_NONE && served) {
        if (lived < soon_ns) w->wait_ns = w->began_ns + soon_ns;
        return "ended";
    }
    if (err->kind == ERR_TRANSPORT && served && w->fails == 0) { /* cut: go on where it was */
        w->fails = 1;
        return "cut";
    }
    const char *why = err_kind_name(err->kind);
    bool is_short = err->kind == ERR_NONE;
    if (is_short) {
        err_set(err, ERR_PROTOCOL, -EPIPE, "the server ended the watch after %lld ms without an event",
                (long long)(lived / NS_PER_MS));
        why = "short";
    }
    *ret_trouble = true;
    back_off(w, now_ns, rnd, err);
    bool refused = err->kind == ERR_REJECTED || (err->kind == ERR_PROTOCOL && !is_short);
    if (refused || (is_short && w->fails >= SHORT_TO_LIST)) reflector_relist(w);
    return why;
}
