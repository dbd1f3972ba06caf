/* The template changes between what a plan was made from and the plan's write: every write of spec.paused is
 * refused by its resourceVersion, so that no template is let loose, or held back half rolled out, that was not
 * looked at. */
#include "scene.h"

static struct {
    bool armed;
    enum phase phase; /* as the written state has it */
    bool paused;
    int image;
} race;

/* Before a step: the state of the phase is written, what is left is the write on the target. */
static bool change_image(struct model *m, bool after) {
    cleanup_free char *in = xasprintf("\"phase\":\"%s\"", phase_name(race.phase));
    if (after || !race.armed || m->paused != race.paused || !m->state || !strstr(m->state, in)) return true;
    race.armed = false;
    m_image(m, race.image);
    if (!m->paused) m_deployment_controller(m); /* its ReplicaSet is there before our write arrives */
    return true;
}

static void arm(struct model *m, enum phase phase, bool paused, int image) {
    race.armed = true;
    race.phase = phase;
    race.paused = paused;
    race.image = image;
    m->behaviour[image] = FAILS;
    m->between = change_image;
}

/* m_check_unpause() fails the test if an unpause goes through with a version that no verdict and no person let loose. */
CASE(an_unpause_ships_what_was_looked_at) {
    static const struct {
        const char *name;
        int replicas;
        const char *before, *then; /* the race is armed */
        enum phase phase;
    } v[] = {
        {"by verdict", 3, "image 1|until Soaking 20", "paused", PHASE_PROMOTING},
        {"by a person", 3, "image 1|until Soaking 20", "act promote 1", PHASE_PROMOTING},
        {"without a trial", 0, "image 1|run 3", "act promote 1|run 1|scale 3", PHASE_PROMOTING},
        {"resumed", 3, "image 1|until Soaking 20|until Promoting 80|act pause 1|run 3", "act resume 1",
         PHASE_PROMOTING},
        {"repaired", 3, "lose 0", "paused",
         PHASE_PROMOTING}, /* stable's, and its controller makes it again */
        {"given back", 3, "paused", "unset canary-percent", PHASE_RELEASING},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_model struct model *m = m_start(v[i].replicas);
        m_play(m, v[i].before);
        arm(m, v[i].phase, true, 2);
        m_play(m, v[i].then);
        for (int k = 0; k < 80 && race.armed; k++) m_run(m, 1);
        if (race.armed) fail_msg("%s: nothing was unpaused", v[i].name);
        m_run(m, 60);
        if (!m->paused || m_running(m, 2, false) || m_running(m, 2, true))
            fail_msg("%s: version 2 runs %d pods", v[i].name, m_running(m, 2, false));
    }
}

/* An update that its owner begins at the moment of the adoption is its owner's: it goes through, and what
 * comes out of it is stable. */
SCENE(an_adoption_leaves_an_update_alone, m_new(1, 3)) {
    arm(m, PHASE_ADOPTING, false, 1);
    m->behaviour[1] = GOOD;
    for (int i = 0; i < 30 && race.armed; i++) {
        m_tick(m);
        m_pass(m);
    }
    assert_false(race.armed);
    m_play(m, "unpaused|until Stable 30|run 3|paused|own 1 3|own 0 0");
    assert_int_equal(m_s(m)->nhistory, 0);
    assert_string_equal(m_s(m)->stable_hash, m->hash[1]);
}

/* Another leader's write between the look and the deletion is not thrown away. */
SCENE(a_state_is_deleted_as_it_was_read, m_start(3)) {
    m_annotate(m, "canary-percent", NULL);
    for (int i = 0; i < 10; i++) {
        struct m_view *v = m_observe(m);
        cleanup_plan struct plan p;
        plan_make(&v->o, m_now(m), &p);
        m_view_free(v);
        if (p.nsteps && p.step[p.nsteps - 1].kind == STEP_STATE_DELETE) {
            cleanup_json cJSON *body = json_parse(slice_of(p.step[p.nsteps - 1].body), NULL);
            cleanup_free char *rv = xasprintf("%d", m->cm_rv);
            assert_string_equal(json_str(json_get(body, "preconditions"), "resourceVersion"), rv);
            return;
        }
        m_pass(m);
    }
    fail_msg("the state was never deleted");
}

/* A new leader in the middle of a promotion, the template changed, the ReplicaSets not cached yet: held at once. */
SCENE(a_template_that_supersedes_is_held_before_replicasets_are_known, m_start(3)) {
    m_play(m, "image 1|until Promoting 100");
    while (m->paused) m_run(m, 1);
    m_image(m, 2);
    m_forget(m);
    struct m_view *v = m_observe(m);
    v->o.known = false;
    cleanup_plan struct plan p;
    plan_make(&v->o, m_now(m), &p);
    assert_true(p.nsteps == 2 && p.step[0].kind == STEP_STATE && p.step[1].kind == STEP_TARGET);
    assert_non_null(strstr(p.step[1].body, "\"paused\":true"));
    m_view_free(v);
}

/* The informers stand still at what they have, and the edge goes by them. */
static struct model *frozen(struct model *m) {
    m_see(m, SEEN_ALL);
    m->lag = 1U << 30;
    struct model *c = m->cache;
    m->cache = NULL;
    return c;
}

/* The last leader has ended a rollout and taken its canary away; the new one's caches have not heard of it. Before it makes
 * the canary again it writes the state, which is refused (m_check_canary). */
SCENE(a_new_leader_whose_states_lag_starts_no_canary, m_start(3)) {
    m_play(m, "never-ready 1|set soak 300s|image 1|until Starting 20|run 5");
    struct model *cache = frozen(m);
    m_play(m, "image 0|until Stable 60|killed");
    m->cache = cache;
    m_see(m, SEEN_OWNED);
    for (int i = 0; i < 5; i++) (void)m_pass(m);
    assert_int_equal(m_running(m, 1, true), 0);
}

/* The native rollout has completed, its owner changes the template, and the cache still has stable's ReplicaSet running:
 * the only one that serves is not scaled down (m_patch_rs). Neither when only stable's has changed since. */
CASE(a_stale_replicaset_does_not_stop_the_one_that_serves) {
    for (int stale_new = 0; stale_new < 2; stale_new++) {
        cleanup_model struct model *m = m_start(3);
        m_play(m, "image 1|until Promoting 120");
        while (m_active(m) < 2) m_run(m, 1);
        struct model *cache = frozen(m);
        for (int i = 0; i < 60 && m_active(m) > 1; i++) m_tick(m), m_deployment_controller(m);
        assert_int_equal(m_active(m), 1);
        for (int i = 0; i < MAX_RS && !stale_new; i++)
            if (m->rs[i].there && m->rs[i].version == 1) cache->rs[i] = m->rs[i];
        m->behaviour[2] = FAILS;
        m_image(m, 2);
        m->cache = cache;
        for (int i = 0; i < 20; i++) {
            m_see(m, SEEN_TARGET | SEEN_STATE);
            (void)m_pass(m);
            m_tick(m);
        }
        assert_true(m_active(m) >= 1);
    }
}

CASES("rollout/plan_race")
