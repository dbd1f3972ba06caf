/* Lists item by item: pages, slices, caps, attempts, and ends of all kinds. */
#include "../case.h"
#include "client_kit.h"
#include "kube/list.h"

struct listing {
    struct call *c;
    struct kube_list *l;
    struct buf seen;
    struct err err;
    unsigned n, in_turn, most_in_a_turn, turn, done;
    unsigned fail_at, cancel_at, take_at; /* the item, from 1 */
    size_t bytes, most_ahead;             /* taken from the connection, not handed out yet */
    cJSON *taken;
};

static int on_item(void *ctx, struct slice raw, cJSON **obj, struct err *err) {
    struct listing *l = ctx;
    assert_non_null(slice_has(raw, '{') ? *obj : NULL);
    buf_addf(&l->seen, "%s ", obj_name(*obj));
    l->n++;
    l->in_turn = l->turn == fake_turns(l->c->f) ? l->in_turn + 1 : 1;
    l->turn = fake_turns(l->c->f);
    if (l->in_turn > l->most_in_a_turn) l->most_in_a_turn = l->in_turn;
    if (fake_open(l->c->f)) {
        size_t got = fake_one(l->c->f)->got, ahead = got - (got < l->bytes ? got : l->bytes);
        if (ahead > l->most_ahead) l->most_ahead = ahead;
    }
    l->bytes += raw.n + 1;
    if (l->n == l->take_at) {
        l->taken = *obj;
        *obj = NULL;
    }
    if (l->n == l->cancel_at) kube_list_cancel(l->l);
    return l->n == l->fail_at ? err_set(err, ERR_CONFIG, -EINVAL, "no use for it") : 0;
}
static void on_restart(void *ctx) {
    buf_adds(&((struct listing *)ctx)->seen, "restart ");
}
static void on_done(void *ctx, const struct err *err, const char *rv) {
    struct listing *l = ctx;
    l->done++;
    l->l = NULL;
    l->err = err ? *err : (struct err){0};
    buf_addf(&l->seen, err ? "failed" : "done@%s", rv);
}

static struct listing *begin(const struct kube_list_spec *spec) {
    static const struct kube_list_cb cb = {on_item, on_restart, on_done};
    struct listing *l = xcalloc(1, sizeof *l);
    l->c = setup("token: s3cret");
    buf_init(&l->seen, 1 << 20);
    struct kube_list_spec s = *spec;
    s.gvr = &gvr_pods;
    l->l = kube_list(l->c->k, &s, &cb, l);
    assert_int_equal(fake_turns(l->c->f), 0);
    fake_settle(l->c->f);
    return l;
}
static void end(struct listing **l) {
    teardown((*l)->c);
    buf_free(&(*l)->seen);
    cJSON_Delete((*l)->taken);
    free(*l);
}
/* One that has asked for its first page, and ends with its scope. */
#define LISTING(l, ...)                                                                                      \
    __attribute__((cleanup(end))) struct listing *l = begin(&(struct kube_list_spec){__VA_ARGS__})

static void expect_seen(const struct listing *l, const char *seen, const char *msg) {
    assert_string_equal(buf_str(&l->seen), seen);
    assert_string_equal(l->err.msg, msg);
}
/* The request that is open has this query; it is answered. */
static void page(struct listing *l, const char *query, int code, const char *body) {
    struct fake_req *r = fake_one(l->c->f);
    cleanup_free char *url = xasprintf("https://api:6443/base/api/v1%s", query);
    assert_string_equal(r->url, url);
    assert_int_equal(r->lane, LANE_WATCH);
    fake_answer(r, code, body);
}

#define POD(name) "{\"metadata\":{\"name\":\"" name "\",\"managedFields\":[{\"x\":1}]}}"
#define PAGE(token, items)                                                                                   \
    "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"7\",\"continue\":\"" token                    \
    "\"},\"items\":[" items "]}"

CASE(pages) {
    LISTING(l, .ns = SL("n"), .labels = SL("a=b"), .fields = SL("c=d"), .from_cache = true);
    l->take_at = 2;
    page(l, "/namespaces/n/pods?labelSelector=a%3Db&fieldSelector=c%3Dd&limit=500&resourceVersion=0", 200,
         PAGE("t/1", POD("a") "," POD("b")));
    page(l, "/namespaces/n/pods?labelSelector=a%3Db&fieldSelector=c%3Dd&limit=500&continue=t%2F1", 200,
         PAGE("", POD("c")));
    assert_string_equal(buf_str(&l->seen), "a b c done@7");
    assert_string_equal(obj_name(l->taken), "b");
    assert_true(cJSON_IsNull(json_at(l->taken, "metadata/managedFields")));
}

