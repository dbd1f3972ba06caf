/* Making objects: what a create gives them, and what a patch makes of them. */
#ifndef OVERLAY_MAKE_H
#define OVERLAY_MAKE_H
#include "overlay_impl.h"

/* Name (of a generateName), namespace, uid and creationTimestamp, as far as they are not there. */
void overlay_born(struct overlay *o, cJSON *obj, const struct gate_request *r, int64_t now);
/* As a delete leaves what has finalizers. */
void overlay_mark_deleted(cJSON *obj, int64_t now);
/* text as a patch of r's form makes it; not of an apply. NULL: err. */
cJSON *overlay_patched(struct slice text, const struct gate_request *r, struct slice patch, const char *kind,
                       struct err *err);
#endif
