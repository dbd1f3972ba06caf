/* Watches: from a version on, through selectors, each event made into text once for all of them. */
#ifndef SIM_REST_WATCH_H
#define SIM_REST_WATCH_H
#include "rest/rest.h"

int rest_watch_serve(struct call *c);
/* shows the fresh events to all watches of the table */
void rest_watch_flush(struct sim *s, struct resource_table *h);
void rest_watch_expire(struct sim *s, struct resource_table *h); /* ends all with an ERROR event 410 */
void rest_watch_close(struct sim_exchange *x);
struct slice rest_watch_target(const struct watch *w);
struct slice rest_watch_agent(const struct watch *w);
#endif
