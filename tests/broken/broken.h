/* See broken.c. */
#ifndef TEST_BROKEN_H
#define TEST_BROKEN_H
#include "world/world.h"

void broken_die(struct world *w); /* this process, at once; it may return in a simulated world */
#endif
