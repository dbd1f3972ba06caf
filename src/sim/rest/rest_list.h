/* LIST: pages of a state of the past or the present, sent in pieces. */
#ifndef SIM_REST_LIST_H
#define SIM_REST_LIST_H
#include "rest/rest.h"
int rest_list_serve(struct call *c);
void rest_list_close(struct sim_exchange *x);
#endif
