/* The informer and a streaming list: what there is, the mark, and on as a watch; and what goes wrong before it. */
#include "../case.h"
#include "informer_kit.h"

#define STREAMING_CASE(name) CASE_OF(struct run, r, setup_streaming(NULL), teardown, name)
#define MARK(rv)                                                                                             \
    EV("BOOKMARK", "{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"" rv                               \
                   "\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}")
#define BOOKMARK(rv) EV("BOOKMARK", "{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"" rv "\"}}")

STREAMING_CASE(one_request_for_list_and_watch) {
    struct fake_req *q = stream(r, STREAM_LIST("0"));
    assert_true(fake_has_header(q, "Accept: application/json"));
    fake_body(q, EV("ADDED", POD("a", "3")) EV("ADDED", POD("b", "5")));
    expect_seen(r, "i+n/a@3 i+n/b@5 ");
    assert_false(informer_synced(r->inf));
    fake_body(q, MARK("7") EV("MODIFIED", POD("a", "8")));
    expect_seen(r, "synced ~n/a@8 ");
    fake_run(r->f, 60 * NS_PER_S);
    fake_body(q, BOOKMARK("50"));
    fake_end(q, NULL);
    asked(r, WATCH("50")); /* no list */
    assert_int_equal(r->troubles, 0);
    metrics_are(r, "handover_list_duration_seconds_count{informer='pods'} 1");
}

CASE(metadata_only_streams) {
    struct run *r = setup_streaming(&(struct informer_spec){.metadata_only = true});
    struct fake_req *q = stream(r, STREAM_LIST("0"));
    assert_has(buf_str(&q->headers), "as=PartialObjectMetadata;");
    fake_body(
        q, EV("ADDED",
              "{\"kind\":\"PartialObjectMetadata\",\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"8\"}}")
               EV("BOOKMARK", "{\"kind\":\"PartialObjectMetadata\",\"metadata\":{\"resourceVersion\":\"9\","
                              "\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}"));
    expect_seen(r, "i+/a@8 synced ");
    teardown(r);
}

/* What changes before all has been sent; what is not sent again is gone; what is known is not parsed again. */
STREAMING_CASE(a_later_list_replaces_what_is_known) {
    struct fake_req *q = stream(r, STREAM_LIST("0"));
    fake_body(q, EV("ADDED", POD("a", "3")) EV("ADDED", POD("b", "5")) EV("MODIFIED", POD("b", "6"))
                     EV("DELETED", POD("a", "7")) EV("ADDED", POD("c", "4")) MARK("7"));
    expect_seen(r, "i+n/a@3 i+n/b@5 i~n/b@6 i-n/a@3 i+n/c@4 synced ");
    fake_body(q, EV("ERROR", GONE));
    unsigned parsed = r->projected;
    q = stream(r, STREAM_LIST("7"));
    fake_body(q, EV("ADDED", POD("c", "4")) EV("ADDED", POD("d", "9")));
    expect_seen(r, "i+n/d@9 ");
    assert_int_equal(r->projected, parsed + 1);
    fake_body(q, MARK("10"));
    expect_seen(r, "i-n/b@6 ");
    assert_int_equal(store_len(informer_store(r->inf)), 2);
}

/* Cut in the middle: in pages, from the beginning; what was deleted meanwhile is noticed. */
STREAMING_CASE(cut_before_the_mark) {
    struct fake_req *q = stream(r, STREAM_LIST("0"));
    fake_body(q, EV("ADDED", POD("a", "3")) EV("ADDED", POD("b", "5")));
    fake_fail(q, ERR_TRANSPORT, "connection reset");
    answer(r, FIRST, 200, LIST("9", POD("b", "5") "," POD("c", "8")));
    expect_seen(r, "i+n/a@3 i+n/b@5 i+n/c@8 i-n/a@3 synced ");
    asked(r, WATCH("9"));
    assert_int_equal(r->troubles, 0);
}

/* Streams that are no streaming lists lead to pages at once, silence does after a while; nothing is synced by them. */
CASE(streams_without_a_mark) {
    static const char *const bad[] = {
        EV("ADDED", POD("a", "3")) BOOKMARK("9"),
        EV("ADDED", "{\"kind\":\"Node\",\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"8\"}}"),
        EV("ADDED", "{\"metadata\":{}}"),
        EV("SURPRISE", POD("a", "3")),
        "rubbish\n",
        MARK(""),
        "<html>sign in</html>\n",
        "{}\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct run *r = setup_streaming(NULL);
        fake_body(stream(r, STREAM_LIST("0")), bad[i]);
        assert_false(informer_synced(r->inf));
        assert_int_equal(r->troubles, 0); /* the list reports it, if it fails as well */
        answer(r, FIRST, 200, LIST("9", POD("b", "5")));
        assert_true(informer_synced(r->inf));
        assert_int_equal(store_len(informer_store(r->inf)), 1);
        teardown(r);
    }
    struct run *r = setup_streaming(NULL);
    struct fake_req *q = stream(r, STREAM_LIST("0"));
    for (int i = 0; i < 5; i++) { /* slow, but there */
        fake_body(q, EV("ADDED", POD("a", "3")));
        fake_run(r->f, 14 * NS_PER_S);
    }
    assert_ptr_equal(fake_one(r->f), q);
    fake_run(r->f, 2 * NS_PER_S);
    assert_true(asked(r, FIRST)->fresh);
    teardown(r);
    r = setup_streaming(NULL);
    fake_run(r->f, 59 * NS_PER_S); /* not even an answer: as any list */
    asked(r, STREAM_LIST("0"));
    fake_run(r->f, 5 * NS_PER_S);
    assert_int_equal(r->troubles, 1);
    asked(r, STREAM_LIST("0"));
    teardown(r);
    r = setup_streaming(NULL);
    fake_end(stream(r, STREAM_LIST("0")), NULL);
    asked(r, FIRST);
    teardown(r);
}

