/* A step that has passed waits for a person's word: canary-percent: "20,pause,40". */
#include "../each.h"
#include "plan/plan_ctx.h"
#include "scene.h"

static struct model *at_gate(const char *steps) {
    struct model *m = m_start(3);
    m_annotate(m, "canary-percent", steps);
    m_play(m, "image 1|until Soaking 20|run 120|is Soaking AwaitingApproval|event StepPassed");
    return m;
}

static void again(struct model *m) {
    cleanup_free char *value = xasprintf("%s@2", m->hash[1]);
    m_annotate(m, "resume", value);
}

/* Longer than the deadline of 600 s, which does not come meanwhile, nor by the time that the second step takes. */
SCENE(a_person_lets_the_next_step_begin, at_gate("20,pause,40")) {
    m_play(
        m,
        "event AwaitingApproval|canary 1 1|message step 1 of 2 (20 %) has passed; to go on: handover resume|"
        "run 900|killed|run 30|is Soaking AwaitingApproval|absent resume");
    m->events[0] = '\0';
    m_play(m, "act resume 1|run 3|event Resumed|no-event StepPassed|phase Soaking|no-event Inconclusive");
    assert_int_equal(m_s(m)->step, 1);
    assert_true(m_s(m)->gate_ns == 0 && m_s(m)->shift_ns >= 900 * NS_PER_S);
    m_play(m, "run 3|canary 1 2|until Promoting 120|until Stable 60|own 1 3");
}

PLAY(the_last_one_is_before_the_promotion, at_gate("20,pause"),
     "run 300|own 0 3|act resume 1|until Stable 60|own 1 3")

/* The same value again is no second word. */
SCENE(both_in_a_row, at_gate("20,pause,40,pause")) {
    m_play(
        m,
        "act resume 1|run 60|is Soaking AwaitingApproval|canary 1 2|message step 2 of 2|act resume 1|run 60|"
        "is Soaking AwaitingApproval");
    again(m);
    m_play(m, "until Stable 60");
}

/* Harm is stopped while nobody looks, and the other words have their effect. */
PLAY(harm_is_stopped_at_the_gate, at_gate("20,pause,40"),
     "run 50|fails 1|until RolledBack 60|own 0 3|ended failed")
PLAY(crashes_are_harm, at_gate("20,pause,40"), "crashes 1|asked 1|until RolledBack 120|own 0 3")
PLAY(promote_at_the_gate, at_gate("20,pause,40"), "act promote 1|until Stable 60|own 1 3|reason by a user")
PLAY(abort_at_the_gate, at_gate("20,pause,40"), "act abort 1|until RolledBack 60|ended aborted")
PLAY(another_template_at_the_gate, at_gate("20,pause,40"),
     "image 2|until Soaking 30|run 120|is Soaking AwaitingApproval")
PLAY(the_former_template_at_the_gate, at_gate("20,pause,40"), "image 0|until Stable 30|own 0 3|canary 1 0")

/* Not before the step has passed. */
SCENE(no_word_in_advance, m_start(3)) {
    m_annotate(m, "canary-percent", "20,pause,40");
    m_play(m, "image 1|until Soaking 20|run 5|act resume 1|run 3|event ActionIgnored|run 120|is Soaking "
              "AwaitingApproval");
}

/* The annotation asks for nobody any more; for somebody at a step that is on its way. */
SCENE(without_the_pause_it_goes_on, at_gate("20,pause,40")) {
    m_annotate(m, "canary-percent", "20,40,pause");
    m_play(m, "run 5|is Soaking|canary 1 2|run 120|is Soaking AwaitingApproval|message step 2 of 2");
}

/* One pause ends, and the other is still there; its time counts once. */
SCENE(paused_at_the_gate, at_gate("20,pause,40")) {
    m_play(m, "act pause 1|run 100|is Soaking PausedByUser|act resume 1|run 3|is Soaking AwaitingApproval");
    again(m);
    m_play(m, "run 3|phase Soaking");
    assert_int_equal(m_s(m)->step, 1);
    assert_true(m_s(m)->shift_ns < 230 * NS_PER_S);
    m_play(m, "until Stable 200");
}

/* A wrong annotation holds, and the gate is still there when it is mended. */
SCENE(a_wrong_annotation_at_the_gate, at_gate("20,pause,40")) {
    m_play(m, "set soak much|run 5|is Soaking InvalidConfig|set soak 60s|run 5|is Soaking AwaitingApproval");
}

CASES("rollout/plan_gate")
