/* The informer when all is well: list, watch, pages, selectors, slices, a bounded cache, and being freed. */
#include "../case.h"
#include "informer_kit.h"

#define PAGE(rv, t, items)                                                                                   \
    "{\"metadata\":{\"resourceVersion\":\"" rv "\",\"continue\":\"" t "\"},\"items\":[" items "]}"

INFORMER_CASE(list_then_watch) {
    assert_false(informer_synced(r->inf));
    assert_true(fake_has_header(fake_one(r->f), "Accept: application/json"));
    assert_int_equal(fake_one(r->f)->lane, LANE_WATCH);
    answer(r, FIRST, 200, LIST("7", POD("a", "3") "," POD("b", "5")));
    expect_seen(r, "i+n/a@3 i+n/b@5 synced ");
    assert_true(informer_synced(r->inf));
    struct fake_req *q = stream(r, WATCH("7"));
    fake_body(q, EV("ADDED", POD("c", "8")) EV("MODIFIED", POD("a", "9")) EV("DELETED", POD("b", "10"))
                     EV("MODIFIED", POD("a", "11")));
    expect_seen(r, "+n/c@8 ~n/a@9 -n/b@5 ~n/a@11 ");
    assert_int_equal(store_len(informer_store(r->inf)), 2);
    assert_string_equal(store_get(informer_store(r->inf), SL("n"), SL("a"))->rv, "11");
    assert_true(informer_seen_ns(r->inf) == fake_now(r->f));
    /* a bookmark moves the version, changes nothing */
    fake_body(q, EV("BOOKMARK", "{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"50\"}}"));
    fake_run(r->f, 5 * NS_PER_S);
    fake_end(q, NULL);
    asked(r, WATCH("50"));
    expect_seen(r, "");
    assert_int_equal(r->troubles, 0);
    metrics_are(r, "handover_informer_objects{informer='pods'} 2|"
                   "handover_informer_events_total{informer='pods',type='updated'} 2|"
                   "handover_watch_restarts_total{informer='pods',reason='ended'} 1|"
                   "handover_list_duration_seconds_count{informer='pods'} 1");
}

CASE(selectors_and_metadata) {
    RUN(r, .gvr = &gvr_deployments, .ns = SL("x"), .labels = SL("a=b"), .fields = SL("metadata.name=q"),
        .metadata_only = true);
    struct fake_req *q = fake_one(r->f);
    assert_string_equal(
        q->url,
        "http://api/apis/apps/v1/namespaces/x/"
        "deployments?labelSelector=a%3Db&fieldSelector=metadata.name%3Dq&limit=500&resourceVersion=0");
    assert_has(buf_str(&q->headers), "as=PartialObjectMetadataList;");
    fake_answer(
        q, 200,
        "{\"kind\":\"PartialObjectMetadataList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}");
    q = fake_one(r->f);
    assert_has(buf_str(&q->headers), "as=PartialObjectMetadata;");
    fake_head(q, 200, NULL, NULL);
    fake_body(
        q,
        EV("ADDED",
           "{\"kind\":\"PartialObjectMetadata\",\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"8\"}}"));
    expect_seen(r, "synced +/a@8 ");
}

INFORMER_CASE(pages) {
    answer(r, FIRST, 200, PAGE("7", "t/1", POD("a", "1")));
    answer(r, "limit=500&continue=t%2F1", 200, PAGE("7", "t2", POD("b", "2")));
    expect_seen(r, "i+n/a@1 i+n/b@2 ");
    assert_false(informer_synced(r->inf));
    /* the token expires: one list of everything; what is gone meanwhile is deleted */
    answer(r, "limit=500&continue=t2", 410, GONE);
    struct fake_req *q = fake_one(r->f);
    assert_string_equal(q->url, "http://api/api/v1/pods");
    fake_answer(q, 200, LIST("20", POD("b", "2") "," POD("c", "9")));
    expect_seen(r, "i+n/c@9 i-n/a@1 synced ");
    asked(r, WATCH("20"));
    assert_int_equal(r->troubles, 0);
}

