/* Changes in the middle: templates, scaling, foreign hands, lost objects, leaving; each has its defined
 * answer. */
#include "model.h"

static void soaking(struct model *m, int replicas) {
    m_start(m, 1, replicas);
    m_annotate(m, "soak", "60s");
    m_image(m, 1);
    m_until(m, PHASE_SOAKING, 20);
    m_run(m, 2);
}

static void assert_all(struct model *m, int version, int n) {
    for (int v = 0; v < VERSIONS; v++) {
        if (m_running(m, v, false) != (v == version ? n : 0) || m_running(m, v, true)) {
            fail_msg("%d pods and %d canaries of version %d; %s: %s", m_running(m, v, false),
                     m_running(m, v, true), v, phase_name(m_s(m)->phase), m_s(m)->message);
        }
    }
}

static void new_template_restarts(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 3);
    m_image(&m, 2);
    m_until(&m, PHASE_CANCELLING, 3);
    m_until(&m, PHASE_SOAKING, 20);
    assert_true(m_running(&m, 1, true) == 0 && m_running(&m, 2, true) == 1 && m_s(&m)->step == 0);
    assert_string_equal(ended_name(m_s(&m)->history[0].ended), "cancelled");
    assert_false(state_quarantined(m_s(&m), m.hash[1], NULL)); /* no verdict, no quarantine */
    m_until(&m, PHASE_STABLE, 120);
    assert_all(&m, 2, 3);
    m_free(&m);
}

static void back_to_stables(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 3);
    m_image(&m, 0);
    m_until(&m, PHASE_STABLE, 20);
    m_run(&m, 3);
    assert_all(&m, 0, 3);
    assert_true(m.paused);
    m_free(&m);
}

static void a_template_that_was_rolled_back_comes_again(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 3);
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
    assert_all(&m, 0, 3);
    m_free(&m);
}

static void quiet_moments(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 3);
    m.quiet = QUIET_BUSY;
    m_image(&m, 0);
    m_run(&m, 5);
    assert_true(m_phase(&m) == PHASE_CANCELLING && m_running(&m, 1, true) == 1 &&
                m.edge.probe); /* not in the middle of something */
    m_run(&m, 8);
    assert_int_equal(m_running(&m, 1, true), 0); /* for `quiet` at most, 10 s */
    m_until(&m, PHASE_STABLE, 10);
    m_free(&m);
    soaking(&m, 3);
    m.quiet = QUIET_BUSY;
    m.behaviour[1] = FAILS;
    m_until(&m, PHASE_ROLLING_BACK, 20);
    m_run(&m, 1);
    assert_int_equal(m_running(&m, 1, true), 0); /* harm does not wait */
    m_free(&m);
}

static void scaling(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 4);
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
    assert_all(&m, 1, 2);
    m_free(&m);
}

/* An HPA's doing, at every moment of the native update. */
static void scaling_while_promoting(void **state) {
    (void)state;
    static const int to[] = {9, 2, 0};
    for (size_t k = 0; k < ARRAY_LEN(to); k++) {
        for (int wait = 0; wait < 10; wait += 3) {
            struct model m;
            soaking(&m, 4);
            m_until(&m, PHASE_PROMOTING, 80);
            m_run(&m, wait);
            m_scale(&m, to[k]);
            m_until(&m, PHASE_STABLE, 80);
            m_run(&m, 3);
            assert_all(&m, 1, to[k]);
            assert_true(m.paused && m_s(&m)->hold == HOLD_NONE);
            assert_string_equal(ended_name(m_s(&m)->history[0].ended), "promoted");
            m_free(&m);
        }
    }
}

static void scaling_while_rolled_back(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 3);
    m.behaviour[1] = FAILS;
    m_until(&m, PHASE_ROLLED_BACK, 40);
    m_scale(&m, 6);
    m_run(&m, 6);
    assert_all(&m, 0, 6); /* the paused controller scales what runs: stable */
    m_scale(&m, 0);
    m_run(&m, 4);
    m_scale(&m, 2);
    m_run(&m, 10);
    assert_all(&m, 0, 2); /* from zero, where it would take another */
    assert_true(m.paused && m_phase(&m) == PHASE_ROLLED_BACK);
    m_free(&m);
}

