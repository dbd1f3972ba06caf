/* Lists and watches through the proxy of a rehearsal, in any pieces, with any end. */
#include "proxy_impl.h"
#include "proxy_kit.h"
#include "base/json.h"

#define PODS "/api/v1/namespaces/n/pods"
#define POD(name, rv)                                                                                        \
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"" name                                 \
    "\",\"namespace\":\"n\",\"uid\":\"u-" name "\",\"resourceVersion\":\"" rv "\"}}"
#define LIST(meta, items)                                                                                    \
    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"40\"" meta              \
    "},\"items\":[" items "]}"

static const cJSON *item(const cJSON *list, int i) {
    return json_obj(cJSON_GetArrayItem(json_arr(list, "items"), i), "metadata");
}

/* The API server's list in pieces of n bytes; what the operator gets of it. */
static cJSON *list_in_pieces(struct stage *s, const char *target, const char *text, size_t n) {
    GETS(s, a, target);
    fake_one(s->f)->deliver_max = n;
    fake_answer(fake_one(s->f), 200, text);
    assert_int_equal(a.status, 200);
    assert_true(a.ended);
    assert_string_equal(a.content_type, "application/json");
    cJSON *list = json_parse(buf_slice(&a.body), NULL);
    assert_non_null(list);
    return list;
}

STAGE_CASE(lists) {
    static const struct {
        const char *text, *kind, *api, *next;
        int items;
        int64_t remaining;
    } cases[] = {
        {LIST("", POD("a", "7") "," POD("b", "12")), "PodList", "v1", NULL, 2, -1},
        {LIST(",\"continue\":\"to\\\"ken\",\"remainingItemCount\":9", POD("a", "7")), "PodList", "v1",
         "to\"ken", 1, 9},
        {LIST("", ""), "PodList", "v1", NULL, 0, -1},
        /* as of custom resources: the kind comes last */
        {"{\"apiVersion\":\"x.io/v1\",\"items\":[" POD(
             "a", "7") "],\"kind\":\"XList\",\"metadata\":{\"resourceVersion\":\"40\"}}\n",
         "XList", "x.io/v1", NULL, 1, -1},
        {"{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"40\"},\"items\":"
         "null}",
         "PodList", "v1", NULL, 0, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t n = 1; n < 100; n = 3 * n + 1) {
            cleanup_json cJSON *list = list_in_pieces(s, PODS, cases[i].text, n);
            assert_string_equal(json_str(list, "kind"), cases[i].kind);
            assert_string_equal(json_str(list, "apiVersion"), cases[i].api);
            assert_int_equal(cJSON_GetArraySize(json_arr(list, "items")), cases[i].items);
            if (cases[i].items) assert_string_equal(json_str(item(list, 0), "name"), "a");
            const cJSON *meta = json_obj(list, "metadata");
            assert_true(slice_starts(slice_of(json_str(meta, "resourceVersion")), SL("40")));
            assert_int_equal(json_i64(meta, "remainingItemCount", -1), cases[i].remaining);
            const char *token = json_str(meta, "continue");
            assert_int_equal(!token, !cases[i].next);
            if (token) assert_string_equal(token, cases[i].next);
        }
    }
}

/* Far more than is held at once: it leaves while it comes. */
STAGE_CASE(a_long_list) {
    enum { N = 2000 };
    GETS(s, a, PODS);
    cleanup_buf struct buf b = BUF(16 << 20);
    fake_head(fake_one(s->f), 200, "Content-Type", "application/json");
    fake_body(fake_one(s->f), "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"40\"},\"items\":[");
    size_t most = 0;
    for (int i = 0; i < N; i++) {
        buf_clear(&b);
        buf_addf(&b,
                 "%s{\"metadata\":{\"name\":\"p%d\",\"namespace\":\"n\",\"uid\":\"%d\",\"resourceVersion\":"
                 "\"7\"}}",
                 i ? "," : "", i, i);
        fake_body(fake_one(s->f), buf_str(&b));
        size_t held = (size_t)(i + 1) * 60 > a.body.n ? (size_t)(i + 1) * 60 - a.body.n : 0;
        if (held > most) most = held;
    }
    assert_in_range(most, 1, 2 * SEND_AT);
    fake_body(fake_one(s->f), "]}");
    fake_end(fake_one(s->f), NULL);
    answered(&a, 200, "");
    cleanup_json cJSON *list = json_parse(buf_slice(&a.body), NULL);
    assert_int_equal(cJSON_GetArraySize(json_arr(list, "items")), N);
    assert_string_equal(json_str(item(list, N - 1), "name"), "p1999");
}

