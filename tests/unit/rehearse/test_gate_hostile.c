/* Requests that try to write, or to be read in two ways: each is refused. */
#include "ask.h"
#include "../each.h"
#include "../protobuf.h"

#define PODS "/api/v1/namespaces/a/pods"

static void refused(const char *method, const char *target, const char *body) {
    struct asked a = ask(method, target, body);
    if (a.e >= 0) fail_msg("taken: %s %s %s", method, target, body);
    if (a.status != 400) fail_msg("%s %s %s: %d: %s", method, target, body, a.status, a.err.msg);
}

CASE(a_dry_run_is_spelled_in_one_way) {
    each_of(q, "dryRun=|dryRun|dryRun=all|dryRun=ALL|dryRun=true|dryRun=None|dryrun=All|DRYRUN=All|"
               "DryRun=All|dry%52un=all|dryRun=All&dryRun=All|dryRun=All&dryRun=|dryRun=&dryRun=All|"
               "dryRun=All&dryrun=|dryRun=All%00|dryRun=All+|dryRun=+All|dryRun=All%20|"
               "dryRun=%41ll%0a|dryRun[]=All|dryRun%5B%5D=All|dryRun=All;x=1|x;dryRun=All|"
               "dryRun%3DAll|dryRun=All,All|dryRun=A%|%20dryRun=All|dryRun%20=All|dryRun+=All|"
               "dryRun%00=All|xdryRun=All") {
        cleanup_free char *to = xasprintf(PODS "?%.*s", SLF(q)), *at = xasprintf(PODS "/b?%.*s", SLF(q));
        refused("POST", to, "{}");
        refused("PUT", at, "{}");
        refused("PATCH", at, "{}");
        refused("DELETE", at, "");
        refused("DELETE", to, "");
    }
    each_of(q, "dryRun=All|dry%52un=%41ll|&dryRun=All&|pretty=true&dryRun=All|"
               "dryRun=All&timeoutSeconds=1") {
        cleanup_free char *to = xasprintf(PODS "?%.*s", SLF(q));
        struct asked a = ask("POST", to, "{}");
        assert_int_equal(a.e, 0);
        assert_true(a.r.dry_run);
        gate_free(&a.r);
    }
}

CASE(parameters_that_are_not_known_are_refused_on_what_writes) {
    each_of(q, "x=1|force=true|labelSelector=a|_method=DELETE|fieldManager=a&fieldManager=b|"
               "fieldmanager=a|gracePeriodSeconds=0|=|%00=|a=%ff|export=true|method=x") {
        cleanup_free char *to = xasprintf(PODS "?%.*s", SLF(q));
        refused("POST", to, "{}");
    }
    each_of(q, "ignoreStoreReadErrorWithClusterBreakingPotential=true|gracePeriodSeconds=x|"
               "gracePeriodSeconds=0,\"dryRun\":[]|gracePeriodSeconds=0&gracePeriodSeconds=1|"
               "orphanDependents=1|orphanDependents=True|propagationPolicy=all|"
               "propagationPolicy=Orphan\"|fieldManager=a|labelSelector=a|resourceVersion=1|"
               "preconditions=x") {
        cleanup_free char *at = xasprintf(PODS "/b?%.*s", SLF(q));
        refused("DELETE", at, "");
    }
    each_of(q, "limit=-1|limit=1x|limit=1&limit=2|resourceVersion=5|resourceVersion=x|"
               "resourceVersionMatch=any|watch=yes|watch=true&watch=false|"
               "labelSelector=a&labelSelector=b|continue=%0d%0a|timeoutSeconds=1e9|"
               "sendInitialEvents=") {
        cleanup_free char *to = xasprintf(PODS "?%.*s", SLF(q));
        refused("GET", to, "");
    }
    refused("GET", PODS "/b?watch=true", "");
    refused("GET", PODS, "{}");
}

