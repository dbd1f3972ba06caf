/* LIST: pages of a state of the past or the present, sent in pieces. */
#ifndef SIM_LIST_H
#define SIM_LIST_H
#include "rest.h"
int list_serve(struct call *c);
void list_close(struct sim_exchange *x);
#endif
