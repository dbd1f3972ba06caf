/* A rehearsal before the canary: annotations rehearse and max-changes. */
#include "../each.h"
#include "plan/plan_ctx.h"
#include "scene.h"

/* Version 1 is being rehearsed for 60 s. */
static struct model *begun(int minor) {
    struct model *m = m_start(3);
    m->minor = minor;
    m_annotate(m, "rehearse", "60s");
    m_image(m, 1);
    m_until(m, PHASE_REHEARSING, 5);
    return m;
}
static struct model *at_rehearsal(void) {
    struct model *m = begun(37);
    m_play(m, "run 5|is Rehearsing|rehearses 2|canary 1 0");
    return m;
}
static struct model *with_limits(const char *limits) {
    struct model *m = at_rehearsal();
    m_annotate(m, "max-changes", limits);
    return m;
}

/* Both versions for their time, then neither, and then the canary. */
PLAY(
    what_changes_nothing_goes_on, at_rehearsal(),
    "run 50|is Rehearsing|rehearses 2|canary 1 0|until Starting 20|event Rehearsed|rehearses 0|kept|no-event "
    "AwaitingApproval|until Soaking 20|canary 1 1|until Stable 100|own 1 3|rehearses 0|kept")
PLAY(without_limits_nobody_is_asked, at_rehearsal(),
     "finds deletes 7|until Soaking 80|until Stable 100|own 1 3")
PLAY(within_the_limits, with_limits("restarts=3,deletes=0"),
     "finds restarts 3|finds creates 100|until Soaking 80|no-event AwaitingApproval|until Stable 100|own 1 3")

/* Exceeded: held until a person approves the very report. */
SCENE(a_person_is_asked, with_limits("restarts=2,deletes=0")) {
    m_play(m, "finds restarts 3|finds deletes 1|run 80|is Rehearsing AwaitingApproval|event "
              "Rehearsed|rehearses 0|kept|"
              "canary 1 0|message its rehearsal exceeds max-changes: deletes=1 (allowed: 0), restarts=3 "
              "(allowed: 2); it would "
              "change something. To go on all the same: handover approve op -n ns|message handover diff op "
              "-n ns|run "
              "4000|is Rehearsing AwaitingApproval|killed|run 3|is Rehearsing AwaitingApproval");
    m_play(m, "approve|run 3|event Approved|phase Starting|absent approve|until Soaking 20|until Stable "
              "100|own 1 3");
}
PLAY(another_digest_is_refused, with_limits("restarts=0"),
     "finds restarts 1|run 80|is Rehearsing AwaitingApproval|approve 00000000000000aa|run 3|event "
     "ActionIgnored|is "
     "Rehearsing AwaitingApproval|canary 1 0|approve|until Starting 5")
/* It may come with the template, from a pipeline that has rehearsed it before. */
SCENE(approved_in_advance, with_limits("restarts=0")) {
    m_play(m, "finds restarts 1|run 80|is Rehearsing AwaitingApproval");
    cleanup_free char *digest = xstrdup(m_s(m)->rehearsal.digest);
    m_play(m, "image 2");
    m_annotate(m, "approve", digest);
    m_play(m, "run 10|is Rehearsing|no-event ActionIgnored|until Starting 90|event Approved|no-event "
              "ActionIgnored|absent approve");
}
PLAY(nothing_to_approve, at_rehearsal(),
     "until Soaking 90|approve 00000000000000aa|run 2|event ActionIgnored|absent approve|phase Soaking")
PLAY(the_limits_change, with_limits("restarts=0"),
     "finds restarts 2|run 80|is Rehearsing AwaitingApproval|set max-changes restarts=1|run 5|is Rehearsing "
     "AwaitingApproval|message restarts=2 (allowed: 1)|set max-changes restarts=2|until Starting 5")
PLAY(resume_is_no_approval, with_limits("restarts=0"),
     "finds restarts 2|run 80|act resume 1|run 5|event ActionIgnored|is Rehearsing AwaitingApproval|canary 1 "
     "0")

/* Pods that fail: the new version's alone, both, without anything to compare. */
PLAY(a_crash_of_its_own, at_rehearsal(),
     "plays new crashes|until RolledBack 60|ended failed|reason failed in its rehearsal: rehearsal pod "
     "op-rehearsal-|reason "
     "stable's version beside it did not|quarantined 1|rehearses 0|own 0 3|forgotten")
