/* Changes in the middle: templates, scaling, releasing; each has its defined answer. */
#include "../case.h"
#include "model.h"

CASE(new_template_restarts) {
    struct model m;
    m_soaking(&m, 3);
    m_image(&m, 2);
    m_until(&m, PHASE_CANCELLING, 3);
    m_until(&m, PHASE_SOAKING, 20);
    assert_true(m_running(&m, 1, true) == 0 && m_running(&m, 2, true) == 1 && m_s(&m)->step == 0);
    assert_string_equal(ended_name(m_s(&m)->history[0].ended), "cancelled");
    assert_false(state_quarantined(m_s(&m), m.hash[1], NULL)); /* no verdict, no quarantine */
    m_until(&m, PHASE_STABLE, 120);
    m_assert_all(&m, 2, 3);
    m_free(&m);
}

CASE(back_to_stables) {
    struct model m;
    m_soaking(&m, 3);
    m_image(&m, 0);
    m_until(&m, PHASE_STABLE, 20);
    m_run(&m, 3);
    m_assert_all(&m, 0, 3);
    assert_true(m.paused);
    m_free(&m);
}

CASE(a_template_that_was_rolled_back_comes_again) {
    struct model m;
    m_soaking(&m, 3);
    m.behaviour[1] = FAILS;
    m_until(&m, PHASE_ROLLED_BACK, 40);
    m_image(&m, 0);
    m_until(&m, PHASE_STABLE, 20);
    m_image(&m, 1);
    for (int i = 0; i < 30; i++) {
        m_run(&m, 1);
        assert_int_equal(m_running(&m, 1, true), 0);
    }
    assert_true(m_phase(&m) == PHASE_ROLLED_BACK && m_event(&m, "Quarantined"));
    m_assert_all(&m, 0, 3);
    m_free(&m);
}

CASE(quiet_moments) {
    struct model m;
    m_soaking(&m, 3);
    m.quiet = QUIET_BUSY;
    m_image(&m, 0);
    m_run(&m, 5);
    assert_true(m_phase(&m) == PHASE_CANCELLING && m_running(&m, 1, true) == 1 &&
                m.edge.probe); /* not in the middle of something */
    m_run(&m, 8);
    assert_int_equal(m_running(&m, 1, true), 0); /* for `quiet` at most, 10 s */
    m_until(&m, PHASE_STABLE, 10);
    m_free(&m);
    m_soaking(&m, 3);
    m.quiet = QUIET_BUSY;
    m.behaviour[1] = FAILS;
    m_until(&m, PHASE_ROLLING_BACK, 20);
    m_run(&m, 1);
    assert_int_equal(m_running(&m, 1, true), 0); /* harm does not wait */
    m_free(&m);
}

CASE(scaling) {
    struct model m;
    m_soaking(&m, 4);
    assert_int_equal(m_running(&m, 1, true), 1);
    m_scale(&m, 12);
    m_run(&m, 6);
    assert_true(m_running(&m, 0, false) == 12 && m_running(&m, 1, true) == 3 && m_phase(&m) == PHASE_SOAKING);
    assert_non_null(strstr(m_annotation(&m, "status"), "got 20 % of 15 pods"));
    m_scale(&m, 2);
    m_run(&m, 8);
    assert_true(m_running(&m, 0, false) == 2 && m_running(&m, 1, true) == 1 && m_phase(&m) == PHASE_SOAKING);
    m_scale(&m, 0);
    m_run(&m, 8);
    assert_true(m_running(&m, 0, false) == 0 && m_running(&m, 1, true) == 0 && m_s(&m)->hold == HOLD_ZERO);
    m_scale(&m, 2);
    m_until(&m, PHASE_STABLE, 120);
    m_assert_all(&m, 1, 2);
    m_free(&m);
}

/* An HPA's doing, at every moment of the native update. */
CASE(scaling_while_promoting) {
    static const int to[] = {9, 2, 0};
    for (size_t k = 0; k < ARRAY_LEN(to); k++) {
        for (int wait = 0; wait < 10; wait += 3) {
            struct model m;
            m_soaking(&m, 4);
            m_until(&m, PHASE_PROMOTING, 80);
            m_run(&m, wait);
            m_scale(&m, to[k]);
            m_until(&m, PHASE_STABLE, 80);
            m_run(&m, 3);
            m_assert_all(&m, 1, to[k]);
            assert_true(m.paused && m_s(&m)->hold == HOLD_NONE);
            assert_string_equal(ended_name(m_s(&m)->history[0].ended), "promoted");
            m_free(&m);
        }
    }
}

