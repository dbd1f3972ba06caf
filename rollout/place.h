/* Where a pod's metrics page may be: one place if the target says so, else the usual ones. Pure. */
#ifndef ROLLOUT_PLACE_H
#define ROLLOUT_PLACE_H
#include "rollout/observe.h"
#include "rollout/spec.h"

enum { PLACES = 4, PLACE_PATH = 256 };
struct place {
    bool https, insecure;
    uint16_t port;
    char path[PLACE_PATH]; /* begins with '/' */
    char text[PLACE_PATH + 16];
};
struct places {
    struct place v[PLACES];
    size_t n;
};
/* `metrics` of the spec; with auto: the pod's prometheus.io/port annotations, a container port named like
 * "metrics", then controller-runtime's :8080/metrics. Never twice the same. */
void places_of(const struct spec *spec, const cJSON *pod, struct places *ret);
void place_url(const struct place *p, const struct obs_pod *pod, struct buf *out);
void place_proxy_path(const struct place *p, const struct obs_pod *pod, struct buf *out);
const char *place_text(const struct place *p); /* "https :8443/metrics" */
#endif