PLAY(a_crash_of_both, at_rehearsal(),
     "plays new crashes|plays control crashes|run 60|is Rehearsing SharedOutage|message cannot be rehearsed "
     "as it "
     "is|canary 1 0|plays new good|plays control good|sidecar-ends|until Starting 200")
PLAY(a_crash_of_the_control, begun(37),
     "plays control crashes|run 100|is Rehearsing NotReady|rehearses 2|canary 1 0")
PLAY(no_such_image, begun(37), "plays new no-image|until RolledBack 60|reason cannot get its image")
/* It may wait for what was not really written. */
PLAY(not_ready_is_no_verdict, begun(37),
     "plays new never-ready|run 400|is Rehearsing NotReady|rehearses 2|run 300|is Rehearsing "
     "Inconclusive|plays new good|act resume 1|"
     "run 3|sidecar-ends|until Starting 100")
PLAY(not_ready_at_the_deadline, begun(37),
     "set on-inconclusive rollback|plays new never-ready|until RolledBack 900|ended inconclusive|rehearses 0")
PLAY(no_deadline_promotes_it, begun(37),
     "set on-inconclusive promote|plays new never-ready|run 900|is Rehearsing Inconclusive|own 0 3")
PLAY(outside_causes_hold, begun(37),
     "plays control unschedulable|run 60|is Rehearsing PodsUnschedulable|run 900|is Rehearsing "
     "PodsUnschedulable|plays control "
     "good|until Starting 100|until Stable 100|own 1 3")
SCENE(without_stables_template, m_start(3)) {
    m->no_template = true;
    m_annotate(m, "rehearse", "60s");
    m_play(m, "image 1|run 10|is Rehearsing|rehearses 1|plays new crashes|run 60|is Rehearsing "
              "NotReady|message it is not "
              "known whether the rehearsal is the cause|plays new good|sidecar-ends|until Starting 100|event "
              "Rehearsed");
    assert_non_null(strstr(m->events, "Rehearsed"));
}
/* The errors of a rehearsal count, and those of the control do not. */
PLAY(errors_in_a_rehearsal, at_rehearsal(),
     "fails 1|asked 0|until RolledBack 60|ended failed|reason in its rehearsal: |canary 1 0|rehearses 0")
PLAY(errors_beside_a_control_that_was_not_looked_at, begun(37),
     "plays control silent|plays new fails|asked 0|run 55|phase Rehearsing|rehearses 2|plays control "
     "good|until "
     "RolledBack 20|reason in its rehearsal: ")
SCENE(the_canarys_judge_begins_anew, at_rehearsal()) {
    m_play(m, "run 40");
    assert_true(m_s(m)->learned && m_s(m)->judge.all.nc > 0);
    int64_t began = m_s(m)->began_ns;
    m_play(m, "until Starting 40");
    assert_true(m_s(m)->judge.all.nc == 0 && m_s(m)->began_ns > began + 60 * NS_PER_S &&
                m_s(m)->rehearsal.line);
}

/* What a pod remembers is lost with it. */
PLAY(a_lost_pod_begins_anew, at_rehearsal(),
     "run 50|sidecar-ends|run 30|is Rehearsing|rehearses 2|run 20|is Rehearsing|until Starting 40")
PLAY(a_sidecar_that_was_started_again_begins_anew, at_rehearsal(),
     "run 50|sidecar-restarts|run 50|is Rehearsing|rehearses 2|until Starting 20")
PLAY(no_report_no_canary, at_rehearsal(),
     "mute|run 100|is Rehearsing NoData|message no report of the rehearsal: connection refused|run 300|is "
     "Rehearsing "
     "NoData|rehearses 2|answers|until Starting 10|kept")
PLAY(the_last_report_is_the_one_at_the_end, with_limits("restarts=0"),
     "run 45|mute|run 60|is Rehearsing NoData|finds restarts 1|answers|run 20|is Rehearsing AwaitingApproval")
PLAY(who_asks_nothing_is_not_rehearsed, at_rehearsal(),
     "finds idle|run 100|is Rehearsing NoData|message has asked the API server for nothing there|rehearses "
     "2|canary 1 0|finds nothing|until Starting 20")
