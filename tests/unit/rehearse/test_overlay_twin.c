/* The live self makes the same objects, before and after the rehearsal does. */
#include "../case.h"
#include "overlay_kit_put.h"
#include "api/rfc3339.h"
#include "base/time.h"

#define MADE    "2026-11-30T12:00:00Z"
#define EARLIER "2026-11-30T11:59:59Z"

static struct slice pod_of(const char *name, const char *rv, const char *owner, const char *created) {
    static char text[8][600];
    static unsigned next;
    char *t = text[next++ % 8];
    snprintf(t, 600,
             "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\","
             "\"uid\":\"u-%s\",\"generateName\":\"web-\","
             "\"resourceVersion\":\"%s\",\"creationTimestamp\":\"%s\",\"ownerReferences\":[{\"uid\":\"%s\","
             "\"controller\":true}],\"labels\":{\"l\":\"x\"}}}",
             name, name, rv, created, owner);
    return slice_of(t);
}
static struct slice pod(const char *name, const char *rv, const char *owner) {
    return pod_of(name, rv, owner, MADE);
}

static int64_t at(int64_t seconds) {
    int64_t t = 0;
    assert_int_equal(rfc3339_parse(SL(MADE), &t), 0);
    return t + seconds * NS_PER_S;
}

struct twins {
    struct kit k;
    struct heard h;
};
static struct twins *open_all(void) {
    struct twins *t = xcalloc(1, sizeof *t);
    kit_open(&t->k);
    overlay_seen(t->k.res, 10);
    heard_open(&t->h, t->k.o, t->k.all, "10000000");
    return t;
}
static void close_all(struct twins *t) {
    heard_free(&t->h);
    kit_close(&t->k);
    free(t);
}
static void live(struct twins *t, const char *name, const char *rv, const char *owner, int64_t seconds) {
    assert_int_equal(overlay_watch_event(t->h.w, at(seconds), event("ADDED", pod(name, rv, owner))), 0);
}
static void makes(struct twins *t, const char *name, const char *owner, int64_t seconds) {
    struct overlay_put p = kit_of(&t->k, name, (struct slice){0}, pod(name, "1", owner));
    p.now = at(seconds);
    struct overlay_entry *e = overlay_put(t->k.o, t->k.res, &p);
    assert_non_null(e);
    overlay_twin_made(t->k.o, e, at(seconds));
}

CASE_OF(struct twins, t, open_all(), close_all, the_live_one_comes_after) {
    makes(t, "web-a", "rs", 1);
    assert_heard(t->h, "ADDED web-a 10000001 x");
    live(t, "web-1", "11", "rs", 2);
    assert_heard(t->h, "DELETED web-a 10000002 x|ADDED web-1 11000000 x");
}

CASE_OF(struct twins, t, open_all(), close_all, the_live_one_comes_before_and_counts_once) {
    live(t, "web-1", "11", "rs", 1);
    live(t, "web-1", "11", "rs", 1); /* another watch of the same objects */
    assert_heard(t->h, "ADDED web-1 11000000 x|ADDED web-1 11000000 x");
    makes(t, "web-a", "rs", 2);
    assert_heard(t->h, "ADDED web-a 11000001 x|DELETED web-a 11000002 x");
    makes(t, "web-b", "rs", 2);
    assert_heard(t->h, "ADDED web-b 11000003 x");
}

CASE_OF(struct twins, t, open_all(), close_all, another_owner_s_or_an_older_one_is_no_twin) {
    live(t, "web-1", "11", "other", 1);
    live(t, "web-2", "12", "rs", 60); /* made long before it was seen */
    buf_clear(&t->h.got);
    makes(t, "web-a", "rs", 61);
    assert_heard(t->h, "ADDED web-a 12000001 x");
}

/* One that had been there before it, another owner's, one that was made before. */
CASE_OF(struct twins, t, open_all(), close_all, what_comes_after_and_is_no_twin) {
    makes(t, "web-a", "rs", 1);
    live(t, "web-1", "10", "rs", 2);
    live(t, "web-2", "11", "other", 2);
    assert_int_equal(overlay_watch_event(t->h.w, at(2), event("ADDED", pod_of("web-3", "12", "rs", EARLIER))),
                     0);
    assert_heard(t->h, "ADDED web-a 10000001 x|ADDED web-1 10000000 x|ADDED web-2 11000000 x|"
                       "ADDED web-3 12000000 x");
}

