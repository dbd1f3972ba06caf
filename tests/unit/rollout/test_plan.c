/* The plan's way from adoption to a verdict, against a model of the Deployment controller. */
#include "../case.h"
#include "model.h"

CASE(adopts) {
    struct model m;
    m_init(&m, 1, 3);
    m_settle(&m);
    assert_int_equal(m_s(&m)->hold, HOLD_ROLLOUT); /* its own rollout comes first */
    assert_false(m.paused);
    assert_string_equal(m.events, "WaitingForRollout ");
    assert_false(
        plan_reason_warning(EV_HELD + HOLD_ROLLOUT)); /* adopting a healthy Deployment is no trouble */
    assert_string_equal(m.said, "Waiting for the current rollout to complete before adopting the Deployment");
    m_until(&m, PHASE_STABLE, 20);
    m_run(&m, 5);
    assert_true(m.paused && m.deadline_s == 2147483647 && m_running(&m, 0, false) == 3);
    assert_int_equal(m_s(&m)->deadline_s, 600);
    assert_non_null(strstr(m_annotation(&m, "status"), "Stable: op:v0 is in service"));
    assert_true(m_event(&m, "Adopted"));
    int writes = m.writes;
    m_run(&m, 10);
    assert_true(m.edge.look_again_ns == TIME_NEVER &&
                m.writes == writes); /* nothing to do, nothing written, no clock */
    m_free(&m);
}

/* One ReplicaSet is active, but its pods are not there yet: its owner's rollout is not over. */
CASE(an_update_that_does_not_start_is_not_adopted) {
    struct model m;
    m_init(&m, 1, 2);
    for (int i = 0; i < 10; i++) m_tick(&m);
    m.recreate = true;
    m.behaviour[1] = NEVER_READY;
    m_image(&m, 1);
    for (int i = 0; i < 20; i++) m_tick(&m);
    assert_int_equal(m_active(&m), 1);
    m_run(&m, 20);
    assert_true(!m.paused && m_phase(&m) == PHASE_IDLE && m_s(&m)->hold == HOLD_ROLLOUT);
    m_free(&m);
}

CASE(adopts_at_zero) {
    struct model m;
    m_start(&m, 1, 0);
    m_image(&m, 1);
    m_run(&m, 5);
    assert_true(m_phase(&m) == PHASE_STABLE &&
                m_s(&m)->hold == HOLD_ZERO); /* nothing to compare with: it waits */
    m_scale(&m, 2);
    m_until(&m, PHASE_SOAKING, 20);
    assert_int_equal(m_running(&m, 0, false), 2); /* the stable version runs, not the new one */
    m_until(&m, PHASE_STABLE, 60);
    assert_int_equal(m_running(&m, 1, false), 2);
    m_free(&m);
}

CASE(respects_a_users_pause) {
    struct model m;
    m_init(&m, 1, 2);
    m_run(&m, 0);
    for (int i = 0; i < 10; i++) m_tick(&m);
    m_user_paused(&m, true);
    m_run(&m, 10);
    assert_true(m_phase(&m) == PHASE_IDLE && m_s(&m)->hold == HOLD_USER_PAUSED && m.deadline_s == 600);
    m_user_paused(&m, false);
    m_until(&m, PHASE_STABLE, 10);
    m_free(&m);
}

CASE(changed_while_adopting) {
    struct model m;
    m_init(&m, 1, 2);
    for (int i = 0; i < 10; i++) m_tick(&m);
    m.fail_at = 2 * 1; /* the state is written, the pause is not */
    m_pass(&m);
    m.fail_at = -1;
    assert_int_equal(m_phase(&m), PHASE_ADOPTING);
    m_image(&m, 1);
    m_settle(&m);
    assert_false(m.paused); /* the native rollout of what came in between is let finish */
    m_until(&m, PHASE_STABLE, 20);
    assert_int_equal(m_running(&m, 1, false), 2);
    m_free(&m);
}

CASE(wrong_annotation_before_adoption) {
    struct model m;
    m_init(&m, 1, 2);
    m_annotate(&m, "canary-percent", "lots");
    m_run(&m, 10);
    assert_true(m_phase(&m) == PHASE_IDLE && m_s(&m)->hold == HOLD_CONFIG && !m.paused &&
                m.deadline_s == 600);
    assert_true(m_event(&m, "InvalidConfig"));
    assert_non_null(strstr(m_annotation(&m, "status"), "handover.dev/canary-percent: \"lots\""));
    int writes = m.writes;
    m_run(&m, 10);
    assert_int_equal(m.writes, writes);
    m_annotate(&m, "canary-percent", "50");
    m_until(&m, PHASE_STABLE, 10);
    m_free(&m);
}

