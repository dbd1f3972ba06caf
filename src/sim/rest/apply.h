/* Server-side apply. */
#ifndef SIM_APPLY_H
#define SIM_APPLY_H
#include "rest/rest.h"
int apply_serve(struct call *c, cJSON *config);
#endif
