/* Hands of others on what is managed: an unpause, a delete, a name that is taken, a state that is damaged or not ours. */
#include "../case.h"
#include "model.h"

/* A person's hands on the canary: its pods, its size, its record. */
CASE(hands_on_the_canary) {
    struct model m;
    m_soaking(&m, 4);
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
    m_assert_all(&m, 0, 4);
    m_free(&m);
}

CASE(foreign_unpause) {
    struct model m;
    m_soaking(&m, 4);
    m_user_paused(&m, false);
    for (int i = 0; i < 2; i++) m_tick(&m);
    assert_true(m_active(&m) == 2); /* pods of the new version start at once */
    m_settle(&m);
    assert_true(m.paused && m_s(&m)->hold == HOLD_UNMANAGED && m_event(&m, "UnmanagedChange"));
    m_run(&m, 10);
    assert_true(m_phase(&m) == PHASE_SOAKING && m_s(&m)->hold == HOLD_NONE && m_running(&m, 0, false) == 4 &&
                m_active(&m) == 1);
    m_until(&m, PHASE_STABLE, 120); /* the trial went on */
    m_assert_all(&m, 1, 4);
    m_free(&m);
}

CASE(foreign_unpause_of_a_quarantined_one) {
    struct model m;
    m_soaking(&m, 4);
    m.behaviour[1] = FAILS;
    m_until(&m, PHASE_ROLLED_BACK, 30);
    m_user_paused(&m, false);
    for (int i = 0; i < 2; i++) m_tick(&m);
    m_run(&m, 12);
    assert_true(m.paused && m_phase(&m) == PHASE_ROLLED_BACK);
    m_assert_all(&m, 0, 4);
    m_free(&m);
}

/* Handover was away all the while */
CASE(foreign_rollout_that_is_through) {
    struct model m;
    m_soaking(&m, 3);
    m_user_paused(&m, false);
    for (int i = 0; i < 40; i++) m_tick(&m);
    m_until(&m, PHASE_STABLE, 20);
    m_run(&m, 3);
    m_assert_all(&m, 1, 3);
    assert_true(m.paused && m_event(&m, "UnmanagedRollout"));
    assert_non_null(strstr(m_annotation(&m, "status"), "op:v1 is in service without a verdict"));
    assert_string_equal(ended_name(m_s(&m)->history[0].ended), "unmanaged");
    m_free(&m);
}

/* kubectl replace: no pause, another deadline, no status, stable's template */
CASE(replace_with_stables_template) {
    struct model m;
    m_start(&m, 1, 2);
    for (int i = 0; i < 6; i++) {
        m.paused = false;
        m.deadline_s = 600;
        m_annotate(&m, "status", NULL);
        m_run(&m, 5);
        assert_true(m.paused && m_annotation(&m, "status") && m_phase(&m) == PHASE_STABLE);
        assert_int_equal(m_event(&m, "PausedFieldConflict"), i >= 3);
    }
    assert_non_null(strstr(m_annotation(&m, "status"), "a manifest sets spec.paused"));
    assert_null(strstr(strstr(m.events, "PausedFieldConflict") + 1, "PausedFieldConflict")); /* once */
    m_assert_all(&m, 0, 2);
    m_free(&m);
}