/* A person's hands on the canary: its pods, its size, its record. */
static void hands_on_the_canary(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 4);
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < MAX_PODS; k++) {
            struct mpod *p = &m.pod[k];
            if (!p->there || p->terminating || !m.rs[p->rs].canary) continue;
            p->terminating = true; /* kubectl delete pod */
            p->left = 1;
        }
        m_run(&m, 5);
    }
    assert_int_equal(m_phase(&m), PHASE_SOAKING); /* no verdict: nobody crashed */
    m_find_rs(&m, m_s(&m)->canary)->replicas = 7;
    m_run(&m, 4);
    assert_int_equal(m_running(&m, 1, true), 1);
    m.behaviour[1] = FAILS;
    m_until(&m, PHASE_ROLLED_BACK, 60);
    m_run(&m, 3);
    struct mrs *record = m_find_rs(&m, m_s(&m)->canary);
    record->replicas = 3; /* a version that was rolled back does not run again by the back door */
    m_run(&m, 4);
    assert_int_equal(m_running(&m, 1, true), 0);
    record->there = false;
    m_run(&m, 5);
    m_forget(&m);
    m_run(&m, 5);
    assert_true(m_phase(&m) == PHASE_ROLLED_BACK && state_quarantined(m_s(&m), m.hash[1], NULL));
    assert_all(&m, 0, 4);
    m_free(&m);
}

static void foreign_unpause(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 4);
    m_user_paused(&m, false);
    for (int i = 0; i < 2; i++) m_tick(&m);
    assert_true(m_active(&m) == 2); /* pods of the new version start at once */
    m_settle(&m);
    assert_true(m.paused && m_s(&m)->hold == HOLD_UNMANAGED && m_event(&m, "UnmanagedChange"));
    m_run(&m, 10);
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_NONE && m_running(&m, 0, false) == 4 &&
                m_active(&m) == 1);
    m_until(&m, PHASE_STABLE, 120); /* the trial went on */
    assert_all(&m, 1, 4);
    m_free(&m);
}

static void foreign_unpause_of_a_quarantined_one(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 4);
    m.behaviour[1] = FAILS;
    m_until(&m, PHASE_ROLLED_BACK, 30);
    m_user_paused(&m, false);
    for (int i = 0; i < 2; i++) m_tick(&m);
    m_run(&m, 12);
    assert_true(m.paused && m_phase(&m) == PHASE_ROLLED_BACK);
    assert_all(&m, 0, 4);
    m_free(&m);
}

static void foreign_rollout_that_is_through(void **state) { /* Handover was away all the while */
    (void)state;
    struct model m;
    soaking(&m, 3);
    m_user_paused(&m, false);
    for (int i = 0; i < 40; i++) m_tick(&m);
    m_until(&m, PHASE_STABLE, 20);
    m_run(&m, 3);
    assert_all(&m, 1, 3);
    assert_true(m.paused && m_event(&m, "UnmanagedRollout"));
    assert_non_null(strstr(m_annotation(&m, "status"), "op:v1 is in service without a verdict"));
    assert_string_equal(ended_name(m_s(&m)->history[0].ended), "unmanaged");
    m_free(&m);
}

static void replace_with_stables_template(
    void **state) { /* kubectl replace: no pause, another deadline, no status, stable's template */
    (void)state;
    struct model m;
    m_start(&m, 1, 2);
    for (int i = 0; i < 6; i++) {
        m.paused = false;
        m.deadline_s = 600;
        m_annotate(&m, "status", NULL);
        m_run(&m, 5);
        assert_true(m.paused && m_annotation(&m, "status") && m_phase(&m) == PHASE_STABLE);
    }
    assert_all(&m, 0, 2);
    m_free(&m);
}

static void deadline_put_back_again_and_again(void **state) {
    (void)state;
    struct model m;
    m_start(&m, 1, 2);
    for (int i = 0; i < 10; i++) {
        m.deadline_s = 300;
        m_annotate(&m, "x", "y");
        m_run(&m, 2);
    }
    assert_true(m.paused && m.deadline_s == 300 && m_s(&m)->deadline_s == 300); /* we yield: it is cosmetic */
    m_free(&m);
}

