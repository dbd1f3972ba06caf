/* Whose Lease is released in its stead: only a process's that is dead by the kubelet's word, of this target, and that held it then. */
#include "plan/plan.h"
#include "read_pod.h"

#define AT    (INT64_C(1795457793) * NS_PER_S) /* 2026-11-23T18:16:33Z */
#define THEN  "'2026-11-23T18:16:33Z'"
#define LATER "'2026-11-23T18:16:40Z'"
#define ENDED(code, at, more)                                                                                \
    "'terminated':{'exitCode':" code ",'startedAt':'2026-11-23T18:00:00Z','finishedAt':" at more "}"
#define RUNS "'running':{'startedAt':" LATER "}"

/* ---- is it dead, and since when ---- */

struct death {
    const char *what, *spec, *status;
    int64_t died; /* after AT, ns; -1: not for certain */
};
#define MAIN(state) "'containerStatuses':[{'name':'m'," state "}]"
static const struct death deaths[] = {
    {"it ended", "'containers':[{'name':'m'}]", MAIN("'state':{" ENDED("0", THEN, "") "}"), 0},
    {"it was killed", "'containers':[{'name':'m'}]",
     MAIN("'state':{" ENDED("137", LATER, ",'reason':'OOMKilled'") "}"), 7 * NS_PER_S},
    {"it runs", "'containers':[{'name':'m'}]", MAIN("'state':{" RUNS "}"), -1},
    {"it runs again: a process that was at work before its last end is dead", "'containers':[{'name':'m'}]",
     MAIN("'state':{" RUNS "},'lastState':{" ENDED("1", THEN, "") "}"), 0},
    {"it waits for its next start", "'containers':[{'name':'m'}]",
     MAIN("'state':{'waiting':{'reason':'CrashLoopBackOff'}},'lastState':{" ENDED("2", THEN, "") "}"), 0},
    {"its shim was lost: it may be alive", "'containers':[{'name':'m'}]",
     MAIN("'state':{" ENDED("255", THEN, ",'reason':'Unknown'") "}"), -1},
    {"the kubelet found no container", "'containers':[{'name':'m'}]",
     MAIN("'state':{" ENDED("137", THEN, ",'reason':'ContainerStatusUnknown'") "}"), -1},
    {"without an exit code", "'containers':[{'name':'m'}]",
     MAIN("'state':{'terminated':{'finishedAt':" THEN "}}"), -1},
    {"without a time", "'containers':[{'name':'m'}]", MAIN("'state':{'terminated':{'exitCode':0}}"), -1},
    {"evicted: the phase says Failed while it runs", "'containers':[{'name':'m'}]",
     "'phase':'Failed','reason':'Evicted'," MAIN("'state':{" RUNS "}"), -1},
    {"no status yet", "'containers':[{'name':'m'}]", "'phase':'Pending'", -1},
    {"a second container runs", "'containers':[{'name':'m'},{'name':'n'}]",
     "'containerStatuses':[{'name':'m','state':{" ENDED("0", THEN, "") "}},{'name':'n','state':{" RUNS "}}]",
     -1},
    {"a second container is not told of", "'containers':[{'name':'m'},{'name':'n'}]",
     MAIN("'state':{" ENDED("0", THEN, "") "}"), -1},
    {"both ended: the first of the two ends counts", "'containers':[{'name':'m'},{'name':'n'}]",
     "'containerStatuses':[{'name':'m','state':{" ENDED("0", LATER, "") "}},{'name':'n','state':{" ENDED(
         "0", THEN, "") "}}]",
     0},
    {"an init container is over long since", "'containers':[{'name':'m'}],'initContainers':[{'name':'i'}]",
     "'initContainerStatuses':[{'name':'i','state':{" ENDED("0", THEN, "") "}}]," MAIN("'state':{" RUNS "}"),
     -1},
    {"a native sidecar runs",
     "'containers':[{'name':'m'}],'initContainers':[{'name':'i','restartPolicy':'Always'}]",
     "'initContainerStatuses':[{'name':'i','state':{" RUNS "}}]," MAIN("'state':{" ENDED("0", THEN, "") "}"),
     -1},
    {"a native sidecar ended, too",
     "'containers':[{'name':'m'}],'initContainers':[{'name':'i','restartPolicy':'Always'}]",
     "'initContainerStatuses':[{'name':'i','state':{" ENDED("0", LATER, "") "}}]," MAIN(
         "'state':{" ENDED("0", THEN, "") "}"),
     0},
};

