/* Writes of ours in the informer's store, a server that was restored from a backup, and informers that come
 * and go. */
#include "../case.h"
#include "informer_kit.h"

static int wrote(struct run *r, const char *obj) {
    struct err e = {0};
    return informer_wrote(r->inf, slice_of(obj), &e);
}

CASE(a_write_is_in_the_store_at_once) {
    RUN(r, .ns = SL("n"));
    fake_answer(fake_one(r->f), 200, LIST("7", POD("a", "3") "," POD("b", "5")));
    assert_int_equal(wrote(r, POD("a", "8")), 0);
    assert_int_equal(wrote(r, POD("c", "9")), 0);
    assert_int_equal(wrote(r, POD("c", "9")), 0);
    expect_seen(r, "i+n/a@3 i+n/b@5 synced ~n/a@8 +n/c@9 ");
    informer_deleted(r->inf, SL("n"), SL("b"), SL("another"));
    informer_deleted(r->inf, SL("n"), SL("b"), SL("u-b"));
    expect_seen(r, "-n/b@5 ");
    /* the watch tells the same, later */
    struct fake_req *q = fake_one(r->f);
    fake_head(q, 200, NULL, NULL);
    fake_body(q, EV("MODIFIED", POD("b", "7")) EV("MODIFIED", POD("a", "8")) EV("ADDED", POD("c", "9")));
    fake_body(q, EV("DELETED", POD("b", "10")) EV("DELETED", POD("c", "11")));
    expect_seen(r, "-n/c@9 ");
    /* an answer that comes after its object's end */
    assert_int_equal(wrote(r, POD("c", "9")), 0);
    assert_int_equal(wrote(r, POD("d", "11")), 0);
    expect_seen(r, "");
    metrics_are(r, "handover_informer_objects{informer='pods'} 1");
    assert_int_equal(wrote(r, "{\"metadata\":{\"namespace\":\"m\",\"name\":\"a\"}}"), -EINVAL);
    assert_int_equal(wrote(r, "{\"kind\":\"Status\",\"metadata\":{\"namespace\":\"n\",\"name\":\"a\"}}"),
                     -EINVAL);
    assert_int_equal(wrote(r, "{\"metadata\":{\"namespace\":\"n\"}}"), -EINVAL);
    assert_true(wrote(r, "{\"metadata\":") < 0);
    assert_true(informer_wrote(r->inf, SL("rubbish"), NULL) < 0);
    expect_seen(r, "");
    r->free_in_change = true;
    assert_int_equal(wrote(r, POD("a", "20")), 0);
    assert_null(r->inf);
    RUN(partial, .metadata_only = true);
    assert_int_equal(wrote(partial, POD("a", "8")), -EINVAL);
}

static void write_in_change(void *ctx, const struct store_rec *old, const struct store_rec *now,
                            bool initial) {
    struct run *r = ctx;
    (void)old, (void)initial;
    assert_int_equal(wrote(r, POD("x", "99")), -EBUSY);
    informer_deleted(r->inf, SL("n"), slice_of(now->name), slice_of(now->uid));
}

CASE(not_from_within_change) {
    struct run *r = refused_stream_list(setup_with(NULL, &(struct informer_cb){.change = write_in_change}));
    answer(r, FIRST, 200, LIST("7", POD("a", "3")));
    assert_int_equal(store_len(informer_store(r->inf)), 1);
    teardown(r);
}

