/* The worker limit that adapts. */
#include "../case.h"
#include "autolimit.h"

CASE(grows_fast_until_pressed_then_by_one_a_round) {
    struct autolimit a;
    autolimit_init(&a, 64);
    assert_int_equal(autolimit_get(&a), AUTOLIMIT_START);
    for (int i = 0; i < 12; i++) autolimit_success(&a, true);
    assert_int_equal(autolimit_get(&a), 16);
    autolimit_pressure(&a, 0);
    assert_int_equal(autolimit_get(&a), 8);
    for (int i = 0; i < 9; i++) autolimit_success(&a, true);
    assert_int_equal(autolimit_get(&a), 9);
    for (int i = 0; i < 100000; i++) autolimit_success(&a, true);
    assert_int_equal(autolimit_get(&a), 64);
}

CASE(stays_when_more_would_not_help) {
    struct autolimit a;
    autolimit_init(&a, 64);
    for (int i = 0; i < 1000; i++) autolimit_success(&a, false);
    assert_int_equal(autolimit_get(&a), AUTOLIMIT_START);
}

CASE(one_burst_of_pressure_counts_once) {
    struct autolimit a;
    autolimit_init(&a, 64);
    for (int i = 0; i < 60; i++) autolimit_success(&a, true);
    for (int i = 0; i < 20; i++) autolimit_pressure(&a, 5 * NS_PER_S + i);
    assert_int_equal(autolimit_get(&a), 32);
    for (int i = 1; i < 20; i++) autolimit_pressure(&a, 5 * NS_PER_S + i * AUTOLIMIT_COOL_NS);
    assert_int_equal(autolimit_get(&a), 1); /* never none */
}

CASE(a_late_loop_is_pressure) {
    struct autolimit a;
    autolimit_init(&a, 64);
    autolimit_lag(&a, AUTOLIMIT_LAG_NS, 0);
    assert_int_equal(autolimit_get(&a), AUTOLIMIT_START);
    autolimit_lag(&a, AUTOLIMIT_LAG_NS + 1, 0);
    assert_int_equal(autolimit_get(&a), AUTOLIMIT_START / 2);
}

CASE(small_maxima) {
    struct autolimit a;
    for (unsigned max = 0; max < 3; max++) {
        autolimit_init(&a, max);
        for (int i = 0; i < 10; i++) autolimit_success(&a, true);
        assert_int_equal(autolimit_get(&a), max ? max : 1);
    }
}

CASES("control/autolimit")
