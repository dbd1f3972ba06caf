/* What is given back is gone from the resident set, and nothing of it is missed. */
#include "obs/obs.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static long file_kib(void) {
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "re");
    assert_non_null(f);
    while (kib < 0 && fgets(line, sizeof line, f)) (void)sscanf(line, "RssFile: %ld", &kib);
    fclose(f);
    return kib;
}

static int ascending(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

static void works(void) {
    int v[64];
    char text[64];
    for (int i = 0; i < 64; i++) v[i] = (i * 37) % 64;
    qsort(v, 64, sizeof v[0], ascending);
    for (int i = 0; i < 64; i++) assert_int_equal(v[i], i);
    (void)snprintf(text, sizeof text, "%.3f", strtod("2.500", NULL));
    assert_string_equal(text, "2.500");
}

static void code_goes_and_comes_back(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        works();
        long before = file_kib();
        memory_give_back();
        long after = file_kib();
        assert_true(before > 0 && after < before);
        works();
    }
}

/* Under a debugger the code stays as it is. */
static void breakpoints_stay(void **state) {
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) _exit(77); /* not allowed here */
        works();
        long before = file_kib();
        memory_give_back();
        _exit(file_kib() >= before ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void memory_is_frugal(void **state) {
    (void)state;
    memory_frugal();
    char *big = xmalloc(1 << 20);
    big[0] = 'x';
    free(big);
    works();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_goes_and_comes_back),
        cmocka_unit_test(breakpoints_stay),
        cmocka_unit_test(memory_is_frugal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
