/* The second check, by what it must not let through and what it has to. */
#include "../case.h"
#include "rehearse/upstream.h"

#define JSON "application/json"
#define PODS "/api/v1/namespaces/a/pods"
#define DRY  "{\"kind\":\"DeleteOptions\",\"dryRun\":[\"All\"]}"

struct sent {
    const char *method, *target, *type, *body;
};

static bool passes(const struct sent *s) {
    return upstream_writes_nothing(slice_of(s->method), slice_of(s->target), slice_of(s->type),
                                   slice_of(s->body));
}

CASE(reads_reviews_and_dry_runs_leave) {
    static const struct sent good[] = {
        {"GET", "/version", "", ""},
        {"GET", PODS "?watch=true&labelSelector=a%3Db", "", ""},
        {"GET", "/apis/custom.metrics.k8s.io/v1beta1/namespaces/a/pods/%2A/http_requests", "", ""},
        {"GET", "/api/v1/namespaces/proxy/pods/exec", "", ""},
        {"POST", "/apis/authentication.k8s.io/v1/tokenreviews", JSON, "{}"},
        {"POST", "/apis/authorization.k8s.io/v1beta1/namespaces/a/localsubjectaccessreviews", JSON, "{}"},
        {"POST", PODS "?dryRun=All", "application/vnd.kubernetes.protobuf", "k8s"},
        {"POST", PODS "?fieldManager=a%20b&dryRun=All", JSON, "{}"},
        {"PUT", "/api/v1/namespaces/a/finalize?dryRun=All", JSON, "{}"},
        {"PATCH", PODS "/b/ephemeralcontainers?dryRun=All", "application/merge-patch+json", "{}"},
        {"DELETE", PODS "/b?dryRun=All", JSON, DRY},
        {"DELETE", PODS "?labelSelector=a&dryRun=All", JSON, DRY},
        {"POST", PODS "/b/binding?dryRun=All", JSON, "{}"},
        {"POST", PODS "/b/eviction?dryRun=All", JSON, "{\"kind\":\"Eviction\",\"deleteOptions\":" DRY "}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (!passes(&good[i])) fail_msg("stopped: %s %s %s", good[i].method, good[i].target, good[i].body);
    }
}

CASE(what_might_write_does_not) {
    static const struct sent bad[] = {
        {"HEAD", PODS, "", ""},
        {"post", PODS "?dryRun=All", JSON, "{}"},
        {"", PODS, "", ""},
        {"GET ", PODS, "", ""},
        {"GET", PODS, JSON, ""},
        {"GET", PODS, "", "{}"},
        {"GET", PODS "/b/exec", "", ""},
        {"GET", PODS "/b/attach", "", ""},
        {"GET", PODS "/b/portforward", "", ""},
        {"GET", PODS "/b/proxy/x", "", ""},
        {"GET", "/api/V1/namespaces/a/pods/b/exec", "", ""},
        {"GET", "/api/v1/nodes/n/proxy", "", ""},
        {"GET", "/api/v1/proxy/namespaces/a/pods/b", "", ""},
        {"GET", "/api/v1/redirect/namespaces/a/pods/b", "", ""},
        {"GET", "/apis/apps/v1/watch/x", "", ""},
        {"GET", "//version", "", ""},
        {"GET", "/api/v1/../x", "", ""},
        {"GET", "/api/v1/%2E%2E/x", "", ""},
        {"GET", "/api/v1/pods/", "", ""},
        {"GET", "/api/v1/a%2Fb", "", ""},
        {"GET", "/api/v1/a%2fb", "", ""},
        {"GET", "/api/v1/a%00", "", ""},
        {"GET", "/api/v1/a%2", "", ""},
        {"GET", "/api/v1/a b", "", ""},
        {"GET", "/api/v1/a\r\nDELETE /x", "", ""},
        {"GET", PODS "?", "", ""},
        {"GET", PODS "?a=b&", "", ""},
        {"GET", PODS "?a=b\r\nX: y", "", ""},
        {"GET", PODS "?a=b%0A", "", ""},
        {"GET", PODS "?a=b HTTP/1.1", "", ""},
        {"GET", PODS "?%61=b", "", ""},
        {"GET", PODS "?a=b#c", "", ""},
        {"GET", "http://host/api/v1/pods", "", ""},
        {"GET", "", "", ""},
        {"POST", "/apis/authentication.k8s.io/v1/tokenreviews/x", JSON, "{}"},
        {"POST", "/apis/authentication.k8s.io/v1/tokenreviews?x=1", JSON, "{}"},
        {"POST", "/apis/authentication.k8s.io/v1/namespaces/a/tokenreviews", JSON, "{}"},
        {"POST", "/apis/authentication.k8s.io/v1/subjectaccessreviews", JSON, "{}"},
        {"POST", "/apis/example.com/v1/tokenreviews", JSON, "{}"},
        {"PUT", "/apis/authentication.k8s.io/v1/tokenreviews", JSON, "{}"},
        {"POST", PODS, JSON, "{}"},
        {"POST", PODS "?", JSON, "{}"},
        {"POST", PODS "?dryRun=", JSON, "{}"},
        {"POST", PODS "?dryRun", JSON, "{}"},
        {"POST", PODS "?dryrun=All", JSON, "{}"},
        {"POST", PODS "?DRYRUN=All", JSON, "{}"},
        {"POST", PODS "?dryRun=all", JSON, "{}"},
        {"POST", PODS "?dryRun=All%00", JSON, "{}"},
        {"POST", PODS "?dryRun=All+", JSON, "{}"},
        {"POST", PODS "?dryRun=All&dryRun=All", JSON, "{}"},
        {"POST", PODS "?dryRun=&dryRun=All", JSON, "{}"},
        {"POST", PODS "?dryRun=All&dryRun=", JSON, "{}"},
        {"POST", PODS "?dryRun=All&x=1", JSON, "{}"},
        {"POST", PODS "?dryRun=All&", JSON, "{}"},
        {"POST", PODS "?dryRun%3DAll", JSON, "{}"},
        {"POST", PODS "?dry%52un=All", JSON, "{}"},
        {"POST", PODS "?dryRun[]=All&dryRun=All", JSON, "{}"},
        {"POST", PODS "?x=1;dryRun=All", JSON, "{}"},
        {"POST", PODS "?x=1;&dryRun=All", JSON, "{}"},
        {"POST", PODS "?x=%&dryRun=All", JSON, "{}"},
        {"POST", PODS "?xDryRunx=1&dryRun=All", JSON, "{}"},
        {"POST", PODS "#?dryRun=All", JSON, "{}"},
        {"POST", PODS "%3FdryRun=All", JSON, "{}"},
        {"POST", PODS "?x=1?dryRun=All", JSON, "{}"},
        {"POST", PODS "/b?dryRun=All", JSON, "{}"},
        {"POST", PODS "/b/exec?dryRun=All", JSON, "{}"},
        {"POST", PODS "/b/binding/x?dryRun=All", JSON, "{}"},
        {"POST", "/api/v1/namespaces/a/serviceaccounts/b/token?dryRun=All", JSON, "{}"},
        {"POST", "/version?dryRun=All", JSON, "{}"},
        {"POST", "/apis/apps/v1?dryRun=All", JSON, "{}"},
        {"POST", "/apis/Apps/v1/deployments?dryRun=All", JSON, "{}"},
        {"POST", PODS "?dryRun=All", "application/yaml", "{}"},
        {"POST", PODS "?dryRun=All", "", "{}"},
        {"PUT", PODS "?dryRun=All", JSON, "{}"},
        {"PATCH", PODS "/b?dryRun=All", JSON, "{}"},
        {"PATCH", PODS "?dryRun=All", "application/merge-patch+json", "{}"},
        {"DELETE", PODS "/b?dryRun=All", "", ""},
        {"DELETE", PODS "/b?dryRun=All", JSON, ""},
        {"DELETE", PODS "/b?dryRun=All", JSON, "{}"},
        {"DELETE", PODS "/b", JSON, DRY},
        {"DELETE", PODS "/b?dryRun=All", "application/vnd.kubernetes.protobuf", DRY},
        {"DELETE", PODS "/b?dryRun=All", "application/yaml", DRY},
        {"DELETE", PODS "/b?dryRun=All", JSON, "{\"dryRun\":[]}"},
        {"DELETE", PODS "/b?dryRun=All", JSON, "{\"dryRun\":null}"},
        {"DELETE", PODS "/b?dryRun=All", JSON, "{\"dryRun\":\"All\"}"},
        {"DELETE", PODS "/b?dryRun=All", JSON, "{\"dryRun\":[\"All\",\"All\"]}"},
        {"DELETE", PODS "/b?dryRun=All", JSON, "{\"dryRun\":[\"All\"],\"dryRun\":[]}"},
        {"DELETE", PODS "/b?dryRun=All", JSON, "{\"dryRun\":[],\"dryRun\":[\"All\"]}"},
        {"DELETE", PODS "/b?dryRun=All", JSON, "{\"dryRun\":[\"All\"],\"dry\\u0052un\":[]}"},
        {"DELETE", PODS "/b?dryRun=All", JSON, "{\"dryRun\":[\"All\"],\"DryRun\":[]}"},
        {"DELETE", PODS "/b?dryRun=All", JSON, "{\"preconditions\":{\"dryRun\":[\"All\"]}}"},
        {"DELETE", PODS "/b?dryRun=All", JSON, DRY "{}"},
        {"DELETE", PODS "/b?dryRun=All", JSON, "[" DRY "]"},
        {"DELETE", PODS "/b/status?dryRun=All", JSON, DRY},
        {"POST", PODS "/b/eviction?dryRun=All", JSON, "{}"},
        {"POST", PODS "/b/eviction?dryRun=All", JSON, "{\"deleteOptions\":{}}"},
        {"POST", PODS "/b/eviction?dryRun=All", JSON, "{\"deleteOptions\":" DRY ",\"deleteOptions\":{}}"},
        {"POST", PODS "/b/eviction?dryRun=All", JSON, "{\"deleteOptions\":{},\"deleteOptions\":" DRY "}"},
        {"POST", PODS "/b/eviction?dryRun=All", "application/vnd.kubernetes.protobuf", "k8s"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (passes(&bad[i])) fail_msg("let through: %s %s %s", bad[i].method, bad[i].target, bad[i].body);
    }
    assert_false(upstream_writes_nothing(SL("POST"), slice_make(PODS "?dryRun=All\0", sizeof PODS + 11),
                                         SL(JSON), SL("{}")));
    assert_false(upstream_writes_nothing(slice_make("GET\0", 4), SL(PODS), SL(""), SL("")));
}

CASES("rehearse/upstream_check")
