/* What signals beside errors do to a rollout, against a model of the Deployment controller. */
#include "scene.h"

/* Reconciles succeed and each writes three times: never promoted by itself, at the deadline neither. */
PLAY(writes_hold_and_ask, m_start(2),
     "writes-much 1|image 1|run 300|is Soaking SignalRaised|event SignalRaised|own 0 2|message writes: |"
     "message if that is meant: handover promote|run 640|is Soaking Inconclusive|own 0 2|"
     "act promote 1|asked 1|until Stable 60|all 1 2")

PLAY(writes_that_are_off_are_not_looked_at, m_start(2),
     "set signals -writes|writes-much 1|asked 1|image 1|until Promoting 200|until Stable 60|all 1 2|no-event "
     "SignalRaised")

PLAY(writes_are_rolled_back_where_asked, m_start(2),
     "set signals writes=rollback|writes-much 1|image 1|until RolledBack 400|own 0 2|ended failed|reason "
     "writes: ")

PLAY(writes_are_rolled_back_at_the_deadline_where_asked, m_start(2),
     "set signals writes=deadline|writes-much 1|image 1|run 300|is Soaking SignalRaised|message rolled back "
     "at the "
     "deadline|until RolledBack 700|own 0 2|ended failed|reason until the deadline")

PLAY(panics_roll_back, m_start(2),
     "panics 1|image 1|until RolledBack 300|own 0 2|ended failed|reason panics: ")

/* It worked, and then it does nothing while stable works: the deadline ends that, and the reason says both. */
#define STOPS_LATE                                                                                           \
    "set min-events 100000|image 1|until Soaking 20|run 120|hangs 1|run 60|set min-events 10|run 20|is "     \
    "Soaking CanaryStalled|own 0 2|"
PLAY(a_stalled_canary_is_rolled_back_at_the_deadline, m_start(2),
     STOPS_LATE
     "message it is rolled back at the deadline unless it reconciles again|until RolledBack 700|own 0 2|"
     "ended failed|reason the canary has stopped reconciling while stable reconciles; work: a canary pod "
     "reconciles |reason it hardly works, until the deadline")
PLAY(a_stalled_canary_is_kept_where_signals_only_hold, m_start(2),
     "set signals all=hold|" STOPS_LATE
     "message it is not promoted until it reconciles again|run 640|is Soaking Inconclusive|own 0 2")

SCENE(a_signal_is_no_verdict_while_both_versions_fail, m_start(2)) {
    m_play(m, "set signals writes=deadline|writes-much 1|image 1|run 300|is Soaking SignalRaised");
    m->outage = true;
    m_play(m, "run 60|is Soaking SharedOutage|run 640|is Soaking Inconclusive|own 0 2");
}

/* A pause does not keep harm up; an annotation that is not understood does not roll back. */
PLAY(panics_roll_back_while_paused, m_start(2),
     "image 1|until Soaking 30|act pause 1|run 5|panics 1|until RolledBack 300|reason panics: ")
PLAY(a_wrong_list_of_signals_holds, m_start(2),
     "set signals panic|panics 1|image 1|run 60|message \"panic\" is not allowed|own 0 2")

SCENE(signals_without_metrics_are_reported_once, m_start(2)) {
    m_play(m, "image 1|until Soaking 60|run 40|event SignalsUnavailable");
    const char *first = strstr(m->events, "SignalsUnavailable");
    assert_null(strstr(first + 1, "SignalsUnavailable"));
    m_play(m, "killed|run 40");
    assert_null(strstr(first + 1, "SignalsUnavailable"));
}

CASES("rollout/plan_signals")
