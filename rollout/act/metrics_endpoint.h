/* Where a pod's metrics page may be: one place if the target says so, else the usual ones. Pure. */
#ifndef ROLLOUT_PLACE_H
#define ROLLOUT_PLACE_H
#include "observe/objects.h"
#include "plan/spec.h"

enum { METRICS_ENDPOINTS = 4, METRICS_ENDPOINT_PATH = 256 };
struct metrics_endpoint {
    bool https, insecure;
    uint16_t port;
    char path[METRICS_ENDPOINT_PATH]; /* begins with '/' */
    char text[METRICS_ENDPOINT_PATH + 16];
};
struct metrics_endpoints {
    struct metrics_endpoint v[METRICS_ENDPOINTS];
    size_t n;
};
/* `metrics` of the spec; with auto: the pod's prometheus.io/port annotations, a container port named like
 * "metrics", then controller-runtime's :8080/metrics. Never twice the same. */
void metrics_endpoints_of(const struct spec *spec, const cJSON *pod, struct metrics_endpoints *ret);
void metrics_endpoint_url(const struct metrics_endpoint *p, const struct obs_pod *pod, struct buf *out);
void metrics_endpoint_proxy_path(const struct metrics_endpoint *p, const struct obs_pod *pod,
                                 struct buf *out);
const char *metrics_endpoint_text(const struct metrics_endpoint *p); /* "https :8443/metrics" */
#endif
