/* StatefulSets: held by the partition, promoted by the user's own, undone by the partition and by deleting pods, as long as the current
 * revision has not moved. */
#include "../each.h"
#include "scene.h"

static struct model *set(void) {
    return m_start_set(3);
}

static struct model *fresh(void) {
    return m_new_set(1, 3);
}

PLAY(a_good_version_is_promoted, set(),
     "held|image 1|until Soaking 30|canary 1 1|own 0 3|until Promoting 200|run 1|at 0|until Stable 200|run 5|"
     "all 1 3|held|held|current 1|ended promoted|idle 60")

PLAY(a_bad_version_is_rolled_back_and_no_pod_of_the_set_changes, set(),
     "fails 1|image 1|until RolledBack 100|run 5|all 0 3|held|current 0|quarantined 1|idle 60|image 2|"
     "until Promoting 200|until Stable 200|run 5|all 2 3")

PLAY(at_rest_nothing_is_written, set(), "idle 300|event ")

PLAY(the_users_own_partition_is_put_back_for_a_promotion, fresh(),
     "partition 1|run 1|until Stable 30|held|image 1|until Promoting 200|run 30|at 1|own 1 2|own 0 1|"
     "is Promoting UserPaused|run 900|own 0 1|partition 0|until Stable 60|run 5|all 1 3|held")

PLAY(leaving_puts_the_users_own_partition_back, fresh(),
     "partition 2|run 1|until Stable 30|held|unset canary-percent|run 30|at 2|absent status")

PLAY(leaving_never_ships_what_waits, set(),
     "fails 1|image 1|until RolledBack 100|unset canary-percent|run 30|is Releasing ReleaseRefused|held|all "
     "0 3|image 0|run 20|at 0|all 0 3")

PLAY(aborted_in_the_middle_of_a_promotion, set(),
     "image 1|until Soaking 30|never-ready 1|asked 1|act promote 1|until Promoting 20|run 6|at 0|own 0 2|act "
     "abort 1|"
     "until RolledBack 60|run 10|held|all 0 3|current 0|ended aborted|quarantined 1|idle 60")

PLAY(a_promotion_that_stands_still_is_undone, set(),
     "image 1|until Soaking 30|never-ready 1|asked 1|act promote 1|until Promoting 20|run 400|phase "
     "Promoting|until RolledBack 400|"
     "run 10|held|all 0 3|ended stuck")

PLAY(superseded_in_the_middle_of_a_promotion, set(),
     "image 1|until Soaking 30|asked 1|act promote 1|until Promoting 20|run 5|image 2|run 30|own 1 0|until "
     "Promoting 300|"
     "until Stable 100|run 5|all 2 3|held")

PLAY(a_foreign_partition_is_undone, set(),
     "fails 1|image 1|until Starting 20|partition 0|tick 3|run 30|held|own 1 0|until RolledBack 100|run "
     "5|all 0 3|current 0")

PLAY(what_is_current_cannot_be_undone_and_is_said, set(),
     "fails 1|image 1|until Starting 20|partition 0|tick 40|current 1|run 30|is Stable|all 1 3|held|event "
     "UnmanagedRollout|ended unmanaged")

PLAY(scaled_to_zero_what_waits_is_in_service, set(),
     "fails 1|image 1|until RolledBack 100|scale 0|run 20|current 1|is Stable|event UnmanagedRollout|reason "
     "scaled to zero|scale 2|run 20|all 1 2")

PLAY(scaled_to_zero_at_rest_and_back, set(),
     "scale 0|run 20|is Stable|scale 3|run 20|all 0 3|held|no-event UnmanagedRollout")

PLAY(pods_that_are_made_again_meanwhile_are_stables, set(),
     "image 1|until Soaking 30|scale 5|run 10|own 0 5|own 1 0")

PLAY(a_partition_of_a_user_like_ours_is_the_users, fresh(),
     "partition held|run 30|is Idle UserPaused|message partition is 2147483647|image 1|run 20|own 0 "
     "3|partition 0|until Stable 60|run 5|all 1 3")

PLAY(a_manifest_that_sets_the_partition_is_named, set(),
     "fails 1|image 1|until RolledBack 100|partition 0|run 5|partition 0|run 5|partition 0|run 5|partition "
     "0|run 20|"
     "event PausedFieldConflict|status a manifest sets spec.updateStrategy.rollingUpdate.partition|held|all "
     "0 3")

PLAY(paused_and_resumed_in_the_middle_of_a_promotion, set(),
     "image 1|until Soaking 30|asked 1|act promote 1|until Promoting 20|run 3|act pause 1|run 20|held|is "
     "Promoting PausedByUser|own 1 1|"
     "run 900|own 1 1|act resume 1|until Stable 60|run 5|all 1 3|held")

/* The ConfigMap is deleted while a version is on trial: which template is stable's is read from its revision. */
SCENE(a_lost_state_is_found_again, set()) {
    m_play(m, "fails 1|image 1|until RolledBack 100|run 3");
    free(m->facts);
    free(m->state);
    m->facts = m->state = NULL;
    m_forget(m);
    m_play(m, "run 30|is RolledBack|event StateLost|held|all 0 3|quarantined 1");
}

