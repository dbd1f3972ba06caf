/* Held by the API server's policy: not paused at rest, paused and marked by the very write that brings a new template; and every way
 * between that and spec.paused. */
#include "scene.h"

static void lose_state(struct model *m) {
    free(m->facts);
    free(m->state);
    m->facts = m->state = NULL;
}

static struct model *soaking_by_policy(int replicas) {
    struct model *m = m_start_by_policy(replicas);
    m_annotate(m, "soak", "60s");
    m_image(m, 1);
    m_until(m, PHASE_SOAKING, 20);
    m_run(m, 2);
    return m;
}

static struct model *promoting_by_policy(int replicas) {
    struct model *m = soaking_by_policy(replicas);
    m_until(m, PHASE_PROMOTING, 80);
    m_play(m, "run 1|unpaused|absent held");
    return m;
}

/* Adopted without a patch but for the status line. */
SCENE(at_rest, m_new(1, 3)) {
    m_play(m, "policy|until Stable 30|rests|event Adopted|no-event HeldByPolicy|run 2|idle 60|rests");
    assert_string_equal(m->said,
                        "op:v0 is stable (op-0-1); image updates are held by the API server and rolled out "
                        "as a canary first");
}

/* No pod of the new version but the canary's, though Handover is away when it comes. */
PLAY(good_update, m_start_by_policy(3),
     "image 1|marked|tick 5|own 0 3|active 1|until Soaking 20|marked|own 0 3|canary 1 1|until Promoting "
     "80|run 1|unpaused|"
     "absent held|until Stable 60|run 3|all 1 3|rests|ended promoted|idle 30")

PLAY(bad_update, m_start_by_policy(3),
     "fails 1|image 1|until RolledBack 60|run 3|all 0 3|marked|idle 30|unpause|marked|replace|marked|run "
     "5|all 0 3|marked|"
     "phase RolledBack|image 0|marked|until Stable 20|run 3|all 0 3|rests|ended failed")

/* Without effect, in the middle, too: nothing is to be undone. */
PLAY(foreign_unpause, soaking_by_policy(4),
     "unpause|tick 3|active 1|marked|replace|tick 3|active 1|marked|run 3|phase Soaking|no-event "
     "UnmanagedChange|until "
     "Stable 120|all 1 4|rests")

PLAY(another_notation, m_start_by_policy(3),
     "notation|marked|run 3|rests|is Stable|no-event RolloutStarted|idle 20")

PLAY(another_notation_while_promoting, promoting_by_policy(4),
     "notation|marked|run 3|unpaused|phase Promoting|until Stable 60|all 1 4|rests|ended promoted")

/* No pod of the third version, which today's race would start. */
PLAY(superseded_while_promoting, promoting_by_policy(4),
     "image 2|marked|tick 5|own 2 0|run 3|event Superseded|own 2 0|until Stable 200|all 2 4|rests")

/* Natively, as the user's own strategy has it: stable may be at one pod of four. */
PLAY(back_to_stables_while_promoting, promoting_by_policy(4),
     "tick 3|image 0|marked|run 2|unpaused|until Stable 60|all 0 4|rests|ended cancelled|no-event UserPaused")

PLAY(back_to_stables, soaking_by_policy(3), "image 0|marked|until Stable 20|run 3|all 0 3|rests")

PLAY(scaled_to_zero, m_start_by_policy(3),
     "scale 0|run 5|image 1|marked|run 5|is Stable ScaledToZero|marked|scale 2|until Soaking 30|own 0 "
     "2|until Stable "
     "60|all 1 2|rests")

/* A pause without a mark is a user's. What it holds is judged all the same, and the promotion ends it. */
PLAY(a_users_pause, m_start_by_policy(3),
     "pause|run 3|is Stable UserPaused|paused|absent held|idle 20|unpause|run 2|is Stable|rests|pause|run "
     "2|killed|run 3|is "
     "Stable UserPaused|image 1|marked|until Soaking 30|until Stable 90|run 2|all 1 3|rests")

PLAY(paused_and_resumed_while_promoting, promoting_by_policy(4),
     "act pause 1|run 3|marked|is Promoting PausedByUser|unpause|marked|act resume 1|run 3|unpaused|until "
     "Stable 60|all 1 "
     "4|rests")

PLAY(promoted_without_a_trial, m_start_by_policy(3),
     "fails 1|asked 1|image 1|act promote 1|run 1|event Promoting|until Stable 30|all 1 3|rests|ended "
     "promoted")

/* The deadline is the user's own all the while, and follows. */
SCENE(stuck_promotion, soaking_by_policy(4)) {
    m->deadline_s = 90;
    m_play(m, "set x y|until Promoting 80|never-ready 1|run 60|phase Promoting|until RolledBack 120|run "
              "20|paused|deadline "
              "90|all 0 4|ended stuck");
    assert_non_null(m_annotation(m, "held"));
}

PLAY(stables_replicaset_deleted, m_start_by_policy(3),
     "lose 0|run 6|all 0 3|rests|phase Stable|run 2|idle 20")

