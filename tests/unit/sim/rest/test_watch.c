/* Watches: where they start, what a selector makes of changes, bookmarks, ends. */
#include "../client.h"
#include "../slow.h"

static void watch(struct sim *s, const char *query, struct answer *a) {
    cleanup_free char *target = xasprintf(CMS "?watch=true%s", query);
    send_as(s, "GET", target, NULL, NULL, SL(""), a);
}

SIM_TEST(selectors) {
    cleanup_answer struct answer label = {0}, field = {0}, not = {0};
    watch(s, "&labelSelector=l%3Dx", &label);
    watch(s, "&fieldSelector=metadata.name%3Db", &field);
    watch(s, "&labelSelector=l!%3Dx", &not );
    make_cm(s, "a", "x", "1");
    make_cm(s, "b", "y", "1");
    expect_event(&label, "ADDED", "a");
    expect_event(&field, "ADDED", "b");
    expect_event(&not, "ADDED", "b");
    run(s, "PATCH", CMS "/a", "{'metadata':{'labels':{'l':'y'}}}", 200);
    /* For who no longer selects it, it is deleted: as it was, at the version of the change. */
    const cJSON *gone = expect_event(&label, "DELETED", "a"), *come = expect_event(&not, "ADDED", "a");
    says(gone, "metadata/labels/l=x");
    assert_string_equal(obj_rv(gone), obj_rv(come));
    run(s, "PATCH", CMS "/a", "{'data':{'k':'2'}}", 200);
    expect_no_event(&label);
    expect_event(&not, "MODIFIED", "a");
    run(s, "PATCH", CMS "/a", "{'metadata':{'labels':{'l':'x'}}}", 200);
    expect_event(&label, "ADDED", "a");
    expect_event(&not, "DELETED", "a");
    run(s, "DELETE", CMS "/a", NULL, 200);
    expect_event(&label, "DELETED", "a");
    expect_no_event(&not );
    expect_no_event(&field);
    refused(s, "GET", CMS "?watch=1&fieldSelector=data.k%3D1", NULL, 400,
            "field label not supported: data.k");
    refused(s, "GET", CMS "?watch=1&labelSelector=%3D%3D%3D", NULL, 400, "");
    refused(s, "GET", CMS "?watch=1&timeoutSeconds=soon", NULL, 400, "invalid syntax");
    refused(s, "GET", CMS "?watch=1&resourceVersion=soon", NULL, 400, "invalid syntax");
}

/* A watch from version 0 begins with what there is, whatever has been compacted. */
SIM_TEST(from_any_version) {
    make_cm(s, "a", "x", "1");
    sim_compact(s);
    cleanup_answer struct answer any = {0};
    watch(s, "&resourceVersion=0", &any);
    expect_event(&any, "ADDED", "a");
    run(s, "DELETE", CMS "/a", NULL, 200);
    expect_event(&any, "DELETED", "a");
    expect_no_event(&any);
}

/* Changes of other types do not shorten the history. */
CASE(history_is_per_type) {
    struct sim *s = sim_new(&(struct sim_config){.seed = 1, .wall_ns = WALL, .history = 5});
    make_cm(s, "a", "x", "1");
    cleanup_free char *from = xasprintf("&resourceVersion=%s", obj_rv(ask(s, "GET", CMS "/a", NULL, NULL)));
    for (int i = 0; i < 20; i++)
        run(s, "POST", "/api/v1/namespaces/default/secrets", "{'metadata':{'generateName':'x'}}", 201);
    cleanup_answer struct answer a = {0};
    watch(s, from, &a);
    assert_false(a.ended);
    sim_free(s);
}

