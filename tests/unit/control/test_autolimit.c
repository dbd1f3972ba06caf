/* The worker limit that adapts. */
#include "autolimit.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void grows_fast_until_pressed_then_by_one_a_round(void **s) {
    (void)s;
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

static void stays_when_more_would_not_help(void **s) {
    (void)s;
    struct autolimit a;
    autolimit_init(&a, 64);
    for (int i = 0; i < 1000; i++) autolimit_success(&a, false);
    assert_int_equal(autolimit_get(&a), AUTOLIMIT_START);
}

static void one_burst_of_pressure_counts_once(void **s) {
    (void)s;
    struct autolimit a;
    autolimit_init(&a, 64);
    for (int i = 0; i < 60; i++) autolimit_success(&a, true);
    for (int i = 0; i < 20; i++) autolimit_pressure(&a, 5 * NS_PER_S + i);
    assert_int_equal(autolimit_get(&a), 32);
    for (int i = 1; i < 20; i++) autolimit_pressure(&a, 5 * NS_PER_S + i * AUTOLIMIT_COOL_NS);
    assert_int_equal(autolimit_get(&a), 1); /* never none */
}

static void a_late_loop_is_pressure(void **s) {
    (void)s;
    struct autolimit a;
    autolimit_init(&a, 64);
    autolimit_lag(&a, AUTOLIMIT_LAG_NS, 0);
    assert_int_equal(autolimit_get(&a), AUTOLIMIT_START);
    autolimit_lag(&a, AUTOLIMIT_LAG_NS + 1, 0);
    assert_int_equal(autolimit_get(&a), AUTOLIMIT_START / 2);
}

static void small_maxima(void **s) {
    (void)s;
    struct autolimit a;
    for (unsigned max = 0; max < 3; max++) {
        autolimit_init(&a, max);
        for (int i = 0; i < 10; i++) autolimit_success(&a, true);
        assert_int_equal(autolimit_get(&a), max ? max : 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_fast_until_pressed_then_by_one_a_round),
        cmocka_unit_test(stays_when_more_would_not_help),
        cmocka_unit_test(one_burst_of_pressure_counts_once),
        cmocka_unit_test(a_late_loop_is_pressure),
        cmocka_unit_test(small_maxima),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