CASE_OF(struct twins, t, open_all(), close_all, the_first_of_several_gives_way_first) {
    makes(t, "web-a", "rs", 1);
    makes(t, "web-b", "rs", 2);
    live(t, "web-1", "11", "rs", 3);
    live(t, "web-2", "12", "rs", 3);
    assert_heard(t->h, "ADDED web-a 10000001 x|ADDED web-b 10000002 x|DELETED web-a 10000003 x|"
                       "ADDED web-1 11000000 x|DELETED web-b 10000004 x|ADDED web-2 12000000 x");
}

static void count_row(void *ctx, const struct overlay_row *r) {
    (void)r;
    ++*(int *)ctx;
}

/* ---- deletions: which of several alike goes is chance ---- */
static void removes(struct twins *t, const char *name, const char *rv, int64_t seconds) {
    struct overlay_put p = kit_of(&t->k, name, pod(name, rv, "rs"), (struct slice){0});
    p.now = at(seconds);
    struct overlay_entry *e = overlay_delete(t->k.o, t->k.res, &p);
    assert_non_null(e);
    overlay_twin_removed(t->k.o, e, at(seconds));
}
static void goes(struct twins *t, const char *type, struct slice object, int64_t seconds) {
    assert_int_equal(overlay_watch_event(t->h.w, at(seconds), event(type, object)), 0);
}
static struct slice ending(const char *name, const char *rv) {
    static char text[700];
    struct slice whole = pod(name, rv, "rs");
    snprintf(text, sizeof text, "%.*s,\"deletionTimestamp\":\"" MADE "\"}}", (int)whole.n - 2, whole.p);
    return slice_of(text);
}

CASE_OF(struct twins, t, open_all(), close_all, the_live_self_deletes_another_one_later) {
    removes(t, "web-a", "9", 1);
    removes(t, "web-b", "8", 2);
    goes(t, "MODIFIED", ending("web-1", "11"), 3);
    goes(t, "DELETED", ending("web-1", "12"), 4); /* the same one */
    assert_heard(t->h, "DELETED web-a 10000001 x|DELETED web-b 10000002 x|ADDED web-a 10000003 x|"
                       "MODIFIED web-1 11000000 x|DELETED web-1 12000000 x");
    int rows = 0;
    overlay_rows(t->k.o, at(4), count_row, &rows);
    assert_int_equal(rows, 1); /* web-b */
}

CASE_OF(struct twins, t, open_all(), close_all, the_live_self_has_deleted_another_one_before) {
    goes(t, "DELETED", pod("web-1", "11", "rs"), 1);
    goes(t, "DELETED", pod("web-1", "11", "rs"), 1); /* another watch of the same objects */
    buf_clear(&t->h.got);
    removes(t, "web-a", "9", 2);
    assert_heard(t->h, "DELETED web-a 11000001 x|ADDED web-a 11000002 x");
    removes(t, "web-a", "9", 2);
    assert_heard(t->h, "DELETED web-a 11000003 x");
}

/* The very same one, another owner's, what only changes, one that went long ago. */
CASE_OF(struct twins, t, open_all(), close_all, what_goes_and_is_no_twin) {
    removes(t, "web-a", "9", 1);
    goes(t, "DELETED", pod("web-2", "12", "other"), 2);
    goes(t, "MODIFIED", pod("web-3", "13", "rs"), 2);
    goes(t, "DELETED", pod("web-4", "14", "rs"), 17);
    assert_heard(t->h, "DELETED web-a 10000001 x|DELETED web-2 12000000 x|MODIFIED web-3 13000000 x|"
                       "DELETED web-4 14000000 x");
    removes(t, "web-b", "8", 40);
    goes(t, "DELETED", pod("web-b", "15", "rs"), 41);
    removes(t, "web-c", "7", 42);
    assert_heard(t->h, "DELETED web-b 14000002 x|DELETED web-c 15000004 x");
}

CASES("rehearse/overlay_twin")
