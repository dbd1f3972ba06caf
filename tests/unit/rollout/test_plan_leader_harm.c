/* Mode leader, when what surrounds it goes wrong: stable comes back with the user's number of pods, nothing unjudged leads, a good
 * version is not condemned for what others do. */
#include "scene.h"

static struct model *two(void) {
    return m_electing(2, false);
}
static struct model *soaking(void) {
    return m_electing(2, true);
}
static void until_zero(struct model *m) {
    m_until_step(m, TRIAL_GIVING, 400);
    while (m->replicas > 0 || m_active(m) > 0) m_run(m, 1);
    assert_int_equal(m_s(m)->trial.step, TRIAL_GIVING);
}
static void lose_state(struct model *m) {
    free(m->facts);
    free(m->state);
    m->facts = m->state = NULL;
}

/* Whatever makes stable's leader end: the canary is a standby like any other. */
SCENE(a_canary_that_comes_to_lead_by_itself_is_judged, two()) {
    m_play(m, "fails 1|image 1|until Soaking 40");
    m_until_step(m, TRIAL_STANDBY, 100);
    m_run(m, 2);
    m_lead(m, true);
    m_play(m, "until RolledBack 30|quarantined 1");
    m_run(m, 40);
    assert_true(m_leader(m, NULL) == 0 && m->replicas == 2);
}
SCENE(a_state_that_is_lost_while_stable_is_at_zero_is_no_end_of_it, two()) {
    for (int killed = 0; killed < 2; killed++) {
        cleanup_model struct model *x = m_electing(2, true);
        until_zero(x);
        lose_state(x);
        if (killed) m_forget(x);
        m_run(x, 10);
        if (x->replicas != 2 || m_running(x, 0, false) != 2)
            fail_msg("%d replicas, %d pods: %s", x->replicas, m_running(x, 0, false), x->state);
        m_play(x, "event StateLost|no-event NoActiveReplicaSet|until Stable 600|all 1 2");
    }
    (void)m;
}
/* Its cache is of the moment between the state and the write that it announces. */
SCENE(a_leader_that_sees_the_number_before_our_zero_does_not_forget_it, soaking()) {
    until_zero(m);
    m_see(m, SEEN_ALL);
    m->lag = 1000000;
    m->cache->replicas = 2;
    m->cache->rv--;
    m->cache->generation--;
    cJSON_DeleteItemFromObjectCaseSensitive(m->cache->annotations, ANNOTATION_REPLICAS);
    m_forget(m);
    m_run(m, 3);
    m_up_to_date(m);
    m_run(m, 6);
    assert_true(m->replicas == 2 && m_s(m)->trial.step != TRIAL_GIVING);
}
SCENE(an_older_version_is_not_started_in_stables_place, two()) {
    m_play(m, "image 1|act promote 1|run 60|is Stable|all 1 2|image 2|until Soaking 60");
    until_zero(m);
    m_image(m, 0); /* its ReplicaSet is there, idle */
    for (int i = 0; i < 30; i++) {
        m_tick(m);
        for (int k = 0; k < MAX_RS; k++)
            if (m->rs[k].there && !m->rs[k].canary && m->rs[k].version != 1 && m->rs[k].replicas > 0)
                fail_msg("%s is started at %d", m->rs[k].name, i);
        m_settle(m);
    }
    assert_true(m->replicas == 2 && m_running(m, 1, false) == 2);
}
SCENE(the_number_that_a_user_sets_in_the_middle_is_the_one_that_stays, two()) {
    static const bool before[] = {true, false};
    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        cleanup_model struct model *x = m_electing(2, true);
        if (before[i]) { /* the controller has not looked yet, or it has */
            until_zero(x);
            m_scale(x, 3);
        } else {
            until_zero(x);
            m_scale(x, 3);
            m_deployment_controller(x);
            m_tick(x);
        }
        for (int t = 0; t < 8; t++) { /* at once: not after another zero. Then the next turn comes */
            m_run(x, 1);
            if (x->replicas != 3) fail_msg("%d replicas after %d s", x->replicas, t);
        }
        m_run(x, 100);
        if (x->replicas != 3) fail_msg("%d replicas", x->replicas);
    }
    (void)m;
}
SCENE(pods_that_end_slowly_do_not_condemn_the_canary, two()) {
    for (int grace = 50; grace < 75; grace++) {
        cleanup_model struct model *x = m_electing(2, false);
        x->grace = grace;
        m_play(x, "image 1|until Soaking 40");
        m_until_step(x, TRIAL_GIVING, 400);
        while (m_s(x)->trial.step == TRIAL_GIVING && m_phase(x) == PHASE_SOAKING) m_run(x, 1);
        if (m_phase(x) != PHASE_SOAKING) fail_msg("grace %d: %s", grace, m_s(x)->message);
    }
    (void)m;
}
SCENE(a_canary_that_takes_a_lease_of_its_own_late_is_not_made_to_wait, soaking()) {
    m_until_step(m, TRIAL_STANDBY, 100);
    m->own_lease = true;
    m_run(m, 100);
    assert_true(m_s(m)->trial.step == TRIAL_NONE && m_phase(m) == PHASE_SOAKING && m->zero == 0);
}
SCENE(a_canary_that_is_not_ready_without_stable_stops_few_leaders, soaking()) {
    m_annotate(m, "deadline", "2h");
    int times = 0;
    for (int i = 0, was = 2; i < 1500; i++) {
        m->behaviour[1] = m->replicas ? GOOD : NEVER_READY;
        m_run(m, 1);
        times += was > 0 && m->replicas == 0;
        was = m->replicas;
    }
    if (times > 4) fail_msg("stable was stopped %d times", times);
    m_play(m, "is Soaking ObservedStateConflict");
    assert_int_equal(m->replicas, 2);
}
SCENE(what_held_is_over_when_the_canary_is_ready_again, soaking()) {
    m_until_step(m, TRIAL_STANDBY, 100);
    m_play(m, "never-ready 1|run 36|is Soaking NotReady|good 1|run 5|is Soaking");
}
SCENE(the_deadline_holds_without_a_lease_and_without_stables_return, two()) {
    static const enum trial_step at[] = {TRIAL_STANDBY, TRIAL_LEADS, TRIAL_RETURNING};
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        cleanup_model struct model *x = m_electing(2, true);
        m_until_step(x, at[i], 400);
        x->no_lease = at[i] != TRIAL_RETURNING;
        if (at[i] == TRIAL_RETURNING) x->behaviour[0] = NEVER_LEADS;
        m_run(x, 1000);
        m_play(x, "is Soaking Inconclusive");
    }
    (void)m;
}
SCENE(the_deadline_holds_where_no_lease_is_found, two()) {
    m_annotate(m, "mode", "leader");
    m->no_lease = true;
    m_play(m, "image 1|until Soaking 60|run 100|is Soaking NoData|run 900|is Soaking Inconclusive");
}
SCENE(a_stable_without_work_is_no_sign_of_a_shared_lease, two()) {
    m_play(m, "workless 0|standby 1|image 1|until Soaking 40|run 100|no-event LeaderMode");
    assert_int_equal(m->zero, 0);
}
SCENE(stable_comes_back_without_history, m_electing(2, false)) {
    m->history = 0;
    m_play(m, "run 5|image 1|until Soaking 60");
    until_zero(m);
    m_play(m, "run 60|own 1 0");
    assert_true(m->replicas == 2 && m_running(m, 0, false) == 2);
}
CASES("rollout/plan_leader_harm")
