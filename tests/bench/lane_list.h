/* What the lane bench loads the process with: an informer that lists Deployments on LANE_WATCH. */
#ifndef LANE_LIST_H
#define LANE_LIST_H
#include "base/err.h"
#include "world/world.h"

struct lane_list;
/* err NULL: the list of so many objects is in the store. Called once. */
typedef void (*lane_list_done)(void *ctx, const struct err *err, size_t objects);
/* server: "http://host:port", which answers GET /apis/apps/v1/deployments. */
struct lane_list *lane_list_start(struct world *w, const char *server, lane_list_done done, void *ctx);
void lane_list_free(struct lane_list *l);
#endif
