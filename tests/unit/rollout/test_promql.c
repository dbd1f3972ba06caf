/* Queries for Prometheus: variables only where their text can be escaped, and what is made of them. */
#include "../case.h"
#include "judge/promql.h"

#define NS "namespace=\"$namespace\""

CASE(what_is_refused) {
    static const struct {
        const char *query, *why; /* NULL: allowed */
    } v[] = {
        {"sum(a{" NS ",pod=\"$pod\"})", NULL},
        {"a{namespace='$namespace',pod=~'$pod'} # \"$nothing", NULL},
        {"sum(increase(a{" NS ",pod=~\"$track\"}[$range]))", NULL},
        {"sum(increase(a{" NS ",pod !~ \"$track|x\"}[ $range]))", NULL},
        {"a{" NS ",pod=\"$pod\",path=~\"/x$\",b=`c\\`}", NULL},
        {"a{" NS ",pod=\"$pod\",b=\"\\\"$\"}", NULL},
        {"", "a query without $namespace is of every namespace"},
        {"a{pod=\"$pod\"}", "a query without $namespace is of every namespace"},
        {"a{" NS "}", "a query has either $pod or $track"},
        {"a{" NS ",pod=\"$pod\",b=~\"$track\"}", "a query has either $pod or $track"},
        {"a{" NS ",pod=~\"$track\"}", "a query with $track has $range, as in increase(...[$range])"},
        {"rate(a{" NS ",pod=\"$pod\"}[$range])",
         "a query with $pod is a count since the pod began, without $range"},
        {"a{pod=$pod}", "at character 7: $namespace, $pod and $track stand in \"...\" or '...'"},
        {"a{pod=`$pod`}", "at character 8: $namespace, $pod and $track stand in \"...\" or '...'"},
        {"a{pod=\"$track\"}", "at character 8: $track is an alternation of pod names and needs =~ or !~"},
        {"a{x=~\"y\",pod=\"$track\"}",
         "at character 15: $track is an alternation of pod names and needs =~ or !~"},
        {"a[5m:$range]", "at character 6: $range stands right behind a [ of a range"},
        {"a{b=\"[$range]\"}", "at character 7: $range stands right behind a [ of a range"},
        {"a{pod=\"$pods\"}", "at character 8: expected $namespace, $pod, $track or $range"},
        {"a{pod=\"$__range\"}", "at character 8: expected $namespace, $pod, $track or $range"},
        {"a $ b", "at character 3: expected the name of a variable after $"},
        {"a{b=\"c}", "at character 5: a string without an end"},
        {"a{b='c\\'}", "at character 5: a string without an end"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct err e = {0};
        enum promql_kind kind;
        int rc = promql_check(slice_of(v[i].query), &kind, &e);
        if ((rc < 0) != (v[i].why != NULL) || strcmp(e.msg, v[i].why ? v[i].why : ""))
            fail_msg("%s: %s", v[i].query, e.msg);
        if (rc == 0) assert_int_equal(kind, strstr(v[i].query, "$track") ? PROMQL_TRACK : PROMQL_POD);
    }
}

static void fills(const char *query, const char *want) {
    static const char *const track[] = {"op-1.a", "op-2"};
    struct promql_values v = {.ns = "n.s", .pod = "op-1.a", .track = track, .ntrack = 2, .range_ms = 15500};
    cleanup_buf struct buf out = BUF(PROMQL_MAX);
    struct err e = {0};
    if (promql_fill(slice_of(query), &v, &out, &e) < 0) fail_msg("%s", e.msg);
    assert_string_equal(buf_str(&out), want);
}

CASE(what_they_stand_for) {
    fills("a{" NS ",pod=\"$pod\"} # $pod", "a{namespace=\"n.s\",pod=\"op-1.a\"} # $pod");
    fills("a{pod=~\"$pod\",namespace!~'$namespace',b=\"$pod\"}",
          "a{pod=~\"op-1\\\\.a\",namespace!~'n\\\\.s',b=\"op-1.a\"}");
    fills("increase(a{pod=~\"x|$track\"}[$range])", "increase(a{pod=~\"x|op-1\\\\.a|op-2\"}[15500ms])");
    fills("a{b=\"\\\\$pod\",c=\"d$\"}", "a{b=\"\\\\op-1.a\",c=\"d$\"}");
}

/* Names are the API server's, and checked all the same. */
CASE(no_name_gets_out_of_its_string) {
    static const char *const names[] = {"", "a\"} or b{", "a\\", "a\nb", "a b", "a'", "a|b", "\xc3\xa9"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct promql_values v = {.ns = "ns", .pod = names[i], .track = &names[i], .ntrack = 1};
        cleanup_buf struct buf out = BUF(PROMQL_MAX);
        struct err e = {0};
        assert_true(promql_fill(SL("a{b=\"$pod\"}"), &v, &out, &e) < 0 && e.kind == ERR_CONFIG);
        assert_true(promql_fill(SL("a{b=~\"$track\"}"), &v, &out, &e) < 0);
        assert_true(promql_of_pod("ns", names[i], &out, &e) < 0 &&
                    promql_of_pod(names[i], "pod", &out, &e) < 0);
    }
}

CASE(a_query_that_grows_too_long) {
    static const char *names[300];
    static char name[254];
    memset(name, 'a', sizeof name - 1);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) names[i] = name;
    struct promql_values v = {.ns = "ns", .track = names, .ntrack = ARRAY_LEN(names)};
    cleanup_buf struct buf out = BUF(PROMQL_MAX);
    struct err e = {0};
    assert_true(promql_fill(SL("a{b=~\"$track\"}"), &v, &out, &e) < 0);
    assert_string_equal(e.msg, "a query of more than 65536 bytes with the names in it");
}

