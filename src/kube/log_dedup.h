/* What was said before is said again only the 2nd, 4th, 8th ... time. Pure. */
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
/* How often it has been said by now if it shall be said, else 0. Numbers in the text do not make it another
 * one. */
unsigned log_dedup_due(struct log_dedup *s, const char *text);
bool log_dedup_reset(struct log_dedup *s); /* forgets all; was there anything? */
#endif
