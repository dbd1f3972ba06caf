/* A step that has passed waits for checks of the target's own: annotations check and check-query. */
#include "../each.h"
#include "plan/plan_ctx.h"
#include "scene.h"

#define QUERY "sum(rate(x{namespace=\"$namespace\",pod=~\"$track\"}[5m])) < 0.1"

/* Version 1 has passed its first step of 20 %, and its URL is being asked. */
static struct model *at_check(const char *steps, const char *says) {
    struct model *m = m_start(3);
    cleanup_free char *script = xasprintf("check %s|image 1|until Soaking 20", says);
    m_annotate(m, "canary-percent", steps);
    m_annotate(m, "check", "https://checks.example.com/go");
    m_play(m, script);
    for (int i = 0; i < 200 && !m_s(m)->check_ns && !m_s(m)->checked; i++) m_run(m, 1);
    m_play(m, "event StepPassed");
    return m;
}

/* Once in each step, before the promotion, too; without a hold where it answers at once. */
PLAY(every_step_is_asked_about_once, at_check("20,40", "pass"),
     "asks 1|event CheckPassed|no-event AwaitingCheck|run 5|canary 1 2|until Promoting 120|asks 2|until "
     "Stable 60|own 1 3")

PLAY(nothing_goes_on_before_the_answer, at_check("20,40", "nothing"),
     "run 50|is Soaking|canary 1 1|asks 1|no-event CheckPassed|check pass|run 5|canary 1 2|asks 1")

/* The soak is 20 s: asked again after 1 s, 2 s, ... 30 s. */
SCENE(wait_asks_again_with_a_backoff, at_check("20,40", "wait")) {
    m_play(m, "run 4|is Soaking AwaitingCheck|message check says wait: as it|run "
              "200|canary 1 1");
    int asked = m->asked_checks[CHECK_URL];
    assert_in_range(asked, 10, 12);
    m_play(m, "killed|check pass|until Stable 90|own 1 3");
    assert_int_equal(m->asked_checks[CHECK_URL], asked + 2);
}

/* Another leader asks no sooner than the last one would have, and again what that did not write down. */
PLAY(another_leader_keeps_the_time, at_check("20,40", "wait"),
     "run 40|check nothing|killed|run 3|is Soaking AwaitingCheck")
PLAY(an_unwritten_answer_is_asked_for_again, at_check("20,40", "nothing"),
     "run 3|asks 1|killed|run 3|asks 2|check pass|run 5|canary 1 2")

SCENE(fail_rolls_back_with_its_words, at_check("20,40", "nothing")) {
    m->check_words = "too many tickets";
    m_play(m, "check fail|until RolledBack 10|own 0 3|canary 1 0|ended failed|reason check says fail: too "
              "many tickets|"
              "quarantined 1|run 100|asks 1");
}

/* No answer is no verdict, for however long; the deadline of 600 s asks a person. */
PLAY(silence_is_no_verdict, at_check("20,40", "silent"),
     "run 20|is Soaking CheckUnanswered|message check gives no answer, which is no verdict: as it|run "
     "300|canary 1 1|"
     "check pass|run 33|canary 1 2")
SCENE(the_deadline_ends_it, at_check("20,40", "wait")) {
    m_play(m, "run 700|is Soaking Inconclusive|message (check says wait: as it");
    int asked = m->asked_checks[CHECK_URL];
    m_play(m, "run 300|canary 1 1");
    assert_int_equal(m->asked_checks[CHECK_URL], asked);
    m_play(m, "act resume 1|run 100|is Soaking AwaitingCheck|check pass|run 33|canary 1 2|until Stable "
              "200|own 1 3");
}
SCENE(not_promoted_by_the_deadline, at_check("20", "silent")) {
    m_play(m, "set on-inconclusive promote|run 900|is Soaking Inconclusive|own 0 3");
}
PLAY(rolled_back_by_the_deadline, at_check("20", "wait"),
     "set on-inconclusive rollback|until RolledBack 900|ended inconclusive|own 0 3")

/* Judged meanwhile. */
PLAY(harm_is_stopped_at_a_check, at_check("20,40", "wait"),
     "run 50|fails 1|until RolledBack 60|own 0 3|ended failed")
