/* What a user may ask for in the middle: promote, pause, resume, abort, retry; once each, and only for this
 * template. */
#include "../case.h"
#include "model.h"

CASE(promote) {
    struct model m;
    m_soaking(&m, 3);
    m_act(&m, "promote", 1);
    m_run(&m, 1);
    assert_true(m_phase(&m) == PHASE_PROMOTING && !m_annotation(&m, "promote")); /* consumed */
    m_until(&m, PHASE_STABLE, 30);
    assert_true(m_running(&m, 1, false) == 3 && strstr(m_s(&m)->history[0].reason, "by a user"));
    m_free(&m);
}

CASE(promote_a_quarantined_one) {
    struct model m;
    m_soaking(&m, 3);
    m.behaviour[1] = FAILS;
    m_until(&m, PHASE_ROLLED_BACK, 30);
    m.asked[1] = true;
    m_act(&m, "promote", 1);
    m_until(&m, PHASE_STABLE, 40);
    m_run(&m, 3);
    assert_true(m_running(&m, 1, false) == 3 && !state_quarantined(m_s(&m), m.hash[1], NULL) &&
                m_running(&m, 1, true) == 0);
    m_free(&m);
}

CASE(promote_at_zero) {
    struct model m;
    m_start(&m, 1, 0);
    m_image(&m, 1);
    m_run(&m, 3);
    m_act(&m, "promote", 1);
    m_run(&m, 20);
    assert_true(m_phase(&m) == PHASE_STABLE && m_s(&m)->hold == HOLD_NONE && m.paused);
    m_scale(&m, 2);
    m_run(&m, 6);
    assert_int_equal(m_running(&m, 1, false), 2);
    m_free(&m);
}

CASE(pause_and_resume) {
    struct model m;
    m_soaking(&m, 3);
    m_act(&m, "pause", 1);
    m_run(&m, 900); /* beyond soak and deadline */
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_PAUSED_BY_USER &&
                m_running(&m, 1, true) == 1);
    m_act(&m, "resume", 1);
    m_until(&m, PHASE_STABLE, 60); /* the pause does not count against the deadline */
    assert_int_equal(m_running(&m, 1, false), 3);
    m_free(&m);
    m_soaking(&m, 3); /* harm is stopped in a pause, too */
    m_act(&m, "pause", 1);
    m_run(&m, 5);
    m.behaviour[1] = FAILS;
    m_until(&m, PHASE_ROLLED_BACK, 60);
    m_free(&m);
}

CASE(pause_a_promotion) {
    struct model m;
    m_soaking(&m, 3);
    m_until(&m, PHASE_PROMOTING, 80);
    m_run(&m, 1);
    m_act(&m, "pause", 1);
    m_run(&m, 700);
    assert_true(m_phase(&m) == PHASE_PROMOTING && m_s(&m)->hold == HOLD_PAUSED_BY_USER && m.paused &&
                m_active(&m) == 2);
    m_act(&m, "resume", 1);
    m_until(&m, PHASE_STABLE, 40);
    assert_int_equal(m_running(&m, 1, false), 3);
    m_free(&m);
}

CASE(abort_it) {
    for (int promoting = 0; promoting < 6; promoting++) {
        struct model m;
        m_soaking(&m, 3);
        if (promoting) {
            m_until(&m, PHASE_PROMOTING, 80);
            m_run(&m, promoting - 1);
        }
        m_act(&m, "abort", 1);
        m_until(&m, PHASE_ROLLED_BACK, 60);
        m_run(&m, 10);
        assert_true(m_running(&m, 0, false) == 3 && m_running(&m, 1, false) == 0 &&
                    m_running(&m, 1, true) == 0 && m.paused);
        assert_string_equal(ended_name(m_s(&m)->history[0].ended), "aborted");
        m_act(&m, "retry", 1);
        m_until(&m, PHASE_SOAKING, 20);
        m_until(&m, PHASE_STABLE, 120);
        assert_int_equal(m_running(&m, 1, false), 3);
        m_free(&m);
    }
}

CASE(retry_once_for_a_value) {
    struct model m;
    m_soaking(&m, 3);
    m.behaviour[1] = FAILS;
    m_until(&m, PHASE_ROLLED_BACK, 30);
    m_act(&m, "retry", 1);
    m_until(&m, PHASE_SOAKING, 20);
    m_until(&m, PHASE_ROLLED_BACK, 30);
    for (int i = 0; i < 5;
         i++) { /* a manifest in Git puts it back again and again: no replay, and no fight */
        m_act(&m, "retry", 1);
        m_run(&m, 5);
        assert_true(m_phase(&m) == PHASE_ROLLED_BACK && m_annotation(&m, "retry"));
    }
    char *again = xasprintf("%s@2026-11-23T18:16:33Z", m.hash[1]); /* another request */
    m.behaviour[1] = GOOD;
    m_annotate(&m, "retry", again);
    free(again);
    m_until(&m, PHASE_SOAKING, 20);
    m_until(&m, PHASE_STABLE, 120);
    m_free(&m);
}

CASE(wrong_hash) {
    struct model m;
    m_soaking(&m, 3);
    m_act(&m, "abort", 2);
    m_act(&m, "promote", 0);
    m_annotate(&m, "retry", "nonsense");
    m_annotate(&m, "pause", ""); /* refused like the others, and the next leader can read that */
    m_annotate(&m, "resume", "\x01 too strange");
    m_run(&m, 5);
    assert_true(m_phase(&m) == PHASE_SOAKING && m_event(&m, "ActionIgnored"));
    m_forget(&m);
    int writes = m.writes;
    m.events[0] = '\0';
    m_run(&m, 5);
    assert_true(m.writes == writes && !m_event(&m, "ActionIgnored")); /* reported once */
    m_free(&m);
}

CASE(nothing_to_do) {
    struct model m;
    m_start(&m, 1, 3);
    static const char *const all[] = {"promote", "pause", "resume", "abort", "retry"};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        m_act(&m, all[i], 0);
        m_run(&m, 2);
        assert_true(m_phase(&m) == PHASE_STABLE && m_event(&m, "ActionIgnored") && !m_annotation(&m, all[i]));
        m.events[0] = '\0';
    }
    m_free(&m);
}

CASE(resume_gives_another_deadline) {
    struct model m;
    m_soaking(&m, 3);
    m.behaviour[1] = SILENT;
    m_run(&m, 650);
    assert_int_equal(m_s(&m)->hold, HOLD_INCONCLUSIVE);
    m_act(&m, "resume", 1);
    m_run(&m, 2);
    assert_int_not_equal(m_s(&m)->hold, HOLD_INCONCLUSIVE);
    m.behaviour[1] = GOOD;
    m_until(&m, PHASE_STABLE, 100);
    m_free(&m);
}

/* After the deadline with on-inconclusive: pause a person decides, evidence or not; but harm is still
 * stopped. */
CASE(inconclusive_waits_for_a_person) {
    struct model m;
    m_soaking(&m, 3);
    m.behaviour[1] = SILENT;
    m_run(&m, 650);
    m.behaviour[1] = GOOD;
    m_run(&m, 200);
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_INCONCLUSIVE);
    m.behaviour[1] = FAILS;
    m_until(&m, PHASE_ROLLED_BACK, 200);
    m_free(&m);
}

CASES("rollout/plan_user")