CASE(good_version) {
    struct model m;
    m_start(&m, 1, 3);
    m_image(&m, 1);
    m_until(&m, PHASE_SOAKING, 20);
    assert_int_equal(m_running(&m, 1, true), 1); /* 20 % of 3 beside it: one of four */
    assert_int_equal(m_running(&m, 0, false), 3);
    assert_non_null(strstr(m_annotation(&m, "status"), "wanted 20 %, got 25 % of 4 pods"));
    m_until(&m, PHASE_PROMOTING, 40);
    assert_true(!m.paused && m.deadline_s == 600);
    m_until(&m, PHASE_STABLE, 40);
    m_run(&m, 3);
    assert_true(m.paused && m.deadline_s == 2147483647);
    assert_true(m_running(&m, 1, false) == 3 && m_running(&m, 0, false) == 0 && m_running(&m, 1, true) == 0);
    assert_string_equal(ended_name(m_s(&m)->history[0].ended), "promoted");
    assert_true(m_event(&m, "RolloutStarted") && m_event(&m, "Promoted"));
    m_free(&m);
}

CASE(steps) {
    struct model m;
    m_start(&m, 1, 4);
    m_annotate(&m, "canary-percent", "10,40,80");
    m_image(&m, 1);
    m_until(&m, PHASE_SOAKING, 20);
    assert_int_equal(m_running(&m, 1, true), 1);
    int seen[3] = {0};
    for (int i = 0; i < 120 && m_phase(&m) == PHASE_SOAKING; i++) {
        if (m_s(&m)->soak_from_ns) seen[m_s(&m)->step] = m_running(&m, 1, true);
        m_run(&m, 1);
    }
    assert_true(seen[0] == 1 && seen[1] == 3 && seen[2] == 4); /* never more than stable has */
    m_until(&m, PHASE_STABLE, 40);
    assert_int_equal(m_running(&m, 1, false), 4);
    m_free(&m);
}

CASE(bad_version) {
    struct model m;
    m_start(&m, 1, 3);
    m.behaviour[1] = FAILS;
    m_image(&m, 1);
    m_until(&m, PHASE_ROLLED_BACK, 40);
    m_run(&m, 5);
    assert_true(m.paused && m.version == 1 && m_running(&m, 0, false) == 3 && m_running(&m, 1, true) == 0);
    assert_true(state_quarantined(m_s(&m), m.hash[1], NULL) && m_event(&m, "RolledBack"));
    assert_string_equal(ended_name(m_s(&m)->history[0].ended), "failed");
    struct mrs *record = m_find_rs(&m, m_s(&m)->canary);
    assert_true(record && record->replicas == 0 && record->quarantined[0]);
    int writes = m.writes;
    m_run(&m, 20);
    assert_true(m.writes == writes && m.edge.look_again_ns == TIME_NEVER);
    m_image(&m, 2); /* the next one is tried */
    m_until(&m, PHASE_SOAKING, 30);
    m_until(&m, PHASE_STABLE, 60);
    assert_int_equal(m_running(&m, 2, false), 3);
    m_image(&m, 1); /* and the bad one is remembered */
    m_until(&m, PHASE_ROLLED_BACK, 10);
    m_run(&m, 5);
    assert_true(m_running(&m, 1, true) == 0 && m_running(&m, 2, false) == 3);
    m_free(&m);
}

