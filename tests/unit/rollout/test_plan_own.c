/* Handover's own Deployment: the canary is named, leads guarded, and gives its Lease back. */
#include "scene.h"

SCENE(a_good_version_leads_by_turns_and_is_promoted, m_own(2, false)) {
    m_play(m, "image 1|until Promoting 900|event TrialStarted|until Stable 100|run 4|all 1 2|ended promoted");
    assert_int_equal(m->zero, 0);
}
SCENE(a_bad_version_is_rolled_back_in_its_first_trial, m_own(2, false)) {
    m_play(m, "fails 1|image 1|until RolledBack 600|quarantined 1");
    assert_int_equal(m_s(m)->trial.n, 1);
}
SCENE(a_version_that_never_takes_the_lease_is_rolled_back, m_own(2, false)) {
    m->behaviour[1] = NEVER_LEADS;
    m_play(m, "image 1|until RolledBack 600|reason 3 times the canary was ready and did not take Lease lock");
}
/* The API server is away, or the drain takes its time. */
SCENE(a_release_that_does_not_come_through_is_nothing_against_the_canary, m_own(2, true)) {
    m->own_stays = true;
    m_until_step(m, TRIAL_GIVING, 300);
    m_play(m, "run 200");
    m_lead(m, false); /* another pod of stable, at last */
    m->own_stays = false;
    m_play(m, "until Promoting 900");
}
SCENE(a_trial_that_ended_badly_rolls_back, m_own(2, true)) {
    m_until_step(m, TRIAL_LEADS, 300);
    m->fault = "it was killed";
    m_play(m, "until RolledBack 300|reason trial 1: it was killed");
}
SCENE(it_is_not_promoted_before_it_has_given_the_lease_back, m_own(2, true)) {
    m_until_step(m, TRIAL_LEADS, 300);
    for (int i = 0; i < 400 && m_s(m)->phase == PHASE_SOAKING; i++) {
        bool canary = false;
        m_run(m, 1);
        if (m_s(m)->phase == PHASE_PROMOTING) assert_true(m_leader(m, &canary) == 0 && !canary);
    }
    m_play(m, "is Promoting");
}
/* The guardian is there, and with it stable's way back. */
SCENE(a_pod_of_stable_that_does_not_start_keeps_no_canary_leading, m_own(2, true)) {
    m_until_step(m, TRIAL_LEADS, 300);
    m->quota = 3;
    m_scale(m, 3);
    m_until_step(m, TRIAL_RETURNING, 120);
}
SCENE(a_deadline_in_its_return_does_not_condemn_what_has_passed, m_own(2, true)) {
    for (int n = 0; n < 2; n++) {
        m_until_step(m, TRIAL_LEADS, 300);
        m_until_step(m, TRIAL_RETURNING, 300);
    }
    m_play(m, "set deadline 51s|until Promoting 40");
}
SCENE(a_deadline_before_its_return_waits_for_one_more_trial, m_own(2, true)) {
    m_until_step(m, TRIAL_LEADS, 300);
    m_until_step(m, TRIAL_RETURNING, 300);
    m_until_step(m, TRIAL_LEADS, 300);
    m_run(m, 19);
    m_lead(m, false); /* it has lost the Lease */
    m_until_step(m, TRIAL_STANDBY, 20);
    m_play(m, "set deadline 51s|until Promoting 400");
}
SCENE(stable_leads_while_a_user_has_it_paused, m_own(2, true)) {
    bool canary = false;
    m_until_step(m, TRIAL_GIVING, 300);
    m_play(m, "act pause 1");
    m_lead(m, true); /* it takes it in that moment */
    m_play(m, "run 60|is Soaking PausedByUser");
    assert_true(m_leader(m, &canary) == 0 && !canary);
    m_play(m, "act resume 1|until Promoting 900");
}
SCENE(gates_and_steps_are_gone_through, m_own(2, false)) {
    bool canary = false;
    m_play(m, "set canary-percent 10,pause,50|image 1|run 400|is Soaking AwaitingApproval");
    assert_true(m_leader(m, &canary) == 0 && !canary);
    m_play(m, "act resume 1|until Promoting 1500|until Stable 100|ended promoted");
}
/* Its own way of ending trials is what is tried. */
SCENE(the_lease_of_a_dead_canary_is_not_released_in_its_stead, m_own(2, true)) {
    m_until_step(m, TRIAL_RETURNING, 300);
    for (bool canary = true; canary; m_run(m, 1)) {
        assert_true(m->lease.holder[0]);
        canary = m_leader(m, &canary) < 0 || canary;
    }
}

CASES("rollout/plan_own")
