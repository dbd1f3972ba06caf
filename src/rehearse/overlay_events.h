/* Events of the operator: kept in a ring, never sent. */
#ifndef OVERLAY_EVENTS_H
#define OVERLAY_EVENTS_H
#include "overlay_impl.h"

bool overlay_ring_takes(const struct gate_request *r); /* a write of an Event */
/* body: JSON, an object or a patch. Appends the answer, returns its status. */
int overlay_ring_write(struct overlay *o, const struct gate_request *r, int64_t now, struct slice body,
                       struct buf *out);
void overlay_ring_free(struct overlay *o);
#endif
