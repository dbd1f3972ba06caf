/* List and watch carried out: what is asked, what handlers see and in which order, slices, and everything
 * that goes wrong. */
#include "fake.h"
#include "kube/informer.h"
#include <errno.h>
#include <stdio.h>

struct run {
    struct fake *f;
    struct kube_config *c;
    struct kube *k;
    struct metrics *m;
    struct informer *inf;
    struct buf seen;
    struct err trouble;
    unsigned troubles, synced, changes, projected, most_in_a_turn, in_turn, turn;
    bool free_in_change, free_in_synced, free_in_trouble;
};

static void on_change(void *ctx, const struct store_rec *old, const struct store_rec *now, bool initial) {
    struct run *r = ctx;
    const struct store_rec *rec = now ? now : old;
    buf_addf(&r->seen, "%s%s%s/%s@%s ", initial ? "i" : "",
             !old   ? "+"
             : !now ? "-"
                    : "~",
             rec->ns, rec->name, rec->rv);
    r->changes++;
    r->in_turn = r->turn == r->f->turns ? r->in_turn + 1 : 1;
    r->turn = r->f->turns;
    if (r->in_turn > r->most_in_a_turn) r->most_in_a_turn = r->in_turn;
    if (r->free_in_change) {
        informer_free(r->inf);
        r->inf = NULL;
    }
}
static void on_synced(void *ctx) {
    struct run *r = ctx;
    r->synced++;
    buf_adds(&r->seen, "synced ");
    if (r->free_in_synced) {
        informer_free(r->inf);
        r->inf = NULL;
    }
}
static void on_trouble(void *ctx, const struct err *err) {
    struct run *r = ctx;
    r->troubles++;
    r->trouble = *err;
    if (r->free_in_trouble) {
        informer_free(r->inf);
        r->inf = NULL;
    }
}
static void *project(void *ctx, struct slice raw, const cJSON *obj) {
    (void)raw, (void)obj;
    ++*(unsigned *)ctx;
    return NULL;
}

static struct run *setup(const struct informer_spec *more) {
    static const struct informer_cb cb = {on_change, on_synced, on_trouble};
    struct run *r = xcalloc(1, sizeof *r);
    r->f = fake_new();
    r->f->user = r;
    r->m = metrics_new(100);
    struct kube_config_spec s = {.server = "http://api"};
    struct err e = {0};
    if (kube_config_load(&r->f->w, &r->f->log, &s, &r->c, &e) < 0) fail_msg("%s", e.msg);
    r->k = kube_new(&r->f->w, r->c, &r->f->log, r->m);
    struct informer_spec spec = more ? *more : (struct informer_spec){0};
    if (!spec.gvr) spec.gvr = &gvr_pods;
    if (!spec.name) spec.name = "pods";
    spec.store.project = project;
    spec.store.ctx = &r->projected;
    buf_init(&r->seen, 16 << 20);
    assert_int_equal(informer_new(r->k, &spec, &cb, r, &r->inf, &e), 0);
    informer_start(r->inf);
    informer_start(r->inf); /* once */
    fake_settle(r->f);
    return r;
}
static void teardown(struct run *r) {
    informer_free(r->inf);
    kube_free(r->k);
    kube_config_free(r->c);
    fake_free(r->f);
    metrics_free(r->m);
    buf_free(&r->seen);
    free(r);
}
static void expect_seen(struct run *r, const char *want) {
    assert_string_equal(buf_str(&r->seen), want);
    buf_clear(&r->seen);
}
/* The request that is open ends in query; returns it. */
static struct fake_req *asked(struct run *r, const char *query) {
    struct fake_req *q = fake_one(r->f);
    cleanup_free char *url = xasprintf("http://api/api/v1/pods?%s", query);
    const char *at = strstr(q->url, "timeoutSeconds=");
    if (at) {
        int s = atoi(at + 15);
        assert_true(s >= 300 && s <= 600);
        assert_true(q->total_ns > s * NS_PER_S && q->total_ns <= (s + 60) * NS_PER_S);
        cleanup_free char *cut = xasprintf("%.*s", (int)(at - q->url - 1), q->url);
        assert_string_equal(cut, url);
    } else {
        assert_string_equal(q->url, url);
    }
    return q;
}
#define POD(name, rv)                                                                                        \
    "{\"metadata\":{\"namespace\":\"n\",\"name\":\"" name "\",\"uid\":\"u-" name                             \
    "\",\"resourceVersion\":\"" rv "\"}}"
