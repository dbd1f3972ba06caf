/* Allocation helpers. */
#include "../case.h"
#include "base/mem.h"

CASE(never_null) {
    cleanup_free void *a = xmalloc(0), *b = xcalloc(0, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(xstrdup_null(NULL));
    cleanup_free char *s = xasprintf("%s-%d", "a", 7);
    assert_string_equal(s, "a-7");
    b = xrealloc(b, 0);
    assert_non_null(b);
}

CASE(grows) {
    size_t cap = 0;
    int *v = NULL;
    for (size_t n = 0; n < 1000; n++) {
        size_t before = cap;
        v = xgrow(v, &cap, n + 1, sizeof *v);
        assert_true(cap >= n + 1 && (cap == before || cap >= 2 * before));
        v[n] = (int)n;
    }
    for (int n = 0; n < 1000; n++) assert_int_equal(v[n], n);
    assert_ptr_equal(xgrow(v, &cap, 5, sizeof *v), v); /* never shrinks */
    free(v);
}

CASES("base/mem")
