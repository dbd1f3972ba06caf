/* handover-broken: the program with broken.c in it. */
#include "broken.h"
#include <stdlib.h>

void broken_die(struct world *w) {
    (void)w;
    abort();
}