PLAY(stables_replicaset_deleted_in_a_trial, soaking_by_policy(3),
     "lose 0|run 3|status NOTHING RUNS|marked|image 0|until Stable 60|run 3|all 0 3|rests")

/* ---- leaving ---- */
PLAY(left_at_rest, m_start_by_policy(3), "unset canary-percent|run 5|left|all 0 3|event Released")

PLAY(left_while_rolled_back, m_start_by_policy(3),
     "fails 1|image 1|until RolledBack 60|unset canary-percent|run 5|is Releasing "
     "ReleaseRefused|marked|image 0|run 5|left|all "
     "0 3")

/* The policy holds it, since it looks at what was there before. */
CASE(left_with_another_image_in_one_write) {
    static const char *const then[] = {"image 0|run 5|left|all 0 3", "unpause|run 20|left|own 1 3",
                                       "asked 1|act release 1|run 20|left|own 1 3",
                                       "set canary-percent 20|until Stable 120|rests|all 1 3"};
    for (size_t i = 0; i < ARRAY_LEN(then); i++) {
        cleanup_model struct model *m = m_start_by_policy(3);
        m_play(m, "leaves-with 1|marked|tick 5|own 1 0|run 5|is Releasing ReleaseRefused|own 0 3|marked");
        m_play(m, then[i]);
    }
}

/* ---- before it is adopted ---- */

/* Its first rollout is let finish, whatever else is applied meanwhile. */
PLAY(changed_before_its_first_rollout_is_through, m_new(1, 2),
     "policy|tick 1|image 1|marked|run 1|unpaused|absent held|run 1|until Stable 30|all 1 2|rests|event "
     "Adopted|no-event StateLost")

PLAY(changed_and_left_before_it_was_adopted, m_new(1, 2),
     "policy|tick 1|leaves-with 1|marked|run 15|left|all 1 2")

/* The write that opts in brings the image, too: what runs is whole, and is stable. */
SCENE(opted_in_with_another_image, m_new(1, 3)) {
    m_play(m, "unset canary-percent|policy|run 10|own 0 3|unpaused");
    struct m_write was = m_write_begin(m);
    m_annotate(m, "canary-percent", "20");
    m->version = 1;
    m_write_end(m, &was, false);
    m_play(m, "marked|run 1|event Adopted|until Soaking 20|own 0 3|until Stable 60|all 1 3|rests|no-event "
              "StateLost");
}

/* ---- from one way to the other ---- */
PLAY(installed_later, m_start(3),
     "held|policy|run 3|rests|event HeldByPolicy|is Stable|idle 30|image 1|marked|until Soaking 30|until "
     "Stable 90|rests|all 1 3")

PLAY(installed_in_a_trial, m_soaking(3),
     "policy|run 2|paused|unpause|paused|phase Soaking|until Stable 120|rests|all 1 3")

PLAY(installed_while_promoting, m_soaking(3),
     "until Promoting 80|run 1|policy|image 2|paused|tick 4|own 2 0|until Stable 200|rests|all 2 3")

PLAY(installed_while_rolled_back, m_soaking(3),
     "fails 1|until RolledBack 60|policy|run 3|phase RolledBack|unpause|paused|killed|run 3|phase "
     "RolledBack|image 0|until "
     "Stable 20|run 2|rests")

PLAY(deleted, m_start_by_policy(3),
     "no-policy|run 1|held|absent held|event HeldByPause|no-event UnmanagedChange|is Stable|run 2|idle "
     "30|policy|run 3|rests")

PLAY(deleted_in_a_trial, soaking_by_policy(3),
     "no-policy|run 2|held|phase Soaking|unpause|run 8|held|until Stable 120|all 1 3|held|absent "
     "held|no-event "
     "PausedFieldConflict")

PLAY(deleted_while_promoting, promoting_by_policy(4), "no-policy|until Stable 60|all 1 4|held")

PLAY(deleted_while_rolled_back, m_start_by_policy(3),
     "fails 1|image 1|until RolledBack 60|no-policy|run 3|held|phase RolledBack|image 0|until Stable 20|run "
     "2|held|absent held")

/* What comes between the end of the policy and the pause, and what an API server that lags lets through, is answered as an unpause. */
CASE(slipped_through) {
    for (int lags = 0; lags < 2; lags++) {
        cleanup_model struct model *m = m_start_by_policy(4);
        m_play(m, "set soak 20s|run 1|no-policy|image 1|unpaused|tick 2|active 2");
        if (lags) m->policy = true; /* here it was in effect all the time */
        m_settle(m);
        m_play(m, "paused|event UnmanagedChange");
        assert_int_equal(m_annotation(m, "held") != NULL, lags);
        m_play(m, "run 12|phase Soaking|own 0 4|active 1|until Stable 120|all 1 4");
        m_play(m, lags ? "rests" : "held");
    }
}

