/* What is understood of a request, and what is refused with which status. */
#include "ask.h"

static void refused_with(const char *method, struct slice target, struct gate_header h, const char *body,
                         int status) {
    struct asked a = ask_with(method, target, h, slice_of(body));
    if (a.e >= 0) fail_msg("taken: %s %.*s %s", method, SLF(target), body);
    if (a.status != status)
        fail_msg("%s %.*s: %d instead of %d: %s", method, SLF(target), a.status, status, a.err.msg);
    assert_int_equal(a.err.kind, status == 501 ? ERR_FENCED : ERR_REJECTED);
    assert_true(a.err.msg[0]);
}

static void refused(const char *method, const char *target, const char *body, int status) {
    refused_with(method, slice_of(target),
                 (struct gate_header){.content_type = body[0] ? SL("application/json") : SL("")}, body,
                 status);
}

static struct asked taken(const char *method, const char *target, const char *body) {
    struct asked a = ask(method, target, body);
    if (a.e < 0) fail_msg("%s %s: %d: %s", method, target, a.status, a.err.msg);
    return a;
}

static void is(const char *method, const char *target, enum gate_kind kind, const char *parts) {
    bool body = strcmp(method, "GET") != 0 && strcmp(method, "DELETE") != 0;
    struct asked a = taken(method, target, body ? "{}" : "");
    struct gate_request *r = &a.r;
    struct buf got = BUF(1024);
    buf_addf(&got, "%.*s %.*s %.*s %.*s %.*s %.*s", SLF(r->group), SLF(r->version), SLF(r->ns),
             SLF(r->resource), SLF(r->name), SLF(r->sub));
    assert_int_equal(r->kind, kind);
    assert_buf(got, parts);
    buf_free(&got);
    gate_free(r);
}

CASE(paths_are_read_as_the_server_reads_them) {
    is("GET", "/api/v1/pods", GATE_LIST, " v1  pods  ");
    is("GET", "/api/v1/pods?watch=true", GATE_WATCH, " v1  pods  ");
    is("GET", "/api/v1/pods?watch=0", GATE_LIST, " v1  pods  ");
    is("GET", "/api/v1/namespaces/a/pods/b", GATE_GET, " v1 a pods b ");
    is("GET", "/api/v1/namespaces", GATE_LIST, " v1  namespaces  ");
    is("GET", "/api/v1/namespaces/a", GATE_GET, " v1  namespaces a ");
    is("PUT", "/api/v1/namespaces/a/status", GATE_UPDATE, " v1  namespaces a status");
    is("PUT", "/api/v1/namespaces/a/finalize", GATE_UPDATE, " v1  namespaces a finalize");
    is("DELETE", "/api/v1/namespaces/a", GATE_DELETE, " v1  namespaces a ");
    is("DELETE", "/api/v1/namespaces/a/pods", GATE_DELETE_COLLECTION, " v1 a pods  ");
    is("POST", "/apis/apps/v1/namespaces/a/deployments", GATE_CREATE, "apps v1 a deployments  ");
    is("PATCH", "/apis/apps/v1/namespaces/a/deployments/b/scale", GATE_PATCH,
       "apps v1 a deployments b scale");
    is("GET", "/apis/apps/v1/namespaces/a/deployments/b/anything", GATE_GET,
       "apps v1 a deployments b anything");
    is("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode-Proxier", GATE_GET,
       "rbac.authorization.k8s.io v1  clusterroles system:node-Proxier ");
    is("PATCH", "/apis/example.com/v1beta1/widgets/w/status", GATE_PATCH,
       "example.com v1beta1  widgets w status");
    is("POST", "/api/v1/namespaces/a/pods/b/binding", GATE_CREATE, " v1 a pods b binding");
    is("GET", "/apis/elsewhere.io/v1/things", GATE_LIST, "elsewhere.io v1  things  ");
    is("POST", "/apis/authentication.k8s.io/v1/tokenreviews", GATE_REVIEW,
       "authentication.k8s.io v1  tokenreviews  ");
    is("POST", "/apis/authorization.k8s.io/v1/namespaces/a/localsubjectaccessreviews", GATE_REVIEW,
       "authorization.k8s.io v1 a localsubjectaccessreviews  ");
}