#define LIST(rv, items)                                                                                      \
    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"" rv                    \
    "\"},\"items\":[" items "]}"
#define PAGE(rv, t, items)                                                                                   \
    "{\"metadata\":{\"resourceVersion\":\"" rv "\",\"continue\":\"" t "\"},\"items\":[" items "]}"
#define EV(type, obj) "{\"type\":\"" type "\",\"object\":" obj "}\n"
#define WATCH(rv)     "resourceVersion=" rv "&watch=true&allowWatchBookmarks=true"
#define GONE                                                                                                 \
    "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Expired\",\"message\":\"too old resource "     \
    "version\",\"code\":410}"

static void answer(struct run *r, const char *query, int code, const char *body) {
    fake_answer(asked(r, query), code, body);
    fake_settle(r->f);
}
static struct fake_req *stream(struct run *r, const char *query) {
    struct fake_req *q = asked(r, query);
    fake_head(q, 200, NULL, NULL);
    return q;
}
static void send_to(struct run *r, struct fake_req *q, const char *text) {
    fake_body(q, text);
    fake_settle(r->f);
}

static void list_then_watch(void **state) {
    (void)state;
    struct run *r = setup(NULL);
    assert_false(informer_synced(r->inf));
    assert_true(fake_has_header(fake_one(r->f), "Accept: application/json"));
    assert_int_equal(fake_one(r->f)->lane, LANE_WATCH);
    answer(r, "limit=500&resourceVersion=0", 200, LIST("7", POD("a", "3") "," POD("b", "5")));
    expect_seen(r, "i+n/a@3 i+n/b@5 synced ");
    assert_true(informer_synced(r->inf));
    struct fake_req *q = stream(r, WATCH("7"));
    send_to(r, q,
            EV("ADDED", POD("c", "8")) EV("MODIFIED", POD("a", "9")) EV("DELETED", POD("b", "10"))
                EV("MODIFIED", POD("a", "11")));
    expect_seen(r, "+n/c@8 ~n/a@9 -n/b@5 ~n/a@11 ");
    assert_int_equal(store_len(informer_store(r->inf)), 2);
    assert_string_equal(store_get(informer_store(r->inf), SL("n"), SL("a"))->rv, "11");
    assert_true(informer_seen_ns(r->inf) == r->f->now_ns);
    /* a bookmark moves the version, changes nothing */
    send_to(r, q, EV("BOOKMARK", "{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"50\"}}"));
    fake_run(r->f, 5 * NS_PER_S);
    fake_end(q, NULL);
    fake_settle(r->f);
    asked(r, WATCH("50"));
    expect_seen(r, "");
    assert_int_equal(r->troubles, 0);
    cleanup_buf struct buf page = BUF(1 << 20);
    metrics_write(r->m, &page);
    assert_non_null(strstr(buf_str(&page), "handover_informer_objects{informer=\"pods\"} 2"));
    assert_non_null(
        strstr(buf_str(&page), "handover_informer_events_total{informer=\"pods\",type=\"updated\"} 2"));
    assert_non_null(
        strstr(buf_str(&page), "handover_watch_restarts_total{informer=\"pods\",reason=\"ended\"} 1"));
    assert_non_null(strstr(buf_str(&page), "handover_list_duration_seconds_count{informer=\"pods\"} 1"));
    teardown(r);
}

static void selectors_and_metadata(void **state) {
    (void)state;
    struct run *r = setup(&(struct informer_spec){.gvr = &gvr_deployments,
                                                  .ns = SL("x"),
                                                  .labels = SL("a=b"),
                                                  .fields = SL("metadata.name=q"),
                                                  .metadata_only = true});
    struct fake_req *q = fake_one(r->f);
    assert_string_equal(
        q->url,
        "http://api/apis/apps/v1/namespaces/x/"
        "deployments?labelSelector=a%3Db&fieldSelector=metadata.name%3Dq&limit=500&resourceVersion=0");
    assert_non_null(strstr(buf_str(&q->headers), "as=PartialObjectMetadataList;"));
    fake_answer(
        q, 200,
        "{\"kind\":\"PartialObjectMetadataList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}");
    fake_settle(r->f);
    q = fake_one(r->f);
    assert_non_null(strstr(buf_str(&q->headers), "as=PartialObjectMetadata;"));
    fake_head(q, 200, NULL, NULL);
    send_to(
        r, q,
        EV("ADDED",
           "{\"kind\":\"PartialObjectMetadata\",\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"8\"}}"));
    expect_seen(r, "synced +/a@8 ");
    teardown(r);
}

