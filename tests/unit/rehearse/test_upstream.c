/* What is asked of the server for what was asked here. */
#include "ask.h"

static void reads(const char *method, const char *target, const char *want) {
    struct asked a = ask(method, target, strcmp(method, "GET") ? "{}" : "");
    struct upstream u;
    assert_int_equal(a.e, 0);
    assert_int_equal(upstream_read(&a.r, &u), 0);
    assert_buf(u.target, want);
    assert_true(upstream_writes_nothing(slice_of(upstream_method(&u)), buf_slice(&u.target),
                                        slice_of(u.content_type), buf_slice(&u.body)));
    upstream_free(&u);
    gate_free(&a.r);
}

CASE(reads_are_asked_anew) {
    reads("GET", "/api/v1/namespaces/a/pods/b?pretty=true&x=y", "/api/v1/namespaces/a/pods/b");
    reads("GET", "/api/v1/namespaces/a/pods/b?resourceVersion=0",
          "/api/v1/namespaces/a/pods/b?resourceVersion=0");
    reads("GET", "/api/v1/pods?labelSelector=a%20in+(b,c)&limit=500&fieldSelector=spec.nodeName%3Dn",
          "/api/v1/pods?labelSelector=a%20in%20%28b%2Cc%29&fieldSelector=spec.nodeName%3Dn&limit=500");
    reads("GET", "/api/v1/pods?resourceVersion=12345000007&resourceVersionMatch=NotOlderThan",
          "/api/v1/pods?resourceVersion=12345&resourceVersionMatch=NotOlderThan");
    reads("GET",
          "/api/v1/"
          "pods?watch=1&resourceVersion=12345000007&allowWatchBookmarks=true&sendInitialEvents=true&"
          "timeoutSeconds=9",
          "/api/v1/"
          "pods?resourceVersion=12345&timeoutSeconds=9&allowWatchBookmarks=true&sendInitialEvents=true&watch="
          "true");
    reads("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/a:b",
          "/apis/rbac.authorization.k8s.io/v1/clusterroles/a%3Ab");
    reads("GET", "/api/v1/namespaces/a/pods/b/log?container=c&tailLines=1",
          "/api/v1/namespaces/a/pods/b/log?container=c&tailLines=1");
    reads("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?pretty=1&dryRun=All",
          "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
}

/* A dry run of what was asked, as it was asked. */
static int dry(struct asked *a, struct upstream *u) {
    static const enum upstream_verb verbs[] = {[GATE_CREATE] = UPSTREAM_DRY_CREATE,
                                               [GATE_UPDATE] = UPSTREAM_DRY_UPDATE,
                                               [GATE_PATCH] = UPSTREAM_DRY_PATCH,
                                               [GATE_DELETE] = UPSTREAM_DRY_DELETE,
                                               [GATE_DELETE_COLLECTION] = UPSTREAM_DRY_DELETE};
    bool deletes = a->r.kind >= GATE_DELETE;
    return upstream_dry_run(&a->r, verbs[a->r.kind], a->r.name, a->r.sub, deletes ? GATE_JSON : a->r.form,
                            deletes ? a->r.delete_options : a->r.body, u);
}

static void writes(const char *method, const char *target, const char *body, const char *want,
                   const char *want_body) {
    struct asked a = ask(method, target, body);
    struct upstream u;
    if (a.e < 0) fail_msg("%s %s: %s", method, target, a.err.msg);
    assert_int_equal(dry(&a, &u), 0);
    assert_string_equal(upstream_method(&u), method);
    assert_buf(u.target, want);
    assert_buf(u.body, want_body);
    assert_true(upstream_writes_nothing(slice_of(method), buf_slice(&u.target), slice_of(u.content_type),
                                        buf_slice(&u.body)));
    upstream_free(&u);
    gate_free(&a.r);
}

CASE(what_writes_is_a_dry_run) {
    writes("POST", "/api/v1/namespaces/a/pods?fieldManager=m&pretty=true", "{\"a\":1}",
           "/api/v1/namespaces/a/pods?fieldManager=m&dryRun=All", "{\"a\":1}");
    writes("PUT", "/apis/apps/v1/namespaces/a/deployments/b/scale?dryRun=All", "{}",
           "/apis/apps/v1/namespaces/a/deployments/b/scale?dryRun=All", "{}");
    writes("PATCH", "/api/v1/nodes/n?fieldValidation=Strict", "{}",
           "/api/v1/nodes/n?fieldValidation=Strict&dryRun=All", "{}");
    writes("POST", "/api/v1/namespaces/a/pods/b/binding", "{}",
           "/api/v1/namespaces/a/pods/b/binding?dryRun=All", "{}");
}

#define DELETE_OPTIONS "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"dryRun\":[\"All\"]"
CASE(a_delete_is_a_dry_run_in_its_body_too) {
    writes("DELETE", "/api/v1/namespaces/a/pods/b", "", "/api/v1/namespaces/a/pods/b?dryRun=All",
           DELETE_OPTIONS "}");
    writes("DELETE", "/api/v1/namespaces/a/pods/b?gracePeriodSeconds=0&propagationPolicy=Orphan&uid=u", "",
           "/api/v1/namespaces/a/pods/b?dryRun=All",
           DELETE_OPTIONS
           ",\"gracePeriodSeconds\":0,\"propagationPolicy\":\"Orphan\",\"preconditions\":{\"uid\":\"u\"}}");
    writes(
        "DELETE", "/api/v1/namespaces/a/pods/b",
        "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"apps/v1\",\"orphanDependents\":false,\"dryRun\":null,"
        "\"preconditions\":{\"resourceVersion\":\"12345000001\",\"uid\":\"\\u0075\\\"\"}}",
        "/api/v1/namespaces/a/pods/b?dryRun=All",
        DELETE_OPTIONS
        ",\"orphanDependents\":false,\"preconditions\":{\"uid\":\"u\\\"\",\"resourceVersion\":\"12345\"}}");
    writes("DELETE", "/api/v1/namespaces/a/pods?labelSelector=a%3Db&timeoutSeconds=1", "",
           "/api/v1/namespaces/a/pods?labelSelector=a%3Db&dryRun=All", DELETE_OPTIONS "}");
    writes("POST", "/api/v1/namespaces/a/pods/b/eviction",
           "{\"apiVersion\":\"policy/"
           "v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"b\",\"creationTimestamp\":null}}",
           "/api/v1/namespaces/a/pods/b/eviction?dryRun=All",
           "{\"kind\":\"Eviction\",\"apiVersion\":\"policy/"
           "v1\",\"metadata\":{\"name\":\"b\",\"namespace\":\"a\"},\"deleteOptions\":" DELETE_OPTIONS "}}");
}

/* Whatever a caller of this makes of a request, nothing comes out that is not a dry run. */
CASE(other_writes_cannot_be_expressed) {
    static const char *const subs[] = {"", "status", "exec", "proxy", "token", "binding", "eviction", "log"};
    static const char *const bodies[] = {
        "",
        "{}",
        "{\"dryRun\":[]}",
        "{\"dryRun\":[\"All\"]}",
        "x",
        "{\"kind\":\"Eviction\",\"metadata\":{\"name\":\"n\"},\"deleteOptions\":{\"gracePeriodSeconds\":0}}"};
    static const char *const asked[][2] = {{"GET", "/api/v1/namespaces/a/pods/n"},
                                           {"POST", "/api/v1/namespaces/a/pods"},
                                           {"PUT", "/api/v1/namespaces/a/pods/n"},
                                           {"DELETE", "/api/v1/namespaces/a/pods"},
                                           {"POST", "/apis/authentication.k8s.io/v1/tokenreviews"}};
    unsigned made = 0;
    for (size_t q = 0; q < ARRAY_LEN(asked); q++) {
        struct asked a = ask(asked[q][0], asked[q][1], asked[q][0][0] == 'P' ? "{}" : "");
        assert_int_equal(a.e, 0);
        for (size_t i = 0; i < ARRAY_LEN(subs) * ARRAY_LEN(bodies) * 2 * 6 * 7; i++) {
            size_t k = i;
            struct slice sub = slice_of(subs[k % ARRAY_LEN(subs)]);
            k /= ARRAY_LEN(subs);
            struct slice body = slice_of(bodies[k % ARRAY_LEN(bodies)]);
            k /= ARRAY_LEN(bodies);
            struct slice name = k % 2 ? SL("n") : SL("");
            k /= 2;
            struct upstream u;
            if (upstream_dry_run(&a.r, (enum upstream_verb)(k % 6), name, sub, (enum gate_form)(k / 6), body,
                                 &u) < 0)
                continue;
            made++;
            assert_true(gate_mutates(a.r.kind));
            assert_has(buf_str(&u.target), "?dryRun=All");
            if (!upstream_writes_nothing(slice_of(upstream_method(&u)), buf_slice(&u.target),
                                         slice_of(u.content_type), buf_slice(&u.body)))
                fail_msg("%s %s %s", upstream_method(&u), buf_str(&u.target), buf_str(&u.body));
            upstream_free(&u);
        }
        gate_free(&a.r);
    }
    assert_true(made > 100);
}

CASE(metadata_alone_is_asked_for_where_it_was) {
    static const struct {
        const char *accept, *target, *want;
    } cases[] = {
        {"", "/api/v1/pods", "application/json"},
        {"application/vnd.kubernetes.protobuf", "/api/v1/pods", "application/json"},
        {"application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
         "/api/v1/nodes/n", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"},
        {"application/json; as=PartialObjectMetadataList; g=meta.k8s.io; v=v1beta1", "/api/v1/nodes",
         "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1"},
        {"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "/api/v1/nodes?watch=1",
         "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"},
        {"application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "/api/v1/pods", "application/json"},
        {"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1;q=0.5, */*;q=0.8", "/api/v1/nodes/n",
         "application/json"},
        {"application/cbor,application/json;q=0.9", "/api/v1/nodes/n", "application/json"},
        {"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json", "/apis",
         "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct asked a = ask_with("GET", slice_of(cases[i].target),
                                  (struct gate_header){.accept = slice_of(cases[i].accept)}, SL(""));
        struct upstream u;
        assert_int_equal(a.e, 0);
        assert_int_equal(upstream_read(&a.r, &u), 0);
        assert_string_equal(u.accept, cases[i].want);
        upstream_free(&u);
        gate_free(&a.r);
    }
    static const char *const none[] = {"text/html", "application/yaml",
                                       "application/json;as=Table;v=v1;g=meta.k8s.io",
                                       "application/json;q=0"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_int_equal(
            ask_with("GET", SL("/api/v1/pods"), (struct gate_header){.accept = slice_of(none[i])}, SL(""))
                .status,
            406);
}

CASES("rehearse/upstream")
