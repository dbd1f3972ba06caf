/* The informer in trouble: expired versions, cut and dead streams, broken and refused answers. */
#include "../case.h"
#include "informer_kit.h"

INFORMER_CASE(expired_versions) {
    answer(r, FIRST, 504,
           "{\"kind\":\"Status\",\"reason\":\"Timeout\",\"message\":\"Too large resource version: 9, "
           "current: 3\",\"code\":504,\"details\":{\"retryAfterSeconds\":1}}");
    answer(r, "limit=500", 200, LIST("7", POD("a", "3") "," POD("b", "5")));
    struct fake_req *q = stream(r, WATCH("7"));
    fake_body(q, EV("MODIFIED", POD("a", "8")));
    unsigned parsed = r->projected;
    fake_body(q, EV("ERROR", GONE));
    /* the relist: at least as new as what was seen; unchanged objects are not parsed; deletions are reported */
    answer(r, SINCE("8"), 200, LIST("30", POD("a", "8") "," POD("c", "29")));
    assert_int_equal(r->projected, parsed + 1);
    expect_seen(r, "i+n/a@3 i+n/b@5 synced ~n/a@8 i+n/c@29 i-n/b@5 ");
    asked(r, WATCH("30"));
    assert_int_equal(r->troubles, 0);
    /* 410 before the stream; the list is too old as well */
    fake_run(r->f, 40 * NS_PER_S);
    answer(r, WATCH("30"), 410, GONE);
    answer(r, SINCE("30"), 410, GONE);
    answer(r, "limit=500", 200, LIST("99", POD("c", "29")));
    expect_seen(r, "i-n/a@8 ");
    assert_int_equal(r->synced, 1);
    asked(r, WATCH("99"));
}

INFORMER_CASE(cut_streams) {
    answer(r, FIRST, 200, LIST("7", ""));
    struct fake_req *q = stream(r, WATCH("7"));
    fake_body(q, EV("ADDED", POD("a", "8")) "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"b");
    fake_fail(q, ERR_TRANSPORT, "connection reset");
    q = stream(r, WATCH("8")); /* at once, from the last event */
    fake_body(q, EV("ADDED", POD("b", "9")));
    expect_seen(r, "synced +n/a@8 +n/b@9 ");
    /* ended properly, but in the middle of a line */
    fake_body(q, "{\"type\":");
    fake_end(q, NULL);
    fake_run(r->f, 4 * NS_PER_S);
    asked(r, WATCH("9"));
    /* refused: again without a list, later, until it works */
    for (int i = 0; i < 3; i++) {
        fake_fail(fake_one(r->f), ERR_TRANSPORT, "connection refused");
        assert_int_equal(fake_open(r->f), 0);
        fake_run(r->f, 31 * NS_PER_S);
        asked(r, WATCH("9"));
    }
    assert_true(r->troubles >= 3);
    assert_string_equal(r->trouble.msg, "watch pods in all namespaces: connection refused");
    q = stream(r, WATCH("9"));
    fake_body(q, EV("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"60\"}}"));
    logged(r, "work again");
}

/* No byte comes, and the connection stands: noticed, and another connection is used. */
INFORMER_CASE(dead_connections) {
    struct fake_req *q = asked(r, FIRST);
    fake_head(q, 200, NULL, NULL);
    fake_body(q, "{\"items\":[");
    fake_run(r->f, 50 * NS_PER_S);
    assert_int_equal(r->troubles, 0);
    fake_body(fake_one(r->f), POD("a", "1"));
    fake_run(r->f, 50 * NS_PER_S);
    assert_int_equal(r->troubles, 0);
    fake_run(r->f, 15 * NS_PER_S);
    trouble_is(r, 1, ERR_TIMEOUT, "no byte for 60 s");
    assert_true(asked(r, FIRST)->fresh);
    answer(r, FIRST, 200, LIST("7", ""));
    expect_seen(r, "i+n/a@1 i-n/a@1 synced ");
    stream(r, WATCH("7"));
    fake_run(r->f, 151 * NS_PER_S); /* no byte, not even a bookmark: is the server there at all? */
    asked(r, "limit=1");
    assert_int_equal(r->troubles, 1);
    fake_run(r->f, 64 * NS_PER_S);
    trouble_is(r, 2, ERR_TIMEOUT, "");
    assert_true(asked(r, "limit=1")->fresh);
    answer(r, "limit=1", 200, LIST("7", ""));
    stream(r, WATCH("7"));
}

INFORMER_CASE(broken_events) {
    answer(r, FIRST, 200, LIST("7", ""));
    struct fake_req *q = stream(r, WATCH("7"));
    static const char *const broken[] = {
        "rubbish\n",
        "{\"type\":\"ADDED\",\"object\":{\n",
        EV("ADDED", "{\"metadata\":{\"resourceVersion\":\"8\"}}"),
        EV("ADDED", "[]"),
        EV("ADDED", "{\"metadata\":{\"name\":\"x\",\"a\":01}}"),
        EV("SURPRISE", POD("x", "8")),
        "{}\n",
        EV("ADDED", "{\"kind\":\"Node\",\"metadata\":{\"name\":\"x\"}}"),
    };
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        fake_body(q, broken[i]);
        cleanup_free char *good = xasprintf(
            "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"%d\"}}}\n",
            (int)(10 + i));
        fake_body(q, good);
        print_message("%s", broken[i]);
        trouble_is(r, (unsigned)i + 1, ERR_PROTOCOL, "");
    }
    expect_seen(r, "synced +/a@10 ~/a@11 ~/a@12 ~/a@13 ~/a@14 ~/a@15 ~/a@16 ~/a@17 ");
    /* what was missed is found by a list, not long after; one list for all of it */
    fake_run(r->f, 60 * NS_PER_S);
    answer(r, SINCE("17"), 200, LIST("20", POD("b", "9")));
    expect_seen(r, "i+n/b@9 i-/a@17 ");
    asked(r, WATCH("20"));
}