/* 60 MB in one piece: no turn of the loop parses more than its share, and the connection is held meanwhile. */
CASE(large_lists_go_in_slices) {
    enum { N = 30000, SIZE = 2000 };
    LISTING(l, .metadata_only = true);
    cleanup_buf struct buf b = BUF(128 << 20);
    buf_adds(&b, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[");
    for (int i = 0; i < N; i++) {
        buf_addf(&b, "%s{\"metadata\":{\"name\":\"p%d\"},\"spec\":\"%0*d\"}", i ? "," : "", i, SIZE - 50, 0);
    }
    buf_adds(&b, "]}");
    assert_has(buf_str(&fake_one(l->c->f)->headers), "as=PartialObjectMetadataList;");
    fake_head(fake_one(l->c->f), 200, NULL, NULL);
    fake_one(l->c->f)->deliver_max = 1 << 20;
    fake_bytes(fake_one(l->c->f), buf_slice(&b));
    fake_end(fake_one(l->c->f), NULL);
    assert_int_equal(l->n, N);
    assert_int_equal(l->done, 1);
    assert_int_equal(l->err.kind, ERR_NONE);
    assert_true(l->most_in_a_turn <= (128 << 10) / (SIZE - 50) + 1);
    assert_true(l->most_ahead <= 2 << 20);
}

CASE(caps) {
    LISTING(l, .max_items = 2);
    page(l, "/pods?limit=500", 200, PAGE("t", POD("a") "," POD("b")));
    page(l, "/pods?limit=500&continue=t", 200, PAGE("", POD("c")));
    expect_seen(l, "a b failed", "list pods in all namespaces: more than 2 items, the cap of this list");
    LISTING(bytes, .max_bytes = 200);
    page(bytes, "/pods?limit=500", 200, PAGE("t", POD("a")));
    page(bytes, "/pods?limit=500&continue=t", 200, PAGE("", POD("b")));
    expect_seen(bytes, "a failed",
                "list pods in all namespaces: larger than 200 bytes, the cap of this list");
}

CASE(attempts) {
    LISTING(l, .from_cache = false);
    /* cut in the middle of a page: what was given does not count */
    struct fake_req *r = fake_one(l->c->f);
    fake_head(r, 200, NULL, NULL);
    fake_body(r, "{\"items\":[" POD("a") ",");
    fake_fail(r, ERR_TRANSPORT, "reset");
    fake_run(l->c->f, NS_PER_S);
    page(l, "/pods?limit=500", 429, STATUS(429, "TooManyRequests", "later")); /* nothing given: no restart */
    fake_run(l->c->f, NS_PER_S);
    page(l, "/pods?limit=500", 200, PAGE("t", POD("a")));
    /* a page's token expires: all of it in one answer */
    page(l, "/pods?limit=500&continue=t", 410, STATUS(410, "Expired", "too old"));
    page(l, "/pods", 200, PAGE("", POD("a") "," POD("b")));
    expect_seen(l, "a restart a restart a b done@7", "");
}

CASE(an_attempt_is_never_for_long) {
    LISTING(l, .timeout_ns = 20 * NS_PER_S);
    for (int i = 0; i < 30 && l->l; i++) {
        if (fake_open(l->c->f)) page(l, "/pods?limit=500", 500, STATUS(500, "InternalError", "etcd"));
        fake_run(l->c->f, NS_PER_S);
    }
    assert_string_equal(buf_str(&l->seen), "failed");
    assert_int_equal(l->err.kind, ERR_SERVER);
    /* a server that falls silent */
    LISTING(silent, .from_cache = false);
    fake_head(fake_one(silent->c->f), 200, NULL, NULL);
    fake_body(fake_one(silent->c->f), "{\"items\":[" POD("a"));
    fake_run(silent->c->f, 31 * NS_PER_S);
    page(silent, "/pods?limit=500", 200, PAGE("", ""));
    expect_seen(silent, "a restart done@7", "");
}

CASE(failures) {
    static const struct {
        int code;
        const char *body, *msg;
    } bad[] = {
        {403, STATUS(403, "Forbidden", "no"), "list pods in all namespaces: 403 Forbidden: no"},
        {200, "<html>", "not a list"},
        {200, "{\"items\":[{]}", "not a list"},
        {200, "{\"items\":[{\"a\":01}]}", "list pods in all namespaces: an item: "},
        {200, "{\"items\":[]}", "a list without resourceVersion"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        LISTING(l, .from_cache = false);
        page(l, "/pods?limit=500", bad[i].code, bad[i].body);
        if (l->done != 1 || !strstr(l->err.msg, bad[i].msg)) fail_msg("%zu: %u %s", i, l->done, l->err.msg);
    }
    LISTING(l, .from_cache = false);
    l->fail_at = 2;
    page(l, "/pods?limit=500", 200, PAGE("t", POD("a") "," POD("b") "," POD("c")));
    expect_seen(l, "a b failed", "no use for it");
    LISTING(cancelled, .from_cache = false);
    cancelled->cancel_at = 2;
    page(cancelled, "/pods?limit=500", 200, PAGE("t", POD("a") "," POD("b") "," POD("c")));
    expect_seen(cancelled, "a b ", "");
    assert_int_equal(fake_open(cancelled->c->f), 0);
    kube_list_cancel(NULL);
    LISTING(open, .from_cache = false); /* kube_free() ends what is open */
    (void)open;
    static char selector[2 << 20];
    memset(selector, 'x', sizeof selector - 1);
    LISTING(too_long, .labels = slice_of(selector));
    assert_string_equal(too_long->err.msg, "list pods in all namespaces: a selector is too long");
}

CASES("kube/list")
