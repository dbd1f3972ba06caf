/* LIST: order, selectors, pages of one consistent state, versions asked for, forms. */
#include "../client.h"
#include "../slow.h"

static void make_many(struct sim *s, int n) {
    for (int i = 0; i < n; i++) {
        cleanup_free char *name = xasprintf("c%02d", i);
        make_cm(s, name, i % 3 ? "x" : "y", "1");
    }
}

/* Names of the items, separated by blanks. */
static char *names(const cJSON *list) {
    struct buf b = BUF(1 << 16);
    const cJSON *items = json_arr(list, "items");
    assert_non_null(items);
    for (const cJSON *i = items->child; i; i = i->next) buf_addf(&b, "%s%s", b.n ? " " : "", obj_name(i));
    return buf_take(&b);
}

static const char *meta(const cJSON *list, const char *key) {
    return json_str_or(json_obj(list, "metadata"), key, "");
}

static void lists(const cJSON *list, const char *want) {
    cleanup_free char *have = names(list);
    assert_string_equal(have, want);
}

static void expect_list(struct sim *s, const char *target, const char *want) {
    lists(run(s, "GET", target, NULL, 200), want);
}

SIM_TEST(order_and_selectors) {
    run(s, "POST", "/api/v1/namespaces", "{'metadata':{'name':'aa'}}", 201);
    make_cm(s, "b", "x", "1");
    make_cm(s, "a", "y", "1");
    run(s, "POST", "/api/v1/namespaces/aa/configmaps", "{'metadata':{'name':'z','labels':{'l':'x'}}}", 201);
    expect_list(s, "/api/v1/configmaps", "z a b"); /* by namespace, then name */
    expect_list(s, CMS, "a b");
    expect_list(s, "/api/v1/configmaps?labelSelector=l%3Dx", "z b");
    expect_list(s, "/api/v1/configmaps?labelSelector=l+in+(y)", "a");
    expect_list(s, "/api/v1/configmaps?fieldSelector=metadata.namespace%3Daa", "z");
    expect_list(s, CMS "?fieldSelector=metadata.name!%3Da", "b");
    expect_list(s, CMS "?fieldSelector=metadata.name%3Da,metadata.namespace%3Ddefault", "a");
    expect_list(s, "/api/v1/namespaces/none/configmaps", "");
    refused(s, "GET", CMS "?fieldSelector=spec.x%3Da", NULL, 400, "field label not supported: spec.x");
    /* without kinds of the items, as for all built-in types */
    says(get(s, CMS), "kind=ConfigMapList|items=[2]|items/0/kind=none|metadata/continue=none");
}

SIM_TEST(events_by_field) {
    for (int i = 0; i < 2; i++) {
        cleanup_free char *body =
            xasprintf("{'metadata':{'name':'%s'},'involvedObject':{'kind':'%s','name':'x','"
                      "namespace':'default'},'reason':'R','source':{'component':'%s'}}",
                      i ? "e1" : "e0", i ? "Pod" : "Node", i ? "kubelet" : "me");
        run(s, "POST", "/api/v1/namespaces/default/events", body, 201);
    }
    expect_list(s, "/api/v1/events?fieldSelector=involvedObject.kind%3DPod,involvedObject.name%3Dx", "e1");
    expect_list(s, "/api/v1/events?fieldSelector=source%3Dme", "e0");
    expect_list(s, "/api/v1/events?fieldSelector=reason!%3DR", "");
}

/* The page behind another one, NULL: the first. */
static cJSON *page(struct sim *s, const char *query, const cJSON *before, int want) {
    cleanup_free char *target =
        xasprintf(CMS "?%s%s%s", query, before ? "&continue=" : "", before ? meta(before, "continue") : "");
    return run(s, "GET", target, NULL, want);
}

SIM_TEST(pages) {
    make_many(s, 7);
    cJSON *one = page(s, "limit=3", NULL, 200);
    says(one, "metadata/remainingItemCount=4");
    /* What happens meanwhile does not show: the pages are of one state. */
    run(s, "DELETE", CMS "/c04", NULL, 200);
    run(s, "PATCH", CMS "/c05", "{'data':{'k':'new'}}", 200);
    make_cm(s, "c03b", "x", "1");
    make_cm(s, "c00b", "x", "1");
    cJSON *two = page(s, "limit=3", one, 200);
    lists(two, "c03 c04 c05");
    says(two, "items/2/data/k=1|metadata/remainingItemCount=1");
    assert_string_equal(meta(one, "resourceVersion"), meta(two, "resourceVersion"));
    cJSON *three = page(s, "limit=3", two, 200);
    lists(three, "c06");
    says(three, "metadata/continue=none");
    expect_list(s, CMS "?limit=100", "c00 c00b c01 c02 c03 c03b c05 c06");
    /* With a selector nobody counts what remains. */
    two = page(s, "limit=1&labelSelector=l%3Dy", NULL, 200);
    says(two, "metadata/remainingItemCount=none");
    assert_string_not_equal(meta(two, "continue"), "");
    /* A version given with a token, a damaged token, */
    cleanup_free char *bad = xasprintf("limit=3&resourceVersion=%s", meta(one, "resourceVersion"));
    page(s, bad, one, 400);
    refused(s, "GET", CMS "?continue=abc", NULL, 400, "continue key is not valid");
    refused(s, "GET", CMS "?limit=many", NULL, 400, "invalid syntax");
}

