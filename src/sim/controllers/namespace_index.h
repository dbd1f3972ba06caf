/* The controllers' index of a namespace: its Deployments, ReplicaSets and pods, and those of them without a
 * controller. */
#ifndef SIM_NAMESPACE_INDEX_H
#define SIM_NAMESPACE_INDEX_H
#include "controllers/ctl.h"

struct ctl_ns *namespace_index_of(struct ctl *c, const char *name); /* made on first use; kept to the end */
void namespace_index_free(struct ctl *c);
struct list *namespace_index_all(struct ctl_ns *n, enum ctl_kind kind);     /* through ctl_obj.in_ns */
struct list *namespace_index_orphans(struct ctl_ns *n, enum ctl_kind kind); /* through ctl_obj.orphan */
#endif
