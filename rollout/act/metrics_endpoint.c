/* Where a pod's metrics page may be, and where none may be. */
#include "act/metrics_endpoint.h"
#include "api/ip.h"
#include <errno.h>

static void add(struct metrics_endpoints *to, bool https, bool insecure, uint16_t port, const char *path) {
    if (to->n == METRICS_ENDPOINTS || port == 0) return;
    for (size_t i = 0; i < to->n; i++)
        if (to->v[i].port == port && strcmp(to->v[i].path, path) == 0) return;
    to->v[to->n++] = (struct metrics_endpoint){https, insecure, port, path};
}

static void from_ports(const struct obs_pod *pod, struct metrics_endpoints *to) {
    static const char *const names[] = {"metrics", "http-metrics", "https-metrics", "https", "prometheus"};
    for (size_t p = 0; p < pod->nports; p++)
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            if (strcmp(pod->ports[p].name, names[i]) == 0)
                add(to, strncmp(names[i], "https", 5) == 0, false, pod->ports[p].port, "/metrics");
}

void metrics_endpoints_of(const struct spec *spec, const struct obs_pod *pod, struct metrics_endpoints *ret) {
    ret->n = 0;
    if (spec->metrics == METRICS_ENDPOINT) {
        add(ret, spec->https, spec->tls_insecure, spec->port, spec->path);
        return;
    }
    add(ret, pod->scrape_https, false, pod->scrape_port, pod->scrape_path ? pod->scrape_path : "/metrics");
    from_ports(pod, ret);
    add(ret, false, false, 8080, "/metrics");
}

/* Printable ASCII in segments that no server resolves to another path: it may go through the API server's proxy. */
static bool plain_path(const char *path) {
    if (path[0] != '/' || strlen(path) > METRICS_ENDPOINT_PATH) return false;
    size_t query = strcspn(path, "?");
    for (size_t i = 0; path[i]; i++) {
        if (path[i] <= ' ' || path[i] > '~' || path[i] == '#' || path[i] == '\\') return false;
        if (i < query && (path[i] == '%' || strncmp(path + i, "/.", 2) == 0)) return false;
    }
    return true;
}

static bool declared(const struct obs_pod *pod, uint16_t port) {
    for (size_t i = 0; i < pod->nports; i++)
        if (pod->ports[i].port == port) return true;
    return false;
}

int metrics_endpoint_check(const struct metrics_endpoint *p, const struct obs_pod *pod, bool proxy,
                           struct err *err) {
    enum ip_kind kind = proxy ? IP_HOST : ip_kind_of(slice_of(pod->ip));
    if (kind != IP_HOST)
        return err_set(err, ERR_CONFIG, -EACCES, "pod IP %.45s is %s, which is not scraped", pod->ip,
                       ip_kind_text(kind));
    if (pod->host_network && !declared(pod, p->port))
        return err_set(err, ERR_CONFIG, -EACCES,
                       "port %u of a hostNetwork pod is not scraped unless one of its containers declares it",
                       (unsigned)p->port);
    if (!plain_path(p->path))
        return err_set(err, ERR_CONFIG, -EINVAL,
                       "expected a path of at most %d printable ASCII characters, without %% and segments "
                       "that begin with a dot",
                       METRICS_ENDPOINT_PATH);
    return 0;
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
