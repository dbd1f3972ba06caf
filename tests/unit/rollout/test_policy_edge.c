/* The policy from the edge's side, as a whole instance in a simulated world: it is found, shown to be in effect by a dry run, and
 * believed for as long as that is so. Seeds of 4n+3 are an API server that has it. */
#include "../case.h"
#include "../simworld/stage.h"

#define STAGE(name, make) CASE_OF(struct stage, st, make, stage_free, name)
#define POLICIES          "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies"
#define BINDINGS          "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings"
#define NAMED             "{\"metadata\":{\"name\":\"handover-hold\"}}"
#define MERGE             "application/merge-patch+json"

static void install(struct stage *st) {
    request(st, "POST", POLICIES, "application/json", NAMED, 201);
    request(st, "POST", BINDINGS, "application/json", NAMED, 201);
}

static bool has(struct stage *st, const char *text) {
    cleanup_buf struct buf b = BUF(1 << 20);
    assert_int_equal(sim_peek(st->api, "deployments", "default", "op", &b), 0);
    return strstr(buf_str(&b), text) != NULL;
}

static bool is_paused(struct stage *st) {
    return has(st, "\"paused\":true");
}

static bool is_marked(struct stage *st) {
    return is_paused(st) && has(st, "\"handover.dev/held\":\"true\"");
}

static bool open_now(void *st) {
    return !is_paused(st);
}
static bool paused_now(void *st) {
    return is_paused(st);
}

static bool opens(struct stage *st, int64_t limit_s) {
    return simworld_run_until(st->sw, open_now, st, limit_s * NS_PER_S);
}

/* How often it is asked whether it is in effect. */
struct asked {
    int questions, discoveries;
};
static void on_request(void *ctx, const struct simrequest *r) {
    struct asked *a = ctx;
    if (!r->arrived || strcmp(r->to, "api") != 0) return;
    a->questions += strcmp(r->method, "PATCH") == 0 && strstr(r->target, "dryRun=All") &&
                    strstr(r->target, "/deployments/");
    a->discoveries += strcmp(r->target, "/apis/admissionregistration.k8s.io/v1") == 0;
}

STAGE(found_shown_and_lost, begun(3, 1)) {
    struct asked a = {0};
    simworld_on_request(st->sw, on_request, &a);
    assert_true(is_paused(st));
    install(st);
    simworld_run(st->sw, 14 * NS_PER_S);
    assert_true(is_paused(st) && a.questions == 0); /* another API server may not have it yet */
    assert_true(opens(st, 5));
    assert_int_equal(a.questions, 1);
    assert_int_equal(told(st, "HeldByPolicy", NULL), 1);
    set_image(st, "op:v2");
    assert_true(is_marked(st));
    wait_for(st, "Promoting", 120);
    wait_for(st, "Stable", 120);
    assert_true(opens(st, 10));
    simworld_run(st->sw, 3700 * NS_PER_S);
    assert_in_range(a.questions, 2, 3); /* once an hour */
    assert_int_equal(a.discoveries, 0);
    request(st, "DELETE", BINDINGS "/handover-hold", "application/json", "", 200);
    assert_true(simworld_run_until(st->sw, paused_now, st, NS_PER_S));
    simworld_run(st->sw, NS_PER_S);
    assert_int_equal(told(st, "HeldByPause", NULL), 1);
}

/* An older server is asked once a minute whether it is one that has the type, and for nothing else. */
STAGE(an_older_server, begun(1, 1)) {
    struct asked a = {0};
    simworld_on_request(st->sw, on_request, &a);
    simworld_run(st->sw, 600 * NS_PER_S);
    assert_in_range(a.discoveries, 9, 11);
    assert_true(is_paused(st) && a.questions == 0);
}

