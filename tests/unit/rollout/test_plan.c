/* The plan's way from adoption to a verdict, against a model of the Deployment controller. */
#include "scene.h"

/* Its own rollout comes first; adopting a healthy Deployment is no trouble; then nothing to do, nothing written, no clock. */
SCENE(adopts, m_new(1, 3)) {
    m_settle(m);
    assert_int_equal(m_s(m)->hold, HOLD_ROLLOUT);
    assert_false(plan_reason_warning(EV_HELD + HOLD_ROLLOUT));
    assert_string_equal(m->events, "WaitingForRollout ");
    assert_string_equal(m->said,
                        "Waiting for the current rollout to complete before adopting the Deployment");
    m_play(m, "unpaused|until Stable 20|run 5|held|own 0 3|status Stable: op:v0 is in service|event Adopted|"
              "idle 10");
    assert_int_equal(m_s(m)->deadline_s, 600);
    assert_true(m->edge.look_again_ns == TIME_NEVER);
}

/* Nothing is written, and nobody told, because a new Deployment's pods are still starting. */
SCENE(a_first_rollout_is_waited_for_in_silence, m_new(1, 3)) {
    m->created = T0;
    m_settle(m);
    assert_true(!m->state && !m->events[0]);
    m_play(m, "unpaused|until Stable 20|held");
    assert_string_equal(m->events, "Adopted ");
}

SCENE(a_first_rollout_that_takes_long_is_reported, m_new(1, 3)) {
    m->created = T0;
    m_play(m, "never-ready 0|run 58");
    assert_true(!m->state && !m->events[0]);
    m_play(m, "run 4|is Idle WaitingForRollout|event WaitingForRollout");
}

/* One ReplicaSet is active, but its pods are not there yet: its owner's rollout is not over. */
SCENE(an_update_that_does_not_start_is_not_adopted, m_new(1, 2)) {
    m_play(m, "tick 10");
    m->recreate = true;
    m_play(m, "never-ready 1|image 1|tick 20|active 1|run 20|unpaused|is Idle WaitingForRollout");
}

/* Nothing to compare with: it waits; then the stable version runs, not the new one. */
PLAY(adopts_at_zero, m_start(0),
     "image 1|run 5|is Stable ScaledToZero|scale 2|until Soaking 20|own 0 2|until Stable 60|own 1 2")

PLAY(respects_a_users_pause, m_new(1, 2),
     "tick 10|pause|run 10|is Idle UserPaused|deadline 600|unpause|until Stable 10")

/* The state is written, the pause is not: the native rollout of what came in between is let finish. */
SCENE(changed_while_adopting, m_new(1, 2)) {
    m_play(m, "tick 10");
    m->fail_at = 2 * 1;
    m_pass(m);
    m->fail_at = -1;
    m_play(m, "phase Adopting|image 1");
    m_settle(m);
    m_play(m, "unpaused|until Stable 20|own 1 2");
}

PLAY(wrong_annotation_before_adoption, m_new(1, 2),
     "set canary-percent lots|run 10|is Idle InvalidConfig|unpaused|deadline 600|event InvalidConfig|"
     "status handover.dev/canary-percent: \"lots\"|idle 10|set canary-percent 50|until Stable 10")

/* 20 % of 3 beside it: one of four. */
PLAY(good_version, m_start(3),
     "image 1|until Soaking 20|canary 1 1|own 0 3|status wanted 20 %, got 25 % of 4 pods|until Promoting 40|"
     "unpaused|deadline 600|until Stable 40|run 3|held|own 1 3|own 0 0|canary 1 0|ended promoted|"
     "event RolloutStarted|event Promoted")

SCENE(steps, m_start(4)) {
    m_play(m, "set canary-percent 10,40,80|image 1|until Soaking 20|canary 1 1");
    int seen[3] = {0};
    for (int i = 0; i < 120 && m_phase(m) == PHASE_SOAKING; i++) {
        if (m_s(m)->soak_from_ns) seen[m_s(m)->step] = m_running(m, 1, true);
        m_run(m, 1);
    }
    assert_true(seen[0] == 1 && seen[1] == 3 && seen[2] == 4); /* never more than stable has */
    m_play(m, "until Stable 40|own 1 4");
}

SCENE(bad_version, m_start(3)) {
    m_play(
        m,
        "fails 1|image 1|until RolledBack 40|run 5|paused|own 0 3|canary 1 0|quarantined 1|event RolledBack|"
        "ended failed");
    assert_int_equal(m->version, 1);
    struct mrs *record = m_find_rs(m, m_s(m)->canary);
    assert_true(record && record->replicas == 0 && record->quarantined[0]);
    m_play(m, "idle 20");
    assert_true(m->edge.look_again_ns == TIME_NEVER);
    m_play(m, "image 2|until Soaking 30|until Stable 60|own 2 3");     /* the next one is tried */
    m_play(m, "image 1|until RolledBack 10|run 5|canary 1 0|own 2 3"); /* and the bad one is remembered */
}

