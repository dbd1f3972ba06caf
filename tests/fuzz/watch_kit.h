/* What fuzz_watch.c is about: the operator's watches, writes and list, what the server has said so far, and what holds of whatever the operator
 * gets. */
#ifndef FUZZ_WATCH_KIT_H
#define FUZZ_WATCH_KIT_H
#include "overlay_check.h"
#include "base/json_raw.h"
#include "kube/splitter.h"
#include "rehearse/version.h"

enum { WATCHES = 4, WRITES = 3, ITEM_MAX = 32 << 10, OUT_MAX = 1 << 20 };
#define SECOND INT64_C(1000000000)

struct watch {
    struct gate_request r;
    struct overlay_watch *w;
    struct splitter split;
    char last[64];               /* the version that it would go on from */
    struct overlay_version most; /* that it has got */
    bool over;                   /* the overlay has ended it */
    unsigned events, passed;     /* since the server's last event; as the server gave them */
    struct slice item;           /* that event */
};
struct writing {
    struct gate_request r;
    struct overlay_write *w;
};
struct page {
    struct gate_request r;
    struct overlay_list *l;
    struct splitter split;
    struct buf out;
    struct split_list whole;
    bool ended, read; /* it has all come; whole is of it */
    bool twice;       /* the server gives a name twice */
    struct buf names; /* of its items; of the operator's */
    struct buf given;
};
struct run {
    struct overlay *o;
    size_t piece;
    uint64_t said; /* the newest version of the server's */
    bool foul;     /* something was no JSON */
    int64_t now;
    struct watch watch[WATCHES];
    struct writing writing[WRITES];
    struct page page;
};
static struct run x;

/* ---- what the server says ---- */
static inline void say(struct slice raw) {
    struct overlay_peek it;
    if (json_raw_check(raw, NULL) < 0) x.foul = true;
    if (overlay_peek(raw, &it) && it.live > x.said) x.said = it.live;
}

/* How often, by any spelling. */
static inline size_t members(struct slice obj, struct slice name, struct slice *ret) {
    struct json_raw_it it = json_raw_each(obj);
    size_t n = 0;
    while (it.object && json_raw_next(&it)) {
        if (!json_raw_string_is(it.key, name)) continue;
        n += it.key.n == name.n + 2 ? 1 : 2; /* an escape: not as the API server writes it */
        *ret = it.value;
    }
    return n;
}

/* As an API server says it: each member once. */
static inline bool regular(struct slice obj) {
    struct slice meta = {0}, v;
    return members(obj, SL("metadata"), &meta) == 1 && json_raw_type(meta) == JR_OBJECT &&
           members(meta, SL("resourceVersion"), &v) <= 1;
}

/* ---- what the operator gets ---- */
static inline void whole(struct slice json) {
    FUZZ_CHECK(x.foul || json_raw_check(json, NULL) == 0);
}

static inline struct overlay_version version_of(struct slice obj) {
    struct slice text = {0}, live;
    struct overlay_version v = {0};
    unsigned change;
    FUZZ_CHECK(version_find(obj, &text) && version_in(text, &live, &change) == 0);
    for (size_t i = 0; i < live.n; i++) {
        FUZZ_CHECK(live.p[i] >= '0' && live.p[i] <= '9' && v.live < UINT64_MAX / 10);
        v.live = v.live * 10 + (uint64_t)(live.p[i] - '0');
    }
    v.change = change;
    FUZZ_CHECK(v.live > 0 && v.live <= x.said + 1); /* what went, went after it was seen */
    return v;
}

static inline bool later(struct overlay_version a, struct overlay_version b) {
    return a.live > b.live || (a.live == b.live && a.change > b.change);
}
#endif
