/* What a leader reads for a rehearsal: the sidecars' reports, and whose the ConfigMap is that keeps them. */
#include "rehearsal_stage.h"

static bool is_held(struct stage *st, const char *reason) {
    cleanup_json cJSON *cm = get(st, STATE);
    cleanup_free char *hold = xasprintf("\"hold\":\"%s\"", reason);
    return strstr(json_str_or(json_get(cm, "data"), "state", ""), hold) != NULL;
}

static bool has_no_data(void *ctx) {
    return is_held(ctx, "NoData");
}

/* What stable's version would do as well is not known before it has said so. */
CASE_OF(struct stage, st, rehearsing(1, "'handover.dev/rehearse':'30s'"), stage_free,
        the_control_does_not_answer) {
    script(st, "{\"image\":\"op:v1\",\"reportMute\":true}");
    set_image(st, "op:v2");
    assert_true(simworld_run_until(st->sw, has_no_data, st, 120 * NS_PER_S));
    script(st, "{\"image\":\"op:v1\"}");
    wait_for(st, "Soaking", 120);
}

/* How often a report was asked for: as it was, and the last, when what was written has had the time to come about live. */
struct asked {
    struct simworld *sw;
    unsigned as_it_was, settled, afterwards;
    int64_t first_settled_ns;
};
static void on_request(void *ctx, const struct simrequest *r) {
    struct asked *a = ctx;
    if (!r->arrived || !strstr(r->target, "/report?key=")) return;
    bool settled = strstr(r->target, "&settled=true") != NULL;
    if (settled && !a->settled) a->first_settled_ns = simworld_now(a->sw);
    a->settled += settled;
    a->as_it_was += !settled;
    a->afterwards += !settled && a->settled;
}

CASE_OF(struct stage, st, rehearsing(1, "'handover.dev/rehearse':'30s'"), stage_free,
        only_the_last_report_waits_for_what_comes_about) {
    struct asked a = {.sw = st->sw};
    simworld_on_request(st->sw, on_request, &a);
    int64_t from = simworld_now(st->sw);
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 120);
    assert_int_equal(a.settled, 2);
    assert_true(a.as_it_was >= 2 && !a.afterwards);
    assert_in_range((a.first_settled_ns - from) / NS_PER_MS, 30000, 60000);
    simworld_on_request(st->sw, NULL, NULL);
}

/* A sidecar of an earlier version knows of no such report: it is asked as before. */
CASE_OF(struct stage, st, rehearsing(1, "'handover.dev/rehearse':'30s'"), stage_free,
        a_sidecar_that_knows_of_no_last_report) {
    struct asked a = {.sw = st->sw};
    script(st, "{\"image\":\"*:v?\",\"reportUnsettled\":true}");
    simworld_on_request(st->sw, on_request, &a);
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 120);
    assert_true(a.settled == 2 && a.afterwards >= 2);
    simworld_on_request(st->sw, NULL, NULL);
}

#define LABELLED ",'labels':{'handover.dev/rehearsal':'x'}"

static bool has_name_conflict(void *ctx) {
    return is_held(ctx, "NameConflict");
}

/* A ConfigMap that has the name is somebody's, whether it has no owner, no label, or another target for its owner. */
CASE_OF(struct stage, st, rehearsing(1, "'handover.dev/rehearse':'30s'"), stage_free,
        a_configmap_of_anothers) {
    make_target(st, "other");
    cleanup_json cJSON *other = get(st, "/apis/apps/v1/namespaces/default/deployments/other");
    cleanup_free char *owned = xasprintf(
        LABELLED
        ",'ownerReferences':[{'apiVersion':'apps/v1','kind':'Deployment','name':'other','uid':'%s'}]",
        json_str(json_get(other, "metadata"), "uid"));
    const char *const others[] = {"", LABELLED, owned};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        cleanup_free char *map = xasprintf("{'metadata':{'name':'op-handover-rehearsal'%s}}", others[i]);
        create(st->sw, "/api/v1/namespaces/default/configmaps", map);
        if (i == 0) set_image(st, "op:v2");
        assert_true(simworld_run_until(st->sw, has_name_conflict, st, 120 * NS_PER_S));
        simworld_run(st->sw, 15 * NS_PER_S); /* it is looked at again and again */
        assert_true(has_name_conflict(st));
        request(st, "DELETE", MAP, "application/json", "", 200);
    }
    wait_for(st, "Soaking", 120);
    cleanup_json cJSON *kept = get(st, MAP);
    assert_non_null(json_str(json_get(kept, "data"), "report"));
}

static void delete_control(struct stage *st) {
    cleanup_json cJSON *list = get(st, "/apis/apps/v1/namespaces/default/replicasets");
    const cJSON *rs;
    cJSON_ArrayForEach(rs, json_arr(list, "items")) {
        const char *name = json_str(json_get(rs, "metadata"), "name");
        if (strncmp(name, "op-rehearsal-control-", 21) != 0) continue;
        cleanup_free char *path = xasprintf("/apis/apps/v1/namespaces/default/replicasets/%s", name);
        request(st, "DELETE", path, "application/json", "", 200);
    }
}

/* Without stable's template there is no other control: the one before, which did not answer, is asked no more. */
CASE_OF(struct stage, st, rehearsing(2, "'handover.dev/rehearse':'30s'"), stage_free,
        a_control_that_cannot_be_made_again) {
    script(st, "{\"image\":\"op:v1\",\"reportMute\":true}");
    set_image(st, "op:v2");
    assert_true(simworld_run_until(st->sw, has_no_data, st, 120 * NS_PER_S));
    int first = leader(st);
    crash(st, first); /* the next one has not read the template */
    simworld_run(st->sw, 120 * NS_PER_S);
    assert_true(leader(st) == 1 - first && has_no_data(st));
    fault(st, "{\"match\":{\"path\":\"/apis/apps/v1/namespaces/default/"
              "replicasets\",\"query\":\"metadata.name\"},"
              "\"status\":403,\"count\":1000}");
    delete_control(st);
    wait_for(st, "Soaking", 200);
}

CASES("simworld/rehearsal_edge")
