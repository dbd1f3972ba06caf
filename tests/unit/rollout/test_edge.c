/* The controller around the plan, as a whole instance in a simulated world: what only shows with an API
 * server. */
#include "../case.h"
#include "../simworld/stage.h"

#define STAGE(name, make) CASE_OF(struct stage, st, make, stage_free, name)

STAGE(a_damaged_state_is_reported_and_a_repair_is_seen, begun(1, 1)) {
    char said[600] = "";
    cleanup_json cJSON *cm = get(st, STATE);
    cleanup_json cJSON *good = cJSON_CreateObject();
    cJSON_AddItemToObject(good, "data", cJSON_Duplicate(json_get(cm, "data"), true));
    cleanup_free char *repair = json_print(good);
    patch(st, STATE, "{\"data\":{\"state\":\"{\\\"version\\\":1,\\\"phase\\\":\\\"Dancing\\\"}\"}}");
    set_image(st, "op:v2");
    simworld_run(st->sw, 120 * NS_PER_S);
    assert_int_equal(told(st, "StateDamaged", said), 1);
    assert_string_equal(said,
                        "ConfigMap op-handover is damaged, nothing is done: data.state: phase: read "
                        "\"Dancing\", which is not allowed there; repair it, or have the Deployment adopted "
                        "anew: kubectl delete configmap/op-handover -n default");
    cleanup_json cJSON *held = get(st, DEPLOYMENT);
    assert_true(json_bool(json_get(held, "spec"), "paused", false));
    patch(st, STATE, repair); /* nothing else changes: no watch tells of it */
    wait_for(st, "Soaking", 60);
    wait_for(st, "Stable", 300);
    assert_int_equal(told(st, "StateDamaged", NULL), 1);
}

/* In mode replicas the canary of an operator that elects a leader stands by. That is said with what to do, and doing it works. */
STAGE(a_canary_that_stands_by, begun(2, 1)) {
    script(st, "{\"image\":\"*\",\"leaderElection\":true}");
    patch(st, DEPLOYMENT, "{\"metadata\":{\"annotations\":{\"handover.dev/mode\":\"replicas\"}}}");
    simworld_run(st->sw, 60 * NS_PER_S); /* one of stable's leads */
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 60);
    simworld_run(st->sw, 60 * NS_PER_S);
    cleanup_json cJSON *held = get(st, DEPLOYMENT);
    const char *status = json_str_or(json_at(held, "metadata/annotations"), "handover.dev/status", "");
    assert_string_equal(status,
                        "Soaking (NoData): no metrics: canary: it stands by for a lease that it shares "
                        "with stable; annotations canary-args or canary-env give it one of its own, "
                        "then: retry");
    cleanup_json cJSON *cm = get(st, STATE);
    cleanup_json cJSON *s = json_parse(slice_of(json_str(json_get(cm, "data"), "state")), NULL);
    cleanup_free char *body = xasprintf("{\"metadata\":{\"annotations\":{\"handover.dev/canary-args\":"
                                        "\"--leader-election-id=canary\",\"handover.dev/retry\":\"%s\"}}}",
                                        json_str(s, "hash"));
    patch(st, DEPLOYMENT, body);
    wait_for(st, "Promoting", 300);
    wait_for(st, "Stable", 300);
}

/* The same operator without a word: the canary is seen to wait for stable's Lease, and leads by turns. */
STAGE(stable_and_canary_lead_by_turns, begun(2, 1)) {
    script(st, "{\"image\":\"*\",\"leaderElection\":true,\"reconcilesPerSecond\":2}");
    simworld_run(st->sw, 60 * NS_PER_S);
    set_image(st, "op:v2");
    wait_for(st, "Promoting", 900);
    wait_for(st, "Stable", 300);
    assert_int_equal(told(st, "LeaderMode", NULL), 1);
    assert_true(told(st, "TrialStarted", NULL) >= 1 && told(st, "LeaseReleased", NULL) >= 2);
    cleanup_json cJSON *op = get(st, DEPLOYMENT);
    assert_int_equal(json_i64(json_get(op, "spec"), "replicas", 0), 2);
    script(st, "{\"image\":\"op:bad\",\"leaderElection\":true,\"reconcilesPerSecond\":2,\"errorRate\":1}");
    set_image(st, "op:bad");
    wait_for(st, "RolledBack", 900);
    cleanup_json cJSON *back = get(st, DEPLOYMENT);
    assert_int_equal(json_i64(json_get(back, "spec"), "replicas", 0), 2);
}

struct sent {
    struct simworld *sw;
    int64_t state_ns, release_ns; /* when the state was sent, when the lease's release was; 0: not yet */
    char steps[64];               /* in their order: s for the state, x for another */
};

static void on_request(void *ctx, const struct simrequest *r) {
    struct sent *w = ctx;
    if (r->arrived) return;
    cleanup_free char *body = slice_dup(r->body);
    bool state = strstr(r->target, "configmaps/op-handover") != NULL, ours = strcmp(r->from, "a") == 0;
    if (ours && strcmp(r->method, "GET") && !strstr(r->target, "/leases") && !strstr(r->target, "/events") &&
        strlen(w->steps) + 1 < sizeof w->steps)
        strcat(w->steps, state ? "s" : "x");
    if (strcmp(r->method, "PATCH") == 0 && strstr(r->target, "configmaps/op-handover"))
        w->state_ns = simworld_now(w->sw);
    if (strcmp(r->method, "PUT") == 0 && strstr(r->target, "/leases/") &&
        strstr(body, "\"holderIdentity\":\"\""))
        w->release_ns = simworld_now(w->sw);
}