static void pages(void **state) {
    (void)state;
    struct run *r = setup(NULL);
    answer(r, "limit=500&resourceVersion=0", 200, PAGE("7", "t/1", POD("a", "1")));
    answer(r, "limit=500&continue=t%2F1", 200, PAGE("7", "t2", POD("b", "2")));
    expect_seen(r, "i+n/a@1 i+n/b@2 ");
    assert_false(informer_synced(r->inf));
    /* the token expires: one list of everything; what is gone meanwhile is deleted */
    answer(r, "limit=500&continue=t2", 410, GONE);
    struct fake_req *q = fake_one(r->f);
    assert_string_equal(q->url, "http://api/api/v1/pods");
    fake_answer(q, 200, LIST("20", POD("b", "2") "," POD("c", "9")));
    fake_settle(r->f);
    expect_seen(r, "i+n/c@9 i-n/a@1 synced ");
    asked(r, WATCH("20"));
    assert_int_equal(r->troubles, 0);
    teardown(r);
}

static void expired_versions(void **state) {
    (void)state;
    struct run *r = setup(NULL);
    answer(r, "limit=500&resourceVersion=0", 504,
           "{\"kind\":\"Status\",\"reason\":\"Timeout\",\"message\":\"Too large resource version: 9, "
           "current: 3\",\"code\":504,\"details\":{\"retryAfterSeconds\":1}}");
    answer(r, "limit=500", 200, LIST("7", POD("a", "3") "," POD("b", "5")));
    struct fake_req *q = stream(r, WATCH("7"));
    send_to(r, q, EV("MODIFIED", POD("a", "8")));
    unsigned parsed = r->projected;
    send_to(r, q, EV("ERROR", GONE));
    /* the relist: at least as new as what was seen; unchanged objects are not parsed; deletions are told */
    answer(r, "limit=500&resourceVersion=8&resourceVersionMatch=NotOlderThan", 200,
           LIST("30", POD("a", "8") "," POD("c", "29")));
    assert_int_equal(r->projected, parsed + 1);
    expect_seen(r, "i+n/a@3 i+n/b@5 synced ~n/a@8 i+n/c@29 i-n/b@5 ");
    asked(r, WATCH("30"));
    assert_int_equal(r->troubles, 0);
    /* 410 before the stream; the list is too old as well */
    fake_run(r->f, 40 * NS_PER_S);
    answer(r, WATCH("30"), 410, GONE);
    answer(r, "limit=500&resourceVersion=30&resourceVersionMatch=NotOlderThan", 410, GONE);
    answer(r, "limit=500", 200, LIST("99", POD("c", "29")));
    expect_seen(r, "i-n/a@8 ");
    assert_int_equal(r->synced, 1);
    asked(r, WATCH("99"));
    teardown(r);
}

