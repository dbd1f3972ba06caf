/* Changes in the middle: templates, scaling, releasing; each has its defined answer. */
#include "scene.h"

SCENE(new_template_restarts, m_soaking(3)) {
    m_play(m, "image 2|until Cancelling 3|until Soaking 20|canary 1 0|canary 2 1");
    assert_int_equal(m_s(m)->step, 0);
    m_play(m, "ended cancelled|trusted 1|until Stable 120|all 2 3"); /* no verdict, no quarantine */
}

PLAY(back_to_stables, m_soaking(3), "image 0|until Stable 20|run 3|all 0 3|paused")

SCENE(a_template_that_was_rolled_back_comes_again, m_soaking(3)) {
    m_play(m, "fails 1|until RolledBack 40|image 0|until Stable 20|image 1");
    for (int i = 0; i < 30; i++) m_play(m, "run 1|canary 1 0");
    m_play(m, "phase RolledBack|event Quarantined|all 0 3");
}

/* Not in the middle of something, but for `quiet` at most, 10 s. */
SCENE(quiet_moments, m_soaking(3)) {
    m->quiet = QUIET_BUSY;
    m_play(m, "image 0|run 5|phase Cancelling|canary 1 1");
    assert_true(m->edge.probe);
    m_play(m, "run 8|canary 1 0|until Stable 10");
}

SCENE(harm_does_not_wait_for_a_quiet_moment, m_soaking(3)) {
    m->quiet = QUIET_BUSY;
    m_play(m, "fails 1|until RollingBack 20|run 1|canary 1 0");
}

PLAY(
    scaling, m_soaking(4),
    "canary 1 1|scale 12|run 6|own 0 12|canary 1 3|phase Soaking|status got 20 % of 15 pods|"
    "scale 2|run 8|own 0 2|canary 1 1|phase Soaking|scale 0|run 8|own 0 0|canary 1 0|is Soaking ScaledToZero|"
    "scale 2|until Stable 120|all 1 2")

/* An HPA's doing, at every moment of the native update. */
CASE(scaling_while_promoting) {
    static const int to[] = {9, 2, 0};
    for (size_t k = 0; k < ARRAY_LEN(to); k++) {
        for (int wait = 0; wait < 10; wait += 3) {
            cleanup_model struct model *m = m_soaking(4);
            m_until(m, PHASE_PROMOTING, 80);
            m_run(m, wait);
            m_scale(m, to[k]);
            m_play(m, "until Stable 80|run 3|is Stable|paused|ended promoted");
            m_assert_all(m, 1, to[k]);
        }
    }
}

/* The paused controller scales what runs: stable; from zero, too, where it would take another. */
PLAY(scaling_while_rolled_back, m_soaking(3),
     "fails 1|until RolledBack 40|scale 6|run 6|all 0 6|scale 0|run 4|scale 2|run 10|all 0 2|paused|"
     "phase RolledBack")

/* Its own deadline, 600 s without progress. */
PLAY(stuck_promotion, m_soaking(4),
     "until Promoting 80|never-ready 1|run 20|phase Promoting|own 0 4|until RolledBack 700|run 20|paused|"
     "all 0 4|ended stuck")

/* strategy Recreate: stable's pods are gone first, and run again before the others go. */
SCENE(stuck_promotion_with_stable_at_zero, m_soaking(3)) {
    m->recreate = true;
    m_play(m, "until Promoting 80|never-ready 1|run 30|own 0 0|active 1|until RolledBack 700|run 20|all 0 3");
}

/* Another template in the middle of a promotion, while Handover is there (a moment) or away (until that template
 * runs everywhere): a version that was judged serves again, and only then the other gets its canary. */
