/* Where a pod's metrics page may be: one place if the target says so, else the usual ones. A tenant chooses pod IPs,
 * ports and paths; metrics_endpoint_check() keeps a request from going where that tenant could not go itself. */
#ifndef ROLLOUT_METRICS_ENDPOINT_H
#define ROLLOUT_METRICS_ENDPOINT_H
#include "observe/objects.h"
#include "plan/spec.h"

enum { METRICS_ENDPOINTS = 4, METRICS_ENDPOINT_PATH = OBS_MAX_PATH };
struct metrics_endpoint {
    bool https, insecure;
    uint16_t port;
    const char *path; /* begins with '/'; of the spec, the pod, or a literal */
};
struct metrics_endpoints {
    struct metrics_endpoint v[METRICS_ENDPOINTS];
    size_t n;
};
/* `metrics` of the spec; with auto: the pod's prometheus.io/port annotations, a container port named like "metrics",
 * then controller-runtime's :8080/metrics. Never twice the same. spec and pod are borrowed by ret. */
void metrics_endpoints_of(const struct spec *spec, const struct obs_pod *pod, struct metrics_endpoints *ret);
/* 0, or ERR_CONFIG: no unicast address that a pod can have (loopback, link-local, unspecified, multicast, no address at
 * all), a port of a hostNetwork pod that no container declares, a path that is not a plain one. proxy: the API server
 * connects, and checks the address. */
int metrics_endpoint_check(const struct metrics_endpoint *p, const struct obs_pod *pod, bool proxy,
                           struct err *err);
void metrics_endpoint_url(const struct metrics_endpoint *p, const struct obs_pod *pod, struct buf *out);
void metrics_endpoint_proxy_path(const struct metrics_endpoint *p, const struct obs_pod *pod,
                                 struct buf *out);
/* "https :8443/metrics" */
#define METRICS_ENDPOINT_FMT    "%s:%u%s"
#define METRICS_ENDPOINT_ARG(p) ((p)->https ? "https " : ""), (unsigned)(p)->port, (p)->path
#endif
