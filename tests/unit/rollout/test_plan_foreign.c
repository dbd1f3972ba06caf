/* Hands of others on what is managed: an unpause, a delete, a name that is taken, a state that is damaged or not ours. */
#include "scene.h"

static void lose_state(struct model *m) {
    free(m->facts);
    free(m->state);
    m->facts = m->state = NULL;
}

/* A person's hands on the canary: its pods, its size, its record. */
SCENE(hands_on_the_canary, m_soaking(4)) {
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < MAX_PODS; k++) {
            struct mpod *p = &m->pod[k];
            if (!p->there || p->terminating || !m->rs[p->rs].canary) continue;
            p->terminating = true; /* kubectl delete pod */
            p->left = 1;
        }
        m_run(m, 5);
    }
    m_play(m, "phase Soaking"); /* no verdict: nobody crashed */
    struct mrs *record = m_find_rs(m, m_s(m)->canary);
    record->replicas = 7;
    m_play(m, "run 4|canary 1 1|fails 1|until RolledBack 60|run 3");
    record->replicas = 3; /* a version that was rolled back does not run again by the back door */
    m_play(m, "run 4|canary 1 0");
    record->there = false;
    m_play(m, "run 5|killed|run 5|phase RolledBack|quarantined 1|all 0 4");
}

/* Pods of the new version start at once; the trial goes on. */
SCENE(foreign_unpause, m_soaking(4)) {
    m_play(m, "unpause|tick 2|active 2");
    m_settle(m);
    m_play(m, "paused|event UnmanagedChange");
    assert_int_equal(m_s(m)->hold, HOLD_UNMANAGED);
    m_play(m, "run 10|is Soaking|own 0 4|active 1|until Stable 120|all 1 4");
}

/* Undoing it takes a while, and an annotation is wrong meanwhile: each plan holds for both, and one of them is reported, once. */
SCENE(two_reasons_to_hold_are_not_reported_in_turns, m_start(4)) {
    m_play(m, "set soak soon|run 2|image 1|unpause|tick 2");
    m->events[0] = '\0';
    m_settle(m);
    int writes = m->writes;
    m_settle(m);
    assert_int_equal(m->writes, writes);
    assert_string_equal(m->events, "");
    m_play(m, "paused|active 2|run 10|is Stable InvalidConfig|active 1");
}

PLAY(foreign_unpause_of_a_quarantined_one, m_soaking(4),
     "fails 1|until RolledBack 30|unpause|tick 2|run 12|paused|phase RolledBack|all 0 4")

/* Handover was away all the while */
PLAY(foreign_rollout_that_is_through, m_soaking(3),
     "unpause|tick 40|until Stable 20|run 3|all 1 3|paused|event UnmanagedRollout|"
     "status op:v1 is in service without a verdict|ended unmanaged")

/* kubectl replace: no pause, another deadline, no status, stable's template */
SCENE(replace_with_stables_template, m_start(2)) {
    for (int i = 0; i < 6; i++) {
        m->paused = false;
        m->deadline_s = 600;
        m_play(m, "unset status|run 5|paused|status |phase Stable");
        assert_int_equal(m_event(m, "PausedFieldConflict"), i >= 3);
    }
    m_play(m, "status a manifest sets spec.paused|all 0 2");
    assert_null(strstr(strstr(m->events, "PausedFieldConflict") + 1, "PausedFieldConflict")); /* once */
}

SCENE(deadline_put_back_again_and_again, m_start(2)) {
    for (int i = 0; i < 10; i++) {
        m->deadline_s = 300;
        m_play(m, "set x y|run 2");
    }
    m_play(m, "paused|deadline 300");
    assert_int_equal(m_s(m)->deadline_s, 300); /* we yield: it is cosmetic */
}

/* Of an older leader that was cut off from the API server; or its creation was carried out and not answered, and the cache
 * did not have it when the target left. */
CASE(a_canary_of_no_rollout_goes) {
    for (int left = 0; left < 2; left++) {
        cleanup_model struct model *m = m_start(3);
        if (left) m_play(m, "unset canary-percent|run 10|left");
        m_add_rs(m, 4, true, "op-canary-stray", 1 + left);
        m_run(m, left ? 5 : 20);
        assert_null(m_find_rs(m, "op-canary-stray"));
    }
}

SCENE(canary_deleted, m_soaking(3)) {
    m_find_rs(m, m_s(m)->canary)->there = false;
    m_collect(m);
    m_play(m, "run 6|canary 1 1|phase Soaking|until Stable 120|all 1 3");
}

/* The canary's name is another's, unseen or with all labels of a canary and another template: named at once, never
 * judged, whatever its pods do, and the rollout begins when it is gone. */
CASE(canarys_name_is_taken) {
    for (int forged = 0; forged < 2; forged++) {
        cleanup_model struct model *m = m_start(2);
        cleanup_free char *name = canary_name("op", m->hash[1]);
        m->taken = name;
        int i = forged ? m_add_rs(m, 1, true, name, 1) : -1;
        if (forged) memcpy(m->rs[i].made, "forged", 7);
        m_play(m, "image 1|run 5|is Starting NameConflict|event NameConflict|run 60|phase Starting");
        assert_true(m_s(m)->judge.all.nc == 0 && m->steps < 100);
        m->taken = NULL;
        if (forged) m->rs[i].there = false;
        m_collect(m);
        m_play(m, "until Stable 120|all 1 2");
    }
}

/* Unpaused for a moment, so that the controller makes it again. */
SCENE(stables_replicaset_deleted, m_start(3)) {
    m_play(m, "lose 0|tick 1|until Promoting 3|until Stable 20|run 3|all 0 3|paused|event Repairing");
    assert_int_equal(m_s(m)->nhistory, 0);
}

