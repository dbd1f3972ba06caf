/* Mode objects: who has which objects when, and whatever ends the rollout. model_objects.c fails when an
 * object passes to the canary too early, is given back too early, or is labelled before it is written down. */
#include "scene.h"
#include "base/json_raw.h"

static int canary_objects(const struct model *m) {
    return m_owned(m, OWNER_CANARY);
}

static void nothing_labelled(struct model *m) {
    assert_int_equal(canary_objects(m) + m_owned(m, OWNER_NONE), 0);
    assert_false(m->state && strstr(m->state, "\"slice\":"));
}

SCENE(a_good_version_is_promoted, m_by_objects_soaking()) {
    assert_int_equal(canary_objects(m), 8);
    m_play(m, "canary 1 1|message got 8 of 40 objects|event SliceMoved");
    assert_non_null(
        strstr(m->state, "\"slice\":{\"resource\":\"widgets.v1.example.com\",\"stage\":\"Held\""));
    m_play(m, "until Stable 300|all 1 2|event SliceReturned|ended promoted");
    nothing_labelled(m);
    assert_true(m->ownerless < 8 * 8); /* seconds, of eight objects: to settle, and to be quiet */
}

SCENE(a_bad_version_is_rolled_back, m_by_objects(1, 40)) {
    m_begin(m);
    m_play(m, "image 1|until Soaking 30|fails 1");
    assert_int_equal(canary_objects(m), 8);
    m_play(m, "until RolledBack 200|all 0 2|quarantined 1|event SliceReturned");
    nothing_labelled(m);
}

SCENE(a_busy_stable_is_waited_for_and_not_for_ever, m_by_objects(1, 40)) {
    m_begin(m);
    m->quiet = QUIET_BUSY;
    m_annotate(m, "quiet", "7s");
    m_image(m, 1);
    m_until(m, PHASE_STARTING, 5);
    for (int i = 0; i < 30 && m_owned(m, OWNER_NONE) < 8; i++) m_run(m, 1);
    assert_int_equal(m_owned(m, OWNER_NONE), 8);
    m_run(m, 6);
    assert_int_equal(canary_objects(m), 0);
    m_run(m, 6);
    assert_int_equal(canary_objects(m), 8);
}

SCENE(steps_take_more_objects, m_by_objects(1, 40)) {
    m_begin(m);
    m_annotate(m, "canary-percent", "5,50");
    m_annotate(m, "soak", "60s");
    m_image(m, 1);
    m_until(m, PHASE_SOAKING, 30);
    assert_int_equal(canary_objects(m), 2);
    bool first[MAX_OBJECTS];
    for (int i = 0; i < MAX_OBJECTS; i++) first[i] = m->object[i].owner == OWNER_CANARY;
    for (int i = 0; i < 300 && canary_objects(m) < 20; i++) m_run(m, 1);
    assert_int_equal(canary_objects(m), 20);
    for (int i = 0; i < MAX_OBJECTS; i++) assert_true(!first[i] || m->object[i].owner == OWNER_CANARY);
    m_play(m, "until Stable 300|all 1 2");
    nothing_labelled(m);
}

SCENE(new_objects_come_into_the_slice, m_by_objects(1, 20)) {
    m_begin(m);
    m_annotate(m, "soak", "5m");
    m_image(m, 1);
    m_until(m, PHASE_SOAKING, 30);
    assert_int_equal(canary_objects(m), 4);
    for (int i = 0; i < 20; i++) m_add_object(m);
    m_run(m, 40);
    assert_true(canary_objects(m) >= 8 && canary_objects(m) <= 12);
    assert_int_equal(m_owned(m, OWNER_NONE), 0);
    m_play(m, "is Soaking");
}

SCENE(no_objects_are_no_verdict, m_by_objects(1, 0)) {
    m_begin(m);
    m_play(m, "image 1|run 30|is Starting NoData|message there are no objects of widgets.v1.example.com");
    for (int i = 0; i < 10; i++) m_add_object(m);
    m_play(m, "until Soaking 40|until Stable 300|all 1 2");
    nothing_labelled(m);
}

SCENE(a_template_without_the_selector, m_by_objects(1, 40)) {
    static const char without[] =
        "{\"metadata\":{\"labels\":{\"app\":\"op\"}},\"spec\":{\"containers\":[{\"args\":"
        "[\"--l=handover.dev/track=canary\"]}]}}";
    struct err e = {0};
    cleanup_buf struct buf out = BUF(1 << 16);
    struct m_view *v = m_observe(m);
    free(v->target.tmpl);
    v->target.tmpl = xstrdup(without);
    assert_true(canary_manifest(&v->target, &v->spec, 1, &out, &e) < 0);
    m_view_free(v);
    assert_non_null(strstr(
        e.msg, "\"handover.dev/track notin (canary,moving)\", which becomes \"handover.dev/track=canary\""));
}