static bool state_sent(void *ctx) {
    return ((struct sent *)ctx)->state_ns != 0;
}

static bool ended(void *ctx) {
    return ((struct stage *)ctx)->in[0].ended;
}

/* What a plan does rests on its first step, the state: when that is refused, the rest is not carried out. */
STAGE(a_refused_state_has_no_effects, begun(5, 1)) {
    struct sent w = {.sw = st->sw};
    fault(st, "{\"match\":{\"method\":\"PATCH\",\"path\":\"*/configmaps/"
              "op-handover\"},\"count\":1,\"status\":409}");
    simworld_on_request(st->sw, on_request, &w);
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 60);
    if (strncmp(w.steps, "ssx", 3) != 0) fail_msg("steps %s", w.steps);
}

/* Asked to hurry while a write of ours is held at the server (a slow webhook): were it given up for lost, it
 * could be carried out after the successor's first. The lease is given away when it has been answered. */
STAGE(a_mutation_in_the_air_is_waited_for, begun(3, 1)) {
    struct sent w = {.sw = st->sw};
    fault(st, "{\"match\":{\"method\":\"PATCH\",\"path\":\"*/configmaps/op-handover\"},\"count\":-1,"
              "\"latencyMs\":1500}");
    simworld_on_request(st->sw, on_request, &w);
    set_image(st, "op:v2");
    assert_true(simworld_run_until(st->sw, state_sent, &w, 10 * NS_PER_S));
    int64_t sent = w.state_ns;
    st->may_end = true;
    app_stop(st->in[0].app, "SIGTERM");
    simworld_run(st->sw, 100 * MS);
    app_stop(st->in[0].app, "SIGTERM"); /* cancels what is in flight */
    assert_true(simworld_run_until(st->sw, ended, st, 30 * NS_PER_S));
    assert_int_equal(st->in[0].code, 3);
    assert_int_equal(w.state_ns, sent);
    assert_string_equal(w.steps, "s"); /* and no further step */
    assert_true(w.release_ns >= sent + 1500 * MS);
    cleanup_json cJSON *cm = get(st, STATE);
    assert_non_null(strstr(json_str_or(json_get(cm, "data"), "state", ""), "\"phase\":\"Starting\""));
}

/* 60 targets of 8 pods of which the canary's pages never answer: a neighbour's rollout takes its soak, and a drain takes no
 * time. */
STAGE(silent_pages_delay_nobody_else, begun(4, 1)) {
    struct sent w = {.sw = st->sw};
    char name[16];
    script(st, "{\"image\":\"mute:*\",\"metrics\":\"slow\",\"slowMs\":3600000}");
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "mute-%d", i);
        make_target(st, name);
    }
    simworld_run(st->sw, 60 * NS_PER_S);
    for (int i = 0; i < 60; i++) {
        cleanup_free char *path = xasprintf("/apis/apps/v1/namespaces/default/deployments/mute-%d", i);
        patch(st, path,
              "{\"spec\":{\"replicas\":8,\"template\":{\"spec\":{\"containers\":[{\"name\":\"m\",\"image\":"
              "\"mute:v2\"}]}}}}");
    }
    simworld_run(st->sw, 20 * NS_PER_S);
    assert_true(simworld_stats(st->sw).open > 16);
    int64_t from = simworld_now(st->sw);
    set_image(st, "op:v2");
    wait_for(st, "Promoting", 300);
    assert_true(simworld_now(st->sw) - from < 45 * NS_PER_S);
    simworld_on_request(st->sw, on_request, &w);
    st->may_end = true;
    from = simworld_now(st->sw);
    app_stop(st->in[0].app, "SIGTERM");
    assert_true(simworld_run_until(st->sw, ended, st, 30 * NS_PER_S));
    assert_true(st->in[0].code == 0 && w.release_ns - from < NS_PER_S);
}

/* The new leader's watch of Deployments hangs since before the update: what it has is older than the state, so it reads. */
STAGE(a_new_leader_whose_deployments_lag_reads_the_target, begun(5, 1)) {
    /* As an older server: a list, and then a watch, which is what hangs. */
    fault(st, "{\"match\":{\"path\":\"/apis/apps/v1/"
              "deployments\",\"query\":\"sendInitialEvents\"},\"count\":1,\"status\":422}");
    fault(st, "{\"match\":{\"path\":\"/apis/apps/v1/"
              "deployments\",\"query\":\"watch=\"},\"count\":1,\"latencyMs\":300000}");
    boot(st, 1);
    simworld_run(st->sw, 5 * NS_PER_S);
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 60);
    st->may_end = true;
    app_stop(st->in[0].app, "SIGTERM");
    wait_for(st, "Promoting", 120);
    wait_for(st, "Stable", 120);
    assert_int_equal(told(st, "RolloutCancelled", NULL), 0);
    assert_int_equal(pods(st, "op:v1"), 0);
}

CASES("rollout/edge")
