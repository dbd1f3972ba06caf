/* How a rollout ended, for a pipeline. */
#include "../case.h"
#include "status_wait.h"

static char ns[] = "a", name[] = "one", image[] = "w:v3", message[] = "as it says",
            reason[] = "21 of 65 failed";

/* The Deployment has template b; a is another. */
static const struct {
    enum phase phase;
    const char *hash, *stable;
    enum hold hold;
    enum wait_outcome is;
    const char *why;
} cases[] = {
    /* in service since before, or by this rollout */
    {PHASE_STABLE, "", "b", HOLD_NONE, WAIT_PROMOTED, "promoted: as it says"},
    /* it has not begun yet */
    {PHASE_STABLE, "", "a", HOLD_NONE, WAIT_GOES_ON, "Stable: as it says"},
    {PHASE_ROLLED_BACK, "a", "c", HOLD_NONE, WAIT_GOES_ON, "RolledBack: as it says"},
    {PHASE_SOAKING, "a", "b", HOLD_NONE, WAIT_GOES_ON, "Soaking: as it says"},
    /* it goes on */
    {PHASE_SOAKING, "b", "a", HOLD_NONE, WAIT_GOES_ON, "Soaking: as it says"},
    {PHASE_SOAKING, "b", "a", HOLD_SHARED, WAIT_GOES_ON, "Soaking, SharedOutage: as it says"},
    {PHASE_STARTING, "b", "a", HOLD_UNSCHEDULABLE, WAIT_GOES_ON, "Starting, PodsUnschedulable: as it says"},
    {PHASE_FINISHING, "b", "b", HOLD_NONE, WAIT_GOES_ON, "Finishing: as it says"},
    {PHASE_ROLLING_BACK, "b", "a", HOLD_NONE, WAIT_GOES_ON, "RollingBack: as it says"},
    /* it is over */
    {PHASE_ROLLED_BACK, "b", "a", HOLD_NONE, WAIT_ROLLED_BACK, "rolled back: 21 of 65 failed"},
    {PHASE_SOAKING, "b", "a", HOLD_INCONCLUSIVE, WAIT_HELD, "held: Soaking, Inconclusive: as it says"},
    {PHASE_SOAKING, "b", "a", HOLD_PAUSED_BY_USER, WAIT_HELD, "held: Soaking, PausedByUser: as it says"},
    {PHASE_SOAKING, "b", "a", HOLD_APPROVAL, WAIT_HELD, "held: Soaking, AwaitingApproval: as it says"},
    {PHASE_PROMOTING, "b", "a", HOLD_STUCK, WAIT_HELD, "held: Promoting, PromotionStuck: as it says"},
};

static struct status_row row_of(enum phase phase, const char *hash, const char *stable) {
    struct status_row r = {
        .ns = ns, .name = name, .image = image, .has_state = true, .opted_in = true, .named = true};
    state_init(&r.state);
    r.state.phase = phase;
    r.state.message = xstrdup(message);
    r.state.reason = xstrdup(reason);
    (void)snprintf(r.state.hash, sizeof r.state.hash, "%s", hash);
    (void)snprintf(r.state.stable_hash, sizeof r.state.stable_hash, "%s", stable);
    (void)snprintf(r.target.hash, sizeof r.target.hash, "b");
    for (int i = 0; i < SIGNALS; i++) r.spec.signal[i] = signal_default((enum signal)i);
    r.spec.signals_ok = true;
    return r;
}

static enum wait_outcome wait_for(struct status_row *r, const char *hash, char **why) {
    const struct status_report report = {.rows = r, .n = r ? 1 : 0};
    const struct status_spec spec = {.ns = ns, .name = name};
    char kept[11];
    (void)snprintf(kept, sizeof kept, "%s", hash);
    enum wait_outcome is = status_wait(&report, &spec, kept, why);
    if (r && r->opted_in) assert_string_equal(kept, hash[0] ? hash : r->target.hash);
    return is;
}

CASE(each_end_and_no_other) {
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct status_row r = row_of(cases[i].phase, cases[i].hash, cases[i].stable);
        cleanup_free char *why = NULL;
        r.state.hold = cases[i].hold;
        assert_int_equal(wait_for(&r, "", &why), cases[i].is);
        assert_string_equal(why, cases[i].why);
        state_free(&r.state);
    }
}

/* What asks a person ends the wait; what the deadline ends does not. */
CASE(a_signal_is_waited_for_where_the_deadline_ends_it) {
    struct status_row r = row_of(PHASE_SOAKING, "b", "a");
    cleanup_free char *why = NULL, *again = NULL;
    struct signals_look l = {.pods = {1, 1}, .total = {40, 40}};
    l.pair[PAIR_WRITES][TRACK_CANARY] = (struct signals_counts){true, 40, 40};
    l.pair[PAIR_WRITES][TRACK_STABLE] = (struct signals_counts){true, 0, 40};
    for (int i = 0; i < 20; i++) signals_feed(&r.state.signals, &l);
    r.state.hold = HOLD_SIGNAL;
    assert_int_equal(wait_for(&r, "b", &why), WAIT_HELD);
    r.spec.signal[SIGNAL_WRITES] = SIGNAL_DEADLINE;
    assert_int_equal(wait_for(&r, "b", &again), WAIT_GOES_ON);
    state_free(&r.state);
}

CASE(another_template_ends_the_wait) {
    struct status_row r = row_of(PHASE_STABLE, "", "b");
    cleanup_free char *why = NULL;
    assert_int_equal(wait_for(&r, "z", &why), WAIT_HELD);
    assert_has(why, "another template (w:v3) has superseded");
    state_free(&r.state);
}

CASE(there_is_nothing_to_wait_for) {
    struct status_row r = row_of(PHASE_STABLE, "", "b");
    cleanup_free char *none = NULL, *plain = NULL, *refused = NULL, *new = NULL, *wrong = NULL;
    assert_int_equal(wait_for(NULL, "", &none), WAIT_FAILED);
    assert_string_equal(none, "there is no deployment/one in namespace a");
    r.opted_in = false;
    assert_int_equal(wait_for(&r, "b", &plain), WAIT_FAILED);
    state_free(&r.state);
    r.opted_in = true;
    r.has_state = false;
    assert_int_equal(wait_for(&r, "b", &new), WAIT_GOES_ON); /* it will be adopted */
    err_set(&r.problem, ERR_CONFIG, -EINVAL, "canary-percent: many");
    assert_int_equal(wait_for(&r, "b", &wrong), WAIT_HELD);
    err_set(&r.problem, ERR_FORBIDDEN, -EACCES, "not allowed");
    assert_int_equal(wait_for(&r, "b", &refused), WAIT_FAILED);
}

CASES("cli/status_wait")