CASE(of_a_pod) {
    cleanup_buf struct buf query = BUF(PROMQL_MAX), form = BUF(PROMQL_MAX);
    struct err e = {0};
    assert_int_equal(promql_of_pod("ns", "p-0", &query, &e), 0);
    const char *q = buf_str(&query);
    assert_true(slice_starts(buf_slice(&query), SL("{__name__=~\"controller_runtime_active_workers|")));
    assert_non_null(strstr(q, "|controller_runtime_reconcile_total|"));
    assert_non_null(strstr(q, "|operator_sdk_reconciliations_executions_.*|"));
    assert_non_null(strstr(q, "|process_start_time_seconds|"));
    assert_non_null(strstr(q, "\",namespace=\"ns\",pod=\"p-0\"}[300s]"));
    assert_null(
        strstr(strstr(q, "controller_runtime_reconcile_total") + 1, "controller_runtime_reconcile_total"));
    promql_form(SL("a{b=\"c\"} + 1"), INT64_C(1700000000012) * NS_PER_MS, 4900 * NS_PER_MS, &form);
    assert_string_equal(buf_str(&form),
                        "query=a%7Bb%3D%22c%22%7D%20%2B%201&time=1700000000.012&timeout=4900ms");
}

CASE(conditions) {
    static const struct {
        const char *query, *why; /* NULL: it is one */
    } v[] = {
        {"sum(rate(a{" NS ",pod=~\"$track\"}[5m])) < 0.1", NULL},
        {"increase(a{" NS "}[$range]) == 0", NULL},
        {"a{" NS "} != 1 or b{x=\"bool\"}", NULL},
        {"a{" NS "} > 1 and booleans > 0 and is_bool > 1", NULL},
        {"a{" NS "}>=1 # bool", NULL},
        {"a < 1", "a query without $namespace is of every namespace"},
        {"a{" NS ",pod=\"$pod\"} < 1", "a condition is of the whole canary: $track, not $pod"},
        {"sum(a{" NS ",b!=\"c\",d=~\"<\"})", "a condition has a comparison: ==, !=, <, <=, > or >="},
        {"a{" NS "} # < 1", "a condition has a comparison: ==, !=, <, <=, > or >="},
        {"a{" NS "} < bool 1", "with `bool` an answer is never empty, and the condition would always hold"},
        {"a{" NS "} <BOOL\n1", "with `bool` an answer is never empty, and the condition would always hold"},
        {"a{" NS "} > 1 < bool", "with `bool` an answer is never empty, and the condition would always hold"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct err e = {0};
        int rc = promql_check_condition(slice_of(v[i].query), &e);
        if ((rc < 0) != (v[i].why != NULL) || strcmp(e.msg, v[i].why ? v[i].why : ""))
            fail_msg("%s: %s", v[i].query, e.msg);
    }
}

CASES("rollout/promql")
