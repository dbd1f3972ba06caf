/* Outside causes that stop pods, with the whole program and an API server: named, no verdict, and it goes on by itself. */
#include "../case.h"
#include "../simworld/stage.h"

static void quota(struct stage *st, int pods) {
    cleanup_free char *body =
        xasprintf("{\"metadata\":{\"name\":\"q\"},\"spec\":{\"hard\":{\"pods\":\"%d\"}}}", pods);
    request(st, "POST", "/api/v1/namespaces/default/resourcequotas", "application/json", body, 201);
}

static void status(struct stage *st, char ret[1000]) {
    cleanup_json cJSON *d = get(st, DEPLOYMENT);
    snprintf(ret, 1000, "%s", json_str_or(json_at(d, "metadata/annotations"), "handover.dev/status", ""));
}

static void shows(struct stage *st, const char *begin, const char *part) {
    char line[1000];
    status(st, line);
    if (strncmp(line, begin, strlen(begin)) != 0 || !strstr(line, part)) fail_msg("status: %s", line);
}

static char *last_result(struct stage *st) {
    cleanup_json cJSON *cm = get(st, STATE);
    cleanup_json cJSON *s = json_parse(slice_of(json_str_or(json_get(cm, "data"), "state", "{}")), NULL);
    const cJSON *history = json_arr(s, "history");
    return xstrdup(json_str_or(history ? history->child : NULL, "result", "none"));
}

static void promoted(struct stage *st) {
    wait_for(st, "Stable", 300);
    cleanup_free char *result = last_result(st);
    assert_string_equal(result, "promoted");
    assert_true(pods(st, "op:v2") == 2 && pods(st, "op:v1") == 0);
}

/* How often PodsNotCreated was written with both texts, as Kubernetes counts. */
static int named(struct stage *st, const char *begin, const char *part) {
    cleanup_json cJSON *list = get(st, "/api/v1/namespaces/default/events");
    const cJSON *e;
    int n = 0;
    cJSON_ArrayForEach(e, json_arr(list, "items")) {
        const char *text = json_str_or(e, "message", "");
        if (strcmp(json_str_or(e, "reason", ""), "PodsNotCreated") == 0 &&
            strncmp(text, begin, strlen(begin)) == 0 && strstr(text, part))
            n += (int)json_i64(e, "count", 1);
    }
    return n;
}

/* Two pods of stable and two of the canary are all that the quota allows: the promotion needs one of them. */
CASE(a_promotion_in_a_full_quota) {
    struct stage *st = begun(11, 1);
    quota(st, 4);
    set_image(st, "op:v2");
    wait_for(st, "Promoting", 300);
    promoted(st);
    assert_int_equal(
        named(st, "0 of 1 new pods exist: pods \"op-",
              "\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=4, limited: pods=4; "
              "the promotion waits, and the canary makes room for it"),
        1);
    assert_int_equal(told(st, "RollingBack", NULL), 0);
    stage_free(st);
}

/* The namespace's PodSecurity level does not let the new version in, for five deadlines, none of which makes a verdict of it. */
CASE(a_canary_that_pod_security_refuses) {
    static const char policy[] =
        "violates PodSecurity \\\"restricted:latest\\\": allowPrivilegeEscalation != false";
    struct stage *st = begun(12, 1);
    cleanup_free char *refuse = xasprintf("{\"image\":\"op:v2\",\"refused\":\"%s\"}", policy);
    char said[600] = "";
    patch(st, DEPLOYMENT,
          "{\"metadata\":{\"annotations\":{\"handover.dev/on-inconclusive\":\"rollback\","
          "\"handover.dev/deadline\":\"2m\"}}}");
    script(st, refuse);
    set_image(st, "op:v2");
    simworld_run(st->sw, 600 * NS_PER_S);
    shows(st, "Starting (PodsNotCreated): 0 of 2 canary pods exist: pods \"op-canary-",
          "\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false");
    assert_int_equal(told(st, "PodsNotCreated", said), 1);
    assert_int_equal(pods(st, "op:v1"), 2);
    script(st, "{\"image\":\"op:v2\"}");
    promoted(st);
    stage_free(st);
}

struct announced {
    bool refused; /* the pause was answered by an error, at least once */
    int adopted;  /* Events that say Adopted while the pause is refused */
};

static void on_request(void *ctx, const struct simrequest *r) {
    struct announced *a = ctx;
    cleanup_free char *body = slice_dup(r->body);
    if (strstr(r->target, "/events") && strstr(body, "\"Adopted\"")) a->adopted++;
    a->refused = a->refused || (strcmp(r->method, "PATCH") == 0 && strstr(r->target, "deployments/op"));
}

/* An admission policy refuses the pause: nothing is announced, the refusal is named, and adoption follows when it is lifted. */
CASE(a_pause_that_admission_refuses) {
    struct stage *st = cluster(13);
    struct announced a = {0};
    char said[600] = "";
    make_target(st, "op");
    simworld_run(st->sw, 5 * NS_PER_S);
    fault(st, "{\"match\":{\"method\":\"PATCH\",\"path\":\"*/deployments/"
              "op\"},\"count\":-1,\"status\":422,\"body\":"
              "\"{\\\"kind\\\":\\\"Status\\\",\\\"reason\\\":\\\"Invalid\\\",\\\"message\\\":\\\"deployments."
              "apps op is "
              "forbidden: ValidatingAdmissionPolicy no-pause with binding all denied request: keep it "
              "running\\\"}\"}");
    simworld_on_request(st->sw, on_request, &a);
    boot(st, 0);
    simworld_run(st->sw, 600 * NS_PER_S);
    assert_true(a.refused && a.adopted == 0);
    assert_int_equal(told(st, "WriteRefused", said), 1);
    assert_non_null(strstr(said, "the API server refuses a write: pause: "));
    assert_non_null(
        strstr(said, "ValidatingAdmissionPolicy no-pause with binding all denied request: keep it running"));
    cleanup_json cJSON *cm = get(st, STATE);
    const char *text = json_str_or(json_get(cm, "data"), "state", "");
    assert_true(strstr(text, "\"phase\":\"Adopting\"") && strstr(text, "\"hold\":\"WriteRefused\""));
    fault(st, "{\"clear\":true}");
    wait_for(st, "Stable", 120);
    simworld_run(st->sw, 5 * NS_PER_S);
    assert_int_equal(told(st, "Adopted", NULL), 1);
    shows(st, "Stable: op:v1 is in service", "");
    stage_free(st);
}

CASES("rollout/outside")