CASE(a_pod_is_dead_by_the_ends_of_all_its_containers_alone) {
    for (size_t i = 0; i < ARRAY_LEN(deaths); i++) {
        const struct death *d = &deaths[i];
        struct obs_pod p = pod("", d->spec, d->status);
        int64_t want = d->died < 0 ? 0 : AT + d->died;
        if (p.died_ns != want) fail_msg("%s: %lld, not %lld", d->what, (long long)p.died_ns, (long long)want);
        obs_pod_free(&p);
    }
}

CASE(a_pod_is_over_when_it_is_deleted_and_none_of_its_containers_was_started_again) {
    static const char deleted[] = ",'deletionTimestamp':'2026-11-23T18:16:00Z'",
                      spec[] = "'containers':[{'name':'m'}]";
    static const struct {
        const char *meta, *status;
        bool over;
    } pods[] = {{deleted, MAIN("'state':{" ENDED("0", THEN, "") "}"), true},
                {"", MAIN("'state':{" ENDED("0", THEN, "") "}"), false},
                {deleted, MAIN("'state':{" RUNS "},'lastState':{" ENDED("1", THEN, "") "}"), false},
                {deleted, MAIN("'state':{" ENDED("255", THEN, "") "}"), false}};
    for (size_t i = 0; i < ARRAY_LEN(pods); i++) {
        struct obs_pod p = pod(pods[i].meta, spec, pods[i].status);
        if (p.over != pods[i].over) fail_msg("%s %s", pods[i].meta, pods[i].status);
        obs_pod_free(&p);
    }
}

/* ---- whose Lease ---- */

/* Members of objects are not const, since they are owned; these are not freed. */
static char *borrowed(const char *text) {
    return (char *)(uintptr_t)text;
}

CASE(a_holder_is_a_pod_by_its_host_name) {
    static const struct {
        const char *identity, *pod;
    } held[] = {{"op-1_5a3c", "op-1"}, {"op-1", "op-1"}, {"op-1_a_b", "op-1"}, {"", ""}, {"_x", ""},
                {"Op_x", ""},          {"op 1_x", ""},   {"a.b_x", ""}};
    for (size_t i = 0; i < ARRAY_LEN(held); i++) {
        cleanup_free char *holder = xstrdup(held[i].identity);
        struct obs_lease l = {.holder = holder};
        struct slice pod = obs_lease_pod(&l);
        if (!slice_eqs(pod, held[i].pod)) fail_msg("%s: %.*s", held[i].identity, (int)pod.n, pod.p);
        assert_int_equal(obs_lease_held_by(&l, "op-1"), !strcmp(held[i].pod, "op-1"));
        assert_false(obs_lease_held_by(&l, "op-12") || obs_lease_held_by(&l, "op"));
    }
}

/* A target in some phase with one ReplicaSet, a Pod of which has died at AT holding the Lease. */
struct look {
    struct spec spec;
    struct err none, invalid;
    struct state state;
    struct obs_target target;
    struct obs_rs rs;
    struct obs_lease lease;
    struct dead_pods dead;
    struct observed o;
};

