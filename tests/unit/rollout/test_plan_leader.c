/* Mode leader: stable and the canary lead by turns on the Lease that they share. */
#include "scene.h"

static struct model *two(void) {
    return m_electing(2, false);
}

static bool canary_leads(const struct model *m) {
    bool canary = false;
    return m_leader(m, &canary) >= 0 && canary;
}
static void stable_leads(const struct model *m) {
    assert_true(m_leader(m, NULL) == 0 && !canary_leads(m));
    assert_int_equal(m->replicas, 2);
}
static void stable_leads_again(struct model *m) {
    m_run(m, 40);
    stable_leads(m);
    assert_true(m_running(m, 0, false) == 2 && m_running(m, 1, true) == 0);
}

SCENE(a_good_version_leads_by_turns_and_is_promoted, two()) {
    int idle = m->lease.leaderless;
    m_play(m, "image 1|until Promoting 600|event LeaderMode|event TrialStarted");
    assert_true(m->lease.leaders[1] >= 10); /* five lease durations */
    int changes = 2 * (int)m_s(m)->trial.n, leaderless = m->lease.leaderless - idle;
    if (leaderless > 6 * changes || m->zero > 6 * changes)
        fail_msg("%d changes of leader, %d s without one, %d s at zero", changes, leaderless, m->zero);
    m_play(m, "until Stable 100|run 4|all 1 2|held|ended promoted");
    assert_true(m->replicas == 2 && m_leader(m, NULL) == 1);
}
SCENE(a_bad_version_is_rolled_back_in_its_first_trial, two()) {
    m_play(m, "fails 1|image 1|until RolledBack 600|quarantined 1");
    assert_int_equal(m_s(m)->trial.n, 1);
    assert_true(m->lease.leaders[1] <= 12);
    stable_leads_again(m);
}
SCENE(a_busy_stable_is_waited_for_a_while, m_electing(2, true)) {
    m->quiet = QUIET_BUSY;
    m_annotate(m, "quiet", "30s");
    m_run(m, 35);
    assert_true(m->edge.probe && m_s(m)->trial.step == TRIAL_STANDBY && m->replicas == 2);
    m_until_step(m, TRIAL_GIVING, 40); /* for `quiet` at most */
}
SCENE(one_replica_is_enough, m_electing(1, false)) {
    m_play(m, "image 1|until Promoting 600|until Stable 100|all 1 1|ended promoted");
    assert_int_equal(m->replicas, 1);
}
SCENE(a_version_that_does_not_take_the_lease_is_rolled_back, two()) {
    m->behaviour[1] = NEVER_LEADS;
    m_play(m, "image 1|until RolledBack 600|reason did not take Lease lock");
    stable_leads_again(m);
}
SCENE(a_canary_with_a_lease_of_its_own_shares_no_lease, m_electing(2, true)) {
    m_annotate(m, "mode", "replicas");
    m_run(m, 60);
    assert_int_equal(m_s(m)->trial.step, TRIAL_NONE);
    m_play(m, "no-event LeaderMode|is Soaking NoData");
}
SCENE(what_stops_a_trial_brings_stable_back, two()) {
    static const char *const stops[] = {
        "act abort 1|run 40|is RolledBack", "act pause 1|run 40|is Soaking PausedByUser",
        "image 0|run 40|is Stable", "set soak x|run 40|is Soaking InvalidConfig",
        "unset canary-percent|image 0|run 60|left"};
    for (size_t i = 0; i < ARRAY_LEN(stops); i++) {
        cleanup_model struct model *x = m_electing(2, true);
        m_until_step(x, TRIAL_GIVING, 300);
        m_play(x, stops[i]);
        if (x->replicas != 2) fail_msg("%s: %d replicas", stops[i], x->replicas);
        cleanup_model struct model *y = m_electing(2, true);
        m_until_step(y, TRIAL_LEADS, 300);
        m_play(y, stops[i]);
        if (y->replicas != 2) fail_msg("%s: %d replicas", stops[i], y->replicas);
    }
    (void)m;
}
SCENE(stable_leads_while_a_person_is_asked, two()) {
    m_play(m, "set canary-percent 20,pause|image 1|run 400|is Soaking AwaitingApproval");
    stable_leads(m);
    m_play(m, "run 700|act resume 1|until Promoting 200|until Stable 100|run 4|all 1 2|ended promoted");
}
SCENE(stable_leads_while_a_user_has_it_paused, m_electing(2, true)) {
    m_until_step(m, TRIAL_LEADS, 300);
    m_play(m, "act pause 1");
    stable_leads_again(m);
    m_play(m, "is Soaking PausedByUser|act resume 1|until Promoting 600");
}
SCENE(a_scale_in_the_middle_is_respected_and_at_last_held_for, m_electing(2, true)) {
    int times = 0;
    for (int t = 0; t < 400; t++) {
        times += m->replicas == 0;
        if (m->replicas == 0) m_scale(m, 3);
        m_run(m, 1);
    }
    assert_int_equal(times, 3);
    m_play(m, "run 120|is Soaking ObservedStateConflict");
    assert_int_equal(m->replicas, 3);
}
SCENE(idle_versions_are_not_started_in_stables_place, two()) {
    m_play(
        m,
        "image 1|act promote 1|run 60|image 0|run 5|act promote 0|run 80|is Stable|all 0 2"); /* 1 is newer than 0, and idle */
    m_play(m, "fails 1|fails 2|image 2|until RolledBack 600");
    assert_int_equal(m->lease.leaders[1] > 0, 1); /* of the promotion alone */
    stable_leads_again(m);
    m_play(m, "own 0 2|own 1 0|own 2 0");
}

CASES("rollout/plan_leader")
