/* Resource kinds that Handover talks about, and URL paths for them. */
#ifndef API_GVR_H
#define API_GVR_H
#include "base/buf.h"

struct gvr {
    const char *group;    /* "" for the core group */
    const char *version;  /* "v1" */
    const char *resource; /* plural, "deployments" */
    const char *kind;     /* "Deployment" */
    bool namespaced;
};
extern const struct gvr gvr_deployments, gvr_replicasets, gvr_statefulsets, gvr_controllerrevisions, gvr_pods,
    gvr_configmaps, gvr_leases, gvr_events, gvr_namespaces;

/* "/apis/apps/v1/namespaces/NS/deployments/NAME/SUB". ns empty: all namespaces (or cluster-scoped); name, sub
 * may be empty. Each segment is percent-encoded. sub may hold '/' ("proxy/metrics"). */
int gvr_path(struct buf *out, const struct gvr *g, struct slice ns, struct slice name, struct slice sub);
/* Names as Kubernetes allows them. */
bool name_is_dns_label(struct slice s);     /* RFC 1123 label, 63 */
bool name_is_dns_subdomain(struct slice s); /* 253 */
#endif