/* The list is older than what was seen: read anew, and all that was known is replaced, newer or not. */
INFORMER_CASE(a_server_restored_from_a_backup) {
    answer(r, FIRST, 200, LIST("700", POD("a", "300") "," POD("b", "500")));
    wrote(r, POD("c", "701"));
    buf_clear(&r->seen);
    answer(r, WATCH("700"), 410, GONE);
    answer(
        r, SINCE("700"), 504,
        "{\"kind\":\"Status\",\"reason\":\"Timeout\",\"message\":\"Too large resource version: 700, current: "
        "90\",\"code\":504}");
    answer(r, "limit=500", 200, LIST("90", POD("a", "80") "," POD("d", "81")));
    expect_seen(r, "i+n/d@81 ");
    fake_fail(asked(r, "limit=500"), ERR_TRANSPORT, "reset"); /* it is not forgotten */
    fake_run(r->f, 4 * NS_PER_S);
    answer(r, "limit=500", 200, LIST("91", POD("a", "80") "," POD("d", "81")));
    assert_string_equal(store_get(informer_store(r->inf), SL("n"), SL("a"))->rv, "80");
    assert_int_equal(store_len(informer_store(r->inf)), 2);
    fake_body(stream(r, WATCH("91")), EV("MODIFIED", POD("a", "92")));
    assert_string_equal(store_get(informer_store(r->inf), SL("n"), SL("a"))->rv, "92");
    assert_int_equal(wrote(r, POD("a", "93")), 0);
    assert_string_equal(store_get(informer_store(r->inf), SL("n"), SL("a"))->rv, "93");
    logged(r, "event=InformerServerBehind");
}

/* A watch from a version in the future brings nothing, and no bookmark: a probe tells, and so does a write whose event
 * should have been seen. */
CASE(a_server_that_is_behind) {
    for (int i = 0; i < 3; i++) {
        bool write = i == 1, behind = i < 2;
        RUN(r, 0);
        answer(r, FIRST, 200, LIST("700", POD("a", "60")));
        stream(r, WATCH("700"));
        fake_run(r->f, 149 * NS_PER_S);
        fake_body(fake_one(r->f), EV("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"700\"}}"));
        fake_run(r->f, 149 * NS_PER_S);
        assert_int_equal(r->f->started, 3);
        if (write) {
            wrote(r, POD("a", "85"));
            fake_settle(r->f);
        } else {
            fake_run(r->f, 2 * NS_PER_S);
        }
        buf_clear(&r->seen);
        answer(r, "limit=1", 200, behind ? LIST("90", POD("a", "85")) : LIST("701", POD("c", "701")));
        if (behind) {
            answer(r, "limit=500", 200, LIST("91", POD("a", "85") "," POD("b", "20")));
            expect_seen(r, "i~n/a@85 i+n/b@20 ");
        }
        asked(r, behind ? WATCH("91") : WATCH("700")); /* the probe's own items are nobody's news */
        expect_seen(r, "");
        assert_int_equal(r->troubles, 0);
    }
}

/* Informers of one name share their series: the gauge is their sum, and goes with them. */
INFORMER_CASE(many_that_come_and_go) {
    static const struct informer_cb cb = {.change = on_change};
    answer(r, FIRST, 200, LIST("7", POD("a", "3") "," POD("b", "5")));
    for (int i = 0; i < 200; i++) {
        struct informer *inf = NULL;
        struct informer_spec spec = {.gvr = &gvr_deployments, .ns = SL("n"), .name = "pods"};
        assert_int_equal(informer_new(r->k, &spec, &cb, r, &inf, NULL), 0);
        informer_start(inf);
        fake_settle(r->f);
        struct fake_req *q = container_of(r->f->reqs.prev, struct fake_req, node);
        if (i % 4 == 1) fake_answer(q, 200, LIST("9", POD("x", "8")));
        if (i % 4 == 2) fake_fail(q, ERR_TLS, "wrong certificate");
        if (i % 4 == 3) fake_body(q, "{\"items\":[");
        fake_settle(r->f);
        metrics_are(r, i % 4 == 1 ? "handover_informer_objects{informer='pods'} 3"
                                  : "handover_informer_objects{informer='pods'} 2");
        informer_free(inf);
        assert_int_equal(fake_open(r->f), 1);
    }
    /* each has told its own outage: the one before it is no more */
    assert_int_equal(lines_with(r, "wrong certificate"), 50);
    metrics_are(r, "handover_informer_objects{informer='pods'} 2|handover_metrics_series_dropped_total 0");
}

CASES("kube/informer_writes")