/* What pods do: crash and missing image condemn, what comes from outside holds. */
CASE(guards) {
    static const struct {
        enum behaviour b;
        enum phase phase;
        enum hold hold;
        int ticks;
    } v[] = {{CRASHES, PHASE_ROLLED_BACK, HOLD_NONE, 30},
             {NO_IMAGE, PHASE_ROLLED_BACK, HOLD_NONE, 30},
             {NO_REGISTRY, PHASE_STARTING, HOLD_NOT_READY, 250},
             {NO_REGISTRY, PHASE_ROLLED_BACK, HOLD_NONE, 400},
             {NEVER_READY, PHASE_STARTING, HOLD_NOT_READY, 60},
             {NEVER_READY, PHASE_ROLLED_BACK, HOLD_NONE, 400},
             {UNSCHEDULABLE, PHASE_STARTING, HOLD_UNSCHEDULABLE, 400},
             {UNSCHEDULABLE, PHASE_STARTING, HOLD_INCONCLUSIVE, 700},
             {SILENT, PHASE_SOAKING, HOLD_NO_DATA, 60},
             {SILENT, PHASE_SOAKING, HOLD_INCONCLUSIVE, 700},
             {STANDBY, PHASE_SOAKING, HOLD_NO_DATA, 60},
             {HANGS, PHASE_SOAKING, HOLD_STALLED, 60},
             {HANGS, PHASE_SOAKING, HOLD_INCONCLUSIVE, 700}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct model m;
        m_start(&m, 1, 2);
        m.behaviour[1] = v[i].b;
        m_image(&m, 1);
        m_run(&m, v[i].ticks);
        if (m_phase(&m) != (int)v[i].phase || m_s(&m)->hold != v[i].hold) {
            fail_msg("case %zu: %s %s: %s", i, phase_name(m_s(&m)->phase), hold_name(m_s(&m)->hold),
                     m_s(&m)->message);
        }
        assert_int_equal(m_running(&m, 0, false), 2);
        m_free(&m);
    }
}

CASE(crashes_of_both_hold) {
    struct model m;
    m_start(&m, 1, 2);
    m_image(&m, 1);
    m_until(&m, PHASE_SOAKING, 20);
    m.behaviour[0] = m.behaviour[1] = CRASHES;
    m_run(&m, 5);
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_SHARED);
    m_free(&m);
}

static void restart_all(struct model *m, bool canary, int ago) {
    for (int k = 0; k < MAX_PODS; k++) {
        struct mpod *p = &m->pod[k];
        if (!p->there || m->rs[p->rs].canary != canary) continue;
        p->restarts += 2;
        p->crashed = m->tick - ago;
        p->errors = p->total = 0;
    }
}

/* The API server was away, twice, and operators of both versions ended themselves, as they do: no verdict. */
CASE(an_outage_restarts_both) {
    struct model m;
    m_start(&m, 1, 3);
    m_image(&m, 1);
    m_until(&m, PHASE_SOAKING, 20);
    m_run(&m, 3);
    restart_all(&m, false, 20);
    restart_all(&m, true, 0);
    m_until(&m, PHASE_STABLE, 120);
    assert_int_equal(m_running(&m, 1, false), 3);
    m_free(&m);
    for (int ago = 0; ago < 2; ago++) { /* its own doing, whatever stable did long ago */
        m_start(&m, 1, 3);
        if (ago) restart_all(&m, false, 650);
        m_image(&m, 1);
        m_until(&m, PHASE_SOAKING, 20);
        restart_all(&m, true, 0);
        m_until(&m, PHASE_ROLLED_BACK, 10);
        assert_non_null(strstr(m_s(&m)->history[0].reason, "crashed 2 times"));
        m_free(&m);
    }
}

/* It needs as many crashes to come up as stable needed, long ago; more are its own. */
CASE(starts_as_stable_did) {
    for (int more = 0; more < 2; more++) {
        struct model m;
        m_start(&m, 1, 2);
        restart_all(&m, false, 0);
        m_run(&m, 700);
        m_image(&m, 1);
        m_run(&m, 2);
        for (int i = 0; i <= more; i++) restart_all(&m, true, 0);
        m_until(&m, more ? PHASE_ROLLED_BACK : PHASE_STABLE, 90);
        m_free(&m);
    }
}

CASE(no_quota) {
    struct model m;
    m_start(&m, 1, 2);
    m.no_quota = true;
    m_image(&m, 1);
    m_run(&m, 400);
    assert_true(m_phase(&m) == PHASE_STARTING && m_s(&m)->hold == HOLD_NOT_CREATED);
    assert_non_null(strstr(m_s(&m)->message, "0 of 1 canary pods exist: exceeded quota"));
    m.no_quota = false;
    m_until(&m, PHASE_STABLE, 100);
    assert_int_equal(m_running(&m, 1, false), 2);
    m_free(&m);
}

CASE(shared_outage) {
    struct model m;
    m_start(&m, 1, 3);
    m_annotate(&m, "soak", "60s");
    m_image(&m, 1);
    m_until(&m, PHASE_SOAKING, 20);
    m_run(&m, 5);
    m.outage = true;
    m_run(&m, 100);
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_SHARED);
    m_run(&m, 700); /* the deadline does not turn it into a verdict */
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_SHARED);
    m_free(&m);
}