CASE(deadline_put_back_again_and_again) {
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

CASE(a_canary_of_no_rollout_goes) {
    struct model m;
    m_start(&m, 1, 3);
    m_add_rs(&m, 4, true, "op-canary-stray", 1); /* of an older leader that was cut off from the API server */
    m_run(&m, 20);
    assert_null(m_find_rs(&m, "op-canary-stray"));
    m_free(&m);
}

CASE(canary_deleted) {
    struct model m;
    m_soaking(&m, 3);
    m_find_rs(&m, m_s(&m)->canary)->there = false;
    for (int k = 0; k < MAX_PODS; k++) m.pod[k].there = m.pod[k].there && m.rs[m.pod[k].rs].there;
    m_run(&m, 6);
    assert_true(m_running(&m, 1, true) == 1 && m_phase(&m) == PHASE_SOAKING);
    m_until(&m, PHASE_STABLE, 120);
    m_assert_all(&m, 1, 3);
    m_free(&m);
}

/* The canary's name is another's, unseen or with all labels of a canary and another template: named at once, never
 * judged, whatever its pods do, and the rollout begins when it is gone. */
CASE(canarys_name_is_taken) {
    for (int forged = 0; forged < 2; forged++) {
        struct model m;
        m_start(&m, 1, 2);
        cleanup_free char *name = canary_name("op", m.hash[1]);
        m.taken = name;
        int i = forged ? m_add_rs(&m, 1, true, name, 1) : -1;
        if (forged) memcpy(m.rs[i].made, "forged", 7);
        m_image(&m, 1);
        m_run(&m, 5);
        assert_true(m_phase(&m) == PHASE_STARTING && m_s(&m)->hold == HOLD_NAME_CONFLICT &&
                    m_event(&m, "NameConflict"));
        m_run(&m, 60);
        assert_int_equal(m_phase(&m), PHASE_STARTING);
        assert_true(m_s(&m)->judge.nc == 0 && m.steps < 100);
        m.taken = NULL;
        if (forged) m.rs[i].there = false;
        for (int k = 0; k < MAX_PODS; k++) m.pod[k].there = m.pod[k].there && m.rs[m.pod[k].rs].there;
        m_until(&m, PHASE_STABLE, 120);
        m_assert_all(&m, 1, 2);
        m_free(&m);
    }
}

static void delete_stables_rs(struct model *m) {
    for (int i = 0; i < MAX_RS; i++) {
        if (m->rs[i].there && !m->rs[i].canary && m->rs[i].version == 0) m->rs[i].there = false;
    }
    for (int k = 0; k < MAX_PODS; k++) m->pod[k].there = m->pod[k].there && m->rs[m->pod[k].rs].there;
}

CASE(stables_replicaset_deleted) {
    struct model m;
    m_start(&m, 1, 3);
    delete_stables_rs(&m);
    m_tick(&m);
    m_until(&m, PHASE_PROMOTING, 3);
    m_until(&m, PHASE_STABLE, 20);
    m_run(&m, 3);
    m_assert_all(&m, 0, 3); /* unpaused for a moment, so that the controller made it again */
    assert_true(m.paused && m_event(&m, "Repairing") && m_s(&m)->nhistory == 0);
    m_free(&m);
    m_soaking(&m, 3); /* in the middle of a trial the template is another one: the alarm */
    delete_stables_rs(&m);
    m_run(&m, 3);
    assert_true(m_s(&m)->hold == HOLD_NO_ACTIVE && strstr(m_annotation(&m, "status"), "NOTHING RUNS"));
    m_image(&m, 0);
    m_until(&m, PHASE_STABLE, 60);
    m_run(&m, 3);
    m_assert_all(&m, 0, 3);
    m_free(&m);
}

/* Scaled to zero and a new image in one apply: the controller deletes stable's ReplicaSet where the history limit says
 * so, also the older of two that were in use again. It is made anew when the target is scaled up, and v2 is judged. */
CASE(stables_replicaset_cleaned_up) {
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
        m_assert_all(&m, 2, 2);
        m_free(&m);
    }
}

