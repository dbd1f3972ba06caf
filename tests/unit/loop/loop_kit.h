/* What the tests of src/loop share: each has a `struct fixture` whose first member is its loop, made and freed around a
 * case. */
#ifndef TEST_LOOP_KIT_H
#define TEST_LOOP_KIT_H
#include "../case.h"
#include "base/mem.h"
#include "loop/loop.h"

#define LOOP_CASE(name) CASE_WITH(struct fixture, f, setup, teardown, name)

static inline void stop(void *fixture) {
    loop_stop(*(struct loop **)fixture);
}
#endif
