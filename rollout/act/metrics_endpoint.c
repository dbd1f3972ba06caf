/* Where a pod's metrics page may be. */
#include "act/metrics_endpoint.h"
#include "api/gvr.h"
#include "api/meta.h"
#include <stdio.h>

static void add(struct metrics_endpoints *to, bool https, bool insecure, int64_t port, const char *path) {
    if (to->n == METRICS_ENDPOINTS || port < 1 || port > 65535 || path[0] != '/' ||
        strlen(path) >= METRICS_ENDPOINT_PATH)
        return;
    for (size_t i = 0; i < to->n; i++)
        if (to->v[i].port == port && strcmp(to->v[i].path, path) == 0) return;
    struct metrics_endpoint *p = &to->v[to->n++];
    *p = (struct metrics_endpoint){.https = https, .insecure = insecure, .port = (uint16_t)port};
    memcpy(p->path, path, strlen(path) + 1);
    snprintf(p->text, sizeof p->text, "%s:%u%s", https ? "https " : "", (unsigned)port, path);
}

static void from_annotations(const cJSON *pod, struct metrics_endpoints *to) {
    const char *port = obj_annotation(pod, "prometheus.io/port");
    const char *path = obj_annotation(pod, "prometheus.io/path");
    const char *scheme = obj_annotation(pod, "prometheus.io/scheme");
    int64_t n;
    if (port && slice_i64(slice_of(port), &n) == 0)
        add(to, scheme && strcmp(scheme, "https") == 0, false, n, path ? path : "/metrics");
}

static void from_ports(const cJSON *pod, struct metrics_endpoints *to) {
    static const char *const names[] = {"metrics", "http-metrics", "https-metrics", "https", "prometheus"};
    const cJSON *container, *port;
    cJSON_ArrayForEach(container, json_arr(json_obj(pod, "spec"), "containers")) {
        cJSON_ArrayForEach(port, json_arr(container, "ports")) {
            const char *name = json_str(port, "name");
            for (size_t i = 0; name && i < ARRAY_LEN(names); i++)
                if (strcmp(name, names[i]) == 0)
                    add(to, strncmp(name, "https", 5) == 0, false, json_i64(port, "containerPort", 0),
                        "/metrics");
        }
    }
}

void metrics_endpoints_of(const struct spec *spec, const cJSON *pod, struct metrics_endpoints *ret) {
    ret->n = 0;
    if (spec->metrics == METRICS_ENDPOINT) {
        add(ret, spec->https, spec->tls_insecure, spec->port, spec->path);
        return;
    }
    from_annotations(pod, ret);
    from_ports(pod, ret);
    add(ret, false, false, 8080, "/metrics");
}

void metrics_endpoint_url(const struct metrics_endpoint *p, const struct obs_pod *pod, struct buf *out) {
    bool v6 = slice_has(slice_of(pod->ip), ':');
    buf_addf(out, "%s://%s%s%s:%u%s", p->https ? "https" : "http", v6 ? "[" : "", pod->ip, v6 ? "]" : "",
             (unsigned)p->port, p->path);
}

void metrics_endpoint_proxy_path(const struct metrics_endpoint *p, const struct obs_pod *pod,
                                 struct buf *out) {
    buf_addf(out, "/api/v1/namespaces/%s/pods/%s%s:%u/proxy%s", pod->ns, p->https ? "https:" : "", pod->name,
             (unsigned)p->port, p->path);
}

const char *metrics_endpoint_text(const struct metrics_endpoint *p) {
    return p->text;
}
