/* What the API server gives an object that is made, and takes from nobody: addresses of a Service, the selector of a Job. A dry run keeps none
 * for it, so that another one of the same object would be refused. Pure trees. */
#ifndef OVERLAY_ALLOCATED_H
#define OVERLAY_ALLOCATED_H
#include "base/json_tree.h"
#include "base/slice.h"

/* Of obj, which is to be validated by a create, goes what is as in mine and is allocated. True: something went. */
bool allocated_drop(struct slice group, struct slice resource, cJSON *obj, const cJSON *mine);
/* In obj, which was answered, what was allocated anew is as in mine. */
void allocated_keep(struct slice group, struct slice resource, cJSON *obj, const cJSON *mine);
#endif