CASE(scaling_while_rolled_back) {
    struct model m;
    m_soaking(&m, 3);
    m.behaviour[1] = FAILS;
    m_until(&m, PHASE_ROLLED_BACK, 40);
    m_scale(&m, 6);
    m_run(&m, 6);
    m_assert_all(&m, 0, 6); /* the paused controller scales what runs: stable */
    m_scale(&m, 0);
    m_run(&m, 4);
    m_scale(&m, 2);
    m_run(&m, 10);
    m_assert_all(&m, 0, 2); /* from zero, where it would take another */
    assert_true(m.paused && m_phase(&m) == PHASE_ROLLED_BACK);
    m_free(&m);
}

CASE(stuck_promotion) {
    struct model m;
    m_soaking(&m, 4);
    m_until(&m, PHASE_PROMOTING, 80);
    m.behaviour[1] = NEVER_READY;
    m_run(&m, 20);
    assert_true(m_phase(&m) == PHASE_PROMOTING && m_running(&m, 0, false) == 4);
    m_until(&m, PHASE_ROLLED_BACK, 700); /* its own deadline, 600 s without progress */
    m_run(&m, 20);
    assert_true(m.paused);
    m_assert_all(&m, 0, 4);
    assert_string_equal(ended_name(m_s(&m)->history[0].ended), "stuck");
    m_free(&m);
}

/* strategy Recreate: stable's pods are gone first */
CASE(stuck_promotion_with_stable_at_zero) {
    struct model m;
    m_soaking(&m, 3);
    m.recreate = true;
    m_until(&m, PHASE_PROMOTING, 80);
    m.behaviour[1] = NEVER_READY;
    m_run(&m, 30);
    assert_true(m_running(&m, 0, false) == 0 && m_active(&m) == 1);
    m_until(&m, PHASE_ROLLED_BACK, 700); /* stable runs again before the other goes */
    m_run(&m, 20);
    m_assert_all(&m, 0, 3);
    m_free(&m);
}

/* Another template in the middle of a promotion, while Handover is there (a moment) or away (until that template
 * runs everywhere): a version that was judged serves again, and only then the other gets its canary. */
CASE(superseded_promotion) {
    int everywhere = 0;
    for (int i = 0; i < 48; i++) {
        int wait = i % 12, away = i < 24 ? wait % 3 : 40;
        bool bad = i / 12 % 2;
        struct model m;
        m_soaking(&m, 4);
        m_until(&m, PHASE_PROMOTING, 80);
        m_run(&m, wait);
        if (away == 40) m_forget(&m);
        if (bad) m.behaviour[2] = FAILS;
        m_image(&m, 2);
        for (int k = 0; k < away; k++) m_tick(&m);
        everywhere += m_running(&m, 2, false) == 4;
        m_run(&m, 1);
        assert_true(m.paused);
        m_until(&m, PHASE_SOAKING, 60);
        assert_true(m_running(&m, 2, false) == 0 && m_running(&m, 0, false) + m_running(&m, 1, false) == 4);
        m_until(&m, bad ? PHASE_ROLLED_BACK : PHASE_STABLE, 120);
        m_run(&m, 3);
        assert_int_equal(m_running(&m, 2, false), bad ? 0 : 4);
        assert_false(m_event(&m, "UnmanagedRollout"));
        m_free(&m);
    }
    assert_true(everywhere > 10);
}

/* The same between "it is complete" and the pause: the state is written, the patch is not. */
CASE(superseded_before_the_pause) {
    struct model m;
    m_soaking(&m, 3);
    m_until(&m, PHASE_PROMOTING, 80);
    for (m.between = NULL; m_phase(&m) == PHASE_PROMOTING;) {
        m_tick(&m);
        m.fail_at = 2 * (m.steps + 1);
        m_pass(&m);
    }
    m.fail_at = -1;
    assert_true(m_phase(&m) == PHASE_FINISHING && !m.paused);
    m.behaviour[2] = FAILS;
    m_image(&m, 2);
    for (int k = 0; k < 40; k++) m_tick(&m);
    m_until(&m, PHASE_ROLLED_BACK, 120);
    m_run(&m, 3);
    m_assert_all(&m, 1, 3);
    m_free(&m);
}

CASE(promotion_taken_back) {
    for (int wait = 0; wait < 12; wait++) {
        struct model m;
        m_soaking(&m, 4);
        m_until(&m, PHASE_PROMOTING, 80);
        m_run(&m, wait);
        m_image(&m, 0);
        m_run(&m, 40);
        m_until(&m, PHASE_STABLE, 140);
        m_run(&m, 3);
        m_assert_all(&m, 0, 4);
        assert_true(m.paused);
        m_free(&m);
    }
}

