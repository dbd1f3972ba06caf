/* Tables of names: linear work for mappings and anchors of any size. */
#ifndef YAML_NAMES_H
#define YAML_NAMES_H
#include "base/slice.h"

/* From names to anything; linear probing. */
struct names {
    struct name {
        struct slice key; /* borrowed; p NULL: free */
        size_t at;
    } * v;
    size_t n, cap; /* cap: a power of two, or 0 */
};
/* The entry of key, made with at SIZE_MAX if it is new. Valid until the next call. */
struct name *names_of(struct names *t, struct slice key);
void names_free(struct names *t);
#endif