PLAY(a_report_that_is_not_whole, with_limits("restarts=2"),
     "finds cut-off|run 80|is Rehearsing AwaitingApproval|message its rehearsal exceeds max-changes: the "
     "report is not whole|approve|until Starting 5")
PLAY(not_whole_and_no_limits, at_rehearsal(), "finds cut-off|until Starting 80|event Rehearsed")
PLAY(no_report_until_the_deadline, at_rehearsal(),
     "mute|run 700|is Rehearsing Inconclusive|rehearses 2|act promote 1|asked 1|until Stable 60|own 1 "
     "3|rehearses 0")

/* What is kept is the report of the last rehearsal, though another one has found the very same. */
SCENE(the_same_was_found_before, at_rehearsal()) {
    m_play(m, "until Stable 200|kept|image 2|until Starting 100|kept");
    assert_string_equal(m->map.of, m->hash[2]);
    int rv = m->map.rv;
    m_play(m, "act retry 2|until Rehearsing 20|until Starting 100");
    assert_int_not_equal(m->map.rv, rv);
}

/* What it needs. */
PLAY(an_old_server, begun(28),
     "run 60|is Rehearsing InvalidConfig|message annotation rehearse: needs Kubernetes 1.29 or later|message "
     "the API server is "
     "1.28|rehearses 0|unset rehearse|until Soaking 20")
SCENE(no_image_of_handover, begun(0)) {
    m_play(m, "run 60|is Rehearsing|rehearses 0|no-event InvalidConfig");
    m->minor = 29;
    m->lacks = "which image?";
    m_play(m, "run 5|is Rehearsing InvalidConfig|message annotation rehearse: which image?");
    m->lacks = NULL;
    m_play(m, "run 5|is Rehearsing|rehearses 2");
}
SCENE(not_of_handover_itself, m_own(2, false)) {
    m_annotate(m, "rehearse", "60s");
    m_play(m, "image 1|run 60|is Stable InvalidConfig|message not for Handover itself|unset rehearse|until "
              "Starting 20");
}
SCENE(a_name_that_is_taken, m_start(3)) {
    cleanup_free char *name = xasprintf("op-rehearsal-control-%s", m->hash[0 + 1]);
    m_annotate(m, "rehearse", "60s");
    m->taken = name;
    m_play(m, "image 1|run 20|is Rehearsing NameConflict|rehearses 1|run 100|rehearses 1");
    m->taken = NULL;
    m_play(m, "run 40|is Rehearsing|rehearses 2|until Starting 80");
}
SCENE(a_configmap_of_anothers, at_rehearsal()) {
    m->map.there = m->map.foreign = true;
    m_play(m, "run 80|is Rehearsing NameConflict|message ConfigMap op-handover-rehearsal is not "
              "Handover's|rehearses 2");
    m->map.there = m->map.foreign = false;
    m_play(m, "until Starting 60|kept");
}
SCENE(the_report_is_refused, at_rehearsal()) {
    m->refuses = "exceeded quota: q";
    m->refused_kind = STEP_REPORT;
    for (int i = 0; i < 80; i++) {
        m_tick(m);
        m_pass(m);
    }
    m_play(m, "is Rehearsing WriteRefused|message exceeded quota|rehearses 2|canary 1 0");
    m->refuses = NULL;
    m_play(m, "until Starting 20|kept");
}

/* No canary beside them, whether the rehearsal is over or not wanted any more. */
static void are_not_taken_away(struct model *m, const char *now) {
    m_play(m, now);
    m->refuses = "admission webhook";
    m->refused_kind = STEP_RS_DELETE;
    for (int i = 0; i < 80; i++) {
        m_tick(m);
        m_pass(m);
    }
    m_play(m, "phase Rehearsing|rehearses 2|canary 1 0");
    m->refuses = NULL;
    m_play(m, "until Starting 60|rehearses 0");
}
SCENE(pods_that_stay_at_its_end, at_rehearsal()) {
    are_not_taken_away(m, "run 1");
}
SCENE(pods_that_stay_without_the_annotation, at_rehearsal()) {
    are_not_taken_away(m, "unset rehearse");
}

/* Whatever else happens meanwhile. */
PLAY(a_newer_template, at_rehearsal(),
     "run 20|image 2|until Rehearsing 20|run 5|rehearses 2|until Starting 90|until Stable 100|own 2 3")