PLAY(crashes_are_harm, at_check("20,40", "nothing"), "crashes 1|asked 1|until RolledBack 120|own 0 3")
PLAY(a_pass_is_not_all, at_check("20,40", "nothing"),
     "silent 1|run 30|check pass|run 100|canary 1 1|is Soaking NoData")
PLAY(promote_goes_round_it, at_check("20,40", "wait"),
     "act promote 1|until Stable 60|own 1 3|reason by a user")
PLAY(another_template_at_a_check, at_check("20,40", "wait"),
     "check pass|image 2|until Soaking 30|until Stable 300|own 2 3|asks 3")
PLAY(paused_at_a_check, at_check("20,40", "nothing"),
     "act pause 1|run 5|is Soaking PausedByUser|check pass|run 100|is Soaking PausedByUser|canary 1 1|act "
     "resume 1|run 5|"
     "canary 1 2")
PLAY(a_wrong_annotation_at_a_check, at_check("20,40", "wait"),
     "run 5|set soak much|run 5|is Soaking InvalidConfig|set soak 60s|run 60|is Soaking AwaitingCheck")

/* The annotation goes, or another URL is to be asked: what the first one said is nothing to that. */
PLAY(without_the_annotation_it_goes_on, at_check("20,40", "wait"),
     "unset check|run 5|canary 1 2|phase Soaking")
SCENE(another_url_is_another_question, at_check("20,40", "wait")) {
    m_play(m, "run 100|check pass");
    int asked = m->asked_checks[CHECK_URL];
    m_play(m, "set check https://checks.example.com/other|run 3|event CheckPassed");
    assert_true(m->asked_checks[CHECK_URL] == asked + 1 && m_s(m)->step == 1);
}
SCENE(an_answer_to_another_question_is_none, at_check("20,40", "nothing")) {
    m_play(m, "check pass");
    m->edge.asking[CHECK_URL] ^= 2;
    m_play(m, "run 1|canary 1 1|no-event CheckPassed|run 5|canary 1 2|asks 2");
}

/* Both have to pass; a person comes after them. */
SCENE(both_have_to_pass, at_check("20,pause,40", "wait")) {
    m_annotate(m, "check-query", QUERY);
    m_play(m, "query wait|run 70|check pass|run 70|is Soaking AwaitingCheck|message check-query does not "
              "hold|"
              "query silent|run 70|is Soaking CheckUnanswered|query pass|run 70|is Soaking "
              "AwaitingApproval|canary 1 1|"
              "act resume 1|run 5|canary 1 2");
}

/* Stable leads while a check waits; one that passes at once costs no turn. */
SCENE(mode_leader_waits_with_stable, m_electing(2, false)) {
    m_annotate(m, "canary-percent", "20");
    m_annotate(m, "check", "https://checks.example.com/go");
    m_play(m, "check wait|image 1|run 400|is Soaking AwaitingCheck");
    bool canary = true;
    assert_true(m_leader(m, &canary) == 0 && !canary);
    m_play(m, "check pass|until Promoting 300|until Stable 100|run 4|all 1 2|ended promoted");
}

/* A clock that was set back is no reason to wait for it. */
SCENE(the_clock_was_set_back, at_check("20,40", "wait")) {
    m_play(m, "run 100|check pass");
    struct state *s = &m->edge.s;
    s->check[CHECK_URL].next_ns += 86400 * NS_PER_S;
    m_play(m, "run 2|event CheckPassed");
    assert_int_equal(m_s(m)->step, 1);
}

/* The state is what the next leader reads. */
CASE(the_state_keeps_what_was_said) {
    cleanup_model struct model *m = at_check("20,40", "wait");
    m_play(m, "run 20");
    const struct state_check *was = &m_s(m)->check[CHECK_URL];
    struct state_check copy = *was;
    m_play(m, "killed|check nothing|run 1");
    const struct state_check *now = &m_s(m)->check[CHECK_URL];
    assert_true(now->says == CHECK_WAIT && now->of == copy.of && now->next_ns == copy.next_ns &&
                now->at_ns == copy.at_ns && now->asked == copy.asked && now->message);
}

CASES("rollout/plan_checks")