CASE(superseded_promotion) {
    int everywhere = 0;
    for (int i = 0; i < 48; i++) {
        int wait = i % 12, away = i < 24 ? wait % 3 : 40;
        bool bad = i / 12 % 2;
        cleanup_model struct model *m = m_soaking(4);
        m_until(m, PHASE_PROMOTING, 80);
        m_run(m, wait);
        if (away == 40) m_forget(m);
        if (bad) m->behaviour[2] = FAILS;
        m_image(m, 2);
        for (int k = 0; k < away; k++) m_tick(m);
        everywhere += m_running(m, 2, false) == 4;
        m_play(m,
               bad ? "run 1|paused|until RolledBack 120|own 2 0" : "run 1|paused|until Soaking 60|own 2 0");
        assert_int_equal(m_running(m, 0, false) + m_running(m, 1, false), 4);
        m_play(m, bad ? "until RolledBack 120|run 3|own 2 0" : "until Stable 120|run 3|own 2 4");
        m_play(m, "no-event UnmanagedRollout");
    }
    assert_true(everywhere > 10);
}

/* The same between "it is complete" and the pause: the state is written, the patch is not. */
SCENE(superseded_before_the_pause, m_soaking(3)) {
    m_play(m, "until Promoting 80");
    for (m->between = NULL; m_phase(m) == PHASE_PROMOTING;) {
        m_tick(m);
        m->fail_at = 2 * (m->steps + 1);
        m_pass(m);
    }
    m->fail_at = -1;
    m_play(m, "phase Finishing|unpaused|fails 2|image 2|tick 40|until RolledBack 120|run 3|all 1 3");
}

CASE(promotion_taken_back) {
    for (int wait = 0; wait < 12; wait++) {
        cleanup_model struct model *m = m_soaking(4);
        m_until(m, PHASE_PROMOTING, 80);
        m_run(m, wait);
        m_play(m, "image 0|run 40|until Stable 140|run 3|all 0 4|paused");
    }
}

PLAY(promotion_paused_by_others, m_soaking(4),
     "until Promoting 80|run 2|pause|run 700|paused|is Promoting UserPaused|unpause|until Stable 40|all 1 4")

PLAY(wrong_annotation_in_the_middle, m_soaking(3),
     "set soak soon|run 200|is Soaking InvalidConfig|canary 1 1|set soak 20s|until Stable 60")

PLAY(harm_is_stopped_beside_a_wrong_annotation, m_soaking(3), "set soak soon|fails 1|until RolledBack 100")

SCENE(leaves, m_start(2)) {
    m_play(m, "unset canary-percent|run 3|left|all 0 2|set canary-percent 50|until Stable 10");
    m->release = true;
    m_play(m, "run 3|left");
}

PLAY(leaves_in_the_middle, m_soaking(3),
     "unset canary-percent|run 10|paused|is Releasing ReleaseRefused|all 0 3|"
     "status releasing the Deployment would start op:v1|idle 30|image 0|run 3|left|all 0 3")

/* Decided to give back, killed before the patch, and then the template changes: that one must not start. */
SCENE(leaving_raced, m_start(3)) {
    m_annotate(m, "canary-percent", NULL);
    m->fail_at = 2 * (m->steps + 1);
    m_pass(m);
    assert_int_equal(m->crashes, 1);
    m_play(m, "phase Releasing|paused|image 1|run 10|paused|is Releasing ReleaseRefused|all 0 3");
}

PLAY(leaving_taken_back, m_soaking(3),
     "unset canary-percent|run 10|set canary-percent 20|until Soaking 20|until Stable 120|all 1 3")

SCENE(leaving_forced_by_the_process, m_soaking(3)) {
    m->force = true;
    m_play(m, "unset canary-percent|run 30|left|all 1 3");
}

PLAY(leaving_forced, m_soaking(3), "unset canary-percent|act release 1|run 30|left|all 1 3")

/* Released for another template: no. But a person resumes what is not managed any more: that is meant. */
PLAY(leaving_by_hand, m_soaking(3),
     "unset canary-percent|run 10|act release 2|run 3|paused|unpause|run 20|left|all 1 3")

CASES("rollout/plan_change")