/* What pods do: crash and missing image condemn, what comes from outside holds. */
CASE(guards) {
    static const char *const v[] = {
        "crashes 1|image 1|run 30|is RolledBack",
        "no-image 1|image 1|run 30|is RolledBack",
        ("no-registry 1|image 1|run 250|is Starting ImagePullFailed|own 0 2|run 450|is Starting "
         "ImagePullFailed"),
        "never-ready 1|image 1|run 60|is Starting NotReady|own 0 2|run 340|is RolledBack",
        ("unschedulable 1|image 1|run 400|is Starting PodsUnschedulable|own 0 2|run 300|"
         "is Starting PodsUnschedulable"),
        "set soak 120s|set min-soak 115s|image 1|until Soaking 60|run 100|silent 1|run 100|is Soaking "
        "NoData|own 0 2",
        "silent 1|image 1|run 60|is Soaking NoData|own 0 2|run 640|is Soaking Inconclusive",
        "standby 1|image 1|run 60|is Soaking NoData",
        "hangs 1|image 1|run 60|is Soaking CanaryStalled|own 0 2|run 640|is Soaking Inconclusive",
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_model struct model *m = m_start(2);
        m_play(m, v[i]);
        m_play(m, "own 0 2");
    }
}

/* One that is off does not condemn: what is not ready is held, until the deadline. Switched on again, it does. */
CASE(guards_that_are_off) {
    static const char *const v[] = {
        "set guards -crashes,-readiness|crashes 1|image 1|run 350|is Starting NotReady|own 0 2|set guards "
        "-readiness|run 30|is RolledBack",
        "set guards -image|no-image 1|image 1|run 350|is Starting ImagePullFailed|own 0 2|set guards all|run "
        "30|is "
        "RolledBack",
        "set guards -readiness|never-ready 1|image 1|run 500|is Starting NotReady|own 0 2|run 200|is "
        "Starting Inconclusive",
        "set guards -readiness|crashes 1|image 1|run 30|is RolledBack",
        "image 1|until Soaking 20|set guards -readyness|crashes 1|run 30|is Soaking InvalidConfig|unset "
        "guards|run 30|is RolledBack",
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_model struct model *m = m_start(2);
        m_play(m, v[i]);
        m_play(m, "own 0 2");
    }
}

/* All of its evidence is good, and then it hangs: what is enough for a pass does not pass it. */
PLAY(a_canary_that_hangs_late_does_not_pass, m_start(2),
     "set signals -all|set min-events 100000|set soak 20s|image 1|until Soaking 20|run 200|hangs 1|run "
     "60|set min-events "
     "10|run 60|"
     "is Soaking CanaryStalled|own 0 2")

PLAY(crashes_of_both_hold, m_start(2),
     "image 1|until Soaking 20|crashes 0|crashes 1|run 5|is Soaking SharedOutage")

/* Stable's or the canary's pods crashed so many times, the last time so long ago. */
static void crash_all(struct model *m, bool canary, unsigned times, int ago) {
    for (int k = 0; k < MAX_PODS; k++) {
        struct mpod *p = &m->pod[k];
        if (!p->there || m->rs[p->rs].canary != canary) continue;
        p->restarts += times;
        p->began = times > 1 ? m->tick - ago : p->crashed ? p->crashed : p->born;
        p->crashed = m->tick - ago;
        p->errors = p->total = 0;
    }
}

/* The API server was away, twice, and operators of both versions ended themselves, as they do: no verdict. */
SCENE(an_outage_restarts_both, m_start(3)) {
    m_play(m, "image 1|until Soaking 20|run 3");
    crash_all(m, false, 2, 20);
    crash_all(m, true, 2, 0);
    m_play(m, "until Stable 120|own 1 3");
}

/* Its own doing, whatever stable did long ago. */
CASE(crashes_of_its_own) {
    for (int ago = 0; ago < 2; ago++) {
        cleanup_model struct model *m = m_start(3);
        if (ago) m_run(m, 700);
        if (ago) crash_all(m, false, 2, 0);
        m_play(m, ago ? "run 650|image 1|until Soaking 20" : "image 1|until Soaking 20");
        crash_all(m, true, 2, 0);
        m_play(m, "until RolledBack 10|reason crashed 2 times");
    }
}

/* It needs as many crashes to come up as stable needed, long ago, and stable may have crashed once since; more are its
 * own. */