/* The pages of a list are of one state for as long as etcd keeps it, whatever happens between them. */
CASE(pages_of_a_busy_type) {
    struct sim *s = sim_new(&(struct sim_config){.seed = 7, .wall_ns = WALL, .history = 5});
    make_many(s, 9);
    cJSON *one = page(s, "limit=3", NULL, 200);
    for (int i = 0; i < 20; i++) {
        cleanup_free char *name = xasprintf("more%02d", i);
        make_cm(s, name, "x", "1");
        run(s, "DELETE", i % 2 ? CMS "/c04" : CMS "/c05", NULL, i < 2 ? 200 : 404);
    }
    cJSON *two = page(s, "limit=4", one, 200);
    lists(two, "c03 c04 c05 c06");
    says(two, "metadata/remainingItemCount=2");
    assert_string_equal(meta(two, "resourceVersion"), meta(one, "resourceVersion"));
    lists(page(s, "limit=1&labelSelector=l%3Dy", one, 200), "c03");
    sim_advance(s, WALL + 299 * NS_PER_S);
    page(s, "limit=4", two, 200);
    sim_advance(s, WALL + 301 * NS_PER_S);
    /* the rest, as it is now */
    cJSON *rest = page(s, "limit=2", page(s, "limit=4", two, 410), 200);
    lists(rest, "c07 c08");
    assert_true(json_i64(json_obj(rest, "metadata"), "remainingItemCount", -1) > 0);
    one = page(s, "limit=3", NULL, 200);
    for (int i = 0; i < 6; i++) run(s, "POST", CMS, "{'metadata':{'generateName':'z'}}", 201);
    sim_compact(s);
    page(s, "limit=3", one, 410);
    sim_free(s);
}

SIM_TEST(versions) {
    make_cm(s, "a", "x", "1");
    cleanup_free char *then = xstrdup(meta(get(s, CMS), "resourceVersion"));
    make_cm(s, "b", "x", "1");
    run(s, "PATCH", CMS "/a", "{'data':{'k':'2'}}", 200);
    run(s, "DELETE", CMS "/a", NULL, 200);
    cleanup_free char *exact = xasprintf(CMS "?resourceVersion=%s&resourceVersionMatch=Exact", then);
    cleanup_free char *newer = xasprintf(CMS "?resourceVersion=%s&resourceVersionMatch=NotOlderThan", then);
    cleanup_free char *any = xasprintf(CMS "?resourceVersion=%s", then);
    expect_list(s, newer, "b");
    expect_list(s, any, "b");
    expect_list(s, CMS "?resourceVersion=0", "b");
    refused(s, "GET", CMS "?resourceVersion=999999", NULL, 504,
            "Too large resource version: 999999, current: ");
    refused(s, "GET", CMS "/b?resourceVersion=999999", NULL, 504, "Too large resource version");
    says(run(s, "GET", CMS "?resourceVersion=999999", NULL, 504),
         "reason=Timeout|details/retryAfterSeconds=1|details/causes/0/reason=ResourceVersionTooLarge|"
         "details/causes/0/message=Too large resource version|details/causes/0/field=none");
    refused(s, "GET", CMS "?resourceVersionMatch=Exact", NULL, 422,
            "resourceVersionMatch is forbidden unless resourceVersion is provided");
    refused(s, "GET", CMS "?resourceVersion=0&resourceVersionMatch=Exact", NULL, 422,
            "is forbidden for resourceVersion \"0\"");
    refused(s, "GET", CMS "?resourceVersion=1&resourceVersionMatch=Newest", NULL, 422,
            "Unsupported value: \"Newest\"");
    refused(s, "GET", CMS "?continue=x&resourceVersionMatch=Exact", NULL, 422,
            "is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless "
            "resourceVersion is provided, resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden "
            "when continue is provided]");
    refused(s, "GET", CMS "?resourceVersion=-1", NULL, 400, "invalid syntax");
    sim_compact(s);
    refused(s, "GET", exact, NULL, 410, "too old");
}

