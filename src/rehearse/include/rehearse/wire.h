/* Kubernetes' protobuf envelope ("k8s\0" and runtime.Unknown), as far as a rehearsal has to read and change it: objects stay as
 * they are but for metadata.resourceVersion. Field numbers: k8s.io/apimachinery and k8s.io/api, generated.proto. Pure. */
#ifndef REHEARSE_WIRE_H
#define REHEARSE_WIRE_H
#include "base/buf.h"
#include "base/err.h"

struct wire_type {
    struct slice api_version, kind; /* of the envelope; borrowed */
};
/* -EINVAL with err: not this encoding, or cut. */
int wire_open(struct slice body, struct wire_type *ret, struct slice *ret_raw, struct err *err);
struct wire_meta {
    struct slice name, generate_name, ns, rv, uid; /* borrowed, empty if absent */
};
int wire_meta(struct slice raw, struct wire_meta *ret, struct err *err);
/* The body with another metadata.resourceVersion (empty: without one), lengths mended. */
int wire_set_rv(struct slice body, struct slice rv, struct buf *out, struct err *err);
/* The body without metadata.deletionTimestamp and .deletionGracePeriodSeconds. */
int wire_undelete(struct slice body, struct buf *out, struct err *err);
/* The body without metadata.name, and with that generateName; lengths mended. */
int wire_rename(struct slice body, struct slice generate_name, struct buf *out, struct err *err);
/* A Lease, an Event (v1 or events.k8s.io/v1), a DeleteOptions, an Eviction, a Scale or a Binding as JSON, with apiVersion and kind.
 * -ENOTSUP: of another kind. */
int wire_to_json(struct slice body, struct buf *out, struct err *err);
/* {"status":...} of a ReplicaSet, Deployment, StatefulSet, DaemonSet or Job. -ENOTSUP: of another kind. */
int wire_status(struct slice body, struct buf *out, struct err *err);
#endif
