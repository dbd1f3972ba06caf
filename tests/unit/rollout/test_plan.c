/* The plan, line by line of "Holding the rollout back", against a model of the Deployment controller. */
#include "model.h"

static void adopts(void **state) {
    (void)state;
    struct model m;
    m_init(&m, 1, 3);
    m_settle(&m);
    assert_int_equal(m_s(&m)->hold, HOLD_NATIVE); /* its own rollout comes first */
    assert_false(m.paused);
    m_until(&m, PHASE_STABLE, 20);
    m_run(&m, 5);
    assert_true(m.paused && m.deadline_s == 2147483647 && m_running(&m, 0, false) == 3);
    assert_int_equal(m_s(&m)->deadline_s, 600);
    assert_non_null(strstr(m_annotation(&m, "status"), "Stable: op:v0 is in service"));
    assert_true(m_event(&m, "Adopted"));
    int plans = m.plans, writes = m.writes;
    m_run(&m, 10);
    assert_true(m.edge.look_again_ns == TIME_NEVER && m.writes == writes && m.plans > plans); /* nothing to do, nothing written */
    m_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(adopts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
