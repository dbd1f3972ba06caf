/* A connection to the system bus that never blocks: libsystemd's sd-bus driven by the world's loop. */
#ifndef OBS_DBUS_H
#define OBS_DBUS_H
#include "base/mem.h"
#include "world/world.h"
#include <systemd/sd-bus.h>

struct dbus;
/* up: there is a connection, now ask; called again for each new one. lost: it is gone, or there is none (a
 * negative errno); looked for again every 30 s. Neither is called inside this call. */
struct dbus *dbus_start(struct world *w, world_fn up, void (*lost)(void *ctx, int error), void *ctx);
void dbus_stop(struct dbus *b); /* not inside a callback of sd-bus; NULL is fine */

/* For callbacks: of `up`, of an answer, of a signal. The answer comes to fn, an error and a time-out (25 s)
 * too; types and what follows as for sd_bus_message_append(). Starts no service. */
int dbus_call(struct dbus *b, const char *to, const char *path, const char *interface, const char *member,
              sd_bus_message_handler_t fn, void *ctx, const char *types, ...);
/* A signal; arg0 NULL: any. A rule that the bus refuses is as a signal that never comes. */
void dbus_match(struct dbus *b, const char *from, const char *path, const char *interface, const char *member,
                const char *arg0, sd_bus_message_handler_t fn, void *ctx);
bool dbus_nobody_there(sd_bus_message *error); /* the callee is not on the bus */
#endif
