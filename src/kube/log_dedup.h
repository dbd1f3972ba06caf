/* A message that repeats is logged the 1st, 2nd, 4th, 8th ... time. Pure. */
#ifndef KUBE_LOG_DEDUP_H
#define KUBE_LOG_DEDUP_H
#include "base/slice.h"

enum { LOG_DEDUP_KINDS = 8 };
struct log_dedup {
    struct {
        uint64_t hash;
        unsigned times;
    } v[LOG_DEDUP_KINDS];
    unsigned oldest;
};
/* How many times this message has come, if it is to be logged now, else 0. Texts that differ in numbers alone are
 * the same message. */
unsigned log_dedup_due(struct log_dedup *s, const char *text);
bool log_dedup_reset(struct log_dedup *s); /* forgets all messages; false: there were none */
#endif
