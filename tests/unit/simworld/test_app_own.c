/* Handover upgrades itself, canary first. */
#include "broken.h"
#include "pods_stage.h"

#define OWN       "/apis/apps/v1/namespaces/default/deployments/handover"
#define OWN_STATE "/api/v1/namespaces/default/configmaps/handover-handover"

static struct stage *own_stage(uint64_t seed) {
    /* With a rate that is given there is nothing to be learned, and the canary is made in the plan that begins the rollout. */
    cleanup_free char *notes =
        xasprintf("'handover.dev/canary-percent':'50','handover.dev/soak':'1m',"
                  "'handover.dev/metrics':':8080/metrics','handover.dev/min-events':'5',"
                  "'handover.dev/deadline':'15m','handover.dev/max-error-rate':'%s'",
                  seed % 2 ? "5%" : "auto");
    struct stage *st = stage_with(seed, notes);
    simworld_run(st->f.sw, 30 * NS_PER_S);
    return st;
}

static cJSON *at(struct stage *st, const char *path) {
    return object_at(st->f.sw, path);
}

/* broken: HANDOVER_BROKEN of tests/broken; NULL: it works. */
static void update(struct stage *st, const char *image, const char *broken) {
    cleanup_free char *env =
        broken ? xasprintf(",'env':[{'name':'HANDOVER_BROKEN','value':'%s'}]", broken) : xstrdup("");
    cleanup_free char *body = quoted(xasprintf("{'spec':{'template':{'spec':{'containers':[{'name':'"
                                               "handover','image':'%s'%s}]}}}}",
                                               image, env));
    assert_int_equal(simworld_request(st->f.sw, "PATCH", API OWN, "application/strategic-merge-patch+json",
                                      slice_of(body), NULL),
                     200);
}

void broken_die(struct world *w) {
    simworld_exit(w, 1);
}

struct wait {
    struct stage *st;
    const char *phase;
};
static bool in_phase(void *ctx) {
    struct wait *w = ctx;
    return state_in_phase(w->st->f.api, "handover-handover", w->phase);
}
static void wait_for(struct stage *st, const char *phase, int64_t limit_s) {
    struct wait w = {st, phase};
    if (simworld_run_until(st->f.sw, in_phase, &w, limit_s * NS_PER_S)) return;
    cleanup_json cJSON *cm = at(st, OWN_STATE);
    cleanup_free char *text = cm ? json_print(cm) : NULL;
    const char *state = text ? strstr(text, "\\\"phase") : NULL;
    fail_msg("not %s in %lld s: %s", phase, (long long)limit_s, state ? state : "no state");
}

/* The canary that leads leaves its own Deployment alone. */
static void is_guarded_by_stable(struct stage *st) {
    int trials = 0;
    cleanup_json cJSON *list = at(st, "/apis/events.k8s.io/v1/namespaces/default/events");
    const cJSON *e;
    cJSON_ArrayForEach(e, json_arr(list, "items")) {
        if (strcmp(json_str_or(e, "reason", ""), "TrialStarted")) continue;
        const char *who = json_str_or(e, "reportingInstance", "");
        if (strstr(who, "canary")) fail_msg("%s told: %s", who, json_str_or(e, "note", ""));
        trials++;
    }
    assert_true(trials > 0);
}

CASE_OF(struct stage, st, own_stage(31), stage_free, a_good_version_is_tried_and_promoted) {
    wait_for(st, "Stable", 10);
    update(st, "handover:2", NULL);
    wait_for(st, "Soaking", 60);
    wait_for(st, "Promoting", 1200);
    wait_for(st, "Stable", 300);
    is_guarded_by_stable(st);
}

