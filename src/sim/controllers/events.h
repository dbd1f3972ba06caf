/* Kubernetes Events in the embedded API server: a limit to how many there are (their hour is the store's
 * business). */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H
#include "controllers/ctl.h"

void events_changed(struct ctl *c, struct ctl_obj *co); /* written just now: the last to go */
void events_expire(struct ctl *c, struct ctl_obj *co);  /* one too many */
#endif
