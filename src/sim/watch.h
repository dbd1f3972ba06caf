/* Watches: from a version on, through selectors, each event made into text once for all of them. */
#ifndef SIM_WATCH_H
#define SIM_WATCH_H
#include "rest.h"

int watch_serve(struct call *c);
void watch_flush(struct sim *s, struct shelf *h);  /* shows the fresh events to all watches of the shelf */
void watch_expire(struct sim *s, struct shelf *h); /* ends all with an ERROR event 410 */
void watch_close(struct sim_exchange *x);
struct slice watch_target(const struct watch *w);
struct slice watch_agent(const struct watch *w);
void frames_free(struct event *e);
#endif
