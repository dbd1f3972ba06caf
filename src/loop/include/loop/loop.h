/* The real world: libuv for timers (timerfd on CLOCK_BOOTTIME), deferred calls, processes, signals. src/net
 * adds HTTP. */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H
#include "world/impl.h"

typedef struct uv_loop_s uv_loop_t;

struct loop; /* owns the libuv loop; its world has no HTTP until net_install() */
struct loop *loop_new(void);
struct world *loop_world(struct loop *l);
struct loop *loop_of(struct world *w);      /* of a world made by loop_new() */
uv_loop_t *loop_uv(struct loop *l);         /* for src/net only */
struct world_ops *loop_ops(struct loop *l); /* for src/net to fill in */
int loop_run(struct loop *l);               /* until loop_stop() */
void loop_stop(struct loop *l);
void loop_free(struct loop *l); /* after net_uninstall(); closes what is open, runs the close callbacks */
#endif
