/* Resource kinds that Handover talks about, URL paths for them, and the names that Kubernetes allows. */
#include "api/gvr.h"
#include "api/url.h"
#include <errno.h>

const struct gvr gvr_deployments = {"apps", "v1", "deployments", "Deployment", true};
const struct gvr gvr_replicasets = {"apps", "v1", "replicasets", "ReplicaSet", true};
const struct gvr gvr_statefulsets = {"apps", "v1", "statefulsets", "StatefulSet", true};
const struct gvr gvr_controllerrevisions = {"apps", "v1", "controllerrevisions", "ControllerRevision", true};
const struct gvr gvr_pods = {"", "v1", "pods", "Pod", true};
const struct gvr gvr_configmaps = {"", "v1", "configmaps", "ConfigMap", true};
const struct gvr gvr_leases = {"coordination.k8s.io", "v1", "leases", "Lease", true};
const struct gvr gvr_events = {"events.k8s.io", "v1", "events", "Event", true};
const struct gvr gvr_namespaces = {"", "v1", "namespaces", "Namespace", false};

int gvr_path(struct buf *out, const struct gvr *g, struct slice ns, struct slice name, struct slice sub) {
    if (g->group[0]) {
        buf_addf(out, "/apis/%s/%s", g->group, g->version);
    } else {
        buf_addf(out, "/api/%s", g->version);
    }
    if (g->namespaced && ns.n) {
        buf_adds(out, "/namespaces/");
        url_escape(out, ns);
    }
    buf_addf(out, "/%s", g->resource);
    if (name.n) {
        buf_addc(out, '/');
        url_escape(out, name);
    }
    if (sub.n) {
        buf_addc(out, '/');
        url_escape_path(out, sub);
    }
    return out->full ? -ENOBUFS : 0;
}

static bool lower_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* [a-z0-9]([-a-z0-9]*[a-z0-9])? */
static bool label_chars(struct slice s) {
    if (!s.n || !lower_alnum(s.p[0]) || !lower_alnum(s.p[s.n - 1])) return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!lower_alnum(s.p[i]) && s.p[i] != '-') return false;
    }
    return true;
}

bool name_is_dns_label(struct slice s) {
    return s.n <= 63 && label_chars(s);
}

/* Kubernetes' IsDNS1123Subdomain limits the whole to 253, not each label to 63. */
bool name_is_dns_subdomain(struct slice s) {
    if (s.n > 253) return false;
    struct slice label, rest = s;
    bool more = true;
    while (more) {
        more = slice_cut(rest, '.', &label, &rest);
        if (!label_chars(label)) return false;
    }
    return true;
}