static void stuck_promotion(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 4);
    m_until(&m, PHASE_PROMOTING, 80);
    m.behaviour[1] = NEVER_READY;
    m_run(&m, 20);
    assert_true(m_phase(&m) == PHASE_PROMOTING && m_running(&m, 0, false) == 4);
    m_until(&m, PHASE_ROLLED_BACK, 700); /* its own deadline, 600 s without progress */
    m_run(&m, 20);
    assert_true(m.paused);
    assert_all(&m, 0, 4);
    assert_string_equal(ended_name(m_s(&m)->history[0].ended), "stuck");
    m_free(&m);
}

static void
stuck_promotion_with_stable_at_zero(void **state) { /* strategy Recreate: stable's pods are gone first */
    (void)state;
    struct model m;
    soaking(&m, 3);
    m.recreate = true;
    m_until(&m, PHASE_PROMOTING, 80);
    m.behaviour[1] = NEVER_READY;
    m_run(&m, 30);
    assert_true(m_running(&m, 0, false) == 0 && m_active(&m) == 1);
    m_until(&m, PHASE_ROLLED_BACK, 700); /* stable runs again before the other goes */
    m_run(&m, 20);
    assert_all(&m, 0, 3);
    m_free(&m);
}

/* Another template in the middle of a promotion, while Handover is there (a moment) or away (until that template
 * runs everywhere): a version that was judged serves again, and only then the other gets its canary. */
static void superseded_promotion(void **state) {
    (void)state;
    int everywhere = 0;
    for (int i = 0; i < 48; i++) {
        int wait = i % 12, away = i < 24 ? wait % 3 : 40;
        bool bad = i / 12 % 2;
        struct model m;
        soaking(&m, 4);
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
static void superseded_before_the_pause(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 3);
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
    assert_all(&m, 1, 3);
    m_free(&m);
}

static void promotion_taken_back(void **state) {
    (void)state;
    for (int wait = 0; wait < 12; wait++) {
        struct model m;
        soaking(&m, 4);
        m_until(&m, PHASE_PROMOTING, 80);
        m_run(&m, wait);
        m_image(&m, 0);
        m_run(&m, 40);
        m_until(&m, PHASE_STABLE, 140);
        m_run(&m, 3);
        assert_all(&m, 0, 4);
        assert_true(m.paused);
        m_free(&m);
    }
}

static void promotion_paused_by_others(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 4);
    m_until(&m, PHASE_PROMOTING, 80);
    m_run(&m, 2);
    m_user_paused(&m, true);
    m_run(&m, 700);
    assert_true(m.paused && m_phase(&m) == PHASE_PROMOTING && m_s(&m)->hold == HOLD_USER_PAUSED);
    m_user_paused(&m, false);
    m_until(&m, PHASE_STABLE, 40);
    assert_all(&m, 1, 4);
    m_free(&m);
}

static void canary_deleted(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 3);
    m_find_rs(&m, m_s(&m)->canary)->there = false;
    for (int k = 0; k < MAX_PODS; k++) m.pod[k].there = m.pod[k].there && m.rs[m.pod[k].rs].there;
    m_run(&m, 6);
    assert_true(m_running(&m, 1, true) == 1 && m_phase(&m) == PHASE_SOAKING);
    m_until(&m, PHASE_STABLE, 120);
    assert_all(&m, 1, 3);
    m_free(&m);
}

static void delete_stables_rs(struct model *m) {
    for (int i = 0; i < MAX_RS; i++) {
        if (m->rs[i].there && !m->rs[i].canary && m->rs[i].version == 0) m->rs[i].there = false;
    }
    for (int k = 0; k < MAX_PODS; k++) m->pod[k].there = m->pod[k].there && m->rs[m->pod[k].rs].there;
}

static void stables_replicaset_deleted(void **state) {
    (void)state;
    struct model m;
    m_start(&m, 1, 3);
    delete_stables_rs(&m);
    m_tick(&m);
    m_until(&m, PHASE_PROMOTING, 3);
    m_until(&m, PHASE_STABLE, 20);
    m_run(&m, 3);
    assert_all(&m, 0, 3); /* unpaused for a moment, so that the controller made it again */
    assert_true(m.paused && m_event(&m, "Repairing") && m_s(&m)->nhistory == 0);
    m_free(&m);
    soaking(&m, 3); /* in the middle of a trial the template is another one: the alarm */
    delete_stables_rs(&m);
    m_run(&m, 3);
    assert_true(m_s(&m)->hold == HOLD_NO_ACTIVE && strstr(m_annotation(&m, "status"), "NOTHING RUNS"));
    m_image(&m, 0);
    m_until(&m, PHASE_STABLE, 60);
    m_run(&m, 3);
    assert_all(&m, 0, 3);
    m_free(&m);
}