static void look_init(struct look *k) {
    *k = (struct look){0};
    state_init(&k->state);
    k->state.phase = PHASE_STABLE;
    k->state.stable_uid = xstrdup("rs-1");
    k->state.stable_name = xstrdup("op-rs");
    k->state.target_uid = xstrdup("d-1");
    k->state.paused = true;
    k->spec = (struct spec){.nsteps = 1, .step = {10}, .assist = ASSIST_ALWAYS, .max_regression = 2};
    k->target = (struct obs_target){.kind = &workload_deployment,
                                    .id = borrowed("op"),
                                    .ns = borrowed("ns"),
                                    .name = borrowed("op"),
                                    .uid = borrowed("d-1"),
                                    .rv = borrowed("7"),
                                    .paused = true,
                                    .replicas = 1,
                                    .deadline_s = INT32_MAX,
                                    .selector = borrowed("{}"),
                                    .tmpl = borrowed("{}"),
                                    .image = borrowed("op:v1"),
                                    .st_replicas = 1,
                                    .st_updated = 1,
                                    .st_available = 1,
                                    .st_ready = 1};
    k->rs = (struct obs_rs){.name = borrowed("op-rs"),
                            .uid = borrowed("rs-1"),
                            .rv = borrowed("1"),
                            .owner_uid = borrowed("d-1"),
                            .replicas = 1};
    k->lease = (struct obs_lease){.ns = borrowed("ns"),
                                  .name = borrowed("lock"),
                                  .rv = borrowed("42"),
                                  .holder = borrowed("op-1_x"),
                                  .acquired_ns = AT - 1,
                                  .renewed_ns = AT - 1};
    struct obs_pod p = {.ns = borrowed("ns"),
                        .name = borrowed("op-1"),
                        .rs_uid = borrowed("rs-1"),
                        .rs_name = borrowed("op-rs"),
                        .died_ns = AT};
    dead_pods_add(&k->dead, &p);
    k->o = (struct observed){.name = "op",
                             .target = &k->target,
                             .known = true,
                             .rs = &k->rs,
                             .nrs = 1,
                             .spec = &k->spec,
                             .spec_err = &k->none,
                             .state_known = STATE_READ,
                             .state = &k->state,
                             .state_rv = "3",
                             .state_confirmed = true,
                             .leases = &k->lease,
                             .nleases = 1,
                             .dead = &k->dead};
}
static void look_free(struct look *k) {
    state_free(&k->state);
    dead_pods_free(&k->dead);
}
#define LOOK(name) CASE_WITH(struct look, k, look_init, look_free, name)

static bool releases(struct look *k) {
    cleanup_plan struct plan p;
    bool found = false;
    plan_make(&k->o, AT + NS_PER_S, &p);
    for (size_t i = 0; i < p.nsteps; i++) {
        const struct step *s = &p.step[i];
        if (s->kind != STEP_LEASE) continue;
        assert_false(found); /* once */
        found = true;
        assert_true(s->optional && s->verb == VERB_PATCH_MERGE && i == p.nsteps - 1);
        assert_string_equal(s->name, "lock");
        cleanup_json cJSON *body = json_parse(slice_of(s->body), NULL);
        assert_string_equal(json_str_or(json_get(body, "metadata"), "resourceVersion", ""), "42");
        assert_string_equal(json_str_or(json_get(body, "spec"), "holderIdentity", "x"), "");
        assert_int_equal(json_i64(json_get(body, "spec"), "leaseDurationSeconds", 0), 1);
    }
    return found;
}

LOOK(the_lease_of_a_dead_pod_is_released) {
    assert_true(releases(k));
}
LOOK(a_lease_that_was_taken_after_the_end_is_another_processs) {
    k->lease.acquired_ns = AT;
    assert_false(releases(k));
    k->lease.acquired_ns = 0; /* not told */
    assert_false(releases(k));
}
/* Started again, it goes on with the Lease of the process before, acquireTime and all. */
LOOK(a_lease_that_a_process_of_the_same_identity_renews_stays) {
    k->lease.holder = borrowed("op-1");
    assert_true(releases(k));
    k->lease.renewed_ns = AT;
    assert_false(releases(k));
    k->lease.renewed_ns = 0; /* not told */
    assert_false(releases(k));
    k->lease.holder =
        borrowed("op-1_0a3be6c0-6f0e-4f3c-9f5a-0123456789ab"); /* no other process has that one */
    k->lease.renewed_ns = AT + NS_PER_S - 1;                   /* the kubelet tells whole seconds */
    assert_true(releases(k));
    k->lease.renewed_ns = AT + NS_PER_S;
    assert_false(releases(k));
}
LOOK(a_pod_that_is_over_renews_nothing) {
    struct obs_pod p = {.ns = borrowed("ns"),
                        .name = borrowed("op-1"),
                        .rs_uid = borrowed("rs-1"),
                        .rs_name = borrowed("op-rs"),
                        .died_ns = AT,
                        .over = true};
    k->lease.holder = borrowed("op-1");
    k->lease.renewed_ns = AT + 5 * NS_PER_S; /* its other container ended sooner */
    assert_false(releases(k));
    dead_pods_add(&k->dead, &p);
    assert_true(releases(k));
}
LOOK(a_lease_that_another_pod_holds_stays) {
    k->lease.holder = borrowed("op-2_x");
    assert_false(releases(k));
}
LOOK(a_pod_of_another_owner_or_namespace_proves_nothing) {
    k->rs.uid = borrowed("rs-2");
    assert_false(releases(k));
    k->rs.uid = borrowed("rs-1");
    k->lease.ns = borrowed("other");
    assert_false(releases(k));
}
LOOK(a_lease_that_the_api_server_gives_out_stays) {
    k->lease.coordinated = true;
    assert_false(releases(k));
}
LOOK(the_annotation_lease_names_the_only_one) {
    k->spec.lease = borrowed("another");
    assert_false(releases(k));
    k->spec.lease = borrowed("lock");
    assert_true(releases(k));
}
LOOK(with_an_invalid_annotation_nothing_is_released) {
    k->o.spec_err = &k->invalid;
    k->invalid.kind = ERR_CONFIG;
    assert_false(releases(k));
}
LOOK(by_default_it_is_for_the_time_of_a_rollout) {
    static const bool rollout[PHASES] = {
        [PHASE_STARTING] = true,  [PHASE_SOAKING] = true,      [PHASE_PROMOTING] = true,
        [PHASE_FINISHING] = true, [PHASE_ROLLING_BACK] = true, [PHASE_CANCELLING] = true};
    k->spec.mode = MODE_REPLICAS; /* the others look at Leases in a trial, too */
    for (int a = ASSIST_ROLLOUT; a <= ASSIST_OFF; a++) {
        for (int p = 0; p < PHASES; p++) {
            k->spec.assist = (enum spec_assist)a;
            k->state.phase = (enum phase)p;
            bool want = a == ASSIST_ALWAYS || (a == ASSIST_ROLLOUT && rollout[p]);
            if ((plan_needs(&k->o) == NEED_LEASES) != want)
                fail_msg("assist %d in %s", a, phase_name((enum phase)p));
        }
    }
    k->state.phase = PHASE_STABLE;
    k->spec.assist = ASSIST_ROLLOUT;
    assert_false(releases(k));
}

