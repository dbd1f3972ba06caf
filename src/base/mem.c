/* Allocation that cannot fail: the one place where running out of memory ends the program. */
#include "base/mem.h"
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *or_die(void *p) {
    if (!p) {
        static const char msg[] = "handover: out of memory\n"; /* written without allocating */
        ssize_t n = write(STDERR_FILENO, msg, sizeof msg - 1);
        (void)n;
        abort();
    }
    return p;
}

void *xmalloc(size_t n) {
    return or_die(malloc(n ? n : 1));
}

void *xcalloc(size_t count, size_t size) {
    return or_die(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t n) {
    return or_die(realloc(p, n ? n : 1));
}

char *xstrdup(const char *s) {
    return or_die(strdup(s));
}

char *xstrdup_null(const char *s) {
    return s ? xstrdup(s) : NULL;
}

char *xasprintf(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    char *s = NULL;
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    return or_die(n < 0 ? NULL : s);
}

void *xgrow(void *arr, size_t *cap, size_t need, size_t size) {
    if (arr && need <= *cap) return arr;
    size_t want = *cap < 8 ? 8 : *cap;
    while (want < need) want = want > SIZE_MAX / 2 ? need : want * 2;
    size_t bytes;
    if (__builtin_mul_overflow(want, size, &bytes)) return or_die(NULL);
    void *p = xrealloc(arr, bytes);
    *cap = want;
    return p;
}

void mem_frugal(void) {
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, 64 << 10); /* said once, it no longer grows with what is freed */
    (void)mallopt(M_TRIM_THRESHOLD, 256 << 10);
}

void mem_give_back(void) {
    (void)malloc_trim(0);
}
