/* The last changes of phase in a state: noted by the plan, kept over a write and a read. */
#include "scene.h"

/* A step that follows a step is none. */
SCENE(changes_of_phase_are_noted, m_start(2)) {
    static const enum phase want[] = {PHASE_STABLE,  PHASE_FINISHING, PHASE_PROMOTING,
                                      PHASE_SOAKING, PHASE_STARTING,  PHASE_STABLE};
    m_play(m, "image 1|until Soaking 20|until Stable 900");
    assert_int_equal(m_s(m)->nchanges, STATE_CHANGES);
    for (size_t i = 0; i < STATE_CHANGES; i++) {
        const struct state_change *v = &m_s(m)->change[i];
        if (v->phase != want[i]) fail_msg("%zu: %s", i, phase_name(v->phase));
        assert_true(i == 0 || v->at_ns <= v[-1].at_ns);
    }
    assert_int_equal(m_s(m)->change[0].at_ns, m_s(m)->since_ns);
}

CASE(changes_are_kept) {
    struct err err = {0};
    cleanup_state struct state s, again;
    cleanup_buf struct buf facts = BUF(1 << 20), text = BUF(1 << 20);
    cleanup_json cJSON *cm = cJSON_CreateObject();
    state_init(&s);
    s.target_uid = xstrdup("u");
    s.change[s.nchanges++] = (struct state_change){PHASE_SOAKING, T0 + 9000, "abc"};
    s.change[s.nchanges++] = (struct state_change){.phase = PHASE_STABLE, .at_ns = T0 + 1000};
    state_write_facts(&s, &facts);
    state_write(&s, &text);
    cJSON *data = cJSON_AddObjectToObject(cm, "data");
    cJSON_AddStringToObject(data, "facts", buf_str(&facts));
    cJSON_AddStringToObject(data, "state", buf_str(&text));
    if (state_read(cm, &again, &err)) fail_msg("%s", err.msg);
    assert_int_equal(again.nchanges, 2);
    assert_int_equal(again.change[0].phase, PHASE_SOAKING);
    assert_int_equal(again.change[0].at_ns, T0 + 9000);
    assert_string_equal(again.change[0].hash, "abc");
    assert_int_equal(again.change[1].phase, PHASE_STABLE);
    assert_string_equal(again.change[1].hash, "");
}

CASES("rollout/plan_changes")