static void cut_streams(void **state) {
    (void)state;
    struct run *r = setup(NULL);
    answer(r, "limit=500&resourceVersion=0", 200, LIST("7", ""));
    struct fake_req *q = stream(r, WATCH("7"));
    send_to(r, q, EV("ADDED", POD("a", "8")) "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"b");
    fake_fail(q, ERR_TRANSPORT, "connection reset");
    fake_settle(r->f);
    q = stream(r, WATCH("8")); /* at once, from the last event */
    send_to(r, q, EV("ADDED", POD("b", "9")));
    expect_seen(r, "synced +n/a@8 +n/b@9 ");
    /* ended properly, but in the middle of a line */
    send_to(r, q, "{\"type\":");
    fake_end(q, NULL);
    fake_run(r->f, 3 * NS_PER_S);
    asked(r, WATCH("9"));
    /* refused: again without a list, later, until it works */
    for (int i = 0; i < 3; i++) {
        fake_fail(fake_one(r->f), ERR_TRANSPORT, "connection refused");
        fake_settle(r->f);
        assert_int_equal(fake_open(r->f), 0);
        fake_run(r->f, 20 * NS_PER_S);
        asked(r, WATCH("9"));
    }
    assert_true(r->troubles >= 3);
    assert_string_equal(r->trouble.msg, "watch pods in all namespaces: connection refused");
    q = stream(r, WATCH("9"));
    send_to(r, q, EV("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"60\"}}"));
    assert_non_null(strstr(buf_str(&r->f->lines), "work again"));
    teardown(r);
}

/* No byte comes, and the connection stands: noticed, and another connection is used. */
static void dead_connections(void **state) {
    (void)state;
    struct run *r = setup(NULL);
    struct fake_req *q = asked(r, "limit=500&resourceVersion=0");
    fake_head(q, 200, NULL, NULL);
    fake_body(q, "{\"items\":[");
    fake_run(r->f, 50 * NS_PER_S);
    assert_int_equal(r->troubles, 0);
    fake_body(fake_one(r->f), POD("a", "1"));
    fake_run(r->f, 50 * NS_PER_S);
    assert_int_equal(r->troubles, 0);
    fake_run(r->f, 15 * NS_PER_S);
    assert_int_equal(r->troubles, 1);
    assert_int_equal(r->trouble.kind, ERR_TIMEOUT);
    assert_non_null(strstr(r->trouble.msg, "no byte for 60 s"));
    assert_true(asked(r, "limit=500&resourceVersion=0")->fresh);
    answer(r, "limit=500&resourceVersion=0", 200, LIST("7", ""));
    expect_seen(r, "i+n/a@1 i-n/a@1 synced ");
    stream(r, WATCH("7"));
    fake_run(r->f, 700 * NS_PER_S);
    assert_true(r->troubles >= 2);
    assert_int_equal(r->trouble.kind, ERR_TIMEOUT);
    assert_true(asked(r, WATCH("7"))->fresh);
    teardown(r);
}

static void broken_events(void **state) {
    (void)state;
    struct run *r = setup(NULL);
    answer(r, "limit=500&resourceVersion=0", 200, LIST("7", ""));
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
        unsigned before = r->troubles;
        send_to(r, q, broken[i]);
        cleanup_free char *good = xasprintf(
            "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"%d\"}}}\n",
            (int)(10 + i));
        send_to(r, q, good);
        if (r->troubles != before + 1) fail_msg("%s: %u", broken[i], r->troubles - before);
        assert_int_equal(r->trouble.kind, ERR_PROTOCOL);
    }
    expect_seen(r, "synced +/a@10 ~/a@11 ~/a@12 ~/a@13 ~/a@14 ~/a@15 ~/a@16 ~/a@17 ");
    /* what was missed is found by a list, not long after; one list for all of it */
    fake_run(r->f, 60 * NS_PER_S);
    answer(r, "limit=500&resourceVersion=17&resourceVersionMatch=NotOlderThan", 200,
           LIST("20", POD("b", "9")));
    expect_seen(r, "i+n/b@9 i-/a@17 ");
    asked(r, WATCH("20"));
    teardown(r);
}

static void error_events(void **state) {
    (void)state;
    struct run *r = setup(NULL);
    answer(r, "limit=500&resourceVersion=0", 200, LIST("7", ""));
    struct fake_req *q = stream(r, WATCH("7"));
    send_to(r, q,
            EV("ERROR", "{\"kind\":\"Status\",\"code\":500,\"message\":\"etcd is away\"}")
                EV("ADDED", POD("late", "9")));
    assert_int_equal(r->troubles, 1);
    assert_int_equal(r->trouble.kind, ERR_SERVER);
    assert_non_null(strstr(r->trouble.msg, "watch pods in all namespaces: 500"));
    assert_non_null(strstr(r->trouble.msg, "etcd is away"));
    fake_run(r->f, 10 * NS_PER_S);
    q = stream(r, WATCH("7"));
    send_to(r, q, EV("ERROR", "{}"));
    assert_int_equal(r->troubles, 2);
    expect_seen(r, "synced ");
    teardown(r);
}

