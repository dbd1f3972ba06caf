/* What every fuzzer has in common. */
#ifndef FUZZ_H
#define FUZZ_H
#include "base/slice.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert, but in every build: what must hold for any input. */
#define FUZZ_CHECK(cond)                                                                                     \
    do {                                                                                                     \
        if (!(cond)) {                                                                                       \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond);                        \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

static inline struct slice fuzz_slice(const uint8_t *data, size_t size) {
    return slice_make((const char *)data, size);
}
#endif
