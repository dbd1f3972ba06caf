/* What the lane bench loads the process with: a list of Deployments read on LANE_WATCH. The real informer takes the place
 * of lane_list.c by implementing these three functions. */
#ifndef LANE_LIST_H
#define LANE_LIST_H
#include "base/err.h"
#include "world/world.h"

struct lane_list;
struct lane_list_result {
    const struct err *err; /* NULL: all read */
    size_t items, bytes;
};
typedef void (*lane_list_done)(void *ctx, const struct lane_list_result *r);
/* server: "http://host:port", which answers GET /apis/apps/v1/deployments. done is called once. */
struct lane_list *lane_list_start(struct world *w, const char *server, lane_list_done done, void *ctx);
void lane_list_free(struct lane_list *l);
#endif
