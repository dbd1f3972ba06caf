/* The controllers' index of a namespace: its Deployments, ReplicaSets and pods, and those of them that nobody
 * controls. */
#ifndef SIM_NS_H
#define SIM_NS_H
#include "ctl.h"

struct ctl_ns *ns_of(struct ctl *c, const char *name); /* made on first use; kept to the end */
void ns_free(struct ctl *c);
struct list *ns_all(struct ctl_ns *n, enum ctl_kind kind);     /* through ctl_obj.in_ns */
struct list *ns_orphans(struct ctl_ns *n, enum ctl_kind kind); /* through ctl_obj.orphan */
#endif