CASE(starts_as_stable_did) {
    for (int i = 0; i < 4; i++) {
        bool since = i / 2, more = i % 2;
        cleanup_model struct model *m = m_start(2);
        crash_all(m, false, 2, 0);
        m_run(m, 700);
        if (since) crash_all(m, false, 1, 0);
        m_play(m, "run 700|image 1|run 2");
        crash_all(m, true, more ? 3 : 2, 0);
        m_play(m, more ? "until RolledBack 90" : "until Stable 90");
    }
}

SCENE(no_quota, m_start(2)) {
    m->no_pods = "exceeded quota";
    m_play(m, "image 1|run 400|is Starting PodsNotCreated|message 0 of 1 canary pods exist: pods op-canary-");
    m->no_pods = NULL;
    m_play(m, "until Stable 100|own 1 2");
}

/* The deadline does not turn it into a verdict. */
SCENE(shared_outage, m_start(3)) {
    m_play(m, "set soak 60s|image 1|until Soaking 20|run 5");
    m->outage = true;
    m_play(m, "run 100|is Soaking SharedOutage|run 700|is Soaking Inconclusive"); /* the deadline ends it */
}

CASE(deadline) {
    static const char *const v[][2] = {{"rollback", "phase RolledBack|own 0 2|ended inconclusive"},
                                       {"promote", "phase Stable|own 1 2"},
                                       {"pause", "phase Soaking|own 0 2"}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_model struct model *m = m_start(2);
        m_annotate(m, "on-inconclusive", v[i][0]);
        m_play(m, "standby 1|asked 1|image 1|run 680"); /* asked for by the policy */
        m_play(m, v[i][1]);
    }
}

/* A canary without work: said before the deadline, with what to do; and never a verdict. There is another deadline by
 * resume. */
SCENE(too_few_reconciles, m_start(2)) {
    m_play(m, "set min-events 20|workless 1|image 1|run 60|is Soaking NoData|"
              "status Soaking (NoData): the canary has reconciled nothing; annotation min-events asks for "
              "20. Does it "
              "stand by|"
              "run 600|is Soaking Inconclusive|message canary-args|act resume 1|run 3|is Soaking NoData|"
              "good 1|run 1|workless 1|run 20|is Soaking NoData|"
              "message too few reconciles for a verdict; annotation min-events asks for 20");
    int writes = m->writes;
    m_run(m, 8);
    assert_true(m->writes - writes <= 2); /* the evidence, and no message again and again */
    m_play(m, "set min-events 5|asked 1|good 1|until Stable 60|own 1 2"); /* so few will do, if it works */
}

/* Handover was down past the deadline: the first scrape decides, not the clock. */
PLAY(down_past_the_deadline, m_start(2),
     "set on-inconclusive rollback|image 1|until Soaking 20|run 2|killed|tick 2000|until Stable 60|own 1 2")

/* Nor does the time away, before the first scrape, count as watched without reconciles. */
SCENE(down_without_reconciles, m_start(2)) {
    m_play(m, "workless 1|image 1|until Soaking 20|killed|tick 30");
    m_pass(m);
    m_play(m, "is Soaking");
}

SCENE(learns_the_rate, m_start(2)) {
    m_play(m, "unset max-error-rate|run 20|image 1|until Soaking 20|event BaselineMeasured");
    assert_true(m_s(m)->learned_total > 100 && m_s(m)->learned_errors == 0 && m_s(m)->param.theta < .06);
}

CASE(counts_of_pods) {
    static const int v[][3] = {{0, 50, 0}, {1, 1, 1},    {1, 100, 1},  {3, 5, 1},    {3, 20, 1},
                               {3, 25, 1}, {3, 26, 2},   {10, 5, 1},   {10, 10, 2},  {100, 1, 2},
                               {99, 1, 1}, {10, 49, 10}, {10, 50, 10}, {10, 99, 10}, {1000000, 33, 492538}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        int n = plan_canary_replicas(v[i][0], (unsigned)v[i][1]);
        assert_int_equal(n, v[i][2]);
        if (v[i][0] && v[i][1] <= 50) {
            assert_true(100.0 * n / (v[i][0] + n) >= v[i][1]); /* at least what was asked */
            assert_true(n == 1 || 100.0 * (n - 1) / (v[i][0] + n - 1) < v[i][1]);
        }
    }
}

SCENE(not_ours, m_new(1, 2)) {
    m_annotate(m, "canary-percent", NULL);
    m_settle(m);
    struct m_view *v = m_observe(m);
    cleanup_plan struct plan p, q;
    plan_make(&v->o, m_now(m), &p);
    assert_true(p.nsteps == 0 && !p.watch && p.forget && !p.next);
    v->o.state_known = STATE_UNKNOWN; /* not read yet: nothing whatever else */
    plan_make(&v->o, m_now(m), &q);
    assert_true(q.nsteps == 0 && q.watch && !q.forget);
    m_view_free(v);
}

CASES("rollout/plan")
