/* cmocka with what it needs before it, and a few comparisons. */
#ifndef UNIT_CHECK_H
#define UNIT_CHECK_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/buf.h"

#define TEST(name) cmocka_unit_test(name)
/* before and after: of the whole group, or NULL */
#define RUN_TESTS_IN(before, after, ...)                                                                     \
    int main(void) {                                                                                         \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                                     \
        return cmocka_run_group_tests(tests, before, after);                                                 \
    }
#define RUN_TESTS(...) RUN_TESTS_IN(NULL, NULL, __VA_ARGS__)

#define assert_slice(s, text)                                                                                \
    do {                                                                                                     \
        struct slice got_ = (s), want_ = slice_of(text);                                                     \
        if (!slice_eq(got_, want_)) print_error("got \"%.*s\", want \"%.*s\"\n", SLF(got_), SLF(want_));     \
        assert_true(slice_eq(got_, want_));                                                                  \
    } while (0)
/* A text and a part that is in it, or is not. */
#define assert_has(text, part)   assert_part(text, part, true)
#define assert_lacks(text, part) assert_part(text, part, false)
#define assert_part(text, part, want)                                                                        \
    do {                                                                                                     \
        const char *text_ = (text), *part_ = (part);                                                         \
        bool has_ = strstr(text_, part_) != NULL;                                                            \
        if (has_ != (want)) print_error("\"%s\" %s \"%s\"\n", text_, has_ ? "has" : "lacks", part_);         \
        assert_int_equal(has_, want);                                                                        \
    } while (0)
/* Of a random run: which one failed. */
#define fail_seed(seed, fmt, ...) fail_msg("seed %llu: " fmt, (unsigned long long)(seed), ##__VA_ARGS__)
#define assert_buf(b, text)       assert_slice(buf_slice(&(b)), text)
#endif
