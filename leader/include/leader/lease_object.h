/* Lease objects as JSON: reading the fields of an election, and writing an object with these fields and
 * annotations replaced and every other byte of it kept (labels, annotations and fields of others). Pure. */
#ifndef LEADER_LEASE_OBJECT_H
#define LEADER_LEASE_OBJECT_H
#include "leader/lease.h"

#define LEASE_ANNOTATION_CHECKPOINT "handover.dev/checkpoint"
/* What a person asks the leader for: docs/reference/checkpoint.md. */
#define LEASE_ANNOTATION_ORDERS "handover.dev/orders"
/* What the drain of the one that released it has measured, which nobody can ask it any more: its own words. */
#define LEASE_ANNOTATION_DRAIN "handover.dev/drain"
/* lease_rec.successor, guardian, and lease_rec.trial_us in RFC 3339. What is no time there counts as absent. */
#define LEASE_ANNOTATION_SUCCESSOR "handover.dev/successor"
#define LEASE_ANNOTATION_GUARDIAN  "handover.dev/guardian"
#define LEASE_ANNOTATION_TRIAL     "handover.dev/trial-until"

/* -EINVAL if it is no Lease or a field has not the type or the form that the API gives it. Missing spec
 * fields are zero. */
int lease_parse(struct slice raw, struct lease_rec *ret, struct err *err);

/* The value of an annotation, unescaped; false if absent. Appended to out; -ENOBUFS and the like count as
 * absent. */
bool lease_annotation(struct slice raw, const char *key, struct buf *out);

struct lease_change {
    const char *key;    /* annotation */
    struct slice value; /* p NULL: remove it */
};
/* The body to send. base: the object's text as last seen, empty for none (then one is made). managedFields
 * are left out: the server keeps its own. rec->rv and rec->uid stand in the metadata as preconditions where
 * they are not "". */
int lease_render(struct slice base, struct slice ns, struct slice name, const struct lease_rec *rec,
                 const struct lease_change *notes, size_t nnotes, struct buf *out, struct err *err);
#endif