/* What is no whole list is none: an error if nothing has left, else a cut. */
STAGE_CASE(broken_lists) {
    static const char *const texts[] = {
        "", "x", "{\"kind\":\"Status\"}", "{\"kind\":\"PodList\",\"items\":[1]}",
        "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"40\"},\"items\":[" POD("a", "7")};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        GETS(s, a, PODS);
        fake_answer(fake_one(s->f), 200, texts[i]);
        answered(&a, 500, "\"kind\":\"Status\"");
    }
    cleanup_free char *pad = xmalloc(2 * SEND_AT);
    memset(pad, 'x', 2 * SEND_AT);
    pad[2 * SEND_AT - 1] = '\0';
    for (int how = 0; how < 2; how++) {
        GETS(s, a, PODS);
        fake_head(fake_one(s->f), 200, NULL, NULL);
        cleanup_free char *text = xasprintf("{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"40\"},"
                                            "\"items\":[{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\","
                                            "\"uid\":\"u\",\"resourceVersion\":\"7\"},\"pad\":\"%s\"}",
                                            pad);
        fake_body(fake_one(s->f), text);
        assert_true(a.begun);
        struct err e;
        err_set(&e, ERR_TRANSPORT, -ECONNRESET, "reset");
        fake_end(fake_one(s->f), how ? &e : NULL);
        assert_true(a.aborted);
    }
}

STAGE_CASE(refused_lists_and_watches) {
    static const char *const targets[] = {PODS, PODS "?watch=true&resourceVersion=40000000"};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        GETS(s, a, targets[i]);
        fake_answer(fake_one(s->f), 403, "{\"kind\":\"Status\",\"code\":403,\"reason\":\"Forbidden\"}");
        answered(&a, 403, "\"reason\":\"Forbidden\"");
        GETS(s, odd, PODS "?resourceVersion=x");
        answered(&odd, 400, "\"kind\":\"Status\"");
    }
}

static void add_failure(void *ctx, struct slice what, struct slice why, uint64_t count) {
    buf_addf(ctx, "%d %.*s: %.*s|", (int)count, SLF(what), SLF(why));
}

/* Whatever is asked: what the operator may not do is named. */
STAGE_CASE(failures) {
    static const char *const targets[][2] = {{"GET", "/api/v1/namespaces/n/pods"},
                                             {"GET", "/api/v1/namespaces/n/pods?watch=true"},
                                             {"GET", "/api/v1/namespaces/n/pods/p"},
                                             {"GET", "/api/v1/namespaces/n/pods/p/log"},
                                             {"POST", "/apis/authentication.k8s.io/v1/tokenreviews"},
                                             {"DELETE", "/api/v1/namespaces/n/pods/p"}};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        bool get = targets[i][0][0] == 'G', removes = targets[i][0][0] == 'D';
        ANSWER(a);
        OPERATOR(s, &a, targets[i][0], targets[i][1], get || removes ? "" : "{}", OURS,
                 get || removes ? "X-A" : "Content-Type", "application/json");
        if (removes) fake_answer(fake_one(s->f), 404, "{\"message\":\"x\",\"details\":{\"name\":\"p\"}}");
        fake_answer(fake_one(s->f), 403, "{\"message\":\"no\",\"reason\":\"Forbidden\"}");
        answered(&a, 403, "no");
    }
    cleanup_buf struct buf b = BUF(4096);
    overlay_failures(proxy_overlay(s->p), add_failure, &b);
    assert_string_equal(
        buf_str(&b),
        "1 list pods: 403 Forbidden: no|1 watch pods: 403 Forbidden: no|1 get pods: 403 "
        "Forbidden: no|1 get pods/log: 403 Forbidden: no|1 create "
        "tokenreviews.authentication.k8s.io: 403 Forbidden: no|1 delete pods: 403 Forbidden: no|");
}