/* A large list in one piece: so many items a turn and no more, in order, with the connection held. */
INFORMER_CASE(large_lists_go_in_slices) {
    enum { N = 4000 };
    cleanup_buf struct buf list = BUF(64 << 20);
    buf_adds(&list, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[");
    for (int i = 0; i < N; i++) {
        buf_addf(&list, "%s{\"metadata\":{\"name\":\"p%d\",\"resourceVersion\":\"%d\"},\"spec\":\"%0400d\"}",
                 i ? "," : "", i, i + 1, 0);
    }
    buf_adds(&list, "]}");
    struct fake_req *q = fake_one(r->f);
    fake_answer(q, 200, buf_str(&list));
    assert_int_equal(r->changes, N);
    assert_true(informer_synced(r->inf));
    assert_true(r->most_in_a_turn <= (128 << 10) / 400);
    asked(r, WATCH("7"));
    /* the same in the pieces that a socket gives, while we hold; nothing is parsed again */
    fake_end(stream(r, WATCH("7")), NULL);
    fake_run(r->f, 2 * NS_PER_S);
    answer(r, WATCH("7"), 410, GONE);
    fake_run(r->f, 3 * NS_PER_S);
    q = asked(r, SINCE("7"));
    q->deliver_max = 16384;
    unsigned parsed = r->projected;
    fake_answer(q, 200, buf_str(&list));
    assert_int_equal(r->changes, N);
    assert_int_equal(r->projected, parsed);
    fake_run(r->f, NS_PER_S);
    asked(r, WATCH("7"));
}

CASE(a_full_cache) {
    RUN(r, .max_objects = 2);
    answer(r, FIRST, 200, LIST("7", POD("a", "1") "," POD("b", "2") "," POD("c", "3")));
    struct fake_req *q = stream(r, WATCH("7"));
    fake_body(q, EV("ADDED", POD("d", "8")) EV("MODIFIED", POD("a", "9")) EV("DELETED", POD("b", "10"))
                     EV("ADDED", POD("e", "11")));
    expect_seen(r, "i+n/a@1 i+n/b@2 synced ~n/a@9 -n/b@2 +n/e@11 ");
    logged(r, "the cache is full");
    metrics_are(r, "handover_informer_full{informer='pods'} 1");
    fake_body(q, EV("DELETED", POD("a", "12")));
    /* there is room for what was dropped: a list finds it, not long after */
    fake_run(r->f, 50 * NS_PER_S);
    answer(r, SINCE("12"), 200, LIST("20", POD("c", "3") "," POD("d", "8") "," POD("f", "9")));
    expect_seen(r, "-n/a@9 i+n/c@3 i-n/e@11 ");
    metrics_are(
        r,
        "handover_informer_full{informer='pods'} 1"); /* e took the room of d and f until its end was known */
    stream(r, WATCH("20"));
    fake_run(r->f, 100 * NS_PER_S);
    answer(r, SINCE("20"), 200, LIST("21", POD("c", "3") "," POD("d", "8")));
    expect_seen(r, "i+n/d@8 ");
    metrics_are(r, "handover_informer_full{informer='pods'} 0");
    asked(r, WATCH("21"));
    logged(r, "event=InformerCacheComplete");
}

#define A_AND_B LIST("7", POD("a", "1") "," POD("b", "2"))
CASE(freed_in_callbacks) {
    RUN(change, 0);
    change->free_in_change = true;
    answer(change, FIRST, 200, A_AND_B);
    expect_seen(change, "i+n/a@1 ");
    assert_int_equal(fake_open(change->f), 0);
    RUN(synced, 0);
    synced->free_in_synced = true;
    answer(synced, FIRST, 200, LIST("7", POD("a", "1")));
    assert_null(synced->inf);
    RUN(trouble, 0);
    trouble->free_in_trouble = true;
    answer(trouble, FIRST, 403, "");
    assert_null(trouble->inf);
    RUN(deleted, 0);
    answer(deleted, FIRST, 200, A_AND_B);
    deleted->free_in_change = true;
    fake_body(stream(deleted, WATCH("7")), EV("DELETED", POD("a", "8")) EV("DELETED", POD("b", "9")));
    expect_seen(deleted, "i+n/a@1 i+n/b@2 synced -n/a@1 ");
    /* among the deletions of a relist; with a slice due */
    RUN(relisted, 0);
    answer(relisted, FIRST, 200, A_AND_B);
    answer(relisted, WATCH("7"), 410, GONE);
    relisted->free_in_change = true;
    answer(relisted, SINCE("7"), 200, LIST("9", ""));
    assert_int_equal(relisted->changes, 3);
    RUN(sliced, 0);
    struct fake_req *q = fake_one(sliced->f);
    fake_head(q, 200, NULL, NULL);
    cleanup_buf struct buf part = BUF(1 << 20);
    buf_adds(&part, "{\"items\":[");
    while (part.n < 300000) buf_adds(&part, POD("a", "1") ",");
    q->cb.body(q->ctx, buf_slice(&part));
}

INFORMER_CASE(wrong_specs) {
    static const struct informer_cb cb = {on_change, NULL, NULL}, none = {NULL, NULL, NULL};
    const struct informer_spec good = {.gvr = &gvr_pods, .name = "x"};
    struct informer *inf = NULL;
    struct err e = {0};
    assert_int_equal(informer_new(r->k, &(struct informer_spec){.name = "x"}, &cb, r, &inf, &e), -EINVAL);
    assert_int_equal(informer_new(r->k, &(struct informer_spec){.gvr = &gvr_pods}, &cb, r, &inf, &e),
                     -EINVAL);
    assert_int_equal(informer_new(r->k, &good, &none, r, &inf, &e), -EINVAL);
    assert_null(inf);
    /* never started; without the optional callbacks */
    assert_int_equal(informer_new(r->k, &good, &cb, r, &inf, &e), 0);
    informer_free(inf);
    informer_free(NULL);
}

CASES("kube/informer")