CASE(paths_of_no_objects_pass_in_their_canonical_form) {
    static const struct {
        const char *target, *path, *query, *accept;
    } cases[] = {
        {"/version", "/version", "", "*/*"},
        {"/version/?timeout=32s", "/version", "timeout=32s", "*/*"},
        {"/api", "/api", "", "application/json"},
        {"/api/", "/api", "", "application/json"},
        {"/api/v1", "/api/v1", "", "application/json"},
        {"/apis/apps/v1/", "/apis/apps/v1", "", "application/json"},
        {"/openapi/v2", "/openapi/v2", "", "application/json"},
        {"/openapi/v3/apis/apps/v1?hash=A%2b", "/openapi/v3/apis/apps/v1", "hash=A%2B", "application/json"},
        {"/readyz/poststarthook/rbac?verbose", "/readyz/poststarthook/rbac", "verbose=", "*/*"},
        {"/openid/v1/jwks", "/openid/v1/jwks", "", "*/*"},
        {"/api/v1/namespaces/a/pods/b/log?x=1&container=c+d&follow=true", "/api/v1/namespaces/a/pods/b/log",
         "container=c%20d&follow=true", "application/json, */*"},
        {"/apis/custom.metrics.k8s.io/v1beta1/namespaces/a/pods/%2A/http_Requests?labelSelector=a%3Db&z=1",
         "/apis/custom.metrics.k8s.io/v1beta1/namespaces/a/pods/%2A/http_Requests", "labelSelector=a%3Db",
         "application/json"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct asked a = taken("GET", cases[i].target, "");
        assert_int_equal(a.r.kind, GATE_PASS);
        assert_slice(a.r.path, cases[i].path);
        assert_slice(a.r.query, cases[i].query);
        assert_string_equal(a.r.accept, cases[i].accept);
        gate_free(&a.r);
    }
}

CASE(a_path_with_two_readings_is_refused) {
    static const struct {
        const char *target;
        int status;
    } cases[] = {
        {"", 400},
        {"*", 400},
        {"/", 404},
        {"api/v1/pods", 400},
        {"http://host/api/v1/pods", 400},
        {"//api/v1/pods", 400},
        {"/api//v1/pods", 400},
        {"/api/v1/pods//", 400},
        {"/api/v1/pods/", 404},
        {"/api/v1/namespaces/a/pods/b/", 404},
        {"/api/v1/./pods", 400},
        {"/api/v1/x/../pods", 400},
        {"/api/v1/%2e%2e/pods", 400},
        {"/api/v1/%2E/pods", 400},
        {"/api/v1/namespaces/a%2Fb/pods", 400},
        {"/api/v1/namespaces/a%252Fb/pods", 400},
        {"/api/v1/namespaces/a/pods/b%00", 400},
        {"/api/v1/namespaces/a/pods/b%0a", 400},
        {"/api/v1/namespaces/a/pods/b%7f", 400},
        {"/api/v1/namespaces/a/pods/%ff", 400},
        {"/api/v1/namespaces/a/pods/b%", 400},
        {"/api/v1/namespaces/a/pods/b%4", 400},
        {"/api/v1/namespaces/a/pods/b%zz", 400},
        {"/api/v1/namespaces/a/pods/b%5C", 400},
        {"/api/v1/namespaces/a/pods/b%3Fx", 400},
        {"/api/v1/namespaces/a/pods/b%23x", 400},
        {"/api/v1/namespaces/a/pods/b%20", 400},
        {"/api/v1/namespaces/a/pods/b*", 400},
        {"/api/v1/pods;x=1", 400},
        {"/api/v1/pods%3Bx=1", 400},
        {"/api/v1/pods#x", 400},
        {"/api/v1/po ds", 400},
        {"/api/v1/po\tds", 400},
        {"/api/v1/pods\r\nX: y", 400},
        {"/api/v1\\pods", 400},
        {"/API/v1/pods", 404},
        {"/api/V1/pods", 404},
        {"/api/v1/Pods", 404},
        {"/api/v2/pods", 404},
        {"/apis/Apps/v1/deployments", 404},
        {"/apis/apps/v1/namespaces/a/deployments/b/Scale", 404},
        {"/api/v1/namespaces/A/pods", 400},
        {"/api/v1/namespaces/a.b/pods", 400},
        {"/api/v1/namespaces/a/namespaces/b", 404},
        {"/metrics", 404},
        {"/debug/pprof", 404},
        {"/healthz/", 404},
        {"/api/v1/watch/pods", 501},
        {"/api/v1/proxy/namespaces/a/pods/b", 501},
        {"/apis/apps/v1/watch/namespaces/a/deployments/b", 501},
        {"/api/v1/a/b/c/d/e/f/g/h/i/j/k", 404},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) refused("GET", cases[i].target, "", cases[i].status);
    refused_with("GET", slice_make("/api/v1/po\0ds", 13), (struct gate_header){0}, "", 400);
}

CASE(methods_are_the_five_that_are_known) {
    static const char *const methods[] = {"",      "get",     "Post",  "HEAD", "OPTIONS",
                                          "TRACE", "CONNECT", "POST ", "PURGE"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        refused(methods[i], "/api/v1/namespaces/a/pods", "{}", 405);
    refused("POST", "/version", "{}", 405);
    refused("DELETE", "/apis/apps/v1", "", 405);
    refused("POST", "/api/v1/namespaces/a/pods/b", "{}", 405);
    refused("PUT", "/api/v1/namespaces/a/pods", "{}", 405);
    refused("PATCH", "/api/v1/namespaces/a/pods", "{}", 405);
    refused("DELETE", "/api/v1/namespaces/a/pods/b/status", "", 405);
}

CASE(headers_that_make_another_request_are_refused) {
    const struct {
        struct gate_header h;
        int status;
    } cases[] = {
        {{.method_override = SL("DELETE")}, 400},
        {{.transfer_odd = true}, 400},
        {{.upgrade = SL("websocket")}, 501},
        {{.upgrade = SL("h2c")}, 501},
        {{.connection = SL("keep-alive, Upgrade")}, 501},
        {{.connection = SL("upgrade")}, 501},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        refused_with("GET", SL("/api/v1/namespaces/a/pods/b"), cases[i].h, "", cases[i].status);
    const struct gate_header fine[] = {{.connection = SL("keep-alive, close")},
                                       {.connection = SL("Upgrade"), .upgrade = SL("websocket")}};
    for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
        struct asked a = ask_with("GET", SL("/api/v1/pods?watch=true"), fine[i], SL(""));
        assert_int_equal(a.e, 0);
        gate_free(&a.r);
    }
}

CASE(what_cannot_be_rehearsed_is_refused_as_such) {
    static const char *const out[] = {"exec", "attach", "portforward", "proxy", "proxy/metrics", "exec/x"};
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH"};
    for (size_t i = 0; i < ARRAY_LEN(out); i++) {
        for (size_t k = 0; k < ARRAY_LEN(methods); k++) {
            cleanup_free char *target = xasprintf("/api/v1/namespaces/a/pods/b/%s?command=rm", out[i]);
            refused(methods[k], target, k ? "{}" : "", 501);
        }
    }
    refused("DELETE", "/api/v1/namespaces/a/services/b/proxy", "", 501);
    refused("GET", "/api/v1/nodes/n/proxy/metrics", "", 501);
    refused("POST", "/api/v1/namespaces/a/serviceaccounts/b/token", "{}", 501);
    refused("POST", "/api/v1/namespaces/a/bindings", "{}", 501);
    refused("PUT", "/apis/apps/v1/namespaces/a/deployments/b/rollback", "{}", 501);
    refused("PUT", "/api/v1/namespaces/a/pods/b/log", "{}", 501);
    refused("POST", "/api/v1/namespaces/a/pods/b/resize", "{}", 501);
    refused("PUT", "/api/v1/namespaces/a/pods/b/binding", "{}", 501);
    refused("PUT", "/apis/example.com/v1/namespaces/a/widgets/b/approval", "{}", 501);
    refused("GET", "/api/v1/pods?shardSelector=x", "", 501);
}

CASE(a_group_that_may_not_honour_dry_runs_is_only_read) {
    static const char *const remote[] = {"policy"};
    static const struct gate_groups all = {.all = true, .remote = remote, .nremote = 1};
    static const struct {
        const char *target;
        bool known, any;
    } cases[] = {
        {"/apis/apps/v1/namespaces/a/deployments", true, true},
        {"/apis/example.com/v1/widgets", true, true},
        {"/apis/example.org/v1/widgets", false, true},
        {"/apis/xexample.com/v1/widgets", false, true},
        {"/apis/metrics.k8s.io/v1beta1/nodes", false, false},
        {"/apis/custom.metrics.k8s.io/v1beta1/x", false, false},
        {"/apis/policy/v1/namespaces/a/poddisruptionbudgets", true, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int k = 0; k < 2; k++) {
            struct gate_request r;
            struct gate_header h = {0};
            int status = 0;
            struct err err = {0};
            int e = gate_parse(SL("POST"), slice_of(cases[i].target), &h, SL("{}"), k ? &all : &ask_groups,
                               &r, &status, &err);
            if ((e == 0) != (k ? cases[i].any : cases[i].known)) fail_msg("%s: %d", cases[i].target, e);
            if (e == 0) gate_free(&r);
            if (e < 0) assert_int_equal(status, 501);
        }
    }
}

CASE(a_review_is_known_by_its_whole_path) {
    static const char *const none[] = {"/apis/authentication.k8s.io/v1/namespaces/a/tokenreviews",
                                       "/apis/authorization.k8s.io/v1/localsubjectaccessreviews",
                                       "/apis/authorization.k8s.io/v1/tokenreviews",
                                       "/apis/example.com/v1/tokenreviews", "/api/v1/tokenreviews"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        struct asked a = ask("POST", none[i], "{}");
        if (a.e == 0) assert_int_equal(a.r.kind, GATE_CREATE);
        gate_free(&a.r);
    }
    refused("POST", "/apis/authentication.k8s.io/v1/tokenreviews/x", "{}", 405);
}

/* Of many objects one kind; of any text something that can be read. */
CASE(what_was_asked) {
    static const struct {
        const char *method, *target, *want;
    } v[] = {
        {"POST", "/api/v1/namespaces/a/pods/b/exec?command=sh", "create pods/exec"},
        {"GET", "/api/v1/namespaces/a/pods/b/exec", "get pods/exec"},
        {"GET", "/api/v1/namespaces/a/pods/b/proxy/c/d", "get pods/proxy"},
        {"POST", "/api/v1/namespaces/a/pods", "create pods"},
        {"DELETE", "/api/v1/namespaces/a/pods/b", "delete pods"},
        {"DELETE", "/api/v1/namespaces/a/pods", "deletecollection pods"},
        {"PUT", "/api/v1/namespaces/a/status", "update namespaces/status"},
        {"PUT", "/api/v1/namespaces/a", "update namespaces"},
        {"GET", "/api/v1/nodes", "list nodes"},
        {"PATCH", "/apis/example.com/v1/widgets/w/scale", "patch widgets.example.com/scale"},
        {"PATCH", "/apis/example.com/v1/namespaces/a/widgets/Any%20Name", "patch widgets.example.com"},
        {"GET", "/api/v1/watch/namespaces/a/pods/b", "get watch"},
        {"POST", "/api/v1/bindings", "create bindings"},
        {"HEAD", "/api/v1/namespaces/a/pods/b", "HEAD /api/..."},
        {"POST", "/version", "POST /version"},
        {"POST", "/some/thing", "POST /some/..."},
        {"POST", "/", "POST /"},
        {"POST", "", "POST /"},
        {"POST", "/apis", "POST /apis"},
        {"POST", "/apis/apps/v1", "POST /apis/..."},
        {"POST", "/api/v1/Pods/b", "POST /api/..."},
        {"POST", "/apis/UP.io/v1/things", "POST /apis/..."},
        {"POST", "/api/v1/pods/b/EXEC", "POST /api/..."},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct buf b = BUF(1024);
        gate_what(slice_of(v[i].method), slice_of(v[i].target), &b);
        assert_buf(b, v[i].want);
        buf_free(&b);
    }
    struct buf b = BUF(1024);
    gate_what(SL("A METHOD THAT IS LONGER THAN ANY"),
              SL("/a-path-that-is-longer-than-anything-that-can-be-read"), &b);
    assert_in_range(b.n, 1, 80);
    buf_free(&b);
}

CASES("rehearse/gate")