SIM_TEST(forms) {
    static const struct {
        const char *target, *accept;
        int status;
        const char *says;
    } t[] = {
        {CMS, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", 200,
         "kind=PartialObjectMetadataList|items/0/kind=PartialObjectMetadata|items/0/data=none"},
        {CMS "/a", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json", 200,
         "kind=PartialObjectMetadata"},
        {CMS, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", 200,
         "kind=Table|rows/0/cells/0=a|rows/0/cells/1=1|rows/0/cells/2=2m5s|columnDefinitions=[3]"},
        {CMS "?includeObject=None", "application/json;as=Table;v=v1beta1;g=meta.k8s.io", 200,
         "apiVersion=meta.k8s.io/v1beta1|rows=[1]|rows/0/object=none"},
        {CMS, "text/html", 406, "code=406"},
        {CMS, "application/json;as=Chair;v=v1;g=meta.k8s.io", 406, "code=406"},
        {CMS, "application/vnd.kubernetes.protobuf, */*", 200, "items=[1]"},
    };
    make_cm(s, "a", "x", "1");
    sim_advance(s, WALL + 125 * NS_PER_S);
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        int status = 0;
        says(ask_as(s, "GET", t[i].target, NULL, t[i].accept, NULL, &status), t[i].says);
        assert_int_equal(status, t[i].status);
    }
}

/* Every served type has a Table whose rows have as many cells as it has columns. */
SIM_TEST(all_tables) {
    static const char *const bodies[][2] = {
        {"/api/v1/namespaces/default/secrets", "{'metadata':{'name':'o'}}"},
        {"/api/v1/namespaces/default/serviceaccounts", "{'metadata':{'name':'o'}}"},
        {"/api/v1/namespaces/default/services", "{'metadata':{'name':'o'},'spec':{'ports':[{'port':80}]}}"},
        {"/api/v1/namespaces/default/events",
         "{'metadata':{'name':'o'},'involvedObject':{'namespace':'default'}}"},
        {"/api/v1/namespaces/default/endpoints", "{'metadata':{'name':'o'}}"},
        {"/api/v1/nodes", "{'metadata':{'name':'o'}}"},
        {LEASES, "{'metadata':{'name':'o'},'spec':{'holderIdentity':'me'}}"},
        {DEPLOYMENTS, DEPLOYMENT("o", "i")},
        {"/api/v1/namespaces", "{'metadata':{'name':'o'}}"},
        {"/api/v1/namespaces/default/pods",
         "{'metadata':{'name':'o'},'spec':{'containers':[{'name':'c','image':'i'}]}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        run(s, "POST", bodies[i][0], bodies[i][1], 201);
        cJSON *v =
            ask_as(s, "GET", bodies[i][0], NULL, "application/json;as=Table;v=v1;g=meta.k8s.io", NULL, NULL);
        int columns = cJSON_GetArraySize(json_arr(v, "columnDefinitions"));
        const cJSON *rows = json_arr(v, "rows");
        assert_true(columns >= 2 && rows && rows->child);
        for (const cJSON *r = rows->child; r; r = r->next)
            assert_int_equal(cJSON_GetArraySize(json_arr(r, "cells")), columns);
    }
}

/* A long list waits for its reader, and is of the state when it was asked for. */
SIM_TEST(long_list) {
    make_long(s, 12);
    struct slow slow;
    struct sim_exchange *x = slow_start(s, CMS, &slow);
    assert_non_null(x);
    assert_true(slow.unsent < (size_t)8 << 20);
    run(s, "DELETE", CMS "/c11", NULL, 200);
    size_t had = slow.unsent;
    sim_advance(s, WALL + NS_PER_S);
    assert_int_equal(slow.unsent, had); /* nothing has left yet */
    slow.unsent = 0;
    sim_advance(s, WALL + 2 * NS_PER_S);
    assert_true(slow.unsent > 0 && !slow.a.ended);
    /* The reader counts, and not the sim's time, which stands still while the controllers have much to do. */
    for (int i = 0; i < 20 && !slow.a.ended; i++) {
        slow.unsent = 0;
        sim_advance_some(s, WALL + 3 * NS_PER_S, 0);
    }
    assert_true(slow.a.ended && !slow.a.cut);
    says(keep(json_parse(buf_slice(&slow.a.body), NULL)), "items=[12]");
    buf_free(&slow.a.body);
    /* One that leaves in the middle */
    sim_leave(slow_start(s, CMS, &slow));
    sim_advance(s, WALL + 60 * NS_PER_S);
    buf_free(&slow.a.body);
}