STAGE_CASE(watches) {
    static const char events[] = "{\"type\":\"ADDED\",\"object\":" POD(
        "a", "41") "}\n{\"type\":\"MODIFIED\",\"object\":" POD("a", "42") "}\n";
    for (size_t n = 1; n < 200; n = 3 * n + 1) {
        GETS(s, a, PODS "?watch=true&resourceVersion=40000000&allowWatchBookmarks=true");
        assert_has(fake_one(s->f)->url, "watch=true");
        assert_has(fake_one(s->f)->url, "resourceVersion=40&");
        fake_one(s->f)->deliver_max = n;
        fake_head(fake_one(s->f), 200, "Content-Type", "application/json");
        assert_int_equal(a.status, 200); /* the operator knows at once that it stands */
        fake_body(fake_one(s->f), events);
        assert_has(buf_str(&a.body), "\"type\":\"MODIFIED\"");
        assert_true(slice_ends(buf_slice(&a.body), SL("}\n")));
        assert_false(a.ended);
        fake_end(fake_one(s->f), NULL);
        assert_true(a.ended);
    }
    static const struct {
        const char *text;
        bool cut;
    } ends[] = {{"", false}, {"{\"type\":\"ADDED\",", true}, {"]\n", true}};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        for (int reset = 0; reset < 2; reset++) {
            struct err e;
            err_set(&e, ERR_TRANSPORT, -ECONNRESET, "reset");
            GETS(s, a, PODS "?watch=true");
            fake_head(fake_one(s->f), 200, NULL, NULL);
            fake_body(fake_one(s->f), ends[i].text);
            if (fake_open(s->f)) fake_end(fake_one(s->f), reset ? &e : NULL);
            assert_int_equal(a.aborted, ends[i].cut || reset);
            assert_int_equal(a.ended, !a.aborted);
        }
    }
}

/* What is no event of an object is passed on as it is, and once. */
STAGE_CASE(what_is_no_event) {
#define ODD "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"x\"}}}\n"
    static const char *const lines[] = {"{\"a\":1}\n", "{\"type\":\"ADDED\",\"object\":{}}\n", ODD,
                                        "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        GETS(s, a, PODS "?watch=true&resourceVersion=40000000");
        fake_head(fake_one(s->f), 200, NULL, NULL);
        fake_body(fake_one(s->f), lines[i]);
        assert_string_equal(buf_str(&a.body), lines[i]);
        fake_end(fake_one(s->f), NULL);
    }
}

/* A Lease is the operator's own: nobody is asked, and a watch of it ends by itself. */
STAGE_CASE(a_lease_is_private) {
    const char *lease = "/apis/coordination.k8s.io/v1/namespaces/n/leases?fieldSelector=metadata.name%3Dl";
    GETS(s, list, lease);
    answered(&list, 200, "\"items\":[]");
    assert_has(buf_str(&list.body), "\"kind\":\"LeaseList\",\"apiVersion\":\"coordination.k8s.io/v1\"");
    cleanup_free char *watch = xasprintf("%s&watch=true&timeoutSeconds=60", lease);
    GETS(s, a, watch);
    GETS(s, b, "/apis/coordination.k8s.io/v1/namespaces/n/leases?fieldSelector=metadata.name%3Dl&watch=true");
    assert_int_equal(a.status, 200);
    assert_int_equal(fake_open(s->f), 0);
    fake_run(s->f, 59 * NS_PER_S);
    assert_false(a.ended);
    fake_run(s->f, 2 * NS_PER_S);
    assert_true(a.ended);
    fake_run(s->f, 28 * 60 * NS_PER_S);
    assert_false(b.ended);
    fake_run(s->f, 33 * 60 * NS_PER_S);
    assert_true(b.ended);
}

/* Quiet is who neither writes nor has anything new to act on. */
STAGE_CASE(the_last_change) {
    assert_int_equal(proxy_last_change_ns(s->p), 0);
    int64_t at[4];
    {
        GETS(s, a, "/version");
        fake_answer(fake_one(s->f), 200, "{}");
    }
    at[0] = proxy_last_change_ns(s->p);
    assert_true(at[0] > 0);
    fake_run(s->f, NS_PER_S);
    {
        GETS(s, a, PODS "/p");
        fake_answer(fake_one(s->f), 404, "{}");
    }
    assert_int_equal(proxy_last_change_ns(s->p), at[0]);
    {
        GETS(s, a, PODS);
        fake_answer(fake_one(s->f), 200, LIST("", ""));
    }
    at[1] = proxy_last_change_ns(s->p);
    assert_int_equal(at[1], at[0] + NS_PER_S);
    fake_run(s->f, NS_PER_S);
    ANSWER(w);
    OPERATOR(s, &w, "POST", PODS, POD("a", ""), OURS, "Content-Type", "application/json");
    fake_run(s->f, NS_PER_S);
    fake_answer(fake_one(s->f), 403, "{\"kind\":\"Status\"}");
    at[2] = proxy_last_change_ns(s->p);
    assert_int_equal(at[2], at[1] + 2 * NS_PER_S);
    assert_int_equal(proxy_requests(s->p), 4);
}

CASES("rehearse/proxy_stream")
