/* Test cases that register themselves and run in the order of the file:
 *
 *   CASE(an_idle_leader_releases_at_once) { ... }   // the name says the behaviour
 *   CASES("leader/drain")                           // at the end of the file: main()
 */
#ifndef UNIT_CASE_H
#define UNIT_CASE_H
#include "check.h"

static struct CMUnitTest case_list[64];
static size_t case_count;

#define CASE(name) CASE_IN(NULL, NULL, name)
/* Between a setup and a teardown of cmocka's kind, which share *state with the body. */
#define CASE_IN(setup, teardown, name)                                                                       \
    static void case_##name(void **state);                                                                   \
    static __attribute__((constructor)) void register_##name(void) {                                         \
        if (case_count == ARRAY_LEN(case_list)) abort();                                                     \
        case_list[case_count++] = (struct CMUnitTest){#name, case_##name, setup, teardown, NULL};            \
    }                                                                                                        \
    static void case_##name(__attribute__((unused)) void **state)

/* With a fixture of its own: `prepare(&var)` before, `finish(&var)` behind; the body has a pointer var to it. */
#define CASE_WITH(type, var, prepare, finish, name)                                                          \
    static void with_##name(type *var);                                                                      \
    CASE(name) {                                                                                             \
        type fixture_;                                                                                       \
        prepare(&fixture_);                                                                                  \
        with_##name(&fixture_);                                                                              \
        finish(&fixture_);                                                                                   \
    }                                                                                                        \
    static void with_##name(type *var)

/* With an object of its own, which the body knows as var: made by make, released by release(var). */
#define CASE_OF(type, var, make, release, name)                                                              \
    static void with_##name(type *var);                                                                      \
    CASE(name) {                                                                                             \
        type *own_ = make;                                                                                   \
        with_##name(own_);                                                                                   \
        release(own_);                                                                                       \
    }                                                                                                        \
    static void with_##name(type *var)

/* For the seeds from 1 to n; the one that fails is printed. */
#define SEEDS_CASE(n, name)                                                                                  \
    static void with_##name(uint64_t seed);                                                                  \
    CASE_IN(NULL, case_seed_told, name) {                                                                    \
        for (case_seed = 1; case_seed <= (n); case_seed++) with_##name(case_seed);                           \
        case_seed = 0;                                                                                       \
    }                                                                                                        \
    static void with_##name(uint64_t seed)
static uint64_t case_seed; /* that is running; 0: none, or all have passed */
static inline int case_seed_told(__attribute__((unused)) void **state) {
    if (case_seed) print_error("seed %llu\n", (unsigned long long)case_seed);
    return case_seed = 0, 0;
}

#define CASES(group)                                                                                         \
    int main(void) {                                                                                         \
        return _cmocka_run_group_tests(group, case_list, case_count, NULL, NULL);                            \
    }
#endif
