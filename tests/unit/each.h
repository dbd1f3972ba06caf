/* Lists and JSON in tests: each_of(s, "a|b|c") runs for the slices a, b and c; JSON is written with ' for ". */
#ifndef UNIT_EACH_H
#define UNIT_EACH_H
#include "check.h"
#include "base/mem.h"
#include "base/slice.h"

static inline bool each_next(struct slice *rest, struct slice *ret_one) {
    if (!rest->p) return false;
    slice_cut(*rest, '|', ret_one, rest);
    print_message("%.*s\n", SLF(*ret_one)); /* the last one printed is the one that fails */
    return true;
}
#define each_of(one, text) for (struct slice one, rest_ = slice_of(text); each_next(&rest_, &one);)

/* In place. */
static inline char *quoted(char *text) {
    for (char *p = text; *p; p++) *p = *p == '\'' ? '"' : *p;
    return text;
}
/* A literal; valid until the end of the block. */
#define J(literal)  quoted((char[sizeof(literal)]){literal})
#define JS(literal) slice_of(J(literal))
#endif