/* A successor believes what its predecessor has shown, and asks within the hour; until it knows, a target at rest stays as it is. */
STAGE(taken_over, begun(7, 2)) {
    install(st);
    assert_true(opens(st, 30));
    struct asked a = {0};
    fault(st, "{\"match\":{\"path\":\"*/mutatingadmissionpolic*\"},\"count\":-1,\"latencyMs\":20000}");
    crash(st, leader(st));
    simworld_on_request(st->sw, on_request, &a);
    assert_false(simworld_run_until(st->sw, paused_now, st, 120 * NS_PER_S));
    assert_true(leader(st) >= 0 && a.questions == 0);
    simworld_run(st->sw, 3600 * NS_PER_S);
    assert_true(!is_paused(st) && a.questions == 1);
}

/* Not for this target, or not for Handover's account; a server that fails says nothing. */
STAGE(denied, begun(11, 1)) {
    static const struct {
        const char *answer;
        bool opens;
    } v[] = {{"\"status\":403", false},
             {"\"status\":200,\"body\":\"{\\\"metadata\\\":{},\\\"spec\\\":{\\\"paused\\\":false}}\"", false},
             {"\"status\":200,\"body\":\"{\\\"metadata\\\":{\\\"annotations\\\":{\\\"handover.dev/"
              "held\\\":\\\"true\\\"}},"
              "\\\"spec\\\":{\\\"paused\\\":true}}\"",
              false},
             {"\"status\":500", true}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_free char *once = xasprintf("{\"match\":{\"method\":\"PATCH\",\"path\":\"*/deployments/"
                                            "op\",\"query\":\"dryRun=All\"},\"count\":%d,%s}",
                                            v[i].opens ? 1 : -1, v[i].answer);
        fault(st, once);
        install(st);
        if (opens(st, 120) != v[i].opens) fail_msg("case %zu", i);
        fault(st, "{\"clear\":true}");
        if (!v[i].opens) assert_true(opens(st, 700)); /* asked again after ten minutes */
        request(st, "DELETE", BINDINGS "/handover-hold", "application/json", "", 200);
        request(st, "DELETE", POLICIES "/handover-hold", "application/json", "", 200);
        assert_true(simworld_run_until(st->sw, paused_now, st, 5 * NS_PER_S));
    }
}

/* Changed, it is asked of those that it holds at once, and counts for the others when every API server has it. */
STAGE(another_version_of_it, begun(15, 1)) {
    install(st);
    assert_true(opens(st, 30));
    struct asked a = {0};
    simworld_on_request(st->sw, on_request, &a);
    request(st, "PATCH", POLICIES "/handover-hold", MERGE, "{\"spec\":{\"failurePolicy\":\"Ignore\"}}", 200);
    assert_false(simworld_run_until(st->sw, paused_now, st, 10 * NS_PER_S));
    assert_int_equal(a.questions, 1);
    simworld_run(st->sw, 20 * NS_PER_S);
    assert_true(!is_paused(st) && a.questions == 2);
    fault(st, "{\"match\":{\"method\":\"PATCH\",\"path\":\"*/deployments/"
              "op\",\"query\":\"dryRun=All\"},\"count\":-1,\"status\":200,"
              "\"body\":\"{\\\"spec\\\":{}}\"}");
    request(st, "PATCH", POLICIES "/handover-hold", MERGE, "{\"spec\":{\"failurePolicy\":\"Fail\"}}", 200);
    assert_true(simworld_run_until(st->sw, paused_now, st, 5 * NS_PER_S)); /* no longer in effect for it */
}

/* Something puts the pause back that Handover takes off: said, and not tried for ever at full speed. */
STAGE(an_unpause_that_is_put_back, begun(19, 1)) {
    char said[600] = "";
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 120);
    fault(st, "{\"match\":{\"method\":\"PATCH\",\"path\":\"*/deployments/"
              "op\"},\"count\":-1,\"status\":200,\"body\":"
              "\"{\\\"kind\\\":\\\"Deployment\\\",\\\"spec\\\":{\\\"paused\\\":true}}\"}");
    wait_for(st, "Promoting", 180);
    simworld_run(st->sw, 30 * NS_PER_S);
    assert_int_equal(told(st, "WriteRefused", said), 1);
    assert_non_null(strstr(said, "the answer is still paused"));
    fault(st, "{\"clear\":true}");
    wait_for(st, "Stable", 300);
}

CASES("rollout/policy_edge")
