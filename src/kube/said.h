/* What was said before is said again only the 2nd, 4th, 8th ... time. Pure. */
#ifndef KUBE_SAID_H
#define KUBE_SAID_H
#include "base/slice.h"

enum { SAID_KINDS = 8 };
struct said {
    struct {
        uint64_t hash;
        unsigned times;
    } v[SAID_KINDS];
    unsigned oldest;
};
/* How often it has been said by now if it shall be said, else 0. Numbers in the text do not make it another
 * one. */
unsigned said_again(struct said *s, const char *text);
bool said_over(struct said *s); /* forgets all; was there anything? */
#endif
