/* What a page costs while it passes by: a few KiB, whatever its size. The linker puts the functions below in
 * the place of malloc and its like. */
#include "../case.h"
#include "judge/promtext.h"
#include <malloc.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);
static size_t held, most;

static void *counted(void *p) {
    held += malloc_usable_size(p);
    if (held > most) most = held;
    return p;
}

void *__wrap_malloc(size_t n) {
    return counted(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size) {
    return counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n) {
    held -= p ? malloc_usable_size(p) : 0;
    return counted(__real_realloc(p, n));
}

void __wrap_free(void *p) {
    held -= p ? malloc_usable_size(p) : 0;
    __real_free(p);
}

/* 24 MiB of lines like those of a real page, in the pieces that a connection gives. */
CASE(a_large_page_is_not_held) {
    static char piece[16384];
    struct prom_page r;
    struct err e = {0};
    size_t n = 0, fed = 0, lines = 0, in_piece = 0;
    while (n + 256 < sizeof piece) {
        n += (size_t)snprintf(piece + n, sizeof piece - n,
                              "controller_runtime_reconcile_total{controller=\"widget\",path=\"C:\\\\%zu\","
                              "result=\"error\"} 1\n",
                              in_piece++);
    }
    size_t before = held;
    most = held;
    struct promtext *p = promtext_new(NULL, NULL);
    for (; fed < 24 << 20; fed += n, lines += in_piece) {
        size_t cut = fed / n % n; /* no cut at the end of a line but by chance */
        assert_int_equal(promtext_feed(p, slice_make(piece, cut), &e), 0);
        assert_int_equal(promtext_feed(p, slice_make(piece + cut, n - cut), &e), 0);
    }
    assert_int_equal(promtext_end(p, &r, &e), 0);
    assert_true(r.v[PROM_ERRORS].value == (double)lines && r.v[PROM_TOTAL].series == lines);
    promtext_free(p);
    print_message("a page of %zu bytes held %zu\n", fed, most - before);
    assert_true(most > before && most - before < 12 << 10);
    assert_int_equal(held, before);
}

CASES("rollout/promtext_held")
