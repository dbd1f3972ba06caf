/* Resource kinds that Handover talks about, URL paths for them, and the names that Kubernetes allows. */
#include "api/gvr.h"
#include <errno.h>

const struct gvr gvr_deployments = {"apps", "v1", "deployments", "Deployment", true};
const struct gvr gvr_replicasets = {"apps", "v1", "replicasets", "ReplicaSet", true};
const struct gvr gvr_pods = {"", "v1", "pods", "Pod", true};
const struct gvr gvr_configmaps = {"", "v1", "configmaps", "ConfigMap", true};
const struct gvr gvr_leases = {"coordination.k8s.io", "v1", "leases", "Lease", true};
const struct gvr gvr_events = {"", "v1", "events", "Event", true};
const struct gvr gvr_namespaces = {"", "v1", "namespaces", "Namespace", false};

static bool unreserved(char c) { /* RFC 3986, 2.3 */
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* Everything but unreserved characters and, where it is not '\0', keep. */
static int escape(struct buf *out, struct slice s, char keep) {
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n && !out->full; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (unreserved(s.p[i]) || (keep && s.p[i] == keep)) {
            buf_addc(out, s.p[i]);
        } else {
            char enc[3] = {'%', hex[c >> 4], hex[c & 15]};
            buf_add(out, slice_make(enc, 3));
        }
    }
    return out->full ? -ENOBUFS : 0;
}

int url_escape(struct buf *out, struct slice s) {
    return escape(out, s, '\0');
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    char l = (char)(c | 0x20);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

int url_unescape(struct buf *out, struct slice s) {
    size_t before = out->n;
    for (size_t i = 0; i < s.n && !out->full; i++) {
        char c = s.p[i];
        if (c == '%') {
            int hi = s.n - i > 2 ? hex_digit(s.p[i + 1]) : -1, lo = s.n - i > 2 ? hex_digit(s.p[i + 2]) : -1;
            if (hi < 0 || lo < 0) {
                out->n = before;
                if (out->p) out->p[before] = '\0';
                return -EINVAL;
            }
            c = (char)(hi << 4 | lo);
            i += 2;
        }
        buf_addc(out, c);
    }
    return out->full ? -ENOBUFS : 0;
}

int gvr_path(struct buf *out, const struct gvr *g, struct slice ns, struct slice name, struct slice sub) {
    if (g->group[0]) {
        buf_addf(out, "/apis/%s/%s", g->group, g->version);
    } else {
        buf_addf(out, "/api/%s", g->version);
    }
    if (g->namespaced && ns.n) {
        buf_adds(out, "/namespaces/");
        escape(out, ns, '\0');
    }
    buf_addf(out, "/%s", g->resource);
    if (name.n) {
        buf_addc(out, '/');
        escape(out, name, '\0');
    }
    if (sub.n) {
        buf_addc(out, '/');
        escape(out, sub, '/');
    }
    return out->full ? -ENOBUFS : 0;
}

int url_query(struct buf *out, bool *first, const char *key, struct slice value) {
    buf_addc(out, *first ? '?' : '&');
    escape(out, slice_of(key), '\0');
    buf_addc(out, '=');
    escape(out, value, '\0');
    *first = false;
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