/* Scaled to zero and a new image in one apply: the controller deletes stable's ReplicaSet where the history limit says
 * so, also the older of two that were in use again. It is made anew when the target is scaled up, and v2 is judged. */
static void stables_replicaset_cleaned_up(void **state) {
    (void)state;
    static const struct {
        int history;
        bool reused, killed;
    } v[] = {{0, false, false}, {0, false, true}, {1, true, false}, {10, true, false}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct model m;
        m_start(&m, 1, 2);
        m.history = v[i].history;
        m.rv++;
        if (v[i].reused) {
            for (int version = 1; version >= 0; version--) {
                m_image(&m, version);
                m_until(&m, PHASE_SOAKING, 30);
                m_until(&m, PHASE_STABLE, 80);
            }
        }
        m_run(&m, 2);
        m_scale(&m, 0);
        m_image(&m, 2);
        m_run(&m, 5);
        bool gone = true;
        for (int k = 0; k < MAX_RS; k++) gone = gone && !(m.rs[k].there && m.rs[k].version == 0);
        assert_int_equal(gone, v[i].history < 10);
        assert_true(m_phase(&m) == PHASE_STABLE && m_s(&m)->hold == HOLD_ZERO);
        if (v[i].killed) m_forget(&m);
        m_scale(&m, 2);
        m_until(&m, PHASE_SOAKING, 20);
        assert_int_equal(m_running(&m, 0, false), 2);
        assert_int_equal(m_event(&m, "Repairing"), gone);
        m_until(&m, PHASE_STABLE, 60);
        assert_all(&m, 2, 2);
        m_free(&m);
    }
}

static void wrong_annotation_in_the_middle(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 3);
    m_annotate(&m, "soak", "soon");
    m_run(&m, 200);
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_CONFIG && m_running(&m, 1, true) == 1);
    m_annotate(&m, "soak", "20s");
    m_until(&m, PHASE_STABLE, 60);
    m_free(&m);
    soaking(&m, 3);
    m_annotate(&m, "soak", "soon");
    m.behaviour[1] = FAILS; /* harm is stopped all the same */
    m_until(&m, PHASE_ROLLED_BACK, 100);
    m_free(&m);
}

static void leaves(void **state) {
    (void)state;
    struct model m;
    m_start(&m, 1, 2);
    m_annotate(&m, "canary-percent", NULL);
    m_run(&m, 3);
    assert_true(!m.paused && m.deadline_s == 600 && !m.state && !m_annotation(&m, "status"));
    assert_all(&m, 0, 2);
    m_annotate(&m, "canary-percent", "50");
    m_until(&m, PHASE_STABLE, 10);
    m.release = true;
    m_run(&m, 3);
    assert_true(!m.paused && !m.state);
    m_free(&m);
}

static void leaves_in_the_middle(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 3);
    m_annotate(&m, "canary-percent", NULL);
    m_run(&m, 10);
    assert_true(m.paused && m_phase(&m) == PHASE_RELEASING && m_s(&m)->hold == HOLD_REFUSED);
    assert_all(&m, 0, 3);
    assert_non_null(strstr(m_annotation(&m, "status"), "releasing the Deployment would start op:v1"));
    int writes = m.writes;
    m_run(&m, 30);
    assert_int_equal(m.writes, writes);
    m_image(&m, 0);
    m_run(&m, 3);
    assert_true(!m.paused && !m.state && m.deadline_s == 600);
    assert_all(&m, 0, 3);
    m_free(&m);
}

/* Decided to give back, killed before the patch, and then the template changes: that one must not start. */
static void leaving_raced(void **state) {
    (void)state;
    struct model m;
    m_start(&m, 1, 3);
    m_annotate(&m, "canary-percent", NULL);
    m.fail_at = 2 * (m.steps + 1);
    m_pass(&m);
    assert_true(m.crashes == 1 && m_s(&m)->phase == PHASE_RELEASING && m.paused);
    m_image(&m, 1);
    m_run(&m, 10);
    assert_true(m.paused && m_s(&m)->hold == HOLD_REFUSED);
    assert_all(&m, 0, 3);
    m_free(&m);
}

