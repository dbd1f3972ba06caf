/* Whole instances of Handover rehearse a new version before its canary. */
#include "../each.h"
#include "rehearsal_stage.h"

#define SETS "/apis/apps/v1/namespaces/default/replicasets"

/* So many ReplicaSets of a rehearsal. */
static int rehearsals(struct stage *st) {
    cleanup_json cJSON *list = get(st, SETS);
    const cJSON *rs;
    int n = 0;
    cJSON_ArrayForEach(rs, json_arr(list, "items")) n +=
        json_get(json_at(rs, "metadata/labels"), "handover.dev/rehearsal") != NULL;
    return n;
}

/* Nobody's pods but their ReplicaSets': no label of the target's, no token of the account for the operator. */
static void are_apart(struct stage *st) {
    cleanup_json cJSON *list = get(st, "/api/v1/namespaces/default/pods");
    const cJSON *pod;
    int n = 0;
    cJSON_ArrayForEach(pod, json_arr(list, "items")) {
        const cJSON *labels = json_at(pod, "metadata/labels");
        if (!json_get(labels, "handover.dev/rehearsal")) continue;
        n++;
        assert_int_equal(cJSON_GetArraySize(labels), 1);
        const cJSON *spec = json_get(pod, "spec");
        assert_false(json_bool(spec, "automountServiceAccountToken", true));
        assert_string_equal(json_str(json_arr(spec, "initContainers")->child, "image"), "handover:test");
    }
    assert_int_equal(n, 2);
}

CASE_OF(struct stage, st, rehearsing(2, "'handover.dev/rehearse':'30s'"), stage_free,
        what_changes_nothing_gets_its_canary) {
    set_image(st, "op:v2");
    wait_for(st, "Rehearsing", 10);
    simworld_run(st->sw, 20 * NS_PER_S);
    assert_int_equal(rehearsals(st), 2);
    are_apart(st);
    wait_for(st, "Starting", 60);
    assert_int_equal(rehearsals(st), 0);
    char said[600] = "";
    assert_int_equal(told(st, "Rehearsed", said), 1);
    assert_non_null(strstr(said, "op:v2 was rehearsed: changes nothing (report "));
    wait_for(st, "Soaking", 60);
    wait_for(st, "Stable", 300);
    assert_int_equal(pods(st, "op:v2"), 2);
}

static struct stage *exceeding(int instances) {
    struct stage *st =
        rehearsing(instances, "'handover.dev/rehearse':'30s','handover.dev/max-changes':'restarts=0'");
    cleanup_free char *rule = quoted(xstrdup("{'image':'op:v2','report':" CHANGES("b") "}"));
    script(st, rule);
    set_image(st, "op:v2");
    return st;
}

static bool is_asked(void *ctx) {
    return told(ctx, "AwaitingApproval", NULL) > 0;
}

static void approve(struct stage *st) {
    cleanup_json cJSON *map = get(st, MAP);
    cleanup_free char *members =
        xasprintf("'handover.dev/approve':'%s'", json_str_or(json_get(map, "data"), "digest", "none"));
    annotate(st, members);
}

/* The report is the cluster's to be read, and a person's word about it lets it go on. */
CASE_OF(struct stage, st, exceeding(2), stage_free, a_person_is_asked_about_restarts) {
    assert_true(simworld_run_until(st->sw, is_asked, st, 120 * NS_PER_S));
    simworld_run(st->sw, 60 * NS_PER_S);
    assert_true(state_in_phase(st->api, "op-handover", "Rehearsing"));
    assert_int_equal(rehearsals(st), 0);
    assert_int_equal(pods(st, "op:v2"), 0);
    cleanup_json cJSON *map = get(st, MAP);
    const cJSON *data = json_get(map, "data");
    cleanup_json cJSON *report = json_parse(slice_of(json_str(data, "report")), NULL);
    assert_int_equal(json_i64(json_get(report, "counts"), "restarts", 0), 1);
    assert_string_equal(json_str(report, "digest"), json_str(data, "digest"));
    char said[600] = "";
    told(st, "AwaitingApproval", said);
    assert_non_null(strstr(said, "restarts=1 (allowed: 0)"));
    approve(st);
    wait_for(st, "Soaking", 60);
    assert_int_equal(told(st, "Approved", NULL), 1);
    wait_for(st, "Stable", 300);
    assert_int_equal(pods(st, "op:v2"), 2);
    /* Released, the report goes, too. */
    annotate(st, "'handover.dev/canary-percent':null");
    simworld_run(st->sw, 20 * NS_PER_S);
    cleanup_json cJSON *none = get(st, MAP);
    assert_null(none);
}

/* What stable's version would do as well is not the update's doing. */
CASE_OF(struct stage, st,
        rehearsing(1, "'handover.dev/rehearse':'30s','handover.dev/max-changes':'restarts=0'"), stage_free,
        what_both_would_do_is_no_change) {
    cleanup_free char *rule = quoted(xstrdup("{'report':" CHANGES("b") "}"));
    script(st, rule);
    set_image(st, "op:v2");
    wait_for(st, "Soaking", 120);
    assert_int_equal(told(st, "AwaitingApproval", NULL), 0);
}

static bool has_no_data(void *ctx) {
    return told(ctx, "NoData", NULL) > 0;
}

