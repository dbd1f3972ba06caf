/* The embedded API server behind a socket: a world's HTTP server and timer drive it. */
#ifndef SIM_HOST_H
#define SIM_HOST_H
#include "sim/sim.h"
#include "world/world.h"

struct sim_host;
/* addr as for http_listen(). Time in the sim starts at cfg->wall_ns and runs with the world's boot clock. */
int sim_host_start(struct world *w, const char *addr, const struct sim_config *cfg, struct sim_host **ret,
                   struct err *err);
void sim_host_stop(struct sim_host *h); /* NULL is fine; connections are cut */
int sim_host_port(const struct sim_host *h);
/* To be used between turns of the loop: scripts, faults, sim_peek(), even sim_handle(). */
struct sim *sim_host_sim(struct sim_host *h);
/* sim_load() at the present time */
int sim_host_load(struct sim_host *h, struct slice text, struct err *err);
#endif
