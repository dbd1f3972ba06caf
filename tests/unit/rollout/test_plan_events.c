/* An Event that claims an effect comes after it. Every run of the model holds the Events that it sends against its cluster
 * (model_claims.c); here are the writes that do not come about. */
#include "scene.h"

CASE(what_each_event_claims_is_known) {
    for (int r = 0; r < EV_N; r++) {
        bool effect = m_claims_an_effect((enum plan_reason)r),
             nothing = m_claims_nothing((enum plan_reason)r);
        if (r != EV_HELD && effect == nothing) /* EV_HELD + HOLD_NONE is none */
            fail_msg("Event %s: say in model_claims.c which effect it claims, or that it claims none",
                     plan_reason_name((enum plan_reason)r));
    }
}

static int count(const struct model *m, const char *reason) {
    int n = 0;
    size_t len = strlen(reason);
    for (const char *p = m->events; (p = strstr(p, reason)); p += len)
        n += (p == m->events || p[-1] == ' ') && p[len] == ' ';
    return n;
}

/* The API server refuses what is done to the Deployment, for so many ticks. */
static void refused(struct model *m, int ticks) {
    m->refuses = "denied";
    m->refused_kind = STEP_TARGET;
    m->refused = 0;
    for (int i = 0; i < ticks; i++) {
        m_tick(m);
        m_pass(m);
    }
    m->refuses = NULL;
    assert_true(m->refused > 0);
}

SCENE(adopted_after_the_pause, m_new(1, 2)) {
    m_play(m, "tick 10");
    refused(m, 5);
    m_play(m, "unpaused|phase Adopting");
    assert_string_equal(m->events, "WriteRefused ");
    m_play(m, "until Stable 5");
    assert_string_equal(m->events, "WriteRefused Adopted ");
    assert_string_equal(m->said,
                        "op:v0 is stable (op-0-1); image updates are held and rolled out as a canary first");
}

SCENE(promoting_after_the_unpause_and_its_deadline_from_there, m_soaking(2)) {
    m_play(m, "asked 1|act promote 1");
    refused(m, 700);
    m_play(m, "paused|phase Promoting|no-event Promoting");
    m_pass(m);
    m_deployment_controller(
        m); /* it has seen the unpause, and no new pod is there yet: that is no standstill */
    m_pass(m);
    m_play(m, "unpaused|phase Promoting|event Promoting|run 1|unpaused|phase Promoting");
    assert_int_equal(count(m, "Promoting"), 1);
    m_play(m, "until Stable 60|all 1 2");
}

SCENE(paused_and_resumed_after_the_patches, m_soaking(4)) {
    m_play(m, "asked 1|act promote 1|run 1|act pause 1");
    refused(m, 2);
    m_play(m, "unpaused|no-event Paused|run 2|paused");
    assert_true(count(m, "Paused") == 1 && count(m, "PausedByUser") == 1);
    m_play(m, "act resume 1");
    refused(m, 5);
    m_play(m, "is Promoting WriteRefused|paused|no-event Resumed|until Stable 60|all 1 4");
    assert_true(count(m, "Paused") == 1 && count(m, "Resumed") == 1 && count(m, "Promoting") == 1);
}

SCENE(released_after_all_is_given_back, m_start(2)) {
    m_play(m, "unset canary-percent");
    refused(m, 5);
    m_play(m, "paused|no-event Released|run 5|left");
    assert_int_equal(count(m, "Released"), 1);
    assert_string_equal(m->said, "no longer managed: the version in service is the Deployment's");
}

CASES("rollout/plan_events")