CASE(deadline) {
    static const struct {
        const char *policy;
        int version;
        enum phase phase;
    } v[] = {{"rollback", 0, PHASE_ROLLED_BACK}, {"promote", 1, PHASE_STABLE}, {"pause", 0, PHASE_SOAKING}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct model m;
        m_start(&m, 1, 2);
        m.behaviour[1] = STANDBY;
        m.asked[1] = true; /* by the policy */
        m_annotate(&m, "on-inconclusive", v[i].policy);
        m_image(&m, 1);
        m_run(&m, 680);
        assert_int_equal(m_phase(&m), v[i].phase);
        assert_int_equal(m_running(&m, v[i].version, false), 2);
        if (i == 0) assert_string_equal(ended_name(m_s(&m)->history[0].ended), "inconclusive");
        m_free(&m);
    }
}

/* A canary without work: said before the deadline, with what to do; and never a verdict. */
CASE(too_few_reconciles) {
    struct model m;
    m_start(&m, 1, 2);
    m_annotate(&m, "min-events", "20");
    m.behaviour[1] = IDLE;
    m_image(&m, 1);
    m_run(&m, 60);
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_NO_DATA);
    assert_non_null(strstr(m_annotation(&m, "status"),
                           "Soaking (NoData): the canary has reconciled nothing; "
                           "annotation min-events asks for 20. Does it stand by"));
    m_run(&m, 600);
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_INCONCLUSIVE);
    assert_non_null(strstr(m_s(&m)->message, "canary-args"));
    m_act(&m, "resume", 1); /* another deadline */
    m_run(&m, 3);
    assert_int_equal(m_s(&m)->hold, HOLD_NO_DATA);
    m.behaviour[1] = GOOD; /* there is work */
    m_run(&m, 1);
    m.behaviour[1] = IDLE;
    m_run(&m, 20);
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_NO_DATA);
    assert_non_null(
        strstr(m_s(&m)->message, "too few reconciles for a verdict; annotation min-events asks for 20"));
    int writes = m.writes;
    m_run(&m, 8);
    assert_true(m.writes - writes <= 2); /* the evidence, and no message again and again */
    m_annotate(&m, "min-events", "5");
    m.asked[1] = true;     /* so few will do, a user says */
    m.behaviour[1] = GOOD; /* but not while it stands still */
    m_until(&m, PHASE_STABLE, 60);
    assert_int_equal(m_running(&m, 1, false), 2);
    m_free(&m);
}

/* Handover was down past the deadline: the first scrape decides, not the clock. */
CASE(down_past_the_deadline) {
    struct model m;
    m_start(&m, 1, 2);
    m_annotate(&m, "on-inconclusive", "rollback");
    m_image(&m, 1);
    m_until(&m, PHASE_SOAKING, 20);
    m_run(&m, 2);
    m_forget(&m);
    for (int i = 0; i < 2000; i++) m_tick(&m);
    m_until(&m, PHASE_STABLE, 60);
    assert_int_equal(m_running(&m, 1, false), 2);
    m_free(&m);
    m_start(&m, 1, 2); /* nor does the time away count as watched without reconciles */
    m.behaviour[1] = IDLE;
    m_image(&m, 1);
    m_until(&m, PHASE_SOAKING, 20);
    m_forget(&m);
    for (int i = 0; i < 30; i++) m_tick(&m);
    m_pass(&m); /* before its first scrape */
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_NONE);
    m_free(&m);
}

CASE(learns_the_rate) {
    struct model m;
    m_start(&m, 1, 2);
    m_annotate(&m, "max-error-rate", NULL);
    m_run(&m, 20);
    m_image(&m, 1);
    m_until(&m, PHASE_SOAKING, 20);
    assert_true(m_s(&m)->learned_total > 100 && m_s(&m)->learned_errors == 0 && m_s(&m)->param.theta < .06);
    assert_true(m_event(&m, "BaselineMeasured"));
    m_free(&m);
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

CASE(not_ours) {
    struct model m;
    m_init(&m, 1, 2);
    m_annotate(&m, "canary-percent", NULL);
    m_settle(&m);
    struct m_view *v = m_observe(&m);
    cleanup_plan struct plan p;
    plan_make(&v->o, m_now(&m), &p);
    assert_true(p.nsteps == 0 && !p.watch && p.forget && !p.next);
    v->o.state_known = STATE_UNKNOWN; /* not read yet: nothing whatever else */
    cleanup_plan struct plan q;
    plan_make(&v->o, m_now(&m), &q);
    assert_true(q.nsteps == 0 && q.watch && !q.forget);
    m_view_free(v);
    m_free(&m);
}

CASES("rollout/plan")