CASE_OF(struct stage, st, rehearsing(1, "'handover.dev/rehearse':'30s'"), stage_free,
        without_a_report_nothing_goes_on) {
    script(st, "{\"image\":\"op:v2\",\"reportMute\":true}");
    set_image(st, "op:v2");
    assert_true(simworld_run_until(st->sw, has_no_data, st, 200 * NS_PER_S));
    simworld_run(st->sw, 60 * NS_PER_S);
    assert_int_equal(rehearsals(st), 2);
    script(st, "{\"image\":\"op:v2\"}");
    wait_for(st, "Soaking", 120);
}

CASE(an_older_server_has_no_sidecars) {
    struct stage *st = begun(8, 1); /* 1.20 */
    annotate(st, "'handover.dev/rehearse':'30s'");
    set_image(st, "op:v2");
    wait_for(st, "Rehearsing", 10);
    simworld_run(st->sw, 20 * NS_PER_S);
    char said[600] = "";
    assert_int_equal(told(st, "InvalidConfig", said), 1);
    assert_non_null(strstr(said, "needs Kubernetes 1.29 or later"));
    assert_int_equal(rehearsals(st), 0);
    annotate(st, "'handover.dev/rehearse':null");
    wait_for(st, "Soaking", 60);
    stage_free(st);
}

/* ---- killed ---- */

struct killer {
    struct stage *st;
    int at, n; /* the write at which the leader dies, from 1; how many there were */
    bool after, due;
    char what[300];
};

static void on_write(void *ctx, const struct simrequest *r) {
    struct killer *k = ctx;
    bool ours = strcmp(r->from, "a") == 0 || strcmp(r->from, "b") == 0;
    if (!ours || strcmp(r->method, "GET") == 0 || r->arrived != k->after || strstr(r->target, "/leases/") ||
        strstr(r->target, "/events") || strstr(r->target, "dryRun"))
        return;
    if (++k->n != k->at) return;
    (void)snprintf(k->what, sizeof k->what, "%s %.250s", r->method, r->target);
    simworld_kill(k->st->in[r->from[0] - 'a'].w);
    k->due = true;
}

struct until {
    struct killer *k;
    const char *phase;
};
static bool phase_or_killed(void *ctx) {
    struct until *u = ctx;
    if (u->k->due) { /* a kubelet starts it again */
        int i = !simworld_alive(u->k->st->in[0].w) ? 0 : 1;
        u->k->due = false;
        crash(u->k->st, i);
        boot(u->k->st, i);
    }
    return u->phase && state_in_phase(u->k->st->api, "op-handover", u->phase);
}

static bool comes_to(struct killer *k, const char *phase, int64_t limit_s) {
    struct until u = {k, phase};
    return simworld_run_until(k->st->sw, phase_or_killed, &u, limit_s * NS_PER_S);
}

static bool asked_or_killed(void *ctx) {
    struct until *u = ctx;
    (void)phase_or_killed(ctx);
    cleanup_json cJSON *cm = get(u->k->st, STATE);
    return strstr(json_str_or(json_get(cm, "data"), "state", ""), "\"hold\":\"AwaitingApproval\"") != NULL;
}

/* Returns how many writes there were. */
static int killed_at(int at_write, bool after) {
    struct stage *st = exceeding(2);
    struct killer k = {.st = st, .at = at_write, .after = after};
    struct until u = {&k, NULL};
    st->may_end = true;
    simworld_on_request(st->sw, on_write, &k);
    bool asked = simworld_run_until(st->sw, asked_or_killed, &u, 400 * NS_PER_S);
    simworld_run(st->sw, 3 * NS_PER_S);
    int left = rehearsals(st), canaries = pods(st, "op:v2");
    cleanup_json cJSON *map = get(st, MAP);
    if (asked) approve(st);
    bool ends = asked && comes_to(&k, "Soaking", 300) && comes_to(&k, "Stable", 400);
    simworld_run(st->sw, 20 * NS_PER_S);
    simworld_on_request(st->sw, NULL, NULL);
    if (!ends || left || canaries || !map || rehearsals(st) || pods(st, "op:v2") != 2 || pods(st, "op:v1")) {
        cleanup_json cJSON *cm = get(st, STATE);
        fail_msg("killed %s write %d, %s: asked %d, %d rehearsals and %d canaries by then, ends %d: %s",
                 after ? "after" : "before", at_write, k.what, asked, left, canaries, ends,
                 json_str_or(json_get(cm, "data"), "state", ""));
    }
    int n = k.n;
    stage_free(st);
    return n;
}

/* Writes of a rehearsal, of its approval and of the rollout behind it; with REHEARSAL_ALL each of them, which takes minutes. */
CASE(killed_at_each_write) {
    const char *one = getenv("REHEARSAL_WRITE"), *all = getenv("REHEARSAL_ALL");
    if (one) {
        (void)killed_at(atoi(one), getenv("REHEARSAL_AFTER") != NULL);
        return;
    }
    int n = killed_at(0, false), every = all ? 1 : 9;
    print_message("%d writes\n", n);
    assert_in_range(n, 10, 100);
    for (int i = 1; i <= n; i += every) {
        (void)killed_at(i, false);
        (void)killed_at(every > 1 && i + 4 <= n ? i + 4 : i, true);
    }
}

CASES("simworld/app_rehearsal")