/* Rolled back by the version in service, which leads again; said why. */
static void is_rolled_back(uint64_t seed, const char *broken, const char *why) {
    struct stage *st = own_stage(seed);
    wait_for(st, "Stable", 10);
    update(st, "handover:2", broken);
    wait_for(st, "RolledBack", 1800);
    simworld_run(st->f.sw, 40 * NS_PER_S);
    cleanup_json cJSON *cm = at(st, OWN_STATE);
    const char *text = json_str_or(json_get(cm, "data"), "state", "");
    if (!strstr(text, why)) fail_msg("%s: not for \"%s\": %s", broken, why, text);
    assert_non_null(leader(st));
    assert_null(strstr(simworld_name(leader(st)->w), "canary"));
    cleanup_buf struct buf b = BUF(1 << 20);
    assert_int_equal(sim_peek(st->f.api, "leases", "default", "handover", &b), 0);
    if (strstr(buf_str(&b), "handover.dev/trial-until")) fail_msg("%s: %s", broken, buf_str(&b));
    stage_free(st);
}

CASE(a_version_that_fails) {
    is_rolled_back(41, "fails", "reconciles failed");
}
CASE(a_version_that_crashes_as_the_leader) {
    is_rolled_back(42, "crashes", "crash");
}
CASE(a_version_that_hangs_in_its_drain) {
    is_rolled_back(43, "hangs", "not given the Lease back");
}
CASE(a_version_whose_checkpoint_cannot_be_read) {
    is_rolled_back(44, "checkpoint", "cannot read");
}
CASE(a_version_that_works_all_the_time) {
    is_rolled_back(45, "hot", "work");
}

static bool canary_leads(void *ctx) {
    struct stage *st = ctx;
    return leader(st) && strstr(simworld_name(leader(st)->w), "canary");
}
static struct stage *in_a_trial(uint64_t seed) {
    struct stage *st = own_stage(seed);
    wait_for(st, "Stable", 10);
    update(st, "handover:2", NULL);
    assert_true(simworld_run_until(st->f.sw, canary_leads, st, 600 * NS_PER_S));
    simworld_run(st->f.sw, 10 * NS_PER_S);
    return st;
}
/* The trial has ended, and the version in service leads. */
static void stable_leads(struct stage *st) {
    simworld_run(st->f.sw, 90 * NS_PER_S);
    assert_non_null(leader(st));
    assert_false(canary_leads(st));
    assert_int_equal(ready_replicas(st), 2);
}
static void annotate(struct stage *st, const char *name, const char *value /* NULL: none any more */) {
    cleanup_free char *text = value ? xasprintf("'%s'", value) : xstrdup("null");
    cleanup_free char *body =
        quoted(xasprintf("{'metadata':{'annotations':{'handover.dev/%s':%s}}}", name, text));
    assert_int_equal(
        simworld_request(st->f.sw, "PATCH", API OWN, "application/merge-patch+json", slice_of(body), NULL),
        200);
}
static cJSON *own_state(struct stage *st) {
    cleanup_json cJSON *cm = at(st, OWN_STATE);
    return json_parse(slice_of(json_str_or(json_get(cm, "data"), "state", "")), NULL);
}
static void asked_in_a_trial(uint64_t seed, const char *what, const char *phase) {
    struct stage *st = in_a_trial(seed);
    cleanup_json cJSON *s = own_state(st);
    annotate(st, what, json_str_or(s, "hash", ""));
    wait_for(st, phase, 600);
    stable_leads(st);
    stage_free(st);
}
/* The rollout that ended last. */
static void ended_as(struct stage *st, const char *result, const char *image) {
    cleanup_json cJSON *s = own_state(st);
    const cJSON *last = cJSON_GetArrayItem(json_arr(s, "history"), 0);
    assert_string_equal(json_str_or(last, "result", ""), result);
    assert_string_equal(json_str_or(last, "image", ""), image);
}
/* Back to a version that knows nothing of all this: whatever comes of it, one leads, and it is none on trial. */
CASE(a_version_older_than_this_in_a_trial) {
    struct stage *st = own_stage(73);
    wait_for(st, "Stable", 10);
    update(st, "handover:2", "old");
    simworld_run(st->f.sw, 1000 * NS_PER_S);
    struct wait back = {st, "RolledBack"};
    if (!in_phase(&back)) wait_for(st, "Stable", 1000);
    simworld_run(st->f.sw, 60 * NS_PER_S);
    assert_non_null(leader(st));
    assert_null(strstr(simworld_name(leader(st)->w), "canary"));
    stage_free(st);
}
CASE(promoted_by_a_user_in_a_trial) {
    asked_in_a_trial(71, "promote", "Stable");
}
CASE(aborted_by_a_user_in_a_trial) {
    asked_in_a_trial(72, "abort", "RolledBack");
}
CASE_OF(struct stage, st, in_a_trial(74), stage_free, a_newer_version_in_a_trial_has_a_trial_of_its_own) {
    update(st, "handover:3", NULL);
    wait_for(st, "Promoting", 1200);
    wait_for(st, "Stable", 300);
    stable_leads(st);
    ended_as(st, "promoted", "handover:3");
}
CASE_OF(struct stage, st, in_a_trial(75), stage_free, back_to_the_version_in_service_in_a_trial) {
    update(st, "handover:1", NULL);
    wait_for(st, "Stable", 300);
    stable_leads(st);
    ended_as(st, "cancelled", "handover:2");
}
/* Not let go: that would put the version on trial into service. */
CASE_OF(struct stage, st, in_a_trial(76), stage_free, the_annotation_is_taken_away_in_a_trial) {
    annotate(st, "canary-percent", NULL);
    simworld_run(st->f.sw, 300 * NS_PER_S);
    stable_leads(st);
    cleanup_json cJSON *s = own_state(st);
    assert_string_equal(json_str_or(s, "hold", ""), "ReleaseRefused");
    update(st, "handover:1", NULL);
    simworld_run(st->f.sw, 60 * NS_PER_S);
    cleanup_json cJSON *cm = at(st, OWN_STATE);
    assert_null(cm);
    stable_leads(st);
}

