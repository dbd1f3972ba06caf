/* The other side of the lane bench: servers in processes of their own. */
#ifndef LANE_SERVER_H
#define LANE_SERVER_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A process that answers GET /apis/apps/v1/deployments with so many Deployments of about 3.2 kB in one page, or
 * as a streaming list where it streams, and watches with silence, or, items 0, any PUT with what was sent. The port goes to *ret_port; the process
 * ends with the caller, or by kill(). */
pid_t lane_server_start(size_t items, bool streams, int *ret_port);
size_t lane_server_bytes(size_t items); /* of such a list, about */
#endif