/* One informer's refusal spares the others theirs; after an hour it is tried again. */
CASE(a_refusal_is_remembered) {
    struct run *r = setup(NULL);
    answer(r, FIRST, 200, LIST("7", ""));
    struct informer *other = NULL;
    static const struct informer_cb cb = {on_change, NULL, NULL};
    struct informer_spec spec = {.gvr = &gvr_deployments, .name = "deployments"};
    struct fake_req *watch = stream(r, WATCH("7"));
    uint64_t number = watch->number;
    assert_int_equal(informer_new(r->k, &spec, &cb, r, &other, NULL), 0);
    unsigned before = r->f->started;
    informer_start(other);
    assert_int_equal(r->f->started, before + 1);
    informer_free(other);
    for (int i = 0; i < 36; i++) {
        fake_body(watch, BOOKMARK("7"));
        fake_run(r->f, 100 * NS_PER_S);
        if (fake_one(r->f)->number != number) watch = stream(r, WATCH("7"));
        number = watch->number;
    }
    fake_body(watch, EV("ERROR", GONE));
    fake_run(r->f, 40 * NS_PER_S);
    asked(r, STREAM_LIST("7"));
    teardown(r);
}

STREAMING_CASE(a_server_restored_from_a_backup) {
    struct fake_req *q = stream(r, STREAM_LIST("0"));
    fake_body(q, EV("ADDED", POD("a", "30")) EV("ADDED", POD("b", "90")) MARK("100"));
    expect_seen(r, "i+n/a@30 i+n/b@90 synced ");
    fake_body(q, EV("ERROR", GONE));
    fake_body(stream(r, STREAM_LIST("100")), EV("ADDED", POD("a", "20")) MARK("50"));
    expect_seen(r, ""); /* older than what was seen: that list is none */
    logged(r, "event=InformerServerBehind");
    struct fake_req *again = fake_one(r->f);
    assert_has(again->url, "/pods?resourceVersionMatch=NotOlderThan&watch=true");
    fake_head(again, 200, NULL, NULL);
    fake_body(again, EV("ADDED", POD("a", "20")) MARK("51"));
    expect_seen(r, "i~n/a@20 i-n/b@90 ");
    fake_body(again, EV("ADDED", POD("c", "52")));
    expect_seen(r, "+n/c@52 ");
}

/* A long one goes in slices, and its memory is that of one object. */
STREAMING_CASE(long_lists_go_in_slices) {
    enum { N = 4000 };
    struct buf text = BUF(64 << 20);
    for (int i = 0; i < N; i++) {
        buf_addf(&text,
                 "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p%d\","
                 "\"resourceVersion\":\"%d\"},\"spec\":{\"x\":\"%0400d\"}}}\n",
                 i, i + 1, 0);
    }
    buf_adds(&text, MARK("5000"));
    struct fake_req *q = stream(r, STREAM_LIST("0"));
    q->deliver_max = 16384;
    fake_bytes(q, buf_slice(&text));
    assert_int_equal(r->changes, N);
    assert_true(informer_synced(r->inf));
    assert_true(r->most_in_a_turn <= (128 << 10) / 400);
    buf_free(&text);
}

CASE(freed_by_its_callbacks) {
    for (int i = 0; i < 3; i++) {
        struct run *r = setup_streaming(NULL);
        struct fake_req *q = stream(r, STREAM_LIST("0"));
        r->free_in_change = i == 0;
        r->free_in_synced = i == 1;
        if (i == 2) fake_body(q, EV("ADDED", POD("old", "1")) MARK("2"));
        if (i == 2) fake_body(q, EV("ERROR", GONE));
        if (i == 2) q = stream(r, STREAM_LIST("2"));
        if (i == 2) r->free_in_change = true; /* among the deletions at the end */
        fake_body(q, i == 2 ? MARK("7") : EV("ADDED", POD("a", "3")) MARK("7") EV("ADDED", POD("b", "8")));
        assert_null(r->inf);
        assert_int_equal(fake_open(r->f), 0);
        teardown(r);
    }
}

CASES("kube/informer_stream")
