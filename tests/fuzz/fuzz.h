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

/* What is done with any input. */
#define FUZZ(input)                                                                                          \
    static void fuzz_one(struct slice input);                                                                \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {                                           \
        fuzz_one(slice_make((const char *)data, size));                                                      \
        return 0;                                                                                            \
    }                                                                                                        \
    static void fuzz_one(struct slice input)
#endif