static void leaving_taken_back(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 3);
    m_annotate(&m, "canary-percent", NULL);
    m_run(&m, 10);
    m_annotate(&m, "canary-percent", "20");
    m_until(&m, PHASE_SOAKING, 20); /* tried anew */
    m_until(&m, PHASE_STABLE, 120);
    assert_all(&m, 1, 3);
    m_free(&m);
}

static void leaving_forced(void **state) {
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct model m;
        soaking(&m, 3);
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
        assert_all(&m, 1, 3);
        m_free(&m);
    }
}

static void state_lost(void **state) {
    (void)state;
    for (int bad = 0; bad < 2; bad++) {
        struct model m;
        soaking(&m, 3);
        if (bad) {
            m.behaviour[1] = FAILS;
            m_until(&m, PHASE_ROLLED_BACK, 30);
            m_run(&m, 5);
        }
        free(m.facts);
        free(m.state);
        m.facts = m.state = NULL;
        m_until(&m, bad ? PHASE_ROLLED_BACK : PHASE_SOAKING, 20); /* the canary at zero remembers */
        assert_true(m.paused && m_running(&m, 0, false) == 3 && m_event(&m, "StateLost"));
        m_free(&m);
    }
}

static void target_deleted(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 3);
    m.deleting = true;
    int steps = m.steps;
    m_run(&m, 3);
    assert_int_equal(m.steps, steps); /* the garbage collector does it */
    m.exists = m.deleting = false;    /* orphaned: nobody else does */
    for (int i = 0; i < 10; i++) {
        m_tick(&m);
        m_settle(&m);
    }
    assert_true(!m.state && m_running(&m, 1, true) == 0);
    struct m_view *v = m_observe(&m);
    cleanup_plan struct plan p;
    plan_make(&v->o, m_now(&m), &p);
    assert_true(p.forget && p.nsteps == 0);
    m_view_free(v);
    m_free(&m);
}

static void a_namesake(void **state) {
    (void)state;
    struct model m;
    soaking(&m, 3);
    for (int i = 0; i < MAX_RS; i++) m.rs[i].there = false;
    for (int i = 0; i < MAX_PODS; i++) m.pod[i].there = false;
    m.uid++;
    m.paused = false;
    m.deadline_s = 600;
    m_annotate(&m, "status", NULL);
    m_until(&m, PHASE_STABLE, 20);
    m_run(&m, 3);
    assert_all(&m, 1, 3);
    assert_int_equal(m_s(&m)->nhistory, 0);
    m_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_template_restarts),
        cmocka_unit_test(back_to_stables),
        cmocka_unit_test(a_template_that_was_rolled_back_comes_again),
        cmocka_unit_test(quiet_moments),
        cmocka_unit_test(scaling),
        cmocka_unit_test(scaling_while_promoting),
        cmocka_unit_test(scaling_while_rolled_back),
        cmocka_unit_test(hands_on_the_canary),
        cmocka_unit_test(foreign_unpause),
        cmocka_unit_test(foreign_unpause_of_a_quarantined_one),
        cmocka_unit_test(foreign_rollout_that_is_through),
        cmocka_unit_test(replace_with_stables_template),
        cmocka_unit_test(deadline_put_back_again_and_again),
        cmocka_unit_test(stuck_promotion),
        cmocka_unit_test(stuck_promotion_with_stable_at_zero),
        cmocka_unit_test(superseded_promotion),
        cmocka_unit_test(superseded_before_the_pause),
        cmocka_unit_test(promotion_taken_back),
        cmocka_unit_test(promotion_paused_by_others),
        cmocka_unit_test(canary_deleted),
        cmocka_unit_test(stables_replicaset_deleted),
        cmocka_unit_test(stables_replicaset_cleaned_up),
        cmocka_unit_test(wrong_annotation_in_the_middle),
        cmocka_unit_test(leaves),
        cmocka_unit_test(leaves_in_the_middle),
        cmocka_unit_test(leaving_raced),
        cmocka_unit_test(leaving_taken_back),
        cmocka_unit_test(leaving_forced),
        cmocka_unit_test(state_lost),
        cmocka_unit_test(target_deleted),
        cmocka_unit_test(a_namesake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