CASE(promotion_paused_by_others) {
    struct model m;
    m_soaking(&m, 4);
    m_until(&m, PHASE_PROMOTING, 80);
    m_run(&m, 2);
    m_user_paused(&m, true);
    m_run(&m, 700);
    assert_true(m.paused && m_phase(&m) == PHASE_PROMOTING && m_s(&m)->hold == HOLD_USER_PAUSED);
    m_user_paused(&m, false);
    m_until(&m, PHASE_STABLE, 40);
    m_assert_all(&m, 1, 4);
    m_free(&m);
}

CASE(wrong_annotation_in_the_middle) {
    struct model m;
    m_soaking(&m, 3);
    m_annotate(&m, "soak", "soon");
    m_run(&m, 200);
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_CONFIG && m_running(&m, 1, true) == 1);
    m_annotate(&m, "soak", "20s");
    m_until(&m, PHASE_STABLE, 60);
    m_free(&m);
    m_soaking(&m, 3);
    m_annotate(&m, "soak", "soon");
    m.behaviour[1] = FAILS; /* harm is stopped all the same */
    m_until(&m, PHASE_ROLLED_BACK, 100);
    m_free(&m);
}

CASE(leaves) {
    struct model m;
    m_start(&m, 1, 2);
    m_annotate(&m, "canary-percent", NULL);
    m_run(&m, 3);
    assert_true(!m.paused && m.deadline_s == 600 && !m.state && !m_annotation(&m, "status"));
    m_assert_all(&m, 0, 2);
    m_annotate(&m, "canary-percent", "50");
    m_until(&m, PHASE_STABLE, 10);
    m.release = true;
    m_run(&m, 3);
    assert_true(!m.paused && !m.state);
    m_free(&m);
}

CASE(leaves_in_the_middle) {
    struct model m;
    m_soaking(&m, 3);
    m_annotate(&m, "canary-percent", NULL);
    m_run(&m, 10);
    assert_true(m.paused && m_phase(&m) == PHASE_RELEASING && m_s(&m)->hold == HOLD_REFUSED);
    m_assert_all(&m, 0, 3);
    assert_non_null(strstr(m_annotation(&m, "status"), "releasing the Deployment would start op:v1"));
    int writes = m.writes;
    m_run(&m, 30);
    assert_int_equal(m.writes, writes);
    m_image(&m, 0);
    m_run(&m, 3);
    assert_true(!m.paused && !m.state && m.deadline_s == 600);
    m_assert_all(&m, 0, 3);
    m_free(&m);
}

/* Decided to give back, killed before the patch, and then the template changes: that one must not start. */
CASE(leaving_raced) {
    struct model m;
    m_start(&m, 1, 3);
    m_annotate(&m, "canary-percent", NULL);
    m.fail_at = 2 * (m.steps + 1);
    m_pass(&m);
    assert_true(m.crashes == 1 && m_s(&m)->phase == PHASE_RELEASING && m.paused);
    m_image(&m, 1);
    m_run(&m, 10);
    assert_true(m.paused && m_s(&m)->hold == HOLD_REFUSED);
    m_assert_all(&m, 0, 3);
    m_free(&m);
}

CASE(leaving_taken_back) {
    struct model m;
    m_soaking(&m, 3);
    m_annotate(&m, "canary-percent", NULL);
    m_run(&m, 10);
    m_annotate(&m, "canary-percent", "20");
    m_until(&m, PHASE_SOAKING, 20); /* tried anew */
    m_until(&m, PHASE_STABLE, 120);
    m_assert_all(&m, 1, 3);
    m_free(&m);
}

CASE(leaving_forced) {
    for (int how = 0; how < 3; how++) {
        struct model m;
        m_soaking(&m, 3);
        m_annotate(&m, "canary-percent", NULL);
        if (how == 0) m.force = true;
        if (how == 1) m_act(&m, "release", 1);
        m_run(&m, 10);
        if (how == 2) {
            m_act(&m, "release", 2); /* of another template: no */
            m_run(&m, 3);
            assert_true(m.paused);
            m_user_paused(&m, false); /* a person resumes what is not managed any more: meant */
        }
        m_run(&m, 20);
        assert_true(!m.paused && !m.state && m.deadline_s == 600 && !m_annotation(&m, "status"));
        m_assert_all(&m, 1, 3);
        m_free(&m);
    }
}

CASES("rollout/plan_change")