static void read_set(const char *spec, struct obs_target *ret) {
    cleanup_free char *raw =
        quoted(xasprintf("{'metadata':{'name':'db','namespace':'ns','uid':'u','resourceVersion':'1'},'spec':{"
                         "'selector':{},'template':{'spec':{}}%s}}",
                         spec));
    cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
    assert_int_equal(obs_target_read(&workload_statefulset, obj, slice_of(raw), ret, NULL), 0);
}

static void refused_with(bool empty, const char *spec, const char *want) {
    struct obs_target t;
    struct err err = {0};
    cleanup_spec struct spec parsed = {.empty_volumes = empty};
    read_set(spec, &t);
    int rc = plan_target_fits(&t, &parsed, &err);
    if (*want ? rc >= 0 || !strstr(err.msg, want) : rc < 0) fail_msg("%s: %s", spec, err.msg);
    obs_target_free(&t);
}

CASE(what_cannot_be_a_target_is_refused_with_what_was_read) {
#define CLAIMS(more) ",'volumeClaimTemplates':[{'metadata':{'name':'data'}}" more "]"
#define ON_DELETE    ",'updateStrategy':{'type':'OnDelete'}"
    refused_with(false, "", "");
    refused_with(false, ",'serviceName':'db','updateStrategy':{'rollingUpdate':{'maxUnavailable':2}}", "");
    refused_with(false, ",'volumeClaimTemplates':[]", "");
    refused_with(false, CLAIMS(""),
                 "spec.volumeClaimTemplates: read 1 (data); allowed are none, or any with annotation "
                 "handover.dev/canary-volumes: empty");
    refused_with(false, CLAIMS(",{'metadata':{'name':'cache'}}"), "read 2 (data)");
    refused_with(true, CLAIMS(",{'metadata':{'name':'cache'}}"), "");
    refused_with(false, ON_DELETE, "read OnDelete; allowed is RollingUpdate");
    refused_with(true, CLAIMS("") ON_DELETE, "read OnDelete; allowed is RollingUpdate");
}

CASE(the_names_of_claims_are_read) {
    static const struct {
        const char *spec, *want; /* NULL: none */
    } v[] = {
        {"", NULL},
        {",'volumeClaimTemplates':null", NULL},
        {",'volumeClaimTemplates':[]", NULL},
        {CLAIMS(",{'metadata':{'name':'b'},'spec':{'resources':{'requests':{'storage':'1Gi'}}}}"),
         "['data','b']"},
        {CLAIMS(",{}"), "['data','?']"}, /* the server says what is wrong with it */
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct obs_target t;
        read_set(v[i].spec, &t);
        cleanup_free char *want = v[i].want ? quoted(xstrdup(v[i].want)) : NULL;
        if (want ? !t.claims || strcmp(t.claims, want) != 0 : t.claims != NULL)
            fail_msg("%zu: %s", i, t.claims);
        obs_target_free(&t);
    }
}

CASE(the_ordinal_is_found_in_the_template) {
    static const char *const labels[] = {"statefulset.kubernetes.io/pod-name",
                                         "apps.kubernetes.io/pod-index"};
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        cleanup_free char *raw = xasprintf(
            "{\"metadata\":{\"name\":\"db\",\"namespace\":\"ns\",\"uid\":\"u\",\"resourceVersion\":\"1\"},"
            "\"spec\":{\"selector\":{},\"template\":{\"spec\":{\"containers\":[{\"env\":[{\"valueFrom\":{"
            "\"fieldRef\":{\"fieldPath\":\"metadata.labels['%s']\"}}}]}]}}}}",
            labels[i]);
        cleanup_json cJSON *obj = json_parse(slice_of(raw), NULL);
        struct obs_target t;
        struct err err = {0};
        struct spec spec = {0};
        assert_int_equal(obs_target_read(&workload_statefulset, obj, slice_of(raw), &t, &err), 0);
        assert_true(plan_target_fits(&t, &spec, &err) < 0 && strstr(err.msg, labels[i]));
        obs_target_free(&t);
    }
}

CASE(modes_that_are_not_for_sets_are_refused) {
    static const struct {
        enum spec_mode mode;
        const char *want; /* NULL: allowed */
    } modes[] = {{MODE_AUTO, NULL},
                 {MODE_REPLICAS, NULL},
                 {MODE_LEADER, "read \"leader\""},
                 {MODE_OBJECTS, "read \"objects\""}};
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct obs_target t = {.kind = &workload_statefulset}, other = {.kind = &workload_deployment};
        struct spec spec = {.mode = modes[i].mode};
        struct err err = {0};
        int rc = plan_target_fits(&t, &spec, &err);
        if (modes[i].want ? rc >= 0 || !strstr(err.msg, modes[i].want) ||
                                !strstr(err.msg, "allowed for a StatefulSet is auto or replicas")
                          : rc < 0)
            fail_msg("%zu: %s", i, err.msg);
        assert_int_equal(plan_target_fits(&other, &spec, &err), 0);
    }
}

CASES("rollout/plan_stateful")
