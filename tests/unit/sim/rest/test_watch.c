/* Watches: where they start, what a selector makes of changes, bookmarks, ends. */
#include "../client.h"

static void watch(struct sim *s, const char *query, struct answer *a) {
    cleanup_free char *target = xasprintf(CMS "?watch=true%s", query);
    send_as(s, "GET", target, NULL, NULL, SL(""), a);
}

SIM_TEST(selectors) {
    struct answer label, field, not ;
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
    cJSON *gone = watch_next(&label), *come = watch_next(&not );
    assert_string_equal(json_str(gone, "type"), "DELETED");
    assert_string_equal(json_str(come, "type"), "ADDED");
    assert_string_equal(obj_label(json_obj(gone, "object"), "l"), "x");
    assert_string_equal(obj_rv(json_obj(gone, "object")), obj_rv(json_obj(come, "object")));
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
    answer_free(&label);
    answer_free(&field);
    answer_free(&not );
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
    struct answer any;
    watch(s, "&resourceVersion=0", &any);
    expect_event(&any, "ADDED", "a");
    run(s, "DELETE", CMS "/a", NULL, 200);
    expect_event(&any, "DELETED", "a");
    expect_no_event(&any);
    answer_free(&any);
}

/* Changes of other types do not shorten the history. */
TEST_ALONE(history_is_per_type) {
    struct sim *s = sim_new(&(struct sim_config){.seed = 1, .wall_ns = WALL, .history = 5});
    make_cm(s, "a", "x", "1");
    cleanup_free char *from = xasprintf("&resourceVersion=%s", obj_rv(ask(s, "GET", CMS "/a", NULL, NULL)));
    for (int i = 0; i < 20; i++)
        run(s, "POST", "/api/v1/namespaces/default/secrets", "{'metadata':{'generateName':'x'}}", 201);
    struct answer a;
    watch(s, from, &a);
    assert_false(a.ended);
    answer_free(&a);
    sim_free(s);
}

TEST_ALONE(bookmarks_and_end) {
    struct sim_config cfg = {.seed = 1, .wall_ns = WALL, .bookmark_ns = 10 * NS_PER_S};
    struct sim *s = sim_new(&cfg);
    struct answer with, without;
    watch(s, "&allowWatchBookmarks=true&timeoutSeconds=30", &with);
    watch(s, "&timeoutSeconds=30", &without);
    make_cm(s, "a", "x", "1");
    expect_event(&with, "ADDED", "a");
    run(s, "POST", "/api/v1/namespaces/default/secrets", "{'metadata':{'name':'x'}}", 201);
    cJSON *list = ask(s, "GET", CMS, NULL, NULL);
    sim_advance(s, WALL + 11 * NS_PER_S);
    cJSON *v = watch_next(&with);
    says(v, "type=BOOKMARK|object/kind=ConfigMap");
    assert_string_equal(obj_rv(json_obj(v, "object")),
                        json_str(json_obj(list, "metadata"), "resourceVersion"));
    sim_advance(s, WALL + 29 * NS_PER_S);
    for (int i = 0; i < 2; i++) { /* at 20 s, and at 28: two before its end */
        v = watch_next(&with);
        assert_string_equal(json_str_or(v, "type", ""), "BOOKMARK");
    }
    assert_false(with.ended);
    sim_advance(s, WALL + 30 * NS_PER_S);
    assert_true(with.ended && !with.cut && without.ended);
    expect_event(&without, "ADDED", "a");
    expect_no_event(&without);
    answer_free(&with);
    answer_free(&without);
    /* A watch of no stated length ends by itself as well. */
    watch(s, "", &with);
    int64_t now = WALL + 30 * NS_PER_S;
    sim_advance(s, now + 1799 * NS_PER_S);
    assert_false(with.ended);
    sim_advance(s, now + 3601 * NS_PER_S);
    assert_true(with.ended);
    answer_free(&with);
    sim_free(s);
}

TEST_ALONE(watch_list) {
    const char *query = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    for (int mode = SIM_WATCH_LIST_IGNORE; mode <= SIM_WATCH_LIST_SERVE; mode++) {
        struct sim_config cfg = {.seed = 1, .wall_ns = WALL, .watch_list = (enum sim_watch_list)mode};
        struct sim *s = sim_new(&cfg);
        make_cm(s, "a", "x", "1");
        struct answer a;
        watch(s, query, &a);
        if (mode == SIM_WATCH_LIST_REFUSE) {
            assert_int_equal(a.status, 422);
        } else {
            expect_event(&a, "ADDED", "a");
            cJSON *v = watch_next(&a);
            assert_int_equal(v != NULL, mode == SIM_WATCH_LIST_SERVE);
            if (v)
                assert_string_equal(obj_annotation(json_obj(v, "object"), "k8s.io/initial-events-end"),
                                    "true");
        }
        answer_free(&a);
        sim_free(s);
    }
}

SIM_TEST(other_forms) {
    struct answer meta, table;
    send_as(s, "GET", CMS "?watch=true", NULL, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
            SL(""), &meta);
    send_as(s, "GET", CMS "?watch=true", NULL,
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", SL(""), &table);
    make_cm(s, "a", "x", "1");
    make_cm(s, "b", "x", "1");
    for (int i = 0; i < 2; i++) {
        cJSON *v = watch_next(&meta), *o = cJSON_GetObjectItem(v, "object");
        says(o, "kind=PartialObjectMetadata|apiVersion=meta.k8s.io/v1");
        assert_null(json_get(o, "data"));
        assert_string_equal(obj_name(o), i ? "b" : "a");
        v = watch_next(&table);
        o = cJSON_GetObjectItem(v, "object");
        assert_string_equal(json_str(o, "kind"), "Table");
        assert_int_equal(cJSON_IsArray(json_get(o, "columnDefinitions")), i == 0); /* once is enough */
        const cJSON *row = json_arr(o, "rows")->child;
        assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(json_arr(row, "cells"), 0)),
                            i ? "b" : "a");
        assert_string_equal(obj_name(json_obj(row, "object")), i ? "b" : "a");
    }
    answer_free(&meta);
    answer_free(&table);
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
    struct answer other, plain;
    struct meddler m = {.s = s, .left = 2, .own = {.body = BUF(1 << 20)}};
    static const struct sim_cb cb = {ignore_head, meddle, ignore_end, NULL};
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
    answer_free(&other);
    answer_free(&plain);
    sim_leave(x);
}

TEST_ALONE(end_with_the_sim) {
    struct sim *s = sim_test();
    struct answer a;
    watch(s, "", &a);
    sim_free(s);
    assert_true(a.ended && a.cut);
    answer_free(&a);
}