CASE(bookmarks_and_end) {
    struct sim_config cfg = {.seed = 1, .wall_ns = WALL, .bookmark_ns = 10 * NS_PER_S};
    struct sim *s = sim_new(&cfg);
    cleanup_answer struct answer with = {0}, without = {0};
    watch(s, "&allowWatchBookmarks=true&timeoutSeconds=30", &with);
    watch(s, "&timeoutSeconds=30", &without);
    make_cm(s, "a", "x", "1");
    expect_event(&with, "ADDED", "a");
    run(s, "POST", "/api/v1/namespaces/default/secrets", "{'metadata':{'name':'x'}}", 201);
    cleanup_free char *bookmark = xasprintf(
        "type=BOOKMARK|object/kind=ConfigMap|object/metadata/resourceVersion=%s", obj_rv(get(s, CMS)));
    sim_advance(s, WALL + 11 * NS_PER_S);
    says(watch_next(&with), bookmark);
    sim_advance(s, WALL + 29 * NS_PER_S);
    for (int i = 0; i < 2; i++)
        says(watch_next(&with), "type=BOOKMARK"); /* at 20 s, and at 28: two before its end */
    assert_false(with.ended);
    sim_advance(s, WALL + 30 * NS_PER_S);
    assert_true(with.ended && !with.cut && without.ended);
    expect_event(&without, "ADDED", "a");
    expect_no_event(&without);
    /* A watch of no stated length ends by itself as well. */
    watch(s, "", &with);
    int64_t now = WALL + 30 * NS_PER_S;
    sim_advance(s, now + 1799 * NS_PER_S);
    assert_false(with.ended);
    sim_advance(s, now + 3601 * NS_PER_S);
    assert_true(with.ended);
    sim_free(s);
}

/* ---- streaming lists ---- */
static struct sim *server(enum sim_release mode) {
    return sim_new(&(struct sim_config){.seed = 1, .wall_ns = WALL, .history = 5, .release = mode});
}
#define INITIAL "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
#define MARK    "type=BOOKMARK|object/metadata/annotations/k8s.io~1initial-events-end=true"

static char *present(struct sim *s) {
    return xstrdup(json_str(json_obj(get(s, CMS), "metadata"), "resourceVersion"));
}

/* The watch begins with these objects, and the mark of their end at that version, where it has one. */
static void begins(struct sim *s, const char *query, const char *names, const char *mark) {
    cleanup_answer struct answer a = {0};
    watch(s, query, &a);
    each_of(name, names) {
        cleanup_free char *text = slice_dup(name);
        if (name.n) expect_event(&a, "ADDED", text);
    }
    cleanup_free char *want = xasprintf(MARK "|object/metadata/resourceVersion=%s", mark);
    if (mark[0]) says(watch_next(&a), want);
    expect_no_event(&a);
}