CASE(delete_options_are_understood_in_full) {
    static const char *const bad[] = {"x",
                                      "[]",
                                      "null",
                                      "{} {}",
                                      "{",
                                      "{\"dryRun\":[]}",
                                      "{\"dryRun\":\"All\"}",
                                      "{\"dryRun\":[\"All\",\"All\"]}",
                                      "{\"dryRun\":[\"all\"]}",
                                      "{\"dryRun\":[null]}",
                                      "{\"dryRun\":[\"\\u0041ll\"]}",
                                      "{\"dryRun\":[\"All\"],\"dryRun\":[]}",
                                      "{\"dryRun\":[],\"dryRun\":[\"All\"]}",
                                      "{\"dryrun\":[\"All\"]}",
                                      "{\"DryRun\":[]}",
                                      "{\"dry\\u0052un\":[]}",
                                      "{\"dryRun\":{}}",
                                      "{\"kind\":\"Pod\"}",
                                      "{\"kind\":1}",
                                      "{\"x\":1}",
                                      "{\"ignoreStoreReadErrorWithClusterBreakingPotential\":true}",
                                      "{\"gracePeriodSeconds\":\"0\"}",
                                      "{\"gracePeriodSeconds\":1.5}",
                                      "{\"gracePeriodSeconds\":1e3}",
                                      "{\"gracePeriodSeconds\":[]}",
                                      "{\"orphanDependents\":\"true\"}",
                                      "{\"propagationPolicy\":\"\\u0000\"}",
                                      "{\"propagationPolicy\":\"Orphans\"}",
                                      "{\"preconditions\":[]}",
                                      "{\"preconditions\":{\"uid\":1}}",
                                      "{\"preconditions\":{\"uid\":\"\"}}",
                                      "{\"preconditions\":{\"x\":\"y\"}}",
                                      "{\"preconditions\":{\"uid\":\"a\",\"uid\":\"b\"}}",
                                      "{\"preconditions\":{\"resourceVersion\":\"05\"}}",
                                      "{\"preconditions\":{\"resourceVersion\":\"5x\"}}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        refused("DELETE", PODS "/b", bad[i]);
        refused("DELETE", PODS, bad[i]);
        cleanup_free char *evicts =
            xasprintf("{\"kind\":\"Eviction\",\"metadata\":{\"name\":\"b\"},\"deleteOptions\":%s}", bad[i]);
        if (strcmp(bad[i], "null") != 0) refused("POST", PODS "/b/eviction", evicts);
    }
    refused("DELETE", PODS "/b?gracePeriodSeconds=0", "{}");
    refused("DELETE", PODS "/b?dryRun=All", "{}");
    refused("DELETE", PODS "/b?dryRun=All", "{\"dryRun\":null}");
    static const char *const evictions[] = {
        "",
        "{}",
        "[]",
        "{\"metadata\":{\"name\":\"c\"}}",
        "{\"metadata\":{\"name\":\"b\",\"namespace\":\"c\"}}",
        "{\"metadata\":{\"name\":\"b\"},\"spec\":{}}",
        "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"b\"}}",
        "{\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"b\"}}",
        "{\"metadata\":{\"name\":\"b\"},\"deleteOptions\":{},\"deleteOptions\":{}}",
        "{\"metadata\":{\"name\":\"b\"},\"deleteoptions\":{}}",
        "{\"metadata\":{\"name\":\"b\"},\"delete\\u004fptions\":{}}"};
    for (size_t i = 0; i < ARRAY_LEN(evictions); i++) refused("POST", PODS "/b/eviction", evictions[i]);
}

/* DeleteOptions in protobuf: what became of them, "" where they are refused. */
static void proto_delete(const char *message, bool dry, const char *want) {
    struct buf raw = BUF(1024), body = BUF(1024);
    protobuf_message(&raw, message);
    protobuf_wrap(&body, "apps/v1", "DeleteOptions", buf_slice(&raw));
    struct asked a = ask_with("DELETE", SL(PODS "/b"),
                              (struct gate_header){.content_type = SL("application/vnd.kubernetes.protobuf")},
                              buf_slice(&body));
    assert_int_equal(a.e, *want ? 0 : -EINVAL);
    if (*want) assert_slice(a.r.delete_options, want);
    assert_int_equal(a.r.dry_run, dry);
    gate_free(&a.r);
    buf_free(&raw);
    buf_free(&body);
}

CASE(delete_options_may_be_protobuf) {
    proto_delete("1=0 2{1'u'}", false,
                 "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"gracePeriodSeconds\":0,"
                 "\"preconditions\":{\"uid\":\"u\"}}");
    proto_delete("5'All' 3=1", true,
                 "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"orphanDependents\":true}");
    proto_delete("5'All' 5'All'", false, "");
    proto_delete("5''", false, "");
    proto_delete("6=1", false, "");
    proto_delete("6=0", false, "");
    proto_delete("1'x'", false, "");
}

CASE(bodies_are_of_a_known_form) {
    static const struct {
        const char *method, *target, *type, *body;
        int status;
    } cases[] = {
        {"POST", PODS, "application/yaml", "a: 1", 415},
        {"POST", PODS, "application/json;stream=watch", "{}", 415},
        {"POST", PODS, "application/json, application/yaml", "{}", 415},
        {"POST", PODS, "application/merge-patch+json", "{}", 415},
        {"POST", PODS, "application/cbor", "{}", 415},
        {"POST", PODS, "Application/JSON", "{}", 415},
        {"POST", PODS, "application/json; charset=utf-16", "{}", 415},
        {"POST", PODS, "application/json; charset=UTF-8", "{}", 0},
        {"POST", PODS, "", "{}", 0},
        {"POST", PODS, "application/json", "", 400},
        {"POST", PODS, "application/json", "{", 400},
        {"POST", PODS, "application/json", "\xef\xbb\xbf{}", 400},
        {"PATCH", PODS "/b", "application/json", "{}", 415},
        {"PATCH", PODS "/b", "", "{}", 415},
        {"PATCH", PODS "/b", "application/apply-patch+cbor", "{}", 415},
        {"PATCH", PODS "/b", "application/apply-patch+yaml", "a: 1", 0},
        {"DELETE", PODS "/b", "application/yaml", "{}", 415},
        {"DELETE", PODS "/b", "application/x-www-form-urlencoded", "dryRun=", 415},
        {"POST", PODS "/b/eviction", "application/vnd.kubernetes.protobuf", "{}", 400},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct asked a =
            ask_with(cases[i].method, slice_of(cases[i].target),
                     (struct gate_header){.content_type = slice_of(cases[i].type)}, slice_of(cases[i].body));
        if (a.status != cases[i].status)
            fail_msg("%s %s %s: %d", cases[i].method, cases[i].type, cases[i].body, a.status);
        gate_free(&a.r);
    }
    size_t n = (3 << 20) + 1;
    cleanup_free char *large = xcalloc(1, n);
    assert_int_equal(ask_with("POST", SL(PODS), (struct gate_header){0}, slice_make(large, n)).status, 413);
}

CASES("rehearse/gate_hostile")
