/* A request's path and query, taken apart. */
#ifndef SIM_TARGET_H
#define SIM_TARGET_H
#include "fail.h"

enum { TARGET_SEGMENTS = 64, TARGET_PARAMS = 64 };
struct target {
    char *seg[TARGET_SEGMENTS]; /* unescaped; empty ones between slashes are kept, one at the end is not */
    size_t n;
    struct {
        char *key, *value;
    } param[TARGET_PARAMS];
    size_t nparams;
};
int target_parse(struct slice target, struct target *ret, struct fail *f); /* 400 */
void target_free(struct target *t);
const char *target_param(const struct target *t, const char *key); /* the first; NULL if absent */
bool target_flag(const struct target *t, const char *key);         /* "true", "1", or there without a value */
/* The segments from i on, joined by '/'. */
char *target_rest(const struct target *t, size_t i);
#endif
