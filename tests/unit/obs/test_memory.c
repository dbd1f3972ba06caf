/* What is given back is gone from the heap, and the code that is reported as resident stays so. */
#include "../case.h"
#include "obs/obs.h"

#ifdef __SANITIZE_ADDRESS__
#define OWN_HEAP 0 /* a heap of its own, which malloc_trim() does not know */
#else
#define OWN_HEAP 1
#endif

static long kib(const char *what) {
    char line[256];
    long n = -1;
    FILE *f = fopen("/proc/self/status", "re");
    assert_non_null(f);
    while (n < 0 && fgets(line, sizeof line, f))
        if (strncmp(line, what, strlen(what)) == 0) n = strtol(line + strlen(what), NULL, 10);
    fclose(f);
    return n;
}

CASE(the_heap_goes_back) {
    enum { N = 8192, SIZE = 2048 }; /* 16 MiB in small blocks, under one that stays */
    static char *block[N + 1];
    memory_frugal();
    for (size_t i = 0; i <= N; i++) memset(block[i] = xmalloc(SIZE), 1, SIZE);
    for (size_t i = 0; i < N; i++) free(block[i]);
    long own = kib("RssAnon:"), file = kib("RssFile:");
    memory_give_back();
    if (OWN_HEAP) assert_true(kib("RssAnon:") < own - 12 * 1024);
    assert_true(file > 0 && kib("RssFile:") >= file);
    free(block[N]);
}

CASES("obs/memory")