SCENE(a_slip_asks_for_another_proof, m_start_by_policy(4)) {
    m_play(m, "no-policy|image 1|tick 1");
    m->policy = true;
    m->edge.policy = POLICY_HOLDS;
    struct m_view *v = m_observe(m);
    cleanup_plan struct plan p, q;
    plan_make(&v->o, m_now(m), &p);
    assert_true(p.policy_failed && p.nsteps > 0);
    v->o.policy = POLICY_ABSENT;
    plan_make(&v->o, m_now(m), &q);
    assert_false(q.policy_failed);
    plan_free(&q);
    m_view_free(v);
}

/* Nobody is there to see it go: what is in service by then is kept, as after a foreign unpause. */
PLAY(deleted_while_handover_is_away, m_start_by_policy(3),
     "killed|no-policy|image 1|tick 40|until Stable 20|run 3|all 1 3|held|event UnmanagedRollout")

PLAY(both_ways_while_handover_is_away, m_start_by_policy(3),
     "killed|image 1|tick 20|own 0 3|no-policy|tick 5|unpause|tick 1|policy|run 20|own 0 3|until Stable "
     "120|all 1 3|rests")

/* Until it is known again, all stays as it was: neither is a target at rest paused, nor one that is paused let go. */
SCENE(not_known_after_a_takeover, m_start_by_policy(3)) {
    for (int held = 0; held < 2; held++) {
        struct m_view *v = m_observe(m);
        cleanup_plan struct plan p;
        v->o.policy = POLICY_UNKNOWN;
        v->o.known = true;
        v->target.paused = v->target.held = held;
        plan_make(&v->o, m_now(m), &p);
        assert_false(plan_has_step(&p, STEP_TARGET));
        plan_free(&p);
        v->o.policy = POLICY_ABSENT;
        plan_make(&v->o, m_now(m), &p);
        assert_true(plan_has_step(&p, STEP_TARGET) && plan_has_step(&p, STEP_STATE));
        m_view_free(v);
    }
}

/* What is lifted is what the Deployment controller calls complete. */
SCENE(nothing_is_lifted_before_the_controller_agrees, m_start_by_policy(3)) {
    m_play(m, "notation");
    for (int updated = 0; updated <= 3; updated++) {
        struct m_view *v = m_observe(m);
        cleanup_plan struct plan p;
        v->o.known = true;
        v->target.observed_generation = v->target.generation;
        v->target.st_updated = updated;
        plan_make(&v->o, m_now(m), &p);
        bool lifts = false;
        for (size_t i = 0; i < p.nsteps; i++) lifts = lifts || p.step[i].unpauses;
        assert_int_equal(lifts, updated == 3);
        m_view_free(v);
    }
}

/* ---- the state is lost ---- */
CASE(state_lost) {
    static const struct {
        const char *before, *then;
    } v[] = {
        {"run 1", "until Stable 5|run 2|rests|event Adopted|all 0 3"},
        {"image 1|until Soaking 30",
         "until Soaking 20|event StateLost|own 0 3|marked|until Stable 90|all 1 3|rests"},
        {"fails 1|image 1|until RolledBack 60|run 3", "until RolledBack 20|event StateLost|marked|own 0 3"},
        {"image 1|until Soaking 30|no-policy|run 3",
         "until Soaking 20|event StateLost|own 0 3|until Stable 90|all 1 3|held"}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_model struct model *m = m_start_by_policy(3);
        m_play(m, v[i].before);
        m->events[0] = '\0';
        lose_state(m);
        m_play(m, v[i].then);
    }
}

/* ---- an older version leads for a while ---- */
PLAY(older_at_rest, m_start_by_policy(3),
     "older|run 3|held|run 2|idle 30|newer|run 3|rests|is Stable|no-event PausedFieldConflict")

PLAY(older_in_a_trial, soaking_by_policy(3),
     "older|run 3|phase Soaking|paused|until Stable 120|all 1 3|paused|newer|run 3|rests")

PLAY(older_while_rolled_back, m_start_by_policy(3),
     "fails 1|image 1|until RolledBack 60|older|run 5|phase RolledBack|paused|newer|run 5|phase "
     "RolledBack|paused|image 0|until "
     "Stable 20|run 3|rests")

PLAY(older_gives_back, m_start_by_policy(3), "older|run 3|unset canary-percent|run 5|left")

/* What the policy has to be known for. */
CASE(for_whom_it_matters) {
    cleanup_model struct model *m = m_start_by_policy(2);
    struct m_view *v = m_observe(m);
    assert_true(plan_asks_policy(&v->o));
    v->o.release = true;
    assert_false(plan_asks_policy(&v->o));
    v->o.release = false;
    v->o.state_known = STATE_ABSENT;
    v->o.state = NULL;
    assert_true(plan_asks_policy(&v->o)); /* about to be adopted */
    v->target.st_available--;
    assert_false(plan_asks_policy(&v->o)); /* in its own rollout */
    v->o.state_known = STATE_DAMAGED;
    v->target.st_available++;
    assert_false(plan_asks_policy(&v->o));
    v->o.state_known = STATE_ABSENT;
    v->o.spec = NULL;
    assert_false(plan_asks_policy(&v->o));
    m_view_free(v);
}

CASES("rollout/plan_policy")