static void bad_lists(void **state) {
    (void)state;
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
    struct run *r = setup(NULL);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        fake_answer(fake_one(r->f), 200, bad[i]);
        fake_settle(r->f);
        if (r->troubles != i + 1) fail_msg("accepted: %s", bad[i]);
        assert_int_equal(r->trouble.kind, ERR_PROTOCOL);
        if (!slice_starts(slice_of(r->trouble.msg), SL("list pods in all namespaces: ")))
            fail_msg("%s", r->trouble.msg);
        fake_run(r->f, 40 * NS_PER_S);
    }
    assert_false(informer_synced(r->inf));
    fake_answer(fake_one(r->f), 200, LIST("7", POD("b", "2")));
    fake_settle(r->f);
    assert_true(informer_synced(r->inf));
    assert_int_equal(store_len(informer_store(r->inf)), 1);
    teardown(r);
}

static void forbid(struct fake *f, struct fake_req *q) {
    (void)f;
    fake_answer(q, 403,
                "{\"kind\":\"Status\",\"message\":\"pods is forbidden: User \\\"x\\\" cannot list resource "
                "\\\"pods\\\"\",\"reason\":\"Forbidden\",\"code\":403}");
}

static void trouble_is_said_at_a_falling_rate(void **state) {
    (void)state;
    struct run *r = setup(&(struct informer_spec){.ns = SL("n")});
    forbid(r->f, fake_one(r->f));
    r->f->on_request = forbid;
    fake_run(r->f, 3600 * NS_PER_S);
    assert_true(r->troubles > 100);
    assert_int_equal(r->trouble.kind, ERR_FORBIDDEN);
    assert_non_null(strstr(r->trouble.msg, "list pods in namespace n: 403 Forbidden: pods is forbidden"));
    unsigned lines = 0;
    for (const char *p = buf_str(&r->f->lines); (p = strstr(p, "list or watch failed")); p++) lines++;
    assert_true(lines >= 5 && lines <= 10);
    teardown(r);
}

static void wrong_certificate(struct fake *f, struct fake_req *q) {
    (void)f;
    fake_fail(q, ERR_TLS, "TLS with api failed: the certificate is for other names");
}

static void a_wrong_certificate(void **state) {
    (void)state;
    struct run *r = setup(NULL);
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
    answer(r, "limit=500&resourceVersion=0", 200, LIST("7", ""));
    expect_seen(r, "synced ");
    teardown(r);
}