PLAY(changed_back, at_rehearsal(), "run 20|image 0|until Stable 20|rehearses 0|own 0 3|ended cancelled")
PLAY(aborted, at_rehearsal(), "act abort 1|until RolledBack 20|ended aborted|rehearses 0|quarantined 1")
PLAY(promote_skips_it, at_rehearsal(),
     "asked 1|act promote 1|until Stable 60|own 1 3|rehearses 0|reason by a user")
PLAY(retried, at_rehearsal(), "run 30|act retry 1|until Rehearsing 20|run 50|is Rehearsing|until Starting 40")
PLAY(paused, at_rehearsal(),
     "act pause 1|run 200|is Rehearsing PausedByUser|rehearses 2|canary 1 0|act resume 1|until Starting 20")
PLAY(the_annotation_goes, at_rehearsal(),
     "unset rehearse|until Starting 10|rehearses 0|no-event Rehearsed|until Stable 100|own 1 3")
PLAY(the_annotation_goes_while_a_person_is_asked, with_limits("restarts=0"),
     "finds restarts 1|run 80|is Rehearsing AwaitingApproval|unset max-changes|unset rehearse|until Starting "
     "10")
PLAY(a_wrong_annotation, at_rehearsal(),
     "set rehearse soon|run 5|is Rehearsing InvalidConfig|rehearses 2|set rehearse 60s|until Starting 80")
PLAY(another_time, at_rehearsal(), "run 20|set rehearse 20s|until Starting 15")
PLAY(unpaused_by_another, at_rehearsal(), "unpause|tick 2|run 30|own 0 3|phase Rehearsing|until Starting 80")
PLAY(released, at_rehearsal(),
     "until Starting 90|kept|image 0|until Stable 60|unset canary-percent|run 20|left|forgotten|rehearses 0")
PLAY(released_in_the_middle, at_rehearsal(), "image 0|unset canary-percent|run 20|left|forgotten|rehearses 0")
SCENE(the_target_goes, at_rehearsal()) {
    m->exists = false;
    m_play(m, "run 5|rehearses 0");
    assert_null(m->state);
}
/* A state that is lost: what rehearses is nobody's, and goes before another one begins. */
SCENE(the_state_is_lost, at_rehearsal()) {
    free(m->facts);
    free(m->state);
    m->facts = m->state = NULL;
    m_play(m, "killed|run 10|event StateLost|phase Rehearsing|rehearses 2|until Starting 80");
}
/* One that somebody deletes, or scales. */
SCENE(a_replica_set_that_goes, at_rehearsal()) {
    m_play(m, "run 50");
    for (int i = 0; i < MAX_RS; i++)
        m->rs[i].there = m->rs[i].there && m->rs[i].rehearsed != REHEARSED_CONTROL;
    m_collect(m);
    m_play(m, "run 30|is Rehearsing|rehearses 2|until Starting 60");
}
SCENE(a_replica_set_that_is_scaled, at_rehearsal()) {
    for (int i = 0; i < MAX_RS; i++)
        if (m->rs[i].there && m->rs[i].rehearsed) m_set(m, i, 0);
    m_play(m, "run 10|is Rehearsing|rehearses 2|until Starting 90");
}

/* The next leader goes on with the same pods, and with the time that they have had. */
PLAY(another_leader, at_rehearsal(), "run 30|killed|run 20|is Rehearsing|until Starting 20")
PLAY(a_stateful_set, m_start_set(3),
     "set rehearse 20s|image 1|until Rehearsing 5|run 5|rehearses 2|until Starting 40|kept|until Stable "
     "100|own 1 3")
SCENE(mode_objects, m_by_objects(1, 20)) {
    m_begin(m);
    m_play(m, "set rehearse 20s|image 1|until Rehearsing 5|run 10|rehearses 2");
    assert_int_equal(m_owned(m, OWNER_NONE) + m_owned(m, OWNER_CANARY), 0);
    m_play(m, "until Soaking 60|until Stable 200|own 1 2");
}
SCENE(mode_leader, m_electing(2, false)) {
    m_play(m, "set rehearse 20s|image 1|until Rehearsing 5|run 10|rehearses 2|until Starting 40|until Stable "
              "400|run 4|all 1 2");
}

CASES("rollout/plan_rehearse")