/* ---- the memory of dead pods ---- */

CASE(dead_pods_are_remembered_up_to_a_number) {
    struct dead_pods *d = xcalloc(1, sizeof *d);
    char name[32];
    struct obs_pod p = {.ns = borrowed("ns"),
                        .name = name,
                        .rs_uid = borrowed("r"),
                        .rs_name = borrowed("rs"),
                        .died_ns = AT};
    for (int i = 0; i < DEAD_PODS_MAX + 3; i++) {
        snprintf(name, sizeof name, "p-%d", i);
        dead_pods_add(d, &p);
        dead_pods_add(d, &p); /* seen again */
    }
    struct obs_lease l = {.ns = borrowed("ns"), .holder = borrowed("p-2_x")};
    assert_null(dead_pods_rs(d, &l));
    l.holder = borrowed("p-3_x");
    assert_string_equal(dead_pods_rs(d, &l), "rs");
    l.ns = borrowed("other");
    assert_null(dead_pods_rs(d, &l));
    p.died_ns = 0;
    snprintf(name, sizeof name, "alive");
    dead_pods_add(d, &p);
    l = (struct obs_lease){.ns = borrowed("ns"), .holder = borrowed("alive_x")};
    assert_null(dead_pods_rs(d, &l));
    dead_pods_free(d);
    free(d);
}
/* Who may annotate a Deployment names any Lease; whose Lease it is says who may have it. */
LOOK(of_another_namespace_that_lets_this_target_have_it) {
    static const struct {
        const char *targets;
        bool may;
    } v[] = {{NULL, false},      {"", false},   {"ns/op", true},     {"a/b, ns/op", true},
             {"ns/op-2", false}, {"ns", false}, {"other/op", false}, {"ns/op/x,ns/o", false}};
    k->spec.lease = borrowed("infra/lock");
    k->lease.name = borrowed("infra/lock");
    k->lease.ns = borrowed("infra");
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        k->lease.targets = borrowed(v[i].targets);
        if (releases(k) != v[i].may) fail_msg("%s", v[i].targets ? v[i].targets : "none");
    }
    k->lease.targets = borrowed("ns/op");
    cleanup_plan struct plan p;
    plan_make(&k->o, AT + NS_PER_S, &p);
    assert_string_equal(p.step[p.nsteps - 1].ns, "infra");
    k->spec.lease = borrowed("lock");
    assert_false(releases(k));
}

CASES("rollout/lease_assist")