INFORMER_CASE(error_events) {
    answer(r, FIRST, 200, LIST("7", ""));
    struct fake_req *q = stream(r, WATCH("7"));
    fake_body(q, EV("ERROR", "{\"kind\":\"Status\",\"code\":500,\"message\":\"etcd is away\"}")
                     EV("ADDED", POD("late", "9")));
    trouble_is(r, 1, ERR_SERVER, "watch pods in all namespaces: 500");
    assert_has(r->trouble.msg, "etcd is away");
    fake_run(r->f, 10 * NS_PER_S);
    q = stream(r, WATCH("7"));
    fake_body(q, EV("ERROR", "{}"));
    assert_int_equal(r->troubles, 2);
    expect_seen(r, "synced ");
}

INFORMER_CASE(bad_lists) {
    static const char *const bad[] = {
        "<html>sign in</html>",
        "{\"kind\":\"Status\",\"code\":200}",
        "{\"items\":[]}",
        LIST("", ""),
        "{\"items\":[" POD("a", "1"),
        "",
        LIST("7", "{\"metadata\":{}}"),
        LIST("7", "{\"metadata\":{\"name\":\"x\",\"y\":01}}"),
        "{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"7\"}}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        fake_answer(fake_one(r->f), 200, bad[i]);
        print_message("%s\n", bad[i]);
        trouble_is(r, (unsigned)i + 1, ERR_PROTOCOL, "list pods in all namespaces: ");
        fake_run(r->f, 40 * NS_PER_S);
    }
    assert_false(informer_synced(r->inf));
    fake_answer(fake_one(r->f), 200, LIST("7", POD("b", "2")));
    assert_true(informer_synced(r->inf));
    assert_int_equal(store_len(informer_store(r->inf)), 1);
}

static void forbid(struct fake *f, struct fake_req *q) {
    (void)f;
    fake_answer(q, 403,
                "{\"kind\":\"Status\",\"message\":\"pods is forbidden: User \\\"x\\\" cannot list resource "
                "\\\"pods\\\"\",\"reason\":\"Forbidden\",\"code\":403}");
}

CASE(failures_are_logged_at_a_falling_rate) {
    RUN(r, .ns = SL("n"));
    forbid(r->f, fake_one(r->f));
    r->f->on_request = forbid;
    fake_run(r->f, 3600 * NS_PER_S);
    assert_true(r->troubles > 100);
    assert_int_equal(r->trouble.kind, ERR_FORBIDDEN);
    assert_has(r->trouble.msg, "list pods in namespace n: 403 Forbidden: pods is forbidden");
    unsigned lines = lines_with(r, "list or watch failed");
    assert_true(lines >= 5 && lines <= 10);
}

static void wrong_certificate(struct fake *f, struct fake_req *q) {
    (void)f;
    fake_fail(q, ERR_TLS, "TLS with api failed: the certificate is for other names");
}

INFORMER_CASE(a_wrong_certificate) {
    wrong_certificate(r->f, fake_one(r->f));
    r->f->on_request = wrong_certificate;
    fake_run(r->f, 600 * NS_PER_S);
    assert_int_equal(r->trouble.kind, ERR_TLS);
    assert_string_equal(
        r->trouble.msg,
        "list pods in all namespaces: TLS with api failed: the certificate is for other names");
    assert_true(r->f->started < 45); /* waits grow to half a minute */
    r->f->on_request = NULL;
    fake_run(r->f, 40 * NS_PER_S);
    answer(r, FIRST, 200, LIST("7", ""));
    expect_seen(r, "synced ");
}

/* The server cannot be reached: one of several informers tells it, not each of them. */
INFORMER_CASE(an_outage_is_reported_once) {
    static const struct informer_cb cb = {on_change, NULL, NULL};
    struct informer *other = NULL;
    struct err e = {0};
    struct informer_spec spec = {.gvr = &gvr_deployments, .name = "deployments"};
    assert_int_equal(informer_new(r->k, &spec, &cb, r, &other, &e), 0);
    wrong_certificate(r->f, fake_one(r->f));
    r->f->on_request = wrong_certificate;
    fake_run(r->f, NS_PER_S / 10);
    informer_start(other);
    fake_run(r->f, 30 * NS_PER_S);
    assert_true(lines_with(r, "list or watch failed") >= 3);
    assert_int_equal(lines_with(r, "list deployments.apps"), 0);
    /* something else is a failure of its own, and is reported */
    r->f->on_request = forbid;
    fake_run(r->f, 40 * NS_PER_S);
    assert_true(lines_with(r, "list deployments.apps in all namespaces: 403") > 0);
    assert_true(lines_with(r, "list pods in all namespaces: 403") > 0);
    informer_free(other);
}

CASES("kube/informer_trouble")