SCENE(a_stable_without_the_selector, m_by_objects(1, 40)) {
    m->unselective = true;
    m_begin(m);
    m_play(m, "image 1|run 20|is Starting InvalidConfig|canary 1 0|message put that into service first");
    assert_int_equal(m->labels, 0);
    m_play(m, "asked 1|act promote 1|until Stable 60|all 1 2");
    nothing_labelled(m);
}

SCENE(objects_of_another_target, m_by_objects(1, 40)) {
    m->object[7].owner = OWNER_CANARY;
    m->object[7].uid = 99;
    m_begin(m);
    m_play(m, "image 1|run 20|is Starting InvalidConfig|canary 1 0|message two targets may not have objects "
              "in common");
    m->object[7].owner = OWNER_STABLE;
    m->object[7].rv++;
    m_play(m, "until Stable 100|all 1 2");
}

/* Caches may be behind the writes of a leader that has died: the server is asked before the record of the slice goes. */
SCENE(the_last_word_is_the_servers, m_by_objects_soaking()) {
    m_play(m, "act abort 1");
    for (int i = 0; i < 20 && !strstr(m->state, "Returning"); i++) {
        m_tick(m);
        m_pass(m);
    }
    m->tick += 5;
    for (int verified = 0; verified <= 1; verified++) {
        struct m_view *v = m_observe(m);
        struct slice_seen none = {
            .known = true, .verified = verified, .sum = {.percent = m->edge.s.percent, .total = 40}};
        cleanup_plan struct plan p;
        v->o.slice = &none;
        plan_make(&v->o, m_now(m), &p);
        assert_int_equal(p.order, verified ? ORDER_NONE : ORDER_VERIFY);
        assert_int_equal(p.next->slice.resource != NULL, !verified);
        m_view_free(v);
    }
}

/* What ends a trial, in each of its moments: nothing is left labelled, and no object has two owners. */
static void ends_at_any_moment(void (*how)(struct model *m), enum phase rests, int version) {
    for (int moment = 2; moment < 26; moment++) {
        cleanup_model struct model *m = m_by_objects(1, 40);
        m_begin(m);
        m_annotate(m, "soak", "60s");
        m_image(m, 1);
        m_run(m, moment);
        how(m);
        m_until(m, rests, 400);
        m_run(m, 3);
        nothing_labelled(m);
        if (version >= 0) m_assert_all(m, version, 2);
    }
}
static void aborts(struct model *m) {
    m_act(m, "abort", 1);
}
CASE(aborted_at_any_moment) {
    ends_at_any_moment(aborts, PHASE_ROLLED_BACK, 0);
}
static void goes_back(struct model *m) {
    m_image(m, 0);
}
CASE(back_to_stable_at_any_moment) {
    ends_at_any_moment(goes_back, PHASE_STABLE, 0);
}
static void is_promoted(struct model *m) {
    m_act(m, "promote", 1);
}
CASE(promoted_by_a_user_at_any_moment) {
    ends_at_any_moment(is_promoted, PHASE_STABLE, 1);
}
static void changes_mode(struct model *m) {
    m_annotate(m, "mode", NULL);
    m_annotate(m, "objects", NULL);
    m->by_objects = false;
    m->moved = true;
}
CASE(another_mode_at_any_moment) {
    ends_at_any_moment(changes_mode, PHASE_STABLE, 1);
}
static void crashes_then(struct model *m) {
    m->behaviour[1] = CRASHES;
    for (int k = 0; k < MAX_PODS; k++)
        if (m->pod[k].there && m->rs[m->pod[k].rs].canary) m->pod[k].born = m->tick - 8;
}
CASE(a_canary_that_crashes_at_any_moment) {
    ends_at_any_moment(crashes_then, PHASE_ROLLED_BACK, 0);
}

SCENE(left_in_the_middle, m_by_objects_soaking()) {
    m_play(m, "unset canary-percent|run 30|is Releasing ReleaseRefused");
    nothing_labelled(m);
    m_play(m, "image 0|run 5|left");
}