/* In the middle of a trial the template is another one: the alarm. */
SCENE(stables_replicaset_deleted_in_a_trial, m_soaking(3)) {
    m_play(m, "lose 0|run 3|status NOTHING RUNS");
    assert_int_equal(m_s(m)->hold, HOLD_NO_ACTIVE);
    m_play(m, "image 0|until Stable 60|run 3|all 0 3");
}

/* Scaled to zero and a new image in one apply: the controller deletes stable's ReplicaSet where the history limit says
 * so, also the older of two that were in use again. It is made anew when the target is scaled up, and v2 is judged. */
CASE(stables_replicaset_cleaned_up) {
    static const struct {
        int history;
        bool reused, killed;
    } v[] = {{0, false, false}, {0, false, true}, {1, true, false}, {10, true, false}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_model struct model *m = m_start(2);
        m->history = v[i].history;
        m->rv++;
        if (v[i].reused)
            m_play(m, "image 1|until Soaking 30|until Stable 80|image 0|until Soaking 30|until Stable 80");
        m_play(m, "run 2|scale 0|image 2|run 5|is Stable ScaledToZero");
        bool gone = true;
        for (int k = 0; k < MAX_RS; k++) gone = gone && !(m->rs[k].there && m->rs[k].version == 0);
        assert_int_equal(gone, v[i].history < 10);
        if (v[i].killed) m_forget(m);
        m_play(m, "scale 2|until Soaking 20|own 0 2");
        assert_int_equal(m_event(m, "Repairing"), gone);
        m_play(m, "until Stable 60|all 2 2");
    }
}

SCENE(state_lost, m_soaking(3)) {
    lose_state(m);
    m_play(m, "until Soaking 20|paused|own 0 3|event StateLost");
}

/* The canary at zero remembers. */
SCENE(state_lost_of_one_rolled_back, m_soaking(3)) {
    m_play(m, "fails 1|until RolledBack 30|run 5");
    lose_state(m);
    m_play(m, "until RolledBack 20|paused|own 0 3|event StateLost");
}

SCENE(target_deleted, m_soaking(3)) {
    m->deleting = true;
    int steps = m->steps;
    m_run(m, 3);
    assert_int_equal(m->steps, steps); /* the garbage collector does it */
    m->exists = m->deleting = false;   /* orphaned: nobody else does */
    m_play(m, "run 10|canary 1 0");
    assert_null(m->state);
    struct m_view *v = m_observe(m);
    cleanup_plan struct plan p;
    plan_make(&v->o, m_now(m), &p);
    assert_true(p.forget && p.nsteps == 0);
    m_view_free(v);
}

/* Only the right to edit ConfigMaps: a promotion that is written there is not one. */
SCENE(a_promotion_that_is_only_written, m_soaking(3)) {
    cleanup_json cJSON *doc = json_parse(slice_of(m->state), NULL);
    cJSON_ReplaceItemInObjectCaseSensitive(doc, "phase", cJSON_CreateString("Promoting"));
    free(m->state);
    m->state = json_print(doc);
    m->cm_rv++;
    m_play(m, "fails 1|killed|run 1|paused|event StateDamaged|until RolledBack 90|all 0 3");
}

SCENE(a_namesake, m_soaking(3)) {
    for (int i = 0; i < MAX_RS; i++) m->rs[i].there = false;
    m_collect(m);
    m->uid++;
    m->paused = false;
    m->deadline_s = 600;
    m_play(m, "unset status|until Stable 20|run 3|all 1 3");
    assert_int_equal(m_s(m)->nhistory, 0);
}

static void damage(struct model *m, const char *text) {
    free(m->state);
    m->state = xstrdup(text);
    m->cm_rv++;
    m->events[0] = m->said[0] = '\0';
    m_play(m, "killed|run 20");
}

SCENE(a_damaged_state_changes_nothing, m_start(2)) {
    cleanup_free char *good = xstrdup(m->state);
    m_image(m, 1);
    damage(m, "{\"version\":1,\"phase\":");
    m_play(m,
           "paused|canary 1 0|own 0 2|status ConfigMap op-handover is damaged, nothing is done: data.state");
    assert_string_equal(m->events, "StateDamaged "); /* once */
    assert_non_null(strstr(m->said, "ConfigMap op-handover is damaged, nothing is done: data.state: "));
    assert_true(m->edge.look_again_ns != TIME_NEVER); /* nobody tells of a repair */
    m_forget(m);                                      /* another leader has nothing to add */
    m->events[0] = '\0';
    m_settle(m);
    assert_string_equal(m->events, "");
    damage(m, "{\"version\":1,\"phase\":\"Dancing\"}"); /* another damage is news */
    assert_string_equal(m->events, "StateDamaged ");
    assert_non_null(
        strstr(m->said, "data.state: phase: read \"Dancing\", which is not allowed there; repair it"));
    damage(m, good);
    m_play(m, "until Stable 90|own 1 2"); /* repaired: it goes on where it was, with the trial */
}

/* A ConfigMap of the state's name that is the user's own: said, and left alone for ever. */
CASE(a_foreign_configmap) {
    for (int gone = 0; gone < 2; gone++) {
        cleanup_model struct model *m = m_new(1, 2);
        struct m_view *v = m_observe(m);
        struct err why = {0};
        cleanup_plan struct plan p;
        err_set(&why, ERR_CONFIG, -1, "it has no label");
        v->o.state_known = STATE_FOREIGN;
        v->o.state = NULL;
        v->o.state_err = &why;
        v->o.state_rv = "5";
        if (gone) v->o.target = NULL;
        plan_make(&v->o, m_now(m), &p);
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
}

CASES("rollout/plan_foreign")