/* A large list in one piece: so many items a turn and no more, in order, with the connection held. */
static void large_lists_go_in_slices(void **state) {
    (void)state;
    enum { N = 4000 };
    struct run *r = setup(NULL);
    struct buf list = BUF(64 << 20);
    buf_adds(&list, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[");
    for (int i = 0; i < N; i++) {
        buf_addf(&list, "%s{\"metadata\":{\"name\":\"p%d\",\"resourceVersion\":\"%d\"},\"spec\":\"%0400d\"}",
                 i ? "," : "", i, i + 1, 0);
    }
    buf_adds(&list, "]}");
    struct fake_req *q = fake_one(r->f);
    fake_head(q, 200, NULL, NULL);
    fake_bytes(q, buf_slice(&list));
    fake_end(q, NULL);
    fake_settle(r->f);
    assert_int_equal(r->changes, N);
    assert_true(informer_synced(r->inf));
    assert_true(r->most_in_a_turn <= (128 << 10) / 400);
    asked(r, WATCH("7"));
    /* the same in the pieces that a socket gives, while we hold; nothing is parsed again */
    fake_end(stream(r, WATCH("7")), NULL);
    fake_run(r->f, 2 * NS_PER_S);
    answer(r, WATCH("7"), 410, GONE);
    fake_run(r->f, 3 * NS_PER_S);
    q = asked(r, "limit=500&resourceVersion=7&resourceVersionMatch=NotOlderThan");
    q->deliver_max = 16384;
    unsigned parsed = r->projected;
    fake_head(q, 200, NULL, NULL);
    fake_bytes(q, buf_slice(&list));
    fake_end(q, NULL);
    fake_settle(r->f);
    assert_int_equal(r->changes, N);
    assert_int_equal(r->projected, parsed);
    fake_run(r->f, NS_PER_S);
    asked(r, WATCH("7"));
    buf_free(&list);
    teardown(r);
}

static void a_full_cache(void **state) {
    (void)state;
    struct run *r = setup(&(struct informer_spec){.max_objects = 2});
    answer(r, "limit=500&resourceVersion=0", 200,
           LIST("7", POD("a", "1") "," POD("b", "2") "," POD("c", "3")));
    struct fake_req *q = stream(r, WATCH("7"));
    send_to(r, q,
            EV("ADDED", POD("d", "8")) EV("MODIFIED", POD("a", "9")) EV("DELETED", POD("b", "10"))
                EV("ADDED", POD("e", "11")));
    expect_seen(r, "i+n/a@1 i+n/b@2 synced ~n/a@9 -n/b@2 +n/e@11 ");
    assert_non_null(strstr(buf_str(&r->f->lines), "the cache is full"));
    teardown(r);
}

static void freed_in_callbacks(void **state) {
    (void)state;
    struct run *r = setup(NULL);
    r->free_in_change = true;
    answer(r, "limit=500&resourceVersion=0", 200, LIST("7", POD("a", "1") "," POD("b", "2")));
    expect_seen(r, "i+n/a@1 ");
    assert_int_equal(fake_open(r->f), 0);
    teardown(r);
    r = setup(NULL);
    r->free_in_synced = true;
    answer(r, "limit=500&resourceVersion=0", 200, LIST("7", POD("a", "1")));
    assert_null(r->inf);
    teardown(r);
    r = setup(NULL);
    r->free_in_trouble = true;
    answer(r, "limit=500&resourceVersion=0", 403, "");
    assert_null(r->inf);
    teardown(r);
    r = setup(NULL);
    answer(r, "limit=500&resourceVersion=0", 200, LIST("7", POD("a", "1") "," POD("b", "2")));
    r->free_in_change = true;
    send_to(r, stream(r, WATCH("7")), EV("DELETED", POD("a", "8")) EV("DELETED", POD("b", "9")));
    expect_seen(r, "i+n/a@1 i+n/b@2 synced -n/a@1 ");
    teardown(r);
    /* among the deletions of a relist; with a slice due */
    r = setup(NULL);
    answer(r, "limit=500&resourceVersion=0", 200, LIST("7", POD("a", "1") "," POD("b", "2")));
    answer(r, WATCH("7"), 410, GONE);
    r->free_in_change = true;
    answer(r, "limit=500&resourceVersion=7&resourceVersionMatch=NotOlderThan", 200, LIST("9", ""));
    assert_int_equal(r->changes, 3);
    teardown(r);
    r = setup(NULL);
    struct fake_req *q = fake_one(r->f);
    fake_head(q, 200, NULL, NULL);
    struct buf part = BUF(1 << 20);
    buf_adds(&part, "{\"items\":[");
    while (part.n < 300000) buf_adds(&part, POD("a", "1") ",");
    q->cb.body(q->ctx, buf_slice(&part));
    buf_free(&part);
    teardown(r);
}

static void wrong_specs(void **state) {
    (void)state;
    struct run *r = setup(NULL);
    static const struct informer_cb cb = {on_change, NULL, NULL}, none = {NULL, NULL, NULL};
    struct informer *inf = NULL;
    struct err e = {0};
    assert_int_equal(informer_new(r->k, &(struct informer_spec){.name = "x"}, &cb, r, &inf, &e), -EINVAL);
    assert_int_equal(informer_new(r->k, &(struct informer_spec){.gvr = &gvr_pods}, &cb, r, &inf, &e),
                     -EINVAL);
    assert_int_equal(
        informer_new(r->k, &(struct informer_spec){.gvr = &gvr_pods, .name = "x"}, &none, r, &inf, &e),
        -EINVAL);
    assert_null(inf);
    /* never started; without the optional callbacks */
    assert_int_equal(
        informer_new(r->k, &(struct informer_spec){.gvr = &gvr_pods, .name = "x"}, &cb, r, &inf, &e), 0);
    informer_free(inf);
    informer_free(NULL);
    teardown(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_then_watch),
        cmocka_unit_test(selectors_and_metadata),
        cmocka_unit_test(pages),
        cmocka_unit_test(expired_versions),
        cmocka_unit_test(cut_streams),
        cmocka_unit_test(dead_connections),
        cmocka_unit_test(broken_events),
        cmocka_unit_test(error_events),
        cmocka_unit_test(bad_lists),
        cmocka_unit_test(trouble_is_said_at_a_falling_rate),
        cmocka_unit_test(a_wrong_certificate),
        cmocka_unit_test(large_lists_go_in_slices),
        cmocka_unit_test(a_full_cache),
        cmocka_unit_test(freed_in_callbacks),
        cmocka_unit_test(wrong_specs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