static int64_t replicas_wanted(struct stage *st) {
    cleanup_json cJSON *d = at(st, OWN);
    return json_i64(json_get(d, "spec"), "replicas", -1);
}

/* One process of Handover is killed at one of the writes of the story, before
 * or after it is carried out: all of them, one by one. */
struct killer {
    struct stage *st;
    unsigned at, n; /* the write at which, from 1; how many there were */
    bool after;
    char who[64], what[200];
};

static bool is_a_step(const struct simrequest *r) {
    bool writes = strcmp(r->method, "GET") != 0, lease = strstr(r->target, "/leases/") != NULL;
    if (!writes || strstr(r->target, "/events") || strncmp(r->from, "handover-", 9) != 0 ||
        strstr(r->target, "dryRun"))
        return false;
    if (!lease) return true;
    cleanup_free char *body =
        slice_dup(r->body); /* a release, or an acquisition; renewals are many, and alike */
    const char *acquired = strstr(body, "\"acquireTime\":\""), *renewed = strstr(body, "\"renewTime\":\"");
    return acquired && renewed && strncmp(acquired + 15, renewed + 13, 27) == 0;
}

static void on_write(void *ctx, const struct simrequest *r) {
    struct killer *k = ctx;
    if (r->arrived != k->after || !is_a_step(r) || ++k->n != k->at) return;
    (void)snprintf(k->who, sizeof k->who, "%s", r->from);
    (void)snprintf(k->what, sizeof k->what, "%s %s", r->method, r->target);
    struct world *w = simworld_pod_world(k->st->f.sw, "default", r->from, NULL);
    if (w) simworld_signal(w, SIGKILL);
}