CASE(streaming_list) {
    struct sim *s = server(SIM_RELEASE_1_37);
    make_cm(s, "a", "x", "1");
    make_cm(s, "b", "y", "1");
    cleanup_free char *rv = present(s), *from = xasprintf("&resourceVersion=%s" INITIAL, rv);
    run(s, "POST", "/api/v1/namespaces/default/secrets", "{'metadata':{'name':'x'}}", 201);
    cleanup_free char *now = present(s);
    /* at the newest version, whatever was asked for */
    begins(s, INITIAL, "a|b", now);
    begins(s, "&resourceVersion=0" INITIAL, "a|b", now);
    begins(s, from, "a|b", now);
    begins(s, "&labelSelector=l%3Dy" INITIAL, "b", now);
    /* as watches have always begun */
    begins(s, "&allowWatchBookmarks=1", "a|b", now);
    begins(s, "&resourceVersion=0&allowWatchBookmarks=1", "a|b", now);
    /* without bookmarks, without the initial events */
    begins(s, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan", "a|b", "");
    begins(s, "&sendInitialEvents=false&resourceVersionMatch=NotOlderThan", "", "");
    cleanup_answer struct answer on = {0};
    watch(s, "&labelSelector=l%3Dy" INITIAL, &on);
    expect_event(&on, "ADDED", "b");
    says(watch_next(&on), MARK);
    make_cm(s, "c", "y", "1");
    expect_event(&on, "ADDED", "c");
    cleanup_free char *only =
        xasprintf("&resourceVersion=%s&sendInitialEvents=false&resourceVersionMatch=NotOlderThan", rv);
    begins(s, only, "c", "");
    answer_free(&on);
    sim_compact(s); /* the state is there whatever has been forgotten */
    now = (free(now), present(s));
    begins(s, from, "a|b|c", now);
    sim_free(s);
}

/* What is refused, in apimachinery's words; by age and feature gate of the server. */
CASE(streaming_list_refused) {
#define WHY       "ListOptions.meta.k8s.io \"\" is invalid: "
#define MATCH_WHY "resourceVersionMatch: Forbidden: "
    static const struct {
        enum sim_release server;
        const char *query, *message; /* NULL: served */
    } t[] = {
        {SIM_RELEASE_1_37, "&sendInitialEvents=true",
         WHY MATCH_WHY "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"},
        {SIM_RELEASE_1_37, "&sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1",
         WHY "[" MATCH_WHY "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, "
             "resourceVersionMatch: Unsupported value: \"Exact\": supported values: \"NotOlderThan\"]"},
        {SIM_RELEASE_1_37, "&resourceVersionMatch=NotOlderThan&resourceVersion=1",
         WHY MATCH_WHY "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"},
        {SIM_RELEASE_1_37, INITIAL "&continue=abc",
         WHY MATCH_WHY "resourceVersionMatch is forbidden when continue is provided"},
        {SIM_RELEASE_1_37, INITIAL "&resourceVersion=x", "Invalid value: \"x\""},
        {SIM_RELEASE_1_37, INITIAL "&resourceVersion=999999",
         "Too large resource version: 999999, current: "},
        {SIM_RELEASE_1_33, INITIAL,
         WHY "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList "
             "feature gate is enabled"},
        {SIM_RELEASE_1_20, INITIAL,
         WHY "[" MATCH_WHY "resourceVersionMatch is forbidden for watch, " MATCH_WHY
             "resourceVersionMatch is forbidden unless resourceVersion is provided]"},
        {SIM_RELEASE_1_20, INITIAL "&resourceVersion=1",
         WHY MATCH_WHY "resourceVersionMatch is forbidden for watch"},
        {SIM_RELEASE_1_20, "&sendInitialEvents=true", NULL},
        {SIM_RELEASE_1_18, INITIAL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct sim *s = server(t[i].server);
        cleanup_free char *target = xasprintf(CMS "?watch=true%s", t[i].query);
        make_cm(s, "a", "x", "1");
        if (t[i].message) {
            int want = strstr(t[i].query, "=x") ? 400 : strstr(t[i].query, "999999") ? 504 : 422;
            refused(s, "GET", target, NULL, want, t[i].message);
        } else {
            begins(s, t[i].query, "a", "");
        }
        sim_free(s);
    }
    struct sim *s = server(SIM_RELEASE_1_37);
    refused(s, "GET", CMS "?sendInitialEvents=true", NULL, 422,
            WHY "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list");
    sim_free(s);
}

/* The state goes out as fast as its client reads; what happens meanwhile is not lost, however much it is. */
static void slow_watch(struct sim *s, struct slow *slow, bool compacted) {
    struct sim_exchange *x = slow_start(s, CMS "?watch=true" INITIAL, slow);
    assert_non_null(x);
    assert_true(slow->unsent < (size_t)8 << 20);
    run(s, "DELETE", CMS "/c00", NULL, 200);
    for (int i = 0; i < 20; i++) run(s, "POST", CMS, "{'metadata':{'generateName':'z'}}", 201);
    run(s, "PATCH", CMS "/c11", "{'metadata':{'labels':{'l':'y'}}}", 200);
    if (compacted) sim_compact(s);
    for (int i = 0; i < 40; i++) {
        slow->unsent = 0;
        sim_advance_some(s, sim_now_ns(s), 0);
    }
    for (int i = 0; i < 12; i++) {
        cleanup_free char *name = xasprintf("c%02d", i);
        expect_event(&slow->a, "ADDED", name);
    }
    says(watch_next(&slow->a), MARK);
    if (compacted) {
        says(watch_next(&slow->a), "type=ERROR|object/code=410|object/reason=Expired");
        assert_true(slow->a.ended);
        return;
    }
    expect_event(&slow->a, "DELETED", "c00");
    for (int i = 0; i < 20; i++) says(watch_next(&slow->a), "type=ADDED");
    expect_event(&slow->a, "MODIFIED", "c11");
    make_cm(s, "last", "x", "1");
    expect_event(&slow->a, "ADDED", "last");
    expect_no_event(&slow->a);
    sim_leave(x);
}

CASE(slow_readers) {
    for (int compacted = 0; compacted < 2; compacted++) {
        struct sim *s = server(SIM_RELEASE_1_37);
        make_long(s, 12);
        struct slow slow;
        slow_watch(s, &slow, compacted);
        buf_free(&slow.a.body);
        /* one that leaves in the middle, and one whose time is up */
        sim_leave(slow_start(s, CMS "?watch=true" INITIAL, &slow));
        buf_free(&slow.a.body);
        assert_non_null(slow_start(s, CMS "?watch=true&timeoutSeconds=5" INITIAL, &slow));
        sim_advance(s, sim_now_ns(s) + 6 * NS_PER_S);
        assert_true(slow.a.ended && !slow.a.cut);
        buf_free(&slow.a.body);
        sim_free(s);
    }
}

#define META "object/kind=PartialObjectMetadata|object/apiVersion=meta.k8s.io/v1|object/data=none"
#define TABLE_OF(name)                                                                                       \
    "object/kind=Table|object/rows/0/cells/0=" name "|object/rows/0/object/metadata/name=" name

SIM_TEST(other_forms) {
    cleanup_answer struct answer meta = {0}, table = {0};
    send_as(s, "GET", CMS "?watch=true", NULL, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
            SL(""), &meta);
    send_as(s, "GET", CMS "?watch=true", NULL,
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", SL(""), &table);
    make_cm(s, "a", "x", "1");
    make_cm(s, "b", "x", "1");
    says(watch_next(&meta), META "|object/metadata/name=a");
    says(watch_next(&meta), META "|object/metadata/name=b");
    /* the columns once: that is enough */
    says(watch_next(&table), "object/columnDefinitions=[3]|" TABLE_OF("a"));
    says(watch_next(&table), "object/columnDefinitions=null|" TABLE_OF("b"));
}

struct meddler { /* what a client does from within its callback */
    struct sim *s;
    struct answer own;
    struct sim_exchange *other;
    int left;
};

static void meddle(void *ctx, struct slice data) {
    struct meddler *m = ctx;
    buf_add(&m->own.body, data);
    if (m->left-- > 0) make_cm(m->s, m->left ? "z1" : "z0", "x", "1");
    if (m->other) sim_leave(m->other);
    m->other = NULL;
}

static void ignore_head(void *ctx, int status, const char *type, int retry) {
    (void)ctx, (void)status, (void)type, (void)retry;
}

static void ignore_end(void *ctx, bool cut) {
    (void)ctx, (void)cut;
}

/* Callbacks may call into the sim: write, leave others; every event still comes once and in order. */
SIM_TEST(calls_from_callbacks) {
    cleanup_answer struct answer other = {0}, plain = {0};
    struct meddler m = {.s = s, .left = 2, .own = {.body = BUF(1 << 20)}};
    static const struct sim_cb cb = {.head = ignore_head, .body = meddle, .end = ignore_end};
    struct sim_request r = {.method = SL("GET"), .target = SL(CMS "?watch=true")};
    struct sim_exchange *x = sim_handle(s, &r, &cb, &m);
    watch(s, "", &other);
    watch(s, "", &plain);
    m.other = other.x;
    make_cm(s, "a", "x", "1");
    other.x = NULL;
    expect_event(&plain, "ADDED", "a");
    expect_event(&plain, "ADDED", "z1");
    expect_event(&plain, "ADDED", "z0");
    expect_event(&m.own, "ADDED", "a");
    expect_event(&m.own, "ADDED", "z1");
    expect_event(&m.own, "ADDED", "z0");
    expect_no_event(&other);
    buf_free(&m.own.body);
    sim_leave(x);
}

CASE(end_with_the_sim) {
    struct sim *s = sim_test();
    cleanup_answer struct answer a = {0};
    watch(s, "", &a);
    sim_free(s);
    assert_true(a.ended && a.cut);
}