CASE(state_lost) {
    for (int bad = 0; bad < 2; bad++) {
        struct model m;
        m_soaking(&m, 3);
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

CASE(target_deleted) {
    struct model m;
    m_soaking(&m, 3);
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

/* Only the right to edit ConfigMaps: a promotion that is written there is not one. */
CASE(a_promotion_that_is_only_written) {
    struct model m;
    m_soaking(&m, 3);
    m.behaviour[1] = FAILS;
    cleanup_json cJSON *doc = json_parse(slice_of(m.state), NULL);
    cJSON_ReplaceItemInObjectCaseSensitive(doc, "phase", cJSON_CreateString("Promoting"));
    free(m.state);
    m.state = json_print(doc);
    m.cm_rv++;
    m_forget(&m);
    m_run(&m, 1);
    assert_true(m.paused && m_event(&m, "StateDamaged"));
    m_until(&m, PHASE_ROLLED_BACK, 90);
    m_assert_all(&m, 0, 3);
    m_free(&m);
}

CASE(a_namesake) {
    struct model m;
    m_soaking(&m, 3);
    for (int i = 0; i < MAX_RS; i++) m.rs[i].there = false;
    for (int i = 0; i < MAX_PODS; i++) m.pod[i].there = false;
    m.uid++;
    m.paused = false;
    m.deadline_s = 600;
    m_annotate(&m, "status", NULL);
    m_until(&m, PHASE_STABLE, 20);
    m_run(&m, 3);
    m_assert_all(&m, 1, 3);
    assert_int_equal(m_s(&m)->nhistory, 0);
    m_free(&m);
}

static void damage(struct model *m, const char *text) {
    free(m->state);
    m->state = xstrdup(text);
    m->cm_rv++;
    m->events[0] = m->said[0] = '\0';
    m_forget(m);
    for (int i = 0; i < 20; i++) {
        m_tick(m);
        m_settle(m);
    }
}

CASE(a_damaged_state_changes_nothing) {
    struct model m;
    m_start(&m, 1, 2);
    cleanup_free char *good = xstrdup(m.state);
    m_image(&m, 1);
    damage(&m, "{\"version\":1,\"phase\":");
    assert_true(m.paused && m_running(&m, 1, true) == 0 && m_running(&m, 0, false) == 2);
    assert_non_null(
        strstr(m_annotation(&m, "status"), "ConfigMap op-handover is damaged, nothing is done: data.state"));
    assert_string_equal(m.events, "StateDamaged "); /* once */
    assert_non_null(strstr(m.said, "ConfigMap op-handover is damaged, nothing is done: data.state: "));
    assert_true(m.edge.look_again_ns != TIME_NEVER); /* nobody tells of a repair */
    m_forget(&m);                                    /* another leader has nothing to add */
    m.events[0] = '\0';
    m_settle(&m);
    assert_string_equal(m.events, "");
    damage(&m, "{\"version\":1,\"phase\":\"Dancing\"}"); /* another damage is news */
    assert_string_equal(m.events, "StateDamaged ");
    assert_non_null(
        strstr(m.said, "data.state: phase: read \"Dancing\", which is not allowed there; repair it"));
    damage(&m, good);
    m_until(&m, PHASE_STABLE, 90); /* repaired: it goes on where it was, with the trial */
    assert_int_equal(m_running(&m, 1, false), 2);
    m_free(&m);
}

/* A ConfigMap of the state's name that is the user's own: said, and left alone for ever. */
CASE(a_foreign_configmap) {
    struct model m;
    m_init(&m, 1, 2);
    m_run(&m, 0);
    for (int gone = 0; gone < 2; gone++) {
        struct m_view *v = m_observe(&m);
        struct err why = {0};
        cleanup_plan struct plan p;
        err_set(&why, ERR_CONFIG, -1, "it has no label");
        v->o.state_known = STATE_FOREIGN;
        v->o.state = NULL;
        v->o.state_err = &why;
        v->o.state_rv = "5";
        if (gone) v->o.target = NULL;
        plan_make(&v->o, m_now(&m), &p);
        assert_int_equal(p.nsteps, gone ? 0 : 1);
        if (!gone) {
            assert_true(p.step[0].kind == STEP_TARGET && p.nevents == 1 && !strstr(p.step[0].body, "paused"));
            assert_string_equal(plan_reason_name(p.event[0].reason), "NameConflict");
            assert_non_null(
                strstr(p.event[0].message, "ConfigMap op-handover is not Handover's (it has no label)"));
            assert_null(strstr(p.event[0].message, "delete"));
        }
        m_view_free(v);
    }
    m_free(&m);
}

CASES("rollout/plan_foreign")