SCENE(a_target_that_is_deleted_gives_its_objects_back, m_by_objects_soaking()) {
    assert_int_equal(canary_objects(m), 8);
    m->exists = false; /* the ConfigMap is kept by its finalizer; canary and pods are collected */
    for (int i = 0; i < MAX_RS; i++) {
        m->rs[i].there = false;
        for (int k = 0; k < MAX_PODS; k++)
            if (m->pod[k].there && m->pod[k].rs == i && !m->pod[k].terminating)
                m->pod[k].terminating = true, m->pod[k].left = 5;
    }
    m_run(m, 4);
    assert_int_equal(canary_objects(m), 8); /* its canary lives */
    m_run(m, 20);
    assert_int_equal(canary_objects(m), 0);
    assert_null(m->state);
}

SCENE(a_canary_that_is_deleted_starts_anew, m_by_objects_soaking()) {
    for (int i = 0; i < MAX_RS; i++) m->rs[i].there = m->rs[i].there && !m->rs[i].canary;
    for (int k = 0; k < MAX_PODS; k++)
        if (m->pod[k].there && m->rs[m->pod[k].rs].canary) m->pod[k].terminating = true, m->pod[k].left = 3;
    m_run(m, 40);
    assert_int_equal(canary_objects(m), 8);
    m_play(m, "until Stable 300|all 1 2");
    nothing_labelled(m);
}

SCENE(scaled_to_zero_and_up_again, m_by_objects_soaking()) {
    m_play(m, "scale 0|run 20|is Soaking ScaledToZero");
    assert_int_equal(canary_objects(m), 0);
    m_play(m, "scale 2|run 40|is Soaking");
    assert_int_equal(canary_objects(m), 8);
    m_play(m, "until Stable 300|all 1 2");
    nothing_labelled(m);
}

/* Objects on their way have no owner: where the trial cannot go on they are stable's again. */
SCENE(a_wrong_annotation_in_the_middle_of_the_passage, m_by_objects(1, 40)) {
    m_begin(m);
    m->quiet = QUIET_BUSY;
    m_annotate(m, "quiet", "60s");
    m_image(m, 1);
    for (int i = 0; i < 30 && m_owned(m, OWNER_NONE) < 8; i++) m_run(m, 1);
    m_play(m, "set soak soon|run 3|is Starting InvalidConfig");
    assert_int_equal(m_owned(m, OWNER_NONE), 0);
    m->quiet = QUIET_NOW;
    m_play(m, "set soak 20s|until Soaking 30|until Stable 300|all 1 2");
    nothing_labelled(m);
}

SCENE(a_write_that_is_refused_is_named, m_by_objects(1, 40)) {
    m_begin(m);
    m_play(m, "image 1|until Starting 5");
    m->refuses = "label widgets ns/w1: forbidden";
    m->refused_kind = STEP_OBJECTS;
    m_run(m, 12);
    m_play(m, "is Starting WriteRefused|message label widgets ns/w1: forbidden");
    assert_int_equal(m->labels, 0);
    m->refuses = NULL;
    m_play(m, "until Stable 300|all 1 2");
    nothing_labelled(m);
}

static struct slice_seen unknown;
static void as_seen(struct model *m, bool absent, const char *trouble, struct plan *ret) {
    struct m_view *v = m_observe(m);
    unknown = (struct slice_seen){.absent = absent, .trouble = trouble};
    v->o.slice = &unknown;
    plan_make(&v->o, m_now(m), ret);
    m_view_free(v);
}

SCENE(objects_that_cannot_be_listed_hold_the_canary_back, m_by_objects(1, 40)) {
    m_begin(m);
    m_image(m, 1);
    m_tick(m);
    while (m_phase(m) != PHASE_STARTING) m_pass(m);
    cleanup_plan struct plan p;
    as_seen(m, false, "list widgets: forbidden; the rule", &p);
    assert_int_equal(p.next->hold, HOLD_CONFIG);
    assert_string_equal(p.next->message, "mode objects: list widgets: forbidden; the rule");
    assert_false(plan_has_step(&p, STEP_CANARY) || plan_has_step(&p, STEP_OBJECTS));
}

SCENE(a_canary_beside_stables_lease_is_held_before_it_gets_objects, m_by_objects(1, 40)) {
    m->elects = true;
    m_begin(m);
    m_run(m, 10);
    m_play(m, "image 1|run 40|is Starting InvalidConfig|message give it one of its own");
    assert_int_equal(m->labels, 0);
    m->own_lease = true;
    m_play(m, "run 20|phase Soaking"); /* the model's canary works by stable's Lease alone */
    assert_int_equal(canary_objects(m), 8);
}

CASES("rollout/plan_objects")