/* How many writes there were. */
static unsigned killed_at(uint64_t seed, unsigned at_write, bool after, const char *broken) {
    struct stage *st = own_stage(seed);
    struct killer k = {.st = st, .at = at_write, .after = after};
    wait_for(st, "Stable", 10);
    simworld_on_request(st->f.sw, on_write, &k);
    update(st, "handover:2", broken);
    struct wait first = {st, broken ? "RolledBack" : "Promoting"},
                then = {st, broken ? "RolledBack" : "Stable"};
    bool ends = simworld_run_until(st->f.sw, in_phase, &first, 3000 * NS_PER_S) &&
                simworld_run_until(st->f.sw, in_phase, &then, 400 * NS_PER_S);
    simworld_run(st->f.sw, 90 * NS_PER_S);
    simworld_on_request(st->f.sw, NULL, NULL);
    cleanup_json cJSON *cm = at(st, OWN_STATE);
    const char *text = json_str_or(json_get(cm, "data"), "state", "");
    const char *words = !ends                                            ? "it does not end as without that"
                        : !leader(st)                                    ? "nobody leads"
                        : strstr(simworld_name(leader(st)->w), "canary") ? "a canary leads"
                        : ready_replicas(st) != 2 || replicas_wanted(st) != 2 ? "not two pods"
                                                                              : NULL;
    if (words)
        fail_msg("seed %d, %s killed %s write %u, %s: %s: %s", (int)seed, k.who, after ? "after" : "before",
                 at_write, k.what, words, text);
    stage_free(st);
    return k.n;
}

static void killed_at_each(uint64_t seed, const char *broken) {
    const char *one = getenv("OWN_WRITE");
    if (one) {
        (void)killed_at(seed, (unsigned)atoi(one), getenv("OWN_AFTER") != NULL, broken);
        return;
    }
    unsigned n = killed_at(seed, 0, false, broken), step = getenv("OWN_ALL") ? 1 : 13;
    print_message("%u writes\n", n);
    assert_in_range(n, 15, 200);
    for (unsigned i = 1 + (unsigned)seed % step; i <= n; i += step) {
        (void)killed_at(seed, i, false, broken);
        (void)killed_at(seed, i, true, broken);
    }
}

CASE(killed_at_a_write_of_an_update) {
    killed_at_each(51, NULL);
}
CASE(killed_at_a_write_of_a_rollback) {
    killed_at_each(52, "fails");
}

/* The version in service crashes all the time, before it could give its Lease
 * up: nobody of it leads for long, and its fix, which is there as the canary,
 * takes over and goes into service. */
CASE_OF(struct stage, st, own_stage(61), stage_free,
        a_version_that_cannot_lead_any_more_is_replaced_by_its_fix) {
    wait_for(st, "Stable", 10);
    char stables[64] = "";
    (void)snprintf(stables, sizeof stables, "%s", simworld_name(leader(st)->w));
    *strrchr(stables, '-') = '\0';
    update(st, "handover:2", NULL);
    wait_for(st, "Soaking", 60);
    simworld_run(st->f.sw, 5 * NS_PER_S);
    bool led = false;
    for (int i = 0; i < 200; i++) {
        for (int k = 0; k < MAX; k++) {
            bool stable =
                st->live[k] && strncmp(simworld_name(st->live[k]->w), stables, strlen(stables)) == 0;
            if (stable) simworld_signal(st->live[k]->w, SIGKILL);
        }
        simworld_run(st->f.sw, 2 * NS_PER_S);
        led = led || (leader(st) && strstr(simworld_name(leader(st)->w), "canary"));
    }
    assert_true(led);
    wait_for(st, "Stable", 600);
    simworld_run(st->f.sw, 60 * NS_PER_S);
    assert_non_null(leader(st));
    assert_null(strstr(simworld_name(leader(st)->w), "canary"));
    cleanup_json cJSON *cm = at(st, OWN_STATE);
    assert_non_null(
        strstr(json_str_or(json_get(cm, "data"), "state", ""), "no pod of stable is ready to lead"));
}

CASES("simworld/app_own")
